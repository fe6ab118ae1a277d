/* What struct record is inside, shared by the reading and the writing half of a codec. Used inside mapping/ only.
 *
 * Reading: vcard_elements.c fills `view` on first use. Writing: vcard_write.c finds an element's place by `prop` and `item`. */
#ifndef ABGLEICH_RECORD_IMPL_H
#define ABGLEICH_RECORD_IMPL_H

#include "mapping/record.h"
#include "mapping/vcard.h"
#include "mapping/vcard_fields.h"

/* element.prop is an index into card->props. element.item says what of that property it is:
 *   N                            component 0..4 (family, given, additional, prefix, suffix)
 *   CATEGORIES, NICKNAME         index among vcard_split(value, ',')
 *   ITEM_PARAM                   not the value but a parameter: LABEL of an ADR (adrlabel), SORT-AS of an N (sort)
 *   everything else              0: the property as a whole
 * The label of an element (text of the X-ABLABEL that shares its group) belongs to the property: see vcard_label().
 * "note" is all NOTE properties joined by LF; prop is the first that is not empty.
 * Of once-only fields (name.*, bday, anniversary, deathdate, kind, gender, tz, geo, sort, phonetic.*, class) the first property
 * with a value is the element; further ones are no elements, so an edit of such a field concerns all its properties.
 * A second FN or PHOTO, and what cannot be read as its field (a PHOTO that is no base64), are elements of field x: "x;FN". */
#define ITEM_PARAM UINT32_MAX

struct record_view {
    bool made;
    struct element *all; /* sorted by (key, value), then place; equal ones as often as they stand in the card */
    size_t n_all;
    struct element *elements; /* the same, equal ones once; may be the same array */
    size_t n_elements;
};

struct record {
    struct arena *arena;
    enum record_kind kind;
    struct str bytes;
    struct hash_key key;
    struct vcard *card; /* RECORD_CONTACT */
    struct record_view *view;
};

/* Every occurrence of every element: what EDIT_REMOVE of an element must take off is all that have its (key, value).
 * Sorted by (key, value), then place. */
const struct element *record_occurrences(const struct record *r, size_t *n);

/* Index of the X-ABLABEL property that labels property `prop`, or SIZE_MAX: same group (ASCII case off), first one counts. */
size_t vcard_label(const struct vcard *c, size_t prop);

/* The name shown when a card has no FN of its own: built from N, else (company) the first part of ORG. Normal form, in the
 * arena; {NULL,0} if neither is there. An FN equal to it is no element. */
struct str vcard_built_name(struct arena *arena, const struct vcard *c);

/* Decodes one text to normal form: unescaped (in 2.1 with quoted-printable "\n" is no newline), NFC, line ends LF, outer white
 * space off. The slice itself where nothing is to do. */
struct str vcard_normal_text(struct arena *arena, const struct vcard *c, const struct property *p, struct str escaped);

/* A new, empty record of a card; used by record_parse and for records made from text. */
struct record *record_new(struct arena *arena, enum record_kind kind, struct str bytes, const struct hash_key *key);

/* vcard_elements.c: fills r->view. vcard_match.c: the rest of what record.h says about contacts. */
void vcard_make_elements(const struct record *r);
enum fault_code vcard_check_limits(const struct vcard *c, struct fault *why);
struct str vcard_title(const struct record *r);
struct str vcard_uid(const struct record *r);
bool vcard_is_group(const struct vcard *c);
void vcard_signals(const struct record *r, const char *region, struct arena *arena, struct signals *out);

#endif
