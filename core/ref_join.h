/* Links what is alike in two lists of elements or prints, one to one, by sorting: O(n log n). Used by core/merge.c
 * only.
 *
 * A link is made between references of one field that are equal in what is asked for; what is linked leaves both lists,
 * so that the next, weaker question is put to the rest. */
#ifndef ABGLEICH_REF_JOIN_H
#define ABGLEICH_REF_JOIN_H

#include "core/side.h"
#include "mapping/record.h"

enum by {
    BY_VALUE,
    BY_SAME,
    BY_KEY,  /* of single and keyed fields, and of references that are loose */
    BY_FIELD /* of single fields: in the order of their keys */
};

struct ref {
    uint64_t by, then; /* joined by equal (field, by), in the order of `then`; set by refs_join */
    uint64_t key, value, same;
    uint32_t index; /* whatever the caller counts */
    uint16_t field;
    bool single; /* one value a field: whatever else differs, two of them are one thing */
    bool keyed;  /* one value a key: nothing but an equal key makes two of them one thing */
    bool loose;  /* an equal key is enough */
};

struct refs {
    struct ref *list; /* in the caller's arena */
    size_t n;
};

typedef void (*link_fn)(void *ctx, enum side s, uint32_t x, uint32_t y); /* x, y: index of the references */

/* An empty list with room for cap references; nobody checks. */
struct refs refs_make(struct arena *arena, size_t cap);
void refs_add(struct refs *r, const struct element *e, uint32_t index);
/* Links in order, one to one. `loose` counts in x, `single` in y; elements of one field are equally single. */
void refs_join(struct refs *x, struct refs *y, enum by by, link_fn link, void *ctx, enum side s);

#endif
