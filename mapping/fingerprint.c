#include "mapping/fingerprint.h"

#include "mapping/record_impl.h"

#include <stdlib.h>

static size_t counted(size_t n)
{
    return n < PRINT_UNPAIRED ? n : PRINT_UNPAIRED - 1;
}

static struct print *prints_of(struct arena *arena, const struct element *e, size_t n)
{
    struct print *prints = arena_alloc(arena, (n + 1) * sizeof *prints);
    for (size_t i = 0; i < n; i++) prints[i] = (struct print){e[i].key, e[i].value, e[i].field->id, PRINT_UNPAIRED};
    return prints;
}

struct fingerprint fingerprint_of(struct arena *arena, const struct record *r)
{
    size_t n;
    const struct element *e = record_elements(r, &n);
    n = counted(n);
    return (struct fingerprint){NORMALISER_VERSION, (uint32_t)n, prints_of(arena, e, n)};
}

/* -- pairing -- */

struct pairing_side {
    const struct element *e;
    struct print *prints;
    uint64_t *lanes; /* what pairs never cross: the field, and among unknown properties and custom fields the name as well */
    size_t n;
    struct candidate *candidates;
    size_t n_candidates;
};

struct candidate {
    uint64_t lane, by;
    uint32_t at;
};

struct pairing {
    struct pairing_side side[2];
    uint16_t next;
};

static uint64_t lane_of(const struct record *r, const struct element *e)
{
    if (e->field->id != FIELD_X && e->field->id != FIELD_CUSTOM) return e->field->id;
    struct str rest = e->key_text;
    str_split(&rest, ';');
    return hash_str(&r->key, str_split(&rest, ';')) | 1ull << 63; /* never a field's id */
}

static void side_init(struct arena *arena, const struct record *r, struct pairing_side *s)
{
    s->e = record_elements(r, &s->n);
    s->n = counted(s->n);
    s->prints = prints_of(arena, s->e, s->n);
    s->lanes = NULL;
}

static void link_pair(struct pairing *p, uint32_t a, uint32_t b)
{
    p->side[0].prints[a].pair = p->side[1].prints[b].pair = p->next++;
}

static int print_order(const struct print *x, const struct print *y)
{
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

/* The usual case, both sides alike: both are sorted, so one walk pairs them. Returns how many stay alone. */
static size_t pair_equal(struct pairing *p)
{
    struct pairing_side *a = &p->side[0], *b = &p->side[1];
    size_t i = 0, k = 0, pairs = 0;
    while (i < a->n && k < b->n) {
        int order = print_order(&a->prints[i], &b->prints[k]);
        if (!order) {
            link_pair(p, (uint32_t)i, (uint32_t)k);
            pairs++;
        }
        i += order <= 0;
        k += order >= 0;
    }
    return a->n + b->n - 2 * pairs;
}

enum criterion { BY_VALUE, BY_SAME, BY_KEY, BY_FIELD };

static uint64_t criterion_of(const struct element *e, enum criterion by)
{
    switch (by) {
    case BY_VALUE:
        return e->value;
    case BY_SAME:
        return e->same;
    case BY_KEY:
        return e->key;
    case BY_FIELD:
        break;
    }
    return 0;
}

static int candidate_order(const struct candidate *x, const struct candidate *y)
{
    if (x->lane != y->lane) return x->lane < y->lane ? -1 : 1;
    return (x->by > y->by) - (x->by < y->by);
}

static int by_lane(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int order = candidate_order(x, y);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

static void collect(struct pairing_side *s, enum criterion by)
{
    s->n_candidates = 0;
    for (size_t i = 0; i < s->n; i++)
        if (s->prints[i].pair == PRINT_UNPAIRED)
            s->candidates[s->n_candidates++] = (struct candidate){s->lanes[i], criterion_of(&s->e[i], by), (uint32_t)i};
    qsort(s->candidates, s->n_candidates, sizeof *s->candidates, by_lane);
}

static void pair_by(struct pairing *p, enum criterion by)
{
    struct pairing_side *a = &p->side[0], *b = &p->side[1];
    collect(a, by);
    collect(b, by);
    size_t i = 0, k = 0;
    while (i < a->n_candidates && k < b->n_candidates) {
        int order = candidate_order(&a->candidates[i], &b->candidates[k]);
        if (!order) link_pair(p, a->candidates[i].at, b->candidates[k].at);
        i += order <= 0;
        k += order >= 0;
    }
}

static void prepare_leftovers(struct arena *arena, const struct record *r, struct pairing_side *s)
{
    s->lanes = arena_alloc(arena, (s->n + 1) * sizeof *s->lanes);
    s->candidates = arena_alloc(arena, (s->n + 1) * sizeof *s->candidates);
    for (size_t i = 0; i < s->n; i++) s->lanes[i] = lane_of(r, &s->e[i]);
}

void fingerprint_both(struct arena *arena, const struct record *a, const struct record *b, struct fingerprint *fa,
                      struct fingerprint *fb)
{
    struct pairing p = {.next = 0};
    side_init(arena, a, &p.side[0]);
    side_init(arena, b, &p.side[1]);
    if (pair_equal(&p)) {
        prepare_leftovers(arena, a, &p.side[0]);
        prepare_leftovers(arena, a, &p.side[1]); /* one key for both: lanes must be comparable */
        for (enum criterion by = BY_VALUE; by <= BY_FIELD; by++) pair_by(&p, by);
    }
    *fa = (struct fingerprint){NORMALISER_VERSION, (uint32_t)p.side[0].n, p.side[0].prints};
    *fb = (struct fingerprint){NORMALISER_VERSION, (uint32_t)p.side[1].n, p.side[1].prints};
}

/* -- comparing -- */

bool fingerprint_matches(const struct fingerprint *fp, const struct record *r)
{
    size_t n;
    const struct element *e = record_elements(r, &n);
    n = counted(n);
    if (n != fp->n) return false;
    for (size_t i = 0; i < n; i++)
        if (e[i].key != fp->prints[i].key || e[i].value != fp->prints[i].value) return false;
    return true;
}

bool fingerprint_equal(const struct fingerprint *x, const struct fingerprint *y)
{
    if (x->version != y->version || x->n != y->n) return false;
    for (uint32_t i = 0; i < x->n; i++)
        if (print_order(&x->prints[i], &y->prints[i])) return false;
    return true;
}

/* The parts are keyed hashes already; this only folds them into one. Pairs do not count. */
uint64_t fingerprint_hash(const struct fingerprint *fp)
{
    static const struct hash_key fold = {"abgleich prints"};
    uint64_t h = fp->version;
    for (uint32_t i = 0; i < fp->n; i++) {
        const uint64_t link[] = {h, fp->prints[i].key, fp->prints[i].value};
        h = hash_bytes(&fold, link, sizeof link);
    }
    return hash_bytes(&fold, &h, sizeof h);
}

/* -- journal form --
 *
 * byte 1: FORMAT; byte 2: version of the normaliser; then the number of prints, and of each: key and value (8 bytes
 * each, little endian), field, pair + 1 (0 = unpaired). Numbers in 7-bit groups, low ones first, in the shortest form.
 */

enum { FORMAT = 1 };

static void put_number(struct buf *out, uint32_t v)
{
    for (; v >= 0x80; v >>= 7) buf_addc(out, (char)(v | 0x80));
    buf_addc(out, (char)v);
}

static void put_hash(struct buf *out, uint64_t v)
{
    char bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (char)(v >> 8 * i);
    buf_add(out, bytes, sizeof bytes);
}

void fingerprint_encode(const struct fingerprint *fp, struct buf *out)
{
    buf_reserve(out, 8 + (size_t)fp->n * 20);
    buf_addc(out, FORMAT);
    buf_addc(out, (char)fp->version);
    put_number(out, fp->n);
    for (uint32_t i = 0; i < fp->n; i++) {
        const struct print *p = &fp->prints[i];
        put_hash(out, p->key);
        put_hash(out, p->value);
        put_number(out, p->field);
        put_number(out, p->pair == PRINT_UNPAIRED ? 0 : p->pair + 1u);
    }
}

static bool take_number(struct str *s, uint32_t max, uint32_t *out)
{
    uint32_t v = 0;
    for (unsigned shift = 0; shift < 28 && s->n; shift += 7) {
        unsigned char c = (unsigned char)*s->p;
        s->p++, s->n--;
        v |= (uint32_t)(c & 0x7f) << shift;
        if (c & 0x80) continue;
        *out = v;
        return v <= max && (c || !shift); /* a zero at the end would be a second spelling */
    }
    return false;
}

static bool take_hash(struct str *s, uint64_t *out)
{
    if (s->n < 8) return false;
    *out = 0;
    for (int i = 0; i < 8; i++) *out |= (uint64_t)(unsigned char)s->p[i] << 8 * i;
    s->p += 8, s->n -= 8;
    return true;
}

static bool take_print(struct str *s, struct print *p)
{
    uint32_t field, pair;
    if (!take_hash(s, &p->key) || !take_hash(s, &p->value)) return false;
    if (!take_number(s, UINT16_MAX, &field) || !take_number(s, PRINT_UNPAIRED, &pair)) return false;
    p->field = (uint16_t)field;
    p->pair = pair ? (uint16_t)(pair - 1) : PRINT_UNPAIRED;
    return true;
}

bool fingerprint_decode(struct arena *arena, struct str blob, struct fingerprint *out)
{
    enum { SMALLEST_PRINT_BYTES = 18 };
    uint32_t n;
    if (blob.n < 3 || blob.p[0] != FORMAT) return false;
    uint8_t version = (uint8_t)blob.p[1];
    struct str s = {blob.p + 2, blob.n - 2};
    if (!take_number(&s, PRINT_UNPAIRED - 1, &n) || s.n < (size_t)n * SMALLEST_PRINT_BYTES) return false;
    struct print *prints = arena_alloc(arena, (n + 1) * sizeof *prints);
    for (uint32_t i = 0; i < n; i++) {
        if (!take_print(&s, &prints[i])) return false;
        if (i && print_order(&prints[i - 1], &prints[i]) >= 0) return false;
    }
    *out = (struct fingerprint){version, n, prints};
    return s.n == 0;
}
