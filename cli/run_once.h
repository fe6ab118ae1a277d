/* One run of a link for a command, with progress and report: shared by sync, check, import, undo and conflicts take. */
#ifndef ABGLEICH_RUN_ONCE_H
#define ABGLEICH_RUN_ONCE_H

#include "cli/cli.h"
#include "core/run.h"

/* plan: NULL, or receives the plan's hash. quiet_json: with --json nothing is printed (a look before a question).
 * Returns the exit code. */
int run_once(struct cli *cli, const struct config_link *l, const struct run_options *options, char plan[17],
             bool quiet_json);
/* False with cli->fault where the link or an account of it is off. */
bool run_is_on(struct cli *cli, const struct config_link *l);

#endif
