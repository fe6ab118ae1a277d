#include "server/directory_take.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "mapping/phonebook_form.h"
#include "state/settings.h"
#include "state/store.h"
#include "state/store_mirror.h"

#include <jansson.h>
#include <stdlib.h>

struct taking {
    struct db *db;
    const struct directory *d;
    struct directory_take *take;
    struct arena *arena;
    struct phonebook book;
    struct directory_report report;
    struct mirror_counts counts;
    struct buf card, title;
    size_t next;
};

/* -- what is answered -- */

static json_t *lines(struct str text)
{
    json_t *all = json_array();
    while (text.p) {
        struct str line = str_split(&text, '\n');
        if (line.n) json_array_append_new(all, json_stringn(line.p, line.n));
    }
    return all;
}

static void tell(struct taking *t)
{
    const struct directory_report *r = &t->report;
    const struct mirror_counts *c = &t->counts;
    t->take->unchanged = !c->created && !c->changed && !c->deleted;
    json_t *all = json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "status", t->take->unchanged ? "unchanged" : "stored", "rows",
        (json_int_t)r->rows, "stored", (json_int_t)r->stored, "skipped", (json_int_t)r->skipped, "duplicates",
        (json_int_t)r->duplicates, "created", (json_int_t)c->created, "changed", (json_int_t)c->changed, "deleted",
        (json_int_t)c->deleted, "warnings", lines(buf_str(&r->warnings)));
    char *text = json_dumps(all, JSON_COMPACT);
    t->take->told = str_of(arena_strdup(t->arena, str_of(text)));
    free(text);
    json_decref(all);
}

/* What was told when the same file was stored, now that it changes nothing. */
static void tell_again(struct taking *t, struct str told)
{
    static const char *const counts[] = {"created", "changed", "deleted"};
    json_t *all = json_loadb(told.p, told.n, 0, NULL);
    if (!all) return;
    json_object_set_new(all, "status", json_string("unchanged"));
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) json_object_set_new(all, counts[i], json_integer(0));
    char *text = json_dumps(all, JSON_COMPACT);
    t->take->unchanged = true;
    t->take->told = str_of(arena_strdup(t->arena, str_of(text)));
    free(text);
    json_decref(all);
}

/* -- the file -- */

/* Of the bytes and of how they are read. */
static void digest_of(const struct taking *t, struct str file, char out[DIGEST_HEX_BYTES])
{
    struct digest digest;
    const struct directory_csv_options *csv = t->take->csv;
    digest_init(&digest);
    digest_str(&digest, STR("1"));
    digest_str(&digest, t->d->charset);
    for (size_t i = 0; csv && i < csv->n_aliases; i++) {
        digest_str(&digest, csv->aliases[i].name);
        digest_str(&digest, csv->aliases[i].column);
    }
    digest_str(&digest, file);
    digest_hex(&digest, out);
}

/* The file that was stored last, and nobody has changed anything since. */
static bool is_known(struct taking *t, const char *digest)
{
    struct directory_upload last;
    if (!directory_upload_get(t->db, t->d->no, 0, t->arena, &last) || !str_eq(last.digest, str_of(digest)) ||
        last.seq != store_seq(t->db, t->d->push_book))
        return false;
    tell_again(t, last.told);
    return t->take->unchanged;
}

static enum fault_code read_file(struct taking *t, struct str file, struct fault *f)
{
    struct directory_csv_options csv = t->take->csv ? *t->take->csv : (struct directory_csv_options){0};
    csv.charset = t->d->charset.n ? arena_strdup(t->arena, t->d->charset) : NULL;
    t->book = (struct phonebook){.arena = ARENA_INIT, .as_written = true};
    enum fault_code code = settings_hash_key(t->db, &t->book.key, f);
    if (!code) code = directory_csv_read(file, &csv, &t->book, &t->report, f);
    if (code || t->book.n || t->take->allow_empty) return code;
    return fault_set(f, FAULT_UNREADABLE, _("if nobody is to be in it: ?allow_empty=1"), "%s",
                     _("the file has no rows; nothing was changed"));
}

/* A file that was cut off somewhere is well-formed more often than not. */
static enum fault_code guard(struct taking *t, struct fault *f)
{
    int64_t before = store_count(t->db, t->d->push_book), now = (int64_t)t->book.n;
    if (!t->d->max_shrink || t->take->allow_shrink || (before - now) * 100 <= before * t->d->max_shrink)
        return db_check(t->db, f);
    return fault_set(f, FAULT_HELD, _("nothing was changed; if it is meant so: ?allow_shrink=1"),
                     _("the file has %lld contacts where there were %lld: more than max_shrink = %lld%% would go"),
                     (long long)now, (long long)before, (long long)t->d->max_shrink);
}

/* -- putting it in place -- */

static bool next_card(void *ctx, struct mirror_record *out)
{
    struct taking *t = ctx;
    if (t->next == t->book.n) return false;
    const struct phonebook_entry *e = &t->book.entries[t->next++];
    buf_reset(&t->card);
    buf_reset(&t->title);
    directory_card(e, &t->card);
    entry_name(e, &t->title);
    *out = (struct mirror_record){e->id, buf_str(&t->title), buf_str(&t->card)};
    return true;
}

static enum fault_code replace(struct taking *t, struct str file, const char *digest, struct fault *f)
{
    enum fault_code code = db_begin(t->db, f);
    if (code) return code;
    code = guard(t, f);
    if (!code)
        code =
            store_mirror(t->db, t->d->push_book, STR(DIRECTORY_ORIGIN_PUSH), &t->book.key, next_card, t, &t->counts, f);
    if (!code) {
        tell(t);
        const struct directory_upload u = {.digest = str_of(digest), .told = t->take->told, .seq = t->counts.seq};
        code = directory_note_push(t->db, t->d->no, f);
        if (!code && !t->take->unchanged) code = directory_upload_keep(t->db, t->d->no, &u, file, f);
    }
    if (!code) return db_commit(t->db, f);
    db_rollback(t->db);
    return code;
}

enum fault_code directory_take(struct db *db, const struct directory *d, struct str file, struct arena *arena,
                               struct directory_take *take, struct fault *f)
{
    char digest[DIGEST_HEX_BYTES];
    struct taking t = {.db = db,
                       .d = d,
                       .take = take,
                       .arena = arena,
                       .report.warnings = BUF_INIT,
                       .card = BUF_INIT,
                       .title = BUF_INIT};
    take->unchanged = false;
    digest_of(&t, file, digest);
    if (is_known(&t, digest)) return FAULT_NONE;
    enum fault_code code = read_file(&t, file, f);
    db_roomy(db, true);
    if (!code) code = replace(&t, file, digest, f);
    db_roomy(db, false);
    buf_free(&t.card);
    buf_free(&t.title);
    buf_free(&t.report.warnings);
    phonebook_free(&t.book);
    mem_trim();
    return code;
}
