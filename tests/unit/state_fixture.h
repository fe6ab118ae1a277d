/* A folder of its own, a virtual clock and repeatable randomness for tests of the state. */
#ifndef ABGLEICH_STATE_FIXTURE_H
#define ABGLEICH_STATE_FIXTURE_H

#include "base/buf.h"
#include "base/mem.h"
#include "state/db.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct world {
    struct env env;
    int64_t now_ms;
    uint64_t seed;
    bool cancelled;
    char folder[64], path[80];
    struct db *db;
    struct fault fault;
    struct arena arena;
};

static inline int64_t world_now(struct env *e)
{
    return ((struct world *)e)->now_ms;
}

static inline void world_random(struct env *e, void *out, size_t n)
{
    struct world *w = (struct world *)e;
    for (size_t i = 0; i < n; i++) {
        w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
        ((unsigned char *)out)[i] = (unsigned char)(w->seed >> 33);
    }
}

static inline enum fault_code world_sleep(struct env *e, int64_t duration_ms)
{
    ((struct world *)e)->now_ms += duration_ms;
    return ((struct world *)e)->cancelled ? FAULT_CANCELLED : FAULT_NONE;
}

static inline bool world_cancelled(struct env *e)
{
    return ((struct world *)e)->cancelled;
}

static inline void world_log(struct env *e, enum log_level level, const char *line)
{
    (void)e;
    (void)level;
    (void)line;
}

static inline void world_boundary(struct env *e, const char *where)
{
    (void)e;
    (void)where;
}

static inline void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->env = (struct env){world_now, world_now, world_random, world_sleep, world_cancelled, world_log, world_boundary};
    w->now_ms = 1700000000000;
    w->seed = 1;
    snprintf(w->folder, sizeof w->folder, "/tmp/abgleich-test-XXXXXX");
    cr_assert_not_null(mkdtemp(w->folder));
    snprintf(w->path, sizeof w->path, "%s/state.db", w->folder);
}

static inline enum fault_code world_open(struct world *w, enum db_mode mode)
{
    fault_clear(&w->fault);
    return db_open(w->path, mode, &w->env, &w->db, &w->fault);
}

static inline void world_close(struct world *w)
{
    db_close(w->db);
    w->db = NULL;
}

/* A fresh state, open. */
static inline void world_start(struct world *w)
{
    world_init(w);
    cr_assert_eq(world_open(w, DB_MAY_CREATE), FAULT_NONE, "%s", w->fault.what);
}

static inline int world_unlink(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static inline void world_end(struct world *w)
{
    world_close(w);
    fault_clear(&w->fault);
    arena_free(&w->arena);
    if (w->folder[0]) nftw(w->folder, world_unlink, 16, FTW_DEPTH | FTW_PHYS);
}
#define AUTO_WORLD __attribute__((cleanup(world_end)))

/* Asserts a fault of that code whose sentence holds `words`, and forgets it. */
#define expect_fault(w, got, wanted, words)                                                                                                \
    do {                                                                                                                                   \
        enum fault_code expect_got = (got);                                                                                                \
        cr_expect_eq(expect_got, (wanted), "fault %s: %s", fault_name(expect_got), (w)->fault.what ? (w)->fault.what : "");                \
        cr_expect((w)->fault.what && strstr((w)->fault.what, (words)), "no \"%s\" in \"%s\"", (words),                                     \
                  (w)->fault.what ? (w)->fault.what : "");                                                                                 \
        fault_clear(&(w)->fault);                                                                                                          \
    } while (0)

#define expect_ok(w, got)                                                                                                                  \
    do {                                                                                                                                   \
        enum fault_code expect_got = (got);                                                                                                \
        cr_assert_eq(expect_got, FAULT_NONE, "fault %s: %s", fault_name(expect_got), (w)->fault.what ? (w)->fault.what : "");              \
    } while (0)

#define expect_str(got, wanted)                                                                                                            \
    do {                                                                                                                                   \
        struct str expect_text = (got);                                                                                                    \
        cr_expect(str_eq(expect_text, str_of(wanted)), "\"%.*s\" is not \"%s\"", STR_ARG(expect_text), (wanted) ? (wanted) : "(none)");    \
    } while (0)

/* Overwrites bytes of a file. */
static inline void file_poke(const char *path, off_t at, const void *bytes, size_t n)
{
    int fd = open(path, O_WRONLY);
    cr_assert(fd >= 0);
    cr_assert_eq(pwrite(fd, bytes, n, at), (ssize_t)n);
    close(fd);
}

static inline unsigned char file_peek(const char *path, off_t at)
{
    unsigned char byte = 0;
    int fd = open(path, O_RDONLY);
    cr_assert_eq(pread(fd, &byte, 1, at), 1);
    close(fd);
    return byte;
}

static inline void file_write(const char *path, const void *bytes, size_t n)
{
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    cr_assert(fd >= 0);
    cr_assert_eq(write(fd, bytes, n), (ssize_t)n);
    close(fd);
}

static inline off_t file_size(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_size : -1;
}

#endif
