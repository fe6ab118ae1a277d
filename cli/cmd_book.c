#include "cli/command.h"
#include "cli/out.h"

#include "base/i18n.h"
#include "state/directory.h"
#include "state/store.h"

static json_t *book_json(const struct book *b)
{
    return json_pack("{s:o,s:o,s:s,s:I}", "name", json_text(b->name), "id", json_text(b->id), "kind",
                     b->kind == RECORD_EVENT ? "events" : "contacts", "records", (json_int_t)b->records);
}

int command_book_list(struct cli *cli)
{
    if (!cli_db(cli)) return cli_fail(cli);
    struct book *books;
    size_t n = book_list(cli->db, &cli->arena, &books);
    if (db_check(cli->db, &cli->fault)) return cli_fail(cli);
    if (cli->json) {
        json_t *all = json_array();
        for (size_t i = 0; i < n; i++) json_array_append_new(all, book_json(&books[i]));
        json_print(all, stdout);
        return EXIT_DONE;
    }
    struct table t AUTO_TABLE = table_of(3, 1 << 2);
    table_cell(&t, _("BOOK"));
    table_cell(&t, _("KIND"));
    table_cell(&t, _("RECORDS"));
    for (size_t i = 0; i < n; i++) {
        table_text(&t, books[i].name);
        table_cell(&t, books[i].kind == RECORD_EVENT ? _("events") : _("contacts"));
        table_number(&t, books[i].records);
    }
    if (n)
        table_print(&t, "", stdout);
    else
        cli_say(cli, _("No books yet. \"abgleich book add\" makes one.\n"));
    return EXIT_DONE;
}

static int print_book(const struct cli *cli, const struct book *b)
{
    if (cli->json) json_print(book_json(b), stdout);
    return EXIT_DONE;
}

static bool name_is_free(struct cli *cli, struct str name)
{
    struct book other;
    if (!name.n)
        cli_usage(cli, NULL, _("a book needs a name"));
    else if (book_find(cli->db, name, &cli->arena, &other))
        cli_usage(cli, NULL, _("there is a book \"%.*s\" already"), STR_ARG(name));
    return !cli->fault.code;
}

int command_book_add(struct cli *cli)
{
    struct book b;
    if (!cli_db(cli)) return cli_fail(cli);
    struct str name = str_trim(str_of(cli->args[0]));
    if (!name_is_free(cli, name) || db_begin(cli->db, &cli->fault)) return cli_fail(cli);
    book_add(cli->db, name, RECORD_CONTACT, &cli->arena, &b, &cli->fault);
    if (db_commit(cli->db, &cli->fault)) return cli_fail(cli);
    return cli->fault.code ? cli_fail(cli) : print_book(cli, &b);
}

static bool find_book(struct cli *cli, struct book *out)
{
    if (!cli_db(cli)) return false;
    if (book_find(cli->db, str_of(cli->args[0]), &cli->arena, out)) return true;
    if (!db_check(cli->db, &cli->fault))
        cli_usage(cli, _("\"abgleich book list\" shows those there are"), _("there is no book \"%s\""), cli->args[0]);
    return false;
}

int command_book_rename(struct cli *cli)
{
    struct book b;
    if (!find_book(cli, &b)) return cli_fail(cli);
    struct str name = str_trim(str_of(cli->args[1]));
    if (!name_is_free(cli, name) || db_begin(cli->db, &cli->fault)) return cli_fail(cli);
    book_rename(cli->db, b.id, name, &cli->fault);
    if (db_commit(cli->db, &cli->fault) || cli->fault.code) return cli_fail(cli);
    for (size_t i = 0; i < cli->config->n_links; i++) {
        const struct config_link *l = &cli->config->links[i];
        bool named = (config_is_store(l->account_a) && str_eq(b.name, str_of(l->collection_a))) ||
                     (config_is_store(l->account_b) && str_eq(b.name, str_of(l->collection_b)));
        if (named) cli_say(cli, _("Link \"%s\" still names the book \"%.*s\".\n"), l->name, STR_ARG(b.name));
    }
    return EXIT_DONE;
}

/* A link whose book vanishes would see every contact gone; its guard would hold it, but better not to get there. */
static const struct config_link *link_on(const struct config *c, const struct book *b)
{
    for (size_t i = 0; i < c->n_links; i++) {
        const struct config_link *l = &c->links[i];
        if (config_is_store(l->account_a) &&
            (str_eq(b->name, str_of(l->collection_a)) || str_eq(b->id, str_of(l->collection_a))))
            return l;
        if (config_is_store(l->account_b) &&
            (str_eq(b->name, str_of(l->collection_b)) || str_eq(b->id, str_of(l->collection_b))))
            return l;
    }
    return NULL;
}

int command_book_remove(struct cli *cli)
{
    struct book b;
    if (!find_book(cli, &b)) return cli_fail(cli);
    const struct config_link *l = link_on(cli->config, &b);
    if (l)
        return cli_usage(cli, arena_printf(&cli->arena, _("remove the link first: abgleich link remove %s"), l->name),
                         _("book \"%.*s\" is in use"), STR_ARG(b.name));
    struct str owner = directory_owner(cli->db, b.id, &cli->arena);
    if (owner.p)
        return cli_usage(cli, _("see \"abgleich directory drop\" and \"abgleich directory remove\""),
                         _("book \"%.*s\" belongs to phonebook \"%.*s\""), STR_ARG(b.name), STR_ARG(owner));
    if (!cli_confirm(cli,
                     ngettext("Delete book \"%.*s\" and its %lld contact for good?",
                              "Delete book \"%.*s\" and its %lld contacts for good?", (unsigned long)b.records),
                     STR_ARG(b.name), (long long)b.records))
        return cli_fail(cli);
    if (db_begin(cli->db, &cli->fault)) return cli_fail(cli);
    book_remove(cli->db, b.id, &cli->fault);
    if (db_commit(cli->db, &cli->fault) || cli->fault.code) return cli_fail(cli);
    return EXIT_DONE;
}
