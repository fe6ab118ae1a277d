#include "state/runs.h"

#include "state/rows.h"

static int64_t now_ms(struct db *db)
{
    return db_env(db)->now_ms(db_env(db));
}

/* -- counts: numbers in a text, in the order of the struct -- */

#define COUNTS (sizeof(struct report_counts) / sizeof(int64_t))

static void encode_counts(const struct report_counts *c, struct buf *out)
{
    const int64_t numbers[COUNTS] = {c->total,   c->fresh,     c->changed,         c->created, c->updated,
                                     c->deleted, c->unchanged, c->skipped_deleted, c->invalid, c->conflict, c->to_delete,
                                     c->filtered};
    for (size_t i = 0; i < COUNTS; i++) buf_addf(out, "%s%lld", i ? " " : "", (long long)numbers[i]);
}

/* A number that is missing counts as 0: an older program wrote fewer. */
static struct report_counts decode_counts(struct str text)
{
    long long n[COUNTS] = {0};
    for (size_t i = 0; i < COUNTS && text.p; i++)
        if (!str_to_int64(str_split(&text, ' '), &n[i])) n[i] = 0;
    return (struct report_counts){n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9], n[10], n[11]};
}

/* -- writing -- */

static enum fault_code add_run(struct db *db, struct run_report *r, struct str status, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_RUN_START);
    bind_text(q, 1, r->link);
    bind_text(q, 2, r->trigger);
    bind_int(q, 3, now_ms(db));
    bind_text(q, 4, r->name_a);
    bind_text(q, 5, r->name_b);
    bind_text(q, 6, status);
    r->run = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    return db_check(db, f);
}

enum fault_code runs_queue(struct db *db, struct run_report *r, struct fault *f)
{
    return add_run(db, r, STR("queued"), f);
}

enum fault_code runs_start(struct db *db, struct run_report *r, struct fault *f)
{
    if (!r->run) return add_run(db, r, STR("running"), f);
    struct query *q = query_begin(db, QUERY_RUN_RESUME);
    bind_int(q, 1, r->run);
    bind_text(q, 2, r->trigger);
    bind_int(q, 3, now_ms(db));
    bind_text(q, 4, r->name_a);
    bind_text(q, 5, r->name_b);
    query_run(q);
    return db_check(db, f);
}

enum fault_code runs_add_operation(struct db *db, int64_t run, const struct report_operation *o, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_OPERATION_ADD);
    bind_int(q, 1, run);
    bind_int(q, 2, o->op);
    bind_int(q, 3, o->side);
    bind_text(q, 4, o->title);
    bind_text(q, 5, o->id);
    bind_text(q, 6, o->rule);
    bind_text(q, 7, o->other);
    bind_int(q, 8, (int64_t)o->content);
    bind_int(q, 9, o->archived);
    query_run(q);
    return db_check(db, f);
}

enum fault_code runs_add_conflict(struct db *db, int64_t run, const struct report_conflict *c, int64_t *no, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_CONFLICT_ADD);
    bind_int(q, 1, run);
    bind_text(q, 2, c->id);
    bind_text(q, 3, c->contact);
    bind_text(q, 4, c->field);
    bind_text(q, 5, c->a);
    bind_text(q, 6, c->b);
    bind_int(q, 7, c->winner);
    bind_text(q, 8, c->rule);
    int64_t number = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    if (no) *no = number;
    return db_check(db, f);
}

enum fault_code runs_add_problem(struct db *db, int64_t run, const struct report_problem *p, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_PROBLEM_ADD);
    bind_int(q, 1, run);
    bind_int(q, 2, p->kind);
    bind_int(q, 3, p->side);
    bind_text(q, 4, p->id_a);
    bind_text(q, 5, p->id_b);
    bind_text(q, 6, p->title);
    bind_text(q, 7, p->other);
    bind_int(q, 8, p->code);
    bind_text(q, 9, p->reason);
    query_run(q);
    return db_check(db, f);
}

enum fault_code runs_finish(struct db *db, const struct run_report *r, struct fault *f)
{
    struct buf counts[2] = {BUF_INIT, BUF_INIT}; /* borrowed by the statement until it ran */
    struct query *q = query_begin(db, QUERY_RUN_FINISH);
    bind_int(q, 1, r->run);
    bind_text(q, 2, r->status);
    bind_text(q, 3, r->plan);
    bind_int(q, 4, now_ms(db));
    for (int side = 0; side < 2; side++) {
        encode_counts(&r->counts[side], &counts[side]);
        bind_text(q, 5 + side, buf_str(&counts[side]));
    }
    bind_int(q, 7, r->requests);
    bind_int(q, 8, r->bytes_in);
    bind_int(q, 9, r->bytes_out);
    bind_text(q, 10, r->held);
    bind_text(q, 11, r->fault);
    bind_int(q, 12, r->fault_code);
    query_run(q);
    buf_free(&counts[0]);
    buf_free(&counts[1]);
    return db_check(db, f);
}

enum fault_code runs_drop(struct db *db, int64_t run, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_RUN_DROP);
    bind_int(q, 1, run);
    query_run(q);
    return db_check(db, f);
}

enum fault_code runs_purge(struct db *db, int64_t before_ms, int64_t *n, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_RUN_PURGE_COUNT);
    bind_int(q, 1, before_ms);
    int64_t count = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    if (n) *n = count;
    q = query_begin(db, QUERY_RUN_PURGE);
    bind_int(q, 1, before_ms);
    query_run(q);
    return db_check(db, f);
}

/* -- reading -- */

static struct str kept(struct query *q, int column, struct arena *arena)
{
    return arena_str(arena, column_text(q, column));
}

/* Columns as RUN_COLUMNS names them. */
static struct run_report read_run(struct query *q, struct arena *arena)
{
    return (struct run_report){.run = column_int(q, 0),
                               .link = kept(q, 1, arena),
                               .trigger = kept(q, 2, arena),
                               .status = kept(q, 3, arena),
                               .plan = kept(q, 4, arena),
                               .started_ms = column_int(q, 5),
                               .finished_ms = column_int(q, 6),
                               .counts = {decode_counts(column_text(q, 7)), decode_counts(column_text(q, 8))},
                               .requests = column_int(q, 9),
                               .bytes_in = column_int(q, 10),
                               .bytes_out = column_int(q, 11),
                               .n_conflicts = column_int(q, 12),
                               .n_problems = column_int(q, 13),
                               .n_operations = column_int(q, 14),
                               .held = kept(q, 15, arena),
                               .fault = kept(q, 16, arena),
                               .fault_code = (unsigned)column_int(q, 17),
                               .name_a = kept(q, 18, arena),
                               .name_b = kept(q, 19, arena)};
}

static struct report_operation read_operation(struct query *q, struct arena *arena)
{
    return (struct report_operation){.op = (unsigned)column_int(q, 0),
                                     .side = (unsigned)column_int(q, 1),
                                     .title = kept(q, 2, arena),
                                     .id = kept(q, 3, arena),
                                     .rule = kept(q, 4, arena),
                                     .other = kept(q, 5, arena),
                                     .content = (uint64_t)column_int(q, 6),
                                     .archived = column_int(q, 7)};
}

/* Columns as CONFLICT_COLUMNS names them. */
static struct report_conflict read_conflict(struct query *q, struct arena *arena)
{
    return (struct report_conflict){.no = column_int(q, 0),
                                    .id = kept(q, 1, arena),
                                    .contact = kept(q, 2, arena),
                                    .field = kept(q, 3, arena),
                                    .a = kept(q, 4, arena),
                                    .b = kept(q, 5, arena),
                                    .winner = (unsigned)column_int(q, 6),
                                    .rule = kept(q, 7, arena),
                                    .read = column_int(q, 8) != 0,
                                    .run = column_int(q, 9),
                                    .time_ms = column_int(q, 10),
                                    .link = kept(q, 11, arena)};
}

static struct report_problem read_problem(struct query *q, struct arena *arena)
{
    return (struct report_problem){.kind = (unsigned)column_int(q, 0),
                                   .side = (unsigned)column_int(q, 1),
                                   .id_a = kept(q, 2, arena),
                                   .id_b = kept(q, 3, arena),
                                   .title = kept(q, 4, arena),
                                   .other = kept(q, 5, arena),
                                   .code = (unsigned)column_int(q, 6),
                                   .reason = kept(q, 7, arena)};
}

size_t runs_list(struct db *db, const char *link, size_t limit, struct arena *arena, struct run_report **out)
{
    struct rows rows = ROWS_OF(struct run_report);
    struct query *q = query_begin(db, QUERY_RUN_LIST);
    bind_text(q, 1, str_of(link));
    bind_int(q, 2, limit ? (int64_t)limit : INT64_MAX);
    while (query_step(q)) *(struct run_report *)rows_add(&rows) = read_run(q, arena);
    query_end(q);
    size_t n = rows.n;
    *out = rows_keep(&rows, arena);
    return n;
}

size_t runs_under_way(struct db *db, const char *link, struct arena *arena, int64_t **out)
{
    struct rows rows = ROWS_OF(int64_t);
    struct query *q = query_begin(db, QUERY_RUN_UNDER_WAY);
    bind_text(q, 1, str_of(link));
    while (query_step(q)) *(int64_t *)rows_add(&rows) = column_int(q, 0);
    query_end(q);
    size_t n = rows.n;
    *out = rows_keep(&rows, arena);
    return n;
}

static bool load_head(struct db *db, int64_t run, struct arena *arena, struct run_report *out)
{
    memset(out, 0, sizeof *out);
    struct query *q = query_begin(db, QUERY_RUN_GET);
    bind_int(q, 1, run);
    bool there = query_step(q);
    if (there) *out = read_run(q, arena);
    query_end(q);
    return there;
}

static struct query *begin_of_run(struct db *db, enum query_id id, int64_t run)
{
    struct query *q = query_begin(db, id);
    bind_int(q, 1, run);
    return q;
}

/* The details set the numbers too: those of a run that was killed were never counted. */
bool runs_load(struct db *db, int64_t run, struct arena *arena, struct run_report *out)
{
    if (!load_head(db, run, arena, out)) return false;
    struct rows operations = ROWS_OF(struct report_operation), conflicts = ROWS_OF(struct report_conflict),
                problems = ROWS_OF(struct report_problem);
    struct query *q = begin_of_run(db, QUERY_OPERATION_LIST, run);
    while (query_step(q)) *(struct report_operation *)rows_add(&operations) = read_operation(q, arena);
    query_end(q);
    q = begin_of_run(db, QUERY_CONFLICT_LIST, run);
    while (query_step(q)) *(struct report_conflict *)rows_add(&conflicts) = read_conflict(q, arena);
    query_end(q);
    q = begin_of_run(db, QUERY_PROBLEM_LIST, run);
    while (query_step(q)) *(struct report_problem *)rows_add(&problems) = read_problem(q, arena);
    query_end(q);
    out->n_operations = (int64_t)operations.n;
    out->n_conflicts = (int64_t)conflicts.n;
    out->n_problems = (int64_t)problems.n;
    out->operations = rows_keep(&operations, arena);
    out->conflicts = rows_keep(&conflicts, arena);
    out->problems = rows_keep(&problems, arena);
    return true;
}

/* -- conflicts -- */

size_t runs_conflicts(struct db *db, const char *link, bool unread_only, struct arena *arena, struct report_conflict **out)
{
    struct rows rows = ROWS_OF(struct report_conflict);
    struct query *q = query_begin(db, QUERY_CONFLICT_OF_LINK);
    bind_text(q, 1, str_of(link));
    bind_int(q, 2, unread_only);
    while (query_step(q)) *(struct report_conflict *)rows_add(&rows) = read_conflict(q, arena);
    query_end(q);
    size_t n = rows.n;
    *out = rows_keep(&rows, arena);
    return n;
}

bool runs_conflict_get(struct db *db, int64_t no, struct arena *arena, struct report_conflict *out)
{
    struct query *q = query_begin(db, QUERY_CONFLICT_GET);
    bind_int(q, 1, no);
    bool there = query_step(q);
    if (there) *out = read_conflict(q, arena);
    query_end(q);
    return there;
}

enum fault_code runs_conflict_mark_read(struct db *db, int64_t no, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_CONFLICT_READ);
    bind_int(q, 1, no);
    query_run(q);
    return db_check(db, f);
}

enum fault_code runs_remove_conflict(struct db *db, int64_t no, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_CONFLICT_REMOVE);
    bind_int(q, 1, no);
    query_run(q);
    return db_check(db, f);
}

enum fault_code runs_conflicts_mark_read(struct db *db, const char *link, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_CONFLICT_SEEN);
    bind_text(q, 1, str_of(link));
    query_run(q);
    return db_check(db, f);
}

/* -- why -- */

struct run_operation {
    int64_t run;
    struct report_operation operation;
};

/* Both lists come newest run first; a run takes its share off the front of each. */
struct shares {
    struct run_operation *operations;
    struct report_conflict *conflicts;
    size_t n_operations, n_conflicts;
};

static struct shares shares_of(struct db *db, struct str id, struct arena *arena)
{
    struct rows operations = ROWS_OF(struct run_operation), conflicts = ROWS_OF(struct report_conflict);
    struct query *q = query_begin(db, QUERY_OPERATION_OF_ID);
    bind_text(q, 1, id);
    while (query_step(q))
        *(struct run_operation *)rows_add(&operations) = (struct run_operation){column_int(q, 8), read_operation(q, arena)};
    query_end(q);
    q = query_begin(db, QUERY_CONFLICT_OF_ID);
    bind_text(q, 1, id);
    while (query_step(q)) *(struct report_conflict *)rows_add(&conflicts) = read_conflict(q, arena);
    query_end(q);
    struct shares s = {.n_operations = operations.n, .n_conflicts = conflicts.n};
    s.operations = rows_keep(&operations, arena);
    s.conflicts = rows_keep(&conflicts, arena);
    return s;
}

static void take_share(struct shares *s, struct arena *arena, struct run_report *r)
{
    size_t n = 0;
    while (n < s->n_operations && s->operations[n].run == r->run) n++;
    r->operations = arena_alloc(arena, (n + 1) * sizeof *r->operations);
    for (size_t i = 0; i < n; i++) r->operations[i] = s->operations[i].operation;
    s->operations += n;
    s->n_operations -= n;
    r->n_operations = (int64_t)n;
    r->conflicts = s->conflicts;
    for (n = 0; n < s->n_conflicts && s->conflicts[n].run == r->run;) n++;
    s->conflicts += n;
    s->n_conflicts -= n;
    r->n_conflicts = (int64_t)n;
    r->n_problems = 0;
}

size_t runs_of_record(struct db *db, struct str id, struct arena *arena, struct run_report **out)
{
    struct shares s = shares_of(db, id, arena);
    struct rows rows = ROWS_OF(struct run_report);
    while (s.n_operations || s.n_conflicts) {
        int64_t run = s.n_operations ? s.operations->run : 0;
        if (s.n_conflicts && s.conflicts->run > run) run = s.conflicts->run;
        struct run_report *r = rows_add(&rows);
        load_head(db, run, arena, r);
        r->run = run; /* also where the run went meanwhile: the share must be taken */
        take_share(&s, arena, r);
    }
    size_t n = rows.n;
    *out = rows_keep(&rows, arena);
    return n;
}

struct open_matters runs_open_matters(struct db *db)
{
    struct open_matters m = {0};
    struct query *q = query_begin(db, QUERY_OPEN_MATTERS);
    if (query_step(q)) m = (struct open_matters){column_int(q, 0), column_int(q, 1), column_int(q, 2), column_int(q, 3)};
    query_end(q);
    return m;
}
