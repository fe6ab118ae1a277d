/* What one side looked like when both sides last agreed: hashes only, no contact data (design.md 2.2).
 *
 * The journal stores one per side. `pair` links the elements of the two sides that stood for each other at that moment, so
 * that a server's spelling ("+49 171 1" for "0171 1", WORK for WORK,FAX) never looks like an edit and an edit of the one is an
 * edit of the other. */
#ifndef ABGLEICH_FINGERPRINT_H
#define ABGLEICH_FINGERPRINT_H

#include "mapping/record.h"

#define PRINT_UNPAIRED UINT16_MAX

struct print {
    uint64_t key, value;
    uint16_t field; /* struct field id */
    uint16_t pair;  /* equal number on the other side = counterpart; PRINT_UNPAIRED = that side cannot hold it */
};

struct fingerprint {
    uint8_t version; /* NORMALISER_VERSION it was made with */
    uint32_t n;
    const struct print *prints; /* sorted by (key, value) */
};

/* Of a record alone; pairs are unset. In the arena. At most UINT16_MAX - 1 elements count. */
struct fingerprint fingerprint_of(struct arena *arena, const struct record *r);
/* Of two records that agree now, with pairs set: equal (key, value) first; then equal value of a field; then equal `same`;
 * then equal key, then the field's leftovers in order. Pairing never crosses fields. */
void fingerprint_both(struct arena *arena, const struct record *a, const struct record *b, struct fingerprint *fa,
                      struct fingerprint *fb);
/* Does the record still look like that? (pairs do not matter) */
bool fingerprint_matches(const struct fingerprint *fp, const struct record *r);
bool fingerprint_equal(const struct fingerprint *x, const struct fingerprint *y);
/* One number for the whole set, for intents and plan hashes. */
uint64_t fingerprint_hash(const struct fingerprint *fp);

/* Journal form: compact, versioned. decode: false for anything that encode does not write. */
void fingerprint_encode(const struct fingerprint *fp, struct buf *out);
bool fingerprint_decode(struct arena *arena, struct str blob, struct fingerprint *out);

#endif
