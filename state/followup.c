#include "state/followup.h"

enum fault_code followup_add(struct db *db, struct str record, struct str contact, struct str due, struct str text,
                             int64_t *no, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_FOLLOWUP_ADD);
    bind_text(q, 1, record);
    bind_text(q, 2, contact);
    bind_text(q, 3, due);
    bind_text(q, 4, text);
    bind_int(q, 5, db_env(db)->now_ms(db_env(db)));
    *no = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    return db_check(db, f);
}

/* Columns as FOLLOWUP_SELECT names them; borrowed. */
static struct followup read_followup(struct query *q)
{
    enum followup_place place = column_is_null(q, 8) ? FOLLOWUP_UNASSIGNED
                                : column_int(q, 8)   ? FOLLOWUP_DELETED
                                                     : FOLLOWUP_LIVING;
    return (struct followup){.no = column_int(q, 0),
                             .record = column_text(q, 1),
                             .contact = column_text(q, 2),
                             .due = column_text(q, 3),
                             .text = column_text(q, 4),
                             .created_ms = column_int(q, 5),
                             .done_ms = column_int(q, 6),
                             .book = column_text(q, 7),
                             .place = place};
}

bool followup_get(struct db *db, int64_t no, struct arena *arena, struct followup *out)
{
    struct query *q = query_begin(db, QUERY_FOLLOWUP_GET);
    bind_int(q, 1, no);
    bool there = query_step(q);
    if (there) {
        *out = read_followup(q);
        struct str *const texts[] = {&out->record, &out->contact, &out->book, &out->due, &out->text};
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) *texts[i] = arena_str(arena, *texts[i]);
    }
    query_end(q);
    return there;
}

enum fault_code followup_list(struct db *db, const struct followup_filter *filter, followup_fn *fn, void *ctx,
                              struct fault *f)
{
    struct query *q = query_begin(db, QUERY_FOLLOWUP_LIST);
    bind_text(q, 1, filter->record);
    bind_text(q, 2, filter->book);
    bind_text(q, 3, filter->due_before);
    bind_int(q, 4, filter->done);
    bind_int(q, 5, filter->unassigned);
    bool go_on = true;
    while (go_on && query_step(q)) {
        struct followup one = read_followup(q);
        go_on = fn(ctx, &one);
    }
    query_end(q);
    return db_check(db, f);
}

enum fault_code followup_done(struct db *db, int64_t no, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_FOLLOWUP_DONE);
    bind_int(q, 1, no);
    bind_int(q, 2, db_env(db)->now_ms(db_env(db)));
    query_run(q);
    return db_check(db, f);
}

enum fault_code followup_assign(struct db *db, int64_t no, struct str record, struct str contact, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_FOLLOWUP_ASSIGN);
    bind_int(q, 1, no);
    bind_text(q, 2, record);
    bind_text(q, 3, contact);
    query_run(q);
    return db_check(db, f);
}
