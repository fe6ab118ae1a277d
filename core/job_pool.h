/* The threads that run jobs: each job blocks its own thread only, at most `max` at a time, in the order they were given. Called by
 * core/scheduler.c on the loop's thread; what a job returns comes back on that thread, too. */
#ifndef ABGLEICH_JOB_POOL_H
#define ABGLEICH_JOB_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct job_pool;
struct pool_job {
    void (*work)(struct pool_job *job); /* in a thread of the pool */
    void (*done)(struct pool_job *job); /* on the loop's thread; may free the job */
    struct pool_job *next;              /* the pool's */
};

/* Threads are started when first needed. Owned by the caller. */
struct job_pool *job_pool_new(uv_loop_t *loop, size_t max);
/* job: owned by the caller, stays in place until done was called. */
void job_pool_add(struct job_pool *pool, struct pool_job *job);
size_t job_pool_busy(const struct job_pool *pool); /* given and not done */
/* Waits for the threads, which must have nothing left to do (busy == 0). */
void job_pool_free(struct job_pool *pool);

#endif
