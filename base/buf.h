/* The one growing buffer of the tree.
 *
 * Invariant: data is never NULL after buf_init or the first add, always terminated by a NUL that len does not count.
 * A limit given at creation bounds it: an add that would exceed it changes nothing and sets `overflow`, which stays set;
 * callers that take bytes from strangers give a limit and look at `overflow` once at the end.
 *
 *     struct buf b AUTO_BUF = BUF_INIT;
 *     buf_addf(&b, "%s: %d", name, n);
 */
#ifndef ABGLEICH_BUF_H
#define ABGLEICH_BUF_H

#include "base/str.h"

#include <stdarg.h>

struct buf {
    char *data;
    size_t len, cap;
    size_t limit; /* 0 = none */
    bool overflow;
};

#define BUF_INIT {NULL, 0, 0, 0, false}
#define BUF_LIMIT(bytes) {NULL, 0, 0, (bytes), false}
#define AUTO_BUF __attribute__((cleanup(buf_free)))

void buf_add(struct buf *b, const void *p, size_t n);
void buf_adds(struct buf *b, const char *s);
void buf_addstr(struct buf *b, struct str s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
void buf_reserve(struct buf *b, size_t more);
void buf_truncate(struct buf *b, size_t len);
void buf_reset(struct buf *b);       /* empties, keeps the memory */
void buf_free(struct buf *b);        /* back to BUF_INIT with the same limit */
char *buf_detach(struct buf *b);     /* the string, owned by the caller; b is empty afterwards */
const char *buf_cstr(struct buf *b); /* never NULL */

static inline struct str buf_str(const struct buf *b)
{
    return (struct str){b->data ? b->data : "", b->len};
}

#endif
