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

enum fault_code attached_purge(struct db *db, int64_t detached_before_ms, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_ATTACHMENT_PURGE);
    bind_int(q, 1, detached_before_ms);
    query_run(q);
    static const enum query_id rest[] = {QUERY_ATTACHMENT_PURGE_PARTS, QUERY_ATTACHMENT_PURGE_BODIES,
                                         QUERY_RELATION_PURGE};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) query_run(query_begin(db, rest[i]));
    return db_check(db, f);
}
