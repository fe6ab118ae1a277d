#include "state/store.h"

#include "base/i18n.h"
#include "state/attached.h"

static int64_t now_ms(struct db *db)
{
    return db_env(db)->now_ms(db_env(db));
}

static int64_t book_number(struct db *db, struct str id)
{
    struct query *q = query_begin(db, QUERY_BOOK_NUMBER);
    bind_text(q, 1, id);
    int64_t number = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    return number;
}

/* The book's next change number; `living` is what the change adds to the number of living records. */
static int64_t next_seq(struct db *db, int64_t book, int living)
{
    struct query *q = query_begin(db, QUERY_BOOK_CHANGE);
    bind_int(q, 1, book);
    bind_int(q, 2, living);
    query_run(q);
    q = query_begin(db, QUERY_BOOK_SEQ);
    bind_int(q, 1, book);
    int64_t seq = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    return seq;
}

/* What a write must know of the record as it is. */
struct head {
    int64_t no, book, seq;
    bool there, deleted, erased; /* erased: its content is gone for good (subject.h) */
};

static struct head head_of(struct db *db, struct str id)
{
    struct query *q = query_begin(db, QUERY_RECORD_HEAD);
    bind_text(q, 1, id);
    struct head h = {.there = query_step(q)};
    if (h.there) {
        h.no = column_int(q, 0);
        h.book = column_int(q, 1);
        h.seq = column_int(q, 2);
        h.deleted = column_int(q, 3) != 0;
        h.erased = h.deleted && column_int(q, 4) == 0;
    }
    query_end(q);
    return h;
}

static void tell(int64_t *seq, int64_t value)
{
    if (seq) *seq = value;
}

/* -- create -- */

static void insert(struct db *db, const struct store_write *w, struct str id, int64_t book, int64_t seq)
{
    struct query *q = query_begin(db, QUERY_RECORD_INSERT);
    bind_text(q, 1, id);
    bind_int(q, 2, book);
    bind_int(q, 3, seq);
    bind_int(q, 4, w->kind);
    bind_int(q, 5, now_ms(db));
    bind_text(q, 6, w->uid);
    bind_text(q, 7, w->title);
    bind_text(q, 8, w->origin);
    bind_blob(q, 9, w->body.p ? w->body : STR(""));
    query_run(q);
}

static void revive(struct db *db, const struct store_write *w, int64_t no, int64_t book, int64_t seq)
{
    struct query *q = query_begin(db, QUERY_RECORD_REVIVE);
    bind_int(q, 1, no);
    bind_int(q, 2, book);
    bind_int(q, 3, seq);
    bind_int(q, 4, w->kind);
    bind_int(q, 5, now_ms(db));
    bind_text(q, 6, w->uid);
    bind_text(q, 7, w->title);
    bind_text(q, 8, w->origin);
    bind_blob(q, 9, w->body.p ? w->body : STR(""));
    query_run(q);
}

enum fault_code store_create(struct db *db, const struct store_write *w, char id_out[UUID_TEXT_BYTES], int64_t *seq,
                             struct fault *f)
{
    char made[UUID_TEXT_BYTES];
    if (!w->id.p) env_uuid7(db_env(db), made);
    struct str id = w->id.p ? w->id : str_of(made);
    if (id.n >= UUID_TEXT_BYTES) return fault_set(f, FAULT_REFUSED, NULL, _("\"%.*s\" is no record id"), STR_ARG(id));
    struct head h = w->id.p ? head_of(db, id) : (struct head){0};
    int64_t book = book_number(db, w->book);
    enum fault_code code = db_check(db, f);
    if (code) return code;
    if (!book) return fault_set(f, FAULT_NO_COLLECTION, _("`abgleich book list` shows the books"), _("the book is not there"));
    if (h.there && !h.deleted) return fault_set(f, FAULT_EXISTS, NULL, _("a record %.*s is there already"), STR_ARG(id));
    int64_t number = next_seq(db, book, 1);
    if (h.there) revive(db, w, h.no, book, number);
    else
        insert(db, w, id, book, number);
    tell(seq, number);
    if (id_out) {
        memcpy(id_out, id.p, id.n);
        id_out[id.n] = '\0';
    }
    return db_check(db, f);
}

/* -- update and delete -- */

static enum fault_code expect(struct db *db, const struct store_write *w, struct head *h, struct fault *f)
{
    *h = head_of(db, w->id);
    enum fault_code code = db_check(db, f);
    if (code) return code;
    if (!h->there || h->deleted) return fault_set(f, FAULT_GONE, NULL, _("the record is not there any more"));
    if (w->expected_seq && w->expected_seq != h->seq)
        return fault_set(f, FAULT_CHANGED, _("read it again"), _("the record was changed meanwhile"));
    return FAULT_NONE;
}

static bool is_same(struct db *db, const struct store_write *w, int64_t no)
{
    struct query *q = query_begin(db, QUERY_RECORD_SAME);
    bind_int(q, 1, no);
    bind_blob(q, 2, w->body.p ? w->body : STR(""));
    bind_text(q, 3, w->uid);
    bind_text(q, 4, w->title);
    bool same = query_step(q);
    query_end(q);
    return same;
}

enum fault_code store_update(struct db *db, const struct store_write *w, int64_t *seq, struct fault *f)
{
    struct head h;
    enum fault_code code = expect(db, w, &h, f);
    if (code) return code;
    tell(seq, h.seq);
    if (is_same(db, w, h.no)) return FAULT_NONE;
    int64_t number = next_seq(db, h.book, 0);
    struct query *q = query_begin(db, QUERY_RECORD_UPDATE);
    bind_int(q, 1, h.no);
    bind_int(q, 2, number);
    bind_int(q, 3, now_ms(db));
    bind_text(q, 4, w->uid);
    bind_text(q, 5, w->title);
    bind_text(q, 6, w->origin);
    bind_blob(q, 7, w->body.p ? w->body : STR(""));
    query_run(q);
    tell(seq, number);
    return db_check(db, f);
}

enum fault_code store_touch(struct db *db, const struct store_write *w, int64_t *seq, struct fault *f)
{
    struct head h;
    enum fault_code code = expect(db, w, &h, f);
    if (code) return code;
    int64_t number = next_seq(db, h.book, 0);
    struct query *q = query_begin(db, QUERY_RECORD_TOUCH);
    bind_int(q, 1, h.no);
    bind_int(q, 2, number);
    bind_int(q, 3, now_ms(db));
    bind_text(q, 4, w->origin);
    query_run(q);
    tell(seq, number);
    return db_check(db, f);
}

/* Turns a record into a tombstone or a tombstone into a record; the body stays. Returns the new change number. */
static int64_t mark(struct db *db, const struct head *h, bool deleted, bool by_person, struct str origin)
{
    int64_t number = next_seq(db, h->book, deleted ? -1 : 1);
    struct query *q = query_begin(db, QUERY_RECORD_MARK);
    bind_int(q, 1, h->no);
    bind_int(q, 2, number);
    bind_int(q, 3, now_ms(db));
    bind_int(q, 4, deleted);
    bind_int(q, 5, by_person);
    bind_text(q, 6, origin);
    query_run(q);
    return number;
}

enum fault_code store_delete(struct db *db, const struct store_write *w, bool by_person, int64_t *seq, struct fault *f)
{
    struct head h;
    enum fault_code code = expect(db, w, &h, f);
    if (code) return code;
    tell(seq, mark(db, &h, true, by_person, w->origin));
    return db_check(db, f);
}

enum fault_code store_restore(struct db *db, struct str id, struct str origin, int64_t *seq, struct fault *f)
{
    struct head h = head_of(db, id);
    enum fault_code code = db_check(db, f);
    if (code) return code;
    if (!h.there || !h.deleted || h.erased)
        return fault_set(f, FAULT_GONE, _("`abgleich contact deleted` lists what can be restored"),
                         _("no deleted record %.*s is kept"), STR_ARG(id));
    tell(seq, mark(db, &h, false, false, origin));
    return db_check(db, f);
}

/* -- many at once -- */

#define BATCH 512 /* as in QUERY_RECORD_LIVING */

static size_t living_batch(struct db *db, int64_t book, struct head *out)
{
    struct query *q = query_begin(db, QUERY_RECORD_LIVING);
    bind_int(q, 1, book);
    size_t n = 0;
    while (n < BATCH && query_step(q)) out[n++] = (struct head){.no = column_int(q, 0), .book = book, .there = true};
    query_end(q);
    return n;
}

enum fault_code store_wipe(struct db *db, struct str book, struct str origin, int64_t *n, struct fault *f)
{
    int64_t number = book_number(db, book), wiped = 0;
    struct head heads[BATCH];
    for (size_t got; number && (got = living_batch(db, number, heads)) > 0; wiped += (int64_t)got)
        for (size_t i = 0; i < got; i++) mark(db, &heads[i], true, false, origin);
    tell(n, wiped);
    return db_check(db, f);
}

enum fault_code store_purge(struct db *db, int64_t before_ms, int64_t *n, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_RECORD_PURGE_COUNT);
    bind_int(q, 1, before_ms);
    tell(n, query_step(q) ? column_int(q, 0) : 0);
    query_end(q);
    static const enum query_id steps[] = {QUERY_BOOK_RAISE_FLOOR, QUERY_DAV_GONE_KEEP, QUERY_DAV_NAME_PURGE,
                                          QUERY_RECORD_PURGE};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        q = query_begin(db, steps[i]);
        bind_int(q, 1, before_ms);
        query_run(q);
    }
    return attached_purge(db, before_ms, f);
}
