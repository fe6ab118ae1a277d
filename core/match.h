/* Finds which records of A and B are the same thing, before anything is created (design.md 2.3). In every run, over the
 * records that have no journal row; the two sides of the first sync are the large case.
 *
 * Pure; results in an arena. Hash joins: time and memory linear in records and their e-mails and phones, whatever is in
 * them: a key held by many records names no person and is capped.
 *
 * Rules, in this order: a person said so; the same UID, unique on both sides; the same name and one of e-mail, phone or
 * company equal, with exactly one candidate both ways. Anything less (one signal alone, two candidates, one UID twice)
 * is ambiguous: the pair is listed for a person and both records wait; they are neither merged nor created. Company
 * alone, and an e-mail or phone that several records of one side share, are no signal of their own. "Different" said by
 * a person holds against every other rule. Group cards match group cards only, by UID or by their name. */
#ifndef ABGLEICH_MATCH_H
#define ABGLEICH_MATCH_H

#include "core/side.h"
#include "mapping/record.h"

struct match_record {
    struct signals signals;
    bool is_group;
};
struct match_remembered { /* said by a person; indexes into the two arrays */
    uint32_t a, b;
};

struct match_input {
    const struct match_record *records[2]; /* indexed by enum side */
    size_t n[2];                           /* < UINT32_MAX */
    const struct match_remembered *same, *different;
    size_t n_same, n_different;
};

enum match_rule { MATCH_REMEMBERED, MATCH_UID, MATCH_NAME_EMAIL, MATCH_NAME_PHONE, MATCH_NAME_ORG, MATCH_GROUP_NAME };
const char *match_rule_text(enum match_rule rule); /* msgid */

struct match_pair {
    uint32_t a, b;
    enum match_rule rule;
};

/* What speaks for a candidate, and what kept it from being a pair. Bit set. */
enum match_reason {
    MATCH_FOR_UID = 1,
    MATCH_FOR_NAME = 2,
    MATCH_FOR_EMAIL = 4,
    MATCH_FOR_PHONE = 8,
    MATCH_FOR_ORG = 16,
    MATCH_AGAINST_ONE_SIGNAL = 32, /* nothing else agrees */
    MATCH_AGAINST_SEVERAL = 64     /* more than one record could be meant */
};

struct match_ambiguous {
    uint32_t a, b;
    unsigned reasons; /* of enum match_reason */
};
/* "same name, but nothing else agrees": translated, appended to out. */
void match_reason_text(unsigned reasons, struct buf *out);

struct match_result {
    struct match_pair *pairs; /* by a; each record in one pair at most */
    size_t n_pairs;
    struct match_ambiguous *ambiguous; /* by (a, b); at most MATCH_LISTED_PER_RECORD for each record of A */
    size_t n_ambiguous;
    bool *waits[2]; /* per record: it is in an ambiguous candidate, listed or not, and must not be created */
};

/* A name, e-mail or phone held by more records of a side than this names nobody. */
#define MATCH_CANDIDATES_MAX 8
#define MATCH_LISTED_PER_RECORD 8

void match_records(struct arena *arena, const struct match_input *in, struct match_result *out);

#endif
