/* abgleich-sim [--first SEED] [--seeds N] [-v]: runs worlds and prints "N passed, M failed".
 * abgleich-sim --modes FILE [-v]: the mode table instead. abgleich-sim --soak ACCOUNTS [-v]: an hour of many. */
#include "tests/sim/modes.h"
#include "tests/sim/soak.h"

#include "connectors/registry.h"
#include "core/guard.h"
#include "mapping/fingerprint.h"
#include "state/pending.h"
#include "state/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEPS 60
#define ROUNDS 5

/* In place of the registry: the store, and our server. */
const struct connector *connector_by_name(const char *name)
{
    if (strcmp(name, "contactbox") == 0) return &connector_contactbox;
    if (strcmp(name, "farbook") == 0) return &connector_far_book;
    if (strcmp(name, "simcloud") == 0) return &connector_simcloud;
    return strcmp(name, "simserver") == 0 ? &connector_simserver : NULL;
}

static struct link link_of(struct world *w)
{
    struct link link = {.name = "sim",
                        .a = {.name = "contactbox", .connector = "contactbox", .region = "DE", .state = w->db},
                        .b = {.name = "server", .connector = "simserver", .region = "DE", .state = w},
                        .collection_a = "Kunden",
                        .collection_b = "kunden",
                        .policy = POLICY_INIT,
                        .settings_hash = "",
                        .history_ms = 30 * 86400000LL};
    if (w->habits.far) link.a = (struct account){.name = "far", .connector = "farbook", .region = "DE", .state = w};
    if (w->habits.unconditional) link.b.connector = "simcloud";
    if (has_no_history(w)) link.history_ms = 0;
    link.policy.authority = w->seed % 2 ? AUTHORITY_SERVER : AUTHORITY_CONTACTBOX;
    return link;
}

/* P6: while the server pretends to be empty, nobody has approved that this side is emptied, too. */
static void check_guarded(struct world *w, const struct run_result *r)
{
    size_t deletes = 0;
    for (size_t i = 0; i < r->n_operations; i++) deletes += r->operations[i].side_a && r->operations[i].op == WRITE_DELETE;
    if (w->lied_in_run == w->runs && r->status != RUN_HELD && deletes >= GUARD_EMPTY_MIN)
        violation(w, "P6: %zu deletes on A though B only seemed empty", deletes);
}

static void approve(struct world *w, const char *plan)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    db_begin(w->db, &f);
    held_approve(w->db, "sim", plan, &f);
    db_commit(w->db, &f);
}

static void all_is_sure(struct world *w)
{
    for (size_t i = 0; i < w->n_cards; i++) w->cards[i].unsure = false;
    for (size_t i = 0; i < w->n_persons; i++) w->persons[i].unsure = false;
}

/* Where no past is kept the report of the run is the only place a losing value stands in. */
static void take_note_of(struct world *w, const struct run_result *r)
{
    for (size_t i = 0; i < r->n_conflicts; i++)
        for (size_t t = 0; t < w->n_tokens; t++)
            if (body_has(r->conflicts[i].a, w->tokens[t].text) || body_has(r->conflicts[i].b, w->tokens[t].text))
                w->tokens[t].reported = true;
}

static void add_to_trace(struct world *w, const void *bytes, size_t n)
{
    static const struct hash_key key = {{3, 4}};
    const uint64_t link[] = {w->trace, hash_bytes(&key, bytes, n)};
    w->trace = hash_bytes(&key, link, sizeof link);
}

static void trace_run(struct world *w, const struct run_result *r)
{
    const int64_t numbers[] = {r->status, (int64_t)r->n_operations, (int64_t)r->n_conflicts, (int64_t)r->n_quarantined, w->now_ms};
    add_to_trace(w, numbers, sizeof numbers);
    add_to_trace(w, r->plan, strlen(r->plan));
}

/* A run that lost its link fails. */
static void check_late(struct world *w, const struct run_result *r)
{
    bool went_on = r->status == RUN_DONE || r->status == RUN_UNCHANGED; /* (what is held is held, whoever says so) */
    if (w->taken_over && went_on) violation(w, "a run whose link was taken over ended as \"%s\"", run_status_name(r->status));
    w->taken_over = false;
}

/* Returns the number of writes; -1 where the run failed or was held. undo: a run to take back, 0 = sync. *run receives its number. */
static long run_with(struct world *w, int64_t undo, int64_t *run)
{
    struct link link = link_of(w);
    const struct run_options options = {.trigger = "sim", .undo = undo};
    struct run_result result;
    bool was_in_run = w->in_run;
    w->runs++;
    w->in_run = true;
    run_link(w->db, &w->env, &link, &options, &result);
    w->in_run = was_in_run;
    struct buf text AUTO_BUF = BUF_INIT;
    fault_text(&result.fault, &text);
    note(w, "run %llu: %s, %zu operations, %zu conflicts, %zu problems, %zu ambiguous %s %s", (unsigned long long)w->runs,
         run_status_name(result.status), result.n_operations, result.n_conflicts, result.n_quarantined, result.n_ambiguous,
         buf_cstr(&text), result.held ? result.held : "");
    for (size_t i = 0; i < result.n_operations; i++)
        note(w, "  op %d on %s: %s", result.operations[i].op, result.operations[i].side_a ? "A" : "B", result.operations[i].contact);
    for (size_t i = 0; i < result.n_quarantined; i++)
        note(w, "  problem %s: %s", result.quarantined[i].contact, result.quarantined[i].reason);
    for (size_t i = 0; i < result.n_conflicts; i++)
        note(w, "  conflict %s: %s | %s", result.conflicts[i].contact, result.conflicts[i].a, result.conflicts[i].b);
    if (result.fault.code == FAULT_STATE || result.fault.code == FAULT_INTERNAL) violation(w, "the run broke: %s", buf_cstr(&text));
    if (!w->in_rival) check_late(w, &result);
    if (result.status != RUN_FAILED) check_counts(w, &result);
    check_guarded(w, &result);
    if (w->calm && result.n_ambiguous) violation(w, "ambiguous: %s", result.ambiguous[0].contact);
    long n = result.status == RUN_DONE || result.status == RUN_UNCHANGED ? (long)result.n_operations : -1;
    if (w->moved_away && result.status != RUN_HELD) violation(w, "P6: another server than before, and nobody has approved this plan");
    if (w->calm && !w->moved_away && result.status == RUN_HELD) approve(w, result.plan);
    if ((result.status == RUN_DONE || result.status == RUN_UNCHANGED) && !pending_count(w->db, "sim")) all_is_sure(w);
    trace_run(w, &result);
    if (has_no_history(w)) take_note_of(w, &result);
    if (result.status == RUN_DONE || result.status == RUN_UNCHANGED) w->move_untold = false;
    w->synced |= result.status == RUN_DONE || result.status == RUN_UNCHANGED;
    if (run) *run = result.run;
    run_result_free(&result);
    return n;
}

static long run_once(struct world *w)
{
    return run_with(w, 0, NULL);
}

bool run_as_rival(struct world *w)
{
    struct link link = link_of(w);
    const struct run_options options = {.trigger = "rival"};
    struct run_result result;
    w->runs++;
    run_link(w->db, &w->env, &link, &options, &result);
    bool refused = result.fault.code == FAULT_BUSY;
    note(w, "rival: %s, %zu operations", run_status_name(result.status), result.n_operations);
    if (has_no_history(w)) take_note_of(w, &result);
    if (refused && result.n_operations) violation(w, "a run that was refused wrote something");
    run_result_free(&result);
    return refused;
}

/* A run in a process of its own, which ends at some boundary as if by kill -9. */
static void run_and_die(struct world *w, int64_t undo)
{
    world_close_db(w);
    w->crash_in = 1 + (int)pick(w, 60);
    fflush(stderr);
    pid_t child = fork();
    if (child == 0) {
        world_open_db(w);
        run_with(w, undo, NULL);
        world_close_db(w);
        _exit(0);
    }
    int status;
    if (waitpid(child, &status, 0) != child) abort();
    bool died = WIFEXITED(status) && WEXITSTATUS(status) == CRASHED;
    if (!died && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) violation(w, "the run ended with status %x", (unsigned)status);
    w->crash_in = 0;
    for (size_t i = 0; died && i < w->n_cards; i++) w->cards[i].unsure |= w->cards[i].made_in_run == w->runs;
    note(w, died ? "run: died" : "run: lived");
    world_open_db(w);
}

/* Time goes on; or the wall clock is set: a little back, a day back or on, past the end of 32 bits, right again. */
static void clock_jumps(struct world *w)
{
    static const int64_t settings_ms[] = {-5000, -86400000LL, 86400000LL, 12LL * 366 * 86400000LL, 0};
    uint32_t which = pick(w, 8);
    if (which < 3) w->now_ms += 86400000LL * which;
    else
        w->wall_ms = settings_ms[which - 3];
}

static void step(struct world *w)
{
    uint32_t what = pick(w, 100);
    if (what < 38) user_acts(w, true);
    else if (what < 76)
        user_acts(w, false);
    else if (what < 78)
        clock_jumps(w);
    else if (chance(w, w->habits.crashes))
        run_and_die(w, 0);
    else
        run_once(w);
    if (what >= 78) oracle_always(w);
}

static void settle(struct world *w)
{
    w->calm = true;
    note(w, "-- calm --");
    long n = -1;
    for (int i = 0; i < ROUNDS && n != 0; i++) n = run_once(w);
    if (n != 0) violation(w, "P5: still writing or failing after %d quiet runs (%ld)", ROUNDS, n);
    w->now_ms += 2 * 86400000LL; /* a full listing finds nothing to do either */
    n = run_once(w);
    if (n != 0) violation(w, "P5: a full listing after convergence made %ld writes", n);
    oracle_settled(w);
}

/* Both sides as they are, order-free: what an undo must bring back. */
struct sums {
    uint64_t side[2];
};

static void add_to_sum(uint64_t *sum, struct str id, struct str body)
{
    static const struct hash_key key = {{1, 2}};
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct fault why AUTO_FAULT = FAULT_INIT;
    const struct record *r = record_parse(&arena, RECORD_CONTACT, body, &key, &why);
    struct fingerprint fp = r ? fingerprint_of(&arena, r) : (struct fingerprint){0};
    *sum += (hash_str(&key, id) * 31) ^ (r ? fingerprint_hash(&fp) : hash_str(&key, body));
}

static bool add_stored(void *ctx, const struct store_record *r)
{
    add_to_sum(ctx, r->id, r->body);
    return true;
}

static struct sums sums_of(struct world *w)
{
    struct sums sums = {{0, 0}};
    struct fault f AUTO_FAULT = FAULT_INIT;
    store_each(w->db, str_of(w->book), add_stored, &sums.side[SIDE_A], &f);
    for (size_t i = 0; i < w->n_cards; i++)
        if (w->cards[i].there) /* what comes back to a server that names it itself has another name */
            add_to_sum(&sums.side[SIDE_B], w->habits.names_itself ? STR("") : str_of(w->cards[i].id), str_of(w->cards[i].body));
    return sums;
}

static void expect_sums(struct world *w, const struct sums *then, const char *when)
{
    struct sums now = sums_of(w);
    for (int s = 0; s < 2; s++)
        if (now.side[s] != then->side[s]) violation(w, "%s, side %c is not as it was", when, 'A' + s);
}

/* What was approved is that plan and no other: people go on, the plan grows stale, and is held again. */
static void hold_stale(struct world *w)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct held held;
    struct sums before = sums_of(w);
    w->moved_away = true;
    run_once(w);
    expect_sums(w, &before, "P6: held");
    if (held_get(w->db, "sim", &arena, &held)) approve(w, arena_printf(&arena, "%.*s", STR_ARG(held.plan)));
    user_creates_there(w);
    before = sums_of(w);
    run_once(w);
    expect_sums(w, &before, "P6: held again");
    w->moved_away = false;
    if (run_once(w) < 0) violation(w, "a held plan that is not needed any more stops the link");
}

/* When all is quiet: users act, a run carries it over, the undo puts back what it wrote, and the next runs find nothing to do. Undoing
 * the undo makes it so again. */
static void take_back(struct world *w)
{
    int64_t run = 0, undo = 0;
    if (has_no_history(w)) return;
    w->habits.users_in_runs = false;
    for (int i = 0; i < 6; i++) user_acts(w, i % 2);
    struct sums before = sums_of(w);
    if (run_with(w, 0, &run) < 0 || !run) return;
    struct sums after = sums_of(w);
    bool whole = chance(w, 500);
    if (!whole) run_and_die(w, run);
    if (run_with(w, run, &undo) < 0) violation(w, "undo: run %lld could not be taken back", (long long)run);
    expect_sums(w, &before, "undo: after it");
    if (w->habits.far) { /* the run after an undo may look once more at what only one of two remotes has; it writes nothing */
        run_once(w);
        expect_sums(w, &before, "undo: after looking again");
    }
    long n = run_once(w);
    if (n) violation(w, "undo: the run after it made %ld writes", n);
    w->now_ms += 2 * 86400000LL;
    n = run_once(w);
    if (n) violation(w, "undo: a full listing after it made %ld writes", n);
    if (!whole || !undo) return;
    if (run_with(w, undo, NULL) < 0) violation(w, "undo: the undo could not be undone");
    expect_sums(w, &after, "undo: after undoing it");
    n = run_once(w);
    if (n) violation(w, "undo: the run after the undone undo made %ld writes", n);
    oracle_always(w);
}

static bool run_world(const char *folder, uint64_t seed, bool verbose, uint64_t *trace)
{
    struct world *w = world_new(folder, seed, verbose);
    note(w, "seed %llu: etags %d, rewriting %d, tokens %d, bodies %d, faults %u, crashes %u, lies %u, late %d, renames %d, unconditional %d",
         (unsigned long long)seed,
         w->habits.etags, w->habits.rewriting, w->habits.tokens, w->habits.bodies_in_listing, w->habits.faults, w->habits.crashes,
         w->habits.lies, w->habits.late, w->habits.renames, w->habits.unconditional);
    users_populate(w);
    for (int i = 0; i < STEPS && !w->violations; i++) step(w);
    if (!w->violations) settle(w);
    if (!w->violations) hold_stale(w);
    if (!w->violations) take_back(w);
    struct sums end = sums_of(w);
    add_to_trace(w, &end, sizeof end);
    bool good = !w->violations;
    *trace = w->trace;
    world_free(w);
    return good;
}

/* One in a hundred twice: a failing seed is worth nothing if it does not replay. */
static bool run_seed(const char *folder, uint64_t seed, bool verbose)
{
    uint64_t first, second;
    bool good = run_world(folder, seed, verbose, &first);
    if (!good || seed % 100) return good;
    run_world(folder, seed, false, &second);
    if (first != second) fprintf(stderr, "seed %llu: the second time it goes otherwise\n", (unsigned long long)seed);
    return first == second;
}

int main(int argc, char **argv)
{
    unsigned long long first = 1, seeds = 100;
    bool verbose = false;
    const char *modes = NULL;
    size_t accounts = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-v") == 0) verbose = true;
        else if (strcmp(argv[i], "--first") == 0 && i + 1 < argc)
            first = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--seeds") == 0 && i + 1 < argc)
            seeds = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--modes") == 0 && i + 1 < argc)
            modes = argv[++i];
        else if (strcmp(argv[i], "--soak") == 0 && i + 1 < argc)
            accounts = strtoull(argv[++i], NULL, 10);
    }
    char folder[] = "/dev/shm/abgleich-sim-XXXXXX";
    if (!mkdtemp(folder)) return 2;
    if (modes || accounts) {
        int code = modes ? modes_main(folder, modes, verbose) : soak_main(folder, accounts, verbose);
        rmdir(folder);
        return code;
    }
    unsigned long long failed = 0;
    for (unsigned long long s = first; s < first + seeds; s++) failed += !run_seed(folder, s, verbose);
    rmdir(folder);
    printf("simulator: %llu passed, %llu failed\n", seeds - failed, failed);
    return failed != 0;
}
