/* The simulator: a whole sync world from one seed (docs/TESTING.md). Side A is the real store in a real SQLite file, side B a made-up
 * server with the habits and faults of real ones; users edit both, also in the middle of a run; a run may die at any boundary. The
 * world lives in shared memory, so that a run that is to die can be a forked process.
 *
 * Every value a user writes holds a token that occurs nowhere else, so that the oracle can look for it without knowing how the engine
 * works. */
#ifndef ABGLEICH_SIM_H
#define ABGLEICH_SIM_H

#include "base/mem.h"
#include "connectors/connector.h"
#include "core/run.h"
#include "state/db.h"

#define CARDS_MAX 400
#define CARD_BYTES 6000
#define TOKENS_MAX 4000
#define RECORDS_MAX 300
#define CRASHED 99

struct card {
    char id[64];
    char asked[64]; /* the name it was created under, where the server gave it another (names_itself) */
    char body[CARD_BYTES];
    uint64_t seq; /* of its last change */
    bool there;
    uint64_t made_in_run; /* by the connector */
    bool unsure;          /* the program may not have heard what became of its write: it cannot tell a deletion from a create that
                             never arrived, nor (where the server rewrites) its own write from somebody's */
};

enum etags { ETAG_STRONG, ETAG_MISSING, ETAG_CHURNING, ETAG_MODES };
enum rewriting { REWRITE_NONE, REWRITE_ORDER, REWRITE_PHONES, REWRITE_DROPS_X, REWRITE_MODES, REWRITE_CLOUD = REWRITE_MODES /* lossy.c; not drawn */ };

struct habits { /* of the server, fixed for a seed */
    uint8_t etags, rewriting;
    bool tokens, bodies_in_listing, tells_put_version, users_in_runs;
    unsigned faults; /* per thousand and call */
    unsigned crashes; /* per thousand and run */
    unsigned lies; /* per thousand and listing: empty though it is not */
    bool names_itself; /* what is created gets a name of the server's, as at Google */
    bool late;     /* changes are told some time after they are there */
    bool renames;  /* an update may give a record another name */
    bool unconditional; /* no precondition is looked at */
    bool rivals;   /* another process runs the link, too */
    bool far;      /* side A is a remote, too (far_book.c) */
};

enum token_fate { TOKEN_LIVE, TOKEN_SUPERSEDED };
struct token { /* one value a user wrote */
    char text[24];
    int record;
    uint8_t fate;
    bool reported;  /* in the report of a run that keeps none */
    bool untaken;   /* a user wrote it on B, which has no room for it */
    bool droppable; /* in a field the server drops: need not be on B */
};
struct person { /* a record as its users know it */
    char uid[24];
    /* Deleted in the store and moved on the server (at once, for all the program can know): "deleted here, skipped" is right, too. */
    bool moved, erased_here;
    bool unsure; /* as struct card, of a write to a far book */
    bool deleted; /* a user deleted it and nobody wrote to it that the deleter had not seen */
};

struct world {
    uint64_t seed, random, env_random;
    int64_t now_ms;
    int64_t wall_ms; /* what the wall clock is ahead of it */
    uint64_t trace;  /* of all that the program did: the same seed, the same trace */
    struct habits habits;
    struct card cards[CARDS_MAX];
    size_t n_cards;
    uint64_t seq, runs;
    uint64_t token_dead_before;
    struct token tokens[TOKENS_MAX];
    size_t n_tokens;
    struct person persons[RECORDS_MAX];
    size_t n_persons;
    int next_name;
    bool synced; /* a run went through */
    uint64_t lied_in_run; /* the server pretended to be empty; 0 = never */
    bool moved_away;      /* the server is another one than before: what a run would do is held, and nobody approves it */
    bool move_untold;     /* a card has a new name there that no run has seen */
    bool calm; /* no faults any more */
    int crash_in; /* boundaries left; 0 = none */
    bool in_run, in_rival;
    bool taken_over; /* the run under way stood still, and another process has taken its link */
    bool verbose;
    int violations;
    struct env env;
    struct db *db; /* this process's; NULL in between */
    char db_path[200], book[64];
};

/* world.c */
struct world *world_new(const char *folder, uint64_t seed, bool verbose);
void world_free(struct world *w);
uint32_t pick(struct world *w, uint32_t n); /* 0 ... n-1 */
bool has_no_history(const struct world *w); /* two remotes and no past to keep: the default from one server to another */
bool chance(struct world *w, unsigned per_thousand);
void note(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void violation(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void world_open_db(struct world *w);
void world_close_db(struct world *w);

/* server.c: the connector "simserver"; account->state is the world */
extern const struct connector connector_simserver;
extern const struct connector connector_simcloud; /* likewise, of habits.unconditional */
extern const struct connector connector_far_book; /* far_book.c; likewise */
struct card *server_find(struct world *w, const char *id);
void server_put(struct world *w, const char *id, const char *body); /* by a user or the connector */
void server_delete(struct world *w, struct card *c);

/* lossy.c: what a server holds of a card that holds as little as the clouds do */
void lossy_rewrite(const char *body, char out[CARD_BYTES]);
void lossy_note(struct world *w, const char *written, const char *kept); /* a user wrote that on B, and this is there */
void lossy_choose(struct world *w);

/* rival.c: while a run is under way, another process with the same state comes and wants to run the link as well */
void rival_meanwhile(struct world *w);
bool run_as_rival(struct world *w); /* main.c; true = it was refused as busy, and did nothing */

/* users.c */
void users_populate(struct world *w);
void user_acts(struct world *w, bool on_store);
void user_creates_there(struct world *w); /* on B */

/* oracle.c: looks at both sides */
void oracle_always(struct world *w);  /* what must hold at any time */
void oracle_settled(struct world *w); /* and when all is quiet */
size_t text_tokens_superseded(struct world *w, const char *body, int person); /* the user saw these and took them away */
int person_of(struct world *w, const char *body);                              /* by UID; -1 = none */
bool body_has(const char *body, const char *token);                           /* folding and blanks do not matter */

#endif
