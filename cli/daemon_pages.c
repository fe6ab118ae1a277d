#include "cli/daemon_pages.h"

#include "base/mem.h"
#include "cli/command.h"
#include "cli/sign_in.h"
#include "server/directory.h"
#include "state/runs.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

#define BUCKETS 8
static const double bucket_s[BUCKETS] = {0.05, 0.1, 0.5, 1, 5, 30, 120, 600};

struct daemon_counts {
    pthread_mutex_t mutex;
    uint64_t runs[RUN_PENDING + 1]; /* by status */
    uint64_t bucket[BUCKETS + 1];   /* the last one: longer than all */
    int64_t duration_ms;
    int64_t operations[2][3]; /* side; created, updated, deleted */
    uint64_t conflicts;
};

struct daemon_counts *daemon_counts_new(void)
{
    struct daemon_counts *c = mem_calloc(1, sizeof *c);
    pthread_mutex_init(&c->mutex, NULL);
    return c;
}

void daemon_counts_free(struct daemon_counts *c)
{
    pthread_mutex_destroy(&c->mutex);
    free(c);
}

void daemon_counts_add(struct daemon_counts *c, const struct run_result *r)
{
    const struct side_counts *sides[2] = {&r->a, &r->b};
    size_t bucket = 0;
    while (bucket < BUCKETS && (double)r->duration_ms > bucket_s[bucket] * 1000) bucket++;
    pthread_mutex_lock(&c->mutex);
    c->runs[r->status]++;
    c->bucket[bucket]++;
    c->duration_ms += r->duration_ms;
    for (int s = 0; s < 2; s++) {
        c->operations[s][0] += sides[s]->created;
        c->operations[s][1] += sides[s]->updated;
        c->operations[s][2] += sides[s]->deleted;
    }
    c->conflicts += r->n_conflicts;
    pthread_mutex_unlock(&c->mutex);
}

/* -- metrics -- */

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(struct buf *out, const char *name, const char *type, const char *help, int64_t value)
{
    head(out, name, type, help);
    buf_addf(out, "%s %" PRId64 "\n", name, value);
}

static void label(struct buf *out, const char *value)
{
    for (; *value; value++) {
        if (*value == '\\' || *value == '"') buf_addc(out, '\\');
        if (*value == '\n')
            buf_adds(out, "\\n");
        else
            buf_addc(out, *value);
    }
}

struct series { /* one metric over all links */
    struct buf *out;
    const char *name;
    double (*value)(const struct scheduled_view *v);
    const char *(*state)(const struct scheduled_view *v); /* NULL = no such label */
};

static void add_series(void *ctx, const struct scheduled_view *v)
{
    struct series *s = ctx;
    buf_addf(s->out, "%s{job=\"", s->name);
    label(s->out, v->name);
    if (s->state) buf_addf(s->out, "\",state=\"%s", s->state(v));
    buf_addf(s->out, "\"} %.3f\n", s->value(v));
}

static const char *state_of(const struct scheduled_view *v)
{
    return v->running ? "running" : v->code == FAULT_AUTH ? "auth" : v->failures ? "failed" : "idle";
}

static double always(const struct scheduled_view *v)
{
    (void)v;
    return 1;
}

static double last_success(const struct scheduled_view *v)
{
    return (double)v->last_success_ms / 1000;
}

static double skipped(const struct scheduled_view *v)
{
    return (double)v->skipped;
}

static double due_in(const struct scheduled_view *v)
{
    return (double)v->due_in_ms / 1000;
}

static void add_links(const struct daemon_view *v, struct buf *out)
{
    static const struct {
        const char *name, *type, *help;
        double (*value)(const struct scheduled_view *v);
        const char *(*state)(const struct scheduled_view *v);
    } rows[] = {
        {"abgleich_job_state", "gauge", "What a link is doing: idle, running, auth (sign-in refused) or failed.",
         always, state_of},
        {"abgleich_job_last_success_timestamp_seconds", "gauge", "End of the last run that went through; 0 = never.",
         last_success, NULL},
        {"abgleich_job_due_seconds", "gauge", "Time until the next run.", due_in, NULL},
        {"abgleich_job_skipped_ticks_total", "counter", "Times it was due and could not run.", skipped, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct series s = {out, rows[i].name, rows[i].value, rows[i].state};
        head(out, rows[i].name, rows[i].type, rows[i].help);
        scheduler_each(v->scheduler, add_series, &s);
    }
}

static void add_durations(const struct daemon_counts *c, struct buf *out)
{
    uint64_t sum = 0;
    head(out, "abgleich_run_duration_seconds", "histogram", "How long runs took.");
    for (size_t i = 0; i < BUCKETS; i++) {
        sum += c->bucket[i];
        buf_addf(out, "abgleich_run_duration_seconds_bucket{le=\"%g\"} %" PRIu64 "\n", bucket_s[i], sum);
    }
    sum += c->bucket[BUCKETS];
    buf_addf(out, "abgleich_run_duration_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n", sum);
    buf_addf(out, "abgleich_run_duration_seconds_sum %.3f\n", (double)c->duration_ms / 1000);
    buf_addf(out, "abgleich_run_duration_seconds_count %" PRIu64 "\n", sum);
}

static void add_counts(struct daemon_counts *c, struct buf *out)
{
    static const char *const ops[] = {"create", "update", "delete"};
    pthread_mutex_lock(&c->mutex);
    head(out, "abgleich_runs_total", "counter", "Runs by how they ended.");
    for (int s = 0; s <= RUN_PENDING; s++)
        buf_addf(out, "abgleich_runs_total{result=\"%s\"} %" PRIu64 "\n", run_status_name((enum run_status)s),
                 c->runs[s]);
    head(out, "abgleich_operations_total", "counter", "Records written.");
    for (int s = 0; s < 2; s++)
        for (int o = 0; o < 3; o++)
            buf_addf(out, "abgleich_operations_total{side=\"%c\",op=\"%s\"} %" PRId64 "\n", s ? 'b' : 'a', ops[o],
                     c->operations[s][o]);
    one(out, "abgleich_conflicts_total", "counter", "Values changed on both sides.", (int64_t)c->conflicts);
    one(out, "abgleich_guard_trips_total", "counter", "Runs stopped by a guard.", (int64_t)c->runs[RUN_HELD]);
    add_durations(c, out);
    pthread_mutex_unlock(&c->mutex);
}

static bool add_state(struct db *db, struct buf *out)
{
    struct fault ignored AUTO_FAULT = FAULT_INIT;
    struct open_matters m = runs_open_matters(db);
    struct stat st;
    if (db_check(db, &ignored)) return false;
    one(out, "abgleich_held_plans", "gauge", "Plans that wait for a person.", m.held);
    one(out, "abgleich_conflicts_open", "gauge", "Conflicts nobody has marked as read.", m.conflicts);
    one(out, "abgleich_quarantined_items", "gauge", "Records left alone or owed.", m.pending);
    one(out, "abgleich_intents_unconfirmed", "gauge", "Writes whose outcome is looked at in the next run.", m.intents);
    one(out, "abgleich_journal_bytes", "gauge", "Size of the state's file.",
        stat(db_path(db), &st) ? 0 : (int64_t)st.st_size);
    return true;
}

static void add_count(void *ctx, const char *format, uint64_t n)
{
    buf_addf(ctx, "abgleich_directory_requests_total{format=\"%s\"} %" PRIu64 "\n", format, n);
}

static void add_account(struct buf *out, const char *metric, const struct config_account *a, const char *state,
                        int64_t value)
{
    buf_addf(out, "%s{account=\"", metric);
    label(out, a->name);
    if (state) buf_addf(out, "\",state=\"%s", state);
    buf_addf(out, "\"} %" PRId64 "\n", value);
}

/* Of accounts that sign in by OAuth. */
static void add_sign_ins(const struct daemon_view *v, struct buf *out)
{
    struct buf ends AUTO_BUF = BUF_INIT;
    static const char *const names[] = {"abgleich_auth_state", "abgleich_auth_expiry_timestamp_seconds"};
    head(out, names[0], "gauge", "How a sign-in stands: fine, ends-soon, dead or none.");
    head(&ends, names[1], "gauge", "When a sign-in ends unless somebody does something; 0 = it has. Not told where not known.");
    for (size_t i = 0; i < v->config->n_accounts; i++) {
        const struct config_account *a = &v->config->accounts[i];
        struct oauth_report r;
        if (!a->enabled || !sign_in_look(a, v->db, &r)) continue;
        bool lives = r.state == OAUTH_FINE || r.state == OAUTH_ENDS_SOON;
        add_account(out, names[0], a, sign_in_name(r.state), 1);
        if (!lives || r.ends_ms) add_account(&ends, names[1], a, NULL, lives ? r.ends_ms / 1000 : 0);
    }
    buf_addstr(out, buf_str(&ends));
}

static void add_metrics(const struct daemon_view *v, struct buf *out)
{
    head(out, "abgleich_build_info", "gauge", "The program.");
    buf_addf(out, "abgleich_build_info{version=\"%s\"} 1\n", ABGLEICH_VERSION);
    one(out, "abgleich_jobs_running", "gauge", "Runs under way.", (int64_t)scheduler_running(v->scheduler));
    add_links(v, out);
    add_counts(v->counts, out);
    if (v->directory) {
        head(out, "abgleich_directory_requests_total", "counter", "Phonebooks read and pushed, by format.");
        directory_each_count(v->directory, add_count, out);
    }
    add_sign_ins(v, out);
    add_state(v->db, out);
}

/* -- JSON -- */

static void add_link(void *ctx, const struct scheduled_view *v)
{
    json_array_append_new(ctx,
                          json_pack("{s:s, s:b, s:I, s:i, s:s, s:I, s:I, s:I}", "link", v->name, "running", v->running,
                                    "due_in_ms", (json_int_t)v->due_in_ms, "failures", (int)v->failures, "code",
                                    fault_name(v->code), "backing_off_ms", (json_int_t)v->backing_off_ms, "skipped",
                                    (json_int_t)v->skipped, "runs", (json_int_t)v->runs));
}

static void add_overview(const struct daemon_view *v, struct buf *out)
{
    json_t *links = json_array();
    scheduler_each(v->scheduler, add_link, links);
    json_t *all = json_pack("{s:s, s:s, s:o}", "program", "abgleich", "version", ABGLEICH_VERSION, "links", links);
    char *text = json_dumps(all, 0);
    buf_addf(out, "%s\n", text);
    free(text);
    json_decref(all);
}

void daemon_page(const struct daemon_view *v, const char *path, struct http_answer *answer)
{
    if (strcmp(path, "/livez") == 0) {
        http_answer_text(answer, 200, "ok");
    } else if (strcmp(path, "/readyz") == 0) {
        struct buf unused AUTO_BUF = BUF_INIT;
        bool ready = !v->stopping && add_state(v->db, &unused);
        http_answer_text(answer, ready ? 200 : 503,
                         ready         ? "ok"
                         : v->stopping ? "stopping"
                                       : "the state cannot be read");
    } else if (strcmp(path, "/metrics") == 0) {
        answer->status = 200;
        answer->type = "text/plain; version=0.0.4; charset=utf-8";
        add_metrics(v, &answer->body);
    } else if (strcmp(path, "/") == 0) {
        answer->status = 200;
        answer->type = "application/json";
        add_overview(v, &answer->body);
    }
}
