#include "core/item.h"

#include "base/mem.h"

#include <stdlib.h>

void items_init(struct items *t, const struct hash_key *key)
{
    *t = (struct items){.key = *key, .strings = ARENA_INIT};
}

void items_free(struct items *t)
{
    free(t->list);
    arena_free(&t->strings);
    map64_free(&t->by_id[SIDE_A]);
    map64_free(&t->by_id[SIDE_B]);
    map64_free(&t->by_row);
    *t = (struct items){.n = 0};
}

/* A collision of two keyed 64-bit hashes would show as another string here and is then treated as "not found": the record is
 * looked at a second time, which is harmless. */
struct item *items_find(struct items *t, enum side side, struct str id)
{
    uint32_t index;
    if (!map64_get(&t->by_id[side], hash_str(&t->key, id), &index)) return NULL;
    struct item *item = &t->list[index];
    return str_eq(item->side[side].id, id) ? item : NULL;
}

struct item *items_find_row(struct items *t, int64_t row)
{
    uint32_t index;
    if (!map64_get(&t->by_row, hash_bytes(&t->key, &row, sizeof row), &index)) return NULL;
    return t->list[index].row == row ? &t->list[index] : NULL;
}

struct item *items_add(struct items *t, int64_t row)
{
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap + t->cap / 2 : 64;
        t->list = mem_realloc(t->list, t->cap * sizeof *t->list);
    }
    struct item *item = &t->list[t->n];
    *item = (struct item){.row = row};
    if (row) map64_put(&t->by_row, hash_bytes(&t->key, &row, sizeof row), (uint32_t)t->n);
    t->n++;
    return item;
}

void items_name(struct items *t, struct item *item, enum side side, struct str id)
{
    item->side[side].id = arena_str(&t->strings, id);
    map64_put(&t->by_id[side], hash_str(&t->key, id), (uint32_t)(item - t->list));
}

struct item_past *items_past(struct items *t, struct item *item)
{
    if (!item->past) item->past = arena_zalloc(&t->strings, sizeof *item->past);
    return item->past;
}

void items_join(struct items *t, struct item *into, struct item *from, enum side side)
{
    into->side[side] = from->side[side];
    map64_put(&t->by_id[side], hash_str(&t->key, into->side[side].id), (uint32_t)(into - t->list));
    if (from->past && !into->past) into->past = from->past;
    into->adopted = true;
    from->dead = true;
}
