/* Phonebooks: what telephones, scripts and apps read at /contacts/KEY (state/directory.h). */
#include "cli/command.h"
#include "cli/directory_out.h"

#include "base/i18n.h"
#include "mapping/phonebook_form.h"
#include "state/directory.h"
#include "state/store.h"

static bool check_options(struct cli *cli, struct directory *d)
{
    enum number_form form;
    struct form_settings scratch = {.title = ""};
    const char *number = cli_option(cli, "number"), *line = cli_option(cli, "line"), *key = cli_option(cli, "key");
    if (number && !number_form_parse(str_of(number), &form))
        cli_usage(cli, "--number stored|e164|idd|national|prefix", _("\"%s\" is no form of numbers"), number);
    else if (line && !form_setting_take(&scratch, STR("line"), line))
        cli_usage(cli, "--line 0", _("\"%s\" cannot be dialled"), line);
    else if (key && !directory_key_ok(str_of(key)))
        cli_usage(cli, _("leave --key out: a random one is made"),
                  _("a key has 14 characters of 0-9 and A-Z, and is not to be guessed at once"));
    *d = (struct directory){.name = str_of(cli->args[0]),
                            .number_form = str_of(number),
                            .line = str_of(line),
                            .plain_http = cli_flag(cli, "plain-http")};
    return !cli->fault.code;
}

static bool find_books(struct cli *cli, struct str **ids, size_t *n)
{
    for (*n = 0; cli_option_at(cli, "book", *n); ++*n) continue;
    *ids = arena_zalloc(&cli->arena, (*n + 1) * sizeof **ids);
    for (size_t i = 0; i < *n; i++) {
        struct book b;
        const char *name = cli_option_at(cli, "book", i);
        if (!book_find(cli->db, str_of(name), &cli->arena, &b)) {
            cli_usage(cli, _("\"abgleich book list\" shows those there are"), _("there is no book \"%s\""), name);
            return false;
        }
        (*ids)[i] = b.id;
    }
    return true;
}

/* The address the listener has, as far as the configuration tells. */
static void print_made(struct cli *cli, const struct directory *d, const char *key)
{
    const struct config *c = cli->config;
    if (cli->json) {
        json_t *made = directory_json(cli, d);
        json_object_set_new(made, "key", json_string(key));
        json_print(made, stdout);
        return;
    }
    printf("%s\n", key);
    const char *where = c->listen ? c->listen : "HOST:PORT", *scheme = c->tls_cert ? "https" : "http";
    cli_say(cli,
            _("The key is shown this once. Whoever has it reads the phonebook, and may replace what was pushed.\n"));
    cli_say(cli, "  curl -F 'file=@contacts.csv' %s://%s/contacts/%s\n", scheme, where, key);
    for (size_t i = 0; phone_family_at(i); i++)
        cli_say(cli, "  %-8s %s://%s/contacts/%s/%s\n", phone_family_at(i)->name, scheme, where, key,
                phone_family_at(i)->path);
    if (!c->listen)
        cli_say(cli, _("The daemon does not listen yet: set \"listen\" in [abgleich].\n"));
    else if (!c->tls_cert && !d->plain_http)
        cli_say(cli, _("Without tls_cert and tls_key it is read on this machine only.\n"));
}

static enum fault_code set_options(struct cli *cli, const struct directory *d)
{
    const struct {
        const char *key;
        struct str value;
    } rows[] = {{"number", d->number_form}, {"line", d->line}, {"plain_http", d->plain_http ? STR("yes") : STR_NONE}};
    enum fault_code code = FAULT_NONE;
    for (size_t i = 0; !code && i < sizeof rows / sizeof *rows; i++)
        if (rows[i].value.p) code = directory_set(cli->db, d->no, rows[i].key, rows[i].value, &cli->fault);
    return code;
}

int command_directory_add(struct cli *cli)
{
    struct directory d;
    struct str *books;
    size_t n;
    char fresh[DIRECTORY_KEY_CHARACTERS + 1];
    const char *key = cli_option(cli, "key");
    if (!cli_config(cli) || !check_options(cli, &d) || !cli_db(cli) || !find_books(cli, &books, &n))
        return cli_fail(cli);
    if (!key) directory_key_new(cli->env, fresh);
    if (!key) key = fresh;
    if (db_begin(cli->db, &cli->fault)) return cli_fail(cli);
    if (directory_add(cli->db, &d, str_of(key), books, n, &cli->arena, &cli->fault) || set_options(cli, &d))
        db_rollback(cli->db);
    else
        db_commit(cli->db, &cli->fault);
    if (!cli->fault.code) print_made(cli, &d, key);
    return cli_fail(cli);
}

int command_directory_list(struct cli *cli)
{
    struct directory *list;
    if (!cli_db(cli)) return cli_fail(cli);
    if (!cli->json) {
        if (!directory_table_print(cli) && !db_check(cli->db, NULL))
            cli_say(cli, _("No phonebooks yet. \"abgleich directory add\" makes one.\n"));
        db_check(cli->db, &cli->fault);
        return cli_fail(cli);
    }
    size_t n = directory_list(cli->db, &cli->arena, &list);
    json_t *all = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(all, directory_json(cli, &list[i]));
    if (db_check(cli->db, &cli->fault))
        json_decref(all);
    else
        json_print(all, stdout);
    return cli_fail(cli);
}

/* A link that runs on would make its part again, or fail each time. */
static const char *link_to(struct cli *cli, const struct directory *d)
{
    for (size_t i = 0; i < cli->config->n_links; i++) {
        const struct config_link *l = &cli->config->links[i];
        if (l->account_b == &cli->config->phonebooks && str_eq(d->name, str_of(l->collection_b))) return l->name;
    }
    return NULL;
}

int command_directory_remove(struct cli *cli)
{
    struct directory d;
    if (!directory_find(cli, &d)) return cli_fail(cli);
    const char *link = link_to(cli, &d);
    if (link)
        return cli_usage(cli, arena_printf(&cli->arena, _("remove the link first: abgleich link remove %s"), link),
                         _("phonebook \"%.*s\" is in use"), STR_ARG(d.name));
    if (!cli_confirm(cli, _("Telephones that read it find nothing any more. Go on?"))) return cli_fail(cli);
    if (db_begin(cli->db, &cli->fault)) return cli_fail(cli);
    if ((d.merged_book.n && book_remove(cli->db, d.merged_book, &cli->fault)) ||
        directory_remove(cli->db, d.no, &cli->fault))
        db_rollback(cli->db);
    else
        db_commit(cli->db, &cli->fault);
    return cli_fail(cli);
}
