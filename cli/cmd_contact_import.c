/* contact import: a file into a book. Cards, what `contact export --format json` wrote, or a table. */
#include "cli/command.h"
#include "cli/contact_csv.h"
#include "cli/out.h"

#include "base/i18n.h"
#include "cli/file.h"
#include "state/subject.h"

#include <sodium.h>

#define IMPORT_MAX_BYTES (1u << 30)

struct importing {
    struct cli *cli;
    struct book book;
    struct arena arena;          /* of the record under way */
    struct map64 deleted;        /* uids of contacts a person deleted: they do not come back */
    struct map64 bodies;         /* of the book, made for the first card without UID */
    struct contact_table table; /* where the file is one */
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
    uint64_t uid;
    if (r->by_person && subject_uid_hash(&im->cli->key, r->uid, &uid)) map64_put(&im->deleted, uid ? uid : 1, 1);
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

/* The file's card in place of the one that is there, whose custom fields stay where the file knows nothing of them. */
static void replace(struct importing *im, struct store_write *w, const struct store_record *old, const struct record *r)
{
    struct fault why AUTO_FAULT = FAULT_INIT;
    struct buf body AUTO_BUF = BUF_INIT;
    struct record *before = contact_parse(im->cli, &im->arena, old->kind, old->body, &why);
    if (before && record_write_keeping(r, before, &body, &why)) return say_failed(im, &why);
    if (before) w->body = buf_str(&body);
    if (before && str_eq(w->body, old->body)) {
        im->unchanged++;
        return;
    }
    struct fault failed AUTO_FAULT = FAULT_INIT;
    w->id = old->id;
    if (store_update(im->cli->db, w, NULL, &failed)) return say_failed(im, &failed);
    im->updated++;
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
        replace(im, &w, &old, r);
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

/* -- a table -- */

static bool was_deleted(struct importing *im, struct str uid)
{
    struct store_record r;
    uint32_t hit;
    struct str id = contact_table_name(&im->table, COLUMN_ID);
    bool there = id.n && store_get(im->cli->db, id, &im->arena, &r);
    return (there && r.deleted && r.by_person) || map64_get(&im->deleted, hash_of(im, uid), &hit);
}

/* The living contact of the book that the row names. */
static bool find_row(struct importing *im, struct str uid, struct store_record *out)
{
    struct str id = contact_table_name(&im->table, COLUMN_ID);
    if (id.n && store_get(im->cli->db, id, &im->arena, out) && !out->deleted && str_eq(out->book, im->book.id))
        return true;
    return uid.n && store_find_uid(im->cli->db, im->book.id, uid, &im->arena, out);
}

/* The row's card, written where it changes something. */
static bool write_row(struct importing *im, const struct store_record *there, struct str uid)
{
    struct cli *cli = im->cli;
    struct buf body AUTO_BUF = BUF_INIT;
    struct record *before = there ? contact_parse(cli, &im->arena, there->kind, there->body, &cli->fault) : NULL;
    if (there && !before) return false;
    if (!contact_table_write(cli, im->book.kind, &im->table, before, uid, &body)) return false;
    if (there && str_eq(buf_str(&body), there->body)) {
        im->unchanged++;
        return true;
    }
    struct record *r = contact_parse(cli, &im->arena, im->book.kind, buf_str(&body), &cli->fault);
    if (!r) return false;
    struct store_write w = {.id = there ? there->id : STR_NONE,
                            .book = im->book.id,
                            .uid = record_uid(r),
                            .title = record_title(r),
                            .body = buf_str(&body),
                            .origin = STR("import"),
                            .kind = im->book.kind};
    if (there ? store_update(cli->db, &w, NULL, &cli->fault) : store_create(cli->db, &w, NULL, NULL, &cli->fault))
        return false;
    *(there ? &im->updated : &im->added) += 1;
    return true;
}

/* A row that names nobody has been imported before if its own UID is there: then the contact may have been edited
 * since, and stays. */
static bool import_row(struct importing *im)
{
    struct store_record there;
    char made[UUID_TEXT_BYTES];
    contact_table_uid(&im->table, made);
    struct str uid = contact_table_name(&im->table, COLUMN_UID);
    bool named = uid.n || contact_table_name(&im->table, COLUMN_ID).n;
    if (!uid.n) uid = str_of(made);
    bool found = find_row(im, uid, &there);
    if (found && !named)
        im->unchanged++;
    else if (!found && was_deleted(im, uid))
        im->skipped++;
    else
        return write_row(im, found ? &there : NULL, uid);
    return true;
}

/* What a row needs of the command's arena is given back after it. */
static bool import_table(struct importing *im, struct str file)
{
    struct cli *cli = im->cli;
    if (!contact_table_begin(cli, im->book.kind, file, &im->table)) return false;
    struct arena kept = cli->arena;
    cli->arena = (struct arena)ARENA_INIT;
    while (!cli->env->cancelled(cli->env) && contact_table_next(&im->table, (arena_reset(&im->arena), &im->arena))) {
        im->number = (int64_t)im->table.csv.line;
        arena_reset(&cli->arena);
        if (import_row(im)) continue;
        say_failed(im, &cli->fault);
        fault_clear(&cli->fault);
    }
    arena_free(&cli->arena);
    cli->arena = kept;
    return true;
}

/* -- what `contact export --format json` wrote -- */

/* The card's bytes: "body", or where that cannot hold them, "body_base64". {NULL,0} if neither is there. */
static struct str body_of(const json_t *one, struct buf *decoded)
{
    const json_t *body = json_object_get(one, "body"), *base64 = json_object_get(one, "body_base64");
    if (!json_is_string(base64))
        return json_is_string(body) ? (struct str){json_string_value(body), json_string_length(body)} : STR_NONE;
    size_t n = 0;
    buf_reserve(decoded, json_string_length(base64));
    if (sodium_base642bin((unsigned char *)decoded->data, decoded->cap, json_string_value(base64),
                          json_string_length(base64), NULL, &n, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
        return STR_NONE;
    return (struct str){decoded->data, n};
}

static bool import_json(struct importing *im, struct str file)
{
    json_error_t error;
    json_t *all = json_loadb(file.p, file.n, 0, &error), *one;
    size_t i;
    if (!all) {
        cli_usage(im->cli, NULL, _("%s:%d: %s"), im->cli->args[1], error.line, error.text);
        return false;
    }
    json_array_foreach(all, i, one)
    {
        struct fault why AUTO_FAULT = FAULT_INIT;
        struct buf decoded AUTO_BUF = BUF_INIT;
        struct str body = body_of(one, &decoded);
        if (body.p) {
            if (!import_one(im, body)) break;
        } else {
            im->number++;
            fault_set(&why, FAULT_UNREADABLE, NULL, _("there is no \"body\""));
            say_failed(im, &why);
        }
    }
    json_decref(all);
    return true;
}

/* -- the file -- */

/* A file tells what it is: JSON begins with a bracket, cards hold cards, and anything else is a table. */
static bool import_any(struct importing *im, struct str file)
{
    struct str text = file;
    if (str_starts(text, STR("\xef\xbb\xbf"))) text.p += 3, text.n -= 3;
    text = str_trim(text);
    if (str_starts(text, STR("["))) return import_json(im, text);
    records_split((enum record_kind)im->book.kind, file, import_one, im);
    bool binary = file.n && memchr(file.p, '\0', file.n);
    return im->number || binary || im->cli->env->cancelled(im->cli->env) || import_table(im, file);
}

static int import(struct importing *im, struct str file)
{
    struct cli *cli = im->cli;
    if (db_begin(cli->db, &cli->fault)) return cli_fail(cli);
    store_list(cli->db, im->book.id, STR_NONE, true, note_deleted, im, NULL);
    bool read = import_any(im, file);
    if (!read || cli->env->cancelled(cli->env)) {
        db_rollback(cli->db);
        if (read) fault_set(&cli->fault, FAULT_CANCELLED, NULL, _("stopped; nothing was imported"));
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
