/* abgleich-sim --soak ACCOUNTS: an hour of virtual time with that many links in one database, each due every five minutes. */
#ifndef ABGLEICH_SIM_SOAK_H
#define ABGLEICH_SIM_SOAK_H

#include <stdbool.h>
#include <stddef.h>

/* Prints what it measured and "soak: N passed, M failed"; the exit code. */
int soak_main(const char *folder, size_t accounts, bool verbose);

#endif
