/* Who uses books of the store over CardDAV (state/user.h). */
#include "cli/command.h"
#include "cli/out.h"
#include "state/secrets.h"

#include "base/i18n.h"
#include "server/directory_merged.h"
#include "state/store.h"
#include "state/user.h"

/* Letters, digits and . _ - @ only: the name is part of addresses. */
static bool name_is_ok(struct str name)
{
    bool right = name.n > 0 && name.n <= 64;
    for (size_t i = 0; i < name.n && right; i++) {
        char c = name.p[i];
        right =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (i && memchr("._-@", c, 4));
    }
    return right;
}

/* "Kunden:ro" -> the book and what is allowed there. */
static bool grant(struct cli *cli, int64_t no, struct str text)
{
    struct book b;
    bool off = str_ends(text, STR(":off")), read_only = str_ends(text, STR(":ro"));
    if (off) text.n -= 4;
    if (read_only) text.n -= 3;
    if (!book_find(cli->db, text, &cli->arena, &b)) {
        cli_usage(cli, _("\"abgleich book list\" shows those there are"), _("there is no book \"%.*s\""),
                  STR_ARG(text));
        return false;
    }
    if (!off && !read_only && directory_owner(cli->db, b.id, &cli->arena).p) read_only = true;
    return !(off ? user_book_remove(cli->db, no, b.id, &cli->fault)
                 : user_book_set(cli->db, no, b.id, read_only, &cli->fault));
}

/* Phonebooks are only read: what they say comes from elsewhere. */
static bool grant_directory(struct cli *cli, int64_t no, const char *name)
{
    struct directory d;
    if (!directory_by_name(cli->db, str_of(name), &cli->arena, &d)) {
        cli_usage(cli, _("\"abgleich directory list\" shows those there are"), _("there is no phonebook \"%s\""), name);
        return false;
    }
    return !directory_merged_refresh(cli->db, &d, cli->config->region, &cli->arena, &cli->fault) &&
           !user_book_set(cli->db, no, d.merged_book, true, &cli->fault);
}

static bool grant_all(struct cli *cli, int64_t no)
{
    const char *book;
    for (size_t i = 0; (book = cli_option_at(cli, "directory", i)); i++)
        if (!grant_directory(cli, no, book)) return false;
    for (size_t i = 0; (book = cli_option_at(cli, "book", i)); i++)
        if (!grant(cli, no, str_of(book))) return false;
    return true;
}

static bool end(struct cli *cli, bool good)
{
    if (!good)
        db_rollback(cli->db);
    else
        db_commit(cli->db, &cli->fault);
    return !cli->fault.code;
}

int command_user_add(struct cli *cli)
{
    int64_t no = 0;
    struct str name = str_of(cli->args[0]);
    if (!name_is_ok(name))
        return cli_usage(cli, _("use letters, digits, dots, _, - and @"), _("\"%s\" cannot be the name of a user"),
                         cli->args[0]);
    if (!cli_db(cli)) return cli_fail(cli);
    char *password = cli_password(cli, cli->args[0]);
    if (!password) return cli_fail(cli);
    if (!db_begin(cli->db, &cli->fault))
        end(cli, !user_add(cli->db, name, password, &no, &cli->fault) && grant_all(cli, no));
    secret_free(password);
    if (!cli->fault.code && !cli_option(cli, "book") && !cli_option(cli, "directory"))
        cli_say(cli, _("No book is shared with \"%s\" yet: abgleich user set %s --book BOOK\n"), cli->args[0],
                cli->args[0]);
    return cli_fail(cli);
}

static bool find(struct cli *cli, struct user *u)
{
    if (!cli_db(cli)) return false;
    if (user_get(cli->db, str_of(cli->args[0]), &cli->arena, u)) return true;
    cli_usage(cli, _("\"abgleich user list\" shows those there are"), _("there is no user \"%s\""), cli->args[0]);
    return false;
}

int command_user_set(struct cli *cli)
{
    struct user u;
    if (!find(cli, &u)) return cli_fail(cli);
    char *password = cli_option(cli, "password-file") ? cli_password(cli, cli->args[0]) : NULL;
    if (!cli->fault.code && !db_begin(cli->db, &cli->fault))
        end(cli, (!password || !user_set_password(cli->db, u.no, password, &cli->fault)) && grant_all(cli, u.no));
    secret_free(password);
    return cli_fail(cli);
}

static json_t *user_json(struct cli *cli, const struct user *u)
{
    struct user_book *books;
    size_t n = user_books(cli->db, u->no, &cli->arena, &books);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        const char *principal =
            arena_printf(&cli->arena, "/dav/principals/%.*s/%.*s/", STR_ARG(u->name), STR_ARG(books[i].book));
        json_array_append_new(list, json_pack("{s:o, s:b, s:s}", "book", json_text(books[i].store_name), "read_only",
                                              books[i].read_only, "principal", principal));
    }
    return json_pack("{s:o, s:o}", "name", json_text(u->name), "books", list);
}

static void add_row(struct cli *cli, struct table *t, const struct user *u)
{
    struct user_book *books;
    struct buf names AUTO_BUF = BUF_INIT;
    size_t n = user_books(cli->db, u->no, &cli->arena, &books);
    for (size_t i = 0; i < n; i++) {
        buf_addf(&names, "%s%.*s%s", names.len ? ", " : "", STR_ARG(books[i].store_name),
                 books[i].read_only ? _(" (reads)") : "");
    }
    table_text(t, u->name);
    table_text(t, buf_str(&names));
}

int command_user_list(struct cli *cli)
{
    struct user *list;
    if (!cli_db(cli)) return cli_fail(cli);
    size_t n = user_list(cli->db, &cli->arena, &list);
    if (db_check(cli->db, &cli->fault)) return cli_fail(cli);
    json_t *all = json_array();
    struct table t AUTO_TABLE = table_of(2, 0);
    table_cell(&t, _("USER"));
    table_cell(&t, _("BOOKS"));
    for (size_t i = 0; i < n; i++) {
        if (cli->json)
            json_array_append_new(all, user_json(cli, &list[i]));
        else
            add_row(cli, &t, &list[i]);
    }
    if (cli->json)
        json_print(json_incref(all), stdout);
    else if (n)
        table_print(&t, "", stdout);
    else
        cli_say(cli, _("No users yet. \"abgleich user add\" makes one.\n"));
    json_decref(all);
    return EXIT_DONE;
}

int command_user_remove(struct cli *cli)
{
    struct user u;
    if (!find(cli, &u)) return cli_fail(cli);
    if (!cli_confirm(cli, _("\"%s\" can no longer use any book. Go on?"), cli->args[0])) return cli_fail(cli);
    if (!db_begin(cli->db, &cli->fault)) end(cli, !user_remove(cli->db, u.no, &cli->fault));
    return cli_fail(cli);
}
