/* Contacts of Microsoft Graph as vCards, and vCards as what Graph is asked to hold (protocols: microsoft-graph 2, 5,
 * 7).
 *
 * One table (graph_row_at) says which element is which field; the connector graph*.c calls the functions below and
 * sends what they make. Three rules: what Graph cannot hold is left out here and so stays on the other side; an update
 * carries only fields that changed; and where places are few, what is there already stays in its place. JSON values are
 * jansson's, owned by the caller where returned. Where `carry` is false, extended properties are neither read nor
 * written. */
#ifndef ABGLEICH_GRAPH_H
#define ABGLEICH_GRAPH_H

#include "base/fault.h"

#include <jansson.h>

/* Appends the vCard 3.0 of a whole contact (graph_is_whole). photo: its bytes, {NULL,0} = none. The same contact gives
 * the same bytes. */
void graph_card(const json_t *contact, bool carry, struct str photo, struct buf *out);

/* What a card asks Graph to hold: by member, a list of candidates, the preferred first, as many as the card has. The
 * picture is "photo": base64; telephone numbers of no kind that Graph has are "spare". NULL: the card cannot be read or
 * is none of a contact (*f). */
json_t *graph_wanted(struct str card, bool carry, struct fault *f);

/* The body of a create, with the operation id in an extended property. */
json_t *graph_create_body(const json_t *wanted, bool carry, struct str operation);
/* The body of an update that makes `current` (as Graph gave it, whole) hold what is wanted: fields that change and no
 * other; empty where nothing is to be sent. */
json_t *graph_update_body(const json_t *current, const json_t *wanted, bool carry);

/* Are all fields there that the table maps? What a delta tells of a change may be a part, and an absent field is none
 * that was cleared (3). */
bool graph_is_whole(const json_t *contact);

/* Members for $select. */
void graph_fields(struct buf *out);
/* The filter inside $expand=singleValueExtendedProperties($filter=...). */
void graph_tags(struct buf *out);
/* The same for the operation id alone; and the filter that finds a contact by it (2). */
void graph_operation_tag(struct buf *out);
void graph_operation_filter(struct str operation, struct buf *out);

/* Only this kind of picture is taken there, and only so large (2). */
bool graph_takes_photo(struct str bytes);

/* "1980-03-04T23:00:00Z" as the day it means (7); "" where it means none. */
#define GRAPH_DAY_BYTES 11
void graph_day(struct str instant, char out[GRAPH_DAY_BYTES]);

/* One row of the table, for the manual and its test. `lost` (English, NULL = nothing): what Graph cannot hold of it. */
struct graph_row;
const struct graph_row *graph_row_at(size_t i); /* NULL at the end */
void graph_row_text(const struct graph_row *row, struct buf *vcard, struct buf *api, const char **lost);

#endif
