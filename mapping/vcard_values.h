/* vCard layer (c), the values: one property's value in normal form (protocols: vcard 9.1). Used by vcard_elements.c and
 * vcard_match.c only. */
#ifndef ABGLEICH_VCARD_VALUES_H
#define ABGLEICH_VCARD_VALUES_H

#include "mapping/vcard_fields.h"

#define PART_SEPARATOR '\x1f' /* between the parts of a composed value */

struct reader {
    struct arena *arena;
    const struct vcard *card;
    struct buf *scratch; /* reused for composing; free for use between two calls */
};

/* The value of a property that is one element, by the shape of its row. {NULL,0} or empty: no element. In the arena or a slice
 * of the card. *unreadable: the value is no value of this field and must be carried as it is (field x). */
struct str value_normal(const struct reader *r, const struct property_row *row, const struct property *p, bool *unreadable);
/* A value nobody knows: unfolded, not unescaped. */
struct str value_raw(const struct reader *r, const struct property *p);
/* Items of one component of N, joined by PART_SEPARATOR. */
struct str value_items(const struct reader *r, const struct property *p, struct str component);

/* UIDs as they are compared: "urn:uuid:" off, lower case where it is a UUID (vcard 5). */
struct str uid_normal(struct arena *arena, struct str uid);
/* Length of "scheme:" at the front, or 0. */
size_t uri_scheme(struct str s);
/* ASCII only; s itself where nothing is to change. */
struct str ascii_lower(struct arena *arena, struct str s);
struct str ascii_upper(struct arena *arena, struct str s);

#endif
