/* What people say about a phonebook: its settings, who may read and push, and whose names win. */
#include "cli/command.h"
#include "cli/directory_out.h"
#include "cli/pairs.h"

#include "base/i18n.h"
#include "base/network.h"
#include "mapping/phonebook_form.h"
#include "state/secrets.h"

#include <stdlib.h>

/* In the open transaction; it ends here. */
static int end(struct cli *cli)
{
    if (cli->fault.code)
        db_rollback(cli->db);
    else
        db_commit(cli->db, &cli->fault);
    return cli_fail(cli);
}

/* -- settings -- */

static bool check_bool(struct str v)
{
    bool unused;
    return config_parse_bool(v, &unused);
}

static bool check_charset(struct str v)
{
    return str_eq(v, STR("windows-1252"));
}

static bool check_percent(struct str v)
{
    long long n;
    return str_to_int64(v, &n) && n >= 1 && n <= 99;
}

static bool check_user(struct str v)
{
    return !memchr(v.p, ':', v.n); /* it ends there in Basic (RFC 7617) */
}

static const struct setting_row {
    const char *key;
    bool (*check)(struct str value); /* NULL: phones know it (mapping/phonebook_form.h) */
    const char *expects;
} rows[] = {
    {"number", NULL, N_("stored, e164, idd, national or prefix")},
    {"line", NULL, N_("what is dialled for an outside line, like 0")},
    {"area", NULL, N_("an area code, like 040")},
    {"country", NULL, N_("a country, like DE")},
    {"include_fax", NULL, N_("yes or no")},
    {"names", NULL, N_("all, latin1 or ascii")},
    {"company", NULL, N_("yes or no")},
    {"plain_http", check_bool, N_("yes or no")},
    {"networks", network_list_ok, N_("networks like 192.168.0.0/16, fd00::/8")},
    {"charset", check_charset, "windows-1252"},
    {"max_shrink", check_percent, N_("how many of a hundred rows a push may leave out, 1 to 99")},
    {"user", check_user, N_("a name without a colon")},
    {NULL, NULL, NULL},
};

static bool is_value(const struct setting_row *row, const char *value)
{
    struct form_settings scratch = {.title = ""};
    return row->check ? row->check(str_of(value)) : form_setting_take(&scratch, str_of(row->key), value);
}

static const struct setting_row *row_of(struct cli *cli, const struct config_pair *pair)
{
    const struct setting_row *row = rows;
    struct buf all AUTO_BUF = BUF_INIT;
    while (row->key && strcmp(row->key, pair->key) != 0) row++;
    if (row->key && (!pair->value || is_value(row, pair->value))) return row;
    if (row->key) {
        buf_addf(&all, _("write %s"), _(row->expects));
        cli_usage(cli, buf_cstr(&all), _("\"%s\" is no value for %s"), pair->value, row->key);
        return NULL;
    }
    for (row = rows; row->key; row++) buf_addf(&all, "%s%s", all.len ? ", " : "", row->key);
    cli_usage(cli, arena_printf(&cli->arena, _("there are: %s"), buf_cstr(&all)), _("a phonebook has no setting \"%s\""),
              pair->key);
    return NULL;
}

static void set_login(struct cli *cli, const struct directory *d, const char *user)
{
    char *password = user ? cli_password(cli, user) : NULL;
    if (!cli->fault.code && (!user || password))
        directory_set_login(cli->db, d->no, str_of(user), password, &cli->fault);
    secret_free(password);
}

static void set_one(struct cli *cli, const struct directory *d, const struct config_pair *pair)
{
    const struct setting_row *row = row_of(cli, pair);
    bool yes;
    if (!row) return;
    if (strcmp(row->key, "user") == 0) {
        set_login(cli, d, pair->value);
        return;
    }
    struct str value = pair->value ? str_of(pair->value) : STR_NONE;
    if (row->check == check_bool && value.p && config_parse_bool(value, &yes)) value = yes ? STR("yes") : STR("no");
    directory_set(cli->db, d->no, row->key, value, &cli->fault);
}

int command_directory_set(struct cli *cli)
{
    struct directory d;
    struct config_pair *pairs;
    size_t n;
    if (!directory_find(cli, &d) || !pairs_of_args(cli, 1, &pairs, &n) || db_begin(cli->db, &cli->fault))
        return cli_fail(cli);
    for (size_t i = 0; i < n && !cli->fault.code; i++) set_one(cli, &d, &pairs[i]);
    return end(cli);
}

/* -- whose names win -- */

static const struct directory_part *part_named(const struct directory_part *parts, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(directory_part_name(&parts[i]), str_of(name)) || str_eq(parts[i].name, str_of(name)))
            return &parts[i];
    return NULL;
}

int command_directory_order(struct cli *cli)
{
    struct directory d;
    struct directory_part *parts;
    int64_t place = 0;
    if (!directory_find(cli, &d)) return cli_fail(cli);
    size_t n = directory_parts(cli->db, d.no, &cli->arena, &parts);
    bool *moved = arena_zalloc(&cli->arena, n + 1);
    if (db_begin(cli->db, &cli->fault)) return cli_fail(cli);
    for (size_t i = 1; i < cli->n_args && !cli->fault.code; i++) {
        const struct directory_part *part = part_named(parts, n, cli->args[i]);
        if (!part)
            cli_usage(cli, arena_printf(&cli->arena, _("see \"abgleich directory show %s\""), cli->args[0]),
                      _("nothing called \"%s\" feeds it"), cli->args[i]);
        else if (!moved[part - parts])
            directory_part_place(cli->db, d.no, part->book, place++, &cli->fault);
        if (part) moved[part - parts] = true;
    }
    for (size_t i = 0; i < n && !cli->fault.code; i++) /* the others follow, as they were */
        if (!moved[i] && parts[i].kind != PART_PUSH)
            directory_part_place(cli->db, d.no, parts[i].book, place++, &cli->fault);
    return end(cli);
}

/* -- keys -- */

#define OVERLAP_MS (7 * CONFIG_DAY_MS)

static json_t *keys_json(struct cli *cli, const struct directory *d)
{
    struct directory_key *keys;
    json_t *all = json_array();
    size_t n = directory_keys(cli->db, d->no, &cli->arena, &keys);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(all, json_pack("{s:b, s:b, s:o, s:o}", "reads", (keys[i].rights & DIRECTORY_READS) != 0,
                                             "pushes", (keys[i].rights & DIRECTORY_PUSHES) != 0, "created",
                                             json_time(keys[i].created_ms), "until", json_time(keys[i].until_ms)));
    return all;
}

static int show_keys(struct cli *cli, const struct directory *d)
{
    struct directory_key *keys;
    if (cli->json) {
        json_print(keys_json(cli, d), stdout);
        return cli_fail(cli);
    }
    struct table t AUTO_TABLE = table_of(3, 0);
    table_cell(&t, _("MADE"));
    table_cell(&t, _("MAY"));
    table_cell(&t, _("UNTIL"));
    size_t n = directory_keys(cli->db, d->no, &cli->arena, &keys);
    for (size_t i = 0; i < n; i++) {
        unsigned r = keys[i].rights;
        table_time(&t, keys[i].created_ms);
        table_cell(&t, r == DIRECTORY_READS ? _("read") : r == DIRECTORY_PUSHES ? _("push") : _("read and push"));
        table_time(&t, keys[i].until_ms);
    }
    table_print(&t, "", stdout);
    return cli_fail(cli);
}

/* The first key for writing takes the right to push from those that had both: they only read from now on. */
static void add_key(struct cli *cli, const struct directory *d, const char *key, int64_t until_ms)
{
    struct directory_key *keys;
    bool write = cli_flag(cli, "write"), separate = false;
    size_t n = directory_keys(cli->db, d->no, &cli->arena, &keys);
    for (size_t i = 0; i < n; i++) separate |= keys[i].rights != (DIRECTORY_READS | DIRECTORY_PUSHES);
    unsigned rights = write ? DIRECTORY_PUSHES : separate ? DIRECTORY_READS : DIRECTORY_READS | DIRECTORY_PUSHES;
    if (write && !separate)
        directory_keys_may(cli->db, d->no, DIRECTORY_READS, &cli->fault);
    else
        directory_keys_end(cli->db, d->no, rights, until_ms, &cli->fault);
    if (!cli->fault.code) directory_key_add(cli->db, d->no, str_of(key), rights, &cli->fault);
}

int command_directory_key(struct cli *cli)
{
    struct directory d;
    char fresh[DIRECTORY_KEY_CHARACTERS + 1];
    int64_t overlap_ms = OVERLAP_MS;
    const char *key = cli_option(cli, "key"), *overlap = cli_option(cli, "overlap");
    if (!directory_find(cli, &d)) return cli_fail(cli);
    if (overlap && !config_parse_duration(str_of(overlap), &overlap_ms))
        return cli_usage(cli, "--overlap 7d", _("\"%s\" is no time"), overlap);
    if (key && !directory_key_ok(str_of(key)))
        return cli_usage(cli, _("leave --key out: a random one is made"),
                         _("a key has 14 characters of 0-9 and A-Z, and is not to be guessed at once"));
    if (!cli_flag(cli, "new") && !cli_flag(cli, "one")) return show_keys(cli, &d);
    if (db_begin(cli->db, &cli->fault)) return cli_fail(cli);
    if (cli_flag(cli, "one")) directory_keys_may(cli->db, d.no, DIRECTORY_READS | DIRECTORY_PUSHES, &cli->fault);
    if (!cli_flag(cli, "new") || cli->fault.code) return end(cli);
    if (!key) directory_key_new(cli->env, fresh);
    add_key(cli, &d, key ? key : fresh, cli->env->now_ms(cli->env) + overlap_ms);
    int status = end(cli);
    if (cli->fault.code) return status;
    if (cli->json)
        json_print(json_pack("{s:o, s:s}", "name", json_text(d.name), "key", key ? key : fresh), stdout);
    else
        printf("%s\n", key ? key : fresh);
    cli_say(cli, _("The key is shown this once.\n"));
    return status;
}
