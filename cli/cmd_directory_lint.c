/* What a phonebook's phones do not get, and why: told by the sheets that the answers are written from. */
#include "cli/command.h"
#include "cli/directory_out.h"
#include "cli/out.h"

#include "base/i18n.h"
#include "mapping/phonebook_sheet.h"
#include "server/directory_book.h"
#include "server/directory_phones.h"

/* -- the phonebook -- */

static bool read_book(struct cli *cli, const struct directory *d, const char *region, struct phonebook *out)
{
    struct directory_part *parts;
    size_t n = directory_parts(cli->db, d->no, &cli->arena, &parts);
    const struct directory_reading how = {.region = region};
    return !directory_read_book(cli->db, parts, n, &how, out, NULL, &cli->fault);
}

/* -- one form -- */

struct lint {
    struct cli *cli;
    const struct phonebook *book;
    struct form_settings settings;
    size_t counts[LOSS_KINDS];
    struct table table; /* for people */
    json_t *rows;       /* for programs */
    bool lost;          /* somebody misses something, in any form */
    /* For people, who need not read the same fourteen times: in how many forms each thing is. */
    struct map64 seen;
    uint32_t forms;
    bool common; /* rows that are in all forms; false: the others */
};

static void say(const struct loss *l, struct buf *out)
{
    switch (l->kind) {
    case LOSS_NAME_CUT:
        buf_addf(out, _("name cut to %u characters: \"%.*s\""), l->form->name_max, STR_ARG(l->is));
        break;
    case LOSS_NAME_SPELLED:
        buf_addf(out, _("name written as \"%.*s\""), STR_ARG(l->is));
        break;
    case LOSS_FAX:
        buf_adds(out, _("fax or pager, left out"));
        break;
    case LOSS_UNDIALABLE:
        buf_adds(out, _("cannot be dialled, left out: letters, or no digit"));
        break;
    case LOSS_CHARACTERS:
        buf_adds(out, _("left out: these phones dial neither codes nor addresses like this"));
        break;
    case LOSS_TOO_LONG:
        buf_addf(out, _("left out: %.*s is longer than %u characters"), STR_ARG(l->was), l->form->number_max);
        break;
    case LOSS_DOUBLE:
        buf_addf(out, _("the contact has %.*s already"), STR_ARG(l->was));
        break;
    case LOSS_NO_NUMBER:
        buf_adds(out, _("no number to dial: the contact is left out"));
        break;
    case LOSS_OVER_LIMIT:
        buf_adds(out, _("left out: over the limit of entries"));
        break;
    case LOSS_PHONE_FULL:
        buf_addf(out, _("sent, but such phones hold about %u entries"), l->form->entries_held);
        break;
    case LOSS_KINDS:
        break;
    }
}

static void add_row(struct lint *t, const struct loss *l, struct str text)
{
    struct buf number AUTO_BUF = BUF_INIT;
    if (l->number)
        buf_addf(&number, "%.*s (%s)", STR_ARG(l->number->text), phone_kind_word((enum phone_kind)l->number->kind));
    table_text(&t->table, l->entry->display);
    table_text(&t->table, buf_str(&number));
    table_text(&t->table, text);
}

static json_t *row_json(const struct loss *l, struct str text)
{
    return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "contact", json_text(l->entry->display), "id",
                     json_text(l->entry->id), "what", loss_word(l->kind), "number",
                     json_text(l->number ? l->number->text : STR_NONE), "kind",
                     json_cstr(l->number ? phone_kind_name((enum phone_kind)l->number->kind) : NULL), "was",
                     json_text(l->was), "is", json_text(l->is), "text", json_text(text));
}

static uint64_t key_of(const struct lint *t, const struct loss *l)
{
    const struct {
        const void *entry, *number;
        uint64_t kind;
    } what = {l->entry, l->number, l->kind};
    return hash_str(&t->cli->key, (struct str){(const char *)&what, sizeof what});
}

static void count_loss(void *ctx, const struct loss *l)
{
    struct lint *t = ctx;
    uint32_t n = 0;
    map64_get(&t->seen, key_of(t, l), &n);
    map64_put(&t->seen, key_of(t, l), n + 1);
}

/* What is cut differs from form to form, and is told with each. */
static bool is_common(const struct lint *t, const struct loss *l)
{
    uint32_t n = 0;
    bool same = l->kind == LOSS_FAX || l->kind == LOSS_UNDIALABLE || l->kind == LOSS_NO_NUMBER;
    return same && t->forms > 1 && map64_get(&t->seen, key_of(t, l), &n) && n == t->forms;
}

static void on_loss(void *ctx, const struct loss *l)
{
    struct lint *t = ctx;
    struct buf text AUTO_BUF = BUF_INIT;
    say(l, &text);
    t->counts[l->kind]++;
    t->lost |= loss_counts(l->kind);
    if (t->rows)
        json_array_append_new(t->rows, row_json(l, buf_str(&text)));
    else if (is_common(t, l) == t->common)
        add_row(t, l, buf_str(&text));
}

static json_t *form_json(struct lint *t, const struct sheet *sheet)
{
    json_t *counts = json_object();
    for (int i = 0; i < LOSS_KINDS; i++)
        json_object_set_new(counts, loss_word((enum loss_kind)i), json_count((int64_t)t->counts[i]));
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "form", sheet->form->name, "address", sheet->form->address,
                     "contacts", json_count((int64_t)sheet->contacts), "entries", json_count((int64_t)sheet->n),
                     "numbers", json_count((int64_t)sheet->numbers), "counts", counts, "rows", t->rows);
}

static void print_rows(const struct lint *t, const char *if_none)
{
    if (t->table.n > t->table.columns)
        table_print(&t->table, "  ", stdout);
    else
        printf("  %s\n", if_none);
    printf("\n");
}

static void begin_rows(struct lint *t)
{
    memset(t->counts, 0, sizeof t->counts);
    t->table = table_of(3, 0);
    table_cell(&t->table, _("CONTACT"));
    table_cell(&t->table, _("NUMBER"));
    table_cell(&t->table, _("WHAT"));
}

static void lint_form(struct lint *t, enum phone_form_id form, json_t *forms)
{
    begin_rows(t);
    t->rows = forms ? json_array() : NULL;
    struct sheet sheet AUTO_SHEET = sheet_of(t->book, form, &t->settings, NULL, NULL, on_loss, t);
    if (forms)
        json_array_append_new(forms, form_json(t, &sheet));
    else {
        printf("%s (%s)\n", _(sheet.form->title), sheet.form->address);
        printf(_("  contacts: %zu of %zu, entries: %zu, numbers: %zu\n"), sheet.contacts, t->book->n, sheet.n,
               sheet.numbers);
        print_rows(t, _("nothing else is cut or left out"));
    }
    table_free(&t->table);
}

static void sheet_tell(struct lint *t, enum phone_form_id form, loss_sink *lost)
{
    struct sheet sheet = sheet_of(t->book, form, &t->settings, NULL, NULL, lost, t);
    sheet_free(&sheet);
}

/* -- all that were asked for: "snom" is every form of snom's, "snom-dect" that one -- */

static bool is_asked(const char *family, const struct phone_form *form)
{
    struct str path = str_of(form->address);
    return !family || strcmp(family, form->name) == 0 || str_eq(str_split(&path, '/'), str_of(family));
}

static bool check_family(struct cli *cli, const char *family)
{
    struct buf names AUTO_BUF = BUF_INIT;
    for (int i = 0; i < PHONE_FORMS; i++) {
        if (is_asked(family, phone_form_of((enum phone_form_id)i))) return true;
        buf_addf(&names, "%s%s", names.len ? ", " : "", phone_form_of((enum phone_form_id)i)->name);
    }
    cli_usage(cli, buf_cstr(&names), _("there is no family of phones \"%s\""), family);
    return false;
}

static void lint_common(struct lint *t, const char *family)
{
    int first = -1;
    for (int i = 0; i < PHONE_FORMS; i++) {
        if (!is_asked(family, phone_form_of((enum phone_form_id)i))) continue;
        sheet_tell(t, (enum phone_form_id)i, count_loss);
        if (first < 0) first = i;
        t->forms++;
    }
    if (t->forms < 2) return;
    begin_rows(t);
    t->common = true;
    sheet_tell(t, (enum phone_form_id)first, on_loss);
    t->common = false;
    printf("%s\n", _("All of these phones"));
    print_rows(t, _("nothing is missing on all of them"));
    table_free(&t->table);
}

static int lint(struct cli *cli, const struct directory *d, const char *family)
{
    struct phonebook book;
    struct lint t = {.cli = cli, .book = &book};
    json_t *forms = cli->json ? json_array() : NULL;
    t.settings = directory_form_settings(d, cli->config->region, &cli->arena);
    map64_init(&t.seen, 1024);
    bool read = read_book(cli, d, t.settings.region, &book);
    if (read && !forms) lint_common(&t, family);
    for (int i = 0; read && i < PHONE_FORMS; i++)
        if (is_asked(family, phone_form_of((enum phone_form_id)i))) lint_form(&t, (enum phone_form_id)i, forms);
    if (read && forms)
        json_print(json_pack("{s:o, s:o, s:O}", "phonebook", json_text(d->name), "contacts",
                             json_count((int64_t)book.n), "forms", forms),
                   stdout);
    json_decref(forms);
    map64_free(&t.seen);
    phonebook_free(&book);
    return !read ? cli_fail(cli) : t.lost ? EXIT_PARTLY : EXIT_DONE;
}

int command_directory_lint(struct cli *cli)
{
    struct directory d;
    const char *family = cli_option(cli, "family");
    if ((family && !check_family(cli, family)) || !cli_config(cli) || !cli_hash_key(cli) || !directory_find(cli, &d))
        return cli_fail(cli);
    return lint(cli, &d, family);
}
