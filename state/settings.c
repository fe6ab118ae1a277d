#include "state/settings.h"

#include "base/i18n.h"
#include "base/mem.h"

#define TRAIT_LIFE_MS (7 * 24 * 3600 * (int64_t)1000)

struct str setting_get(struct db *db, const char *key, struct arena *arena)
{
    struct query *q = query_begin(db, QUERY_SETTING_GET);
    bind_text(q, 1, str_of(key));
    struct str value = query_step(q) ? arena_str(arena, column_blob(q, 0)) : STR_NONE;
    query_end(q);
    return value;
}

enum fault_code setting_set(struct db *db, const char *key, struct str value, struct fault *f)
{
    struct query *q = query_begin(db, value.p ? QUERY_SETTING_SET : QUERY_SETTING_DELETE);
    bind_text(q, 1, str_of(key));
    if (value.p) bind_blob(q, 2, value);
    query_run(q);
    return db_check(db, f);
}

enum fault_code settings_hash_key(struct db *db, struct hash_key *out, struct fault *f)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct str key = setting_get(db, "hash-key", &arena);
    if (key.n == sizeof out->bytes) memcpy(out->bytes, key.p, key.n);
    else
        db_fail(db, FAULT_STATE, _("restore the state from a backup"), _("%s has no valid hash key"), db_path(db));
    return db_check(db, f);
}

char *trait_get(struct db *db, const char *account, const char *key)
{
    struct query *q = query_begin(db, QUERY_TRAIT_GET);
    bind_text(q, 1, str_of(account));
    bind_text(q, 2, str_of(key));
    bind_int(q, 3, db_env(db)->now_ms(db_env(db)) - TRAIT_LIFE_MS);
    char *value = NULL;
    if (query_step(q)) value = mem_strndup(column_text(q, 0).p, column_text(q, 0).n);
    query_end(q);
    return value;
}

enum fault_code trait_set(struct db *db, const char *account, const char *key, const char *value, struct fault *f)
{
    struct query *q = query_begin(db, value ? QUERY_TRAIT_SET : QUERY_TRAIT_DELETE);
    bind_text(q, 1, str_of(account));
    bind_text(q, 2, str_of(key));
    if (value) {
        bind_text(q, 3, str_of(value));
        bind_int(q, 4, db_env(db)->now_ms(db_env(db)));
    }
    query_run(q);
    return db_check(db, f);
}

enum fault_code traits_forget(struct db *db, const char *account, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_TRAIT_DELETE_ALL);
    bind_text(q, 1, str_of(account));
    query_run(q);
    return db_check(db, f);
}

void traits_each(struct db *db, void (*fn)(void *ctx, const struct trait *t), void *ctx)
{
    struct query *q = query_begin(db, QUERY_TRAIT_EACH);
    while (query_step(q)) {
        const struct trait t = {column_text(q, 0), column_text(q, 1), column_text(q, 2), column_int(q, 3)};
        fn(ctx, &t);
    }
    query_end(q);
}
