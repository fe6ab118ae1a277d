/* A list that grows while a query is read and ends in an arena. Private to state/. */
#ifndef ABGLEICH_ROWS_H
#define ABGLEICH_ROWS_H

#include "base/arena.h"
#include "base/mem.h"

#include <stdlib.h>

struct rows {
    char *p;
    size_t n, cap, size_bytes; /* size_bytes: of one element */
};

#define ROWS_OF(type) {NULL, 0, 0, sizeof(type)}

/* Room for one more, not zeroed; valid until the next call. */
static inline void *rows_add(struct rows *r)
{
    if (r->n == r->cap) r->p = mem_realloc(r->p, (r->cap = r->cap ? r->cap * 2 : 8) * r->size_bytes);
    return r->p + r->n++ * r->size_bytes;
}

/* Moves the elements into the arena (never NULL) and empties the list. */
static inline void *rows_keep(struct rows *r, struct arena *arena)
{
    void *kept = arena_alloc(arena, (r->n + 1) * r->size_bytes);
    if (r->n) memcpy(kept, r->p, r->n * r->size_bytes);
    free(r->p);
    r->p = NULL;
    r->n = r->cap = 0;
    return kept;
}

#endif
