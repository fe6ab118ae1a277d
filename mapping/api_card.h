/* What the mappings between cards and the JSON of an API share: the parts of an element's key, the order in which
 * elements count, and the lines of a card that is made. Used by mapping/people*.c and mapping/graph*.c. */
#ifndef ABGLEICH_API_CARD_H
#define ABGLEICH_API_CARD_H

#include "mapping/record_impl.h"

#include <jansson.h>

/* -- reading elements -- */

/* "tel;CELL,WORK;Zentrale": the part between two semicolons, from 0; {NULL,0} = not there. */
struct str element_key_part(struct str key, int part);
/* What follows the n-th semicolon, further ones included: a label may hold any character. */
struct str element_key_rest(struct str key, int part);
/* Are all words of a comma separated list among the others? */
bool element_has_words(struct str words, struct str wanted);
/* Items of a composed value joined by `with`; in the arena or a slice. */
struct str element_joined(struct arena *arena, struct str value, const char *with);
/* Does it name somebody by a UID or an address, which no API can follow? */
bool element_is_reference(const struct record *r, const struct element *e);
/* The picture in an element of field photo as base64; false where it is none (an address, say). */
bool element_photo(const struct record *r, const struct element *e, struct buf *out);

struct placed {
    const struct element *e;
    bool preferred;
};
/* All elements in the order of the card, what is preferred first: that is all an API knows of preference. In the arena.
 */
const struct placed *elements_placed(struct arena *arena, const struct record *r, size_t *n);

/* -- reading JSON -- */

/* A text member; {NULL,0} where it is missing, empty or no text. */
struct str json_member(const json_t *object, const char *member);
/* Sets a text member, where there is text. */
void json_set_member(json_t *object, const char *member, struct str text);

/* -- writing cards: version 3.0 -- */

/* One line, folded. What stands in it without escapes must not end it: a control character becomes a space. */
void card_line(struct arena *arena, struct buf *out, struct str line);
/* "PROPERTY:text"; nothing where there is no text. */
void card_text(struct arena *arena, struct buf *out, const char *property, struct str value);
/* Appends an address: a URI has no escapes (RFC 2426 4), but readers undo those they meet. */
void card_add_uri(struct buf *line, struct str s);
/* Appends a parameter without quotes, which also is part of a key: what is no letter there becomes a dash. */
void card_add_word(struct buf *line, struct str s);
/* PHOTO, nothing where there are no bytes. */
void card_photo(struct arena *arena, struct buf *out, struct str bytes);

#endif
