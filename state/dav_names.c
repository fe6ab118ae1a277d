#include "state/dav_names.h"

/* Columns as DAV_CARD_COLUMNS names them; borrowed. */
static struct dav_card read_card(struct query *q)
{
    return (struct dav_card){.id = column_text(q, 0),
                             .name = column_text(q, 1),
                             .uid = column_text(q, 2),
                             .title = column_text(q, 3),
                             .seq = column_int(q, 4),
                             .deleted = column_int(q, 5) != 0,
                             .changed_ms = column_int(q, 6),
                             .origin = column_text(q, 7),
                             .body = column_blob(q, 8)};
}

static bool find_by(struct db *db, enum query_id id, int64_t book, struct str book_id, struct str key,
                    struct arena *arena, struct dav_card *out)
{
    struct query *q = query_begin(db, id);
    bind_int(q, 1, book);
    bind_text(q, 2, book_id);
    bind_text(q, 3, key);
    bool there = query_step(q);
    if (there) {
        *out = read_card(q);
        struct str *const texts[] = {&out->id, &out->name, &out->uid, &out->title, &out->origin, &out->body};
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) *texts[i] = arena_str(arena, *texts[i]);
    }
    query_end(q);
    return there;
}

bool dav_card_find(struct db *db, int64_t book, struct str book_id, struct str name, struct arena *arena,
                   struct dav_card *out)
{
    if (find_by(db, QUERY_DAV_CARD_BY_NAME, book, book_id, name, arena, out)) return true;
    if (!str_ends(name, STR(".vcf"))) return false;
    return find_by(db, QUERY_DAV_CARD_BY_ID, book, book_id, (struct str){name.p, name.n - 4}, arena, out);
}

static void each(struct query *q, dav_card_fn *fn, void *ctx)
{
    bool go_on = true;
    while (go_on && query_step(q)) {
        struct dav_card card = read_card(q);
        go_on = fn(ctx, &card);
    }
    query_end(q);
}

void dav_cards_each(struct db *db, int64_t book, dav_card_fn *fn, void *ctx)
{
    struct query *q = query_begin(db, QUERY_DAV_CARDS);
    bind_int(q, 1, book);
    each(q, fn, ctx);
}

void dav_changes_each(struct db *db, int64_t book, int64_t since, dav_card_fn *fn, void *ctx)
{
    struct query *q = query_begin(db, QUERY_DAV_CHANGES);
    bind_int(q, 1, book);
    bind_int(q, 2, since);
    each(q, fn, ctx);
}

int64_t dav_stamp(struct db *db, int64_t book, int64_t seq)
{
    struct query *q = query_begin(db, QUERY_DAV_STAMP);
    bind_int(q, 1, book);
    bind_int(q, 2, seq);
    int64_t stamp = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    return stamp;
}

/* -- names -- */

enum fault_code dav_name_set(struct db *db, struct str book, struct str name, struct str record, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_DAV_GONE_BACK); /* a listing tells a name once: there or gone */
    bind_text(q, 1, book);
    bind_text(q, 2, name);
    query_run(q);
    static const enum query_id both[] = {QUERY_DAV_NAME_FREE, QUERY_DAV_NAME_SET}; /* who had it is no more */
    for (size_t i = 0; i < 2; i++) {
        q = query_begin(db, both[i]);
        bind_text(q, 1, book);
        bind_text(q, 2, name);
        bind_text(q, 3, record);
        query_run(q);
    }
    return db_check(db, f);
}

struct str dav_name_of(struct db *db, struct str record, struct arena *arena)
{
    struct query *q = query_begin(db, QUERY_DAV_NAME_OF);
    bind_text(q, 1, record);
    struct str name = query_step(q) ? arena_str(arena, column_text(q, 0)) : STR_NONE;
    query_end(q);
    return name.n ? name : str_of(arena_printf(arena, "%.*s.vcf", STR_ARG(record)));
}

enum fault_code dav_name_gone(struct db *db, struct str book, struct str name, int64_t seq, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_DAV_GONE_PUT);
    bind_text(q, 1, book);
    bind_int(q, 2, seq);
    bind_text(q, 3, name);
    query_run(q);
    return db_check(db, f);
}

/* -- clients -- */

int64_t dav_client_seq(struct db *db, struct str client, struct str book)
{
    struct query *q = query_begin(db, QUERY_DAV_CLIENT_GET);
    bind_text(q, 1, client);
    bind_text(q, 2, book);
    int64_t seq = query_step(q) ? column_int(q, 0) : -1;
    query_end(q);
    return seq;
}

enum fault_code dav_client_set(struct db *db, struct str client, struct str book, int64_t seq, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_DAV_CLIENT_SET);
    bind_text(q, 1, client);
    bind_text(q, 2, book);
    bind_int(q, 3, seq);
    bind_int(q, 4, db_env(db)->now_ms(db_env(db)));
    query_run(q);
    return db_check(db, f);
}

enum fault_code dav_client_purge(struct db *db, int64_t before_ms, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_DAV_CLIENT_PURGE);
    bind_int(q, 1, before_ms);
    query_run(q);
    return db_check(db, f);
}
