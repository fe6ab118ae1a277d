#include "cli/daemon_job.h"

#include "state/request.h"

/* Whose account a fault concerns. */
static int side_of(const struct fault *f, const struct link *link)
{
    if (!f->side) return -1;
    return strcmp(f->side, link->a.name) == 0 ? 0 : strcmp(f->side, link->b.name) == 0 ? 1 : -1;
}

/* Else it still is to be: somebody else has the link just now, or the daemon is being stopped. */
static bool was_run(enum fault_code code)
{
    return code != FAULT_BUSY && code != FAULT_CANCELLED;
}

static struct scheduled_outcome run_opened(struct db *db, struct env *env, const struct link *link,
                                           enum scheduled_cause cause, struct daemon_counts *counts)
{
    struct run_result result;
    int64_t asked = request_of(db, link->name);
    const struct run_options options = {
        .trigger = asked ? scheduled_cause_name(CAUSE_REQUEST) : scheduled_cause_name(cause), .run = asked};
    run_link(db, env, link, &options, &result);
    daemon_counts_add(counts, &result);
    struct buf text AUTO_BUF = BUF_INIT;
    fault_text(&result.fault, &text);
    if (result.status != RUN_UNCHANGED)
        env_logf(env, result.fault.code ? LOG_WARNING : LOG_INFO,
                 "event=run link=%s run=%lld status=%s a=+%lld~%lld-%lld b=+%lld~%lld-%lld fault=%s", link->name,
                 (long long)result.run, run_status_name(result.status), (long long)result.a.created,
                 (long long)result.a.updated, (long long)result.a.deleted, (long long)result.b.created,
                 (long long)result.b.updated, (long long)result.b.deleted,
                 result.fault.code ? fault_name(result.fault.code) : "none");
    struct scheduled_outcome outcome = {result.fault.code, result.fault.retry_after_ms, side_of(&result.fault, link)};
    if (!outcome.code && result.status == RUN_PARTIAL) outcome.code = FAULT_REFUSED;
    if (asked && was_run(outcome.code)) request_close(db, link->name, asked, &result.fault);
    run_result_free(&result);
    return outcome;
}

struct scheduled_outcome daemon_job_run(const struct config *config, enum log_level level, const char *name,
                                        enum scheduled_cause cause, struct gate *gate, struct daemon_counts *counts,
                                        const volatile int *cancel)
{
    struct env_system system;
    env_system_init(&system, level, cancel);
    const struct config_link *link = config_link(config, name);
    if (!link || !config_link_is_on(link)) return (struct scheduled_outcome){FAULT_NONE, 0, -1};
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct db *db = NULL;
    struct link opened = {0};
    struct scheduled_outcome outcome = {db_open(config->state, DB_MAY_CREATE, &system.env, &db, &f), 0, -1};
    if (!outcome.code) outcome.code = config_link_open(link, db, &opened, &f);
    opened.a.gate = opened.b.gate = gate;
    if (outcome.code) outcome.side = side_of(&f, &opened);
    if (outcome.code)
        env_logf(&system.env, LOG_ERROR, "event=not_started link=%s fault=%s", name, fault_name(outcome.code));
    else
        outcome = run_opened(db, &system.env, &opened, cause, counts);
    config_link_wipe(&opened);
    db_close(db);
    return outcome;
}
