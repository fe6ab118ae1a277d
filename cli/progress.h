/* How far a run is: one line on a terminal, rewritten at most four times a second, with counts and the time left;
 * elsewhere one plain line a phase. On stderr; nothing with -q. */
#ifndef ABGLEICH_PROGRESS_H
#define ABGLEICH_PROGRESS_H

#include "core/run.h"

struct progress {
    struct env *env;
    const char *link;
    bool quiet, terminal;
    enum run_phase phase;
    bool started; /* a phase was seen */
    int64_t phase_start_ms, shown_ms;
    size_t shown_columns; /* of the line on the terminal */
};
struct progress progress_of(struct env *env, const char *link, bool quiet);
/* For run_options.progress; ctx is the struct progress. */
void progress_show(void *ctx, enum run_phase phase, size_t done, size_t total);
/* Takes the line off the terminal, before a report is printed. */
void progress_end(struct progress *p);

#endif
