/* struct traits over the state database: what a connector learned about an account. One per session; private to core/ and cli/. */
#ifndef ABGLEICH_TRAITS_H
#define ABGLEICH_TRAITS_H

#include "connectors/connector.h"
#include "state/db.h"

struct traits_in_state {
    struct traits traits;
    struct db *db;
    const char *account;
    bool read_only; /* check: what is learned is forgotten again */
};
/* account is borrowed for the life of *out. */
void traits_in_state_init(struct traits_in_state *out, struct db *db, const char *account);

#endif
