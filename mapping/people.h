/* Contacts of the Google People API as vCards, and vCards as what the API is asked to hold (protocols: google-people 3,
 * 5).
 *
 * One table (people_row_at) says which element is which field; the connector people*.c calls the three functions below
 * and sends what they make. Three rules: what the API cannot hold is left out here and so stays on the other side; an
 * update names only fields that changed; and a changed list goes back as their list with our change applied, so that
 * what a vCard cannot show is not lost there. JSON values are jansson's, owned by the caller where returned. */
#ifndef ABGLEICH_PEOPLE_H
#define ABGLEICH_PEOPLE_H

#include "base/fault.h"

#include <jansson.h>

/* Names of contact groups: a category is a group people made (system groups are none). */
struct people_groups {
    void *ctx;
    const char *(*name)(void *ctx, const char *resource); /* NULL: no group of people */
    const char *(*resource)(void *ctx, const char *name,
                            struct fault *f); /* made where it is missing; NULL: *f says why */
};

/* Keys of clientData that are ours: the operation id of the create, and the UID of the card it was made from. */
#define PEOPLE_KEY_OPERATION "abgleich"
#define PEOPLE_KEY_UID "abgleich-uid"
#define PEOPLE_UID_TYPE "vcard-uid" /* of externalIds: the UID where people see it */

/* Appends the vCard 3.0 of a person. photo: its bytes, {NULL,0} = none. The same person gives the same bytes. */
void people_card(const json_t *person, const struct people_groups *groups, struct str photo, struct buf *out);

/* What a card asks the API to hold: an object of lists by field name, without metadata; categories as
 * "memberships": [{"category": name}], the picture as "photo": base64. NULL: the card cannot be read or is none of a
 * contact (*f). */
json_t *people_wanted(struct str card, struct fault *f);

/* The body of a create, without etag: as wanted, plus operation id and UID. NULL: *f (a group could not be made). */
json_t *people_create_body(const json_t *wanted, struct str operation, struct str uid,
                           const struct people_groups *groups, struct fault *f);

/* For accounts that want the UID where people see it: puts it into the body of a create. */
void people_show_uid(json_t *body, struct str uid);

/* The body of an update that makes `current` (as the API gave it) hold what is wanted; mask receives the changed
 * fields, sorted, comma separated, and is empty where nothing is to be sent. NULL: *f. */
json_t *people_update_body(const json_t *current, const json_t *wanted, const struct people_groups *groups,
                           struct buf *mask, struct fault *f);

/* clientData of ours, the id of the contact's own source, ...: borrowed from the person; NULL = not there. */
const char *people_client_data(const json_t *person, const char *key);
/* The UID kept with a person, hidden or visible; {NULL,0} = none. */
struct str people_uid(const json_t *person);
/* The source of type CONTACT in metadata.sources; NULL = none. */
const json_t *people_source(const json_t *person);
/* The address of a photo somebody chose; NULL = none (or the letter Google draws). */
const char *people_photo_url(const json_t *person);

/* Bytes of a picture as "photo" of people_wanted has them. */
void people_base64(struct str bytes, struct buf *out);

/* personFields of every read: everything the table maps, and what the connector itself needs. */
void people_fields(struct buf *out);

/* One row of the table, for the manual and its test. `lost` (English, NULL = nothing): what the API cannot hold of it.
 */
struct people_row;
const struct people_row *people_row_at(size_t i); /* NULL at the end */
void people_row_text(const struct people_row *row, struct buf *vcard, struct buf *api, const char **lost);

#endif
