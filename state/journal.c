#include "state/journal.h"

#include "state/rows.h"

/* A row's number is its link's number in the upper half and a counter in the lower, so that one link's rows are one range. */
static int64_t first_of(int64_t link)
{
    return link << 32;
}

static int64_t last_of(int64_t link)
{
    return (link << 32) | 0xffffffff;
}

static void bind_range(struct query *q, int64_t link)
{
    bind_int(q, 1, first_of(link));
    bind_int(q, 2, last_of(link));
}

static void run_ranged(struct db *db, enum query_id id, int64_t link)
{
    struct query *q = query_begin(db, id);
    bind_range(q, link);
    query_run(q);
}

static void run_numbered(struct db *db, enum query_id id, int64_t number)
{
    struct query *q = query_begin(db, id);
    bind_int(q, 1, number);
    query_run(q);
}

int64_t journal_find(struct db *db, const char *link, unsigned side, struct str id)
{
    int64_t number = db_name_number(db, link, false);
    if (!number || !id.p) return 0;
    struct query *q = query_begin(db, side ? QUERY_JOURNAL_FIND_B : QUERY_JOURNAL_FIND_A);
    bind_int(q, 1, number);
    bind_text(q, 2, id);
    int64_t row = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    return row;
}

/* -- fingerprints: one blob where both sides are the same, pairs included -- */

static bool is_same_print(const struct print *x, const struct print *y)
{
    return x->key == y->key && x->value == y->value && x->field == y->field && x->pair == y->pair;
}

static bool is_same_base(const struct fingerprint *x, const struct fingerprint *y)
{
    if (x->version != y->version || x->n != y->n) return false;
    for (uint32_t i = 0; i < x->n; i++)
        if (!is_same_print(&x->prints[i], &y->prints[i])) return false;
    return true;
}

static bool is_none(const struct fingerprint *fp)
{
    return fp->version == 0 && fp->n == 0;
}

static void bind_base(struct query *q, int index, const struct fingerprint *fp, struct buf *scratch)
{
    if (is_none(fp)) return;
    fingerprint_encode(fp, scratch);
    bind_blob(q, index, buf_str(scratch));
}

/* base_b: NULL = as base_a; an empty blob = none though A has one. */
static void store_base(struct db *db, const struct journal_row *row)
{
    struct buf a AUTO_BUF = BUF_INIT;
    struct buf b AUTO_BUF = BUF_INIT;
    struct query *q = query_begin(db, QUERY_JOURNAL_BASE);
    bind_int(q, 1, row->row);
    bind_base(q, 2, &row->base[0], &a);
    if (is_none(&row->base[1]) && !is_none(&row->base[0])) bind_blob(q, 3, STR(""));
    else if (!is_same_base(&row->base[0], &row->base[1])) bind_base(q, 3, &row->base[1], &b);
    query_run(q);
}

static struct fingerprint load_base(struct db *db, struct str blob, struct arena *arena)
{
    struct fingerprint fp = {0};
    if (blob.n && !fingerprint_decode(arena, blob, &fp)) {
        /* Written by another normaliser or damaged: none means "look at both sides again", which loses nothing. */
        env_logf(db_env(db), LOG_WARNING, "event=fingerprint_unreadable bytes=%zu", blob.n);
        fp = (struct fingerprint){0};
    }
    return fp;
}

bool journal_get(struct db *db, const char *link, int64_t row, struct arena *arena, struct journal_row *out)
{
    memset(out, 0, sizeof *out);
    struct query *q = query_begin(db, QUERY_JOURNAL_GET);
    bind_int(q, 1, row);
    bind_int(q, 2, db_name_number(db, link, false));
    bool there = query_step(q);
    if (there) {
        out->row = row;
        for (int s = 0; s < 2; s++) {
            out->id[s] = arena_str(arena, column_text(q, s));
            out->version[s] = arena_str(arena, column_text(q, 2 + s));
        }
        out->flags = (unsigned)column_int(q, 4);
        out->base[0] = load_base(db, column_blob(q, 5), arena);
        out->base[1] = column_is_null(q, 6) ? out->base[0] : load_base(db, column_blob(q, 6), arena);
    }
    query_end(q);
    return there;
}

/* -- writing -- */

static void bind_row(struct query *q, int64_t link, const struct journal_row *row)
{
    bind_int(q, 1, row->row);
    bind_int(q, 2, link);
    bind_text(q, 3, row->id[0]);
    bind_text(q, 4, row->id[1]);
    bind_text(q, 5, row->version[0]);
    bind_text(q, 6, row->version[1]);
    bind_int(q, 7, row->flags);
}

enum fault_code journal_put(struct db *db, const char *link, struct journal_row *row, struct fault *f)
{
    int64_t number = db_name_number(db, link, true);
    bool is_new = !row->row;
    if (is_new) row->row = first_of(number) | db_name_row(db, link);
    struct query *q = query_begin(db, is_new ? QUERY_JOURNAL_INSERT : QUERY_JOURNAL_UPDATE);
    bind_row(q, number, row);
    bool done = query_step(q) || is_new;
    query_end(q);
    if (done) store_base(db, row);
    else
        db_fail(db, FAULT_GONE, NULL, "%s: no journal row %lld", link, (long long)row->row);
    return db_check(db, f);
}

static enum fault_code set_one(struct db *db, enum query_id id, const char *link, int64_t row, struct str text, int64_t number,
                               struct fault *f)
{
    struct query *q = query_begin(db, id);
    bind_int(q, 1, row);
    bind_int(q, 2, db_name_number(db, link, false));
    if (id == QUERY_JOURNAL_FLAGS) bind_int(q, 3, number);
    else
        bind_text(q, 3, text);
    query_run(q);
    return db_check(db, f);
}

enum fault_code journal_set_version(struct db *db, const char *link, int64_t row, unsigned side, struct str version,
                                    struct fault *f)
{
    return set_one(db, side ? QUERY_JOURNAL_VERSION_B : QUERY_JOURNAL_VERSION_A, link, row, version, 0, f);
}

enum fault_code journal_set_flags(struct db *db, const char *link, int64_t row, unsigned flags, struct fault *f)
{
    return set_one(db, QUERY_JOURNAL_FLAGS, link, row, STR_NONE, flags, f);
}

enum fault_code journal_delete(struct db *db, const char *link, int64_t row, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_JOURNAL_DELETE);
    bind_int(q, 1, row);
    bind_int(q, 2, db_name_number(db, link, false));
    query_run(q);
    run_numbered(db, QUERY_JOURNAL_BASE_DELETE, row);
    return db_check(db, f);
}

/* -- reading all -- */

enum fault_code journal_each_deleted(struct db *db, const char *link, void (*fn)(void *ctx, int64_t row), void *ctx, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_JOURNAL_EACH_DELETED);
    bind_int(q, 1, db_name_number(db, link, false));
    while (query_step(q)) fn(ctx, column_int(q, 0));
    query_end(q);
    return db_check(db, f);
}

int64_t journal_count_deleted(struct db *db, const char *link)
{
    struct query *q = query_begin(db, QUERY_JOURNAL_COUNT_DELETED);
    bind_int(q, 1, db_name_number(db, link, false));
    int64_t n = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    return n;
}

int64_t journal_count(struct db *db, const char *link)
{
    int64_t number = db_name_number(db, link, false);
    if (!number) return 0;
    struct query *q = query_begin(db, QUERY_JOURNAL_COUNT);
    bind_range(q, number);
    int64_t n = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    return n;
}

enum fault_code journal_each_version(struct db *db, const char *link, unsigned side,
                                     void (*fn)(void *ctx, int64_t row, struct str id, struct str version), void *ctx,
                                     struct fault *f)
{
    struct query *q = query_begin(db, side ? QUERY_JOURNAL_EACH_B : QUERY_JOURNAL_EACH_A);
    bind_range(q, db_name_number(db, link, false));
    while (query_step(q)) fn(ctx, column_int(q, 0), column_text(q, 1), column_text(q, 2));
    query_end(q);
    return db_check(db, f);
}

enum fault_code journal_each_row(struct db *db, const char *link, void (*fn)(void *ctx, int64_t row), void *ctx, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_JOURNAL_EACH_ROW);
    bind_range(q, db_name_number(db, link, false));
    while (query_step(q)) fn(ctx, column_int(q, 0));
    query_end(q);
    return db_check(db, f);
}

enum fault_code journal_wipe(struct db *db, const char *link, struct fault *f)
{
    static const enum query_id by_link[] = {QUERY_INTENT_CLOSE_ALL, QUERY_PENDING_WIPE, QUERY_REVIEW_WIPE, QUERY_LINK_STATE_DELETE};
    int64_t number = db_name_number(db, link, false);
    if (!number) return db_check(db, f);
    enum fault_code code = db_begin(db, f);
    if (code) return code;
    run_ranged(db, QUERY_JOURNAL_WIPE, number);
    run_ranged(db, QUERY_JOURNAL_BASE_WIPE, number);
    for (size_t i = 0; i < sizeof by_link / sizeof *by_link; i++) run_numbered(db, by_link[i], number);
    return db_commit(db, f);
}

enum fault_code journal_forget_link(struct db *db, const char *link, struct fault *f)
{
    static const enum query_id by_link[] = {QUERY_DECISION_WIPE, QUERY_HELD_CLEAR, QUERY_PUSHED_WIPE, QUERY_PUSHED_LIST_WIPE, QUERY_PUSHED_STOP_WIPE, QUERY_NAME_DELETE};
    int64_t number = db_name_number(db, link, false);
    if (!number) return db_check(db, f);
    enum fault_code code = db_begin(db, f);
    if (code) return code;
    journal_wipe(db, link, f);
    for (size_t i = 0; i < sizeof by_link / sizeof *by_link; i++) run_numbered(db, by_link[i], number);
    db_name_forget(db);
    return db_commit(db, f);
}

size_t journal_links(struct db *db, struct arena *arena, struct str **names)
{
    struct rows rows = ROWS_OF(struct str);
    struct query *q = query_begin(db, QUERY_NAME_LIST);
    while (query_step(q)) *(struct str *)rows_add(&rows) = arena_str(arena, column_text(q, 0));
    query_end(q);
    size_t n = rows.n;
    *names = rows_keep(&rows, arena);
    return n;
}
