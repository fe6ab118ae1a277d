/* Where the bodies of one run wait between gathering and writing: an unlinked temporary file beside the state database, so that a
 * first sync of 100 000 contacts does not live in memory and nothing is left behind by a kill. One per run; used by core/ only. */
#ifndef ABGLEICH_SPOOL_H
#define ABGLEICH_SPOOL_H

#include "base/arena.h"
#include "base/fault.h"

#include <stdint.h>

struct spool;
struct spooled { /* where a body lies */
    uint64_t offset;
    uint32_t n;
    bool there;
};

/* dir: where it may write; NULL = the system's temporary folder. Owned by the caller. */
enum fault_code spool_open(const char *dir, struct spool **out, struct fault *f);
void spool_close(struct spool *s); /* NULL is fine */
enum fault_code spool_put(struct spool *s, struct str body, struct spooled *where, struct fault *f);
/* The body, in the arena. {NULL,0} if `where` is empty or the file cannot be read (then f is set). */
struct str spool_get(struct spool *s, const struct spooled *where, struct arena *arena, struct fault *f);

#endif
