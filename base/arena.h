/* Memory that lives as long as one job or one record and is freed at once. Plain malloc per piece under ASAN, so that
 * overruns are still seen. Not thread safe: an arena belongs to one job. */
#ifndef ABGLEICH_ARENA_H
#define ABGLEICH_ARENA_H

#include "base/str.h"

struct arena_block;
struct arena {
    struct arena_block *head;
    size_t used_bytes; /* handed out since the last reset, for limits and tests */
};

#define ARENA_INIT {NULL, 0}
#define AUTO_ARENA __attribute__((cleanup(arena_free)))

void *arena_alloc(struct arena *a, size_t size_bytes); /* aligned for any type, not zeroed; owned by the arena */
void *arena_zalloc(struct arena *a, size_t size_bytes);
char *arena_strdup(struct arena *a, struct str s);     /* terminated copy; NULL for {NULL,0} */
struct str arena_str(struct arena *a, struct str s);   /* terminated copy as slice */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void arena_reset(struct arena *a); /* everything handed out is gone; keeps one block for reuse */
void arena_free(struct arena *a);

#endif
