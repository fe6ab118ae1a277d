#include "server/directory_pass.h"

#include "state/settings.h"

#include <sodium.h>
#include <stdio.h>

#define HALF_DAY_MS (12 * 60 * 60 * (int64_t)1000)

/* The half day it ends with, and a keyed digest of that, of the phonebook, and of its password. */
static enum fault_code pass_until(struct db *db, const struct directory *d, int64_t until,
                                  char out[DIRECTORY_PASS_BYTES], struct fault *f)
{
    struct hash_key secret;
    struct digest digest;
    char hex[DIGEST_HEX_BYTES];
    enum fault_code code = settings_hash_key(db, &secret, f);
    if (code) return code;
    digest_init(&digest);
    digest_str(&digest, STR("directory-pass"));
    digest_str(&digest, (struct str){(const char *)&secret, sizeof secret});
    digest_add(&digest, &d->no, sizeof d->no);
    digest_add(&digest, &until, sizeof until);
    digest_str(&digest, d->user);
    digest_str(&digest, d->password);
    digest_hex(&digest, hex);
    snprintf(out, DIRECTORY_PASS_BYTES, "%llx-%.32s", (unsigned long long)until, hex);
    return FAULT_NONE;
}

enum fault_code directory_pass(struct db *db, const struct directory *d, int64_t now_ms, char out[DIRECTORY_PASS_BYTES],
                               struct fault *f)
{
    return pass_until(db, d, now_ms / HALF_DAY_MS + 1, out, f);
}

bool directory_pass_is_right(struct db *db, const struct directory *d, int64_t now_ms, const char *pass)
{
    bool right = false;
    for (int64_t until = now_ms / HALF_DAY_MS; until <= now_ms / HALF_DAY_MS + 1; until++) {
        char one[DIRECTORY_PASS_BYTES];
        struct fault unread AUTO_FAULT = FAULT_INIT;
        if (pass_until(db, d, until, one, &unread)) return false;
        right |= strlen(pass) == strlen(one) && sodium_memcmp(pass, one, strlen(one)) == 0;
    }
    return right;
}
