/* config, status, explain, version: about the installation itself. */
#include "cli/command.h"
#include "cli/config_keys.h"
#include "cli/directory_out.h"
#include "cli/out.h"
#include "cli/pairs.h"
#include "cli/sign_in.h"

#include "base/i18n.h"
#include "core/decision.h"
#include "state/journal.h"
#include "state/pushed.h"
#include "state/runs.h"

int command_config_check(struct cli *cli)
{
    if (!cli_config(cli)) return cli_fail(cli);
    const struct config *c = cli->config;
    if (cli->json)
        json_print(json_pack("{s:b,s:s,s:s,s:I,s:I}", "ok", 1, "file", c->path, "state", c->state, "accounts",
                             (json_int_t)c->n_accounts, "links", (json_int_t)c->n_links),
                   stdout);
    else
        printf(_("%s: fine, %zu accounts, %zu links\n"), c->path, c->n_accounts, c->n_links);
    return EXIT_DONE;
}

static json_t *section_json(enum config_kind kind, const char *name, const void *section)
{
    json_t *o = json_object();
    if (name) json_object_set_new(o, "name", json_cstr(name));
    pairs_json(o, kind, section);
    return o;
}

static void print_section(enum config_kind kind, const char *name, const void *section)
{
    printf("[%s%s%s]\n", config_kind_word(kind), name ? " " : "", name ? name : "");
    for (const struct config_key *k = config_keys(kind); k->name; k++) {
        struct buf value AUTO_BUF = BUF_INIT;
        if (config_key_print(k, section, &value)) printf("%s = %s\n", k->name, buf_cstr(&value));
    }
}

int command_config_show(struct cli *cli)
{
    if (!cli_config(cli)) return cli_fail(cli);
    const struct config *c = cli->config;
    json_t *accounts = json_array(), *links = json_array(), *fields = json_array();
    if (!cli->json) print_section(CONFIG_GENERAL, NULL, c);
    for (size_t i = 0; i < c->n_accounts; i++) {
        json_array_append_new(accounts, section_json(CONFIG_ACCOUNT, c->accounts[i].name, &c->accounts[i]));
        if (!cli->json) putchar('\n'), print_section(CONFIG_ACCOUNT, c->accounts[i].name, &c->accounts[i]);
    }
    for (size_t i = 0; i < c->n_links; i++) {
        json_array_append_new(links, section_json(CONFIG_LINK, c->links[i].name, &c->links[i]));
        if (!cli->json) putchar('\n'), print_section(CONFIG_LINK, c->links[i].name, &c->links[i]);
    }
    for (size_t i = 0; i < c->n_fields; i++) {
        json_array_append_new(fields, section_json(CONFIG_FIELD, c->fields[i].name, &c->fields[i]));
        if (!cli->json) putchar('\n'), print_section(CONFIG_FIELD, c->fields[i].name, &c->fields[i]);
    }
    json_t *all = json_pack("{s:s,s:o,s:o,s:o,s:o}", "file", c->path, "abgleich", section_json(CONFIG_GENERAL, NULL, c),
                            "accounts", accounts, "links", links, "fields", fields);
    if (cli->json) json_print(json_incref(all), stdout);
    json_decref(all);
    return EXIT_DONE;
}

/* -- status -- */

struct link_status {
    const struct config_link *link;
    struct str last_status;
    int64_t last_run, last_run_ms; /* last_run_ms: end of the last one that went through, also where it found nothing */
    int64_t records, reviews, pending, intents;
    bool held, locked_out; /* locked_out: the last run failed for a sign-in */
};

static bool look(struct cli *cli, const struct config_link *l, struct link_status *out)
{
    struct run_report *last;
    struct link_state state;
    struct held held;
    *out = (struct link_status){.link = l};
    if (runs_list(cli->db, l->name, 1, &cli->arena, &last)) {
        out->last_run = last->run, out->last_status = last->status;
        out->locked_out = last->fault_code == FAULT_AUTH;
    }
    if (link_state_load(cli->db, l->name, &state, &cli->fault)) return false;
    out->last_run_ms = state.last_run_ms;
    link_state_free(&state);
    out->records = journal_count(cli->db, l->name) + pushed_count(cli->db, l->name); /* a link has one of both */
    out->reviews = review_count(cli->db, l->name);
    out->pending = pending_count(cli->db, l->name);
    out->intents = intent_count(cli->db, l->name);
    out->held = held_get(cli->db, l->name, &cli->arena, &held);
    return db_check(cli->db, &cli->fault) == FAULT_NONE;
}

/* One word: what an administrator has to know first. */
static const char *state_of(const struct link_status *s)
{
    if (!config_link_is_on(s->link)) return "off";
    if (s->held) return "held";
    if (str_eq(s->last_status, STR("failed"))) return s->locked_out ? "sign_in" : "failed";
    if (s->reviews) return "review";
    return s->last_run_ms ? "ok" : "new";
}

static json_t *status_json(const struct link_status *s)
{
    return json_pack("{s:s,s:s,s:b,s:o,s:o,s:o,s:I,s:I,s:I,s:I,s:b}", "name", s->link->name, "state", state_of(s),
                     "enabled", config_link_is_on(s->link), "last_run",
                     s->last_run ? json_count(s->last_run) : json_null(), "last_status", json_text(s->last_status),
                     "last_success", json_time(s->last_run_ms), "records", (json_int_t)s->records, "ambiguous",
                     (json_int_t)s->reviews, "quarantined", (json_int_t)s->pending, "open_writes",
                     (json_int_t)s->intents, "held", s->held);
}

static const char *state_text(const struct link_status *s)
{
    static const struct {
        const char *state, *text;
    } texts[] = {{"off", N_("off")},
                 {"held", N_("held: see \"abgleich held\"")},
                 {"failed", N_("failed: see \"abgleich report\"")},
                 {"sign_in", N_("paused, sign-in refused: see \"abgleich digest\"")},
                 {"ok", N_("fine")},
                 {"review", N_("asks: see \"abgleich review\"")},
                 {"new", N_("has not run yet")}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strcmp(texts[i].state, state_of(s)) == 0) return _(texts[i].text);
    return "";
}

static void status_row(struct table *t, const struct link_status *s)
{
    table_cell(t, s->link->name);
    table_cell(t, state_text(s));
    table_time(t, s->last_run_ms);
    table_number(t, s->records);
    table_number(t, s->reviews);
    table_number(t, s->pending);
}

/* Sign-ins that need a person, or soon will. */
static json_t *sign_ins_of(struct cli *cli)
{
    const struct config *c = cli->config;
    json_t *all = json_array();
    for (size_t i = 0; i < c->n_accounts; i++) {
        const struct config_account *a = &c->accounts[i];
        struct oauth_report r;
        const char *matter = a->enabled && sign_in_look(a, cli->db, &r) ? sign_in_matter(a, &r, &cli->arena) : NULL;
        if (!matter) continue;
        json_array_append_new(all, json_pack("{s:s,s:s,s:o,s:o,s:o}", "account", a->name, "state",
                                             sign_in_name(r.state), "ends", json_time(r.ends_ms), "text",
                                             json_cstr(matter), "command",
                                             json_cstr(arena_printf(&cli->arena, "abgleich login %s", a->name))));
    }
    return all;
}

static void say_sign_ins(struct cli *cli, const json_t *sign_ins)
{
    size_t i;
    json_t *o;
    json_array_foreach((json_t *)sign_ins, i, o) cli_say(cli, "%s: %s\n", json_string_value(json_object_get(o, "text")),
                                                         json_string_value(json_object_get(o, "command")));
}

static json_t *phonebooks_json(struct cli *cli)
{
    struct directory *list;
    json_t *all = json_array();
    size_t n = directory_list(cli->db, &cli->arena, &list);
    for (size_t i = 0; i < n; i++) json_array_append_new(all, directory_json(cli, &list[i]));
    return all;
}

int command_status(struct cli *cli)
{
    if (!cli_db(cli)) return cli_fail(cli);
    const struct config *c = cli->config;
    json_t *links = json_array(), *sign_ins = sign_ins_of(cli);
    struct table t AUTO_TABLE = table_of(6, 8 | 16 | 32);
    static const char *const heads[] = {N_("LINK"),    N_("STATE"),     N_("LAST SUCCESS"),
                                        N_("RECORDS"), N_("AMBIGUOUS"), N_("LEFT ALONE")};
    for (size_t i = 0; i < 6; i++) table_cell(&t, _(heads[i]));
    for (size_t i = 0; i < c->n_links && !cli->fault.code; i++) {
        struct link_status s;
        if (!look(cli, &c->links[i], &s)) break;
        json_array_append_new(links, status_json(&s));
        status_row(&t, &s);
    }
    if (cli->json)
        json_print(json_pack("{s:O,s:o,s:O,s:b,s:I,s:s}", "links", links, "phonebooks", phonebooks_json(cli), "sign_ins", sign_ins, "daemon",
                             cli_daemon_runs(cli), "accounts", (json_int_t)c->n_accounts, "state", c->state),
                   stdout);
    else if (c->n_links) {
        table_print(&t, "", stdout);
        say_sign_ins(cli, sign_ins);
        cli_say(cli, cli_daemon_runs(cli) ? _("The daemon runs.\n") : _("No daemon runs: links run only when somebody says so.\n"));
    } else
        cli_say(cli, _("No links yet. \"abgleich link add\" makes one.\n"));
    if (!cli->json) directory_table_print(cli);
    json_decref(links);
    json_decref(sign_ins);
    return cli_fail(cli);
}

/* -- explain, version -- */

static int explain_json(void)
{
    size_t n;
    const struct decision_row *rows = decision_table(&n);
    json_t *all = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(all, json_pack("{s:i,s:i,s:i,s:i,s:s,s:s}", "bases", rows[i].bases, "a", rows[i].a, "b",
                                             rows[i].b, "policies", rows[i].policies, "action",
                                             action_name((enum action)rows[i].action), "rule", _(rows[i].rule)));
    json_print(all, stdout);
    return EXIT_DONE;
}

int command_explain(struct cli *cli)
{
    if (cli->json) return explain_json();
    struct buf text AUTO_BUF = BUF_INIT;
    if (cli_flag(cli, "markdown"))
        decision_print_markdown(&text);
    else
        decision_print_text(&text);
    fwrite(text.data, 1, text.len, stdout);
    return EXIT_DONE;
}

int command_version(struct cli *cli)
{
    if (cli->json)
        json_print(json_pack("{s:s,s:s}", "name", "abgleich", "version", ABGLEICH_VERSION), stdout);
    else
        printf("abgleich %s\n", ABGLEICH_VERSION);
    return EXIT_DONE;
}
