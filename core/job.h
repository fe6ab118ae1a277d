/* The state of one run while it runs, shared by the steps run.c calls in order: gather, pair, plan, execute. Private to core/. */
#ifndef ABGLEICH_JOB_H
#define ABGLEICH_JOB_H

#include "core/guard.h"
#include "core/item.h"
#include "core/merge.h"
#include "core/run.h"
#include "state/journal.h"

struct job_side {
    const struct connector *connector;
    const struct account *account; /* = &opened */
    struct account opened;         /* the link's, and whether this run only looks */
    struct session *session;
    const struct collection *collection; /* borrowed from the session */
    struct buf identity;
    struct write_form form;
    char *new_token;  /* of this run's changes; owned */
    size_t own_writes;
    bool full;        /* this run saw a whole listing */
    bool list;        /* a whole listing is due */
    int64_t listed;   /* entries in it */
    struct side_counts *counts; /* in the result */
};

/* An intent of an earlier run, looked at in this one and closed at its end. */
struct open_intent {
    int64_t no;
    uint32_t item;
};

struct job {
    struct db *db;
    struct env *env;
    const struct link *link;
    const struct run_options *options;
    struct run_result *result;
    struct fault *fault;          /* = &result->fault */
    struct hash_key key;          /* of fingerprints, from the state */
    struct link_state state;      /* what the journal keeps of this link */
    enum policy_row policy;
    unsigned switches;            /* enum decision_switch */
    struct str *feeders;          /* other one-way links into the same B; once feeders_known */
    size_t n_feeders;
    bool feeders_known;
    enum record_kind kind;
    const char *region;
    struct job_side side[2];
    struct items items;
    struct spool *spool;
    struct open_intent *intents;
    size_t n_intents;
    uint32_t *work[2];            /* indexes of items with something to do: creates and updates, then deletes */
    size_t n_work[2];
    size_t n_writes[2];           /* planned, per side */
    size_t done, total;           /* writes, for the progress line */
    uint64_t plan_sum;            /* order-free sum of the operations' hashes */
    bool refingerprint;           /* the normaliser is another one than last time */
    int64_t pairs;                /* journal rows before the run; job_pairs() */
    const char *held;             /* sentence of the guard, in `memory` */
    bool newly_unreadable;        /* a record cannot be read that could be, or was not met before */
    unsigned round;               /* 0, then once for each time lost preconditions are planned again */
    struct arena memory;
    struct push_plan *push;       /* side B takes its list whole (push.h); NULL = record by record */
    struct amend *amend;          /* what a person wants otherwise (undo.c, take.c); NULL = an ordinary run */
};

/* Counting costs in proportion to the whole journal: asked for only where something changed. */
static inline int64_t job_pairs(struct job *job)
{
    if (job->pairs < 0) job->pairs = journal_count(job->db, job->link->name);
    return job->pairs;
}

/* gather.c: fills job->items with everything that may need something done, with the bodies needed to say so. */
enum fault_code gather(struct job *job);
/* Fetches the bodies of the items for which `need` says so. What a side does not answer makes the item `unknown`. */
enum fault_code gather_bodies(struct job *job, bool (*need)(const struct job *, const struct item *, enum side));
/* Forgets what was seen of these items and looks again at both sides (round > 0). */
enum fault_code gather_again(struct job *job);

/* classify.c: sets `seen` of both sides from bodies and journal. */
void classify(struct job *job, struct item *item);
/* The record of a side as it is now, in the arena; NULL if there is no body or it cannot be read. */
struct record *job_record(struct job *job, const struct item *item, enum side side, struct arena *arena);
/* "Özdemir, Lale": from whichever side can say, in the arena; never empty. */
struct str job_title(struct job *job, const struct item *item, struct arena *arena);

/* pair.c: joins new records of both sides that are the same, and moved ones with their journal row; marks ambiguous ones. */
enum fault_code pair_new(struct job *job);

/* narrow.c: takes out what the link's filter leaves out (filter.h). */
void narrow(struct job *job);

/* plan.c: decides each item, fetches what its action needs, fills work[], counts, hash, held. */
enum fault_code plan_build(struct job *job);
/* Reports what the plan would do (check, held). */
void plan_tell(struct job *job);

/* effect.c: what one item's decision means in writes. */
struct effect {
    struct item *item;
    struct record *before[2];  /* as it is; NULL = not there */
    struct record *sent[2];    /* as written; NULL = not written */
    struct write write[2];
    bool writes[2];
    bool skipped[2];           /* refused before, unchanged since: not sent */
    int64_t intent[2];
    struct merge_input input;  /* of merges */
    struct merge_result merged;
    struct record *after[2];   /* as confirmed */
    struct str version[2];     /* as confirmed */
    bool undeleted[2];         /* deleted, and read back all the same */
    struct str title;
    int64_t archived[2];       /* archive rows of the losers, 0 = none yet */
    int64_t apart;             /* undo: journal row marked before sending; 0 = none */
    bool told;                 /* its conflicts are in the report: conflict rows first to last */
    int64_t first_conflict, last_conflict;
    bool failed;
};
/* Makes the effect of the item's decision, all memory in the arena. Reads the journal and the spool, sends nothing.
 * An item that cannot be written gives a fault of its own record in *f (FAULT_REFUSED), and `failed`. */
void effect_make(struct job *job, struct item *item, struct arena *arena, struct effect *out, struct fault *f);
/* The order-free contribution of an effect to the plan's hash; 0 for none. */
uint64_t effect_hash(struct job *job, const struct effect *e);

/* What a run does that a person asked for record by record instead of by the decision table. */
struct amend {
    /* Makes the effect of an item with ACTION_PUT_BACK: as effect_make. */
    void (*make)(struct job *job, struct item *item, struct arena *arena, struct effect *out, struct fault *f);
    void (*free)(struct amend *amend); /* NULL = nothing to free */
    void *ctx;
};
/* undo.c and take.c: in place of gather, pair and plan. */
enum fault_code undo_plan(struct job *job);
enum fault_code take_plan(struct job *job);
/* undo.c, for both: an item that is to be put back joins the work. `late`: after creates and updates. */
void amend_add(struct job *job, struct item *item, bool late);
/* undo.c: the journal of an effect that leaves the record on one side only. Before it is sent, so that a kill leaves nothing that
 * looks like a person's deletion; taken back where the side said no; and at the end. False: both sides will have it. */
bool undo_journal(struct job *job, struct effect *e, bool before);
void undo_take_back(struct job *job, struct effect *e);

/* gather.c: the item of an id, from the journal or new. */
struct item *gather_item(struct job *job, enum side side, struct str id);

/* execute.c: carries the plan out. */
enum fault_code execute(struct job *job);

/* tell.c: what the run says, in the result and, for what was done (run > 0), in the database. */
/* Gives the run its number: from here on it is in the database. Within a transaction. */
enum fault_code tell_start(struct job *job, struct fault *f);
/* Closes the reports of runs that were killed: they tell what they did until then. Under the lease, before the job tells anything. */
enum fault_code tell_interrupted(struct job *job);
void tell_operation(struct job *job, const struct effect *e, enum side side);
/* An operation of a list that is sent whole: on side B. */
void tell_listed(struct job *job, unsigned op, struct str title, struct str id, struct str source);
void tell_conflicts(struct job *job, struct effect *e);
void tell_conflicts_off(struct job *job, const struct effect *e); /* takes them back */
void tell_problem(struct job *job, unsigned kind, const struct item *item, enum side side, struct str title, struct str other,
                  unsigned code, const char *reason);
/* Writes the problems into the database; they are kept back until then, for some are known before the run has a number. */
void tell_problems_stored(struct job *job);
void tell_progress(struct job *job, enum run_phase phase, size_t done, size_t total);

/* What the database may keep of a text about a person: nothing, where both sides are remote and no history is wanted. */
struct str job_kept(const struct job *job, struct str text);

static inline bool job_can(const struct job *job, enum side s, enum capability c)
{
    return (job->side[s].connector->capabilities & (unsigned)c) != 0;
}

#endif
