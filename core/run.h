/* One run of a link: gather, match, merge, plan, guard, execute, report (design.md 2). Called by the command line and by the
 * daemon's job threads; blocks its own thread only. Straight-line code: what could be pure is in match, merge, decision, guard.
 *
 * Safe at any instant: whatever the database does not say, the next run finds out by looking. */
#ifndef ABGLEICH_RUN_H
#define ABGLEICH_RUN_H

#include "connectors/connector.h"
#include "core/filter.h"
#include "core/policy.h"

struct db;

/* A link as configured, everything resolved; borrowed for the call. */
struct link {
    const char *name;
    struct account a, b;
    const char *collection_a; /* display name, last path segment or path; "" where a remote has none */
    const char *collection_b;
    struct policy policy;
    struct filter filter;
    const char *settings_hash; /* of address, user, filters: a change is held, for a typo must not look like mass deletion */
    int64_t history_ms;        /* how long losers are kept; 0 = not at all */
};

enum run_phase { PHASE_CONNECT, PHASE_LIST, PHASE_FETCH, PHASE_MATCH, PHASE_PLAN, PHASE_WRITE, PHASE_CONFIRM, PHASE_DONE };

struct run_options {
    bool check_only;           /* plan and report, change nothing */
    const char *only_plan;     /* run only if the plan has this hash, else FAULT_HELD; NULL = any */
    const char *approved_plan; /* a held plan with this hash is let through; NULL = what the database says */
    bool full_listing;         /* ignore tokens */
    int64_t undo;              /* instead of syncing: takes back this run (core/undo.h); 0 = none */
    int64_t take;              /* instead of syncing: writes the losing value of this conflict (core/take.h); 0 = none */
    bool one_time;             /* the policy is not the link's own (import): the mode it runs in stays what it was */
    bool allow_empty;          /* with only_plan: a list that is sent whole may be empty (core/push.h) */
    bool accept_warnings;      /* and may lack what its remote would need */
    bool ignore_tombstones;    /* neu-anlegen: what a person deleted here is created again (contactbox A6) */
    int64_t run;               /* the number it was queued under (state/request.h): its report is kept whatever it says; 0 = none */
    const char *trigger;       /* "command", "interval", ... for the report */
    void (*progress)(void *ctx, enum run_phase phase, size_t done, size_t total);
    void *progress_ctx;
};

/* What found a record's partner (core/match.h). */
#define RUN_MATCHES 6
const char *run_match_name(unsigned rule); /* "remembered", "uid", "name_email" ... as in --json */

enum run_status { RUN_DONE, RUN_PARTIAL, RUN_HELD, RUN_FAILED, RUN_UNCHANGED, RUN_PENDING };
const char *run_status_name(enum run_status s); /* "done", "partial", ... as in --json */

struct side_counts {
    int64_t total, fresh, changed, created, updated, deleted, unchanged, skipped_deleted, invalid;
    int64_t conflict, to_delete; /* changed on both sides; there, and to go. total = unchanged + new + changed + conflict +
                                    skipped_deleted + invalid + filtered + to_delete (contactbox 6) */
    int64_t filtered;            /* there, and left out by the link's filter */
};
struct run_conflict {
    int64_t id; /* in the database; 0 with check_only */
    char *contact, *field, *a, *b;
    bool winner_a;
    const char *rule; /* msgid */
};
struct run_problem { /* quarantined, failed or ambiguous */
    char *contact, *other; /* other: the candidate of an ambiguous match, else NULL */
    char *id_a, *id_b;     /* NULL = not there */
    bool side_a;
    uint8_t kind;          /* enum report_problem_kind of state/runs.h */
    unsigned code;         /* enum fault_code */
    char *reason;
};
struct run_operation {
    uint8_t op; /* enum write_kind */
    bool side_a;
    char *contact;
};
/* Everything one run says; strings owned. */
struct run_result {
    int64_t run; /* id in the database; 0 with check_only */
    enum run_status status;
    char plan[17]; /* first 16 hex digits of the plan's hash */
    struct side_counts a, b;
    int64_t matched[RUN_MATCHES]; /* records that had no partner before, by the rule that found it */
    struct run_conflict *conflicts;
    struct run_problem *ambiguous, *quarantined;
    struct run_operation *operations;
    size_t n_conflicts, n_ambiguous, n_quarantined, n_operations;
    char *held; /* sentence of the guard, or NULL */
    struct fault fault;
    int64_t requests, bytes_in, bytes_out, duration_ms;
};
void run_result_free(struct run_result *r);
/* Exit code of design.md section 4 for one result. */
int run_exit_code(const struct run_result *r, bool check_only);

/* Runs the link. Always fills *out (status RUN_FAILED with out->fault where it could not). FAULT_BUSY if another run of the
 * link is under way. db: this job's own connection. */
void run_link(struct db *db, struct env *env, const struct link *link, const struct run_options *options,
              struct run_result *out);

#endif
