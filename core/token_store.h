/* struct token_store over the state database: the sign-in of one account, sealed (state/secrets.h). Made by whoever
 * opens accounts (cli/). It has a database handle of its own: a refresh token must be durable before its access token
 * is used, whatever transaction the job is in. */
#ifndef ABGLEICH_TOKEN_STORE_H
#define ABGLEICH_TOKEN_STORE_H

#include "connectors/oauth.h"
#include "state/db.h"

/* account, db: borrowed for its life (db tells path and env). Nothing is opened before it is used. Owned by the caller.
 */
struct token_store *token_store_new(struct db *db, const char *account);
void token_store_free(struct token_store *store); /* NULL is fine */

#endif
