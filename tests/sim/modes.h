/* abgleich-sim --modes FILE: every cell of the mode table, twice, with and without sync tokens. */
#ifndef ABGLEICH_SIM_MODES_H
#define ABGLEICH_SIM_MODES_H

#include "tests/sim/sim.h"

/* Prints "modes: N passed, M failed"; the exit code. */
int modes_main(const char *folder, const char *path, bool verbose);
/* The identity of contactbox 6 on both sides of a run; a violation where it does not hold. */
void check_counts(struct world *w, const struct run_result *r);

#endif
