/* One job of the daemon: a run of one link, with a database connection of its own, in a job thread. Called by
 * cli/daemon.c. */
#ifndef ABGLEICH_DAEMON_JOB_H
#define ABGLEICH_DAEMON_JOB_H

#include "cli/config.h"
#include "cli/daemon_pages.h"
#include "core/scheduler.h"

/* gate limits the transfers of all jobs together. config and cancel stay as they are until it returns. What happened
 * stands in the log and in the run's report. */
struct scheduled_outcome daemon_job_run(const struct config *config, enum log_level level, const char *link,
                                        enum scheduled_cause cause, struct gate *gate, struct daemon_counts *counts,
                                        const volatile int *cancel);

#endif
