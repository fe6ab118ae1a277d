/* runs, report: what happened. */
#include "cli/command.h"
#include "cli/report.h"

#include "base/i18n.h"

#include <inttypes.h>

#define RUNS_SHOWN 50

/* The link named, which may be gone from the configuration: its runs stay. NULL = all. */
static const char *link_named(const struct cli *cli)
{
    return cli->n_args ? cli->args[0] : NULL;
}

/* A name that nobody knows is a mistake; one that has runs is none. */
static bool is_known(struct cli *cli, size_t rows)
{
    return rows || !link_named(cli) || config_link_must(cli->config, link_named(cli), &cli->fault);
}

/* -- runs -- */

static json_t *run_json(const struct run_report *r)
{
    return json_pack("{s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:I,s:I,s:o,s:o,s:I}", "run", (json_int_t)r->run, "link",
                     json_text(r->link), "status", json_text(r->status), "trigger", json_text(r->trigger), "plan",
                     r->plan.n ? json_text(r->plan) : json_null(), "started", json_time(r->started_ms), "finished",
                     json_time(r->finished_ms), "a", report_counts_json(&r->counts[0]), "b",
                     report_counts_json(&r->counts[1]), "conflicts", (json_int_t)r->n_conflicts, "problems",
                     (json_int_t)r->n_problems, "operations", (json_int_t)r->n_operations, "held",
                     r->held.n ? json_text(r->held) : json_null(), "fault",
                     r->fault.n ? json_text(r->fault) : json_null(), "requests", (json_int_t)r->requests);
}

static void run_row(struct table *t, const struct run_report *r)
{
    const struct report_counts *a = &r->counts[0], *b = &r->counts[1];
    struct buf changes AUTO_BUF = BUF_INIT;
    buf_addf(&changes, "A +%" PRId64 " ~%" PRId64 " -%" PRId64 "  B +%" PRId64 " ~%" PRId64 " -%" PRId64, a->created,
             a->updated, a->deleted, b->created, b->updated, b->deleted);
    table_number(t, r->run);
    table_time(t, r->started_ms);
    table_text(t, r->link);
    table_text(t, r->status);
    table_text(t, buf_str(&changes));
    table_number(t, r->n_conflicts);
    table_number(t, r->n_problems);
    table_text(t, r->fault.n ? r->fault : r->held.n ? r->held : STR(""));
}

static bool read_limit(struct cli *cli, size_t *limit)
{
    long long n = RUNS_SHOWN;
    const char *given = cli_option(cli, "limit");
    if (given && (!str_to_int64(str_of(given), &n) || n < 0)) {
        cli_usage(cli, _("a number; 0 = all"), _("\"%s\" is no limit"), given);
        return false;
    }
    *limit = (size_t)n;
    return true;
}

int command_runs(struct cli *cli)
{
    size_t limit;
    struct run_report *runs;
    if (!read_limit(cli, &limit) || !cli_db(cli)) return cli_fail(cli);
    size_t n = runs_list(cli->db, link_named(cli), limit, &cli->arena, &runs);
    if (db_check(cli->db, &cli->fault) || !is_known(cli, n)) return cli_fail(cli);
    if (cli->json) {
        json_t *all = json_array();
        for (size_t i = 0; i < n; i++) json_array_append_new(all, run_json(&runs[i]));
        json_print(all, stdout);
        return EXIT_DONE;
    }
    struct table t AUTO_TABLE = table_of(8, 1 | 32 | 64);
    static const char *const heads[] = {N_("RUN"),     N_("TIME"),      N_("LINK"),     N_("STATUS"),
                                        N_("CHANGES"), N_("CONFLICTS"), N_("PROBLEMS"), ""};
    for (size_t i = 0; i < 8; i++) table_cell(&t, *heads[i] ? _(heads[i]) : "");
    for (size_t i = 0; i < n; i++) run_row(&t, &runs[i]);
    if (n)
        table_print(&t, "", stdout);
    else
        cli_say(cli, _("Nothing ran yet.\n"));
    return EXIT_DONE;
}

/* -- report -- */

int command_report(struct cli *cli)
{
    long long run;
    struct run_report stored;
    const char *format = cli_option(cli, "format");
    if (!format) format = cli->json ? "json" : "text";
    if (!str_to_int64(str_of(cli->args[0]), &run))
        return cli_usage(cli, _("\"abgleich runs\" shows their numbers"), _("\"%s\" is no number of a run"),
                         cli->args[0]);
    if (!cli_db(cli)) return cli_fail(cli);
    if (!runs_load(cli->db, run, &cli->arena, &stored)) {
        if (db_check(cli->db, &cli->fault)) return cli_fail(cli);
        return cli_usage(cli, _("\"abgleich runs\" shows those there are"), _("there is no run %lld"), run);
    }
    struct report r = report_of_stored(&stored);
    if (strcmp(format, "text") == 0)
        report_text(&r, 0, stdout);
    else if (strcmp(format, "json") == 0)
        json_print(report_json(&r), stdout);
    else if (strcmp(format, "html") == 0)
        report_html(&r, stdout);
    else if (strcmp(format, "csv") == 0)
        report_csv(&r, stdout);
    else
        return cli_usage(cli, _("there are text, html, json and csv"), _("unknown format \"%s\""), format);
    return EXIT_DONE;
}
