#include "cli/command.h"
#include "cli/config_write.h"
#include "cli/out.h"
#include "cli/pairs.h"
#include "cli/remote.h"
#include "cli/sign_in.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "cli/file.h"
#include "state/journal.h"
#include "state/secrets.h"
#include "state/settings.h"

#include <stdlib.h>

/* -- showing -- */

static size_t links_of(const struct config *c, const struct config_account *a)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n_links; i++) n += c->links[i].account_a == a || c->links[i].account_b == a;
    return n;
}

/* False where there is nothing to say. The state is opened only for accounts that sign in by OAuth. */
static bool look_at_sign_in(struct cli *cli, const struct config_account *a, struct oauth_report *out)
{
    const struct account account = {.settings = a->settings, .n_settings = a->n_settings};
    return oauth_is_used(&account) && cli_db(cli) && sign_in_look(a, cli->db, out);
}

static json_t *account_json(struct cli *cli, const struct config_account *a)
{
    const struct config *c = cli->config;
    struct oauth_report sign_in;
    json_t *o = json_object();
    json_object_set_new(o, "name", json_cstr(a->name));
    pairs_json(o, CONFIG_ACCOUNT, a);
    json_object_set_new(o, "links", json_count((int64_t)links_of(c, a)));
    if (!look_at_sign_in(cli, a, &sign_in)) return o;
    json_object_set_new(o, "sign_in", json_string(sign_in_name(sign_in.state)));
    json_object_set_new(o, "sign_in_ends", json_time(sign_in.ends_ms));
    return o;
}

static void list_json(struct cli *cli)
{
    const struct config *c = cli->config;
    json_t *all = json_array();
    for (size_t i = 0; i < c->n_accounts; i++) json_array_append_new(all, account_json(cli, &c->accounts[i]));
    json_print(all, stdout);
}

int command_account_list(struct cli *cli)
{
    if (!cli_config(cli)) return cli_fail(cli);
    const struct config *c = cli->config;
    if (cli->json) {
        list_json(cli);
        return EXIT_DONE;
    }
    struct table t AUTO_TABLE = table_of(7, 1 << 6);
    static const char *const heads[] = {N_("NAME"),     N_("CONNECTOR"), N_("ADDRESS"), N_("USER"),
                                        N_("INTERVAL"), N_("STATE"),     N_("LINKS")};
    for (size_t i = 0; i < 7; i++) table_cell(&t, _(heads[i]));
    for (size_t i = 0; i < c->n_accounts; i++) {
        const struct config_account *a = &c->accounts[i];
        struct buf interval AUTO_BUF = BUF_INIT;
        config_print_duration(a->interval_ms, &interval);
        table_cell(&t, a->name);
        table_cell(&t, a->connector);
        table_cell(&t, a->url);
        table_cell(&t, a->user);
        table_text(&t, buf_str(&interval));
        struct oauth_report sign_in = {OAUTH_FINE, 0};
        if (!a->enabled || !look_at_sign_in(cli, a, &sign_in)) sign_in.state = OAUTH_FINE;
        table_cell(&t, a->enabled ? sign_in_text(sign_in.state) : _("off"));
        table_number(&t, (int64_t)links_of(c, a));
    }
    if (c->n_accounts)
        table_print(&t, "", stdout);
    else
        cli_say(cli, _("No accounts yet. \"abgleich account add\" makes one.\n"));
    return EXIT_DONE;
}

static json_t *found_json(const char *account, const struct remote *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->collections.n; i++) {
        const struct collection *c = &r->collections.items[i];
        json_array_append_new(list, json_pack("{s:o,s:o,s:s,s:o,s:b}", "name", json_cstr(c->name), "path",
                                              json_cstr(c->path), "kind", collection_kind(c), "remote",
                                              c->records < 0 ? json_null() : json_count(c->records), "read_only",
                                              c->read_only));
    }
    return json_pack("{s:o,s:b,s:o}", "name", json_cstr(account), "ok", 1, "collections", list);
}

static void print_found(const struct cli *cli, const char *account, const struct remote *r)
{
    if (cli->json) {
        json_print(found_json(account, r), stdout);
        return;
    }
    size_t n = r->collections.n;
    if (r->connector->push) {
        printf(_("%s: nothing can be asked there; the first list shows whether address and key are right\n"), account);
        return;
    }
    printf(ngettext("%s: signed in, %zu collection found\n", "%s: signed in, %zu collections found\n", n), account, n);
    struct table t AUTO_TABLE = table_of(4, 1 << 2);
    for (size_t i = 0; i < n; i++) {
        const struct collection *c = &r->collections.items[i];
        table_cell(&t, c->name);
        table_cell(&t, c->kind == RECORD_EVENT ? _("events") : _("contacts"));
        if (c->records < 0)
            table_cell(&t, "");
        else
            table_number(&t, c->records);
        table_cell(&t, c->read_only ? _("read-only") : "");
    }
    table_print(&t, "  ", stdout);
}

/* It works today. */
static void say_what_ends(struct cli *cli, const struct config_account *a)
{
    struct oauth_report sign_in;
    if (!look_at_sign_in(cli, a, &sign_in) || sign_in.state != OAUTH_ENDS_SOON) return;
    cli_say(cli, _("But %s: abgleich login %s\n"), sign_in_matter(a, &sign_in, &cli->arena), a->name);
}

int command_account_test(struct cli *cli)
{
    if (!cli_config(cli)) return cli_fail(cli);
    const struct config_account *a = config_account_must(cli->config, cli->args[0], &cli->fault);
    struct remote r AUTO_REMOTE = REMOTE_INIT;
    if (!a || !remote_open(cli, a, &r)) return cli_fail(cli);
    print_found(cli, a->name, &r);
    say_what_ends(cli, a);
    return EXIT_DONE;
}

/* -- adding -- */

/* A file named on the command line is seen from here, in the configuration from its folder. */
static const char *absolute(struct cli *cli, const char *path)
{
    char *real AUTO_FREE = path ? realpath(path, NULL) : NULL;
    return real ? arena_strdup(&cli->arena, str_of(real)) : path;
}

#define N_OPTIONS 8

/* The options as pairs of the configuration; keys not given have value NULL. */
static size_t pairs_of_options(struct cli *cli, const char *secret, struct config_pair *pairs)
{
    size_t n = 0;
    pairs[n++] = (struct config_pair){"connector", cli_option(cli, "connector")};
    pairs[n++] = (struct config_pair){"url", cli_option(cli, "url")};
    pairs[n++] = (struct config_pair){"user", cli_option(cli, "user")};
    pairs[n++] = (struct config_pair){"secret", secret};
    pairs[n++] = (struct config_pair){"interval", cli_option(cli, "interval")};
    pairs[n++] = (struct config_pair){"region", cli_option(cli, "region")};
    pairs[n++] = (struct config_pair){"ca_file", absolute(cli, cli_option(cli, "ca-file"))};
    pairs[n++] = (struct config_pair){"plain_http", cli_flag(cli, "plain-http") ? "yes" : NULL};
    return n;
}

/* And those given as KEY=VALUE, settings of the connector among them. In the arena. */
static struct config_pair *all_pairs(struct cli *cli, const char *secret, size_t *n)
{
    struct config_pair *given;
    size_t n_given;
    if (!pairs_of_args(cli, 1, &given, &n_given)) return NULL;
    struct config_pair *all = arena_alloc(&cli->arena, (N_OPTIONS + n_given) * sizeof *all);
    *n = pairs_of_options(cli, secret, all);
    for (size_t i = 0; i < n_given; i++) all[(*n)++] = given[i];
    return all;
}

static bool add_setting(struct cli *cli, const struct config_pair *pair, struct config_account *out)
{
    const struct connector *connector = connector_by_name(out->connector);
    if (!connector || !connector_setting(connector, str_of(pair->key))) {
        cli_usage(cli, _("take it out, or name the right connector"), _("%s is no setting of connector \"%s\""), pair->key,
                  out->connector ? out->connector : "");
        return false;
    }
    out->settings[out->n_settings++] = (struct setting){.key = pair->key, .value = pair->value};
    return true;
}

static bool fill(struct cli *cli, const struct config_pair *pairs, size_t n, struct config_account *out)
{
    *out = (struct config_account){.name = cli->args[0],
                                   .region = cli->config->region,
                                   .enabled = true,
                                   .settings = arena_alloc(&cli->arena, (n + 1) * sizeof(struct setting))};
    for (size_t i = 0; i < n; i++) {
        struct str key = str_of(pairs[i].key), value = str_of(pairs[i].value);
        const struct config_key *known = config_key(CONFIG_ACCOUNT, key);
        if (!value.p) continue;
        if (config_key_check(CONFIG_ACCOUNT, key, value, NULL, &cli->fault)) return false;
        if (!known && !add_setting(cli, &pairs[i], out)) return false;
        if (known) config_key_set(known, out, value, ".", &cli->arena);
    }
    return true;
}

static bool may_add(struct cli *cli)
{
    const char *name = cli->args[0];
    if (!config_name_ok(str_of(name)) || strcmp(name, CONFIG_STORE) == 0 || strcmp(name, CONFIG_PHONEBOOKS) == 0)
        cli_usage(cli, _("use letters, digits, dots, _ and -"), _("\"%s\" cannot be the name of an account"), name);
    else if (config_account(cli->config, name))
        cli_usage(cli, _("change it with \"abgleich account set\""), _("there is an account \"%s\" already"), name);
    else if (!cli_option(cli, "connector"))
        cli_usage(cli, _("add --connector, like --connector carddav"), _("which kind of account is it?"));
    return !cli->fault.code;
}

static bool store(struct cli *cli, const struct config_pair *pairs, size_t n, const char *password)
{
    const char *name = cli->args[0];
    if (password && secret_set(cli->db, name, "password", str_of(password), &cli->fault)) return false;
    if (config_write(cli->config, CONFIG_ACCOUNT, name, pairs, n, true, &cli->fault) == FAULT_NONE) return true;
    if (password) secret_delete(cli->db, name, NULL, NULL);
    return false;
}

/* A sign-in in the browser comes after the account: nothing can be tested yet. */
static bool test_new(struct cli *cli, const struct config_account *a, const char *password, struct remote *r)
{
    if (cli_flag(cli, "no-test") || sign_in_needs_person(a)) return cli_db(cli);
    if (remote_open_with(cli, a, password, r)) return true;
    cli_say(cli, _("The account was not added; --no-test adds it all the same.\n"));
    return false;
}

static int add(struct cli *cli, const char *password, const char *secret)
{
    size_t n;
    const struct config_pair *pairs = all_pairs(cli, secret, &n);
    struct config_account a;
    struct remote r AUTO_REMOTE = REMOTE_INIT;
    if (!pairs || !fill(cli, pairs, n, &a) || !test_new(cli, &a, password, &r) || !store(cli, pairs, n, password))
        return cli_fail(cli);
    if (r.session) print_found(cli, a.name, &r);
    if (!r.session && cli->json) json_print(json_pack("{s:s,s:n}", "name", a.name, "ok"), stdout);
    if (sign_in_needs_person(&a))
        cli_say(cli, _("Added. Next: \"abgleich login %s\".\n"), a.name);
    else
        cli_say(cli, _("Added. Next: \"abgleich discover %s\" or \"abgleich link add\".\n"), a.name);
    return EXIT_DONE;
}

/* A person who signs in in the browser, and an application with a key file, have none. */
static bool has_password(const struct cli *cli)
{
    for (size_t i = 1; i < cli->n_args; i++) {
        struct str arg = str_of(cli->args[i]);
        if (str_eq(arg, STR("oauth.flow=code")) || str_eq(arg, STR("oauth.flow=device")) ||
            str_starts(arg, STR("oauth.key_file=")))
            return false;
    }
    return true;
}

int command_account_add(struct cli *cli)
{
    if (!cli_config(cli) || !may_add(cli)) return cli_fail(cli);
    const char *secret = cli_option(cli, "secret");
    bool ask = !secret && ((cli_option(cli, "user") && has_password(cli)) || cli_option(cli, "password-file"));
    if (secret && strcmp(secret, "stored") == 0) ask = true;
    char *password = ask ? cli_password(cli, cli->args[0]) : NULL;
    if (ask && !password) return cli_fail(cli);
    int code = add(cli, password, ask ? "stored" : secret);
    secret_free(password);
    return code;
}

/* -- changing -- */

static int switch_account(struct cli *cli, const char *enabled)
{
    if (!cli_config(cli)) return cli_fail(cli);
    const struct config_account *a = config_account_must(cli->config, cli->args[0], &cli->fault);
    struct config_pair pair = {"enabled", enabled};
    if (!a || !pairs_may_change(cli, a)) return cli_fail(cli);
    if (config_write(cli->config, CONFIG_ACCOUNT, a->name, &pair, 1, false, &cli->fault)) return cli_fail(cli);
    return EXIT_DONE;
}

int command_account_on(struct cli *cli)
{
    return switch_account(cli, "yes");
}

int command_account_off(struct cli *cli)
{
    return switch_account(cli, "no");
}

int command_account_set(struct cli *cli)
{
    if (!cli_config(cli)) return cli_fail(cli);
    const struct config_account *a = config_account_must(cli->config, cli->args[0], &cli->fault);
    struct config_pair *pairs;
    size_t n;
    if (!a || !pairs_may_change(cli, a) || !pairs_of_args(cli, 1, &pairs, &n)) return cli_fail(cli);
    if (config_write(cli->config, CONFIG_ACCOUNT, a->name, pairs, n, false, &cli->fault)) return cli_fail(cli);
    /* What was learned about the old address does not hold for the new one. */
    if (!cli_db(cli) || traits_forget(cli->db, a->name, &cli->fault)) return cli_fail(cli);
    return EXIT_DONE;
}

/* -- removing -- */

static bool uses(const struct config_link *l, const struct config_account *a)
{
    return l->account_a == a || l->account_b == a;
}

/* Everything must be ours to remove before the first thing goes. */
static bool all_drop_ins(struct cli *cli, const struct config_account *a)
{
    const struct config *c = cli->config;
    for (size_t i = 0; i < c->n_links; i++) {
        const struct config_link *l = &c->links[i];
        if (!uses(l, a) || config_is_drop_in(c, CONFIG_LINK, l->name, l->place)) continue;
        cli_usage(cli, _("take it out there first"), _("link \"%s\" uses this account and is written in %s, line %u"),
                  l->name, l->place.file, l->place.line);
        return false;
    }
    if (config_is_drop_in(c, CONFIG_ACCOUNT, a->name, a->place)) return true;
    cli_usage(cli, _("take the section out there"), _("[account %s] is written in %s, line %u"), a->name, a->place.file,
              a->place.line);
    return false;
}

static bool remove_links(struct cli *cli, const struct config_account *a)
{
    const struct config *c = cli->config;
    for (size_t i = 0; i < c->n_links; i++) {
        const struct config_link *l = &c->links[i];
        if (!uses(l, a)) continue;
        if (config_remove(c, CONFIG_LINK, l->name, l->place, &cli->fault)) return false;
        if (journal_forget_link(cli->db, l->name, &cli->fault)) return false;
    }
    return true;
}

int command_account_remove(struct cli *cli)
{
    if (!cli_config(cli)) return cli_fail(cli);
    const struct config_account *a = config_account_must(cli->config, cli->args[0], &cli->fault);
    if (!a || !pairs_may_change(cli, a) || !all_drop_ins(cli, a)) return cli_fail(cli);
    size_t n = links_of(cli->config, a);
    if (!cli_confirm(cli,
                     ngettext("Forget account \"%s\" and %zu link? Contacts stay on both sides.",
                              "Forget account \"%s\" and %zu links? Contacts stay on both sides.", n),
                     a->name, n))
        return cli_fail(cli);
    if (!cli_db(cli) || !remove_links(cli, a)) return cli_fail(cli);
    if (config_remove(cli->config, CONFIG_ACCOUNT, a->name, a->place, &cli->fault)) return cli_fail(cli);
    if (secret_delete(cli->db, a->name, NULL, &cli->fault) || traits_forget(cli->db, a->name, &cli->fault))
        return cli_fail(cli);
    return EXIT_DONE;
}

int command_secret_set(struct cli *cli)
{
    if (!cli_config(cli)) return cli_fail(cli);
    const struct config_account *a = config_account_must(cli->config, cli->args[0], &cli->fault);
    char *password = a && pairs_may_change(cli, a) && cli_db(cli) ? cli_password(cli, a->name) : NULL;
    if (!password) return cli_fail(cli);
    enum fault_code code = secret_set(cli->db, a->name, "password", str_of(password), &cli->fault);
    secret_free(password);
    if (code) return cli_fail(cli);
    struct config_pair stored = {"secret", "stored"};
    if (!a->secret && config_write(cli->config, CONFIG_ACCOUNT, a->name, &stored, 1, false, &cli->fault))
        return cli_fail(cli);
    if (a->secret && strcmp(a->secret, "stored") != 0)
        cli_say(cli,
                _("Stored, but the account takes its password from elsewhere: \"abgleich account set %s "
                  "secret=stored\".\n"),
                a->name);
    return EXIT_DONE;
}
