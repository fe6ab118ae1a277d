/* What state/directory*.c share. */
#ifndef ABGLEICH_DIRECTORY_STATE_IMPL_H
#define ABGLEICH_DIRECTORY_STATE_IMPL_H

#include "state/directory.h"

#define DIRECTORY_N_COLUMNS 9 /* DIRECTORY_COLUMNS in queries.h */
struct directory directory_read(struct query *q, struct arena *arena);
void directory_read_settings(struct db *db, struct directory *d, struct arena *arena);

#endif
