/* Small facts of the installation: the key of all fingerprints, and what was learned about remotes. Called by core/, cli/, server/. */
#ifndef ABGLEICH_SETTINGS_H
#define ABGLEICH_SETTINGS_H

#include "base/hash.h"
#include "state/db.h"

/* Value in the arena; {NULL,0} if not set. */
struct str setting_get(struct db *db, const char *key, struct arena *arena);
enum fault_code setting_set(struct db *db, const char *key, struct str value, struct fault *f); /* {NULL,0} removes */

/* The key of fingerprints and element hashes; made with the state, never changed. */
enum fault_code settings_hash_key(struct db *db, struct hash_key *out, struct fault *f);

/* What is known of an account (struct traits of connectors/connector.h). Values older than a week count as unknown. */
char *trait_get(struct db *db, const char *account, const char *key); /* owned; NULL = unknown */
enum fault_code trait_set(struct db *db, const char *account, const char *key, const char *value, struct fault *f); /* NULL removes */
/* All there are, by account; borrowed for the call. */
struct trait {
    struct str account, key, value;
    int64_t time_ms;
};
void traits_each(struct db *db, void (*fn)(void *ctx, const struct trait *t), void *ctx);
enum fault_code traits_forget(struct db *db, const char *account, struct fault *f);

#endif
