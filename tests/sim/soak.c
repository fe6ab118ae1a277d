#include "tests/sim/soak.h"

#include "state/store.h"
#include "tests/sim/sim.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define MINUTES 60
#define INTERVAL 5
#define WARM 20  /* caches are full by then */
#define QUIET 50 /* nobody writes any more; one interval later all has converged */
#define GROWTH_PERCENT 5

struct soak {
    struct world *home;   /* its database and clock are everybody's */
    struct world *others; /* one made server each */
    size_t n;
    unsigned failed;
    long writes, late_writes, runs;
};

/* Of the program's heap: the made servers live in shared memory and do not count. */
static long heap_kib(void)
{
    char line[200];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "RssAnon: %ld", &kib) == 1) break;
    if (f) fclose(f);
    return kib;
}

static int open_files(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d)) n++;
    if (d) closedir(d);
    return n;
}

static void expect(struct soak *s, bool good, const char *what)
{
    if (!good) fprintf(stderr, "FAIL soak: %s\n", what);
    s->failed += !good;
}

static void furnish(struct soak *s, size_t i)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct book book;
    struct world *w = &s->others[i];
    w->seed = i;
    w->random = i * 0x2545f4914f6cdd1du + 1;
    w->env = s->home->env;
    w->db = s->home->db;
    w->calm = true;
    w->habits = (struct habits){.etags = ETAG_STRONG,
                                .rewriting = (uint8_t)(i % REWRITE_MODES),
                                .tokens = i % 3 != 0,
                                .tells_put_version = i % 2};
    char *name = arena_printf(&arena, "Book %zu", i);
    db_begin(w->db, &f);
    if (book_add(w->db, str_of(name), RECORD_CONTACT, &arena, &book, &f)) abort();
    db_commit(w->db, &f);
    snprintf(w->book, sizeof w->book, "%.*s", STR_ARG(book.id));
    users_populate(w);
}

/* Returns how much it wrote. */
static size_t sync_one(struct soak *s, size_t i)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct world *w = &s->others[i];
    struct link link = {.name = arena_printf(&arena, "soak-%zu", i),
                        .a = {.name = "contactbox", .connector = "contactbox", .region = "DE", .state = w->db},
                        .b = {.name = "server", .connector = "simserver", .region = "DE", .state = w},
                        .collection_a = arena_printf(&arena, "Book %zu", i),
                        .collection_b = "kunden",
                        .policy = POLICY_INIT,
                        .settings_hash = "",
                        .history_ms = 30 * 86400000LL};
    const struct run_options options = {.trigger = "interval"};
    struct run_result r;
    run_link(w->db, &s->home->env, &link, &options, &r);
    struct buf text AUTO_BUF = BUF_INIT;
    fault_text(&r.fault, &text);
    if (r.status == RUN_FAILED || r.status == RUN_HELD) {
        fprintf(stderr, "FAIL soak: %s: %s %s %s\n", link.name, run_status_name(r.status), buf_cstr(&text),
                r.held ? r.held : "");
        s->failed++;
    }
    size_t n = r.n_operations;
    s->runs++;
    run_result_free(&r);
    return n;
}

static void minute(struct soak *s, int t)
{
    for (size_t i = (size_t)t % INTERVAL; i < s->n; i += INTERVAL) {
        struct world *w = &s->others[i];
        for (int side = 0; side < 2; side++)
            if (t < QUIET && chance(w, 200)) user_acts(w, side);
        size_t n = sync_one(s, i);
        s->writes += (long)n;
        if (t >= QUIET + INTERVAL) s->late_writes += (long)n;
    }
    s->home->now_ms += 60000;
}

int soak_main(const char *folder, size_t accounts, bool verbose)
{
    struct soak s = {.home = world_new(folder, 1, false), .n = accounts};
    size_t bytes = accounts * sizeof *s.others;
    s.others = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (s.others == MAP_FAILED) abort();
    for (size_t i = 0; i < accounts; i++) furnish(&s, i);
    long heap = 0;
    int files = 0;
    for (int t = 0; t < MINUTES; t++) {
        if (t == WARM) heap = heap_kib(), files = open_files();
        minute(&s, t);
        if (verbose)
            fprintf(stderr, "minute %d: %ld writes, heap %ld KiB, %d files\n", t, s.writes, heap_kib(), open_files());
    }
    long heap_end = heap_kib();
    int files_end = open_files();
    printf("%zu accounts, %ld runs, %ld writes; heap %ld KiB after %d minutes, %ld KiB after %d; files %d, %d; writes "
           "after convergence %ld\n",
           accounts, s.runs, s.writes, heap, WARM, heap_end, MINUTES, files, files_end, s.late_writes);
    expect(&s, s.writes > (long)accounts, "it hardly did anything");
    expect(&s, heap_end * 100 <= heap * (100 + GROWTH_PERCENT), "memory grows");
    expect(&s, files_end == files, "files stay open");
    expect(&s, s.late_writes == 0, "it writes after all has converged");
    munmap(s.others, bytes);
    world_free(s.home);
    printf("soak: %d passed, %u failed\n", s.failed ? 0 : 1, s.failed);
    return s.failed != 0;
}
