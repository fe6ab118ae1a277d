/* What happens in the state while the daemon runs: a person changed a book, or asked for a run. Looking costs one small
 * read as long as nobody committed anything. Called by cli/daemon.c on the loop's thread, a few times a second. */
#ifndef ABGLEICH_DAEMON_WATCH_H
#define ABGLEICH_DAEMON_WATCH_H

#include "cli/config.h"
#include "state/db.h"

struct state_watch;
struct state_watch_hooks {
    void *ctx;
    /* A book of that link was changed, and then nobody touched it for the quiet time (or for twelve times as long there
     * was no pause). */
    void (*changed)(void *ctx, const char *link);
    bool (*requested)(void *ctx,
                      const char *link); /* false: not now, ask again (the link may be in a file not read yet) */
};

/* What is there already counts as seen. db: borrowed. Owned by the caller. */
struct state_watch *state_watch_new(struct db *db, const struct state_watch_hooks *hooks);
void state_watch_look(struct state_watch *w, const struct config *config);
void state_watch_free(struct state_watch *w);

#endif
