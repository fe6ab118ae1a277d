/* Follow-ups (Wiedervorlagen): what is to be done about a contact, and by when.
 *
 * Called by cli/ and server/. They belong to the store and never leave it by a sync. A follow-up names its record by id
 * and is never deleted: while the record is a tombstone it waits, with the record's return it is back, and when the
 * record was purged it counts as unassigned until a person assigns it (contactbox 7). Writes belong into a transaction
 * of the caller; faults stick in the db. */
#ifndef ABGLEICH_FOLLOWUP_H
#define ABGLEICH_FOLLOWUP_H

#include "state/db.h"

enum followup_place { FOLLOWUP_LIVING, FOLLOWUP_DELETED, FOLLOWUP_UNASSIGNED }; /* of the contact */

struct followup {
    int64_t no;
    struct str record;  /* id, maybe of a record that is no more */
    struct str contact; /* its title; of a purged record the one it had when the follow-up was made */
    struct str book;    /* its name; {NULL,0} if unassigned */
    struct str due;     /* "2026-12-01": a day, of no time zone */
    struct str text;
    int64_t created_ms, done_ms; /* done_ms 0 = open */
    enum followup_place place;
};
/* The follow-up is borrowed for the call; false stops. */
typedef bool followup_fn(void *ctx, const struct followup *f);

/* due: as date_parse() gives it. contact: the record's title. *no receives its number. */
enum fault_code followup_add(struct db *db, struct str record, struct str contact, struct str due, struct str text,
                             int64_t *no, struct fault *f);
/* Strings in the arena. False if there is none of that number. */
bool followup_get(struct db *db, int64_t no, struct arena *arena, struct followup *out);

struct followup_filter {     /* {NULL,0} and false = any */
    struct str record, book; /* ids */
    struct str due_before;   /* a day; that day is not meant */
    bool done;               /* done ones too */
    bool unassigned;         /* only those */
};
/* By due day. */
enum fault_code followup_list(struct db *db, const struct followup_filter *filter, followup_fn *fn, void *ctx,
                              struct fault *f);
/* Done twice is done: the first time stays. */
enum fault_code followup_done(struct db *db, int64_t no, struct fault *f);
/* Gives it to another contact, whatever it hung on. */
enum fault_code followup_assign(struct db *db, int64_t no, struct str record, struct str contact, struct fault *f);

#endif
