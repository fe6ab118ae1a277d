/* Records by hand for tests of core/: elements from lines like "tel;CELL=0171 1", without any codec.
 *
 * "key=value", or "key=value~same" for a spelling of `same` (a phone number). The field is what stands before the first
 * ';' of the key. pair_up() is the contract of fingerprint_both (mapping/fingerprint.h), written plainly. */
#ifndef ABGLEICH_TESTS_ELEMENTS_H
#define ABGLEICH_TESTS_ELEMENTS_H

#include "core/merge.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const struct field test_fields[] = {
    {1, "fn", "Name", ARITY_ONE, FIELD_DERIVED},
    {2, "family", "Family name", ARITY_ONE, 0},
    {3, "given", "Given name", ARITY_ONE, 0},
    {4, "bday", "Birthday", ARITY_ONE, 0},
    {5, "note", "Note", ARITY_TEXT, 0},
    {6, "tel", "Phone", ARITY_SET, FIELD_PHONE},
    {7, "email", "E-mail", ARITY_SET, 0},
    {8, "cat", "Category", ARITY_SET, 0},
    {9, "hub", "Own field", ARITY_KEYED, FIELD_HUB_ONLY},
};
enum { N_TEST_FIELDS = sizeof test_fields / sizeof *test_fields };

struct bag {
    struct element *list;
    size_t n;
};

static inline int bag_cmp(const void *px, const void *py)
{
    const struct element *x = px, *y = py;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->value < y->value ? -1 : x->value > y->value;
}

static inline uint64_t test_hash(struct str s)
{
    static const struct hash_key key = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
    return hash_str(&key, s);
}

static inline struct element element_of(struct str line)
{
    struct str value = line, key = str_split(&value, '='), same = value, name = key;
    struct str spelled = str_split(&same, '~');
    name = str_split(&name, ';');
    struct element e = {.key_text = key, .value_text = spelled, .key = test_hash(key), .value = test_hash(spelled)};
    e.same = same.p ? test_hash(same) : e.value;
    for (size_t i = 0; i < N_TEST_FIELDS; i++)
        if (str_eq(name, str_of(test_fields[i].name))) e.field = &test_fields[i];
    cr_assert_not_null(e.field, "no field %.*s", STR_ARG(name));
    return e;
}

/* Sorts, equal ones once. */
static inline void bag_settle(struct bag *b)
{
    size_t n = 0;
    if (b->n) qsort(b->list, b->n, sizeof *b->list, bag_cmp);
    for (size_t i = 0; i < b->n; i++)
        if (n == 0 || bag_cmp(&b->list[n - 1], &b->list[i]) != 0) b->list[n++] = b->list[i];
    b->n = n;
}

/* Lines separated by '|'; "" is a record without elements. */
static inline struct bag bag_of(struct arena *a, const char *text)
{
    struct str rest = arena_str(a, str_of(text));
    struct bag b = {arena_alloc(a, (rest.n + 1) * sizeof(struct element)), 0};
    while (rest.n) b.list[b.n++] = element_of(str_split(&rest, '|'));
    for (size_t i = 0; i < b.n; i++) b.list[i].prop = (uint32_t)i;
    bag_settle(&b);
    return b;
}

static inline struct fingerprint prints_of(struct arena *a, const struct bag *b)
{
    struct print *p = arena_zalloc(a, (b->n + 1) * sizeof *p);
    for (size_t i = 0; i < b->n; i++)
        p[i] = (struct print){b->list[i].key, b->list[i].value, b->list[i].field->id, PRINT_UNPAIRED};
    return (struct fingerprint){NORMALISER_VERSION, (uint32_t)b->n, p};
}

static inline bool pair_fits(const struct element *x, const struct element *y, int step)
{
    if (x->field != y->field) return false;
    switch (step) {
    case 0:
        return x->key == y->key && x->value == y->value;
    case 1:
        return x->value == y->value;
    case 2:
        return x->same == y->same;
    case 3:
        return x->key == y->key;
    default:
        return true;
    }
}

static inline void pair_up(struct arena *arena, const struct bag *a, const struct bag *b, struct fingerprint *fa,
                           struct fingerprint *fb)
{
    *fa = prints_of(arena, a);
    *fb = prints_of(arena, b);
    struct print *pa = (struct print *)fa->prints, *pb = (struct print *)fb->prints;
    uint16_t next = 0;
    for (int step = 0; step < 5; step++) {
        for (size_t i = 0; i < a->n; i++) {
            for (size_t k = 0; k < b->n && pa[i].pair == PRINT_UNPAIRED; k++) {
                if (pb[k].pair != PRINT_UNPAIRED || !pair_fits(&a->list[i], &b->list[k], step)) continue;
                pa[i].pair = pb[k].pair = next++;
            }
        }
    }
}

/* The record as it is after the edits. */
static inline struct bag bag_after(struct arena *arena, const struct merge_input *in, const struct merge_result *r,
                                   enum side s)
{
    size_t n = 0;
    const struct element **list = merge_expected(arena, in, r, s, &n);
    struct bag b = {arena_alloc(arena, (n + 1) * sizeof(struct element)), n};
    for (size_t i = 0; i < n; i++) b.list[i] = *list[i];
    return b;
}

/* "tel;CELL=1|tel;WORK=2", by text, for comparing. */
static inline int line_cmp(const void *px, const void *py)
{
    const struct element *x = px, *y = py;
    int order = str_cmp(x->key_text, y->key_text);
    return order ? order : str_cmp(x->value_text, y->value_text);
}

static inline const char *bag_text(struct arena *arena, const struct bag *b)
{
    struct buf out AUTO_BUF = BUF_INIT;
    struct element *copy = arena_alloc(arena, (b->n + 1) * sizeof *copy);
    for (size_t i = 0; i < b->n; i++) copy[i] = b->list[i];
    if (b->n) qsort(copy, b->n, sizeof *copy, line_cmp);
    for (size_t i = 0; i < b->n; i++)
        buf_addf(&out, "%s%.*s=%.*s", i ? "|" : "", STR_ARG(copy[i].key_text), STR_ARG(copy[i].value_text));
    return arena_strdup(arena, buf_str(&out));
}

/* splitmix64: the same numbers everywhere. */
static inline uint64_t dice(uint64_t *seed)
{
    uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline unsigned dice_to(uint64_t *seed, unsigned limit)
{
    return (unsigned)(dice(seed) % limit);
}

#endif
