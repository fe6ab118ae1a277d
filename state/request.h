/* Runs asked of the daemon: at most one a link, with the number its report will have. They lie in the state, so that
 * they outlive whoever asked and the daemon itself. Written by cli/ (sync --background), done by cli/daemon_job.c.
 * Faults stick (state/db.h). */
#ifndef ABGLEICH_REQUEST_H
#define ABGLEICH_REQUEST_H

#include "state/runs.h"

struct request {
    struct str link; /* terminated */
    int64_t run, time_ms;
};
/* Asks; *run receives the number, the same one where somebody has asked already. r: link, trigger and names of the
 * sides. Makes its own transaction. */
enum fault_code request_put(struct db *db, const struct run_report *r, int64_t *run, struct fault *f);
int64_t request_of(struct db *db, const char *link); /* the run asked for; 0 = none */
size_t request_list(struct db *db, struct arena *arena, struct request **out);
/* It was run, whatever came of it. */
enum fault_code request_close(struct db *db, const char *link, int64_t run, struct fault *f);

#endif
