#include "core/scheduler.h"

#include "base/mem.h"
#include "core/throttle.h"
#include "core/job_pool.h"

#include <stdlib.h>

#define SECOND_MS 1000
#define HOUR_MS (3600 * (int64_t)SECOND_MS)
#define THROTTLES 4
#define FIRST_ACCOUNT 2 /* throttles[0], throttles[1]: hosts of A and B; throttles[2], throttles[3]: accounts */

struct entry {
    struct due due; /* monotonic. First: what leaves a queue is an entry */
    struct pool_job job;
    struct scheduler *scheduler;
    char *name;
    struct throttle *throttles[THROTTLES];    /* NULL = none */
    int64_t interval_ms, tick_ms, started_ms; /* tick_ms: when its interval had it due */
    unsigned failures;
    enum fault_code code;
    uint64_t skipped, runs;
    int64_t last_success_ms; /* Unix time */
    enum scheduled_cause cause, next_cause;
    bool running, again, wanted;
    struct scheduled_outcome outcome;
    UT_hash_handle hh;
};

struct scheduler {
    uv_loop_t *loop;
    uv_timer_t timer;
    struct env *env;
    struct job_pool *pool;
    struct scheduler_hooks hooks;
    struct entry *entries; /* by name */
    struct throttle *hosts, *accounts;
    struct due_queue due; /* all that neither run nor wait at a throttle */
    size_t jobs, per_host, running;
    volatile int cancel;
    bool stopping;
};

const char *scheduled_cause_name(enum scheduled_cause cause)
{
    static const char *const names[] = {"interval", "request", "change"};
    return names[cause];
}

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

static int64_t now_of(struct scheduler *s)
{
    return s->env->monotonic_ms(s->env);
}

static struct entry *find(struct scheduler *s, const char *name)
{
    struct entry *e;
    HASH_FIND_STR(s->entries, name, e);
    return e;
}

static void arm(struct scheduler *s);

static void put_due(struct scheduler *s, struct entry *e, int64_t due_ms)
{
    due_queue_take(&e->due);
    e->due.due_ms = due_ms;
    due_queue_put(&s->due, &e->due);
}

/* -- what is in the way -- */

static void pass(struct entry *e, struct throttle *throttles[THROTTLES])
{
    for (int i = 0; i < THROTTLES; i++) {
        if (e->throttles[i]) e->throttles[i]->links--;
        e->throttles[i] = throttles[i];
        if (throttles[i]) throttles[i]->links++;
    }
}

static void remove_entry(struct scheduler *s, struct entry *e)
{
    pass(e, (struct throttle *[THROTTLES]){NULL});
    due_queue_take(&e->due);
    HASH_DEL(s->entries, e);
    free(e->name);
    free(e);
}

/* Those that may try again: as many as there is room for, or all of a throttle that closed, to be told so. */
static void release(struct scheduler *s, struct throttle *g)
{
    size_t room = throttle_is_closed(g, now_of(s)) ? SIZE_MAX : throttle_room(g);
    struct due *first;
    while (room-- > 0 && (first = due_queue_first(&g->waiting))) {
        due_queue_take(first);
        due_queue_put(&s->due, first);
    }
}

/* True if it has to wait, and then it does: for room, in the order of lateness, or until its account is tried again. */
static bool is_stopped(struct scheduler *s, struct entry *e, int64_t now)
{
    for (int i = 0; i < THROTTLES; i++) {
        struct throttle *g = e->throttles[i];
        if (!g) continue;
        if (throttle_is_closed(g, now)) {
            put_due(s, e, g->closed_until_ms);
            return true;
        }
        if (!throttle_room(g)) {
            due_queue_put(&g->waiting, &e->due);
            return true;
        }
    }
    return false;
}

/* -- running -- */

static void work(struct pool_job *job)
{
    struct entry *e = (struct entry *)((char *)job - offsetof(struct entry, job));
    e->outcome = e->scheduler->hooks.run(e->scheduler->hooks.ctx, e->name, e->cause, &e->scheduler->cancel);
}

/* What another process is running just now is no failure, and what waits for a person is not tried more often for it.
 */
static bool counts_as_failure(enum fault_code code)
{
    return code != FAULT_NONE && code != FAULT_BUSY && code != FAULT_HELD && code != FAULT_CANCELLED;
}

static bool is_of_account(enum fault_code code)
{
    return code > FAULT_COLLECTION_LAST && code <= FAULT_ACCOUNT_LAST;
}

/* The account's own failures are counted at its throttle, and close it; returns until when. */
static int64_t account_failed(struct scheduler *s, struct entry *e, int64_t now)
{
    int64_t until = 0;
    for (int side = 0; side < 2; side++) {
        struct throttle *g = e->throttles[FIRST_ACCOUNT + side];
        if (!g || (e->outcome.side >= 0 && e->outcome.side != side)) continue;
        throttle_failed(g, e->outcome.code, e->started_ms, now);
        throttle_close(
            g, now + scheduler_delay_ms(e->interval_ms, g->failures, e->outcome.retry_after_ms, random_number(s)));
        if (g->closed_until_ms > until) until = g->closed_until_ms;
    }
    return until;
}

static void account_works(struct entry *e)
{
    for (int i = FIRST_ACCOUNT; i < THROTTLES; i++)
        if (e->throttles[i]) throttle_open(e->throttles[i]);
}

static int64_t next_due(struct scheduler *s, struct entry *e, int64_t now)
{
    enum fault_code code = e->outcome.code;
    int64_t until = is_of_account(code) ? account_failed(s, e, now) : 0;
    if (code == FAULT_NONE || code == FAULT_HELD || code <= FAULT_RECORD_LAST) account_works(e);
    e->failures = counts_as_failure(code) ? e->failures + 1 : 0;
    e->code = counts_as_failure(code) ? code : FAULT_NONE;
    int64_t due = now + scheduler_delay_ms(e->interval_ms, e->failures, e->outcome.retry_after_ms, random_number(s));
    return until ? until : due;
}

static void count_skipped(struct entry *e, int64_t now)
{
    if (now > e->tick_ms) e->skipped += (uint64_t)((now - e->tick_ms) / e->interval_ms);
}

static void done(struct pool_job *job)
{
    struct entry *e = (struct entry *)((char *)job - offsetof(struct entry, job));
    struct scheduler *s = e->scheduler;
    int64_t now = now_of(s);
    e->running = false;
    e->runs++;
    if (!e->outcome.code) e->last_success_ms = s->env->now_ms(s->env);
    s->running--;
    for (int i = 0; i < THROTTLES; i++)
        if (e->throttles[i]) e->throttles[i]->running--;
    count_skipped(e, now);
    e->tick_ms = next_due(s, e, now);
    bool again = e->again && !is_of_account(e->outcome.code);
    e->cause = again ? e->next_cause : CAUSE_INTERVAL;
    e->again = false;
    put_due(s, e, again ? now : e->tick_ms);
    for (int i = 0; i < THROTTLES; i++)
        if (e->throttles[i]) release(s, e->throttles[i]);
    s->hooks.ran(s->hooks.ctx, e->name, &e->outcome, e->due.due_ms - now);
    if (!e->wanted) remove_entry(s, e);
    arm(s);
}

static void start(struct scheduler *s, struct entry *e, int64_t now)
{
    e->running = true;
    e->started_ms = now;
    s->running++;
    for (int i = 0; i < THROTTLES; i++)
        if (e->throttles[i]) e->throttles[i]->running++;
    e->job = (struct pool_job){.work = work, .done = done};
    job_pool_add(s->pool, &e->job);
}

/* The latest first: whoever has waited longest runs next. */
static void on_timer(uv_timer_t *timer)
{
    struct scheduler *s = timer->data;
    struct due *first;
    int64_t now = now_of(s);
    while (!s->stopping && s->running < s->jobs && (first = due_queue_first(&s->due)) && first->due_ms <= now) {
        struct entry *e = (struct entry *)first;
        due_queue_take(first);
        if (!is_stopped(s, e, now)) start(s, e, now);
    }
    arm(s);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct scheduler *s = handle->data;
    s->hooks.stopped(s->hooks.ctx);
}

static void arm(struct scheduler *s)
{
    const struct due *first = due_queue_first(&s->due);
    if (s->stopping && !s->running && !uv_is_closing((uv_handle_t *)&s->timer)) {
        job_pool_free(s->pool);
        uv_close((uv_handle_t *)&s->timer, on_timer_closed);
    }
    if (s->stopping) return;
    if (!first || s->running >= s->jobs) {
        uv_timer_stop(&s->timer); /* the end of a job arms it again */
        return;
    }
    int64_t in_ms = first->due_ms - now_of(s);
    uv_timer_start(&s->timer, on_timer, in_ms > 0 ? (uint64_t)in_ms : 0, 0);
}

/* -- what the caller does -- */

struct scheduler *scheduler_new(uv_loop_t *loop, struct env *env, const struct scheduler_hooks *hooks)
{
    struct scheduler *s = mem_calloc(1, sizeof *s);
    s->loop = loop;
    s->env = env;
    s->hooks = *hooks;
    s->pool = job_pool_new(loop, SCHEDULER_JOBS_MAX);
    s->jobs = s->per_host = 1;
    s->timer.data = s;
    uv_timer_init(loop, &s->timer);
    return s;
}

void scheduler_limit(struct scheduler *s, size_t jobs, size_t per_host)
{
    s->jobs = jobs ? jobs : 1;
    s->per_host = per_host ? per_host : 1;
    for (struct throttle *g = s->hosts; g; g = g->hh.next) {
        g->most = s->per_host;
        release(s, g);
    }
    arm(s);
}

/* What is overdue keeps its lateness, so that whoever has waited longest is first; what never ran is due now. */
static int64_t first_due(struct scheduler *s, const struct scheduled *link)
{
    int64_t since = s->env->now_ms(s->env) - link->last_run_ms, now = now_of(s);
    return !link->last_run_ms || since < 0 ? now : now + link->interval_ms - since;
}

static struct entry *add_entry(struct scheduler *s, const struct scheduled *link)
{
    struct entry *e = mem_calloc(1, sizeof *e);
    e->scheduler = s;
    e->name = mem_strdup(link->name);
    e->interval_ms = link->interval_ms;
    e->last_success_ms = link->last_run_ms;
    int64_t now = now_of(s), due = first_due(s, link);
    e->tick_ms = due > now ? due : now; /* what passed while no daemon ran was not skipped by this one */
    HASH_ADD_KEYPTR(hh, s->entries, e->name, strlen(e->name), e);
    put_due(s, e, due);
    return e;
}

static void change_interval(struct scheduler *s, struct entry *e, int64_t interval_ms)
{
    int64_t due = e->due.due_ms - e->interval_ms + interval_ms;
    if (!e->failures && due < e->due.due_ms && e->due.in == &s->due) put_due(s, e, due);
    e->interval_ms = interval_ms;
}

static struct throttle *host_throttle(struct scheduler *s, const char *host)
{
    struct throttle *g = throttle_of(&s->hosts, host);
    g->most = s->per_host;
    return g;
}

/* Throttles change only while it does not run: what was entered is left by the same way. */
static void set_throttles(struct scheduler *s, struct entry *e, const struct scheduled *link)
{
    struct throttle *throttles[THROTTLES] = {NULL};
    for (int side = 0; side < 2; side++) {
        bool same_host = side && link->hosts[0] && link->hosts[1] && strcmp(link->hosts[0], link->hosts[1]) == 0;
        if (link->hosts[side] && !same_host) throttles[side] = host_throttle(s, link->hosts[side]);
        if (link->accounts[side]) throttles[FIRST_ACCOUNT + side] = throttle_of(&s->accounts, link->accounts[side]);
    }
    if (throttles[FIRST_ACCOUNT] == throttles[FIRST_ACCOUNT + 1]) throttles[FIRST_ACCOUNT + 1] = NULL;
    if (e->running) return;
    if (e->due.in != &s->due) put_due(s, e, e->due.due_ms);
    pass(e, throttles);
}

static void set_one(struct scheduler *s, const struct scheduled *link)
{
    struct entry *e = find(s, link->name);
    if (!e) e = add_entry(s, link);
    change_interval(s, e, link->interval_ms);
    set_throttles(s, e, link);
    e->wanted = true;
}

void scheduler_set(struct scheduler *s, const struct scheduled *links, size_t n)
{
    struct entry *e, *next;
    HASH_ITER(hh, s->entries, e, next) e->wanted = false;
    for (size_t i = 0; i < n; i++) set_one(s, &links[i]);
    HASH_ITER(hh, s->entries, e, next)
    {
        if (!e->wanted && !e->running) remove_entry(s, e);
    }
    throttles_drop(&s->hosts, false);
    throttles_drop(&s->accounts, false);
    arm(s);
}

bool scheduler_run_soon(struct scheduler *s, const char *link, enum scheduled_cause cause, int64_t delay_ms)
{
    struct entry *e = find(s, link);
    if (!e || !e->wanted) return false;
    for (int i = FIRST_ACCOUNT; cause == CAUSE_REQUEST && i < THROTTLES; i++)
        if (e->throttles[i]) e->throttles[i]->closed_until_ms = 0;
    if (e->running) {
        e->again = true;
        e->next_cause = cause;
        return true;
    }
    int64_t due = now_of(s) + delay_ms;
    if (due < e->due.due_ms) {
        e->cause = cause;
        put_due(s, e, due);
    }
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
    struct entry *e, *next;
    HASH_ITER(hh, s->entries, e, next) remove_entry(s, e);
    throttles_drop(&s->hosts, true);
    throttles_drop(&s->accounts, true);
    due_queue_free(&s->due);
    free(s);
}

static void view_account(const struct entry *e, int64_t now, struct scheduled_view *v)
{
    for (int i = FIRST_ACCOUNT; i < THROTTLES; i++) {
        const struct throttle *g = e->throttles[i];
        if (!g || !g->failures) continue;
        if (g->failures > v->failures) v->failures = g->failures;
        if (!v->code) v->code = g->code;
        if (g->closed_until_ms - now > v->backing_off_ms) v->backing_off_ms = g->closed_until_ms - now;
    }
    if (v->backing_off_ms > v->due_in_ms && !v->running) v->due_in_ms = v->backing_off_ms;
}

void scheduler_each(struct scheduler *s, void (*fn)(void *ctx, const struct scheduled_view *link), void *ctx)
{
    int64_t now = now_of(s);
    for (struct entry *e = s->entries; e; e = e->hh.next) {
        int64_t in_ms = e->due.due_ms - now;
        struct scheduled_view v = {.name = e->name,
                                   .running = e->running,
                                   .due_in_ms = e->running || in_ms < 0 ? 0 : in_ms,
                                   .interval_ms = e->interval_ms,
                                   .failures = e->failures,
                                   .code = e->code,
                                   .skipped = e->skipped,
                                   .runs = e->runs,
                                   .last_success_ms = e->last_success_ms};
        view_account(e, now, &v);
        fn(ctx, &v);
    }
}

size_t scheduler_running(const struct scheduler *s)
{
    return s->running;
}
