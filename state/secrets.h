/* Passwords and tokens at rest: XChaCha20-Poly1305, bound to account, field and key id, so that rows cannot be swapped.
 * The key is $CREDENTIALS_DIRECTORY/abgleich-key (32 bytes, or 64 hex digits), else the file `<state>.key`, made with mode 0600 on
 * first use. Called by cli/ and whoever opens accounts; plain text lives in locked memory and is wiped. */
#ifndef ABGLEICH_SECRETS_H
#define ABGLEICH_SECRETS_H

#include "state/db.h"

/* field: "password", "refresh_token", ... */
enum fault_code secret_set(struct db *db, const char *account, const char *field, struct str value, struct fault *f);
/* Terminated, in sodium memory: give it back with secret_free. *out NULL and FAULT_NONE where none is stored. FAULT_STATE: key missing
 * or wrong, row damaged or swapped; the advice says what to do. */
enum fault_code secret_get(struct db *db, const char *account, const char *field, char **out, struct fault *f);
void secret_free(char *secret);
/* field NULL = all of the account. */
enum fault_code secret_delete(struct db *db, const char *account, const char *field, struct fault *f);

#endif
