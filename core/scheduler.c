#include "core/scheduler.h"

#include "base/mem.h"
#include "core/job_pool.h"

#include <stdlib.h>

#define SECOND_MS 1000
#define HOUR_MS (3600 * (int64_t)SECOND_MS)
#define START_SPREAD_MS (2 * SECOND_MS) /* what is due at the start does not begin all at once */

struct entry {
    struct pool_job job;
    struct scheduler *scheduler;
    char *name;
    int64_t interval_ms, due_ms; /* monotonic */
    unsigned failures;
    bool running, wanted;
    struct scheduled_outcome outcome;
    struct entry *next;
};

struct scheduler {
    uv_loop_t *loop;
    uv_timer_t timer;
    struct env *env;
    struct job_pool *pool;
    struct scheduler_hooks hooks;
    struct entry *entries;
    volatile int cancel;
    bool stopping;
};

int64_t scheduler_delay_ms(int64_t interval_ms, unsigned failures, int64_t retry_after_ms, uint32_t random)
{
    int64_t delay = interval_ms, longest = interval_ms > HOUR_MS ? interval_ms : HOUR_MS;
    for (unsigned i = 0; i < failures && delay < longest; i++) delay *= 2;
    if (delay > longest) delay = longest;
    delay += delay / 10 * ((int64_t)(random % 2001) - 1000) / 1000;
    return delay > retry_after_ms ? delay : retry_after_ms;
}

static uint32_t random_number(struct scheduler *s)
{
    uint32_t n;
    s->env->random(s->env, &n, sizeof n);
    return n;
}

static struct entry *find(struct scheduler *s, const char *name)
{
    struct entry *e = s->entries;
    while (e && strcmp(e->name, name) != 0) e = e->next;
    return e;
}

static void arm(struct scheduler *s);

/* -- running -- */

static void work(struct pool_job *job)
{
    struct entry *e = (struct entry *)job;
    e->outcome = e->scheduler->hooks.run(e->scheduler->hooks.ctx, e->name, &e->scheduler->cancel);
}

static void remove_entry(struct scheduler *s, struct entry *e)
{
    struct entry **at = &s->entries;
    while (*at != e) at = &(*at)->next;
    *at = e->next;
    free(e->name);
    free(e);
}

/* What another process is running just now is no failure, and what waits for a person is not tried more often for it. */
static bool counts_as_failure(enum fault_code code)
{
    return code != FAULT_NONE && code != FAULT_BUSY && code != FAULT_HELD;
}

static void done(struct pool_job *job)
{
    struct entry *e = (struct entry *)job;
    struct scheduler *s = e->scheduler;
    e->running = false;
    e->failures = counts_as_failure(e->outcome.code) ? e->failures + 1 : 0;
    int64_t delay = scheduler_delay_ms(e->interval_ms, e->failures, e->outcome.retry_after_ms, random_number(s));
    e->due_ms = s->env->monotonic_ms(s->env) + delay;
    s->hooks.ran(s->hooks.ctx, e->name, &e->outcome, delay);
    if (!e->wanted) remove_entry(s, e);
    arm(s);
}

static void start(struct scheduler *s, struct entry *e)
{
    e->running = true;
    e->job = (struct pool_job){.work = work, .done = done};
    job_pool_add(s->pool, &e->job);
}

/* The latest first: whoever has waited longest runs next. */
static struct entry *most_overdue(struct scheduler *s, int64_t now)
{
    struct entry *best = NULL;
    for (struct entry *e = s->entries; e; e = e->next)
        if (e->wanted && !e->running && e->due_ms <= now && (!best || e->due_ms < best->due_ms)) best = e;
    return best;
}

static void on_timer(uv_timer_t *timer)
{
    struct scheduler *s = timer->data;
    struct entry *e;
    while (!s->stopping && (e = most_overdue(s, s->env->monotonic_ms(s->env)))) start(s, e);
    arm(s);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct scheduler *s = handle->data;
    s->hooks.stopped(s->hooks.ctx);
}

static void end(struct scheduler *s)
{
    if (uv_is_closing((uv_handle_t *)&s->timer)) return;
    job_pool_free(s->pool);
    uv_close((uv_handle_t *)&s->timer, on_timer_closed);
}

static void arm(struct scheduler *s)
{
    if (s->stopping) {
        if (!job_pool_busy(s->pool)) end(s);
        return;
    }
    int64_t now = s->env->monotonic_ms(s->env), next = -1;
    for (struct entry *e = s->entries; e; e = e->next)
        if (e->wanted && !e->running && (next < 0 || e->due_ms < next)) next = e->due_ms;
    if (next < 0) uv_timer_stop(&s->timer);
    else
        uv_timer_start(&s->timer, on_timer, next > now ? (uint64_t)(next - now) : 0, 0);
}

/* -- what the caller does -- */

struct scheduler *scheduler_new(uv_loop_t *loop, struct env *env, size_t jobs, const struct scheduler_hooks *hooks)
{
    struct scheduler *s = mem_calloc(1, sizeof *s);
    s->loop = loop;
    s->env = env;
    s->hooks = *hooks;
    s->pool = job_pool_new(loop, jobs);
    s->timer.data = s;
    uv_timer_init(loop, &s->timer);
    return s;
}

static int64_t first_due(struct scheduler *s, const struct scheduled *link)
{
    int64_t since = s->env->now_ms(s->env) - link->last_run_ms, now = s->env->monotonic_ms(s->env);
    bool overdue = !link->last_run_ms || since < 0 || since >= link->interval_ms;
    return overdue ? now + (int64_t)(random_number(s) % START_SPREAD_MS) : now + link->interval_ms - since;
}

static void set_one(struct scheduler *s, const struct scheduled *link)
{
    struct entry *e = find(s, link->name);
    if (e) {
        int64_t sooner = e->due_ms - e->interval_ms + link->interval_ms;
        if (!e->failures && sooner < e->due_ms) e->due_ms = sooner;
    } else {
        e = mem_calloc(1, sizeof *e);
        e->scheduler = s;
        e->name = mem_strdup(link->name);
        e->due_ms = first_due(s, link);
        e->next = s->entries;
        s->entries = e;
    }
    e->interval_ms = link->interval_ms;
    e->wanted = true;
}

void scheduler_set(struct scheduler *s, const struct scheduled *links, size_t n)
{
    for (struct entry *e = s->entries; e; e = e->next) e->wanted = false;
    for (size_t i = 0; i < n; i++) set_one(s, &links[i]);
    for (struct entry *e = s->entries, *next; e; e = next) {
        next = e->next;
        if (!e->wanted && !e->running) remove_entry(s, e);
    }
    arm(s);
}

bool scheduler_run_now(struct scheduler *s, const char *link)
{
    struct entry *e = find(s, link);
    if (!e || !e->wanted) return false;
    e->due_ms = s->env->monotonic_ms(s->env);
    arm(s);
    return true;
}

void scheduler_stop(struct scheduler *s)
{
    if (s->stopping) return;
    s->stopping = true;
    s->cancel = 1;
    uv_timer_stop(&s->timer);
    arm(s);
}

void scheduler_free(struct scheduler *s)
{
    while (s->entries) remove_entry(s, s->entries);
    free(s);
}

void scheduler_each(struct scheduler *s, void (*fn)(void *ctx, const char *link, int64_t due_in_ms, unsigned failures), void *ctx)
{
    int64_t now = s->env->monotonic_ms(s->env);
    for (struct entry *e = s->entries; e; e = e->next) {
        int64_t due = e->due_ms > now ? e->due_ms - now : 0;
        fn(ctx, e->name, e->running ? -1 : due, e->failures);
    }
}
