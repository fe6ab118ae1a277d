/* One person in everything kept here (GDPR 15 and 17): the store, earlier versions, reports, open questions. Called by
 * cli/ for `subject export` and `subject erase`. Logs hold no names, so there is nothing to look for in them. */
#ifndef ABGLEICH_SUBJECT_H
#define ABGLEICH_SUBJECT_H

#include "base/hash.h"
#include "state/db.h"

/* Who is meant: every id by which the state knows the person, and how they are called. In the arena. */
struct subject {
    struct str *ids;       /* of the store and of remotes */
    struct str *store_ids; /* of them, records of the store, living or deleted */
    struct str *titles;    /* as written anywhere */
    size_t n_ids, n_store_ids, n_titles;
};

/* By id, by name as people write it (case, umlauts and spaces do not matter) or by e-mail address. False if nothing is
 * known. */
bool subject_find(struct db *db, struct str who, struct arena *arena, struct subject *out);

enum subject_place {
    SUBJECT_CONTACT,   /* of the store */
    SUBJECT_DELETED,   /* a contact deleted here, kept for restoring */
    SUBJECT_EARLIER,   /* an earlier version, kept for undo */
    SUBJECT_OPERATION, /* a line in a report */
    SUBJECT_CONFLICT,
    SUBJECT_PROBLEM, /* left alone or ambiguous, in a report or waiting */
    SUBJECT_JOURNAL, /* which record here is which there; hashes, no data */
    SUBJECT_FOLLOWUP,   /* of a contact of the store, or of one that is no more */
    SUBJECT_ATTACHMENT, /* its name; `contact attachment get` hands the file out */
    SUBJECT_RELATION,
    SUBJECT_SENT,       /* as it stands in the last list sent to a remote that takes its list whole */
    SUBJECT_PLACES
};
const char *subject_place_name(enum subject_place place); /* stable, for JSON: "earlier_version" */

struct subject_trace {
    enum subject_place place;
    struct str id, title, where, body; /* where: book or link; body {NULL,0} = none; borrowed for the call */
    int64_t time_ms, run;
};
enum fault_code subject_each(struct db *db, const struct subject *s,
                             void (*fn)(void *ctx, const struct subject_trace *t), void *ctx, struct fault *f);

/* Takes it all away, but for what keeps a deleted person from being imported again: a keyed hash. Contacts of the store
 * become deleted ones without content, so that links carry the deletion on as they are set up to. Counts what went, by
 * place. In a transaction of its own; afterwards the file holds none of it, not even as free space. FAULT_STATE. */
enum fault_code subject_erase(struct db *db, const struct subject *s, const struct hash_key *key,
                              int64_t counts[SUBJECT_PLACES], struct fault *f);

/* The hash by which a deleted record is known: of its UID, or what is left of it after erasing. False if it has none.
 */
bool subject_uid_hash(const struct hash_key *key, struct str uid, uint64_t *out);

#endif
