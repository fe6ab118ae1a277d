/* What server/directory*.c share. */
#ifndef ABGLEICH_SERVER_DIRECTORY_IMPL_H
#define ABGLEICH_SERVER_DIRECTORY_IMPL_H

#include "mapping/phonebook_form.h"
#include "server/desk.h"
#include "server/directory.h"
#include "server/directory_book.h"
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
    int64_t made_s; /* later than the one before it */
    char version[DIGEST_HEX_BYTES]; /* of everything it is made of */
    struct phonebook book;
    struct rendered {
        char *as; /* path and query */
        const char *type;
        struct blob *plain, *gzip; /* gzip: NULL = not made, or no gain */
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
    struct desks desks;
    struct snapshot *snapshots;
    size_t n_snapshots;
    uint64_t turn;
    struct guesses *guesses;
    struct proofs *proofs;
    struct pushing { /* one of many is forgotten for another */
        int64_t directory, since_ms;
        int n;
    } pushing[PUSHING_MAX], plain[PUSHING_MAX]; /* plain: when it was warned of */
    uint64_t answers[DIRECTORY_FORMATS]; /* for metrics; atomic */
};

/* directory_snapshot.c. In a transaction that reads (db.h). NULL: *f. Given back with snapshot_drop. */
struct snapshot *snapshot_of(struct directory_service *s, struct db *db, const struct directory *d, struct fault *f);
void snapshot_drop(struct directory_service *s, struct snapshot *snap);
void snapshots_free(struct directory_service *s);
/* What was made of it under that name, made now where it was not: by `make` with ctx. NULL: there is no such thing. */
struct rendered *
snapshot_render(struct directory_service *s, struct snapshot *snap, const char *as,
                bool (*make)(void *ctx, const struct snapshot *snap, struct buf *out, const char **type), void *ctx);

/* directory_push.c: reads the form's file and replaces the phonebook's own book. Fills the answer. */
void directory_push(struct directory_service *s, struct desk *desk, const struct directory *d, struct arena *arena,
                    struct http_call *c);

#endif
