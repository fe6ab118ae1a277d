#include "cli/progress.h"

#include "base/i18n.h"
#include "cli/out.h"

#include <inttypes.h>
#include <unistd.h>

#define REFRESH_MS 250
#define PLAIN_AFTER_MS 2000 /* phases that are over before that are not worth a line in a log */

static const char *phase_text(enum run_phase phase)
{
    static const char *const texts[] = {
        [PHASE_CONNECT] = N_("connecting"), [PHASE_LIST] = N_("listing"),  [PHASE_FETCH] = N_("fetching"),
        [PHASE_MATCH] = N_("matching"),     [PHASE_PLAN] = N_("planning"), [PHASE_WRITE] = N_("writing"),
        [PHASE_CONFIRM] = N_("confirming"), [PHASE_DONE] = N_("done"),
    };
    return _(texts[phase]);
}

struct progress progress_of(struct env *env, const char *link, bool quiet)
{
    return (struct progress){.env = env, .link = link, .quiet = quiet, .terminal = isatty(STDERR_FILENO) != 0};
}

/* "1:05 left", from the speed of this phase so far; nothing in its first two seconds. */
static void add_time_left(const struct progress *p, int64_t now_ms, size_t done, size_t total, struct buf *line)
{
    int64_t spent_ms = now_ms - p->phase_start_ms;
    if (!done || done >= total || spent_ms < 2000) return;
    int64_t left_s = spent_ms * (int64_t)(total - done) / (int64_t)done / 1000;
    buf_addf(line, _(", %lld:%02lld left"), (long long)(left_s / 60), (long long)(left_s % 60));
}

static void describe(const struct progress *p, int64_t now_ms, size_t done, size_t total, struct buf *line)
{
    buf_addf(line, "%s: %s", p->link, phase_text(p->phase));
    if (total)
        buf_addf(line, " %zu/%zu (%zu %%)", done, total, done * 100 / total);
    else if (done)
        buf_addf(line, " %zu", done);
    add_time_left(p, now_ms, done, total, line);
}

static void show_on_terminal(struct progress *p, struct str line)
{
    size_t width = text_width(line);
    int rest = (int)(p->shown_columns > width ? p->shown_columns - width : 0);
    fprintf(stderr, "\r%.*s%*s", STR_ARG(line), rest, "");
    p->shown_columns = width;
}

void progress_show(void *ctx, enum run_phase phase, size_t done, size_t total)
{
    struct progress *p = ctx;
    if (p->quiet) return;
    int64_t now_ms = p->env->monotonic_ms(p->env);
    bool fresh = !p->started || phase != p->phase;
    if (fresh) p->phase_start_ms = now_ms;
    if (fresh && !p->terminal) p->shown_ms = now_ms;
    p->started = true;
    p->phase = phase;
    int64_t every_ms = p->terminal ? REFRESH_MS : PLAIN_AFTER_MS;
    if (now_ms - p->shown_ms < every_ms) return;
    p->shown_ms = now_ms + (p->terminal ? 0 : 30000 - PLAIN_AFTER_MS); /* a log gets a line each half minute */
    struct buf line AUTO_BUF = BUF_INIT;
    describe(p, now_ms, done, total, &line);
    if (p->terminal)
        show_on_terminal(p, buf_str(&line));
    else
        fprintf(stderr, "%s\n", buf_cstr(&line));
}

void progress_end(struct progress *p)
{
    if (p->shown_columns) fprintf(stderr, "\r%*s\r", (int)p->shown_columns, "");
    p->shown_columns = 0;
}
