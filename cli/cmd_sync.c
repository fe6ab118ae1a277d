/* check, sync, import: one run of each link named, or of all that are on. */
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/run_once.h"
#include "cli/upkeep.h"

#include "base/i18n.h"
#include "state/request.h"

#define OPERATIONS_SHOWN 25 /* a first sync has thousands; the report keeps them */

struct session_of_runs {
    struct cli *cli;
    struct run_options options;
    const char *import; /* --mode of `import`; NULL = as configured */
    json_t *all;        /* of several with --json */
    bool quiet_json;    /* nothing is printed with --json */
    char plan[17];      /* of the last run */
    int code;           /* the gravest so far */
};

/* Gravest first: what an administrator should see of several outcomes. */
static int graver(int a, int b)
{
    static const int order[] = {7, 5, 6, 2, 4, 8, 1, 3, 10, 0};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (a == order[i] || b == order[i]) return order[i];
    return a > b ? a : b;
}

static void print_fault(const struct config_link *l, struct fault *f)
{
    struct buf text AUTO_BUF = BUF_INIT;
    if (!f->code) return;
    fault_about(f, l->name, NULL);
    fault_text(f, &text);
    fprintf(stderr, "abgleich: %s\n", buf_cstr(&text));
}

/* With -q only what needs somebody is worth a word. */
static bool needs_somebody(enum run_status status)
{
    return status == RUN_PARTIAL || status == RUN_HELD || status == RUN_FAILED;
}

static void print_result(struct session_of_runs *s, const struct run_result *result, const struct link *link)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct report report = report_of_result(result, link, s->options.check_only, &arena);
    if (s->all)
        json_array_append_new(s->all, report_json(&report));
    else if (s->cli->json && !s->quiet_json)
        json_print(report_json(&report), stdout);
    report.run.fault = STR_NONE; /* stands on stderr */
    if (!s->cli->json && (!s->cli->quiet || needs_somebody(result->status)))
        report_text(&report, s->cli->verbose ? 0 : OPERATIONS_SHOWN, stdout);
}

static int run_one(struct session_of_runs *s, const struct config_link *l)
{
    struct cli *cli = s->cli;
    struct link link;
    struct run_result result = {.fault = FAULT_INIT};
    struct progress progress = progress_of(cli->env, l->name, cli->quiet || cli->json);
    s->options.progress = progress_show;
    s->options.progress_ctx = &progress;
    if (config_link_open(l, cli->db, &link, &result.fault) == FAULT_NONE) {
        if (s->import) policy_set_mode(&link.policy, STR("import"), str_of(s->import));
        run_link(cli->db, cli->env, &link, &s->options, &result);
    } else {
        result.status = RUN_FAILED;
    }
    progress_end(&progress);
    s->options.progress = NULL;
    s->options.progress_ctx = NULL;
    print_result(s, &result, &link);
    fflush(stdout);
    print_fault(l, &result.fault);
    int code = run_exit_code(&result, s->options.check_only);
    memcpy(s->plan, result.plan, sizeof s->plan);
    config_link_wipe(&link);
    run_result_free(&result);
    return code;
}

int run_once(struct cli *cli, const struct config_link *l, const struct run_options *options, char plan[17], bool quiet_json)
{
    struct session_of_runs s = {.cli = cli, .options = *options, .quiet_json = quiet_json};
    int code = run_one(&s, l);
    if (plan) memcpy(plan, s.plan, sizeof s.plan);
    return code;
}

bool run_is_on(struct cli *cli, const struct config_link *l)
{
    if (config_link_is_on(l)) return true;
    const struct config_account *off = !l->account_a->enabled ? l->account_a : l->account_b;
    if (!l->enabled)
        cli_usage(cli, arena_printf(&cli->arena, "abgleich link on %s", l->name), _("link \"%s\" is off"), l->name);
    else
        cli_usage(cli, arena_printf(&cli->arena, "abgleich account on %s", off->name), _("account \"%s\" is off"),
                  off->name);
    return false;
}

/* All names are looked up before the first link runs. */
static bool collect(struct cli *cli, const struct config_link **links, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < cli->n_args; i++) {
        const struct config_link *l = config_link_must(cli->config, cli->args[i], &cli->fault);
        if (!l || !run_is_on(cli, l)) return false;
        links[(*n)++] = l;
    }
    if (cli->n_args) return true;
    for (size_t i = 0; i < cli->config->n_links; i++)
        if (config_link_is_on(&cli->config->links[i])) links[(*n)++] = &cli->config->links[i];
    if (!cli->config->n_links) cli_say(cli, _("No links yet. \"abgleich link add\" makes one.\n"));
    return true;
}

static int run_all(struct session_of_runs *s)
{
    struct cli *cli = s->cli;
    if (!cli_db(cli)) return cli_fail(cli);
    const struct config_link **links =
        arena_zalloc(&cli->arena, (cli->n_args + cli->config->n_links + 1) * sizeof(struct config_link *));
    size_t n;
    if (!collect(cli, links, &n)) return cli_fail(cli);
    if (s->options.only_plan && n != 1) return cli_usage(cli, NULL, _("--plan goes with one link"));
    if (cli->json && cli->n_args != 1) s->all = json_array();
    for (size_t i = 0; i < n && !cli->env->cancelled(cli->env); i++) {
        if (i && !cli->json && !cli->quiet) fputc('\n', stdout);
        s->code = graver(s->code, run_one(s, links[i]));
    }
    if (s->all) json_print(s->all, stdout);
    struct fault why AUTO_FAULT = FAULT_INIT; /* what was synced is synced, even if tidying up fails */
    if (!s->options.check_only && upkeep_purge(cli->config, cli->db, cli->env, &why))
        env_logf(cli->env, LOG_WARNING, "event=upkeep fault=%s", fault_name(why.code));
    return s->code;
}

/* The way of importing, where one is named; false with a fault for a word that is none. */
static bool import_mode(struct cli *cli, const char **mode)
{
    struct policy scratch = POLICY_INIT;
    *mode = cli_option(cli, "mode");
    if (!*mode || policy_set_mode(&scratch, STR("import"), str_of(*mode))) return true;
    cli_usage(cli, "--mode ergaenzen|aktualisieren|neu-anlegen", _("which way of importing?"));
    return false;
}

int command_check(struct cli *cli)
{
    struct session_of_runs s = {
        .cli = cli, .options = {.check_only = true, .full_listing = cli_flag(cli, "full"), .trigger = "command"}};
    if (!import_mode(cli, &s.import)) return cli_fail(cli);
    s.options.one_time = s.import != NULL;
    s.options.ignore_tombstones = cli_flag(cli, "ignore-tombstones");
    return run_all(&s);
}

/* -- left to the daemon -- */

static bool may_be_left(struct cli *cli, const struct config_link *l)
{
    if (l->policy.mode >= MODE_ONE_WAY) return true;
    cli_usage(cli, arena_printf(&cli->arena, "abgleich sync %s", l->name),
              _("\"%s\" is an import: the daemon does not run it"), l->name);
    return false;
}

static bool ask(struct cli *cli, const struct config_link *l, json_t *all)
{
    int64_t run;
    const struct run_report r = {
        .link = str_of(l->name), .trigger = STR("request"), .name_a = str_of(l->a), .name_b = str_of(l->b)};
    if (!cli->n_args && l->policy.mode < MODE_ONE_WAY) return true; /* "all" is what the daemon runs */
    if (!may_be_left(cli, l) || request_put(cli->db, &r, &run, &cli->fault)) return false;
    json_array_append_new(all, json_pack("{s:s,s:I,s:s}", "link", l->name, "run", (json_int_t)run, "status", "queued"));
    if (!cli->json) printf(_("%s: run %lld\n"), l->name, (long long)run);
    return true;
}

static int ask_daemon(struct cli *cli)
{
    size_t n;
    if (cli_option(cli, "plan") || cli_flag(cli, "full"))
        return cli_usage(cli, NULL, _("--background goes without --plan and --full"));
    if (!cli_db(cli)) return cli_fail(cli);
    const struct config_link **links =
        arena_zalloc(&cli->arena, (cli->n_args + cli->config->n_links + 1) * sizeof(struct config_link *));
    if (!collect(cli, links, &n)) return cli_fail(cli);
    json_t *all = json_array();
    for (size_t i = 0; i < n && !cli->fault.code; i++) ask(cli, links[i], all);
    if (cli->json)
        json_print(json_incref(cli->n_args == 1 && json_array_size(all) ? json_array_get(all, 0) : all), stdout);
    json_decref(all);
    if (n && !cli->fault.code && !cli_daemon_runs(cli))
        cli_say(cli, "%s\n", _("no daemon is running; it is done when one starts"));
    return cli_fail(cli);
}

int command_sync(struct cli *cli)
{
    if (cli_flag(cli, "background")) return ask_daemon(cli);
    struct session_of_runs s = {
        .cli = cli,
        .options = {.only_plan = cli_option(cli, "plan"),
                    .full_listing = cli_flag(cli, "full"),
                    .allow_empty = cli_flag(cli, "allow-empty"),
                    .accept_warnings = cli_flag(cli, "accept-missing-pager"),
                    .trigger = "command"}};
    if (s.options.allow_empty && !s.options.only_plan) return cli_usage(cli, NULL, _("--allow-empty goes with --plan"));
    return run_all(&s);
}

static bool replaces_book(const struct session_of_runs *s)
{
    return str_eq_nocase(str_of(s->import), STR("neu-anlegen"));
}

/* A book is replaced only by somebody who names it, or the plan they have seen. */
static bool confirm_recreate(struct session_of_runs *s, const struct config_link *l)
{
    struct cli *cli = s->cli;
    const char *named = cli_option(cli, "yes-recreate"), *book = l->collection_a;
    if (s->options.only_plan || (named && strcmp(named, book) == 0)) return true;
    cli_say(cli, s->options.ignore_tombstones ? _("\"%s\" is replaced by what the server has; contacts deleted here come back, too.\n")
                                              : _("\"%s\" is replaced by what the server has; contacts deleted here stay deleted.\n"),
            book);
    const char *advice = arena_printf(&cli->arena, _("look with \"abgleich check %s --mode neu-anlegen\", then say so with --yes-recreate \"%s\""),
                                      l->name, book);
    if (named || !cli_phrase(cli, book)) cli_usage(cli, advice, _("nothing was changed"));
    return !cli->fault.code;
}

int command_import(struct cli *cli)
{
    struct session_of_runs s = {
        .cli = cli,
        .options = {.only_plan = cli_option(cli, "plan"), .one_time = true, .ignore_tombstones = cli_flag(cli, "ignore-tombstones"),
                    .trigger = "import"}};
    if (!import_mode(cli, &s.import)) return cli_fail(cli);
    if (!s.import) return cli_usage(cli, "--mode ergaenzen|aktualisieren|neu-anlegen", _("which way of importing?"));
    if (s.options.ignore_tombstones && !replaces_book(&s))
        return cli_usage(cli, NULL, _("--ignore-tombstones goes with --mode neu-anlegen"));
    if (!cli_db(cli)) return cli_fail(cli);
    const struct config_link *l = config_link_must(cli->config, cli->args[0], &cli->fault);
    if (!l || (replaces_book(&s) && !confirm_recreate(&s, l))) return cli_fail(cli);
    return run_all(&s);
}
