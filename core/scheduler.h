/* When each link is due, and running it then: interval with jitter, back-off after failures, one run of a link at a time. Lives on a
 * libuv loop; knows links by name and interval only, so that configuration and runs stay with the caller (cli/daemon.c). */
#ifndef ABGLEICH_SCHEDULER_H
#define ABGLEICH_SCHEDULER_H

#include "base/env.h"

#include <uv.h>

struct scheduler;

struct scheduled { /* one link, as the configuration has it; borrowed for the call */
    const char *name;
    int64_t interval_ms;
    int64_t last_run_ms; /* Unix time; 0 = never: due at once */
};
struct scheduled_outcome {
    enum fault_code code;
    int64_t retry_after_ms; /* 0 = not said */
};
struct scheduler_hooks {
    void *ctx;
    /* In a job thread. Looks at *cancel (by its env). */
    struct scheduled_outcome (*run)(void *ctx, const char *link, const volatile int *cancel);
    /* On the loop's thread, after a run. */
    void (*ran)(void *ctx, const char *link, const struct scheduled_outcome *outcome, int64_t next_in_ms);
    /* On the loop's thread, once, after scheduler_stop when nothing runs any more. */
    void (*stopped)(void *ctx);
};

/* hooks and env are borrowed until `stopped`. jobs: how many links run at a time. Owned by the caller. */
struct scheduler *scheduler_new(uv_loop_t *loop, struct env *env, size_t jobs, const struct scheduler_hooks *hooks);
/* The links to run from now on. What is not named any more runs to its end and then no more; what was known keeps its due time. */
void scheduler_set(struct scheduler *s, const struct scheduled *links, size_t n);
/* Runs it as soon as a job is free. False if it is not scheduled. */
bool scheduler_run_now(struct scheduler *s, const char *link);
/* Asks runs under way to finish their writes, starts no more; calls `stopped`. A second call does nothing. */
void scheduler_stop(struct scheduler *s);
void scheduler_free(struct scheduler *s); /* after `stopped` */

/* For status: calls fn for each link. due_in_ms < 0 = running. */
void scheduler_each(struct scheduler *s, void (*fn)(void *ctx, const char *link, int64_t due_in_ms, unsigned failures), void *ctx);

/* Pure: how long to wait after a run. random: any number, for jitter (a tenth either way). */
int64_t scheduler_delay_ms(int64_t interval_ms, unsigned failures, int64_t retry_after_ms, uint32_t random);

#endif
