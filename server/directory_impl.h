/* What server/directory*.c share. */
#ifndef ABGLEICH_SERVER_DIRECTORY_IMPL_H
#define ABGLEICH_SERVER_DIRECTORY_IMPL_H

#include "mapping/phonebook_form.h"
#include "server/desk.h"
#include "server/directory.h"
#include "server/directory_book.h"
#include "server/directory_question.h"
#include "server/guess.h"
#include "server/proof.h"
#include "state/directory.h"
#include "state/store.h"

#include <pthread.h>

/* Bytes that several answers share and that change no more. */
struct blob {
    unsigned users; /* by blob_keep and blob_drop only */
    struct buf bytes;
};
struct blob *blob_new(struct buf *bytes); /* takes the bytes over; one user */
struct blob *blob_keep(struct blob *b);
void blob_drop(void *blob); /* NULL is fine */

/* A phonebook as it was at one moment, and what was made of it so far. Shared by the answers under way. */
struct snapshot {
    unsigned users; /* by the service's mutex only */
    int64_t directory;
    int64_t made_s;                 /* later than the one before it */
    uint64_t ticket;                /* whatever a later one saw is as new or newer */
    int64_t used_ms;                /* by the monotonic clock */
    char version[DIGEST_HEX_BYTES]; /* of everything it is made of */
    struct phonebook book;
    struct rendered {
        char *as; /* path and query */
        const char *type;
        struct blob *plain, *gzip; /* gzip: NULL = nobody asked for it yet, or no gain */
        bool zipped;               /* it was tried */
        struct question *question; /* what it answers; only in the one that is kept */
        char etag[40];
        uint64_t used;
    } * rendered;
    size_t n_rendered;
    uint64_t used; /* for throwing out the one that was used longest ago */
    struct snapshot *next;
};

#define DIRECTORY_FORMATS 24
#define PUSHES_MAX 60
#define PUSHING_MAX 64
#define PUSHING_WINDOW_MS (60 * (int64_t)1000)

struct directory_service {
    struct directory_service_settings settings;
    char *region, *claim_networks;
    pthread_mutex_t mutex;
    pthread_mutex_t making; /* one snapshot at a time is made: it takes a core, and memory. Taken before `mutex` */
    struct desks desks;
    struct snapshot *snapshots;
    struct changing *changing; /* directory_snapshot.c; by mutex */
    uint64_t turn;
    struct guesses *guesses;
    struct proofs *proofs;
    struct pushing { /* one of many is forgotten for another */
        int64_t directory, since_ms;
        int n;
    } pushing[PUSHING_MAX], plain[PUSHING_MAX]; /* plain: when it was warned of */
    uint64_t answers[DIRECTORY_FORMATS];        /* for metrics; atomic */
};

/* -- directory_snapshot.c -- */
/* The phonebook as it is, in a transaction that reads (db.h); while somebody is making the one of a change, the last
 * one before it: readers never wait for who writes. NULL: *f. Given back with snapshot_drop. */
struct snapshot *snapshot_of(struct directory_service *s, struct db *db, const struct directory *d, uint64_t ticket,
                             struct fault *f);
/* Taken before that transaction begins: who has the later ticket sees all that the earlier one saw before it. */
uint64_t snapshot_ticket(struct directory_service *s);
void snapshot_drop(struct directory_service *s, struct snapshot *snap);
void snapshots_free(struct directory_service *s);
/* Around a change: between these two, readers get what was there before it. */
void snapshot_changes(struct directory_service *s, int64_t directory);
void snapshot_changed(struct directory_service *s, int64_t directory);
/* Makes it, with the answers that were asked for lately, where it is being read; before snapshot_changed, so that
 * whoever is told of the change also reads it. A fault is nobody's: the next reader makes it then. */
void snapshot_renew(struct directory_service *s, struct db *db, const struct directory *d);

/* -- directory_rendered.c -- */
/* An answer from the snapshot, made now where it was not. family NULL = CSV. zip: in gzip, too. NULL: there is no such
 * thing. Given back with rendered_drop and free. */
struct rendered *snapshot_render(struct directory_service *s, struct snapshot *snap, const struct phone_family *family,
                                 const struct form_query *query, const struct form_settings *settings, bool zip);
void rendered_drop(struct rendered *r);
/* Into a snapshot nobody else has yet: the large answers that `old` was asked for lately. */
void snapshot_render_again(struct directory_service *s, struct snapshot *fresh, struct snapshot *old,
                           const struct form_settings *settings);

/* directory_push.c: reads the form's file and replaces the phonebook's own book. Fills the answer. */
void directory_push(struct directory_service *s, struct desk *desk, const struct directory *d, struct arena *arena,
                    struct http_call *c);

#endif
