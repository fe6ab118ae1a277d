/* What a link still owes: writes whose outcome is unknown (intents), records to look at again (pending), matches a person has to
 * decide (reviews) and did decide (decisions), and the plan a guard stopped (held).
 *
 * Called by core/ and cli/. Conventions of state/journal.h: side 0 = A, 1 = B; faults stick; callbacks get borrowed strings and
 * must not write to the tables being read (collect first). */
#ifndef ABGLEICH_PENDING_H
#define ABGLEICH_PENDING_H

#include "state/db.h"

/* One write about to be sent. Committed before, closed with the outcome. */
struct intent {
    int64_t no;            /* set by intent_add */
    unsigned side;         /* where it goes to */
    unsigned kind;         /* enum write_kind */
    struct str id;         /* the record there (create: the name chosen) */
    struct str version;    /* precondition; {NULL,0} = none */
    struct str source_id;  /* the record on the other side it comes from; {NULL,0} = none */
    int64_t row;           /* journal row; 0 = none */
    uint64_t content;      /* fingerprint_hash of what is written; 0 = delete */
    int64_t run;
    int64_t time_ms;       /* set by intent_add */
};
/* Adds n intents, one statement each in the open transaction; fills no and time_ms. */
enum fault_code intent_add(struct db *db, const char *link, struct intent *intents, size_t n, struct fault *f);
enum fault_code intent_each(struct db *db, const char *link, void (*fn)(void *ctx, const struct intent *), void *ctx,
                            struct fault *f);
enum fault_code intent_close(struct db *db, int64_t no, struct fault *f);
enum fault_code intent_close_all(struct db *db, const char *link, struct fault *f); /* after all were looked at */
int64_t intent_count(struct db *db, const char *link);

/* A record to look at again next run, whatever the tokens say. */
struct pending {
    unsigned side;
    struct str id;
    struct str title;       /* for reports; {NULL,0} = unknown */
    unsigned reason;        /* enum fault_code */
    struct str text;        /* the sentence */
    int64_t tries;          /* counted by pending_put */
    int64_t first_seen_ms;  /* kept from the first time */
    struct str content;     /* hash of the bytes refused: until they change it is not sent again; {NULL,0} = try again */
};
/* Inserts, or counts one more try. */
enum fault_code pending_put(struct db *db, const char *link, const struct pending *p, struct fault *f);
enum fault_code pending_remove(struct db *db, const char *link, unsigned side, struct str id, struct fault *f);
/* In the arena; false if not there. */
bool pending_get(struct db *db, const char *link, unsigned side, struct str id, struct arena *arena, struct pending *out);
/* Short form for gathering. */
enum fault_code pending_each(struct db *db, const char *link, void (*fn)(void *ctx, unsigned side, struct str id), void *ctx,
                             struct fault *f);
enum fault_code pending_list(struct db *db, const char *link, void (*fn)(void *ctx, const struct pending *), void *ctx,
                             struct fault *f);
int64_t pending_count(struct db *db, const char *link);

/* Whether two records are one, as a person said. */
enum decision { DECISION_NONE, DECISION_SAME, DECISION_DIFFERENT };
enum fault_code decision_put(struct db *db, const char *link, struct str id_a, struct str id_b, enum decision d, struct fault *f);
enum decision decision_get(struct db *db, const char *link, struct str id_a, struct str id_b);
enum fault_code decision_each(struct db *db, const char *link,
                              void (*fn)(void *ctx, struct str id_a, struct str id_b, enum decision d), void *ctx,
                              struct fault *f);

/* Ambiguous matches waiting: the list is replaced by each run that matches. */
struct review {
    struct str id_a, id_b; /* the pair in question; either may be {NULL,0} */
    struct str title_a, title_b;
    struct str reason;
    int64_t time_ms;       /* set when added */
};
enum fault_code review_clear(struct db *db, const char *link, struct fault *f);
enum fault_code review_add(struct db *db, const char *link, const struct review *r, struct fault *f);
enum fault_code review_remove(struct db *db, const char *link, struct str id_a, struct str id_b, struct fault *f);
enum fault_code review_each(struct db *db, const char *link, void (*fn)(void *ctx, const struct review *), void *ctx,
                            struct fault *f);
int64_t review_count(struct db *db, const char *link);

/* The plan of a link that a guard stopped. One per link. Strings in the arena it was read into. */
struct held {
    struct str link, plan, reason;
    int64_t run, time_ms;
    bool approved;
};
enum fault_code held_put(struct db *db, const char *link, const char *plan, const char *reason, int64_t run, struct fault *f);
bool held_get(struct db *db, const char *link, struct arena *arena, struct held *out);
/* Approves exactly this plan; FAULT_USAGE if the link holds none or another one. */
enum fault_code held_approve(struct db *db, const char *link, const char *plan, struct fault *f);
enum fault_code held_clear(struct db *db, const char *link, struct fault *f); /* executed, rejected or no longer needed */
size_t held_list(struct db *db, struct arena *arena, struct held **out);

#endif
