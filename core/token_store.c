#include "core/token_store.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "state/lock.h"
#include "state/secrets.h"

#include <stdlib.h>

#define FIELD "sign-in"
#define WAIT_MS 200
#define WAITS_MAX 600 /* two minutes: a token endpoint that hangs is given up before */

struct store {
    struct token_store of;
    struct db *job, *db;
    const char *account;
    struct lock *lock;
};

static enum fault_code ready(struct store *s, struct fault *f)
{
    return s->db ? FAULT_NONE : db_open(db_path(s->job), DB_EXISTING, db_env(s->job), &s->db, f);
}

static enum fault_code lock(struct token_store *t, struct fault *f)
{
    struct store *s = (struct store *)t;
    struct env *env = db_env(s->job);
    struct buf name AUTO_BUF = BUF_INIT;
    buf_addf(&name, "sign-in %s", s->account); /* no link can have that name: it has a space */
    enum fault_code code = ready(s, f);
    if (code) return code;
    for (int i = 0; i < WAITS_MAX; i++) {
        struct fault why AUTO_FAULT = FAULT_INIT;
        code = lock_link(s->db, buf_cstr(&name), &s->lock, &why);
        if (code && code != FAULT_BUSY && f) fault_copy(f, &why);
        if (code != FAULT_BUSY) return code;
        if (env->sleep_ms(env, WAIT_MS)) return fault_set(f, FAULT_CANCELLED, _("the next run goes on"), _("stopped"));
    }
    return fault_set(f, FAULT_UNREACHABLE, _("the next run tries again"),
                     _("another process is signing in, and does not end"));
}

static void unlock(struct token_store *t)
{
    struct store *s = (struct store *)t;
    lock_release(s->lock);
    s->lock = NULL;
}

static enum fault_code load(struct token_store *t, char **out, struct fault *f)
{
    struct store *s = (struct store *)t;
    *out = NULL;
    enum fault_code code = ready(s, f);
    return code ? code : secret_get(s->db, s->account, FIELD, out, f);
}

static void drop(struct token_store *t, char *text)
{
    (void)t;
    secret_free(text);
}

static enum fault_code keep(struct token_store *t, struct str text, struct fault *f)
{
    struct store *s = (struct store *)t;
    enum fault_code code = ready(s, f);
    return code ? code : secret_set(s->db, s->account, FIELD, text, f);
}

struct token_store *token_store_new(struct db *db, const char *account)
{
    struct store *s = mem_calloc(1, sizeof *s);
    s->of = (struct token_store){lock, unlock, load, drop, keep};
    s->job = db;
    s->account = account;
    return &s->of;
}

void token_store_free(struct token_store *store)
{
    struct store *s = (struct store *)store;
    if (!s) return;
    unlock(store);
    db_close(s->db);
    free(s);
}
