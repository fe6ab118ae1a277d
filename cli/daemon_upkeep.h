/* The daemon's clock for upkeep.h: hourly, and soon after a run that left something for a person. The work itself is
 * done beside the loop. */
#ifndef ABGLEICH_DAEMON_UPKEEP_H
#define ABGLEICH_DAEMON_UPKEEP_H

#include "cli/config.h"

#include <uv.h>

struct upkeep_clock;
/* work is called in a thread of its own, never twice at a time; it takes what it needs from ctx. Owned by the caller
 * until _stop. */
struct upkeep_clock *upkeep_clock_start(uv_loop_t *loop, void (*work)(void *ctx), void *ctx);
/* Something happened: look within a minute, so that several runs make one mail. */
void upkeep_clock_soon(struct upkeep_clock *clock);
/* Closes its handle and lets work under way end; the memory is freed when the loop is done with it. NULL is fine. */
void upkeep_clock_stop(struct upkeep_clock *clock);

#endif
