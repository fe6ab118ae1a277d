/* What hangs on a contact, as `contact show` tells it and as the commands of follow-ups and attachments print it. */
#include "cli/contact.h"

#include "base/i18n.h"
#include "cli/out.h"

const char *attachment_size(int64_t bytes, struct arena *arena)
{
    return bytes < 1024 ? arena_printf(arena, _("%lld bytes"), (long long)bytes)
                        : arena_printf(arena, _("%lld KiB"), (long long)(bytes + 512) / 1024);
}

json_t *followup_json(const struct followup *f)
{
    static const char *const places[] = {"living", "deleted", "unassigned"};
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:s,s:o,s:o}", "id", json_count(f->no), "due", json_text(f->due), "text",
                     json_text(f->text), "contact",
                     f->place == FOLLOWUP_UNASSIGNED ? json_null() : json_text(f->record), "name",
                     json_text(f->contact), "book", json_text(f->book), "place", places[f->place], "created",
                     json_time(f->created_ms), "done", json_time(f->done_ms));
}

json_t *attachment_json(const struct attachment *a)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "id", json_count(a->no), "name", json_text(a->name), "type",
                     json_text(a->media_type), "size", json_count(a->size_bytes), "hash", json_text(a->hash), "created",
                     json_time(a->created_ms), "detached", json_time(a->detached_ms));
}

static json_t *relations_json(struct cli *cli, struct str id)
{
    struct relation *list;
    size_t n = relation_list(cli->db, id, &cli->arena, &list);
    json_t *all = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(all, json_pack("{s:s,s:o,s:o}", "kind", list[i].kind->name, "contact",
                                             json_text(list[i].other), "name", json_text(list[i].title)));
    return all;
}

static bool add_followup(void *ctx, const struct followup *f)
{
    json_array_append_new(ctx, followup_json(f));
    return true;
}

void contact_attached_json(struct cli *cli, struct str id, json_t *into)
{
    json_t *followups = json_array(), *attachments = json_array();
    followup_list(cli->db, &(struct followup_filter){.record = id, .done = true}, add_followup, followups, NULL);
    struct attachment *list;
    size_t n = attachment_list(cli->db, id, false, &cli->arena, &list);
    for (size_t i = 0; i < n; i++) json_array_append_new(attachments, attachment_json(&list[i]));
    json_object_set_new(into, "followups", followups);
    json_object_set_new(into, "attachments", attachments);
    json_object_set_new(into, "relations", relations_json(cli, id));
}

/* -- for people -- */

static void print_part(const char *title, struct table *t)
{
    if (!t->n) return;
    printf("%s\n", title);
    table_print(t, "  ", stdout);
}

static bool add_followup_row(void *ctx, const struct followup *f)
{
    struct table *t = ctx;
    table_number(t, f->no);
    table_text(t, f->due);
    table_text(t, f->text);
    return true;
}

void contact_attached_print(struct cli *cli, struct str id)
{
    struct table followups AUTO_TABLE = table_of(3, 1), attachments AUTO_TABLE = table_of(4, 1 | 1 << 3),
                           relations AUTO_TABLE = table_of(3, 0);
    followup_list(cli->db, &(struct followup_filter){.record = id}, add_followup_row, &followups, NULL);
    struct attachment *files;
    size_t n = attachment_list(cli->db, id, false, &cli->arena, &files);
    for (size_t i = 0; i < n; i++) {
        table_number(&attachments, files[i].no);
        table_text(&attachments, files[i].name);
        table_text(&attachments, files[i].media_type);
        table_cell(&attachments, attachment_size(files[i].size_bytes, &cli->arena));
    }
    struct relation *others;
    n = relation_list(cli->db, id, &cli->arena, &others);
    for (size_t i = 0; i < n; i++) {
        table_cell(&relations, _(others[i].kind->label));
        table_text(&relations, others[i].title);
        table_text(&relations, others[i].other);
    }
    print_part(_("Follow-ups"), &followups);
    print_part(_("Attachments"), &attachments);
    print_part(_("Linked contacts"), &relations);
}

bool contact_number(struct cli *cli, const char *text, const char *advice, int64_t *no)
{
    long long n;
    if (str_to_int64(str_of(text), &n) && n > 0) {
        *no = n;
        return true;
    }
    cli_usage(cli, advice, _("\"%s\" is no number"), text);
    return false;
}
