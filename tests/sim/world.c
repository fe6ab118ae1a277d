#include "tests/sim/sim.h"

#include "state/store.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* -- chance: one stream for the world, one for the program's own random numbers -- */

static uint64_t next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint32_t pick(struct world *w, uint32_t n)
{
    return n ? (uint32_t)(next(&w->random) >> 33) % n : 0;
}

bool chance(struct world *w, unsigned per_thousand)
{
    return pick(w, 1000) < per_thousand;
}

/* -- the environment -- */

static struct world *world_of(struct env *e)
{
    return (struct world *)((char *)e - offsetof(struct world, env));
}

static int64_t monotonic(struct env *e)
{
    return world_of(e)->now_ms += 3;
}

static int64_t now(struct env *e)
{
    return monotonic(e) + world_of(e)->wall_ms;
}

static void random_bytes(struct env *e, void *out, size_t n)
{
    for (size_t i = 0; i < n; i++) ((unsigned char *)out)[i] = (unsigned char)(next(&world_of(e)->env_random) >> 56);
}

static enum fault_code sleep_for(struct env *e, int64_t duration_ms)
{
    world_of(e)->now_ms += duration_ms;
    return FAULT_NONE;
}

static bool cancelled(struct env *e)
{
    (void)e;
    return false;
}

static void log_line(struct env *e, enum log_level level, const char *line)
{
    if (world_of(e)->verbose && level <= LOG_INFO) fprintf(stderr, "    log %s\n", line);
}

static void boundary(struct env *e, const char *where)
{
    struct world *w = world_of(e);
    if (!w->crash_in || --w->crash_in) return;
    if (w->verbose) fprintf(stderr, "  dies at \"%s\"\n", where);
    _exit(CRASHED);
}

/* -- telling -- */

void note(struct world *w, const char *fmt, ...)
{
    if (!w->verbose) return;
    va_list ap;
    va_start(ap, fmt);
    fputs("  ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
}

void violation(struct world *w, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "seed %llu: ", (unsigned long long)w->seed);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    w->violations++;
}

/* -- the database -- */

static void must(enum fault_code code, struct fault *f)
{
    if (!code) return;
    struct buf text AUTO_BUF = BUF_INIT;
    fault_text(f, &text);
    fprintf(stderr, "simulator: %s\n", buf_cstr(&text));
    abort();
}

void world_open_db(struct world *w)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    must(db_open(w->db_path, DB_EXISTING, &w->env, &w->db, &f), &f);
}

void world_close_db(struct world *w)
{
    db_close(w->db);
    w->db = NULL;
}

static void make_db(struct world *w)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct book book;
    must(db_open(w->db_path, DB_MAY_CREATE, &w->env, &w->db, &f), &f);
    must(db_begin(w->db, &f), &f);
    must(book_add(w->db, STR("Kunden"), RECORD_CONTACT, &arena, &book, &f), &f);
    must(db_commit(w->db, &f), &f);
    snprintf(w->book, sizeof w->book, "%.*s", STR_ARG(book.id));
}

bool has_no_history(const struct world *w)
{
    return w->habits.far && w->seed % 8 == 0;
}

static void choose_habits(struct world *w)
{
    struct habits *h = &w->habits;
    h->etags = pick(w, 2) ? ETAG_STRONG : (uint8_t)pick(w, ETAG_MODES);
    h->rewriting = (uint8_t)pick(w, REWRITE_MODES);
    h->tokens = chance(w, 700);
    h->bodies_in_listing = chance(w, 500);
    h->tells_put_version = chance(w, 600);
    h->users_in_runs = h->etags != ETAG_MISSING && h->tells_put_version && chance(w, 500);
    h->faults = chance(w, 600) ? 10 + pick(w, 120) : 0;
    h->crashes = chance(w, 600) ? 100 + pick(w, 500) : 0;
    h->lies = chance(w, 200) ? 100 : 0;
    h->far = w->seed % 4 == 0;
    h->rivals = h->etags == ETAG_STRONG && !h->lies && chance(w, 300);
    if (has_no_history(w)) h->crashes = 0; /* a report that dies with its run is one nobody reads, and it is kept nowhere */
    h->names_itself = w->seed % 4 == 1; /* drawn by no number, so that no other seed changes */
    lossy_choose(w);
}

struct world *world_new(const char *folder, uint64_t seed, bool verbose)
{
    struct world *w = mmap(NULL, sizeof *w, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (w == MAP_FAILED) abort();
    w->seed = seed;
    w->random = seed * 0x2545f4914f6cdd1du + 1;
    w->env_random = seed + 77;
    w->now_ms = 1767225600000;
    w->verbose = verbose;
    w->env = (struct env){now, monotonic, random_bytes, sleep_for, cancelled, log_line, boundary};
    snprintf(w->db_path, sizeof w->db_path, "%s/sim.db", folder);
    choose_habits(w);
    make_db(w);
    return w;
}

static void remove_file(const char *path, const char *suffix)
{
    struct buf name AUTO_BUF = BUF_INIT;
    buf_addf(&name, "%s%s", path, suffix);
    unlink(buf_cstr(&name));
}

void world_free(struct world *w)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock", ".key", "-journal"};
    world_close_db(w);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) remove_file(w->db_path, suffixes[i]);
    munmap(w, sizeof *w);
}
