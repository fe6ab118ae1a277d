#include "cli/command.h"
#include "cli/config_write.h"
#include "cli/out.h"
#include "cli/pairs.h"

#include "base/i18n.h"
#include "state/journal.h"
#include "state/lease.h"
#include "state/runs.h"

/* -- list -- */

static json_t *link_json(struct cli *cli, const struct config_link *l)
{
    struct run_report *last;
    json_t *o = json_object();
    json_object_set_new(o, "name", json_cstr(l->name));
    pairs_json(o, CONFIG_LINK, l);
    json_object_set_new(o, "mode", json_cstr(policy_mode_word(&l->policy)));
    json_object_set_new(o, "authority", json_cstr(policy_authority_word(&l->policy)));
    json_object_set_new(o, "import", json_cstr(policy_import_word(&l->policy)));
    json_object_set_new(o, "active", json_boolean(config_link_is_on(l)));
    size_t n = runs_list(cli->db, l->name, 1, &cli->arena, &last);
    json_object_set_new(o, "last_run", n ? json_count(last->run) : json_null());
    json_object_set_new(o, "last_status", n ? json_text(last->status) : json_null());
    json_object_set_new(o, "last_time", n ? json_time(last->started_ms) : json_null());
    return o;
}

/* "two-way, contactbox wins" */
static void describe(const struct config_link *l, struct buf *out)
{
    buf_adds(out, policy_mode_word(&l->policy));
    if (policy_import_word(&l->policy))
        buf_addf(out, "/%s", policy_import_word(&l->policy));
    else if (l->policy.mode == MODE_TWO_WAY)
        buf_addf(out, "/%s", policy_authority_word(&l->policy));
}

static void add_row(struct cli *cli, struct table *t, const struct config_link *l)
{
    struct buf mode AUTO_BUF = BUF_INIT;
    struct run_report *last;
    size_t n = runs_list(cli->db, l->name, 1, &cli->arena, &last);
    describe(l, &mode);
    table_cell(t, l->name);
    table_cell(t, l->a);
    table_cell(t, l->b);
    table_text(t, buf_str(&mode));
    table_cell(t, !l->enabled ? _("off") : config_link_is_on(l) ? _("on") : _("account off"));
    table_text(t, n ? last->status : STR(""));
    table_time(t, n ? last->started_ms : 0);
}

int command_link_list(struct cli *cli)
{
    if (!cli_db(cli)) return cli_fail(cli);
    const struct config *c = cli->config;
    json_t *all = json_array();
    struct table t AUTO_TABLE = table_of(7, 0);
    static const char *const heads[] = {N_("NAME"), "A", "B", N_("MODE"), N_("STATE"), N_("LAST RUN"), ""};
    for (size_t i = 0; i < 7; i++) table_cell(&t, *heads[i] ? _(heads[i]) : "");
    for (size_t i = 0; i < c->n_links; i++)
        if (cli->json)
            json_array_append_new(all, link_json(cli, &c->links[i]));
        else
            add_row(cli, &t, &c->links[i]);
    if (cli->json)
        json_print(json_incref(all), stdout);
    else if (c->n_links)
        table_print(&t, "", stdout);
    else
        cli_say(cli, _("No links yet. \"abgleich link add\" makes one.\n"));
    json_decref(all);
    return db_check(cli->db, &cli->fault) ? cli_fail(cli) : EXIT_DONE;
}

/* -- on, off, set -- */

static int change(struct cli *cli, const struct config_pair *pairs, size_t n)
{
    const struct config_link *l = config_link_must(cli->config, cli->args[0], &cli->fault);
    if (!l || config_write(cli->config, CONFIG_LINK, l->name, pairs, n, false, &cli->fault)) return cli_fail(cli);
    return EXIT_DONE;
}

static int switch_link(struct cli *cli, const char *enabled)
{
    struct config_pair pair = {"enabled", enabled};
    return cli_config(cli) ? change(cli, &pair, 1) : cli_fail(cli);
}

int command_link_on(struct cli *cli)
{
    return switch_link(cli, "yes");
}

int command_link_off(struct cli *cli)
{
    return switch_link(cli, "no");
}

int command_link_set(struct cli *cli)
{
    struct config_pair *pairs;
    size_t n;
    if (!cli_config(cli) || !pairs_of_args(cli, 1, &pairs, &n)) return cli_fail(cli);
    return change(cli, pairs, n);
}

/* -- remove -- */

int command_link_remove(struct cli *cli)
{
    if (!cli_config(cli)) return cli_fail(cli);
    const struct config_link *l = config_link_must(cli->config, cli->args[0], &cli->fault);
    if (!l) return cli_fail(cli);
    if (config_is_drop_in(cli->config, CONFIG_LINK, l->name, l->place) &&
        !cli_confirm(cli, _("Forget link \"%s\"? Contacts stay on both sides."), l->name))
        return cli_fail(cli);
    struct lease *lease AUTO_LEASE = NULL;
    if (!cli_db(cli) || lease_take(cli->db, l->name, &lease, &cli->fault)) return cli_fail(cli);
    if (config_remove(cli->config, CONFIG_LINK, l->name, l->place, &cli->fault)) return cli_fail(cli);
    if (journal_forget_link(cli->db, l->name, &cli->fault)) return cli_fail(cli);
    if (l->account_b == &cli->config->phonebooks)
        cli_say(cli, _("What it brought stays in the phonebook until you say: abgleich directory drop %s %s\n"),
                l->collection_b, l->name);
    return EXIT_DONE;
}
