/* Opening the state: what is refused, what is made. Nothing here ever takes a file it does not understand for an empty one. */
#include "state/db_sqlite.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "state/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_WAIT_MS 10000
#define HEADER_BYTES 100
#define HEADER_APPLICATION_ID 68 /* https://sqlite.org/fileformat2.html section 1.3 */

/* Waits by the environment's clock, so that a cancel is heard and the simulator stays in charge. */
static int wait_for_lock(void *ctx, int tries)
{
    struct db *db = ctx;
    int64_t pause_ms = tries < 10 ? 1 + tries : 20;
    int64_t waited_ms = tries < 10 ? tries * (tries + 1) / 2 : 55 + (int64_t)(tries - 10) * 20;
    if (db->waits_not || waited_ms >= LOCK_WAIT_MS) return 0;
    enum fault_code code = db->env->sleep_ms(db->env, pause_ms);
    if (code) db_fail(db, code, NULL, _("cancelled while waiting for another command"));
    return code == FAULT_NONE;
}

static struct db *db_new(const char *path, struct env *env)
{
    struct db *db = mem_calloc(1, sizeof *db);
    db->env = env;
    db->path = mem_strdup(path);
    for (size_t i = 0; i <= QUERY_COUNT; i++) db->queries[i].db = db;
    return db;
}

void db_close(struct db *db)
{
    if (!db) return;
    for (size_t i = 0; i <= QUERY_COUNT; i++) sqlite3_finalize(db->queries[i].stmt);
    while (db->depth) db_rollback(db);
    sqlite3_close(db->handle);
    db_name_forget(db);
    fault_clear(&db->fault);
    free(db->path);
    free(db);
}

/* Opens the file and reads nothing of it yet. */
static enum fault_code open_file(struct db *db)
{
    int rc = sqlite3_open_v2(db->path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK) db_remember(db, rc);
    return db->fault.code;
}

static enum fault_code set_up(struct db *db)
{
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_handler(db->handle, wait_for_lock, db);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return db_exec(db, "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;"
                       "PRAGMA cache_size=-3000; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000;"
                       "PRAGMA journal_size_limit=16777216",
                   NULL);
}

static int64_t pragma_int(struct db *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);
    int64_t value = 0;
    if (rc == SQLITE_OK) rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) db_remember(db, sqlite3_extended_errcode(db->handle));
    return value;
}

static enum fault_code refuse_newer(struct db *db, int64_t version)
{
    return db_fail(db, FAULT_STATE, _("install the newer abgleich again; nothing was changed"),
                   _("%s was written by a newer abgleich (schema %lld, this one knows up to %d)"), db->path, (long long)version,
                   schema_version());
}

/* Reading the schema makes SQLite look at the file's length and its first pages. */
static enum fault_code check_and_migrate(struct db *db)
{
    pragma_int(db, "SELECT count(*) FROM sqlite_master");
    int64_t version = pragma_int(db, "PRAGMA user_version");
    if (db->fault.code) return db->fault.code;
    if (version > schema_version()) return refuse_newer(db, version);
    if (version < 1) /* files are made whole: no state was ever without a version */
        return db_fail(db, FAULT_STATE, _("restore it from a backup; nothing was changed"), _("%s is damaged: it says schema %lld"),
                       db->path, (long long)version);
    return schema_migrate(db, (int)version, NULL);
}

static enum fault_code use_wal(struct db *db)
{
    sqlite3_stmt *stmt = NULL;
    bool wal = sqlite3_prepare_v2(db->handle, "PRAGMA journal_mode=WAL", -1, &stmt, NULL) == SQLITE_OK &&
               sqlite3_step(stmt) == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(stmt, 0), "wal") == 0;
    sqlite3_finalize(stmt);
    if (wal) return FAULT_NONE;
    return db_fail(db, FAULT_STATE, _("keep the state on a local disk, in a folder this user may write to"),
                   _("%s: write-ahead logging is not possible there"), db->path);
}

/* Hands the fault out and the db away. */
static enum fault_code give_up(struct db *db, struct fault *f)
{
    enum fault_code code = db->fault.code ? db->fault.code : FAULT_STATE;
    if (f && !f->code) fault_copy(f, &db->fault);
    db_close(db);
    return code;
}

/* -- making a new one -- */

static void sync_folder(const char *path)
{
    char *copy AUTO_FREE = mem_strdup(path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    fsync(fd);
    close(fd);
}

/* The schema is written under another name and linked into place whole: at no instant is there a half-made or empty state, so that
 * an empty file is always a sign of damage. */
static enum fault_code make_file(const char *path, struct env *env, struct fault *f)
{
    char uuid[UUID_TEXT_BYTES];
    env_uuid4(env, uuid);
    struct buf temp AUTO_BUF = BUF_INIT;
    buf_addf(&temp, "%s.new-%.8s", path, uuid);
    int fd = open(buf_cstr(&temp), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return fault_set(f, FAULT_STATE, _("check that the folder exists and belongs to this user"),
                         _("%s cannot be created: %s"), path, strerror(errno));
    close(fd);
    struct db *db = db_new(buf_cstr(&temp), env);
    if (!open_file(db) && !set_up(db)) schema_migrate(db, 0, NULL);
    enum fault_code code = FAULT_NONE;
    if (db->fault.code) code = give_up(db, f);
    else db_close(db);
    if (!code && link(buf_cstr(&temp), path) != 0 && errno != EEXIST) /* somebody else was quicker: theirs is as good */
        code = fault_set(f, FAULT_STATE, _("check the folder's rights"), _("%s cannot be created: %s"), path, strerror(errno));
    unlink(buf_cstr(&temp));
    sync_folder(path);
    return code;
}

/* -- looking before SQLite does, so that a foreign file is not even touched -- */

static uint32_t big_endian(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* What every state has in its header, apart from the page size: other values are damage that SQLite would not always notice and might
 * act upon (an auto-vacuum flag moves pages about, a legacy text encoding reads other strings). */
static const struct {
    unsigned char offset, n;
    uint32_t least, most;
} header_rules[] = {
    {18, 1, 1, 2}, /* write and read version: rollback journal or WAL */
    {19, 1, 1, 2},
    {20, 1, 0, 0}, /* bytes reserved in each page */
    {21, 1, 64, 64},
    {22, 1, 32, 32},
    {23, 1, 32, 32},
    {44, 4, 4, 4},  /* schema format */
    {52, 4, 0, 0},  /* auto-vacuum */
    {56, 4, 1, 1},  /* UTF-8 */
    {64, 4, 0, 0},  /* incremental vacuum */
    {72, 4, 0, 0},  /* reserved: zero */
    {76, 4, 0, 0},
    {80, 4, 0, 0},
    {84, 4, 0, 0},
    {88, 4, 0, 0},
};

static bool follows_rules(const unsigned char *header)
{
    for (size_t i = 0; i < sizeof header_rules / sizeof *header_rules; i++) {
        const unsigned char *p = header + header_rules[i].offset;
        uint32_t value = header_rules[i].n == 1 ? *p : big_endian(p);
        if (value < header_rules[i].least || value > header_rules[i].most) return false;
    }
    return true;
}

/* The first bytes, by SQLite's own open file: closing one of ours would drop the locks that other connections of this process hold on it
 * (https://sqlite.org/howtocorrupt.html section 2.2), and other processes would take the log for theirs. */
static bool read_header(struct db *db, unsigned char *header, size_t n)
{
    sqlite3_file *file = NULL;
    sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    return file && file->pMethods && file->pMethods->xRead(file, header, (int)n, 0) == SQLITE_OK;
}

static enum fault_code check_header(struct db *db, const struct stat *st, struct fault *f)
{
    const char *restore = _("nothing was changed; restore the state from a backup, or check `state` in the configuration");
    const char *path = db->path;
    unsigned char header[HEADER_BYTES];
    size_t n = st->st_size < HEADER_BYTES ? (size_t)st->st_size : HEADER_BYTES;
    if (!read_header(db, header, n)) return fault_set(f, FAULT_STATE, restore, _("%s cannot be read: %s"), path, strerror(errno));
    if (n >= 16 && memcmp(header, "SQLite format 3", 16) != 0)
        return fault_set(f, FAULT_STATE, restore, _("%s is not a database"), path);
    if (n < sizeof header) return fault_set(f, FAULT_STATE, restore, _("%s is cut off after %zd bytes"), path, (ssize_t)n);
    if (big_endian(header + HEADER_APPLICATION_ID) != SCHEMA_APPLICATION_ID)
        return fault_set(f, FAULT_STATE, restore, _("%s belongs to another program"), path);
    if (!follows_rules(header)) return fault_set(f, FAULT_STATE, restore, _("%s is damaged in its first bytes"), path);
    return FAULT_NONE;
}

/* Nothing binds a write-ahead log to its file but the name: one left behind by a state that was removed would be played into a new one. */
static enum fault_code make_where_nothing_is(const char *path, struct env *env, struct fault *f)
{
    struct buf log AUTO_BUF = BUF_INIT;
    buf_addf(&log, "%s-wal", path);
    struct stat st;
    if (stat(buf_cstr(&log), &st) == 0 && st.st_size > 0)
        return fault_set(f, FAULT_STATE, _("restore the state from a backup; to start anew, remove that file too"),
                         _("%s is not there, but changes to it are: %s"), path, buf_cstr(&log));
    return make_file(path, env, f);
}

/* There, with something in it, and ours to read; st receives its size. */
static enum fault_code look_for_file(const char *path, enum db_mode mode, struct env *env, struct stat *st, struct fault *f)
{
    const char *restore = _("nothing was changed; restore the state from a backup, or check `state` in the configuration");
    if (stat(path, st) != 0 && errno == ENOENT && mode == DB_MAY_CREATE) {
        enum fault_code code = make_where_nothing_is(path, env, f);
        if (code) return code;
    }
    if (stat(path, st) != 0 && errno == ENOENT)
        return fault_set(f, FAULT_STATE, _("check `state` in the configuration; `abgleich book add` or `account add` make a new one"),
                         _("there is no state database at %s"), path);
    if (access(path, R_OK) != 0)
        return fault_set(f, FAULT_STATE, _("give this user the right to read and write it"), _("%s cannot be opened: %s"), path,
                         strerror(errno));
    if (!S_ISREG(st->st_mode)) return fault_set(f, FAULT_STATE, restore, _("%s is not a file"), path);
    if (st->st_size == 0) return fault_set(f, FAULT_STATE, restore, _("%s is empty: its content was lost"), path);
    return FAULT_NONE;
}

enum fault_code db_open(const char *path, enum db_mode mode, struct env *env, struct db **out, struct fault *f)
{
    *out = NULL;
    struct stat st;
    if (str_starts(str_of(path), STR("postgresql://")))
        return fault_set(f, FAULT_CONFIG, _("name a file"), _("this build keeps its state in SQLite only"));
    enum fault_code code = look_for_file(path, mode, env, &st, f);
    if (code) return code;
    struct db *db = db_new(path, env);
    if (open_file(db)) return give_up(db, f);
    if ((code = check_header(db, &st, f))) {
        db_close(db);
        return code;
    }
    if (set_up(db) || check_and_migrate(db) || use_wal(db)) return give_up(db, f);
    *out = db;
    return FAULT_NONE;
}

/* -- doctor and backup -- */

enum fault_code db_verify(struct db *db, struct fault *f)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db->handle, "PRAGMA integrity_check(10)", -1, &stmt, NULL);
    struct buf found AUTO_BUF = BUF_INIT;
    while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *line = (const char *)sqlite3_column_text(stmt, 0);
        if (line && strcmp(line, "ok") != 0) buf_addf(&found, "%s%s", found.len ? "; " : "", line);
        rc = SQLITE_OK;
    }
    sqlite3_finalize(stmt);
    if (rc != SQLITE_DONE) db_remember(db, sqlite3_extended_errcode(db->handle));
    if (found.len)
        db_fail(db, FAULT_STATE, _("stop abgleich and restore the state from a backup"), _("%s is damaged: %s"), db->path,
                buf_cstr(&found));
    return db_check(db, f);
}

enum fault_code db_copy(struct db *db, const char *to_path, struct fault *f)
{
    int fd = open(to_path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return fault_set(f, FAULT_USAGE, _("name a file that does not exist yet"), _("%s cannot be created: %s"), to_path,
                         strerror(errno));
    close(fd);
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db->handle, "VACUUM INTO ?1", -1, &stmt, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_bind_text(stmt, 1, to_path, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK) rc = sqlite3_step(stmt);
    if (rc != SQLITE_DONE) db_remember(db, sqlite3_extended_errcode(db->handle));
    sqlite3_finalize(stmt);
    if (db->fault.code) unlink(to_path);
    return db_check(db, f);
}

enum fault_code db_scrub(struct db *db, struct fault *f)
{
    int rc = sqlite3_exec(db->handle, "VACUUM", NULL, NULL, NULL);
    int busy = 0;
    if (rc == SQLITE_OK) {
        sqlite3_stmt *stmt = NULL;
        rc = sqlite3_prepare_v2(db->handle, "PRAGMA wal_checkpoint(TRUNCATE)", -1, &stmt, NULL);
        if (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) busy = sqlite3_column_int(stmt, 0);
        sqlite3_finalize(stmt);
    }
    if (busy || rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
        return fault_set(f, FAULT_BUSY, _("do it again in a moment"), _("the state is in use, so that traces may be left in free space"));
    if (rc != SQLITE_OK) db_remember(db, sqlite3_extended_errcode(db->handle));
    return db_check(db, f);
}
