/* The phonebook as a whole: what its parts say, without doubles, in order (state/directory.h, mapping/phonebook.h).
 * Used by the Directory's snapshots, for its book over CardDAV, and by cli/ to show and check it. */
#ifndef ABGLEICH_DIRECTORY_BOOK_H
#define ABGLEICH_DIRECTORY_BOOK_H

#include "mapping/phonebook.h"
#include "state/directory.h"

struct directory_reading {
    const char *region;      /* for numbers; borrowed as long as the book is */
    phonebook_merged_fn *fn; /* hears of each double; NULL = nobody. entry.source counts the parts */
    void *ctx;
};
/* *out is freed with phonebook_free, whatever is returned; *merged (may be NULL): how many doubles were taken in. */
enum fault_code directory_read_book(struct db *db, const struct directory_part *parts, size_t n,
                                    const struct directory_reading *how, struct phonebook *out, size_t *merged,
                                    struct fault *f);
/* Changes whenever what is made of it may. */
void directory_version(const struct directory *d, const struct directory_part *parts, size_t n,
                       char out[DIGEST_HEX_BYTES]);

#endif
