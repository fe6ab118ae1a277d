#include "state/lease.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "state/lock.h"

#include <stdlib.h>
#include <unistd.h>

struct lease {
    struct env env; /* what the holder sees; first, so that it leads back here */
    struct env *under;
    struct db *db;
    struct lock *lock; /* NULL: taken over from a process that still has it */
    struct db_fence fence;
};

/* -- the environment -- */

static struct lease *lease_of(struct env *e)
{
    return (struct lease *)e;
}

static int64_t age_ms(const struct lease *l)
{
    return l->under->monotonic_ms(l->under) - l->fence.renewed_ms;
}

/* A commit of nothing renews. If it fails, time goes on and the holder stops in time; nothing else depends on it. */
static void renew(struct lease *l)
{
    struct fault ignored AUTO_FAULT = FAULT_INIT;
    if (db_in_transaction(l->db)) {
        db_prove(l->db);
        return;
    }
    if (db_check(l->db, NULL) || db_begin(l->db, &ignored)) return;
    db_commit(l->db, &ignored);
}

static bool is_over(struct lease *l)
{
    if (l->fence.lost) return true;
    if (age_ms(l) >= LEASE_MS / 3) renew(l);
    return l->fence.lost || age_ms(l) >= LEASE_MS / 5 * 4;
}

static int64_t now_ms(struct env *e)
{
    return lease_of(e)->under->now_ms(lease_of(e)->under);
}

static int64_t monotonic_ms(struct env *e)
{
    return lease_of(e)->under->monotonic_ms(lease_of(e)->under);
}

static void random_bytes(struct env *e, void *out, size_t n)
{
    lease_of(e)->under->random(lease_of(e)->under, out, n);
}

/* In pieces that the lease outlives. */
static enum fault_code sleep_ms(struct env *e, int64_t duration_ms)
{
    struct lease *l = lease_of(e);
    enum fault_code code = FAULT_NONE;
    while (!code && duration_ms > 0) {
        int64_t piece = duration_ms < LEASE_MS / 4 ? duration_ms : LEASE_MS / 4;
        duration_ms -= piece;
        code = l->under->sleep_ms(l->under, piece);
        if (!code && is_over(l)) code = FAULT_CANCELLED;
    }
    return code;
}

static bool cancelled(struct env *e)
{
    struct lease *l = lease_of(e);
    return l->under->cancelled(l->under) || is_over(l);
}

static void log_line(struct env *e, enum log_level level, const char *line)
{
    lease_of(e)->under->log(lease_of(e)->under, level, line);
}

static void boundary(struct env *e, const char *where)
{
    lease_of(e)->under->boundary(lease_of(e)->under, where);
}

struct env *lease_env(struct lease *lease)
{
    return &lease->env;
}

bool lease_is_lost(const struct lease *lease)
{
    return lease->fence.lost;
}

/* -- taking and giving back -- */

static void owner_text(struct buf *out)
{
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    buf_addf(out, "%ld@%s", (long)getpid(), host);
}

/* Free is what ran out, and what was held by a lock that we have now: its holder is dead. */
static int64_t take_row(struct lease *l)
{
    struct buf owner AUTO_BUF = BUF_INIT;
    int64_t now = l->under->now_ms(l->under);
    owner_text(&owner);
    struct query *q = query_begin(l->db, QUERY_LEASE_TAKE);
    bind_int(q, 1, l->fence.link);
    bind_text(q, 2, buf_str(&owner));
    bind_int(q, 3, now + LEASE_MS);
    bind_int(q, 4, l->lock != NULL);
    bind_int(q, 5, now);
    int64_t fence = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    return fence;
}

static enum fault_code take(struct lease *l, const char *link, struct fault *f)
{
    enum fault_code code = db_begin(l->db, f);
    if (code) return code;
    l->fence.link = db_name_number(l->db, link, true);
    l->fence.fence = take_row(l);
    code = db_commit(l->db, f);
    if (code || l->fence.fence) return code;
    return fault_set(f, FAULT_BUSY, _("try again when it has ended"), _("another run of %s is under way"), link);
}

enum fault_code lease_take(struct db *db, const char *link, struct lease **out, struct fault *f)
{
    *out = NULL;
    struct lease *l = mem_calloc(1, sizeof *l);
    struct fault busy AUTO_FAULT = FAULT_INIT;
    l->env = (struct env){now_ms, monotonic_ms, random_bytes, sleep_ms, cancelled, log_line, boundary};
    l->under = db_env(db);
    l->db = db;
    l->fence.keep_ms = LEASE_MS;
    l->fence.renewed_ms = l->under->monotonic_ms(l->under);
    enum fault_code code = lock_link(db, link, &l->lock, &busy);
    if (code && code != FAULT_BUSY)
        fault_copy(f, &busy);
    else
        code = take(l, link, f);
    if (code) {
        lock_release(l->lock);
        free(l);
        return code;
    }
    if (!l->lock)
        env_logf(l->under, LOG_WARNING, "event=lease_taken_over link=%s fence=%lld", link, (long long)l->fence.fence);
    db_guard(db, &l->fence);
    *out = l;
    return FAULT_NONE;
}

/* Where the lock is ours its end says it all, and a commit is saved. */
static void end_row(struct lease *l)
{
    struct fault ignored AUTO_FAULT = FAULT_INIT;
    if (l->lock || l->fence.lost || db_begin(l->db, &ignored)) return;
    struct query *q = query_begin(l->db, QUERY_LEASE_END);
    bind_int(q, 1, l->fence.link);
    bind_int(q, 2, l->fence.fence);
    query_run(q);
    db_commit(l->db, &ignored);
}

void lease_release(struct lease *l)
{
    if (!l) return;
    db_guard(l->db, NULL);
    end_row(l);
    lock_release(l->lock);
    free(l);
}

void lease_cleanup(struct lease **lease)
{
    lease_release(*lease);
    *lease = NULL;
}
