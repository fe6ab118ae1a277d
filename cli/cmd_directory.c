/* Phonebooks: what telephones, scripts and apps read at /contacts/KEY (state/directory.h). */
#include "cli/command.h"
#include "cli/out.h"

#include "base/i18n.h"
#include "mapping/phonebook_form.h"
#include "state/directory.h"
#include "state/store.h"

static json_t *directory_json(struct cli *cli, const struct directory *d)
{
    struct str *books;
    size_t n = directory_books(cli->db, d, &cli->arena, &books);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        struct book b;
        if (book_find(cli->db, books[i], &cli->arena, &b)) json_array_append_new(list, json_text(b.name));
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o}", "name", json_text(d->name), "books", list, "number",
                     json_text(d->number_form), "line", json_text(d->line), "plain_http", d->plain_http, "pushed",
                     json_time(d->pushed_ms), "fetched", json_time(d->fetched_ms), "fetched_as",
                     json_text(d->fetched_as));
}

static bool check_options(struct cli *cli, struct directory *d)
{
    enum number_form form;
    const char *number = cli_option(cli, "number"), *line = cli_option(cli, "line"), *key = cli_option(cli, "key");
    if (number && !number_form_parse(str_of(number), &form))
        cli_usage(cli, "--number stored|e164|idd|national", _("\"%s\" is no form of numbers"), number);
    else if (line && strspn(line, "0123456789*#") != strlen(line))
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
    if (directory_add(cli->db, &d, str_of(key), books, n, &cli->arena, &cli->fault))
        db_rollback(cli->db);
    else
        db_commit(cli->db, &cli->fault);
    if (!cli->fault.code) print_made(cli, &d, key);
    return cli_fail(cli);
}

static void add_row(struct cli *cli, struct table *t, const struct directory *d)
{
    struct buf time AUTO_BUF = BUF_INIT, names AUTO_BUF = BUF_INIT;
    struct str *books;
    size_t n = directory_books(cli->db, d, &cli->arena, &books);
    for (size_t i = 0; i + 1 < n; i++) {
        struct book b;
        if (book_find(cli->db, books[i], &cli->arena, &b))
            buf_addf(&names, "%s%.*s", names.len ? ", " : "", STR_ARG(b.name));
    }
    table_text(t, d->name);
    table_text(t, buf_str(&names));
    if (d->pushed_ms) time_text(d->pushed_ms, &time);
    table_text(t, buf_str(&time));
    buf_reset(&time);
    if (d->fetched_ms) time_text(d->fetched_ms, &time);
    if (d->fetched_ms) buf_addf(&time, " (%.*s)", STR_ARG(d->fetched_as));
    table_text(t, buf_str(&time));
}

int command_directory_list(struct cli *cli)
{
    struct directory *list;
    if (!cli_db(cli)) return cli_fail(cli);
    size_t n = directory_list(cli->db, &cli->arena, &list);
    if (db_check(cli->db, &cli->fault)) return cli_fail(cli);
    json_t *all = json_array();
    struct table t AUTO_TABLE = table_of(4, 0);
    table_cell(&t, _("PHONEBOOK"));
    table_cell(&t, _("BOOKS"));
    table_cell(&t, _("PUSHED"));
    table_cell(&t, _("FETCHED"));
    for (size_t i = 0; i < n; i++) {
        if (cli->json)
            json_array_append_new(all, directory_json(cli, &list[i]));
        else
            add_row(cli, &t, &list[i]);
    }
    if (cli->json)
        json_print(json_incref(all), stdout);
    else if (n)
        table_print(&t, "", stdout);
    else
        cli_say(cli, _("No phonebooks yet. \"abgleich directory add\" makes one.\n"));
    json_decref(all);
    return EXIT_DONE;
}

int command_directory_remove(struct cli *cli)
{
    struct directory d;
    if (!cli_db(cli)) return cli_fail(cli);
    if (!directory_by_name(cli->db, str_of(cli->args[0]), &cli->arena, &d))
        return cli_usage(cli, _("\"abgleich directory list\" shows those there are"), _("there is no phonebook \"%s\""),
                         cli->args[0]);
    if (!cli_confirm(cli, _("Telephones that read it find nothing any more. Go on?"))) return cli_fail(cli);
    if (db_begin(cli->db, &cli->fault)) return cli_fail(cli);
    if (directory_remove(cli->db, d.no, &cli->fault))
        db_rollback(cli->db);
    else
        db_commit(cli->db, &cli->fault);
    return cli_fail(cli);
}
