#include "state/attached.h"

/* A relation that could not move would have become a double, or one of the record with itself: it is dropped. */
static const enum query_id moves[] = {QUERY_FOLLOWUP_MOVE, QUERY_ATTACHMENT_MOVE, QUERY_RELATION_MOVE,
                                      QUERY_RELATION_MOVE_OTHER};

enum fault_code attached_move(struct db *db, struct str from, struct str to, struct fault *f)
{
    if (str_eq(from, to)) return FAULT_NONE;
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
        struct query *q = query_begin(db, moves[i]);
        bind_text(q, 1, from);
        bind_text(q, 2, to);
        query_run(q);
    }
    struct query *q = query_begin(db, QUERY_RELATION_DROP);
    bind_text(q, 1, from);
    query_run(q);
    return db_check(db, f);
}

/* Bodies that no attachment needs any more. */
static void drop_bodies(struct db *db)
{
    query_run(query_begin(db, QUERY_ATTACHMENT_PURGE_PARTS));
    query_run(query_begin(db, QUERY_ATTACHMENT_PURGE_BODIES));
}

enum fault_code attached_purge(struct db *db, int64_t detached_before_ms, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_ATTACHMENT_PURGE);
    bind_int(q, 1, detached_before_ms);
    query_run(q);
    query_run(query_begin(db, QUERY_RELATION_PURGE));
    drop_bodies(db);
    return db_check(db, f);
}

enum fault_code attached_erase(struct db *db, struct str record, struct fault *f)
{
    static const enum query_id drops[] = {QUERY_FOLLOWUP_DROP, QUERY_ATTACHMENT_DROP, QUERY_RELATION_DROP};
    for (size_t i = 0; i < sizeof drops / sizeof *drops; i++) {
        struct query *q = query_begin(db, drops[i]);
        bind_text(q, 1, record);
        query_run(q);
    }
    drop_bodies(db);
    return db_check(db, f);
}
