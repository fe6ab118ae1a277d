#include "tests/sim/sim.h"

#include "state/lease.h"

#include <stdlib.h>

/* Its own connection to the same file, as another process has. */
static bool is_refused(struct world *w)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct db *ours = w->db;
    if (db_open(w->db_path, DB_EXISTING, &w->env, &w->db, &f)) abort();
    w->in_rival = true;
    bool refused = run_as_rival(w);
    w->in_rival = false;
    db_close(w->db);
    w->db = ours;
    return refused;
}

/* Either the run goes on and the other is sent away; or it stands still (a suspended machine) for longer than its lease
 * lasts, the other takes the link over, and whatever the first does then must come to nothing. */
void rival_meanwhile(struct world *w)
{
    if (!w->habits.rivals || w->calm || !w->in_run || w->in_rival || w->taken_over || w->crash_in ||
        db_in_transaction(w->db))
        return;
    if (!chance(w, 25)) return;
    bool stands_still = chance(w, 500);
    note(w, "another process comes%s", stands_still ? ", for this one stands still" : "");
    if (stands_still) w->now_ms += LEASE_MS + 1000;
    bool refused = is_refused(w);
    if (refused == stands_still) violation(w, refused ? "a dead run keeps the link" : "two runs of one link at once");
    w->taken_over = stands_still;
}
