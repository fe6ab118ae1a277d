/* How the sign-in of an account stands, from what is kept: nobody is asked. For whatever shows accounts: account list,
 * status, doctor, the digest, /metrics. */
#ifndef ABGLEICH_SIGN_IN_H
#define ABGLEICH_SIGN_IN_H

#include "cli/config.h"
#include "connectors/oauth.h"

/* False where there is nothing to say: no OAuth, or a state that cannot be read, which other commands tell. */
bool sign_in_look(const struct config_account *a, struct db *db, struct oauth_report *out);
const char *sign_in_name(enum oauth_state s); /* stable, for JSON: "none", "fine", "ends-soon", "dead" */
const char *sign_in_text(enum oauth_state s); /* translated: "sign-in refused" */
/* One sentence where a person is needed, in the arena; NULL = all is well. */
const char *sign_in_matter(const struct config_account *a, const struct oauth_report *r, struct arena *arena);

/* Does the account sign in by a person in a browser (abgleich login)? */
bool sign_in_needs_person(const struct config_account *a);

#endif
