/* What the engine remembers of each link between runs: which record of A is which of B, what each looked like when they last agreed,
 * and how far each side was read. No contact data: ids, versions and fingerprints only.
 *
 * Called by core/ (runs) and cli/ (status). A link is named by its name; side 0 is A, 1 is B (enum side of core/). Faults stick in
 * the db (state/db.h): functions that return a value return "nothing" after one. Writes belong into a transaction of the caller. */
#ifndef ABGLEICH_JOURNAL_H
#define ABGLEICH_JOURNAL_H

#include "mapping/fingerprint.h"
#include "state/db.h"
#include "state/pending.h"

enum journal_flag {
    JOURNAL_CREATED_A = 1,   /* this link created the record on A: it may delete it there */
    JOURNAL_CREATED_B = 2,
    JOURNAL_ADOPTED = 4,     /* both were there before and were matched */
    JOURNAL_DELETED_HERE = 8, /* a person deleted it in the store (A): imports skip it (contactbox 5) */
    JOURNAL_APART = 16 /* undone by a person: one side lacks it and is to lack it until the other changes (core/undo.h); both
                          fingerprints are those of the side that has it */
};

struct journal_row {
    int64_t row;              /* 0 = new: journal_put gives one */
    struct str id[2];         /* {NULL,0} = not on that side */
    struct str version[2];    /* {NULL,0} = not known */
    struct fingerprint base[2]; /* n == 0 and version == 0 = none */
    unsigned flags;
};

/* The row of an id on a side, 0 = none. */
int64_t journal_find(struct db *db, const char *link, unsigned side, struct str id);
/* The whole row, in the arena. False if not there. */
bool journal_get(struct db *db, const char *link, int64_t row, struct arena *arena, struct journal_row *out);
/* Inserts (row == 0, receives its number) or replaces. An id that another row of the link holds is a fault: FAULT_EXISTS sticks. */
enum fault_code journal_put(struct db *db, const char *link, struct journal_row *row, struct fault *f);
/* Only the version of one side changed; the content was the same. */
enum fault_code journal_set_version(struct db *db, const char *link, int64_t row, unsigned side, struct str version,
                                    struct fault *f);
enum fault_code journal_set_flags(struct db *db, const char *link, int64_t row, unsigned flags, struct fault *f);
enum fault_code journal_delete(struct db *db, const char *link, int64_t row, struct fault *f);
int64_t journal_count(struct db *db, const char *link);
/* Rows of records a person deleted here and B still has (JOURNAL_DELETED_HERE). */
int64_t journal_count_deleted(struct db *db, const char *link);
enum fault_code journal_each_deleted(struct db *db, const char *link, void (*fn)(void *ctx, int64_t row), void *ctx, struct fault *f);
/* Every row that has an id on that side; id and version borrowed for the call. 100 000 rows take about 30 ms. */
enum fault_code journal_each_version(struct db *db, const char *link, unsigned side,
                                     void (*fn)(void *ctx, int64_t row, struct str id, struct str version), void *ctx,
                                     struct fault *f);
/* Every row number, for re-fingerprinting after an upgrade and for wiping. */
enum fault_code journal_each_row(struct db *db, const char *link, void (*fn)(void *ctx, int64_t row), void *ctx,
                                 struct fault *f);
/* Forgets all rows, intents, pending records and tokens of a link (contactbox A7); remembered decisions stay. */
enum fault_code journal_wipe(struct db *db, const char *link, struct fault *f);
/* As if the link never was: the above, its decisions, holds and the name. Runs stay until they are purged. */
enum fault_code journal_forget_link(struct db *db, const char *link, struct fault *f);
/* The links that have rows or a state, by name. Strings in the arena. */
size_t journal_links(struct db *db, struct arena *arena, struct str **names);

/* Other links that feed the collection of that identity one-way. Names in the arena. */
size_t journal_feeders(struct db *db, const char *link, const char *identity_b, struct arena *arena, struct str **names);

/* How far a link is. Strings owned (link_state_free). */
struct link_state {
    bool known;             /* false: this link never ran; all else is zero */
    char *token[2];         /* NULL = list */
    char *identity[2];      /* what the collection was when last read; NULL = never */
    char *settings_hash;    /* of the last run that was let through; NULL = never */
    unsigned normaliser;    /* NORMALISER_VERSION of the fingerprints */
    bool first_run_done;
    char *mode;             /* policy_mode_key of the last run in the link's own mode; NULL = never */
    int64_t last_full_ms[2]; /* last whole listing of each side; 0 = never */
    int64_t last_run_ms;    /* end of the last run that went through */
    int64_t records[2];     /* how many each side held after the last run */
};
enum fault_code link_state_load(struct db *db, const char *link, struct link_state *out, struct fault *f);
enum fault_code link_state_save(struct db *db, const char *link, const struct link_state *s, struct fault *f);
void link_state_free(struct link_state *s);

#endif
