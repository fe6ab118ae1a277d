#include "base/i18n.h"
#include "base/mem.h"
#include "mapping/directory_csv.h"
#include "server/directory_impl.h"
#include "server/multipart.h"
#include "state/settings.h"

#include <jansson.h>
#include <stdlib.h>

/* What the phonebook's own book holds, by the file's ids (kept as UIDs). */
struct held {
    struct map64 by_uid;
    struct hash_key key;
    struct held_record {
        char id[UUID_TEXT_BYTES];
        uint64_t body;
        bool kept;
    } * list;
    size_t n, cap;
};

static bool hold(void *ctx, const struct store_record *r)
{
    struct held *h = ctx;
    if (h->n == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 256;
        h->list = mem_realloc(h->list, h->cap * sizeof *h->list);
    }
    struct held_record *one = &h->list[h->n];
    *one = (struct held_record){.body = hash_str(&h->key, r->body)};
    snprintf(one->id, sizeof one->id, "%.*s", STR_ARG(r->id));
    map64_put(&h->by_uid, hash_str(&h->key, r->uid), (uint32_t)h->n++);
    return true;
}

struct counts {
    size_t created, changed, deleted;
};

static enum fault_code put(struct db *db, const struct directory *d, const struct phonebook_entry *e, struct held *h,
                           struct counts *c, struct fault *f)
{
    struct buf card AUTO_BUF = BUF_INIT, title AUTO_BUF = BUF_INIT;
    uint32_t at;
    directory_card(e, &card);
    entry_name(e, &title);
    struct store_write w = {
        .book = d->push_book, .uid = e->id, .title = buf_str(&title), .body = buf_str(&card), .origin = STR("push")};
    if (!map64_get(&h->by_uid, hash_str(&h->key, e->id), &at)) {
        char id[UUID_TEXT_BYTES];
        c->created++;
        return store_create(db, &w, id, NULL, f);
    }
    struct held_record *one = &h->list[at];
    one->kept = true;
    if (one->body == hash_str(&h->key, w.body)) return FAULT_NONE;
    c->changed++;
    w.id = str_of(one->id);
    return store_update(db, &w, NULL, f);
}

static enum fault_code replace(struct db *db, const struct directory *d, const struct phonebook *book, struct counts *c,
                               struct fault *f)
{
    struct held h = {.key = book->key};
    enum fault_code code = db_begin(db, f);
    if (code) return code;
    map64_init(&h.by_uid, 1024);
    code = store_each(db, d->push_book, hold, &h, f);
    for (size_t i = 0; !code && i < book->n; i++) code = put(db, d, &book->entries[i], &h, c, f);
    for (size_t i = 0; !code && i < h.n; i++) {
        if (h.list[i].kept) continue;
        const struct store_write w = {.id = str_of(h.list[i].id), .book = d->push_book, .origin = STR("push")};
        code = store_delete(db, &w, false, NULL, f);
        c->deleted++;
    }
    if (!code) code = directory_note_push(db, d->no, f);
    map64_free(&h.by_uid);
    free(h.list);
    if (code) db_rollback(db);
    return code ? code : db_commit(db, f);
}

static void say(struct http_answer *answer, unsigned status, json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    answer->status = status;
    answer->type = "application/json";
    buf_addf(&answer->body, "%s\n", text);
    free(text);
    json_decref(object);
}

static void refuse(struct http_answer *answer, unsigned status, const struct fault *f)
{
    struct buf text AUTO_BUF = BUF_INIT;
    fault_text(f, &text);
    say(answer, status, json_pack("{s:s, s:s}", "status", "refused", "error", buf_cstr(&text)));
}

static json_t *lines(struct str text)
{
    json_t *all = json_array();
    while (text.p) {
        struct str line = str_split(&text, '\n');
        if (line.n) json_array_append_new(all, json_stringn(line.p, line.n));
    }
    return all;
}

static void tell(struct http_answer *answer, const struct directory_report *r, const struct counts *c)
{
    bool same = !c->created && !c->changed && !c->deleted;
    say(answer, 200,
        json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "status", same ? "unchanged" : "stored", "rows",
                  (json_int_t)r->rows, "stored", (json_int_t)r->stored, "skipped", (json_int_t)r->skipped, "duplicates",
                  (json_int_t)r->duplicates, "created", (json_int_t)c->created, "changed", (json_int_t)c->changed,
                  "deleted", (json_int_t)c->deleted, "warnings", lines(buf_str(&r->warnings))));
}

void directory_push(struct db *db, const struct directory *d, const char *region, bool allow_empty, struct http_call *c)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct http_answer *answer = http_call_answer(c);
    struct phonebook book = {.arena = ARENA_INIT, .region = region};
    struct directory_report report = {.warnings = BUF_INIT};
    struct counts counts = {0, 0, 0};
    struct str file;
    enum multipart found = multipart_part(http_call_header(c, "Content-Type"), http_call_body(c), "file", &file);
    if (found != MULTIPART_FOUND) {
        static const struct {
            unsigned status;
            const char *what;
        } rows[] = {[MULTIPART_NONE] = {415, N_("send the file as multipart/form-data")},
                    [MULTIPART_BROKEN] = {400, N_("the form ends early")},
                    [MULTIPART_NOT_THERE] = {400, N_("there is no part named \"file\"")}};
        fault_set(&f, FAULT_USAGE, "curl -F 'file=@contacts.csv' URL", "%s", _(rows[found].what));
        refuse(answer, rows[found].status, &f);
    } else if (settings_hash_key(db, &book.key, &f) || directory_csv_read(file, &book, &report, &f))
        refuse(answer, f.code == FAULT_UNREADABLE ? 422 : 500, &f);
    else if (!book.n && !allow_empty) {
        fault_set(&f, FAULT_UNREADABLE, _("if nobody is to be in it: ?allow_empty=1"), "%s",
                  _("the file has no rows; nothing was changed"));
        refuse(answer, 422, &f);
    } else if (replace(db, d, &book, &counts, &f))
        refuse(answer, 503, &f);
    else
        tell(answer, &report, &counts);
    buf_free(&report.warnings);
    phonebook_free(&book);
}
