/* contact export: a book to a file. */
#include "cli/command.h"
#include "cli/contact_csv.h"
#include "cli/out.h"

#include "base/i18n.h"

struct exporting {
    struct cli *cli;
    json_t *all;
    struct column *columns; /* csv */
    size_t n_columns;
    int64_t failed;
};

static bool export_vcard(void *ctx, const struct store_record *r)
{
    (void)ctx;
    struct str text = str_trim(r->body), end = STR("END:VCARD");
    bool ends = text.n >= end.n && str_eq_nocase((struct str){text.p + text.n - end.n, end.n}, end);
    fwrite(r->body.p, 1, r->body.n, stdout);
    if (!r->body.n || r->body.p[r->body.n - 1] != '\n') fputs("\r\n", stdout);
    if (!ends) fputs("END:VCARD\r\n", stdout); /* cut off where it came from: the next one in this file must not become part of it */
    return !ferror(stdout);
}

static bool export_csv(void *ctx, const struct store_record *r)
{
    struct exporting *ex = ctx;
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct fault why AUTO_FAULT = FAULT_INIT;
    struct buf line AUTO_BUF = BUF_INIT;
    const struct record *parsed = contact_parse(ex->cli, &arena, r->kind, r->body, &why);
    if (!parsed) {
        ex->failed++;
        return true;
    }
    for (size_t i = 0; i < ex->n_columns; i++) {
        struct buf value AUTO_BUF = BUF_INIT;
        column_value(&ex->columns[i], r, parsed, &value);
        csv_cell(&line, buf_str(&value));
    }
    csv_end(&line);
    fwrite(line.data, 1, line.len, stdout);
    return !ferror(stdout);
}

static void csv_head(const struct exporting *ex)
{
    struct buf line AUTO_BUF = BUF_INIT;
    for (size_t i = 0; i < ex->n_columns; i++) csv_cell(&line, ex->columns[i].head);
    csv_end(&line);
    fwrite(line.data, 1, line.len, stdout);
}

static bool export_json(void *ctx, const struct store_record *r)
{
    struct exporting *ex = ctx;
    json_array_append_new(ex->all, contact_json_whole(ex->cli, r));
    return true;
}

int command_contact_export(struct cli *cli)
{
    static const struct {
        const char *name;
        store_fn *fn;
    } formats[] = {{"vcard", export_vcard}, {"csv", export_csv}, {"json", export_json}};
    const char *wanted = cli_option(cli, "format");
    if (!wanted) wanted = cli->json ? "json" : "vcard";
    store_fn *fn = NULL;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (strcmp(formats[i].name, wanted) == 0) fn = formats[i].fn;
    if (!fn) return cli_usage(cli, _("there are vcard, csv and json"), _("unknown format \"%s\""), wanted);
    struct book book;
    if (!contact_book(cli, cli->args[0], &book) || !cli_hash_key(cli)) return cli_fail(cli);
    struct exporting ex = {.cli = cli, .all = fn == export_json ? json_array() : NULL};
    if (fn == export_csv) {
        ex.columns = contact_columns(cli, &book, &ex.n_columns);
        csv_head(&ex);
    }
    enum fault_code code = store_each(cli->db, book.id, fn, &ex, &cli->fault);
    if (ex.all) json_print(ex.all, stdout);
    if (ex.failed) cli_say(cli, _("%lld contacts cannot be read and were left out.\n"), (long long)ex.failed);
    return code ? cli_fail(cli) : ex.failed ? EXIT_PARTLY : EXIT_DONE;
}
