/* Leases: one holder at a time, and nothing of one that lost it. The clock is the world's; processes are real where
 * they matter. */
#include "state/lease.h"
#include "state/settings.h"
#include "tests/unit/state_fixture.h"

#include <sys/wait.h>

static struct db *open_another(struct world *w)
{
    struct db *db = NULL;
    expect_ok(w, db_open(w->path, DB_EXISTING, &w->env, &db, &w->fault));
    return db;
}

/* What a run would do: a transaction of the holder. */
static enum fault_code write_something(struct world *w, struct db *db, const char *value)
{
    enum fault_code code = db_begin(db, &w->fault);
    if (code) return code;
    setting_set(db, "written", str_of(value), &w->fault);
    return db_commit(db, &w->fault);
}

static void expect_written(struct world *w, const char *value)
{
    expect_str(setting_get(w->db, "written", &w->arena), value);
}

/* In a process of its own, which ends with the lease in its hands. */
static enum fault_code take_elsewhere(const struct world *w, const char *link)
{
    pid_t child = fork();
    if (child == 0) {
        struct world own = *w;
        struct lease *lease;
        own.db = NULL;
        if (world_open(&own, DB_EXISTING)) _exit(99);
        _exit((int)lease_take(own.db, link, &lease, NULL));
    }
    int status;
    waitpid(child, &status, 0);
    return (enum fault_code)WEXITSTATUS(status);
}

Test(lease, one_holder_over_all_processes)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    struct lease *lease, *again;
    expect_ok(&w, lease_take(w.db, "one", &lease, &w.fault));
    cr_expect_eq(take_elsewhere(&w, "one"), FAULT_BUSY);
    cr_expect_eq(take_elsewhere(&w, "two"), FAULT_NONE, "other links go on");
    struct db *other = open_another(&w);
    expect_fault(&w, lease_take(other, "one", &again, &w.fault), FAULT_BUSY, "another run of one");
    cr_expect_null(again);
    lease_release(lease);
    cr_expect_eq(take_elsewhere(&w, "one"), FAULT_NONE);
    db_close(other);
}

Test(lease, of_a_dead_process_is_free_at_once)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    cr_expect_eq(take_elsewhere(&w, "one"), FAULT_NONE);
    cr_expect_eq(take_elsewhere(&w, "one"), FAULT_NONE);
}

Test(lease, a_commit_after_losing_it_is_refused_whole)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    struct db *quick = open_another(&w), *third = open_another(&w);
    struct lease *stopped, *taken, *last;
    expect_ok(&w, lease_take(w.db, "one", &stopped, &w.fault));
    expect_ok(&w, write_something(&w, w.db, "first"));
    w.now_ms += LEASE_MS; /* it is suspended and holds its lock still */
    expect_ok(&w, lease_take(quick, "one", &taken, &w.fault));
    expect_ok(&w, write_something(&w, quick, "second"));
    expect_fault(&w, write_something(&w, w.db, "late"), FAULT_BUSY, "stood still");
    expect_written(&w, "second");
    cr_expect(lease_is_lost(stopped));
    cr_expect(lease_env(stopped)->cancelled(lease_env(stopped)));
    cr_expect_not(lease_env(taken)->cancelled(lease_env(taken)));
    expect_fault(&w, write_something(&w, w.db, "late"), FAULT_BUSY, "stood still");
    expect_fault(&w, lease_take(third, "one", &last, &w.fault), FAULT_BUSY, "another run");
    lease_release(stopped);
    expect_fault(&w, lease_take(third, "one", &last, &w.fault), FAULT_BUSY, "another run");
    expect_ok(&w, write_something(&w, quick, "third"));
    lease_release(taken);
    expect_ok(&w, lease_take(third, "one", &last, &w.fault));
    lease_release(last);
    expect_ok(&w, write_something(&w, w.db, "free"));
    db_close(quick);
    db_close(third);
}

/* Each commit, each look at `cancelled` and each nap of a live holder prolongs it. */
Test(lease, of_a_live_holder_never_ends)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    struct db *other = open_another(&w);
    struct lease *lease, *again;
    expect_ok(&w, lease_take(w.db, "one", &lease, &w.fault));
    struct env *env = lease_env(lease);
    expect_ok(&w, env->sleep_ms(env, 10 * LEASE_MS));
    cr_expect_eq(lease_take(other, "one", &again, NULL), FAULT_BUSY);
    for (int i = 0; i < 10; i++) {
        w.now_ms += LEASE_MS / 2;
        cr_expect_not(env->cancelled(env));
        cr_expect_eq(lease_take(other, "one", &again, NULL), FAULT_BUSY, "after %d looks", i);
    }
    expect_ok(&w, db_begin(w.db, &w.fault));
    w.now_ms += LEASE_MS * 2; /* a long transaction: nobody can take it over meanwhile */
    cr_expect_not(env->cancelled(env));
    expect_ok(&w, db_commit(w.db, &w.fault));
    lease_release(lease);
    db_close(other);
}

Test(lease, that_cannot_be_prolonged_cancels_in_time)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    struct db *other = open_another(&w);
    struct lease *lease;
    expect_ok(&w, lease_take(w.db, "one", &lease, &w.fault));
    struct env *env = lease_env(lease);
    expect_ok(&w, db_begin(other, &w.fault)); /* the database is in somebody's hands */
    w.now_ms += LEASE_MS / 2;
    cr_expect_not(env->cancelled(env));
    w.now_ms += LEASE_MS * 3 / 10;
    cr_expect(env->cancelled(env), "a fifth is left");
    db_rollback(other);
    cr_expect_not(env->cancelled(env), "it was still ours");
    expect_ok(&w, write_something(&w, w.db, "mine"));
    lease_release(lease);
    db_close(other);
}

Test(lease, cancelling_goes_through)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    struct lease *lease;
    expect_ok(&w, lease_take(w.db, "one", &lease, &w.fault));
    w.cancelled = true;
    cr_expect(lease_env(lease)->cancelled(lease_env(lease)));
    cr_expect_eq(lease_env(lease)->sleep_ms(lease_env(lease), 5), FAULT_CANCELLED);
    lease_release(lease);
}
