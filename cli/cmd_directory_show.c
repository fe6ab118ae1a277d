/* What a phonebook is made of, and taking parts of it back. */
#include "cli/command.h"
#include "cli/directory_out.h"

#include "base/i18n.h"
#include "server/directory_book.h"
#include "server/directory_take.h"
#include "state/store.h"

/* -- show -- */

struct doubles {
    struct cli *cli;
    const struct directory_part *parts;
    json_t *list;
};

static void add_double(void *ctx, const struct phonebook_entry *into, const struct phonebook_entry *from, bool by_mail)
{
    struct doubles *all = ctx;
    json_array_append_new(all->list, json_pack("{s:o, s:o, s:o, s:o, s:s}", "contact", json_text(from->display), "part",
                                               json_text(directory_part_name(&all->parts[from->source])), "into",
                                               json_text(into->display), "into_part",
                                               json_text(directory_part_name(&all->parts[into->source])), "by",
                                               by_mail ? "mail" : "name"));
}

static void print_parts(const struct directory_part *parts, size_t n)
{
    static const char *const kinds[] = {N_("book"), N_("link"), N_("push")};
    struct table t AUTO_TABLE = table_of(4, 1 << 2);
    table_cell(&t, _("PART"));
    table_cell(&t, _("KIND"));
    table_cell(&t, _("CONTACTS"));
    table_cell(&t, _("BOOK"));
    for (size_t i = 0; i < n; i++) {
        table_text(&t, directory_part_name(&parts[i]));
        table_cell(&t, _(kinds[parts[i].kind]));
        table_number(&t, parts[i].records);
        table_text(&t, parts[i].name);
    }
    table_print(&t, "", stdout);
}

static void print_doubles(const struct doubles *all)
{
    size_t i;
    json_t *one;
    json_array_foreach(all->list, i, one)
    {
        struct buf line AUTO_BUF = BUF_INIT;
        bool mail = strcmp(json_string_value(json_object_get(one, "by")), "mail") == 0;
        buf_addf(&line, "%s (%s) = %s (%s): %s\n", json_string_value(json_object_get(one, "contact")),
                 json_string_value(json_object_get(one, "part")), json_string_value(json_object_get(one, "into")),
                 json_string_value(json_object_get(one, "into_part")),
                 mail ? _("the same mail address") : _("the same name"));
        fputs(buf_cstr(&line), stdout);
    }
}

int command_directory_show(struct cli *cli)
{
    struct directory d;
    struct directory_part *parts;
    struct phonebook book;
    if (!directory_find(cli, &d)) return cli_fail(cli);
    size_t n = directory_parts(cli->db, d.no, &cli->arena, &parts), merged = 0;
    struct doubles doubles = {.cli = cli, .parts = parts, .list = json_array()};
    const struct directory_reading how = {.region = cli->config->region, .fn = add_double, .ctx = &doubles};
    directory_read_book(cli->db, parts, n, &how, &book, &merged, &cli->fault);
    if (!cli->fault.code && cli->json) {
        json_t *o = directory_json(cli, &d);
        json_object_set_new(o, "contacts", json_count((int64_t)book.n));
        json_object_set(o, "merged", doubles.list);
        json_print(o, stdout);
    } else if (!cli->fault.code) {
        print_parts(parts, n);
        printf(ngettext("%zu contact in all\n", "%zu contacts in all\n", (unsigned long)book.n), book.n);
        print_doubles(&doubles);
    }
    json_decref(doubles.list);
    phonebook_free(&book);
    return cli_fail(cli);
}

/* -- undo -- */

int command_directory_undo(struct cli *cli)
{
    struct directory d;
    struct directory_upload before;
    struct directory_csv_options csv;
    struct buf when AUTO_BUF = BUF_INIT;
    if (!directory_find(cli, &d) || config_directory_columns(cli->config, &cli->arena, &csv, &cli->fault))
        return cli_fail(cli);
    if (!directory_upload_get(cli->db, d.no, 1, &cli->arena, &before))
        return cli_usage(cli, NULL, _("nothing was pushed to \"%.*s\" before the last push"), STR_ARG(d.name));
    time_text(before.time_ms, &when);
    if (!cli_confirm(cli, _("Bring back what was pushed on %s?"), buf_cstr(&when))) return cli_fail(cli);
    struct directory_take take = {.csv = &csv, .allow_empty = true, .allow_shrink = true};
    struct str file = directory_upload_body(cli->db, d.no, 1, &cli->arena);
    if (directory_take(cli->db, &d, file, &cli->arena, &take, &cli->fault)) return cli_fail(cli);
    if (cli->json)
        printf("%.*s\n", STR_ARG(take.told));
    else
        cli_say(cli, _("It is as it was pushed on %s; \"abgleich directory undo\" again takes that back.\n"),
                buf_cstr(&when));
    return cli_fail(cli);
}

/* -- drop -- */

int command_directory_drop(struct cli *cli)
{
    struct directory d;
    struct directory_part *parts, *part = NULL;
    if (!directory_find(cli, &d)) return cli_fail(cli);
    size_t n = directory_parts(cli->db, d.no, &cli->arena, &parts);
    for (size_t i = 0; i < n; i++)
        if (parts[i].kind != PART_PUSH && str_eq(directory_part_name(&parts[i]), str_of(cli->args[1])))
            part = &parts[i];
    if (!part)
        return cli_usage(cli, arena_printf(&cli->arena, _("see \"abgleich directory show %s\""), cli->args[0]),
                         _("nothing called \"%s\" feeds it"), cli->args[1]);
    if (part->kind == PART_LINK && config_link(cli->config, cli->args[1]))
        return cli_usage(cli,
                         arena_printf(&cli->arena, _("remove the link first: abgleich link remove %s"), cli->args[1]),
                         _("link \"%s\" feeds it"), cli->args[1]);
    if (!cli_confirm(cli,
                     ngettext("Take its %lld contact out of the phonebook?",
                              "Take its %lld contacts out of the phonebook?", (unsigned long)part->records),
                     (long long)part->records))
        return cli_fail(cli);
    if (db_begin(cli->db, &cli->fault)) return cli_fail(cli);
    if (directory_part_remove(cli->db, d.no, part, &cli->fault))
        db_rollback(cli->db);
    else
        db_commit(cli->db, &cli->fault);
    return cli_fail(cli);
}
