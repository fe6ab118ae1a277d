/* conflicts: the inbox of what was changed on both sides. An entry stays until it is read or decided otherwise. */
#include "cli/command.h"
#include "cli/report.h"
#include "cli/run_once.h"

#include "base/i18n.h"

/* -- the list -- */

static void conflict_row(struct table *t, const struct report_conflict *c)
{
    struct buf a AUTO_BUF = BUF_INIT, b AUTO_BUF = BUF_INIT;
    buf_addf(&a, "%s%.*s", c->winner == 0 ? "> " : "", STR_ARG(c->a));
    buf_addf(&b, "%s%.*s", c->winner == 1 ? "> " : "", STR_ARG(c->b));
    table_number(t, c->no);
    table_time(t, c->time_ms);
    table_text(t, c->link);
    table_text(t, c->contact);
    table_text(t, c->field);
    table_text(t, buf_str(&a));
    table_text(t, buf_str(&b));
    table_cell(t, c->rule.n ? _(c->rule.p) : "");
}

static json_t *conflict_json(const struct report_conflict *c)
{
    json_t *o = report_conflict_json(c);
    json_object_set_new(o, "link", json_text(c->link));
    json_object_set_new(o, "run", json_count(c->run));
    json_object_set_new(o, "time", json_time(c->time_ms));
    json_object_set_new(o, "read", json_boolean(c->read));
    return o;
}

static void print_conflicts(const struct cli *cli, const struct report_conflict *list, size_t n)
{
    if (cli->json) {
        json_t *all = json_array();
        for (size_t i = 0; i < n; i++) json_array_append_new(all, conflict_json(&list[i]));
        json_print(all, stdout);
        return;
    }
    struct table t AUTO_TABLE = table_of(8, 1);
    static const char *const heads[] = {N_("ID"),    N_("TIME"), N_("LINK"), N_("CONTACT"),
                                        N_("FIELD"), "A",        "B",        N_("RULE")};
    for (size_t i = 0; i < 8; i++) table_cell(&t, _(heads[i]));
    for (size_t i = 0; i < n; i++) conflict_row(&t, &list[i]);
    if (n)
        table_print(&t, "", stdout);
    else
        cli_say(cli, _("No conflicts.\n"));
    if (n)
        cli_say(cli, _("\"abgleich conflicts take ID a|b\" decides one otherwise, \"abgleich conflicts read ID\" lets "
                       "it stand.\n"));
}

/* The link named, which may be gone from the configuration: its runs stay. NULL = all. */
static const char *link_named(const struct cli *cli)
{
    return cli->n_args ? cli->args[0] : NULL;
}

/* A name that nobody knows is a mistake; one that has runs is none. */
static bool is_known(struct cli *cli)
{
    struct run_report *runs;
    return runs_list(cli->db, link_named(cli), 1, &cli->arena, &runs) ||
           config_link_must(cli->config, link_named(cli), &cli->fault);
}

int command_conflicts(struct cli *cli)
{
    struct report_conflict *list;
    if (!cli_db(cli)) return cli_fail(cli);
    size_t n = runs_conflicts(cli->db, link_named(cli), !cli_flag(cli, "all"), &cli->arena, &list);
    if (db_check(cli->db, &cli->fault) || (!n && link_named(cli) && !is_known(cli))) return cli_fail(cli);
    print_conflicts(cli, list, n);
    if (cli_flag(cli, "mark-read") && runs_conflicts_mark_read(cli->db, link_named(cli), &cli->fault))
        return cli_fail(cli);
    return EXIT_DONE;
}

/* -- one of them -- */

static bool find_conflict(struct cli *cli, struct report_conflict *c)
{
    long long no;
    if (!str_to_int64(str_of(cli->args[0]), &no) || !cli_db(cli)) {
        cli_usage(cli, _("\"abgleich conflicts\" shows their numbers"), _("\"%s\" is no number of a conflict"),
                  cli->args[0]);
        return false;
    }
    if (runs_conflict_get(cli->db, no, &cli->arena, c)) return true;
    if (!db_check(cli->db, &cli->fault))
        cli_usage(cli, _("\"abgleich conflicts\" shows those there are"), _("there is no conflict %lld"), no);
    return false;
}

static const char *link_of(struct cli *cli, const struct report_conflict *c)
{
    return arena_strdup(&cli->arena, c->link);
}

int command_conflicts_show(struct cli *cli)
{
    struct report_conflict c;
    if (!find_conflict(cli, &c)) return cli_fail(cli);
    if (cli->json) {
        json_print(conflict_json(&c), stdout);
        return EXIT_DONE;
    }
    struct buf time AUTO_BUF = BUF_INIT;
    struct str a = report_value(c.a), b = report_value(c.b);
    time_text(c.time_ms, &time);
    printf(_("%.*s, %.*s: changed on both sides (%s, link %.*s, run %lld)\n"), STR_ARG(c.contact), STR_ARG(c.field),
           buf_cstr(&time), STR_ARG(c.link), (long long)c.run);
    printf("  A%s %.*s\n  B%s %.*s\n", c.winner == 0 ? " >" : "  ", STR_ARG(a), c.winner == 1 ? " >" : "  ",
           STR_ARG(b));
    if (c.rule.n) printf("  %s\n", _(c.rule.p));
    printf("  abgleich conflicts take %lld %s\n", (long long)c.no, c.winner ? "a" : "b");
    if (!c.read) printf("  abgleich conflicts read %lld\n", (long long)c.no);
    return EXIT_DONE;
}

static int mark_read(struct cli *cli, int64_t no)
{
    return runs_conflict_mark_read(cli->db, no, &cli->fault) ? cli_fail(cli) : EXIT_DONE;
}

int command_conflicts_read(struct cli *cli)
{
    struct report_conflict c;
    if (cli_flag(cli, "all") == (cli->n_args > 0))
        return cli_usage(cli, "abgleich conflicts read ID | --all", _("which of them?"));
    if (cli->n_args) return find_conflict(cli, &c) ? mark_read(cli, c.no) : cli_fail(cli);
    if (!cli_db(cli) || runs_conflicts_mark_read(cli->db, NULL, &cli->fault)) return cli_fail(cli);
    return EXIT_DONE;
}

/* What holds already is only marked as read; the other value goes to both sides by a run of its own. */
int command_conflicts_take(struct cli *cli)
{
    struct report_conflict c;
    struct str side = str_of(cli->args[1]);
    bool a = str_eq(side, STR("a"));
    if (!a && !str_eq(side, STR("b")))
        return cli_usage(cli, "abgleich conflicts take ID a|b", _("\"%s\" is no side"), cli->args[1]);
    if (!find_conflict(cli, &c)) return cli_fail(cli);
    if (c.winner == (a ? 0u : 1u)) {
        cli_say(cli, _("That value won already; the conflict is marked as read.\n"));
        return mark_read(cli, c.no);
    }
    if (str_starts(c.link, STR("dav:"))) /* server/dav_blind.c */
        return cli_usage(cli, _("\"abgleich report\" shows what was lost; enter it anew"),
                         _("run %lld is no run of a link: a program wrote over a contact by CardDAV"),
                         (long long)c.run);
    const struct config_link *l = config_link_must(cli->config, link_of(cli, &c), &cli->fault);
    if (!l || !run_is_on(cli, l)) return cli_fail(cli);
    const struct run_options options = {.take = c.no,
                                        .trigger = arena_printf(&cli->arena, "conflict %lld", (long long)c.no)};
    int code = run_once(cli, l, &options, NULL, false);
    return code ? code : mark_read(cli, c.no);
}
