/* What needs a person: held plans, dead sign-ins, links that fail, contacts that may be the same, records left alone,
 * conflicts nobody has read. Gathered from the configuration and the state; shown by `status`, mailed by digest.c.
 * Reads only. */
#ifndef ABGLEICH_ATTENTION_H
#define ABGLEICH_ATTENTION_H

#include "cli/config.h"
#include "state/db.h"

/* Gravest first. */
enum attention_kind {
    ATTENTION_SIGN_IN,
    ATTENTION_FAILING,
    ATTENTION_HELD,
    ATTENTION_SIGN_IN_ENDS,
    ATTENTION_AMBIGUOUS,
    ATTENTION_LEFT_ALONE,
    ATTENTION_CONFLICTS,
    ATTENTION_KINDS
};

struct attention { /* strings in the arena */
    enum attention_kind kind;
    const char *link;    /* of a sign-in that ends: the first link that needs it */
    const char *text;    /* one sentence */
    const char *command; /* what to type next */
    const char *key;     /* stays the same as long as it is the same matter: "held kunden 0123..." */
};

const char *attention_name(enum attention_kind kind); /* stable, for JSON: "held" */

/* All of it, gravest first. now_ms: Unix time; a remote that is merely away is told after three intervals, an hour at
 * least. A faulty database gives what was read before the fault; ask db_check. */
size_t attention_list(const struct config *c, struct db *db, int64_t now_ms, struct arena *arena,
                      struct attention **out);

#endif
