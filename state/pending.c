#include "state/pending.h"

#include "base/i18n.h"
#include "state/rows.h"

static int64_t now_ms(struct db *db)
{
    return db_env(db)->now_ms(db_env(db));
}

/* Statements whose $1 is the link's number. */
static struct query *begin_of_link(struct db *db, enum query_id id, const char *link, bool make)
{
    int64_t number = db_name_number(db, link, make);
    struct query *q = query_begin(db, id);
    bind_int(q, 1, number);
    return q;
}

static enum fault_code run_of_link(struct db *db, enum query_id id, const char *link, struct fault *f)
{
    query_run(begin_of_link(db, id, link, false));
    return db_check(db, f);
}

static int64_t count_of_link(struct db *db, enum query_id id, const char *link)
{
    struct query *q = begin_of_link(db, id, link, false);
    int64_t n = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    return n;
}

/* -- intents -- */

enum fault_code intent_add(struct db *db, const char *link, struct intent *intents, size_t n, struct fault *f)
{
    int64_t time_ms = now_ms(db);
    for (size_t i = 0; i < n; i++) {
        struct intent *in = &intents[i];
        in->time_ms = time_ms;
        struct query *q = begin_of_link(db, QUERY_INTENT_ADD, link, true);
        bind_int(q, 2, in->side);
        bind_int(q, 3, in->kind);
        bind_text(q, 4, in->id);
        bind_text(q, 5, in->version);
        bind_text(q, 6, in->source_id);
        bind_int(q, 7, in->row);
        bind_int(q, 8, (int64_t)in->content);
        bind_int(q, 9, in->run);
        bind_int(q, 10, time_ms);
        in->no = query_step(q) ? column_int(q, 0) : 0;
        query_end(q);
    }
    return db_check(db, f);
}

enum fault_code intent_each(struct db *db, const char *link, void (*fn)(void *ctx, const struct intent *), void *ctx,
                            struct fault *f)
{
    struct query *q = begin_of_link(db, QUERY_INTENT_EACH, link, false);
    while (query_step(q)) {
        const struct intent in = {.no = column_int(q, 0),
                                  .side = (unsigned)column_int(q, 1),
                                  .kind = (unsigned)column_int(q, 2),
                                  .id = column_text(q, 3),
                                  .version = column_text(q, 4),
                                  .source_id = column_text(q, 5),
                                  .row = column_int(q, 6),
                                  .content = (uint64_t)column_int(q, 7),
                                  .run = column_int(q, 8),
                                  .time_ms = column_int(q, 9)};
        fn(ctx, &in);
    }
    query_end(q);
    return db_check(db, f);
}

enum fault_code intent_close(struct db *db, int64_t no, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_INTENT_CLOSE);
    bind_int(q, 1, no);
    query_run(q);
    return db_check(db, f);
}

enum fault_code intent_close_all(struct db *db, const char *link, struct fault *f)
{
    return run_of_link(db, QUERY_INTENT_CLOSE_ALL, link, f);
}

int64_t intent_count(struct db *db, const char *link)
{
    return count_of_link(db, QUERY_INTENT_COUNT, link);
}

/* -- pending records -- */

enum fault_code pending_put(struct db *db, const char *link, const struct pending *p, struct fault *f)
{
    struct query *q = begin_of_link(db, QUERY_PENDING_PUT, link, true);
    bind_int(q, 2, p->side);
    bind_text(q, 3, p->id);
    bind_text(q, 4, p->title);
    bind_int(q, 5, p->reason);
    bind_text(q, 6, p->text);
    bind_int(q, 7, now_ms(db));
    bind_text(q, 8, p->content);
    query_run(q);
    return db_check(db, f);
}

static struct query *begin_pending(struct db *db, enum query_id id, const char *link, unsigned side, struct str record)
{
    struct query *q = begin_of_link(db, id, link, false);
    bind_int(q, 2, side);
    bind_text(q, 3, record);
    return q;
}

enum fault_code pending_remove(struct db *db, const char *link, unsigned side, struct str id, struct fault *f)
{
    query_run(begin_pending(db, QUERY_PENDING_REMOVE, link, side, id));
    return db_check(db, f);
}

static struct pending read_pending(struct query *q)
{
    return (struct pending){.side = (unsigned)column_int(q, 0),
                            .id = column_text(q, 1),
                            .title = column_text(q, 2),
                            .reason = (unsigned)column_int(q, 3),
                            .text = column_text(q, 4),
                            .tries = column_int(q, 5),
                            .first_seen_ms = column_int(q, 6),
                            .content = column_text(q, 7)};
}

bool pending_get(struct db *db, const char *link, unsigned side, struct str id, struct arena *arena, struct pending *out)
{
    struct query *q = begin_pending(db, QUERY_PENDING_GET, link, side, id);
    bool there = query_step(q);
    if (there) {
        *out = read_pending(q);
        struct str *const texts[] = {&out->id, &out->title, &out->text, &out->content};
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) *texts[i] = arena_str(arena, *texts[i]);
    }
    query_end(q);
    return there;
}

enum fault_code pending_each(struct db *db, const char *link, void (*fn)(void *ctx, unsigned side, struct str id), void *ctx,
                             struct fault *f)
{
    struct query *q = begin_of_link(db, QUERY_PENDING_LIST, link, false);
    while (query_step(q)) fn(ctx, (unsigned)column_int(q, 0), column_text(q, 1));
    query_end(q);
    return db_check(db, f);
}

enum fault_code pending_list(struct db *db, const char *link, void (*fn)(void *ctx, const struct pending *), void *ctx,
                             struct fault *f)
{
    struct query *q = begin_of_link(db, QUERY_PENDING_LIST, link, false);
    while (query_step(q)) {
        const struct pending p = read_pending(q);
        fn(ctx, &p);
    }
    query_end(q);
    return db_check(db, f);
}

int64_t pending_count(struct db *db, const char *link)
{
    return count_of_link(db, QUERY_PENDING_COUNT, link);
}

/* -- decisions -- */

static struct query *begin_pair(struct db *db, enum query_id id, const char *link, struct str id_a, struct str id_b, bool make)
{
    struct query *q = begin_of_link(db, id, link, make);
    bind_text(q, 2, id_a);
    bind_text(q, 3, id_b);
    return q;
}

enum fault_code decision_put(struct db *db, const char *link, struct str id_a, struct str id_b, enum decision d, struct fault *f)
{
    struct query *q = begin_pair(db, d ? QUERY_DECISION_PUT : QUERY_DECISION_DELETE, link, id_a, id_b, true);
    if (d) {
        bind_int(q, 4, d);
        bind_int(q, 5, now_ms(db));
    }
    query_run(q);
    return db_check(db, f);
}

enum decision decision_get(struct db *db, const char *link, struct str id_a, struct str id_b)
{
    struct query *q = begin_pair(db, QUERY_DECISION_GET, link, id_a, id_b, false);
    enum decision d = query_step(q) ? (enum decision)column_int(q, 0) : DECISION_NONE;
    query_end(q);
    return d;
}

enum fault_code decision_each(struct db *db, const char *link,
                              void (*fn)(void *ctx, struct str id_a, struct str id_b, enum decision d), void *ctx,
                              struct fault *f)
{
    struct query *q = begin_of_link(db, QUERY_DECISION_EACH, link, false);
    while (query_step(q)) fn(ctx, column_text(q, 0), column_text(q, 1), (enum decision)column_int(q, 2));
    query_end(q);
    return db_check(db, f);
}

/* -- reviews -- */

enum fault_code review_clear(struct db *db, const char *link, struct fault *f)
{
    return run_of_link(db, QUERY_REVIEW_WIPE, link, f);
}

enum fault_code review_add(struct db *db, const char *link, const struct review *r, struct fault *f)
{
    struct query *q = begin_pair(db, QUERY_REVIEW_ADD, link, r->id_a, r->id_b, true);
    bind_text(q, 4, r->title_a);
    bind_text(q, 5, r->title_b);
    bind_text(q, 6, r->reason);
    bind_int(q, 7, now_ms(db));
    query_run(q);
    return db_check(db, f);
}

enum fault_code review_remove(struct db *db, const char *link, struct str id_a, struct str id_b, struct fault *f)
{
    query_run(begin_pair(db, QUERY_REVIEW_REMOVE, link, id_a, id_b, false));
    return db_check(db, f);
}

enum fault_code review_each(struct db *db, const char *link, void (*fn)(void *ctx, const struct review *), void *ctx,
                            struct fault *f)
{
    struct query *q = begin_of_link(db, QUERY_REVIEW_EACH, link, false);
    while (query_step(q)) {
        const struct review r = {column_text(q, 0), column_text(q, 1), column_text(q, 2),
                                 column_text(q, 3), column_text(q, 4), column_int(q, 5)};
        fn(ctx, &r);
    }
    query_end(q);
    return db_check(db, f);
}

int64_t review_count(struct db *db, const char *link)
{
    return count_of_link(db, QUERY_REVIEW_COUNT, link);
}

/* -- held plans -- */

enum fault_code held_put(struct db *db, const char *link, const char *plan, const char *reason, int64_t run, struct fault *f)
{
    struct query *q = begin_of_link(db, QUERY_HELD_PUT, link, true);
    bind_text(q, 2, str_of(plan));
    bind_text(q, 3, str_of(reason));
    bind_int(q, 4, run);
    bind_int(q, 5, now_ms(db));
    query_run(q);
    return db_check(db, f);
}

static struct held read_held(struct query *q, int first, struct str link, struct arena *arena)
{
    return (struct held){.link = arena_str(arena, link),
                         .plan = arena_str(arena, column_text(q, first)),
                         .reason = arena_str(arena, column_text(q, first + 1)),
                         .run = column_int(q, first + 2),
                         .time_ms = column_int(q, first + 3),
                         .approved = column_int(q, first + 4) != 0};
}

bool held_get(struct db *db, const char *link, struct arena *arena, struct held *out)
{
    struct query *q = begin_of_link(db, QUERY_HELD_GET, link, false);
    bool there = query_step(q);
    if (there) *out = read_held(q, 0, str_of(link), arena);
    query_end(q);
    return there;
}

enum fault_code held_approve(struct db *db, const char *link, const char *plan, struct fault *f)
{
    struct query *q = begin_of_link(db, QUERY_HELD_APPROVE, link, false);
    bind_text(q, 2, str_of(plan));
    bool there = query_step(q);
    query_end(q);
    enum fault_code code = db_check(db, f);
    if (code || there) return code;
    return fault_set(f, FAULT_USAGE, _("`abgleich held` shows what waits; check the link again if the plan changed"),
                     _("%s holds no plan %s"), link, plan);
}

enum fault_code held_clear(struct db *db, const char *link, struct fault *f)
{
    return run_of_link(db, QUERY_HELD_CLEAR, link, f);
}

size_t held_list(struct db *db, struct arena *arena, struct held **out)
{
    struct rows rows = ROWS_OF(struct held);
    struct query *q = query_begin(db, QUERY_HELD_LIST);
    while (query_step(q)) *(struct held *)rows_add(&rows) = read_held(q, 1, column_text(q, 0), arena);
    query_end(q);
    size_t n = rows.n;
    *out = rows_keep(&rows, arena);
    return n;
}
