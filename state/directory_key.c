#include "state/directory_impl.h"

#include "base/i18n.h"
#include "state/rows.h"
#include "state/settings.h"

#include <sodium.h>

/* What stands for a key in the database: a hash with the state's own secret. */
static enum fault_code hash_of(struct db *db, struct str key, char out[DIGEST_HEX_BYTES], struct fault *f)
{
    struct hash_key secret;
    struct digest d;
    enum fault_code code = settings_hash_key(db, &secret, f);
    digest_init(&d);
    digest_str(&d, STR("directory"));
    digest_str(&d, (struct str){(const char *)&secret, sizeof secret});
    digest_str(&d, key);
    digest_hex(&d, out);
    return code;
}

bool directory_key_ok(struct str key)
{
    size_t same = 0, rising = 0, falling = 0;
    if (key.n != DIRECTORY_KEY_CHARACTERS) return false;
    for (size_t i = 0; i < key.n; i++) {
        bool digit = key.p[i] >= '0' && key.p[i] <= '9', letter = key.p[i] >= 'A' && key.p[i] <= 'Z';
        if (!digit && !letter) return false;
        if (!i) continue;
        same += key.p[i] == key.p[i - 1];
        rising += key.p[i] == key.p[i - 1] + 1;
        falling += key.p[i] == key.p[i - 1] - 1;
    }
    return same < 9 && rising < 9 && falling < 9;
}

void directory_key_new(struct env *env, char out[DIRECTORY_KEY_CHARACTERS + 1])
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    do {
        for (size_t i = 0; i < DIRECTORY_KEY_CHARACTERS;) {
            unsigned char byte;
            env->random(env, &byte, 1);
            if (byte < 252) out[i++] = letters[byte % 36]; /* 252 = 7 x 36: each as likely as the others */
        }
        out[DIRECTORY_KEY_CHARACTERS] = '\0';
    } while (!directory_key_ok(str_of(out)));
}

bool directory_by_key(struct db *db, struct str key, struct arena *arena, struct directory *out, unsigned *rights)
{
    char hash[DIGEST_HEX_BYTES];
    if (hash_of(db, key, hash, NULL)) return false;
    struct query *q = query_begin(db, QUERY_DIRECTORY_BY_KEY);
    bind_text(q, 1, str_of(hash));
    bool there = query_step(q);
    if (there) {
        int64_t until_ms = column_int(q, DIRECTORY_N_COLUMNS + 1);
        *out = directory_read(q, arena);
        *rights = (unsigned)column_int(q, DIRECTORY_N_COLUMNS);
        there = !until_ms || until_ms > db_env(db)->now_ms(db_env(db));
    }
    query_end(q);
    if (there) directory_read_settings(db, out, arena);
    return there;
}

static bool is_taken(struct db *db, const char *hash)
{
    struct query *q = query_begin(db, QUERY_DIRECTORY_KEY_GET);
    bind_text(q, 1, str_of(hash));
    bool taken = query_step(q);
    query_end(q);
    return taken;
}

enum fault_code directory_key_add(struct db *db, int64_t no, struct str key, unsigned rights, struct fault *f)
{
    char hash[DIGEST_HEX_BYTES];
    enum fault_code code = hash_of(db, key, hash, f);
    if (code) return code;
    if (is_taken(db, hash)) return fault_set(f, FAULT_EXISTS, _("choose another key"), _("this key is taken"));
    struct query *q = query_begin(db, QUERY_DIRECTORY_KEY_ADD);
    bind_text(q, 1, str_of(hash));
    bind_int(q, 2, no);
    bind_int(q, 3, rights);
    bind_int(q, 4, db_env(db)->now_ms(db_env(db)));
    query_run(q);
    return db_check(db, f);
}

enum fault_code directory_keys_end(struct db *db, int64_t no, unsigned rights, int64_t until_ms, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_DIRECTORY_KEYS_UNTIL);
    bind_int(q, 1, no);
    bind_int(q, 2, rights);
    bind_int(q, 3, until_ms);
    query_run(q);
    q = query_begin(db, QUERY_DIRECTORY_KEYS_PURGE);
    bind_int(q, 1, no);
    bind_int(q, 2, db_env(db)->now_ms(db_env(db)));
    query_run(q);
    return db_check(db, f);
}

enum fault_code directory_keys_may(struct db *db, int64_t no, unsigned rights, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_DIRECTORY_KEYS_RIGHTS);
    bind_int(q, 1, no);
    bind_int(q, 2, rights);
    query_run(q);
    return db_check(db, f);
}

size_t directory_keys(struct db *db, int64_t no, struct arena *arena, struct directory_key **out)
{
    struct rows rows = ROWS_OF(struct directory_key);
    struct query *q = query_begin(db, QUERY_DIRECTORY_KEYS);
    bind_int(q, 1, no);
    while (query_step(q))
        *(struct directory_key *)rows_add(&rows) =
            (struct directory_key){(unsigned)column_int(q, 0), column_int(q, 1), column_int(q, 2)};
    query_end(q);
    size_t n = rows.n;
    *out = rows_keep(&rows, arena);
    return n;
}

enum fault_code directory_set_login(struct db *db, int64_t no, struct str user, const char *password, struct fault *f)
{
    char hash[crypto_pwhash_STRBYTES];
    if (password && crypto_pwhash_str(hash, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                      crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
        return fault_set(f, FAULT_INTERNAL, NULL, "%s", _("not enough memory to keep a password safely"));
    enum fault_code code = directory_set(db, no, "user", password ? user : STR_NONE, f);
    return code ? code : directory_set(db, no, "password", password ? str_of(hash) : STR_NONE, f);
}
