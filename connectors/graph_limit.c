/* How much at once, and how much in ten minutes (4). Four requests of one application may be under way, over all jobs;
 * a batch is carried out four parts at a time, so it takes as many places. Of the ten thousand in ten minutes a session
 * leaves some to others. */
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/graph_session.h"

#define AT_ONCE 4
#define WINDOW_MS (10 * 60 * 1000LL)
#define IN_WINDOW 9500
#define TURN_MS 50 /* between looks at whether it is our turn */

#define WAITS_MAX 6
#define WAIT_FIRST_MS 2000
#define WAIT_LONGEST_MS 60000
#define ASKED_LONGEST_MS (5 * 60 * 1000LL)

static unsigned places_of(size_t requests)
{
    return requests < AT_ONCE ? (unsigned)requests : AT_ONCE;
}

static enum fault_code stopped(struct fault *f)
{
    return fault_set(f, FAULT_CANCELLED, _("the next run goes on"), _("stopped"));
}

static void wake(void *ctx)
{
    (void)ctx; /* the one who waits looks again by itself */
}

static enum fault_code wait_for_window(struct session *s, size_t requests, struct fault *f)
{
    int64_t now_ms = s->env->monotonic_ms(s->env);
    if (!s->in_window || now_ms - s->window_ms >= WINDOW_MS) {
        s->window_ms = now_ms;
        s->in_window = 0;
    }
    if (s->in_window && s->in_window + (int64_t)requests > IN_WINDOW) {
        if (s->env->sleep_ms(s->env, s->window_ms + WINDOW_MS - now_ms)) return stopped(f);
        s->window_ms = s->env->monotonic_ms(s->env);
        s->in_window = 0;
    }
    s->in_window += (int64_t)requests;
    return FAULT_NONE;
}

enum fault_code graph_enter(struct session *s, size_t requests, struct fault *f)
{
    struct gate *gate = s->account->gate;
    enum fault_code code = wait_for_window(s, requests, f);
    s->visitor.wake = wake;
    while (!code && gate && !gate_enter_many(gate, str_of(s->places), places_of(requests), AT_ONCE, &s->visitor)) {
        if (!s->env->sleep_ms(s->env, TURN_MS)) continue;
        gate_forget(gate, &s->visitor);
        code = stopped(f);
    }
    return code;
}

void graph_leave(struct session *s, size_t requests)
{
    if (s->account->gate) gate_leave_many(s->account->gate, str_of(s->places), places_of(requests));
}

/* "Retry-After: 1" may be told for ever, so our own pause grows all the same (7). */
bool graph_wait(struct session *s, unsigned tries, int64_t asked_ms)
{
    uint32_t jitter;
    int64_t ms = (int64_t)WAIT_FIRST_MS << (tries < 6 ? tries : 6);
    if (tries >= WAITS_MAX || asked_ms > ASKED_LONGEST_MS) return false;
    if (ms > WAIT_LONGEST_MS) ms = WAIT_LONGEST_MS;
    s->env->random(s->env, &jitter, sizeof jitter);
    ms = ms / 2 + jitter % (ms / 2);
    return s->env->sleep_ms(s->env, asked_ms > ms ? asked_ms : ms) == FAULT_NONE;
}
