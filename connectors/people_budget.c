/* The quota of a minute, kept before Google has to say so (4). What was spent in the last minute is counted in steps of
 * five seconds; what this session spent joins what the account's other sessions and processes left in its traits, now
 * and then: a run of one request writes nothing. */
#include "base/mem.h"
#include "connectors/people_session.h"

#include <stdio.h>
#include <stdlib.h>

#define STEP_MS 5000
#define STEPS PEOPLE_BUDGET_STEPS /* a minute, and the step under way */
#define TRAIT "spent"
#define KEPT_EACH 8  /* requests between two looks at what others spent */
#define KEPT_LEAST 2 /* a session of fewer leaves nothing */

bool people_check_rate(struct str v)
{
    long long n;
    return str_to_int64(v, &n) && n >= 6 && n <= 100000;
}

static long long limit_of(const struct session *s)
{
    const char *set = account_setting(s->account, PEOPLE_RATE);
    long long n;
    if (!set || !str_to_int64(str_of(set), &n)) n = PEOPLE_RATE_DEFAULT;
    return n - n / 10; /* for sessions that leave nothing */
}

static int64_t step_now(struct session *s)
{
    return s->env->now_ms(s->env) / STEP_MS;
}

static bool counts(int64_t step, int64_t now)
{
    return step <= now && step > now - STEPS;
}

/* The count of that step; one that stood there for an older minute is forgotten. */
static struct people_spent *at(struct people_spent *ring, int64_t step)
{
    struct people_spent *p = &ring[step % STEPS];
    if (p->step != step) *p = (struct people_spent){.step = step};
    return p;
}

static long long sum(const struct people_spent *ring, int64_t now, enum people_metric metric)
{
    long long n = 0;
    for (size_t i = 0; i < STEPS; i++)
        if (counts(ring[i].step, now)) n += ring[i].n[metric];
    return n;
}

/* -- what others see: "STEP:READS:WRITES ..." -- */

static void load(struct session *s)
{
    struct people_budget *b = &s->budget;
    char *text AUTO_FREE = s->traits->get(s->traits, TRAIT);
    struct str rest = str_of(text);
    memset(b->others, 0, sizeof b->others);
    b->known = true;
    while (rest.n) {
        struct str word = str_split(&rest, ' '), step = str_split(&word, ':'), reads = str_split(&word, ':');
        long long when, r, w;
        if (!str_to_int64(step, &when) || !str_to_int64(reads, &r) || !str_to_int64(word, &w) || when < 0) continue;
        struct people_spent *p = at(b->others, when);
        p->n[PEOPLE_READS] = (unsigned)r;
        p->n[PEOPLE_WRITES] = (unsigned)w;
    }
}

static void keep(struct session *s)
{
    struct people_budget *b = &s->budget;
    struct buf text AUTO_BUF = BUF_INIT;
    int64_t now = step_now(s);
    load(s);
    for (size_t i = 0; i < STEPS; i++) {
        struct people_spent *own = &b->own[i];
        if (!counts(own->step, now)) continue;
        struct people_spent *all = at(b->others, own->step);
        for (int m = 0; m < PEOPLE_METRICS; m++) all->n[m] += own->n[m];
    }
    for (size_t i = 0; i < STEPS; i++) {
        const struct people_spent *p = &b->others[i];
        if (counts(p->step, now) && (p->n[0] || p->n[1]))
            buf_addf(&text, "%s%lld:%u:%u", text.len ? " " : "", (long long)p->step, p->n[PEOPLE_READS],
                     p->n[PEOPLE_WRITES]);
    }
    memset(b->own, 0, sizeof b->own);
    b->unkept = 0;
    s->traits->set(s->traits, TRAIT, buf_cstr(&text));
}

void people_budget_close(struct session *s)
{
    if (s->budget.kept || s->budget.unkept >= KEPT_LEAST) keep(s);
}

/* -- spending -- */

static bool fits(struct session *s, const unsigned cost[PEOPLE_METRICS])
{
    int64_t now = step_now(s);
    for (int m = 0; m < PEOPLE_METRICS; m++) {
        long long spent =
            sum(s->budget.own, now, (enum people_metric)m) + sum(s->budget.others, now, (enum people_metric)m);
        if (cost[m] && spent + cost[m] > limit_of(s)) return false;
    }
    return true;
}

/* To the beginning of the next step: what was spent a minute before is free again then. */
static enum fault_code wait_a_step(struct session *s)
{
    int64_t into_ms = s->env->now_ms(s->env) % STEP_MS;
    return s->env->sleep_ms(s->env, STEP_MS - (into_ms > 0 ? into_ms : 0));
}

enum fault_code people_spend(struct session *s, const unsigned cost[PEOPLE_METRICS])
{
    struct people_budget *b = &s->budget;
    if (!b->known) load(s);
    if (b->unkept >= KEPT_EACH) {
        b->kept = true;
        keep(s);
    }
    while (!fits(s, cost)) {
        enum fault_code code = wait_a_step(s);
        if (code) return code;
    }
    struct people_spent *p = at(b->own, step_now(s));
    for (int m = 0; m < PEOPLE_METRICS; m++) p->n[m] += cost[m];
    b->unkept++;
    return FAULT_NONE;
}
