/* contact import and export: whole books from and to files. */
#include "cli/command.h"
#include "cli/contact.h"
#include "cli/out.h"

#include "base/i18n.h"
#include "cli/file.h"

#define IMPORT_MAX_BYTES (1u << 30)

/* -- import -- */

struct importing {
    struct cli *cli;
    struct book book;
    struct arena arena;   /* of the record under way */
    struct map64 deleted; /* uids of contacts a person deleted: they do not come back */
    struct map64 bodies;  /* of the book, made for the first card without UID */
    int64_t number, added, updated, unchanged, skipped, failed;
};

static uint64_t hash_of(const struct importing *im, struct str s)
{
    uint64_t h = hash_str(&im->cli->key, s);
    return h ? h : 1;
}

static bool note_deleted(void *ctx, const struct store_record *r)
{
    struct importing *im = ctx;
    if (r->by_person && r->uid.n) map64_put(&im->deleted, hash_of(im, r->uid), 1);
    return true;
}

static void say_failed(struct importing *im, const struct fault *why)
{
    struct buf text AUTO_BUF = BUF_INIT;
    fault_text(why, &text);
    im->failed++;
    cli_say(im->cli, _("record %lld: %s\n"), (long long)im->number, buf_cstr(&text));
}

static bool note_body(void *ctx, const struct store_record *r)
{
    struct importing *im = ctx;
    map64_put(&im->bodies, hash_of(im, r->body), 1);
    return true;
}

/* A card without UID that is there already, byte for byte, would become a twin each time the file is imported. */
static bool is_there(struct importing *im, struct str body)
{
    uint32_t hit;
    if (!im->bodies.cap) {
        map64_init(&im->bodies, (size_t)im->book.records);
        store_each(im->cli->db, im->book.id, note_body, im, NULL);
    }
    if (map64_get(&im->bodies, hash_of(im, body), &hit)) return true;
    map64_put(&im->bodies, hash_of(im, body), 1);
    return false;
}

static void write_record(struct importing *im, const struct record *r, struct str body)
{
    struct db *db = im->cli->db;
    struct fault why AUTO_FAULT = FAULT_INIT;
    struct store_record old;
    struct str uid = record_uid(r);
    struct store_write w = {.book = im->book.id,
                            .uid = uid,
                            .title = record_title(r),
                            .body = body,
                            .origin = STR("import"),
                            .kind = im->book.kind};
    uint32_t hit;
    if (uid.n && store_find_uid(db, im->book.id, uid, &im->arena, &old)) {
        if (str_eq(old.body, body) || record_is_cut(r)) {
            im->unchanged++;
            return;
        }
        w.id = old.id;
        if (store_update(db, &w, NULL, &why)) return say_failed(im, &why);
        im->updated++;
    } else if (uid.n ? map64_get(&im->deleted, hash_of(im, uid), &hit) : is_there(im, body)) {
        *(uid.n ? &im->skipped : &im->unchanged) += 1;
    } else {
        char id[UUID_TEXT_BYTES];
        if (store_create(db, &w, id, NULL, &why)) return say_failed(im, &why);
        im->added++;
    }
}

static bool import_one(void *ctx, struct str bytes)
{
    struct importing *im = ctx;
    struct fault why AUTO_FAULT = FAULT_INIT;
    im->number++;
    arena_reset(&im->arena);
    const struct record *r = contact_parse(im->cli, &im->arena, im->book.kind, bytes, &why);
    if (r)
        write_record(im, r, bytes);
    else
        say_failed(im, &why);
    return !im->cli->env->cancelled(im->cli->env);
}

static int print_import(const struct cli *cli, const struct importing *im)
{
    if (cli->json)
        json_print(json_pack("{s:I,s:I,s:I,s:I,s:I}", "created", (json_int_t)im->added, "updated",
                             (json_int_t)im->updated, "unchanged", (json_int_t)im->unchanged, "skipped_deleted",
                             (json_int_t)im->skipped, "invalid", (json_int_t)im->failed),
                   stdout);
    else
        printf(_("%lld added, %lld updated, %lld unchanged, %lld deleted here and skipped, %lld not readable\n"),
               (long long)im->added, (long long)im->updated, (long long)im->unchanged, (long long)im->skipped,
               (long long)im->failed);
    if (im->skipped)
        cli_say(cli, _("\"abgleich contact deleted\" shows what was skipped, \"contact restore\" brings it back.\n"));
    return im->failed ? EXIT_PARTLY : EXIT_DONE;
}

static int import(struct importing *im, struct str file)
{
    struct cli *cli = im->cli;
    if (db_begin(cli->db, &cli->fault)) return cli_fail(cli);
    store_list(cli->db, im->book.id, STR_NONE, true, note_deleted, im, NULL);
    bool whole = records_split((enum record_kind)im->book.kind, file, import_one, im);
    if (!whole && cli->env->cancelled(cli->env)) {
        db_rollback(cli->db);
        fault_set(&cli->fault, FAULT_CANCELLED, NULL, _("stopped; nothing was imported"));
        return cli_fail(cli);
    }
    if (db_commit(cli->db, &cli->fault)) return cli_fail(cli);
    if (!im->number) return cli_usage(cli, NULL, _("%s: there is no contact in this file"), cli->args[1]);
    return print_import(cli, im);
}

int command_contact_import(struct cli *cli)
{
    struct importing im = {.cli = cli};
    struct buf file AUTO_BUF = BUF_LIMIT(IMPORT_MAX_BYTES);
    if (!contact_book(cli, cli->args[0], &im.book) || !cli_hash_key(cli)) return cli_fail(cli);
    if (file_read(cli->args[1], &file, &cli->fault)) {
        cli->fault.code = FAULT_USAGE;
        return cli_fail(cli);
    }
    map64_init(&im.deleted, 16);
    int code = import(&im, buf_str(&file));
    map64_free(&im.deleted);
    map64_free(&im.bodies);
    arena_free(&im.arena);
    return code;
}

/* -- export -- */

struct exporting {
    struct cli *cli;
    json_t *all;
    int64_t failed;
};

static bool export_vcard(void *ctx, const struct store_record *r)
{
    (void)ctx;
    fwrite(r->body.p, 1, r->body.n, stdout);
    if (!r->body.n || r->body.p[r->body.n - 1] != '\n') fputs("\r\n", stdout);
    return !ferror(stdout);
}

static const char *const csv_columns[] = {"fn",          "name.prefix", "name.given", "name.additional",
                                          "name.family", "name.suffix", "nickname",   "org",
                                          "title",       "tel",         "email",      "adr",
                                          "url",         "bday",        "note",       "category"};
#define CSV_COLUMNS (sizeof csv_columns / sizeof csv_columns[0])

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
    csv_cell(&line, r->id);
    for (size_t i = 0; i < CSV_COLUMNS; i++) {
        struct buf value AUTO_BUF = BUF_INIT;
        contact_values(parsed, csv_columns[i], "; ", &value);
        if (i == 0 && !value.len)
            buf_addstr(&value, r->title); /* fn follows the name and is no element of its own then */
        csv_cell(&line, buf_str(&value));
    }
    csv_end(&line);
    fwrite(line.data, 1, line.len, stdout);
    return !ferror(stdout);
}

static void csv_head(void)
{
    struct buf line AUTO_BUF = BUF_INIT;
    csv_cell(&line, STR("id"));
    for (size_t i = 0; i < CSV_COLUMNS; i++) csv_cell(&line, str_of(csv_columns[i]));
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
    if (fn == export_csv) csv_head();
    enum fault_code code = store_each(cli->db, book.id, fn, &ex, &cli->fault);
    if (ex.all) json_print(ex.all, stdout);
    if (ex.failed) cli_say(cli, _("%lld contacts cannot be read and were left out.\n"), (long long)ex.failed);
    return code ? cli_fail(cli) : ex.failed ? EXIT_PARTLY : EXIT_DONE;
}
