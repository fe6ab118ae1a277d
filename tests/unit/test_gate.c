#include "base/gate.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>

static void wake(void *ctx)
{
    ++*(int *)ctx;
}

/* One letter a step: a visitor 1..4 asks for a host ("1a"), leaves it ("-a") or does not wait any more ("!1").
 * `enters`: a sign for each asking. */
static const struct {
    const char *name;
    unsigned per_host, over_all;
    const char *steps, *enters;
} rows[] = {
    {"a host has its limit, other hosts have theirs", 2, 9, "1a 1a 1a 2b", "yyny"},
    {"all together have one, too", 9, 2, "1a 2b 3c -a 3c", "yyny"},
    {"who asked first gets the next place", 1, 9, "1a 2a 3a -a 3a 2a", "ynnny"},
    {"who asked first does so over all, too", 9, 1, "1a 2b 3a -a 3a 2b", "ynnny"},
    {"who waits for a full host is in nobody's way", 1, 2, "1a 2a 3b", "yny"},
    {"who gave up is not waited for", 1, 9, "1a 2a 3a !2 -a 3a", "ynny"},
    {"asking again keeps the turn", 1, 9, "1a 2a 3a 2a -a 3a 2a", "ynnnny"},
};

Test(gate, lets_in_as_many_as_may_be)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int woken = 0;
        struct gate_visitor who[5] = {{0}};
        for (size_t k = 0; k < 5; k++) who[k] = (struct gate_visitor){.wake = wake, .ctx = &woken};
        struct gate *g = gate_new(rows[i].per_host, rows[i].over_all);
        const char *expected = rows[i].enters;
        for (const char *s = rows[i].steps; *s; s += s[2] ? 3 : 2) {
            struct str host = {s + 1, 1};
            if (*s == '-')
                gate_leave(g, host);
            else if (*s == '!')
                gate_forget(g, &who[s[1] - '0']);
            else {
                char got = gate_enter(g, host, &who[*s - '0']) ? 'y' : 'n';
                cr_expect_eq(got, *expected, "row %s: step %.2s: %c", rows[i].name, s, got);
                expected++;
            }
        }
        for (size_t k = 0; k < 5; k++) gate_forget(g, &who[k]);
        gate_free(g);
    }
}

Test(gate, wakes_who_waits)
{
    int first = 0, second = 0;
    struct gate_visitor a = {.wake = wake, .ctx = &first}, b = {.wake = wake, .ctx = &second};
    struct gate *g = gate_new(1, 1);
    cr_expect(gate_enter(g, STR("h"), &a));
    cr_expect_not(gate_enter(g, STR("h"), &b));
    gate_leave(g, STR("h"));
    cr_expect(first == 0 && second == 1, "%d %d", first, second);
    cr_expect(gate_enter(g, STR("h"), &b));
    gate_leave(g, STR("h"));
    cr_expect_eq(second, 1);
    gate_free(g);
}

/* Places that a key names: all of n or none, in the order of asking, and nobody else's business. "2:3" visitor 2 asks for three of four;
 * "-3" gives three back, "!2" does not wait any more, "h" a transfer enters. */
Test(gate, takes_several_places_at_once)
{
    static const struct {
        const char *name, *steps, *enters;
    } several[] = {
        {"four and no more", "1:4 2:1 -4 2:1", "yny"},
        {"what is left is enough or is not", "1:2 2:3 3:2", "ynn"},
        {"a large one is not overtaken by small ones", "1:2 2:4 3:1 -2 3:1 2:4 -4 3:1", "ynnnyy"},
        {"who gave up is not waited for", "1:2 2:4 3:1 !2 3:1", "ynny"},
        {"transfers do not count, nor wait for them", "1:4 2:1 h h", "ynyy"},
    };
    for (size_t i = 0; i < sizeof several / sizeof *several; i++) {
        int woken = 0;
        struct gate_visitor who[5] = {{0}}, transfer = {.wake = wake, .ctx = &woken};
        for (size_t k = 0; k < 5; k++) who[k] = (struct gate_visitor){.wake = wake, .ctx = &woken};
        struct gate *g = gate_new(2, 2);
        const char *expected = several[i].enters;
        for (const char *s = several[i].steps; *s; s += strcspn(s, " "), s += *s == ' ') {
            if (*s == '-')
                gate_leave_many(g, STR("graph app"), (unsigned)(s[1] - '0'));
            else if (*s == '!')
                gate_forget(g, &who[s[1] - '0']);
            else {
                bool in = *s == 'h' ? gate_enter(g, STR("host"), &transfer)
                                    : gate_enter_many(g, STR("graph app"), (unsigned)(s[2] - '0'), 4, &who[*s - '0']);
                cr_expect_eq(in, *expected++ == 'y', "%s: at %s", several[i].name, s);
            }
        }
        for (size_t k = 0; k < 5; k++) gate_forget(g, &who[k]);
        gate_forget(g, &transfer);
        gate_free(g);
    }
}

/* -- several threads -- */

struct crowd {
    struct gate *gate;
    atomic_int inside, most, done;
};
struct member {
    struct crowd *crowd;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool woken;
};

static void wake_member(void *ctx)
{
    struct member *m = ctx;
    pthread_mutex_lock(&m->lock);
    m->woken = true;
    pthread_cond_signal(&m->cond);
    pthread_mutex_unlock(&m->lock);
}

static void wait_woken(struct member *m)
{
    pthread_mutex_lock(&m->lock);
    while (!m->woken) pthread_cond_wait(&m->cond, &m->lock);
    m->woken = false;
    pthread_mutex_unlock(&m->lock);
}

static void *work(void *ctx)
{
    struct member m = {ctx, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    struct gate_visitor v = {.wake = wake_member, .ctx = &m};
    for (int i = 0; i < 2000; i++) {
        while (!gate_enter(m.crowd->gate, STR("h"), &v)) wait_woken(&m);
        int now = ++m.crowd->inside, most = m.crowd->most;
        while (now > most && !atomic_compare_exchange_weak(&m.crowd->most, &most, now)) {
        }
        m.crowd->inside--;
        gate_leave(m.crowd->gate, STR("h"));
        m.crowd->done++;
    }
    return NULL;
}

Test(gate, many_threads_neither_overrun_nor_stall, .timeout = 30)
{
    struct crowd crowd = {.gate = gate_new(3, 9)};
    pthread_t threads[8];
    for (size_t i = 0; i < 8; i++) pthread_create(&threads[i], NULL, work, &crowd);
    for (size_t i = 0; i < 8; i++) pthread_join(threads[i], NULL);
    cr_expect_eq(crowd.done, 8 * 2000);
    cr_expect_leq(crowd.most, 3);
    gate_free(crowd.gate);
}
