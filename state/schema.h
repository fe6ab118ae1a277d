/* The state's tables, as a list of migration steps. Called by db_open only. */
#ifndef ABGLEICH_SCHEMA_H
#define ABGLEICH_SCHEMA_H

#include "state/db.h"

#define SCHEMA_APPLICATION_ID 0x41624731 /* "AbG1" in the file's header */

/* The version this program writes. */
int schema_version(void);
/* Brings the database from its version to schema_version(), each step in a transaction of its own. */
enum fault_code schema_migrate(struct db *db, int from, struct fault *f);

#endif
