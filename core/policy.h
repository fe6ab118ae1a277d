/* What a link is meant to do: the words of the configuration (design.md 2, "Modes and authorities") as a struct, and
 * the seven rows of the behaviour table (contactbox 3) they stand for. Pure; used by core/, and by cli/ and the
 * configuration to read and print. */
#ifndef ABGLEICH_POLICY_H
#define ABGLEICH_POLICY_H

#include "base/str.h"
#include "core/side.h"

#include <stdint.h>

enum mode { MODE_IMPORT_ERGAENZEN, MODE_IMPORT_AKTUALISIEREN, MODE_IMPORT_NEU_ANLEGEN, MODE_ONE_WAY, MODE_TWO_WAY };
enum authority { AUTHORITY_CONTACTBOX /* A wins */, AUTHORITY_SERVER /* B wins */, AUTHORITY_NEU_ANLEGEN };

#define DEFAULT_MAX_DELETE_COUNT 10
#define DEFAULT_MAX_DELETE_PERCENT 10

/* What a one-way link may delete on B (directory 1.7). The result of wipe is that of emptying B and filling it again; what is right there
 * is left in place. */
enum strategy {
    DELETE_NEVER,
    DELETE_TRACKED, /* what this link brought and A no longer has (contactbox A4) */
    DELETE_MIRROR,  /* all that A does not have */
    DELETE_WIPE     /* and what is other than on A, or was deleted on B, is made as on A */
};

struct policy {
    enum mode mode;
    enum authority authority;
    bool history;              /* losers are archived */
    uint32_t max_delete_count; /* a plan is held when it deletes more than both */
    uint32_t max_delete_percent;
    enum strategy strategy; /* one-way only */
    bool enforces;   /* oneway_enforce = yes: what is changed on B becomes as A at once (A5) */
};
#define POLICY_INIT                                                                                                    \
    {                                                                                                                  \
        MODE_TWO_WAY, AUTHORITY_CONTACTBOX, true, DEFAULT_MAX_DELETE_COUNT, DEFAULT_MAX_DELETE_PERCENT, DELETE_TRACKED, false   \
    }

/* The rows of contactbox 3 in its order; the columns of the decision table. */
enum policy_row {
    POLICY_ADD,              /* 1 import ergaenzen */
    POLICY_UPDATE,           /* 2 import aktualisieren */
    POLICY_RECREATE,         /* 3 import neu-anlegen */
    POLICY_ONE_WAY,          /* 4 */
    POLICY_TWO_WAY_A,        /* 5 authority contactbox */
    POLICY_TWO_WAY_B,        /* 6 authority server; also 7 after its first run */
    POLICY_TWO_WAY_RECREATE, /* 7 authority neu-anlegen, first run */
    POLICY_ROWS
};
enum policy_row policy_row(const struct policy *p, bool first_run);
/* Is a link that last ran in mode `then` (policy_mode_key) in another mode now? Its next run is a first run (contactbox A11). From
 * neu-anlegen on it is two-way with server authority: going there is no change, coming from there is. */
bool policy_is_switched(const struct policy *p, const char *then);
const char *policy_mode_key(const struct policy *p); /* "import/ergaenzen", "one-way", "two-way", "two-way/neu-anlegen" */
/* "import/ergaenzen", "two-way/contactbox" ...: stable, for `explain` and JSON. */
const char *policy_row_name(enum policy_row row);
/* Which side's element wins a conflict. */
enum side policy_winner(enum policy_row row);
/* May a run under this row write to that side at all? */
bool policy_writes(enum policy_row row, enum side side);

/* The configuration's words. Parsing takes ASCII case as it comes; false (and nothing set) for a word it does not know.
 * mode is "import", "one-way" or "two-way"; import is "ergaenzen", "aktualisieren" or "neu-anlegen" and only with mode
 * import
 * ({NULL,0} then means ergaenzen). */
bool policy_set_mode(struct policy *p, struct str mode, struct str import);
bool policy_set_authority(struct policy *p, struct str authority);
/* max_delete: "25" (count), "10%" (share), or both "25 10%". What is not named becomes 0, so that "25" alone means more
 * than 25. */
bool policy_set_max_delete(struct policy *p, struct str text);
bool policy_set_strategy(struct policy *p, struct str text); /* "never", "tracked", "mirror", "wipe" */
const char *policy_strategy_word(const struct policy *p);
const char *policy_mode_word(const struct policy *p);      /* "two-way" */
const char *policy_import_word(const struct policy *p);    /* "ergaenzen"; NULL where the mode is no import */
const char *policy_authority_word(const struct policy *p); /* "contactbox" */

#endif
