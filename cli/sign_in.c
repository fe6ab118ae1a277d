#include "cli/sign_in.h"

#include "base/i18n.h"
#include "core/token_store.h"

#include <time.h>

static const struct {
    const char *name, *text;
} rows[] = {
    [OAUTH_NONE] = {"none", N_("sign-in missing")},
    [OAUTH_FINE] = {"fine", N_("on")},
    [OAUTH_ENDS_SOON] = {"ends-soon", N_("sign-in ends soon")},
    [OAUTH_DEAD] = {"dead", N_("sign-in refused")},
};

const char *sign_in_name(enum oauth_state s)
{
    return rows[s].name;
}

const char *sign_in_text(enum oauth_state s)
{
    return _(rows[s].text);
}

bool sign_in_look(const struct config_account *a, struct db *db, struct oauth_report *out)
{
    struct account account = {
        .name = a->name, .connector = a->connector, .settings = a->settings, .n_settings = a->n_settings};
    struct fault ignored AUTO_FAULT = FAULT_INIT;
    if (!oauth_is_used(&account)) return false;
    account.tokens = token_store_new(db, a->name);
    struct oauth *oauth = oauth_open(&account, db_env(db));
    enum fault_code code = oauth_look(oauth, out, &ignored);
    oauth_close(oauth);
    token_store_free(account.tokens);
    return code == FAULT_NONE;
}

const char *sign_in_matter(const struct config_account *a, const struct oauth_report *r, struct arena *arena)
{
    char day[16] = "";
    time_t end = (time_t)(r->ends_ms / 1000);
    struct tm local;
    if (r->state == OAUTH_FINE) return NULL;
    if (r->state == OAUTH_DEAD) return arena_printf(arena, _("the sign-in of account \"%s\" is refused"), a->name);
    if (r->state == OAUTH_NONE) return arena_printf(arena, _("nobody has signed in to account \"%s\" yet"), a->name);
    if (localtime_r(&end, &local)) strftime(day, sizeof day, "%Y-%m-%d", &local);
    return arena_printf(arena, _("the sign-in of account \"%s\" ends on %s"), a->name, day);
}

bool sign_in_needs_person(const struct config_account *a)
{
    const struct account account = {.settings = a->settings, .n_settings = a->n_settings};
    const char *flow = account_setting(&account, "oauth.flow");
    return flow && (strcmp(flow, "code") == 0 || strcmp(flow, "device") == 0);
}
