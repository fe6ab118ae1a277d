#include "cli/command.h"
#include "cli/contact.h"
#include "cli/out.h"

#include "base/i18n.h"
#include "cli/custom_field.h"
#include "cli/file.h"

#define CONTACT_MAX_BYTES (16u << 20)

/* -- list, deleted -- */

struct listing {
    struct cli *cli;
    json_t *all; /* NULL: the table */
    struct table table;
    size_t n;
};

static void add_row(struct listing *l, const struct store_record *r)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct fault why AUTO_FAULT = FAULT_INIT;
    struct buf emails AUTO_BUF = BUF_INIT, phones AUTO_BUF = BUF_INIT;
    const struct record *parsed = contact_parse(l->cli, &arena, r->kind, r->body, &why);
    if (parsed) contact_values(parsed, "email", ", ", &emails);
    if (parsed) contact_values(parsed, "tel", ", ", &phones);
    table_text(&l->table, r->id);
    table_text(&l->table, r->title);
    table_text(&l->table, buf_str(&emails));
    table_text(&l->table, buf_str(&phones));
    if (r->deleted)
        table_time(&l->table, r->changed_ms);
    else
        table_cell(&l->table, "");
}

static bool list_one(void *ctx, const struct store_record *r)
{
    struct listing *l = ctx;
    if (r->deleted && !r->body.n) return true; /* erased: nothing is left of it to show */
    l->n++;
    if (!l->all) {
        add_row(l, r);
        return true;
    }
    json_t *o = contact_json(l->cli, r);
    if (r->deleted) {
        json_object_set_new(o, "deleted", json_time(r->changed_ms));
        json_object_set_new(o, "by_person", json_boolean(r->by_person));
    }
    json_array_append_new(l->all, o);
    return true;
}

static int list(struct cli *cli, bool deleted)
{
    struct book book = {.id = STR_NONE};
    if (cli->n_args && !contact_book(cli, cli->args[0], &book)) return cli_fail(cli);
    if (!cli_hash_key(cli)) return cli_fail(cli);
    struct listing l = {.cli = cli, .all = cli->json ? json_array() : NULL, .table = table_of(5, 0)};
    static const char *const heads[] = {N_("ID"), N_("NAME"), N_("E-MAIL"), N_("PHONE"), ""};
    for (size_t i = 0; i < 5; i++) table_cell(&l.table, *heads[i] ? _(heads[i]) : deleted ? _("DELETED") : "");
    struct str search = cli->n_args > 1 ? str_of(cli->args[1]) : STR_NONE;
    enum fault_code code = store_list(cli->db, book.id, search, deleted, list_one, &l, &cli->fault);
    if (!code && l.all)
        json_print(l.all, stdout);
    else if (!code && l.n)
        table_print(&l.table, "", stdout);
    else if (!code)
        cli_say(cli, deleted ? _("No deleted contacts.\n") : _("No contacts.\n"));
    table_free(&l.table);
    return code ? cli_fail(cli) : EXIT_DONE;
}

int command_contact_list(struct cli *cli)
{
    return list(cli, false);
}

int command_contact_deleted(struct cli *cli)
{
    return list(cli, true);
}

/* -- show -- */

static void print_fields(const struct config *c, const struct record *r, struct arena *arena)
{
    struct table t AUTO_TABLE = table_of(3, 0);
    size_t n;
    const struct element **e = contact_elements(r, arena, &n);
    for (size_t i = 0; i < n; i++) {
        struct buf label AUTO_BUF = BUF_INIT, value AUTO_BUF = BUF_INIT;
        const struct config_field *custom = custom_field_of(c, e[i]);
        custom_field_label(c, e[i], &label);
        element_value(e[i], &value);
        table_text(&t, buf_str(&label));
        table_text(&t, buf_str(&value));
        table_text(&t, custom ? str_of(custom->name) : e[i]->key_text);
    }
    table_print(&t, "  ", stdout);
}

static int show_text(struct cli *cli, const struct store_record *r)
{
    struct fault why AUTO_FAULT = FAULT_INIT;
    const struct record *parsed = contact_parse(cli, &cli->arena, r->kind, r->body, &why);
    struct table t AUTO_TABLE = table_of(2, 0);
    table_text(&t, r->title);
    table_text(&t, r->id);
    table_print(&t, "", stdout);
    if (parsed) {
        print_fields(cli->config, parsed, &cli->arena);
        contact_attached_print(cli, r->id);
        return EXIT_DONE;
    }
    fault_copy(&cli->fault, &why);
    return cli_fail(cli);
}

int command_contact_show(struct cli *cli)
{
    struct store_record r;
    if (!contact_find(cli, cli->args[0], false, &r)) return cli_fail(cli);
    const char *format = cli_option(cli, "format");
    if (format && strcmp(format, "vcard") == 0) {
        fwrite(r.body.p, 1, r.body.n, stdout);
        return EXIT_DONE;
    }
    if (format && strcmp(format, "text") != 0)
        return cli_usage(cli, _("there are text and vcard"), _("unknown format \"%s\""), format);
    if (!cli->json) return show_text(cli, &r);
    json_print(contact_json_whole(cli, &r), stdout);
    return EXIT_DONE;
}

/* -- add, edit -- */

static int print_id(const struct cli *cli, const char *id, struct str title)
{
    if (cli->json)
        json_print(json_pack("{s:s,s:o}", "id", id, "name", json_text(title)), stdout);
    else
        printf("%s\n", id);
    return EXIT_DONE;
}

/* Parses the new bytes and writes them; an empty w->id makes a new record. */
static int save(struct cli *cli, struct store_write *w)
{
    struct record *r = contact_parse(cli, &cli->arena, w->kind, w->body, &cli->fault);
    if (!r) return cli_fail(cli);
    w->uid = record_uid(r);
    w->title = record_title(r);
    w->origin = ORIGIN_COMMAND;
    char id[UUID_TEXT_BYTES] = "";
    if (db_begin(cli->db, &cli->fault)) return cli_fail(cli);
    enum fault_code code =
        w->id.n ? store_update(cli->db, w, NULL, &cli->fault) : store_create(cli->db, w, id, NULL, &cli->fault);
    enum fault_code end = db_commit(cli->db, &cli->fault);
    if (code || end) return cli_fail(cli);
    return print_id(cli, w->id.n ? arena_strdup(&cli->arena, w->id) : id, w->title);
}

/* The record's new bytes from --file or from the words after the first argument. */
static bool new_body(struct cli *cli, unsigned kind, const struct record *old, struct buf *out)
{
    const char *file = cli_option(cli, "file");
    if (file && cli->n_args > 1) {
        cli_usage(cli, _("give one of the two"), _("a file and fields at once"));
        return false;
    }
    if (file) {
        if (file_read(file, out, &cli->fault) == FAULT_NONE) return true;
        cli->fault.code = FAULT_USAGE;
        return false;
    }
    if (cli->n_args < 2) {
        cli_usage(cli, _("give --file FILE or FIELD=VALUE"), _("nothing to write"));
        return false;
    }
    return old ? contact_edit(cli, old, kind, cli->args + 1, cli->n_args - 1, out)
               : contact_make(cli, kind, cli->args + 1, cli->n_args - 1, STR_NONE, out);
}

int command_contact_add(struct cli *cli)
{
    struct book book;
    struct buf body AUTO_BUF = BUF_LIMIT(CONTACT_MAX_BYTES);
    if (!contact_book(cli, cli->args[0], &book) || !new_body(cli, book.kind, NULL, &body)) return cli_fail(cli);
    struct store_write w = {.book = book.id, .body = buf_str(&body), .kind = book.kind};
    return save(cli, &w);
}

int command_contact_edit(struct cli *cli)
{
    struct store_record r;
    struct buf body AUTO_BUF = BUF_LIMIT(CONTACT_MAX_BYTES);
    if (!contact_find(cli, cli->args[0], false, &r)) return cli_fail(cli);
    const struct record *old = NULL;
    if (!cli_option(cli, "file") && !(old = contact_parse(cli, &cli->arena, r.kind, r.body, &cli->fault)))
        return cli_fail(cli);
    if (!new_body(cli, r.kind, old, &body)) return cli_fail(cli);
    struct store_write w = {.id = r.id, .book = r.book, .body = buf_str(&body), .kind = r.kind, .expected_seq = r.seq};
    return save(cli, &w);
}

/* -- remove, restore -- */

/* All or nothing: a wrong name among several changes nothing. */
static int each_named(struct cli *cli, bool deleted,
                      enum fault_code (*fn)(struct cli *cli, const struct store_record *r))
{
    if (!cli_db(cli) || db_begin(cli->db, &cli->fault)) return cli_fail(cli);
    for (size_t i = 0; i < cli->n_args && !cli->fault.code; i++) {
        struct store_record r;
        if (contact_find(cli, cli->args[i], deleted, &r)) fn(cli, &r);
    }
    if (cli->fault.code) {
        db_rollback(cli->db);
        return cli_fail(cli);
    }
    return db_commit(cli->db, &cli->fault) ? cli_fail(cli) : EXIT_DONE;
}

static enum fault_code remove_one(struct cli *cli, const struct store_record *r)
{
    struct store_write w = {
        .id = r->id, .book = r->book, .origin = ORIGIN_COMMAND, .kind = r->kind, .expected_seq = r->seq};
    return store_delete(cli->db, &w, true, NULL, &cli->fault);
}

static enum fault_code restore_one(struct cli *cli, const struct store_record *r)
{
    return store_restore(cli->db, r->id, ORIGIN_COMMAND, NULL, &cli->fault);
}

int command_contact_remove(struct cli *cli)
{
    return each_named(cli, false, remove_one);
}

int command_contact_restore(struct cli *cli)
{
    return each_named(cli, true, restore_one);
}
