/* Links that lead in a circle, or twice between the same two collections, are refused as soon as they are configured.
 * Called at the end of config_load. */
#ifndef ABGLEICH_CONFIG_LOOP_H
#define ABGLEICH_CONFIG_LOOP_H

#include "cli/config.h"

/* FAULT_CONFIG with the way round. Several links into one collection are fine. */
enum fault_code config_check_loops(struct config *c, struct fault *f);

#endif
