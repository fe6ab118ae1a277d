#include "cli/daemon_upkeep.h"

#include "base/mem.h"

#include <stdlib.h>

#define FIRST_MS (2 * 1000)
#define HOURLY_MS (60 * 60 * 1000)
#define SOON_MS (60 * 1000)

struct upkeep_clock {
    uv_timer_t timer;
    uv_work_t job;
    void (*work)(void *ctx);
    void *ctx;
    bool working, stopped, closed;
};

static void free_if_done(struct upkeep_clock *c)
{
    if (c->closed && !c->working) free(c);
}

static void do_work(uv_work_t *job)
{
    struct upkeep_clock *c = job->data;
    c->work(c->ctx);
}

static void on_tick(uv_timer_t *timer);

static void on_worked(uv_work_t *job, int status)
{
    struct upkeep_clock *c = job->data;
    (void)status;
    c->working = false;
    if (c->stopped)
        free_if_done(c);
    else
        uv_timer_start(&c->timer, on_tick, HOURLY_MS, 0);
}

static void on_tick(uv_timer_t *timer)
{
    struct upkeep_clock *c = timer->data;
    if (c->working) return;
    c->working = uv_queue_work(timer->loop, &c->job, do_work, on_worked) == 0;
    if (!c->working) uv_timer_start(timer, on_tick, HOURLY_MS, 0);
}

struct upkeep_clock *upkeep_clock_start(uv_loop_t *loop, void (*work)(void *ctx), void *ctx)
{
    struct upkeep_clock *c = mem_calloc(1, sizeof *c);
    c->work = work;
    c->ctx = ctx;
    c->job.data = c;
    uv_timer_init(loop, &c->timer);
    c->timer.data = c;
    uv_timer_start(&c->timer, on_tick, FIRST_MS, 0);
    return c;
}

void upkeep_clock_soon(struct upkeep_clock *c)
{
    if (!c || c->stopped || c->working || uv_timer_get_due_in(&c->timer) <= SOON_MS) return;
    uv_timer_start(&c->timer, on_tick, SOON_MS, 0);
}

static void on_closed(uv_handle_t *handle)
{
    struct upkeep_clock *c = handle->data;
    c->closed = true;
    free_if_done(c);
}

void upkeep_clock_stop(struct upkeep_clock *c)
{
    if (!c || c->stopped) return;
    c->stopped = true;
    uv_close((uv_handle_t *)&c->timer, on_closed);
}
