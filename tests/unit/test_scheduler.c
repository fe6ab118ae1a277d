#include "base/mem.h"
#include "core/scheduler.h"

#include <criterion/criterion.h>

struct row {
    int64_t interval_ms;
    unsigned failures;
    int64_t retry_after_ms;
    uint32_t random;
    int64_t expected_ms;
};

#define MINUTE 60000

Test(scheduler, delay_grows_with_failures_and_obeys_the_remote)
{
    static const struct row rows[] = {
        {15 * MINUTE, 0, 0, 1000, 15 * MINUTE},
        {15 * MINUTE, 0, 0, 0, 15 * MINUTE - 90000},      /* a tenth less */
        {15 * MINUTE, 0, 0, 2000, 15 * MINUTE + 90000},   /* a tenth more */
        {15 * MINUTE, 1, 0, 1000, 30 * MINUTE},
        {15 * MINUTE, 2, 0, 1000, 60 * MINUTE},
        {15 * MINUTE, 30, 0, 1000, 60 * MINUTE},          /* never beyond an hour ... */
        {180 * MINUTE, 3, 0, 1000, 180 * MINUTE},         /* ... or the interval */
        {15 * MINUTE, 0, 120 * MINUTE, 1000, 120 * MINUTE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t got = scheduler_delay_ms(rows[i].interval_ms, rows[i].failures, rows[i].retry_after_ms, rows[i].random);
        cr_expect_eq(got, rows[i].expected_ms, "row %zu: %lld", i, (long long)got);
    }
}

/* -- a loop with a clock of its own: nothing waits -- */

struct world {
    struct env_system system;
    uv_loop_t loop;
    struct scheduler *scheduler;
    pthread_mutex_t mutex;
    char ran[200];
    int n_ran, stop_after, running, most_running;
    enum fault_code code;
    bool stopped, saw_cancel;
};

static void no_jitter(struct env *e, void *out, size_t n)
{
    (void)e;
    memset(out, 0, n);
}

static struct scheduled_outcome run(void *ctx, const char *link, const volatile int *cancel)
{
    struct world *w = ctx;
    pthread_mutex_lock(&w->mutex);
    strncat(w->ran, link, sizeof w->ran - strlen(w->ran) - 1);
    if (++w->running > w->most_running) w->most_running = w->running;
    w->saw_cancel |= *cancel != 0;
    pthread_mutex_unlock(&w->mutex);
    pthread_mutex_lock(&w->mutex);
    w->running--;
    pthread_mutex_unlock(&w->mutex);
    return (struct scheduled_outcome){w->code, 0};
}

static void ran(void *ctx, const char *link, const struct scheduled_outcome *outcome, int64_t next_in_ms)
{
    struct world *w = ctx;
    (void)link;
    (void)outcome;
    (void)next_in_ms;
    if (++w->n_ran == w->stop_after) scheduler_stop(w->scheduler);
}

static void stopped(void *ctx)
{
    ((struct world *)ctx)->stopped = true;
}

static void world_run(struct world *w, size_t jobs, const struct scheduled *links, size_t n)
{
    env_system_init(&w->system, LOG_ERROR, NULL);
    w->system.env.random = no_jitter;
    pthread_mutex_init(&w->mutex, NULL);
    uv_loop_init(&w->loop);
    const struct scheduler_hooks hooks = {w, run, ran, stopped};
    w->scheduler = scheduler_new(&w->loop, &w->system.env, jobs, &hooks);
    scheduler_set(w->scheduler, links, n);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    scheduler_free(w->scheduler);
    cr_assert_eq(uv_loop_close(&w->loop), 0, "something was left on the loop");
}

Test(scheduler, runs_what_never_ran_and_ends_cleanly)
{
    struct world w = {.stop_after = 3};
    const struct scheduled links[] = {{"a", MINUTE, 0}, {"b", MINUTE, 0}, {"c", MINUTE, 0}};
    world_run(&w, 2, links, 3);
    cr_expect_eq(w.n_ran, 3);
    cr_expect(strchr(w.ran, 'a') && strchr(w.ran, 'b') && strchr(w.ran, 'c'), "%s", w.ran);
    cr_expect_leq(w.most_running, 2);
    cr_expect(w.stopped);
}

Test(scheduler, one_job_runs_one_link_at_a_time)
{
    struct world w = {.stop_after = 4};
    const struct scheduled links[] = {{"a", MINUTE, 0}, {"b", MINUTE, 0}, {"c", MINUTE, 0}, {"d", MINUTE, 0}};
    world_run(&w, 1, links, 4);
    cr_expect_eq(w.most_running, 1);
}

static void count_due(void *ctx, const char *link, int64_t due_in_ms, unsigned failures)
{
    (void)failures;
    if (strcmp(link, "new") == 0) cr_expect_eq(due_in_ms, 0);
    else
        cr_expect(due_in_ms > 50 * MINUTE && due_in_ms <= 60 * MINUTE, "%s: %lld", link, (long long)due_in_ms);
    ++*(int *)ctx;
}

Test(scheduler, what_ran_lately_waits_for_its_interval)
{
    struct world w = {0};
    env_system_init(&w.system, LOG_ERROR, NULL);
    w.system.env.random = no_jitter;
    uv_loop_init(&w.loop);
    const struct scheduler_hooks hooks = {&w, run, ran, stopped};
    w.scheduler = scheduler_new(&w.loop, &w.system.env, 2, &hooks);
    const struct scheduled links[] = {{"old", 60 * MINUTE, w.system.env.now_ms(&w.system.env) - MINUTE}, {"new", MINUTE, 0}};
    scheduler_set(w.scheduler, links, 2);
    int n = 0;
    scheduler_each(w.scheduler, count_due, &n);
    cr_expect_eq(n, 2);
    scheduler_set(w.scheduler, links, 1); /* "new" was taken out of the configuration */
    n = 0;
    scheduler_each(w.scheduler, count_due, &n);
    cr_expect_eq(n, 1);
    cr_expect_not(scheduler_run_now(w.scheduler, "new"));
    scheduler_stop(w.scheduler);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    scheduler_free(w.scheduler);
    cr_expect_eq(uv_loop_close(&w.loop), 0);
}
