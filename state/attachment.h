/* Attachments: files kept with a contact. They belong to the store and never leave it by a sync.
 *
 * Called by cli/ and server/. The bytes are kept once however many contacts have them, in parts, so that neither
 * putting nor getting holds a whole file in memory. Detaching hides an attachment; it can be taken back until it is
 * purged with the tombstones (state/attached.h). Writes belong into a transaction of the caller; faults stick in the
 * db. */
#ifndef ABGLEICH_ATTACHMENT_H
#define ABGLEICH_ATTACHMENT_H

#include "state/db.h"

struct attachment {
    int64_t no;
    struct str record; /* id */
    struct str name;   /* of the file, without folders */
    struct str media_type;
    struct str hash; /* BLAKE2b-256 of the bytes, hex */
    int64_t size_bytes, created_ms;
    int64_t detached_ms; /* 0 = attached */
};

/* Gives the next bytes: at most `cap` into `out`, *n = how many, 0 at the end. */
typedef enum fault_code attachment_source(void *ctx, char *out, size_t cap, size_t *n, struct fault *f);
/* Takes bytes; false stops. */
typedef bool attachment_sink(void *ctx, struct str bytes);

/* about: record, name and media_type. FAULT_TOO_LARGE beyond max_bytes. The same file under the same name again is the
 * one that is there, attached again if it was detached. *no receives its number. */
enum fault_code attachment_add(struct db *db, const struct attachment *about, int64_t max_bytes,
                               attachment_source *source, void *ctx, int64_t *no, struct fault *f);
/* Strings in the arena. False if there is none of that number. Detached ones too. */
bool attachment_get(struct db *db, int64_t no, struct arena *arena, struct attachment *out);
/* The bytes, part after part. */
enum fault_code attachment_read(struct db *db, int64_t no, attachment_sink *sink, void *ctx, struct fault *f);
/* Of a record, in the order they came; `detached`: the hidden ones too. In the arena. */
size_t attachment_list(struct db *db, struct str record, bool detached, struct arena *arena, struct attachment **out);
enum fault_code attachment_detach(struct db *db, int64_t no, bool detached, struct fault *f);

#endif
