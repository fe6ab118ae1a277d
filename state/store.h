/* The Contactbox: books and the records in them, byte for byte as they came, with a change number per book and tombstones.
 *
 * Called by connectors/contactbox.c (sync), cli/ and server/ (people). Deleting keeps the last body, so that a person can restore it
 * (contactbox 5). Every change of a book raises its change number; a record's `seq` is the number of its last change and serves as its
 * version. Writes belong into a transaction of the caller; faults stick in the db (state/db.h). */
#ifndef ABGLEICH_STORE_H
#define ABGLEICH_STORE_H

#include "state/db.h"

struct book {
    struct str id, name; /* id: a UUID */
    unsigned kind;       /* enum record_kind */
    int64_t seq;         /* change number */
    int64_t records;     /* living ones */
};
/* Books by name; in the arena. */
size_t book_list(struct db *db, struct arena *arena, struct book **out);
/* By id or by name. False if not there. */
bool book_find(struct db *db, struct str id_or_name, struct arena *arena, struct book *out);
/* FAULT_EXISTS if the name is taken. */
enum fault_code book_add(struct db *db, struct str name, unsigned kind, struct arena *arena, struct book *out, struct fault *f);
enum fault_code book_rename(struct db *db, struct str id, struct str name, struct fault *f);
/* With all its records and tombstones, their attachments and relations; follow-ups become unassigned. */
enum fault_code book_remove(struct db *db, struct str id, struct fault *f);

struct store_record {
    struct str id;      /* UUID */
    struct str book;    /* book id */
    unsigned kind;      /* enum record_kind */
    struct str uid, title;
    struct str body;    /* {NULL,0} where not asked for */
    int64_t seq;
    bool deleted;       /* a tombstone; body is the last one */
    bool by_person;     /* with deleted: a person did it here, not a sync */
    struct str origin;  /* who made the last change: account name, "command", "dav:anna" ...; {NULL,0} = unknown */
    int64_t created_ms, changed_ms;
};
/* The callback's record is borrowed for the call; false stops. It may write to the store, but not roll back. */
typedef bool store_fn(void *ctx, const struct store_record *r);

/* In the arena, tombstones too (look at `deleted`). False if not there. id is looked up in all books. */
bool store_get(struct db *db, struct str id, struct arena *arena, struct store_record *out);
/* Living record by UID in a book. */
bool store_find_uid(struct db *db, struct str book, struct str uid, struct arena *arena, struct store_record *out);
/* How many living records of a book have that UID. */
int64_t store_count_uid(struct db *db, struct str book, struct str uid);
/* A person's handle: id, a unique beginning of one (at least 4 characters), or a unique title. Living or, if `deleted`, tombstones.
 * FAULT_USAGE with advice where none or several fit. book: {NULL,0} = all. */
enum fault_code store_resolve(struct db *db, struct str book, struct str handle, bool deleted, struct arena *arena,
                              struct store_record *out, struct fault *f);

/* What a write says. id: chosen by the caller for creates ({NULL,0} = made here, in *id_out). */
struct store_write {
    struct str id, book, uid, title, body, origin;
    unsigned kind;
    int64_t expected_seq; /* update and delete: FAULT_CHANGED unless it is still this; 0 = whatever it is */
};
/* A new record. FAULT_EXISTS if the id lives already; a tombstone of that id comes back to life. *seq (may be NULL) = its version. */
enum fault_code store_create(struct db *db, const struct store_write *w, char id_out[UUID_TEXT_BYTES], int64_t *seq,
                             struct fault *f);
/* Replaces body, uid, title. FAULT_GONE, FAULT_CHANGED. Writing what is there already changes nothing, not even seq. */
enum fault_code store_update(struct db *db, const struct store_write *w, int64_t *seq, struct fault *f);
/* A new version number and nothing else: what a client calls it has changed (state/dav_names.h). FAULT_GONE, FAULT_CHANGED. */
enum fault_code store_touch(struct db *db, const struct store_write *w, int64_t *seq, struct fault *f);
/* Leaves a tombstone. by_person: imports will skip it from now on. FAULT_GONE, FAULT_CHANGED. */
enum fault_code store_delete(struct db *db, const struct store_write *w, bool by_person, int64_t *seq, struct fault *f);
/* A tombstone back to life with its id, uid and last body. FAULT_GONE if there is none. */
enum fault_code store_restore(struct db *db, struct str id, struct str origin, int64_t *seq, struct fault *f);
/* All living records of a book go (import neu-anlegen): tombstones of a sync, not of a person. */
enum fault_code store_wipe(struct db *db, struct str book, struct str origin, int64_t *n, struct fault *f);
/* Tombstones older than that are forgotten, with what hangs on them (state/attached.h). */
enum fault_code store_purge(struct db *db, int64_t before_ms, int64_t *n, struct fault *f);

/* Everything changed after `since` in change order, tombstones and bodies included. */
enum fault_code store_changes(struct db *db, struct str book, int64_t since, store_fn *fn, void *ctx, struct fault *f);
/* All living records with bodies, in change order; what fn itself writes is not seen again. */
enum fault_code store_each(struct db *db, struct str book, store_fn *fn, void *ctx, struct fault *f);
/* Living ones by title; search ({NULL,0} = all): every word must be found in the folded title or the body. book {NULL,0} = all. */
enum fault_code store_list(struct db *db, struct str book, struct str search, bool deleted, store_fn *fn, void *ctx,
                           struct fault *f);
int64_t store_count(struct db *db, struct str book); /* living */
/* The book's change number now; -1 if there is no such book. */
int64_t store_seq(struct db *db, struct str book);
/* Changes since a number below this are not all there any more: deletions were purged. -1 if there is no such book. */
int64_t store_floor(struct db *db, struct str book);

/* Whether anybody but a sync changed the book after that change number. */
#define STORE_ORIGIN_SYNC "sync"
bool store_changed_by_person(struct db *db, struct str book, int64_t since_seq);

#endif
