#include "state/request.h"

#include "state/rows.h"

static struct query *begin_of_link(struct db *db, enum query_id id, const char *link)
{
    int64_t number = db_name_number(db, link, false);
    struct query *q = query_begin(db, id);
    bind_int(q, 1, number);
    return q;
}

int64_t request_of(struct db *db, const char *link)
{
    struct query *q = begin_of_link(db, QUERY_REQUEST_GET, link);
    int64_t run = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    return run;
}

enum fault_code request_put(struct db *db, const struct run_report *r, int64_t *run, struct fault *f)
{
    struct run_report queued = *r;
    enum fault_code code = db_begin(db, f);
    if (code) return code;
    *run = request_of(db, r->link.p);
    if (!*run) {
        int64_t number = db_name_number(db, r->link.p, true);
        runs_queue(db, &queued, f);
        *run = queued.run;
        struct query *q = query_begin(db, QUERY_REQUEST_PUT);
        bind_int(q, 1, number);
        bind_int(q, 2, *run);
        bind_int(q, 3, db_env(db)->now_ms(db_env(db)));
        query_run(q);
    }
    return db_commit(db, f);
}

size_t request_list(struct db *db, struct arena *arena, struct request **out)
{
    struct rows rows = ROWS_OF(struct request);
    struct query *q = query_begin(db, QUERY_REQUEST_LIST);
    while (query_step(q))
        *(struct request *)rows_add(&rows) =
            (struct request){arena_str(arena, column_text(q, 0)), column_int(q, 1), column_int(q, 2)};
    query_end(q);
    size_t n = rows.n;
    *out = rows_keep(&rows, arena);
    return n;
}

enum fault_code request_close(struct db *db, const char *link, int64_t run, struct fault *f)
{
    struct query *q = begin_of_link(db, QUERY_REQUEST_CLOSE, link);
    bind_int(q, 2, run);
    query_run(q);
    return db_check(db, f);
}
