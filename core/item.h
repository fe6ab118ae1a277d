/* What a run knows of each record it has to look at: only those that are new, changed, gone or left over from an
 * earlier run. The working table of gather, pair, plan and execute; used by core/ only. Strings live in the table's
 * arena. A first import has an item a record, so they are kept small: yes-or-no is one bit. */
#ifndef ABGLEICH_ITEM_H
#define ABGLEICH_ITEM_H

#include "core/decision.h"
#include "core/side.h"
#include "core/spool.h"
#include "mapping/record.h"

struct item_side {
    struct str id; /* {NULL,0} = not there, never seen; of a create that may not have arrived: the name it was given */
    struct str version;      /* as listed now; {NULL,0} = not said */
    struct str base_version; /* in the journal */
    struct spooled body;     /* as it is now, where it had to be fetched */
    uint64_t content;        /* hash of the body's bytes */
    bool plain : 1;          /* the body surely parses (record_is_plain) */
    uint8_t seen;            /* enum seen */
    bool listed : 1;         /* the side spoke of it in this run */
    bool gone : 1;           /* it is not there any more */
    bool missed : 1;         /* it was gone in an earlier round of this run */
    bool told_gone : 1;      /* the side itself named it as deleted: so it was there */
    bool look : 1;           /* left over from an earlier run: look, whatever the listing says */
    bool sought : 1;         /* an open write may have given it another name: a fetch tells, whatever a listing says of this one */
    bool by_person : 1;      /* with gone */
    bool filtered : 1;       /* there, and left out by the link's filter */
    bool unreadable : 1;     /* known to be so from an earlier run */
};

/* What earlier runs, or earlier rounds of this one, left behind; few items have it. */
struct item_past {
    struct str created_from; /* an open create: the other side's id it was made from; pairs without asking */
    uint64_t wrote[2]; /* fingerprint_hash of an intended write whose answer is unknown, made from the other side alone;
                          0 = none */
    uint64_t refused[2];      /* hash of the bytes a side refused */
    uint64_t read_back[2];    /* fingerprint_hash of what a side made of our write in the round before */
    uint64_t content[2];      /* of the bodies in the round before */
    struct str joined[2];     /* gone because that record of the same side has taken it in; {NULL,0} = not so */
    bool lost[2];            /* its precondition failed in the round before */
    bool noisy[2];            /* its versions change without its content */
    struct str title, reason; /* as reported before */
    unsigned code;            /* enum fault_code of the reason */
};

struct item {
    int64_t row; /* journal; 0 = none */
    struct item_side side[2];
    struct item_past *past; /* NULL = none */
    const struct decision_row *rule;
    uint8_t flags;        /* enum journal_flag of the row */
    bool has_base : 1;    /* the row holds fingerprints of both sides */
    bool half_base : 1;   /* of one side only: created on the other, not read back */
    const char *withheld; /* why a side does not hand it out, for people; NULL = it does */
    bool waits : 1;       /* ambiguous: nothing happens until a person decides */
    bool dead : 1;        /* was joined into another item */
    bool retry : 1;       /* lost a precondition in this round */
    bool settled : 1;     /* nothing left to do for it in this run */
    bool failed : 1;      /* settled for this run only: left pending */
    bool unknown : 1;     /* a side did not say whether it is there: nothing may be concluded */
    bool adopted : 1;     /* paired in this run */
    bool delete_seen : 1; /* the guard has seen that it is to be deleted */
    bool moved : 1;       /* has another name on a side than the journal says */
};

struct items {
    struct item *list;
    size_t n, cap;
    struct arena strings;
    struct hash_key key;   /* for the maps */
    struct map64 by_id[2]; /* hash of a side's id -> index; checked against the string */
    struct map64 by_row;
};

void items_init(struct items *t, const struct hash_key *key);
void items_free(struct items *t);
/* The item of that id on that side, or NULL. */
struct item *items_find(struct items *t, enum side side, struct str id);
struct item *items_find_row(struct items *t, int64_t row);
/* A new item; pointers into list from before are no longer valid. */
struct item *items_add(struct items *t, int64_t row);
/* Gives the item its id on a side and makes it findable by it. */
void items_name(struct items *t, struct item *item, enum side side, struct str id);
/* The item's past, made where it has none. */
struct item_past *items_past(struct items *t, struct item *item);
/* One side of `from` becomes that side of `into`; `from` is dead. */
void items_join(struct items *t, struct item *into, struct item *from, enum side side);

#endif
