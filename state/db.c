#include "state/db_sqlite.h"

#include "base/i18n.h"
#include "base/mem.h"

#include <stdlib.h>

static const char *const query_text[QUERY_COUNT] = {
#define QUERY(name, text) [QUERY_##name] = text,
#include "state/queries.h"
#undef QUERY
};

/* One row a primary result code that means something particular to a person. */
static const struct {
    int rc;
    enum fault_code code;
    const char *what, *advice;
} meanings[] = {
    {SQLITE_CORRUPT, FAULT_STATE, N_("the state database is damaged"),
     N_("stop abgleich and restore it from a backup; `abgleich doctor` shows the damage")},
    {SQLITE_NOTADB, FAULT_STATE, N_("the state database is not a database"),
     N_("check `state` in the configuration, or restore the file from a backup")},
    {SQLITE_FULL, FAULT_STATE, N_("the disk of the state database is full"),
     N_("nothing of this step was kept; make room and run it again")},
    {SQLITE_IOERR, FAULT_STATE, N_("the state database cannot be read or written"),
     N_("nothing of this step was kept; check the disk and run it again")},
    {SQLITE_READONLY, FAULT_STATE, N_("the state database is read-only"),
     N_("give this user the right to write the file and its folder")},
    {SQLITE_CANTOPEN, FAULT_STATE, N_("the state database cannot be opened"),
     N_("check that the folder exists and belongs to this user")},
    {SQLITE_BUSY, FAULT_BUSY, N_("the state database is in use"), N_("try again when the other command has ended")},
    {SQLITE_INTERRUPT, FAULT_CANCELLED, N_("cancelled"), NULL},
};

void db_remember(struct db *db, int rc)
{
    const char *detail = db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc);
    if (db->fault.code) return;
    if ((rc & 255) == SQLITE_CONSTRAINT && (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY)) {
        db_fail(db, FAULT_EXISTS, NULL, _("the state has that already (%s)"), detail);
        return;
    }
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        if (meanings[i].rc != (rc & 255)) continue;
        db_fail(db, meanings[i].code, meanings[i].advice ? _(meanings[i].advice) : NULL, "%s: %s (%s)", db->path,
                _(meanings[i].what), detail);
        return;
    }
    db_fail(db, FAULT_INTERNAL, _("please report this"), "%s: %s (%d)", db->path, detail, rc);
}

enum fault_code db_fail(struct db *db, enum fault_code code, const char *advice, const char *fmt, ...)
{
    if (db->fault.code) return db->fault.code;
    struct buf what AUTO_BUF = BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(&what, fmt, ap);
    va_end(ap);
    return fault_set(&db->fault, code, advice, "%s", buf_cstr(&what));
}

enum fault_code db_check(struct db *db, struct fault *f)
{
    enum fault_code code = db->fault.code;
    if (!code) return FAULT_NONE;
    if (!f) return code;
    if (!f->code) fault_copy(f, &db->fault);
    if (!db->depth) fault_clear(&db->fault);
    return code;
}

struct env *db_env(const struct db *db)
{
    return db->env;
}

const char *db_path(const struct db *db)
{
    return db->path;
}

bool db_in_transaction(const struct db *db)
{
    return db->depth > 0;
}

/* -- statements -- */

static void prepare(struct query *q, enum query_id id)
{
    int rc = sqlite3_prepare_v3(q->db->handle, query_text[id], -1, SQLITE_PREPARE_PERSISTENT, &q->stmt, NULL);
    if (rc != SQLITE_OK) {
        db_remember(q->db, rc);
        return;
    }
    for (int i = 1; i <= QUERY_MAX_PARAMETERS; i++) {
        char name[16];
        sqlite3_snprintf(sizeof name, name, "$%d", i);
        q->slot[i] = sqlite3_bind_parameter_index(q->stmt, name);
    }
}

struct query *query_begin(struct db *db, enum query_id id)
{
    struct query *q = &db->queries[id];
    if (q->busy) {
        db_fail(db, FAULT_INTERNAL, _("please report this"), "statement %d begun twice", (int)id);
        return &db->queries[QUERY_COUNT];
    }
    if (!db->fault.code && !q->stmt) prepare(q, id);
    q->busy = true;
    return q;
}

static void bound(struct query *q, int rc)
{
    if (rc != SQLITE_OK) db_remember(q->db, rc);
}

/* 0: nothing is to be bound, for there is a fault already or the statement has no such parameter. */
static int slot_of(struct query *q, int index)
{
    if (q->db->fault.code || !q->stmt) return 0;
    if (!q->slot[index]) db_fail(q->db, FAULT_INTERNAL, _("please report this"), "no $%d in %s", index, sqlite3_sql(q->stmt));
    return q->slot[index];
}

void bind_text(struct query *q, int index, struct str s)
{
    int slot = slot_of(q, index);
    if (!slot) return;
    bound(q, s.p ? sqlite3_bind_text64(q->stmt, slot, s.p, s.n, SQLITE_STATIC, SQLITE_UTF8) : sqlite3_bind_null(q->stmt, slot));
}

void bind_blob(struct query *q, int index, struct str s)
{
    int slot = slot_of(q, index);
    if (!slot) return;
    bound(q, s.p ? sqlite3_bind_blob64(q->stmt, slot, s.p, s.n, SQLITE_STATIC) : sqlite3_bind_null(q->stmt, slot));
}

void bind_int(struct query *q, int index, int64_t value)
{
    int slot = slot_of(q, index);
    if (slot) bound(q, sqlite3_bind_int64(q->stmt, slot, value));
}

void bind_null(struct query *q, int index)
{
    int slot = slot_of(q, index);
    if (slot) bound(q, sqlite3_bind_null(q->stmt, slot));
}

bool query_step(struct query *q)
{
    if (q->db->fault.code || !q->stmt) return false;
    int rc = sqlite3_step(q->stmt);
    if (rc == SQLITE_ROW) return true;
    if (rc != SQLITE_DONE) db_remember(q->db, sqlite3_extended_errcode(q->db->handle));
    return false;
}

int64_t column_int(struct query *q, int column)
{
    return q->stmt ? sqlite3_column_int64(q->stmt, column) : 0;
}

struct str column_blob(struct query *q, int column)
{
    if (!q->stmt || sqlite3_column_type(q->stmt, column) == SQLITE_NULL) return STR_NONE;
    const char *p = sqlite3_column_blob(q->stmt, column);
    return (struct str){p ? p : "", (size_t)sqlite3_column_bytes(q->stmt, column)};
}

struct str column_text(struct query *q, int column)
{
    if (!q->stmt || sqlite3_column_type(q->stmt, column) == SQLITE_NULL) return STR_NONE;
    const char *p = (const char *)sqlite3_column_text(q->stmt, column);
    return (struct str){p ? p : "", (size_t)sqlite3_column_bytes(q->stmt, column)};
}

bool column_is_null(struct query *q, int column)
{
    return !q->stmt || sqlite3_column_type(q->stmt, column) == SQLITE_NULL;
}

void query_end(struct query *q)
{
    q->busy = false;
    if (!q->stmt) return;
    sqlite3_reset(q->stmt);
    sqlite3_clear_bindings(q->stmt);
}

void query_run(struct query *q)
{
    while (query_step(q)) {
    }
    query_end(q);
}

enum fault_code db_exec(struct db *db, const char *sql, struct fault *f)
{
    if (!db->fault.code) {
        int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
        if (rc != SQLITE_OK) db_remember(db, sqlite3_extended_errcode(db->handle));
    }
    return db_check(db, f);
}

int64_t db_commits(struct db *db)
{
    struct query *q = query_begin(db, QUERY_COMMITS);
    int64_t n = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    return n;
}

/* -- transactions -- */

static int run_sql(struct db *db, const char *sql)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
}

static int run_savepoint(struct db *db, const char *verb)
{
    char sql[64];
    sqlite3_snprintf(sizeof sql, sql, "%s s%d", verb, db->depth);
    return run_sql(db, sql);
}

static enum fault_code begin(struct db *db, const char *how, struct fault *f)
{
    int rc = db->fault.code ? SQLITE_OK : db->depth ? run_savepoint(db, "SAVEPOINT") : run_sql(db, how);
    if (rc != SQLITE_OK) db_remember(db, sqlite3_extended_errcode(db->handle));
    if (db->fault.code) return db_check(db, f);
    db->depth++;
    return FAULT_NONE;
}

enum fault_code db_begin(struct db *db, struct fault *f)
{
    return begin(db, "BEGIN IMMEDIATE", f);
}

bool db_begin_at_once(struct db *db)
{
    if (db->fault.code || db->depth) return false;
    db->waits_not = true;
    bool begun = run_sql(db, "BEGIN IMMEDIATE") == SQLITE_OK;
    db->waits_not = false;
    db->depth += begun;
    return begun;
}

enum fault_code db_begin_reading(struct db *db, struct fault *f)
{
    return begin(db, "BEGIN DEFERRED", f);
}

/* A full disk or an I/O error may have ended the whole transaction behind our back: then nothing of it is there. */
static void notice_lost_transaction(struct db *db)
{
    if (!db->fault.code && sqlite3_get_autocommit(db->handle)) db_remember(db, SQLITE_IOERR);
}

void db_rollback(struct db *db)
{
    fault_clear(&db->fault);
    db_name_forget(db);
    if (!db->depth) return;
    db->depth--;
    if (db->depth) {
        run_savepoint(db, "ROLLBACK TO");
        run_savepoint(db, "RELEASE");
        notice_lost_transaction(db); /* or what follows would be kept, statement by statement */
    } else if (!sqlite3_get_autocommit(db->handle)) {
        run_sql(db, "ROLLBACK"); /* SQLite may have rolled back itself: full disk, I/O error */
    }
}

void db_guard(struct db *db, struct db_fence *fence)
{
    db->fence = fence;
}

void db_roomy(struct db *db, bool on)
{
    db_exec(db, on ? "PRAGMA cache_size=-48000; PRAGMA wal_autocheckpoint=40000" : "PRAGMA cache_size=-3000; PRAGMA wal_autocheckpoint=4000", NULL);
}

/* The row is written in the very transaction that is proved, so nobody can take it over before that is committed. */
void db_prove(struct db *db)
{
    struct db_fence *fence = db->fence;
    if (!fence || db->fault.code) return;
    int64_t now = db->env->monotonic_ms(db->env);
    struct query *q = query_begin(db, QUERY_LEASE_RENEW);
    bind_int(q, 1, fence->link);
    bind_int(q, 2, fence->fence);
    bind_int(q, 3, db->env->now_ms(db->env) + fence->keep_ms);
    bool ours = query_step(q);
    query_end(q);
    if (db->fault.code) return;
    fence->lost = !ours;
    if (ours) fence->renewed_ms = now;
    else
        db_fail(db, FAULT_BUSY, _("nothing of this step was kept; the other run does what is to be done"),
                _("this process stood still for so long that another one took the link over"));
}

static enum fault_code commit_outer(struct db *db, struct fault *f)
{
    db->env->boundary(db->env, "commit");
    int rc = run_sql(db, "COMMIT");
    if (rc != SQLITE_OK) db_remember(db, sqlite3_extended_errcode(db->handle));
    if (db->fault.code) {
        enum fault_code code = db_check(db, f);
        db_rollback(db);
        return code;
    }
    db->depth = 0;
    db->env->boundary(db->env, "committed");
    return FAULT_NONE;
}

enum fault_code db_commit(struct db *db, struct fault *f)
{
    if (!db->depth) return fault_set(f, FAULT_INTERNAL, _("please report this"), "commit without a transaction");
    notice_lost_transaction(db);
    if (db->depth == 1) db_prove(db);
    if (db->fault.code) {
        enum fault_code code = db_check(db, f);
        db_rollback(db);
        return code;
    }
    if (db->depth == 1) return commit_outer(db, f);
    db->depth--;
    if (run_savepoint(db, "RELEASE") != SQLITE_OK) db_remember(db, sqlite3_extended_errcode(db->handle));
    return db_check(db, f);
}

/* -- names -- */

void db_name_forget(struct db *db)
{
    free(db->name);
    db->name = NULL;
    db->number = 0;
    db->next_row = db->end_row = 0; /* what is left of them is never used: after a rollback it may be given anew */
}

static int64_t name_number(struct db *db, enum query_id id, const char *name)
{
    struct query *q = query_begin(db, id);
    bind_text(q, 1, str_of(name));
    int64_t number = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    return number;
}

int64_t db_name_number(struct db *db, const char *name, bool make)
{
    if (db->name && strcmp(db->name, name) == 0) return db->number;
    int64_t number = name_number(db, QUERY_NAME_GET, name);
    if (!number && make) number = name_number(db, QUERY_NAME_ADD, name);
    if (!number) return 0;
    db_name_forget(db);
    db->name = mem_strdup(name);
    db->number = number;
    return number;
}

#define RESERVED_ROWS 64

static void reserve_rows(struct db *db)
{
    struct query *q = query_begin(db, QUERY_NAME_NEXT_ROW);
    bind_int(q, 1, db->number);
    bind_int(q, 2, RESERVED_ROWS);
    query_run(q);
    q = query_begin(db, QUERY_NAME_ROW);
    bind_int(q, 1, db->number);
    db->end_row = query_step(q) ? column_int(q, 0) : 0;
    db->next_row = db->end_row - RESERVED_ROWS;
    query_end(q);
}

int64_t db_name_row(struct db *db, const char *name)
{
    if (!db_name_number(db, name, true)) return 0;
    if (db->next_row == db->end_row) reserve_rows(db);
    return db->fault.code ? 0 : db->next_row++;
}
