/* undo: takes a run back on both sides. */
#include "cli/command.h"
#include "cli/run_once.h"

#include "base/i18n.h"
#include "state/runs.h"

static const struct config_link *link_of_run(struct cli *cli, long long run)
{
    struct run_report stored;
    if (!cli_db(cli)) return NULL;
    if (!runs_load(cli->db, run, &cli->arena, &stored)) {
        if (!db_check(cli->db, &cli->fault))
            cli_usage(cli, _("\"abgleich runs\" shows those there are"), _("there is no run %lld"), run);
        return NULL;
    }
    if (str_starts(stored.link, STR("dav:"))) { /* server/dav_blind.c */
        cli_usage(cli, _("\"abgleich report\" shows what was lost; enter it anew"),
                  _("run %lld is no run of a link: a program wrote over a contact by CardDAV"), run);
        return NULL;
    }
    const struct config_link *l = config_link_must(cli->config, arena_strdup(&cli->arena, stored.link), &cli->fault);
    return l && run_is_on(cli, l) ? l : NULL;
}

/* The plan is shown, and exactly that plan is carried out. */
int command_undo(struct cli *cli)
{
    long long run;
    char plan[17];
    if (!str_to_int64(str_of(cli->args[0]), &run) || run < 1)
        return cli_usage(cli, _("\"abgleich runs\" shows their numbers"), _("\"%s\" is no number of a run"),
                         cli->args[0]);
    const struct config_link *l = link_of_run(cli, run);
    if (!l) return cli_fail(cli);
    bool check = cli_flag(cli, "check");
    struct run_options options = {.check_only = true, .undo = run};
    int code = run_once(cli, l, &options, plan, cli->json && !check);
    if (check || code != EXIT_PENDING) return code;
    if (!cli_flag(cli, "yes") && !cli_confirm(cli, _("Undo run %lld on both sides?"), run)) return cli_fail(cli);
    options = (struct run_options){
        .undo = run, .only_plan = plan, .trigger = arena_printf(&cli->arena, "undo of run %lld", run)};
    return run_once(cli, l, &options, NULL, false);
}
