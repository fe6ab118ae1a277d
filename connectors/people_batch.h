/* A batch of writes on its way to Google: sending it, taking out whom Google refuses, and the outcome of each. Private
 * to people_write.c, which makes the batches, and people_batch.c. */
#ifndef ABGLEICH_PEOPLE_BATCH_H
#define ABGLEICH_PEOPLE_BATCH_H

#include "connectors/people_session.h"

struct people_job { /* one write */
    struct write *w;
    char *operation;       /* of a create */
    json_t *wanted, *body; /* what the card says, what is sent */
    json_t *person;        /* before; of a create after it */
    struct buf mask;       /* of an update */
    bool picture;          /* it changes */
    bool told;
};

struct people_writing {
    struct session *s;
    struct people_job *jobs;
    size_t n;
    void (*done)(void *ctx, struct write *w);
    void *ctx;
};

/* A batch under way: some of the jobs. */
struct people_batch {
    struct people_writing *g;
    struct people_job **jobs;
    size_t n;
};

/* How a kind of batch is asked for, and what its answer says of each. */
struct people_batch_kind {
    const char *path;
    json_t *(*body)(const struct people_batch *b);
    void (*answer)(struct people_batch *b, const json_t *answer);
};

/* The outcome of one is told once. */
void people_job_tell(struct people_writing *g, struct people_job *j);
void people_job_end(struct people_writing *g, struct people_job *j, enum fault_code code, const struct fault *why);
/* The person as it is after the write: version, read-back, and what a late answer is compared with. */
void people_job_adopt(struct people_writing *g, struct people_job *j, const json_t *person);
/* Takes a PersonResponse for the outcome of one. */
void people_job_take(struct people_writing *g, struct people_job *j, const json_t *response);
/* Does it concern all that is still to be sent? */
bool people_is_wide(enum fault_code code);
/* Sends all of them, BATCH_MAX at a time. Returns a fault only for what concerns all. */
enum fault_code people_batch_send(struct people_writing *g, struct people_job **jobs, size_t n,
                                  const struct people_batch_kind *kind, struct fault *f);

#endif
