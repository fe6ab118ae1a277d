/* The driver layer under state/: one SQL text for two databases (SQLite now; the layer and the statements keep PostgreSQL possible).
 *
 * One struct db per thread or job. Only files in state/ and connectors/contactbox.c may run queries; everybody else opens, begins,
 * commits and passes the handle on.
 *
 * Faults stick: the first failing statement is remembered, every later one does nothing and says "no row", and db_commit (or
 * db_check) returns it and rolls back. So a function that answers "not there" need not be checked one by one, but nothing may be
 * concluded, and no remote may be written to, before the db_commit or db_check that follows has said FAULT_NONE. */
#ifndef ABGLEICH_DB_H
#define ABGLEICH_DB_H

#include "base/arena.h"
#include "base/env.h"

struct db;

enum db_mode {
    DB_EXISTING,  /* a missing file is FAULT_STATE */
    DB_MAY_CREATE /* a missing file becomes a new state, mode 0600; one of zero length has lost its content and is refused */
};

/* Opens and migrates (state/schema.h). A file that is damaged, foreign, newer than this program or no database at all is refused
 * with FAULT_STATE and never taken for empty. path and env are borrowed; *out owned by the caller, NULL on failure. */
enum fault_code db_open(const char *path, enum db_mode mode, struct env *env, struct db **out, struct fault *f);
void db_close(struct db *db); /* NULL is fine; an open transaction is rolled back */
struct env *db_env(const struct db *db);
const char *db_path(const struct db *db);

/* Nestable: inner ones are savepoints. Writers take the write lock at once and wait for it (10 s), so that a transaction never
 * fails half way for being late. */
enum fault_code db_begin(struct db *db, struct fault *f);
/* For what may be left out as well: false, and nothing begun, while somebody else writes. */
bool db_begin_at_once(struct db *db);
/* Everything read until the end is of one moment, whatever others write meanwhile; waits for nobody. Nothing may be written; ended by
 * db_rollback. */
enum fault_code db_begin_reading(struct db *db, struct fault *f);
enum fault_code db_commit(struct db *db, struct fault *f); /* a remembered fault rolls this level back and is returned */
void db_rollback(struct db *db);                           /* also forgets a remembered fault */
bool db_in_transaction(const struct db *db);
/* The remembered fault, if any. Handed out (f not NULL) outside a transaction it is forgotten; inside it stays until the end. */
enum fault_code db_check(struct db *db, struct fault *f);

/* What every commit from now on has to prove first: that the lease of a link (state/lease.h, the only caller) still has that fence. If
 * so, it is prolonged by keep_ms; if not, `lost` is set and the commit is refused with FAULT_BUSY. fence: borrowed until the next call;
 * NULL = nothing. */
struct db_fence {
    int64_t link, fence, keep_ms;
    int64_t renewed_ms; /* monotonic: when it was last prolonged */
    bool lost;
};
void db_guard(struct db *db, struct db_fence *fence);
/* The same proof at once, within a transaction. */
void db_prove(struct db *db);

/* A number that changes whenever another connection has committed: a look at it costs microseconds. 0 after a fault. */
int64_t db_commits(struct db *db);

/* Before and after a transaction that writes very much and that somebody waits for: what it changes is kept in memory up to its commit
 * (48 MB instead of 3), not written and read again and again, and copying it from the log into the file is left to a later commit. */
void db_roomy(struct db *db, bool on);

/* Slow: every page and index. FAULT_STATE with what was found (`abgleich doctor`). */
enum fault_code db_verify(struct db *db, struct fault *f);
/* A consistent copy for backups; the file must not exist. */
enum fault_code db_copy(struct db *db, const char *to_path, struct fault *f);
/* Leaves nothing of deleted rows behind: neither free pages nor the write-ahead log. Outside a transaction. FAULT_BUSY while others
 * read or write. */
enum fault_code db_scrub(struct db *db, struct fault *f);

/* -- queries: state/ only. Statements are named in state/queries.h and kept prepared.
 *
 *     struct query *q = query_begin(db, QUERY_X);
 *     bind_text(q, 1, name);
 *     while (query_step(q)) ... column_int(q, 0) ...
 *     query_end(q);
 *
 * Parameters are $1, $2 ...; columns count from 0. A statement under way (stepped, not ended) may not be begun again: that is a
 * remembered FAULT_INTERNAL. */
enum query_id {
#define QUERY(name, text) QUERY_##name,
#include "state/queries.h"
#undef QUERY
    QUERY_COUNT
};
struct query;
struct query *query_begin(struct db *db, enum query_id id); /* never NULL */
void bind_text(struct query *q, int index, struct str s);   /* {NULL,0} = NULL; borrowed until query_end */
void bind_int(struct query *q, int index, int64_t value);
void bind_blob(struct query *q, int index, struct str s);
void bind_null(struct query *q, int index);
bool query_step(struct query *q); /* true: there is a row. false: end or fault */
int64_t column_int(struct query *q, int column);      /* 0 for NULL */
struct str column_text(struct query *q, int column);  /* borrowed until the next step; {NULL,0} for NULL */
struct str column_blob(struct query *q, int column);
bool column_is_null(struct query *q, int column);
void query_end(struct query *q);
void query_run(struct query *q); /* step to the end and end */
/* Remembers a fault found above the SQL (a row that cannot be decoded). */
enum fault_code db_fail(struct db *db, enum fault_code code, const char *advice, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* For the schema and tests: runs SQL text of several statements. */
enum fault_code db_exec(struct db *db, const char *sql, struct fault *f);

/* Number of a link or account name, for the journal's narrow rows. 0 = not there and not `make`. Cached. */
int64_t db_name_number(struct db *db, const char *name, bool make);
void db_name_forget(struct db *db); /* after its row went */
/* The next number of a row of that name, never given twice. Reserved by the dozen, so that not each row costs a statement. */
int64_t db_name_row(struct db *db, const char *name);

#endif
