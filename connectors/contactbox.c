/* The store as a connector: a link's side that lies in the state database of the job itself. Nothing travels, so a write takes part
 * in the engine's transaction, and a token is simply the book's change number. */
#include "connectors/registry.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "state/settings.h"
#include "state/store.h"

#include <stdlib.h>

#define WHOLE (-1)

struct session {
    const struct account *account;
    struct env *env;
    struct db *db;
    struct hash_key key;
    struct collection book; /* the one selected; path NULL = none */
    size_t n_written;       /* writes that went through since select ... */
    int64_t raised;         /* ... and how often they raised the book's change number */
};

static void book_clear(struct collection *c)
{
    free(c->name);
    free(c->path);
    memset(c, 0, sizeof *c);
}

static enum fault_code contactbox_open(const struct account *account, struct traits *traits, struct env *env, struct session **out,
                                       struct fault *f)
{
    (void)traits;
    *out = NULL;
    if (!account->state) return fault_set(f, FAULT_INTERNAL, _("please report this"), "contactbox without a state");
    struct session *s = mem_calloc(1, sizeof *s);
    s->account = account;
    s->env = env;
    s->db = account->state;
    enum fault_code code = settings_hash_key(s->db, &s->key, f);
    if (code) free(s);
    else
        *out = s;
    return code;
}

static void contactbox_close(struct session *s)
{
    if (!s) return;
    book_clear(&s->book);
    free(s);
}

/* -- books -- */

static struct collection collection_of(const struct book *b)
{
    return (struct collection){.name = mem_strndup(b->name.p, b->name.n),
                               .path = mem_strndup(b->id.p, b->id.n),
                               .kind = (enum record_kind)b->kind,
                               .records = b->records};
}

static enum fault_code contactbox_discover(struct session *s, struct collections *out, struct fault *f)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct book *books;
    *out = (struct collections){NULL, 0};
    size_t n = book_list(s->db, &arena, &books);
    enum fault_code code = db_check(s->db, f);
    if (code) return code;
    out->items = mem_calloc(n + 1, sizeof *out->items);
    for (out->n = 0; out->n < n; out->n++) out->items[out->n] = collection_of(&books[out->n]);
    return FAULT_NONE;
}

static enum fault_code contactbox_select(struct session *s, const char *path, const struct collection **about, struct buf *identity,
                                         struct fault *f)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct book book;
    bool there = book_find(s->db, str_of(path), &arena, &book);
    enum fault_code code = db_check(s->db, f);
    if (code) return code;
    if (!there)
        return fault_set(f, FAULT_NO_COLLECTION, _("`abgleich book list` shows the books"), _("there is no book \"%s\""), path);
    book_clear(&s->book);
    s->book = collection_of(&book);
    s->n_written = 0;
    s->raised = 0;
    *about = &s->book;
    if (identity) buf_addf(identity, "contactbox:%s", s->book.path);
    return FAULT_NONE;
}

/* -- reading -- */

static void version_text(int64_t seq, char out[24])
{
    struct buf text AUTO_BUF = BUF_INIT;
    buf_addf(&text, "%lld", (long long)seq);
    memcpy(out, text.data, text.len + 1);
}

static bool parse_version(struct str text, int64_t *seq)
{
    long long value;
    if (!text.n || !str_to_int64(text, &value) || value < 0) return false;
    *seq = value;
    return true;
}

struct relay {
    const struct sink *sink;
    bool full;
    enum fault_code code;
};

static enum fault_code hand_over(const struct sink *sink, const struct store_record *r)
{
    char version[24];
    version_text(r->seq, version);
    struct entry e = {.id = r->id, .gone = r->deleted, .by_person = r->deleted && r->by_person};
    if (!r->deleted) {
        e.version = str_of(version);
        e.body = r->body;
    }
    return sink->entry(sink->ctx, &e);
}

/* A whole listing names what a person deleted too: absence alone would not say that it was a person. */
static bool relay(void *ctx, const struct store_record *r)
{
    struct relay *relay = ctx;
    if (relay->full && r->deleted && !r->by_person) return true;
    relay->code = hand_over(relay->sink, r);
    return relay->code == FAULT_NONE;
}

/* Where to start: after the token, or WHOLE where it says nothing that can be continued from. */
static int64_t start_of(struct session *s, const char *token, bool list, int64_t now)
{
    int64_t since;
    if (list || !parse_version(str_of(token), &since) || since > now) return WHOLE;
    return since < store_floor(s->db, str_of(s->book.path)) ? WHOLE : since;
}

static enum fault_code contactbox_changes(struct session *s, const char *token, bool list, const struct sink *sink,
                                          struct changes *out, struct fault *f)
{
    *out = (struct changes){false, false, NULL};
    struct str book = str_of(s->book.path);
    /* Read before the records: what changes in between is seen once more next time, and never missed. */
    int64_t now = store_seq(s->db, book);
    int64_t since = start_of(s, token, list, now);
    enum fault_code code = db_check(s->db, f);
    if (code) return code;
    if (now < 0)
        return fault_set(f, FAULT_NO_COLLECTION, _("`abgleich book list` shows the books"), _("the book \"%s\" is not there any more"),
                         s->book.name);
    struct relay r = {.sink = sink, .full = since == WHOLE};
    code = sink->begin ? sink->begin(sink->ctx, r.full) : FAULT_NONE;
    if (code) return code;
    code = store_changes(s->db, book, since, relay, &r, f);
    if (code || r.code) return code ? code : r.code;
    char text[24];
    version_text(now, text);
    *out = (struct changes){r.full, true, mem_strdup(text)};
    return FAULT_NONE;
}

static enum fault_code contactbox_fetch(struct session *s, const struct str *ids, size_t n, const struct sink *sink, struct fault *f)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    for (size_t i = 0; i < n; i++) {
        struct store_record r;
        bool there = store_get(s->db, ids[i], &arena, &r) && str_eq(r.book, str_of(s->book.path));
        enum fault_code code = db_check(s->db, f);
        if (code) return code;
        const struct store_record absent = {.id = ids[i], .deleted = true};
        code = hand_over(sink, there ? &r : &absent);
        if (code) return code;
        arena_reset(&arena);
    }
    return FAULT_NONE;
}

/* -- writing -- */

static char *contactbox_new_id(struct session *s)
{
    char id[UUID_TEXT_BYTES];
    env_uuid7(s->env, id);
    return mem_strdup(id);
}

/* UID and title stand beside the body, for searching. Bytes that do not parse are kept all the same. */
static void describe(struct session *s, const struct write *w, struct arena *arena, struct store_write *out)
{
    out->uid = w->uid;
    out->title = w->title;
    if (w->title.p) return;
    struct fault why AUTO_FAULT = FAULT_INIT;
    struct record *r = record_parse(arena, s->book.kind, w->body, &s->key, &why);
    out->uid = r ? record_uid(r) : w->uid;
    out->title = r ? record_title(r) : str_of(_("(unreadable)"));
}

static enum fault_code store_one(struct session *s, const struct write *w, struct arena *arena, int64_t *seq, struct fault *f)
{
    struct store_write sw = {.id = w->id, .book = str_of(s->book.path), .body = w->body, .origin = STR(STORE_ORIGIN_SYNC), .kind = s->book.kind};
    if (w->version.p && w->kind != WRITE_CREATE && !parse_version(w->version, &sw.expected_seq))
        return fault_set(f, FAULT_CHANGED, NULL, _("\"%.*s\" is no version of the store"), STR_ARG(w->version));
    if (w->kind == WRITE_DELETE) return store_delete(s->db, &sw, false, seq, f);
    describe(s, w, arena, &sw);
    return w->kind == WRITE_CREATE ? store_create(s->db, &sw, NULL, seq, f) : store_update(s->db, &sw, seq, f);
}

static void carry_out(struct session *s, struct write *w, struct arena *arena)
{
    struct str book = str_of(s->book.path);
    int64_t before = w->kind == WRITE_UPDATE ? store_seq(s->db, book) : 0, seq = 0;
    w->code = store_one(s, w, arena, &seq, &w->fault);
    if (w->code) return;
    s->n_written++;
    s->raised += seq > before; /* an update to what is there already raises nothing */
    w->kept = true;
    if (w->kind == WRITE_DELETE) return;
    char text[24];
    version_text(seq, text);
    w->new_version = mem_strdup(text);
}

static enum fault_code write_all(struct session *s, struct write *writes, size_t n, void (*done)(void *ctx, struct write *w),
                                 void *ctx, struct fault *f)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    for (size_t i = 0; i < n; i++) {
        carry_out(s, &writes[i], &arena);
        enum fault_code code = db_check(s->db, f);
        if (code) return code;
        if (done) done(ctx, &writes[i]);
        arena_reset(&arena);
    }
    return FAULT_NONE;
}

/* In the engine's transaction, or one of its own. A fault of the database concerns all writes and leaves nothing of the transaction. */
static enum fault_code contactbox_write(struct session *s, struct write *writes, size_t n, void (*done)(void *ctx, struct write *w),
                                        void *ctx, struct fault *f)
{
    for (size_t i = 0; i < n; i++) writes[i].code = FAULT_CANCELLED;
    if (db_in_transaction(s->db)) return write_all(s, writes, n, done, ctx, f);
    enum fault_code code = db_begin(s->db, f);
    if (code) return code;
    write_all(s, writes, n, done, ctx, f);
    code = db_commit(s->db, f);
    for (size_t i = 0; code && i < n; i++) writes[i].code = code;
    return code;
}

/* Nobody else wrote if the number rose exactly as often as our writes raised it. A transaction that was rolled back shows in `own`
 * being less than what was carried out here. */
static char *contactbox_token_after(struct session *s, const char *token, size_t own)
{
    int64_t since;
    int64_t now = store_seq(s->db, str_of(s->book.path));
    if (!parse_version(str_of(token), &since) || own != s->n_written || now != since + s->raised) return NULL;
    char text[24];
    version_text(now, text);
    return mem_strdup(text);
}

const struct connector connector_contactbox = {
    .name = "contactbox",
    .capabilities = CAN_TOKEN | CAN_CONDITION | KEEPS_BYTES | IN_STATE | HUB,
    .open = contactbox_open,
    .close = contactbox_close,
    .discover = contactbox_discover,
    .select = contactbox_select,
    .changes = contactbox_changes,
    .fetch = contactbox_fetch,
    .new_id = contactbox_new_id,
    .write = contactbox_write,
    .token_after = contactbox_token_after,
};
