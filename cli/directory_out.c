#include "cli/directory_out.h"

#include "base/i18n.h"

bool directory_find(struct cli *cli, struct directory *out)
{
    if (!cli_db(cli)) return false;
    if (directory_by_name(cli->db, str_of(cli->args[0]), &cli->arena, out)) return true;
    if (!db_check(cli->db, &cli->fault))
        cli_usage(cli, _("\"abgleich directory list\" shows those there are"), _("there is no phonebook \"%s\""),
                  cli->args[0]);
    return false;
}

struct str directory_part_name(const struct directory_part *part)
{
    return part->kind == PART_PUSH ? STR("push") : part->kind == PART_LINK ? part->link : part->name;
}

json_t *directory_json(struct cli *cli, const struct directory *d)
{
    struct directory_part *parts;
    size_t n = directory_parts(cli->db, d->no, &cli->arena, &parts);
    json_t *books = json_array(), *list = json_array();
    static const char *const kinds[] = {"book", "link", "push"};
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(books, json_text(parts[i].name));
        json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:I}", "kind", kinds[parts[i].kind], "name",
                                              json_text(directory_part_name(&parts[i])), "book",
                                              json_text(parts[i].name), "records", (json_int_t)parts[i].records));
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:I, s:o, s:o, s:o, s:o}", "name", json_text(d->name),
                     "books", books, "parts", list, "number", json_text(d->number_form), "line", json_text(d->line),
                     "plain_http", d->plain_http, "networks", json_text(d->networks), "charset", json_text(d->charset),
                     "max_shrink", (json_int_t)d->max_shrink, "user", json_text(d->user), "pushed",
                     json_time(d->pushed_ms), "fetched", json_time(d->fetched_ms), "fetched_as",
                     json_text(d->fetched_as));
}

static void add_row(struct cli *cli, struct table *t, const struct directory *d)
{
    struct buf time AUTO_BUF = BUF_INIT, names AUTO_BUF = BUF_INIT;
    struct directory_part *parts;
    size_t n = directory_parts(cli->db, d->no, &cli->arena, &parts);
    for (size_t i = 0; i < n; i++)
        if (parts[i].kind != PART_PUSH)
            buf_addf(&names, "%s%.*s", names.len ? ", " : "", STR_ARG(directory_part_name(&parts[i])));
    table_text(t, d->name);
    table_text(t, buf_str(&names));
    table_time(t, d->pushed_ms);
    if (d->fetched_ms) time_text(d->fetched_ms, &time);
    if (d->fetched_ms) buf_addf(&time, " (%.*s)", STR_ARG(d->fetched_as));
    table_text(t, buf_str(&time));
}

bool directory_table_print(struct cli *cli)
{
    struct directory *list;
    size_t n = directory_list(cli->db, &cli->arena, &list);
    struct table t AUTO_TABLE = table_of(4, 0);
    table_cell(&t, _("PHONEBOOK"));
    table_cell(&t, _("FED BY"));
    table_cell(&t, _("PUSHED"));
    table_cell(&t, _("FETCHED"));
    for (size_t i = 0; i < n; i++) add_row(cli, &t, &list[i]);
    if (n) table_print(&t, "", stdout);
    return n > 0;
}
