#include "state/pushed.h"

#include "state/rows.h"

static struct query *of_link(struct db *db, enum query_id id, const char *link)
{
    struct query *q = query_begin(db, id);
    bind_int(q, 1, db_name_number(db, link, false));
    return q;
}

size_t pushed_load(struct db *db, const char *link, struct arena *arena, struct pushed_row **out)
{
    struct rows rows = ROWS_OF(struct pushed_row);
    struct query *q = of_link(db, QUERY_PUSHED_EACH, link);
    while (query_step(q))
        *(struct pushed_row *)rows_add(&rows) = (struct pushed_row){.id = arena_str(arena, column_text(q, 0)),
                                                                    .source = arena_str(arena, column_text(q, 1)),
                                                                    .uid = arena_str(arena, column_text(q, 2)),
                                                                    .title = arena_str(arena, column_text(q, 3)),
                                                                    .body = arena_str(arena, column_text(q, 4)),
                                                                    .who = arena_str(arena, column_text(q, 5)),
                                                                    .vital = (unsigned)column_int(q, 6),
                                                                    .accepted = column_int(q, 7) != 0};
    query_end(q);
    size_t n = rows.n;
    *out = rows_keep(&rows, arena);
    return n;
}

int64_t pushed_count(struct db *db, const char *link)
{
    struct query *q = of_link(db, QUERY_PUSHED_COUNT, link);
    int64_t n = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    return n;
}

static void add(struct db *db, int64_t link, const struct pushed_row *row)
{
    struct query *q = query_begin(db, QUERY_PUSHED_ADD);
    bind_int(q, 1, link);
    bind_text(q, 2, row->id);
    bind_text(q, 3, row->source);
    bind_text(q, 4, row->uid);
    bind_text(q, 5, row->title);
    bind_text(q, 6, row->body);
    bind_text(q, 7, row->who);
    bind_int(q, 8, row->vital);
    bind_int(q, 9, row->accepted);
    query_run(q);
}

enum fault_code pushed_replace(struct db *db, const char *link, struct str identity, const struct pushed_row *rows,
                               size_t n, struct fault *f)
{
    int64_t number = db_name_number(db, link, true);
    query_run(of_link(db, QUERY_PUSHED_WIPE, link));
    for (size_t i = 0; i < n; i++) {
        struct pushed_row row = rows[i];
        row.accepted = true;
        add(db, number, &row);
    }
    struct query *q = of_link(db, QUERY_PUSHED_LIST_SET, link);
    bind_text(q, 2, identity);
    bind_int(q, 3, db_env(db)->now_ms(db_env(db)));
    query_run(q);
    return db_check(db, f);
}

static void set_unsure(struct db *db, const char *link, struct str identity, bool unsure)
{
    struct query *q = of_link(db, QUERY_PUSHED_LIST_UNSURE, link);
    bind_text(q, 2, identity);
    bind_int(q, 3, unsure);
    query_run(q);
}

enum fault_code pushed_try(struct db *db, const char *link, struct str identity, const struct pushed_row *rows,
                           size_t n, struct fault *f)
{
    int64_t number = db_name_number(db, link, true);
    for (size_t i = 0; i < n; i++) {
        struct pushed_row row = rows[i];
        row.accepted = false;
        add(db, number, &row); /* what was accepted stays what it is */
    }
    set_unsure(db, link, identity, true);
    return db_check(db, f);
}

enum fault_code pushed_refused(struct db *db, const char *link, struct fault *f)
{
    query_run(of_link(db, QUERY_PUSHED_REFUSED, link));
    set_unsure(db, link, STR(""), false);
    return db_check(db, f);
}

enum fault_code pushed_remove(struct db *db, const char *link, struct str id, struct fault *f)
{
    struct query *q = of_link(db, QUERY_PUSHED_REMOVE, link);
    bind_text(q, 2, id);
    query_run(q);
    return db_check(db, f);
}

bool pushed_list_get(struct db *db, const char *link, struct arena *arena, struct pushed_list *out)
{
    struct query *q = of_link(db, QUERY_PUSHED_LIST_GET, link);
    bool there = query_step(q);
    if (there)
        *out = (struct pushed_list){arena_str(arena, column_text(q, 0)), column_int(q, 1), column_int(q, 2) != 0};
    query_end(q);
    return there;
}

const char *pushed_owner(struct db *db, struct str identity, const char *link, struct arena *arena)
{
    struct query *q = query_begin(db, QUERY_PUSHED_OWNER);
    bind_text(q, 1, identity);
    bind_text(q, 2, str_of(link));
    const char *owner = query_step(q) ? arena_strdup(arena, column_text(q, 0)) : NULL;
    query_end(q);
    return owner;
}

/* -- what was refused for good -- */

void pushed_stop_set(struct db *db, const char *link, const struct pushed_stop *stop)
{
    db_name_number(db, link, true);
    struct query *q = of_link(db, QUERY_PUSHED_STOP_SET, link);
    bind_int(q, 2, stop->code);
    bind_text(q, 3, stop->what);
    bind_text(q, 4, stop->advice);
    bind_text(q, 5, stop->cause);
    query_run(q);
}

void pushed_stop_forget(struct db *db, const char *link)
{
    query_run(of_link(db, QUERY_PUSHED_STOP_WIPE, link));
}

bool pushed_stop_get(struct db *db, const char *link, struct arena *arena, struct pushed_stop *out)
{
    struct query *q = of_link(db, QUERY_PUSHED_STOP_GET, link);
    bool there = query_step(q);
    if (there)
        *out = (struct pushed_stop){(unsigned)column_int(q, 0), arena_str(arena, column_text(q, 1)),
                                    arena_str(arena, column_text(q, 2)), arena_str(arena, column_text(q, 3))};
    query_end(q);
    return there;
}
