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
        {15 * MINUTE, 0, 0, 0, 15 * MINUTE - 90000},    /* a tenth less */
        {15 * MINUTE, 0, 0, 2000, 15 * MINUTE + 90000}, /* a tenth more */
        {15 * MINUTE, 1, 0, 1000, 30 * MINUTE},
        {15 * MINUTE, 2, 0, 1000, 60 * MINUTE},
        {15 * MINUTE, 30, 0, 1000, 60 * MINUTE},  /* never beyond an hour ... */
        {180 * MINUTE, 3, 0, 1000, 180 * MINUTE}, /* ... or the interval */
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

static struct scheduled_outcome run(void *ctx, const char *link, enum scheduled_cause cause, const volatile int *cancel)
{
    (void)cause;
    struct world *w = ctx;
    pthread_mutex_lock(&w->mutex);
    strncat(w->ran, link, sizeof w->ran - strlen(w->ran) - 1);
    if (++w->running > w->most_running) w->most_running = w->running;
    w->saw_cancel |= *cancel != 0;
    pthread_mutex_unlock(&w->mutex);
    pthread_mutex_lock(&w->mutex);
    w->running--;
    pthread_mutex_unlock(&w->mutex);
    return (struct scheduled_outcome){w->code, 0, -1};
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
    w->scheduler = scheduler_new(&w->loop, &w->system.env, &hooks);
    scheduler_limit(w->scheduler, jobs, 100);
    scheduler_set(w->scheduler, links, n);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    scheduler_free(w->scheduler);
    cr_assert_eq(uv_loop_close(&w->loop), 0, "something was left on the loop");
}

Test(scheduler, runs_what_never_ran_and_ends_cleanly)
{
    struct world w = {.stop_after = 3};
    const struct scheduled links[] = {{.name = "a", .interval_ms = MINUTE}, {.name = "b", .interval_ms = MINUTE}, {.name = "c", .interval_ms = MINUTE}};
    world_run(&w, 2, links, 3);
    cr_expect_eq(w.n_ran, 3);
    cr_expect(strchr(w.ran, 'a') && strchr(w.ran, 'b') && strchr(w.ran, 'c'), "%s", w.ran);
    cr_expect_leq(w.most_running, 2);
    cr_expect(w.stopped);
}

Test(scheduler, one_job_runs_one_link_at_a_time)
{
    struct world w = {.stop_after = 4};
    const struct scheduled links[] = {{.name = "a", .interval_ms = MINUTE}, {.name = "b", .interval_ms = MINUTE}, {.name = "c", .interval_ms = MINUTE}, {.name = "d", .interval_ms = MINUTE}};
    world_run(&w, 1, links, 4);
    cr_expect_eq(w.most_running, 1);
}

static void count_due(void *ctx, const struct scheduled_view *v)
{
    if (strcmp(v->name, "new") == 0)
        cr_expect_eq(v->due_in_ms, 0);
    else
        cr_expect(v->due_in_ms > 50 * MINUTE && v->due_in_ms <= 60 * MINUTE, "%s: %lld", v->name,
                  (long long)v->due_in_ms);
    ++*(int *)ctx;
}

Test(scheduler, what_ran_lately_waits_for_its_interval)
{
    struct world w = {0};
    env_system_init(&w.system, LOG_ERROR, NULL);
    w.system.env.random = no_jitter;
    uv_loop_init(&w.loop);
    const struct scheduler_hooks hooks = {&w, run, ran, stopped};
    w.scheduler = scheduler_new(&w.loop, &w.system.env, &hooks);
    const struct scheduled links[] = {{.name = "old", .interval_ms = 60 * MINUTE, .last_run_ms = w.system.env.now_ms(&w.system.env) - MINUTE},
                                      {.name = "new", .interval_ms = MINUTE}};
    scheduler_set(w.scheduler, links, 2);
    int n = 0;
    scheduler_each(w.scheduler, count_due, &n);
    cr_expect_eq(n, 2);
    scheduler_set(w.scheduler, links, 1); /* "new" was taken out of the configuration */
    n = 0;
    scheduler_each(w.scheduler, count_due, &n);
    cr_expect_eq(n, 1);
    cr_expect_not(scheduler_run_soon(w.scheduler, "new", CAUSE_REQUEST, 0));
    scheduler_stop(w.scheduler);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    scheduler_free(w.scheduler);
    cr_expect_eq(uv_loop_close(&w.loop), 0);
}

/* -- a virtual clock: turned on when nothing is left to do -- */

#define LINKS_MAX 10000

struct play {
    struct env_system system;
    uv_loop_t loop;
    struct scheduler *scheduler;
    pthread_mutex_t mutex;
    pthread_cond_t go_on;
    int64_t clock_ms, takes_ms; /* monotonic; how long a run takes */
    char (*order)[32];          /* names in the order they began */
    int n_began, n_ended, running, most_running;
    enum scheduled_cause cause; /* of the last */
    struct scheduled_outcome outcome;
    const char *stuck; /* links whose name begins so wait until wait_for others have begun */
    int n_stuck, wait_for;
    struct scheduled_view seen;
};

static struct play *play_of(struct env *e)
{
    return (struct play *)((char *)e - offsetof(struct play, system.env));
}

static int64_t play_clock(struct env *e)
{
    return play_of(e)->clock_ms;
}

static void even(struct env *e, void *out, size_t n)
{
    (void)e;
    memset(out, 0, n);
    if (n == 4) *(uint32_t *)out = 1000; /* no jitter either way */
}

static void wait_for_others(struct play *p)
{
    p->n_stuck++;
    while (p->n_began - p->n_stuck < p->wait_for) pthread_cond_wait(&p->go_on, &p->mutex);
}

static struct scheduled_outcome play_run(void *ctx, const char *link, enum scheduled_cause cause,
                                         const volatile int *cancel)
{
    struct play *p = ctx;
    (void)cancel;
    pthread_mutex_lock(&p->mutex);
    snprintf(p->order[p->n_began++ % LINKS_MAX], sizeof *p->order, "%s", link);
    p->cause = cause;
    if (++p->running > p->most_running) p->most_running = p->running;
    pthread_cond_broadcast(&p->go_on);
    if (p->stuck && strncmp(link, p->stuck, strlen(p->stuck)) == 0) wait_for_others(p);
    p->clock_ms += p->takes_ms;
    p->running--;
    struct scheduled_outcome outcome = p->outcome;
    pthread_mutex_unlock(&p->mutex);
    return outcome;
}

static void play_ran(void *ctx, const char *link, const struct scheduled_outcome *outcome, int64_t next_in_ms)
{
    (void)link;
    (void)outcome;
    (void)next_in_ms;
    ((struct play *)ctx)->n_ended++;
}

static void play_stopped(void *ctx)
{
    (void)ctx;
}

static void play_begin(struct play *p, size_t jobs, size_t per_host)
{
    env_system_init(&p->system, LOG_ERROR, NULL);
    p->system.env.monotonic_ms = p->system.env.now_ms = play_clock;
    p->system.env.random = even;
    p->clock_ms = 1000LL * 24 * 60 * MINUTE;
    p->order = mem_calloc(LINKS_MAX, sizeof *p->order);
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->go_on, NULL);
    uv_loop_init(&p->loop);
    const struct scheduler_hooks hooks = {p, play_run, play_ran, play_stopped};
    p->scheduler = scheduler_new(&p->loop, &p->system.env, &hooks);
    scheduler_limit(p->scheduler, jobs, per_host);
}

static void play_end(struct play *p)
{
    scheduler_stop(p->scheduler);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    scheduler_free(p->scheduler);
    cr_expect_eq(uv_loop_close(&p->loop), 0);
    free(p->order);
}

/* Until that many runs have ended. */
static void play_until(struct play *p, int n)
{
    while (p->n_ended < n) uv_run(&p->loop, UV_RUN_ONCE);
}

/* Moves the clock and lets what is due then begin and end; returns how many runs that were. */
static int play_pass(struct play *p, int64_t ms)
{
    int before = p->n_ended;
    p->clock_ms += ms;
    scheduler_limit(p->scheduler, 8, 4); /* looks at the clock */
    do uv_run(&p->loop, UV_RUN_NOWAIT);
    while (scheduler_running(p->scheduler) || p->n_began != p->n_ended || uv_backend_timeout(&p->loop) == 0);
    return p->n_ended - before;
}

static void note(void *ctx, const struct scheduled_view *v)
{
    ((struct play *)ctx)->seen = *v;
}

static const struct scheduled_view *play_see(struct play *p)
{
    scheduler_each(p->scheduler, note, p);
    return &p->seen;
}

static void many_due(struct play *p, size_t n, char (*names)[32], struct scheduled *links)
{
    for (size_t i = 0; i < n; i++) { /* 7919 is prime: all latenesses, in no order */
        size_t late = i * 7919 % n;
        snprintf(names[i], sizeof *names, "%05zu", late);
        links[i] = (struct scheduled){.name = names[i],
                                      .interval_ms = MINUTE,
                                      .accounts = {NULL, names[i]},
                                      .last_run_ms = p->clock_ms - 2 * MINUTE - (int64_t)(n - late)};
    }
}

Test(scheduler, ten_thousand_due_at_once_are_served_in_order_of_lateness)
{
    struct play p = {0};
    static char names[LINKS_MAX][32];
    static struct scheduled links[LINKS_MAX];
    play_begin(&p, 1, 1);
    many_due(&p, LINKS_MAX, names, links);
    scheduler_set(p.scheduler, links, LINKS_MAX);
    play_until(&p, LINKS_MAX);
    cr_expect_eq(p.n_began, LINKS_MAX);
    for (int i = 0; i < LINKS_MAX; i++) cr_assert_eq(atoi(p.order[i]), i, "the %d-th to run was %s", i, p.order[i]);
    play_end(&p);
}

Test(scheduler, ten_thousand_due_at_once_run_a_bounded_number_at_a_time)
{
    struct play p = {.stuck = "0000", .wait_for = 0};
    static char names[LINKS_MAX][32];
    static struct scheduled links[LINKS_MAX];
    play_begin(&p, 8, 1);
    many_due(&p, LINKS_MAX, names, links);
    scheduler_set(p.scheduler, links, LINKS_MAX);
    play_until(&p, LINKS_MAX);
    cr_expect_leq(p.most_running, 8);
    play_end(&p);
}

/* The jobs of one host never end before all others have begun. */
Test(scheduler, a_host_that_hangs_delays_nobody_else)
{
    struct play p = {.stuck = "bad", .wait_for = 20};
    char names[40][32];
    struct scheduled links[40];
    play_begin(&p, 4, 2);
    for (size_t i = 0; i < 40; i++) {
        bool bad = i < 20;
        snprintf(names[i], sizeof *names, "%s%zu", bad ? "bad" : "good", i);
        links[i] = (struct scheduled){.name = names[i],
                                      .interval_ms = MINUTE,
                                      .last_run_ms = p.clock_ms - 2 * MINUTE - (bad ? 99 : 0),
                                      .hosts = {NULL, bad ? "https://bad/" : names[i]}};
    }
    scheduler_set(p.scheduler, links, 40);
    play_until(&p, 40);
    cr_expect_eq(p.n_began, 40);
    play_end(&p);
}

static void five_of_one_account(struct play *p)
{
    struct scheduled links[5];
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < 5; i++)
        links[i] = (struct scheduled){
            .name = names[i], .interval_ms = 10 * MINUTE, .accounts = {NULL, "anna"}, .hosts = {NULL, "h"}};
    scheduler_set(p->scheduler, links, 5);
}

Test(scheduler, an_account_that_refuses_is_tried_once_a_time_whatever_its_links)
{
    struct play p = {.outcome = {FAULT_AUTH, 0, 1}};
    play_begin(&p, 1, 1);
    five_of_one_account(&p);
    play_until(&p, 1);
    scheduler_limit(p.scheduler, 8, 4);
    cr_expect_eq(play_pass(&p, 0), 0, "the other four were tried, too");
    cr_expect_eq(play_see(&p)->code, FAULT_AUTH);
    cr_expect_eq(p.seen.backing_off_ms, 20 * MINUTE);
    cr_expect_eq(play_pass(&p, 20 * MINUTE - 1), 0);
    cr_expect_eq(play_pass(&p, 1), 1, "one link tries it again");
    cr_expect_eq(play_see(&p)->backing_off_ms, 40 * MINUTE);
    p.outcome = (struct scheduled_outcome){FAULT_NONE, 0, -1};
    cr_expect_eq(play_pass(&p, 40 * MINUTE), 5, "it works again, and so do all");
    cr_expect_eq(play_see(&p)->failures, 0);
    play_end(&p);
}

Test(scheduler, a_remote_that_says_when_is_obeyed)
{
    struct play p = {.outcome = {FAULT_RATE_LIMITED, 180 * MINUTE, 1}};
    play_begin(&p, 1, 1);
    five_of_one_account(&p);
    play_until(&p, 1);
    cr_expect_eq(play_pass(&p, 180 * MINUTE - 1), 0);
    cr_expect_eq(play_pass(&p, 1), 1);
    play_end(&p);
}

Test(scheduler, a_person_need_not_wait_for_the_back_off)
{
    struct play p = {.outcome = {FAULT_AUTH, 0, 1}};
    play_begin(&p, 1, 1);
    five_of_one_account(&p);
    play_until(&p, 1);
    cr_expect(scheduler_run_soon(p.scheduler, "c", CAUSE_CHANGE, 0));
    cr_expect_eq(play_pass(&p, 0), 0, "a change does");
    cr_expect(scheduler_run_soon(p.scheduler, "c", CAUSE_REQUEST, 0));
    cr_expect_eq(play_pass(&p, 0), 1);
    cr_expect_str_eq(p.order[1], "c");
    cr_expect_eq(p.cause, CAUSE_REQUEST);
    play_end(&p);
}

Test(scheduler, a_run_longer_than_its_interval_skips_ticks_and_says_so)
{
    struct play p = {.takes_ms = 35 * MINUTE};
    play_begin(&p, 1, 1);
    const struct scheduled link = {.name = "slow", .interval_ms = 10 * MINUTE};
    scheduler_set(p.scheduler, &link, 1);
    play_until(&p, 1);
    cr_expect_eq(play_see(&p)->skipped, 3);
    cr_expect_eq(p.seen.due_in_ms, 10 * MINUTE, "the next one begins after the end");
    play_end(&p);
}

Test(scheduler, a_link_turned_off_during_its_run_ends_it_and_never_begins_again)
{
    struct play p = {.stuck = "a", .wait_for = 1};
    play_begin(&p, 2, 2);
    const struct scheduled links[] = {{.name = "a", .interval_ms = MINUTE},
                                      {.name = "b", .interval_ms = MINUTE, .last_run_ms = p.clock_ms}};
    scheduler_set(p.scheduler, links, 2);
    while (!scheduler_running(p.scheduler)) uv_run(&p.loop, UV_RUN_NOWAIT);
    scheduler_set(p.scheduler, links + 1, 1);
    cr_expect_not(scheduler_run_soon(p.scheduler, "a", CAUSE_REQUEST, 0));
    cr_expect(scheduler_run_soon(p.scheduler, "b", CAUSE_REQUEST, 0));
    play_until(&p, 2);
    cr_expect_eq(play_pass(&p, 2 * MINUTE), 1);
    cr_expect_str_eq(p.order[2], "b");
    play_end(&p);
}

Test(scheduler, what_is_asked_for_during_a_run_runs_once_more)
{
    struct play p = {.stuck = "a", .wait_for = 1};
    play_begin(&p, 2, 2);
    const struct scheduled links[] = {{.name = "a", .interval_ms = MINUTE},
                                      {.name = "b", .interval_ms = MINUTE, .last_run_ms = p.clock_ms}};
    scheduler_set(p.scheduler, links, 2);
    while (!scheduler_running(p.scheduler)) uv_run(&p.loop, UV_RUN_NOWAIT);
    scheduler_run_soon(p.scheduler, "a", CAUSE_CHANGE, 0);
    scheduler_run_soon(p.scheduler, "a", CAUSE_CHANGE, 0);
    scheduler_run_soon(p.scheduler, "b", CAUSE_REQUEST, 0);
    p.wait_for = 1;
    play_until(&p, 2);
    play_pass(&p, 0); /* (the third may have ended before the second did) */
    cr_expect_eq(p.n_ended, 3);
    cr_expect_str_eq(p.order[2], "a");
    cr_expect_eq(p.cause, CAUSE_CHANGE);
    play_end(&p);
}
