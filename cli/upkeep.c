#include "cli/upkeep.h"

#include "cli/digest.h"
#include "state/archive.h"
#include "state/dav_names.h"
#include "state/runs.h"
#include "state/settings.h"
#include "state/store.h"

#include <inttypes.h>

#define DAV_CLIENT_KEEP_MS (180 * CONFIG_DAY_MS) /* a client that has not asked for so long is another one */
#define SETTING "upkeep" /* when it last ran, Unix time in ms */

static bool is_due(struct db *db, int64_t now_ms)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    long long last_ms;
    struct str last = setting_get(db, SETTING, &arena);
    if (!last.p || !str_to_int64(last, &last_ms)) return true;
    return now_ms - last_ms >= CONFIG_DAY_MS || now_ms < last_ms; /* a clock set back must not stop it for years */
}

/* Each link's archive by its own history; what links that are gone have left by the longest of all. */
static enum fault_code purge_archive(const struct config *c, struct db *db, int64_t now_ms, struct fault *f)
{
    int64_t longest_ms = c->history_ms;
    enum fault_code code = FAULT_NONE;
    for (size_t i = 0; i < c->n_links && !code; i++) {
        const struct config_link *l = &c->links[i];
        if (l->history_ms > longest_ms) longest_ms = l->history_ms;
        code = archive_purge(db, l->name, now_ms - l->history_ms, NULL, f);
    }
    return code ? code : archive_purge(db, NULL, now_ms - longest_ms, NULL, f);
}

static enum fault_code purge_all(const struct config *c, struct db *db, int64_t now_ms, struct fault *f)
{
    enum fault_code code = purge_archive(c, db, now_ms, f);
    if (!code) code = runs_purge(db, now_ms - c->report.retain_ms, NULL, f);
    if (!code) code = store_purge(db, now_ms - c->tombstone_keep_ms, NULL, f);
    if (!code) code = dav_client_purge(db, now_ms - DAV_CLIENT_KEEP_MS, f);
    if (code) return code;
    struct buf now AUTO_BUF = BUF_INIT;
    buf_addf(&now, "%" PRId64, now_ms);
    return setting_set(db, SETTING, buf_str(&now), f);
}

enum fault_code upkeep_purge(const struct config *c, struct db *db, struct env *env, struct fault *f)
{
    int64_t now_ms = env->now_ms(env);
    if (!is_due(db, now_ms)) return db_check(db, f);
    enum fault_code code = db_begin(db, f);
    if (!code) code = purge_all(c, db, now_ms, f);
    if (!code) return db_commit(db, f);
    db_rollback(db);
    return code;
}

void upkeep_run(const struct config *c, struct env *env)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct db *db = NULL;
    bool sent = false;
    enum fault_code code = db_open(c->state, DB_EXISTING, env, &db, &f);
    if (!code) code = upkeep_purge(c, db, env, &f);
    if (!code) code = digest_run(c, db, env, false, &sent, &f);
    if (sent) env_logf(env, LOG_INFO, "event=digest_sent");
    if (code) env_logf(env, LOG_WARNING, "event=upkeep fault=%s status=%d", fault_name(code), f.http_status);
    db_close(db);
}
