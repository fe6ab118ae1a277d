/* What db.c and db_open.c share: the SQLite driver's insides. Private to these two files. */
#ifndef ABGLEICH_DB_SQLITE_H
#define ABGLEICH_DB_SQLITE_H

#include "state/db.h"

#include <sqlite3.h>

#define QUERY_MAX_PARAMETERS 32

struct query {
    struct db *db;
    sqlite3_stmt *stmt; /* NULL until first used */
    int slot[QUERY_MAX_PARAMETERS + 1]; /* $n -> SQLite's own number, which follows first appearance; 0 = not used */
    bool busy;          /* begun and not ended */
};

struct db {
    sqlite3 *handle;
    struct env *env;
    char *path;
    struct fault fault; /* the first one since the transaction began; nothing runs while it is set */
    int depth;          /* of nested transactions */
    bool waits_not;     /* db_begin_at_once is asking */
    struct db_fence *fence; /* NULL = none */
    char *name;         /* the last name looked up, and its number */
    int64_t number;
    int64_t next_row, end_row; /* numbers of journal rows reserved for that name */
    struct query queries[QUERY_COUNT + 1]; /* the last one stands in for one that is busy */
};

/* Remembers what SQLite says about rc, in words an administrator can act on. */
void db_remember(struct db *db, int rc);
#endif
