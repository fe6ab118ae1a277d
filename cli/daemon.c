/* `abgleich daemon`: scheduler and listener in the foreground. Reloads on SIGHUP and when a configuration file changes,
 * validated first; SIGTERM and SIGINT let the writes under way finish, for a bounded time, and a second one ends it at
 * once. */
#include "base/i18n.h"
#include "base/mem.h"
#include "base/gate.h"
#include "cli/command.h"
#include "cli/daemon_job.h"
#include "cli/daemon_notify.h"
#include "cli/daemon_pages.h"
#include "cli/daemon_upkeep.h"
#include "cli/daemon_watch.h"
#include "cli/file.h"
#include "cli/upkeep.h"
#include "connectors/url.h"
#include "core/scheduler.h"
#include "server/dav.h"
#include "server/directory.h"
#include "server/http_server.h"
#include "state/journal.h"
#include "state/lock.h"

#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/resource.h>

#define TRANSFERS_PER_HOST 16 /* in flight, over all jobs */
#define TRANSFERS 256
#define SETTLE_MS 300      /* an editor writes a file in several steps */
#define PULSE_MS 500       /* how often the state is looked at */
#define BUSY_AGAIN_MS 3000 /* somebody else had the link */
#define DRAIN_PULSE_MS 5000
#define PEM_MAX_BYTES ((size_t)1 << 20)
#define FILES_MAX 4096
#define WORKERS "16"   /* of the listener: four would let a few slow answers hold up all */
#define DRAIN_MS 90000 /* runs see the stop within seconds; a remote that hangs may not keep us */

struct shared_config { /* jobs keep the one they began with */
    struct config *config;
    unsigned users; /* guarded by the daemon's mutex */
};

struct daemon {
    struct cli *cli;
    uv_loop_t loop;
    uv_signal_t signals[3];
    uv_fs_event_t watches[2];
    size_t n_watches;
    uv_timer_t settle, pulse;
    struct notifier *notifier;
    struct state_watch *watch;
    int64_t pinged_ms, stopping_ms; /* monotonic */
    bool told;                      /* STATUS says what is so */
    struct scheduler *scheduler;
    struct http_server *server;
    struct directory_service *directory;
    struct dav_service *dav;
    struct upkeep_clock *upkeep;
    pthread_mutex_t mutex;
    struct shared_config *current;
    struct daemon_counts *counts;
    struct gate *gate;
    bool stopping;
};

/* -- configuration in use -- */

static struct shared_config *config_take(struct daemon *d)
{
    pthread_mutex_lock(&d->mutex);
    struct shared_config *c = d->current;
    c->users++;
    pthread_mutex_unlock(&d->mutex);
    return c;
}

static void config_give_back(struct daemon *d, struct shared_config *c)
{
    pthread_mutex_lock(&d->mutex);
    bool last = --c->users == 0;
    pthread_mutex_unlock(&d->mutex);
    if (!last) return;
    config_free(c->config);
    free(c);
}

static void config_replace(struct daemon *d, struct config *config)
{
    struct shared_config *fresh = mem_calloc(1, sizeof *fresh), *old;
    *fresh = (struct shared_config){config, 1};
    pthread_mutex_lock(&d->mutex);
    old = d->current;
    d->current = fresh;
    pthread_mutex_unlock(&d->mutex);
    if (old) config_give_back(d, old);
}

/* -- a job -- */

static struct scheduled_outcome on_run(void *ctx, const char *name, enum scheduled_cause cause,
                                       const volatile int *cancel)
{
    struct daemon *d = ctx;
    struct shared_config *c = config_take(d);
    struct scheduled_outcome outcome =
        daemon_job_run(c->config, d->cli->system.max_level, name, cause, d->gate, d->counts, cancel);
    config_give_back(d, c);
    return outcome;
}

static void on_ran(void *ctx, const char *link, const struct scheduled_outcome *outcome, int64_t next_in_ms)
{
    struct daemon *d = ctx;
    env_logf(d->cli->env, LOG_DEBUG, "event=next link=%s code=%s in_ms=%lld", link, fault_name(outcome->code),
             (long long)next_in_ms);
    if (outcome->code == FAULT_BUSY) scheduler_run_soon(d->scheduler, link, CAUSE_INTERVAL, BUSY_AGAIN_MS);
    d->told = false;
    upkeep_clock_soon(d->upkeep);
}

static void on_upkeep(void *ctx)
{
    struct daemon *d = ctx;
    struct shared_config *c = config_take(d);
    struct env_system system;
    env_system_init(&system, d->cli->system.max_level, d->cli->system.cancel);
    upkeep_run(c->config, &system.env);
    config_give_back(d, c);
}

/* -- what is scheduled -- */

/* The remote of one side; the store is none. */
static void add_remote(struct scheduled *link, int side, const struct config_account *account, struct arena *arena)
{
    if (config_is_built_in(account)) return;
    struct buf origin AUTO_BUF = BUF_INIT;
    link->accounts[side] = account->name;
    if (account->url && url_origin(str_of(account->url), &origin))
        link->hosts[side] = arena_strdup(arena, buf_str(&origin));
}

static struct scheduled scheduled_of(struct daemon *d, const struct config_link *l, struct arena *arena)
{
    struct link_state state;
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct scheduled out = {.name = l->name, .interval_ms = l->interval_ms > 0 ? l->interval_ms : 1};
    if (!link_state_load(d->cli->db, l->name, &state, &f)) out.last_run_ms = state.last_run_ms;
    link_state_free(&state);
    add_remote(&out, 0, l->account_a, arena);
    add_remote(&out, 1, l->account_b, arena);
    return out;
}

static void schedule(struct daemon *d)
{
    const struct config *c = d->current->config;
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct scheduled *links AUTO_FREE = mem_calloc(c->n_links + 1, sizeof *links);
    size_t n = 0;
    for (size_t i = 0; i < c->n_links; i++) {
        const struct config_link *l = &c->links[i];
        if (!config_link_is_on(l) || l->policy.mode < MODE_ONE_WAY) continue; /* an import is run by a person */
        links[n++] = scheduled_of(d, l, &arena);
    }
    scheduler_limit(d->scheduler, (size_t)c->jobs, (size_t)c->jobs_per_host);
    scheduler_set(d->scheduler, links, n);
    env_logf(d->cli->env, LOG_INFO, "event=scheduled links=%zu", n);
}

static void reload(struct daemon *d)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct config *fresh;
    if (d->stopping) return;
    if (config_load(d->current->config->path, true, &fresh, &f)) {
        struct buf text AUTO_BUF = BUF_INIT;
        fault_text(&f, &text);
        env_logf(d->cli->env, LOG_ERROR, "event=reload_refused kept=old reason=\"%s\"", buf_cstr(&text));
        return;
    }
    notify(d->notifier, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)d->cli->env->monotonic_ms(d->cli->env) * 1000);
    config_replace(d, fresh);
    schedule(d);
    notify(d->notifier, "READY=1");
}

/* -- the pulse: what changed in the state, and a sign of life -- */

static void on_changed(void *ctx, const char *link)
{
    struct daemon *d = ctx;
    if (scheduler_run_soon(d->scheduler, link, CAUSE_CHANGE, 0))
        env_logf(d->cli->env, LOG_DEBUG, "event=changed link=%s", link);
}

static bool on_requested(void *ctx, const char *link)
{
    return scheduler_run_soon(((struct daemon *)ctx)->scheduler, link, CAUSE_REQUEST, 0);
}

struct tally {
    int links, running, failing;
};

static void count_link(void *ctx, const struct scheduled_view *v)
{
    struct tally *t = ctx;
    t->links++;
    t->running += v->running;
    t->failing += v->failures > 0;
}

static void tell_status(struct daemon *d)
{
    struct tally t = {0};
    scheduler_each(d->scheduler, count_link, &t);
    d->told = t.running == 0; /* else the next pulse tells how it goes on */
    notify(d->notifier, _("STATUS=%d links, %d running, %d failing"), t.links, t.running, t.failing);
}

static void ping(struct daemon *d, int64_t now)
{
    int64_t every = notifier_watchdog_ms(d->notifier) / 3;
    if (!every || now - d->pinged_ms < every) return;
    d->pinged_ms = now;
    notify(d->notifier, "WATCHDOG=1");
}

static void on_pulse(uv_timer_t *timer)
{
    struct daemon *d = timer->data;
    state_watch_look(d->watch, d->current->config);
    if (!d->told) tell_status(d);
    ping(d, d->cli->env->monotonic_ms(d->cli->env));
}

/* A kill is safe at any instant (core/run.h), so being late is no reason to stay. */
static void on_drain(uv_timer_t *timer)
{
    struct daemon *d = timer->data;
    int64_t now = d->cli->env->monotonic_ms(d->cli->env);
    if (now - d->stopping_ms >= DRAIN_MS) {
        env_logf(d->cli->env, LOG_WARNING, "event=stop_forced running=%zu", scheduler_running(d->scheduler));
        _exit(EXIT_PARTLY);
    }
    notify(d->notifier, "EXTEND_TIMEOUT_USEC=%d\nWATCHDOG=1", 3 * DRAIN_PULSE_MS * 1000);
}

/* -- the listener -- */

static void on_page(void *ctx, struct http_call *c)
{
    struct daemon *d = ctx;
    const struct daemon_view view = {d->scheduler, d->counts, d->cli->db, d->directory, d->current->config, d->stopping};
    daemon_page(&view, http_call_path(c), http_call_answer(c));
}

static enum fault_code listen_on(struct daemon *d, struct fault *f)
{
    const struct config *c = d->current->config;
    struct buf cert AUTO_BUF = BUF_LIMIT(PEM_MAX_BYTES), key AUTO_BUF = BUF_LIMIT(PEM_MAX_BYTES);
    if (!c->listen) return FAULT_NONE;
    if (c->tls_cert && (file_read(c->tls_cert, &cert, f) || file_read(c->tls_key, &key, f))) return FAULT_CONFIG;
    const struct http_listen where = {c->listen, c->tls_cert ? buf_cstr(&cert) : NULL,
                                      c->tls_key ? buf_cstr(&key) : NULL, HTTP_LIMITS_DEFAULT};
    enum fault_code code = http_server_start(&d->loop, &where, &d->server, f);
    sodium_memzero(key.data, key.len);
    if (code) return code;
    http_server_route(d->server,
                      &(const struct http_route){.prefix = "/", .methods = "GET HEAD", .ctx = d, .begin = on_page});
    struct directory_csv_options csv;
    if (config_directory_columns(c, &d->cli->arena, &csv, f)) return f->code;
    const struct directory_service_settings directory = {.state = db_path(d->cli->db),
                                                         .region = c->region,
                                                         .max_level = d->cli->system.max_level,
                                                         .cancel = d->cli->system.cancel,
                                                         .claims = c->directory_claim,
                                                         .claim_networks = c->directory_claim_networks,
                                                         .csv = csv,
                                                         .upload_bytes = (size_t)c->max_upload_bytes};
    d->directory = directory_service_new(&directory);
    directory_route(d->directory, d->server);
    const struct dav_service_settings dav = {.state = db_path(d->cli->db),
                                             .region = c->region,
                                             .max_level = d->cli->system.max_level,
                                             .cancel = d->cli->system.cancel,
                                             .card_bytes = (size_t)c->max_upload_bytes,
                                             .requests_per_s = c->dav_rate,
                                             .delete_books = c->dav_delete_books,
                                             .history = c->history_ms > 0};
    d->dav = dav_service_new(&dav);
    dav_route(d->dav, d->server);
    return FAULT_NONE;
}

/* -- signals and files -- */

static void stop(struct daemon *d)
{
    if (d->stopping) return;
    d->stopping = true;
    cli_say(d->cli, "%s\n", _("stopping, the writes under way are finished first"));
    for (size_t i = 0; i < 3; i++) uv_close((uv_handle_t *)&d->signals[i], NULL);
    for (size_t i = 0; i < d->n_watches; i++) uv_close((uv_handle_t *)&d->watches[i], NULL);
    uv_close((uv_handle_t *)&d->settle, NULL);
    d->stopping_ms = d->cli->env->monotonic_ms(d->cli->env);
    notify(d->notifier, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%d", 3 * DRAIN_PULSE_MS * 1000);
    uv_timer_start(&d->pulse, on_drain, DRAIN_PULSE_MS, DRAIN_PULSE_MS);
    http_server_stop(d->server);
    upkeep_clock_stop(d->upkeep);
    scheduler_stop(d->scheduler);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct daemon *d = handle->data;
    if (number == SIGHUP)
        reload(d);
    else
        stop(d);
}

static void on_settled(uv_timer_t *timer)
{
    reload(timer->data);
}

#define DROP_INS "conf.d"

static void watch_drop_ins(struct daemon *d);

static void on_file(uv_fs_event_t *watch, const char *name, int events, int status)
{
    struct daemon *d = watch->data;
    (void)events;
    if (status < 0 || !name) return;
    bool folder = strcmp(name, DROP_INS) == 0;
    if (folder && d->n_watches == 1) watch_drop_ins(d); /* the first drop-in made the folder */
    if (!folder && !str_ends(str_of(name), STR(".ini"))) return;
    uv_timer_start(&d->settle, on_settled, SETTLE_MS, 0);
}

static void watch_folder(struct daemon *d, const char *folder)
{
    uv_fs_event_t *w = &d->watches[d->n_watches];
    uv_fs_event_init(&d->loop, w);
    w->data = d;
    if (uv_fs_event_start(w, on_file, folder, 0) == 0) {
        d->n_watches++;
        return;
    }
    uv_close((uv_handle_t *)w, NULL);
    env_logf(d->cli->env, LOG_DEBUG, "event=not_watched folder=%s", folder);
}

static void watch_drop_ins(struct daemon *d)
{
    char *folder AUTO_FREE = file_folder(d->current->config->path);
    struct buf drop_ins AUTO_BUF = BUF_INIT;
    buf_addf(&drop_ins, "%s/" DROP_INS, folder);
    watch_folder(d, buf_cstr(&drop_ins));
}

static void watch(struct daemon *d)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    for (size_t i = 0; i < 3; i++) {
        uv_signal_init(&d->loop, &d->signals[i]);
        d->signals[i].data = d;
        uv_signal_start(&d->signals[i], on_signal, numbers[i]);
    }
    uv_timer_init(&d->loop, &d->settle);
    d->settle.data = d;
    char *folder AUTO_FREE = file_folder(d->current->config->path);
    watch_folder(d, folder);
    watch_drop_ins(d);
    uv_timer_init(&d->loop, &d->pulse);
    d->pulse.data = d;
    uv_timer_start(&d->pulse, on_pulse, 0, PULSE_MS);
}

static void on_stopped(void *ctx)
{
    struct daemon *d = ctx;
    uv_close((uv_handle_t *)&d->pulse, NULL); /* nothing is left on the loop: uv_run returns */
}

static int serve(struct daemon *d)
{
    struct cli *cli = d->cli;
    if (listen_on(d, &cli->fault)) return cli_fail(cli);
    const struct scheduler_hooks hooks = {d, on_run, on_ran, on_stopped};
    d->scheduler = scheduler_new(&d->loop, cli->env, &hooks);
    d->upkeep = upkeep_clock_start(&d->loop, on_upkeep, d);
    d->watch = state_watch_new(cli->db, &(const struct state_watch_hooks){d, on_changed, on_requested});
    watch(d);
    schedule(d);
    if (d->server) cli_say(cli, _("listening on %s\n"), http_server_address(d->server));
    cli_say(cli, "%s\n", _("running; Ctrl-C ends it"));
    notify(d->notifier, "READY=1");
    uv_run(&d->loop, UV_RUN_DEFAULT);
    scheduler_free(d->scheduler);
    state_watch_free(d->watch);
    return EXIT_DONE;
}

/* A service manager gives 1024 and allows more; jobs and a thousand connections need them. */
static void allow_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur >= FILES_MAX) return;
    files.rlim_cur = files.rlim_max < FILES_MAX ? files.rlim_max : FILES_MAX;
    setrlimit(RLIMIT_NOFILE, &files);
}

int command_daemon(struct cli *cli)
{
    struct lock *only AUTO_LOCK = NULL;
    if (!cli_db(cli) || lock_daemon(cli->db, &only, &cli->fault)) return cli_fail(cli);
    struct daemon d = {.cli = cli,
                       .notifier = notifier_open(),
                       .counts = daemon_counts_new(),
                       .gate = gate_new(TRANSFERS_PER_HOST, TRANSFERS)};
    pthread_mutex_init(&d.mutex, NULL);
    setenv("UV_THREADPOOL_SIZE", WORKERS, 0);
    allow_files();
    uv_loop_init(&d.loop);
    config_replace(&d, cli->config);
    cli->config = NULL; /* shared from here on */
    int code = serve(&d);
    uv_loop_close(&d.loop);
    directory_service_free(d.directory);
    dav_service_free(d.dav);
    config_give_back(&d, d.current);
    pthread_mutex_destroy(&d.mutex);
    daemon_counts_free(d.counts);
    gate_free(d.gate);
    notifier_close(d.notifier);
    return code;
}
