/* A borrowed slice of bytes: not terminated, may hold NUL, owned by whoever the function says.
 * {NULL, 0} means "not there", {non-NULL, 0} means "empty". Everybody may use it. */
#ifndef ABGLEICH_STR_H
#define ABGLEICH_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_NONE ((struct str){NULL, 0})
#define STR_ARG(s) (int)(s).n, (s).p ? (s).p : "" /* for "%.*s" */

static inline struct str str_of(const char *s)
{
    return s ? (struct str){s, strlen(s)} : STR_NONE;
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_eq_nocase(struct str a, struct str b);   /* ASCII only */
bool str_starts(struct str s, struct str prefix);
bool str_starts_nocase(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
int str_cmp(struct str a, struct str b);          /* bytewise, for sorting */
struct str str_trim(struct str s);                /* ASCII white space off both ends */
/* Cuts *rest at the first `sep`: returns what stands before it, *rest becomes what follows ({NULL,0} at the end). */
struct str str_split(struct str *rest, char sep);
/* Finds `needle`; returns its offset or (size_t)-1. */
size_t str_find(struct str s, struct str needle);
bool str_to_int64(struct str s, long long *out);  /* whole slice must be a number */

#endif
