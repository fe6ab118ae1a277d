/* What runs did: one row a run, its operations, conflicts and problems. Written by core/run.c, printed by cli/ and server/.
 *
 * The report_* structs hold strings; those passed in are borrowed for the call, those read are in the arena. Side 0 = A, 1 = B. */
#ifndef ABGLEICH_RUNS_H
#define ABGLEICH_RUNS_H

#include "state/db.h"

struct report_counts { /* one side; the keys of --json */
    int64_t total, fresh, changed, created, updated, deleted, unchanged, skipped_deleted, invalid;
    int64_t conflict, to_delete; /* changed on both sides; there, and to go */
    int64_t filtered;            /* left out by the link's filter */
};
struct report_operation {
    unsigned op; /* enum write_kind */
    unsigned side;
    struct str title, id, rule; /* rule: msgid of the decision; id and rule may be {NULL,0} */
    struct str other;           /* the record's id on the other side; {NULL,0} = none */
    uint64_t content;           /* fingerprint_hash of what the side held afterwards; 0 = nothing, it was deleted */
    int64_t archived;           /* what it held before, in the archive; 0 = nothing, or not kept */
};
struct report_conflict {
    int64_t no;
    struct str id, contact, field, a, b; /* id: on A, or on B where A has none */
    unsigned winner; /* side */
    struct str rule; /* msgid */
    bool read;
    /* conflicts_each only */
    int64_t run, time_ms;
    struct str link;
};
enum report_problem_kind { PROBLEM_QUARANTINED, PROBLEM_AMBIGUOUS, PROBLEM_FAILED, PROBLEM_HELD };
struct report_problem {
    unsigned kind;
    unsigned side;
    struct str id_a, id_b, title, other; /* other: title of an ambiguous match's candidate */
    unsigned code;                       /* enum fault_code, 0 = none */
    struct str reason;                   /* sentence */
};
struct run_report {
    int64_t run;
    struct str name_a, name_b;              /* the sides: "contactbox:Kunden" */
    struct str link, trigger, status, plan; /* status: "done", "partial", ... ; "queued"; "running" while it runs; "interrupted" if it was killed,
                                             * which the next run of the link finds out */
    int64_t started_ms, finished_ms;        /* finished 0 = not */
    struct report_counts counts[2];
    int64_t requests, bytes_in, bytes_out;
    int64_t n_conflicts, n_problems, n_operations;
    struct str held;                        /* sentence of the guard */
    struct str fault;                       /* sentence; {NULL,0} = none */
    unsigned fault_code;
    /* runs_load only */
    struct report_operation *operations;
    struct report_conflict *conflicts;
    struct report_problem *problems;
};

/* Starts a run: its link, trigger, name_a and name_b are taken from r, r->run receives its number; where it has one, that row, queued
 * before, becomes the run's. */
enum fault_code runs_start(struct db *db, struct run_report *r, struct fault *f);
/* A row for a run that somebody else will start (state/request.h). */
enum fault_code runs_queue(struct db *db, struct run_report *r, struct fault *f);
/* May be called in batches, while the run goes on. */
enum fault_code runs_add_operation(struct db *db, int64_t run, const struct report_operation *o, struct fault *f);
/* *no (may be NULL) receives its id. */
enum fault_code runs_add_conflict(struct db *db, int64_t run, const struct report_conflict *c, int64_t *no, struct fault *f);
/* Takes one back: its write turned out not to have happened. */
enum fault_code runs_remove_conflict(struct db *db, int64_t no, struct fault *f);
enum fault_code runs_add_problem(struct db *db, int64_t run, const struct report_problem *p, struct fault *f);
/* Stores status, plan, counts, traffic, held, fault; finished_ms is now. The n_* are counted here. */
enum fault_code runs_finish(struct db *db, const struct run_report *r, struct fault *f);
/* The numbers of a link's runs that say "running". Who holds the link's lease knows that nobody runs them any more. In the arena. */
size_t runs_under_way(struct db *db, const char *link, struct arena *arena, int64_t **out);
/* A run that found nothing to do leaves only a time stamp: removes its row again. */
enum fault_code runs_drop(struct db *db, int64_t run, struct fault *f);

/* Newest first, without details; link NULL = all; limit 0 = all. In the arena. */
size_t runs_list(struct db *db, const char *link, size_t limit, struct arena *arena, struct run_report **out);
/* Everything. False if there is no such run. */
bool runs_load(struct db *db, int64_t run, struct arena *arena, struct run_report *out);
/* Conflicts of a link (NULL = all), newest first; unread_only. In the arena. */
size_t runs_conflicts(struct db *db, const char *link, bool unread_only, struct arena *arena, struct report_conflict **out);
/* One of them, in the arena; false if not there. */
bool runs_conflict_get(struct db *db, int64_t no, struct arena *arena, struct report_conflict *out);
enum fault_code runs_conflict_mark_read(struct db *db, int64_t no, struct fault *f);
enum fault_code runs_conflicts_mark_read(struct db *db, const char *link, struct fault *f); /* NULL = all */
/* `why`: operations and conflicts that concern a record id, newest first (as reports holding just those). */
size_t runs_of_record(struct db *db, struct str id, struct arena *arena, struct run_report **out);
/* Runs older than that, but for those with conflicts nobody has read. */
enum fault_code runs_purge(struct db *db, int64_t before_ms, int64_t *n, struct fault *f);

/* What waits for a person or the next run, over all links. */
struct open_matters {
    int64_t held, pending, intents, conflicts;
};
struct open_matters runs_open_matters(struct db *db);

#endif
