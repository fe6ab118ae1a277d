#include "core/ref_join.h"

#include <stdlib.h>

struct refs refs_make(struct arena *arena, size_t cap)
{
    return (struct refs){arena_alloc(arena, (cap + 1) * sizeof(struct ref)), 0};
}

void refs_add(struct refs *r, const struct element *e, uint32_t index)
{
    r->list[r->n++] = (struct ref){.key = e->key,
                                   .value = e->value,
                                   .same = e->same,
                                   .index = index,
                                   .field = e->field->id,
                                   .single = e->field->arity == ARITY_ONE || e->field->arity == ARITY_TEXT,
                                   .keyed = e->field->arity == ARITY_KEYED};
}

static int ref_cmp(const void *px, const void *py)
{
    const struct ref *x = px, *y = py;
    if (x->field != y->field) return x->field < y->field ? -1 : 1;
    if (x->by != y->by) return x->by < y->by ? -1 : 1;
    if (x->then != y->then) return x->then < y->then ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static void refs_sort(struct refs *r, enum by by)
{
    bool sorted = true;
    for (size_t i = 0; i < r->n; i++) {
        struct ref *e = &r->list[i];
        e->by = by == BY_VALUE ? e->value : by == BY_SAME ? e->same : by == BY_KEY ? e->key : 0;
        e->then = by == BY_KEY ? e->value : e->key;
        if (i && ref_cmp(e - 1, e) > 0) sorted = false;
    }
    if (!sorted) qsort(r->list, r->n, sizeof *r->list, ref_cmp);
}

/* May these two, equal by `by`, be linked? */
static bool ref_fits(const struct ref *x, const struct ref *y, enum by by)
{
    if (y->keyed) return x->key == y->key;
    if (by == BY_KEY) return x->loose || y->single;
    return by != BY_FIELD || y->single;
}

void refs_join(struct refs *x, struct refs *y, enum by by, link_fn link, void *ctx, enum side s)
{
    if (x->n == 0 || y->n == 0) return;
    refs_sort(x, by);
    refs_sort(y, by);
    size_t i = 0, k = 0, left_x = 0, left_y = 0;
    while (i < x->n && k < y->n) {
        const struct ref *p = &x->list[i], *q = &y->list[k];
        int order = p->field != q->field ? (p->field < q->field ? -1 : 1) : p->by < q->by ? -1 : p->by > q->by;
        if (order > 0) {
            y->list[left_y++] = y->list[k++];
        } else if (order < 0 || !ref_fits(p, q, by)) {
            x->list[left_x++] = x->list[i++];
        } else {
            link(ctx, s, p->index, q->index);
            i++, k++;
        }
    }
    while (i < x->n) x->list[left_x++] = x->list[i++];
    while (k < y->n) y->list[left_y++] = y->list[k++];
    x->n = left_x;
    y->n = left_y;
}
