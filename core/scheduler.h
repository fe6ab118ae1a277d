/* When each link is due, and running it then: interval with jitter, back-off after failures, one run of a link at a
 * time, a bounded number of jobs over all and for each host, the latest first. Lives on a libuv loop; knows links,
 * accounts and hosts by name only, so that configuration and runs stay with the caller (cli/daemon.c). */
#ifndef ABGLEICH_SCHEDULER_H
#define ABGLEICH_SCHEDULER_H

#include "base/env.h"

#include <uv.h>

struct scheduler;

#define SCHEDULER_JOBS_MAX 1000

struct scheduled { /* one link, as the configuration has it; borrowed for the call */
    const char *name;
    int64_t interval_ms;
    int64_t last_run_ms;     /* Unix time; 0 = never: due at once */
    const char *accounts[2]; /* of side A and B; NULL = the store, which never fails alone */
    const char *hosts[2];    /* where they are; NULL = nowhere */
};
struct scheduled_outcome {
    enum fault_code code;
    int64_t retry_after_ms; /* 0 = not said */
    int side;               /* whose account it was, for faults of an account; -1 = not known: both */
};
/* Why a run begins; "interval", "request" and "change" in reports. */
enum scheduled_cause { CAUSE_INTERVAL, CAUSE_REQUEST, CAUSE_CHANGE };
const char *scheduled_cause_name(enum scheduled_cause cause);

struct scheduled_view { /* one link, for status and metrics; borrowed for the call */
    const char *name;
    bool running;
    int64_t due_in_ms; /* 0 = now, or as soon as there is room */
    int64_t interval_ms;
    unsigned failures;      /* in a row, of the link or of its account */
    enum fault_code code;   /* why it failed last; FAULT_NONE = it did not */
    int64_t backing_off_ms; /* > 0: its account is left alone for so long */
    uint64_t skipped;       /* ticks of its interval that passed while it could not run (contactbox.md A13) */
    uint64_t runs;
    int64_t last_success_ms; /* Unix time; 0 = never */
};
struct scheduler_hooks {
    void *ctx;
    /* In a job thread. Looks at *cancel (by its env). */
    struct scheduled_outcome (*run)(void *ctx, const char *link, enum scheduled_cause cause,
                                    const volatile int *cancel);
    /* On the loop's thread, after a run. */
    void (*ran)(void *ctx, const char *link, const struct scheduled_outcome *outcome, int64_t next_in_ms);
    /* On the loop's thread, once, after scheduler_stop when nothing runs any more. */
    void (*stopped)(void *ctx);
};

/* hooks and env are borrowed until `stopped`. Owned by the caller. */
struct scheduler *scheduler_new(uv_loop_t *loop, struct env *env, const struct scheduler_hooks *hooks);
/* How many links run at a time, over all (at most SCHEDULER_JOBS_MAX) and on one host. For those started from now on.
 */
void scheduler_limit(struct scheduler *s, size_t jobs, size_t per_host);
/* The links to run from now on. What is not named any more runs to its end and then no more; what was known keeps its
 * due time. */
void scheduler_set(struct scheduler *s, const struct scheduled *links, size_t n);
/* Runs it after that time, or when it is due anyway; a link that is running runs once more. A request of a person also
 * goes through to an account that is left alone for its failures. False if it is not scheduled. */
bool scheduler_run_soon(struct scheduler *s, const char *link, enum scheduled_cause cause, int64_t delay_ms);
/* Asks runs under way to finish their writes, starts no more; calls `stopped`. A second call does nothing. */
void scheduler_stop(struct scheduler *s);
void scheduler_free(struct scheduler *s); /* after `stopped` */

/* Calls fn for each link, in no order. */
void scheduler_each(struct scheduler *s, void (*fn)(void *ctx, const struct scheduled_view *link), void *ctx);
size_t scheduler_running(const struct scheduler *s);

/* Pure: how long to wait after a run. random: any number, for jitter (a tenth either way). */
int64_t scheduler_delay_ms(int64_t interval_ms, unsigned failures, int64_t retry_after_ms, uint32_t random);

#endif
