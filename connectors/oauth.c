/* The sign-in of an account: its settings, what is kept of it, and a fresh access token when one is needed. */
#include "connectors/oauth_impl.h"

#include "base/date.h"
#include "base/i18n.h"
#include "base/mem.h"

#include <sodium.h>
#include <stdlib.h>

#define AHEAD_MS (5 * 60 * 1000LL) /* refreshed so long before the end */
#define DEAD_MS (60 * 60 * 1000LL) /* a dead sign-in is not asked again within an hour (microsoft-graph 1) */
#define LIFE_DEFAULT_S 3600        /* where expires_in is not told: RFC 6749 5.1 */
#define LIFE_MAX_S (24 * 3600)

/* -- settings -- */

static const struct flow_row {
    const char *word;
    enum oauth_flow flow;
} flows[] = {{"code", FLOW_CODE}, {"device", FLOW_DEVICE}, {"client", FLOW_CLIENT}, {"service", FLOW_SERVICE}};

/* %s: the tenant; "service" is where the API is. */
#define MICROSOFT(name, login, graph)                                                                                  \
    {name, "oauth.authorize_url", "https://" login "/%s/oauth2/v2.0/authorize"},                                       \
        {name, "oauth.token_url", "https://" login "/%s/oauth2/v2.0/token"},                                           \
        {name, "oauth.device_url", "https://" login "/%s/oauth2/v2.0/devicecode"},                                     \
        {name, "oauth.scope", "offline_access https://" graph "/Contacts.ReadWrite"},                                  \
        {name, "application scope", "https://" graph "/.default"}, {name, "service", "https://" graph "/"}
static const struct provider_row {
    const char *name, *key, *value;
} providers[] = {
    {"google", "oauth.authorize_url", "https://accounts.google.com/o/oauth2/v2/auth"},
    {"google", "oauth.token_url", "https://oauth2.googleapis.com/token"},
    {"google", "oauth.scope", "https://www.googleapis.com/auth/contacts"},
    MICROSOFT("microsoft", "login.microsoftonline.com", "graph.microsoft.com"),
    MICROSOFT("microsoft-us", "login.microsoftonline.us", "graph.microsoft.us"),
    MICROSOFT("microsoft-cn", "login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn"),
};
#define N_OF(a) (sizeof(a) / sizeof *(a))

static bool check_flow(struct str v)
{
    for (size_t i = 0; i < N_OF(flows); i++)
        if (str_eq(v, str_of(flows[i].word))) return true;
    return false;
}

static bool check_provider(struct str v)
{
    for (size_t i = 0; i < N_OF(providers); i++)
        if (str_eq(v, str_of(providers[i].name))) return true;
    return false;
}

static bool check_date(struct str v)
{
    char day[DATE_BYTES];
    return date_parse(v, day);
}

static bool check_algorithm(struct str v)
{
    return str_eq(v, STR("PS256")) || str_eq(v, STR("RS256"));
}

#define EXPECTS_ADDRESS N_("an https address")
const struct setting_kind oauth_settings[] = {
    {"oauth.flow", false, check_flow, N_("code, device, client or service")},
    {"oauth.provider", false, check_provider, N_("google, microsoft, microsoft-us or microsoft-cn")},
    {"oauth.tenant", false, NULL, N_("the tenant's id or domain")},
    {"oauth.client_id", false, NULL, N_("the id of the registered application")},
    {"oauth.key_file", false, NULL, N_("the path of a file with key and certificate, or Google's JSON file")},
    {"oauth.algorithm", false, check_algorithm, N_("PS256 or RS256")},
    {"oauth.secret_expires", false, check_date, N_("a day like 2027-12-01")},
    {"oauth.scope", false, NULL, N_("scopes with spaces between them")},
    {"oauth.authorize_url", false, NULL, EXPECTS_ADDRESS},
    {"oauth.token_url", false, NULL, EXPECTS_ADDRESS},
    {"oauth.device_url", false, NULL, EXPECTS_ADDRESS},
    {NULL, false, NULL, NULL},
};

bool oauth_is_used(const struct account *account)
{
    return account_setting(account, "oauth.flow") != NULL;
}

/* A connector that speaks to one of them need not be told which. */
static const char *provider_of(const struct account *account)
{
    const char *set = account_setting(account, "oauth.provider");
    bool is_graph = account->connector && strcmp(account->connector, "graph") == 0;
    return set ? set : is_graph ? "microsoft" : "google";
}

static bool is_of_microsoft(const struct account *account)
{
    return str_starts(str_of(provider_of(account)), STR("microsoft"));
}

static const char *provided(const struct account *account, const char *key)
{
    const char *set = account_setting(account, key), *name = provider_of(account);
    for (size_t i = 0; !set && i < N_OF(providers); i++)
        if (strcmp(providers[i].name, name) == 0 && strcmp(providers[i].key, key) == 0) return providers[i].value;
    return set;
}

const char *oauth_service(const struct account *account)
{
    return provided(account, "service");
}

const char *oauth_address(const struct oauth *o, const char *key, struct buf *out)
{
    const char *tenant = account_setting(o->account, "oauth.tenant"), *value = provided(o->account, key);
    struct str text = str_of(value);
    size_t at = value ? str_find(text, STR("%s")) : (size_t)-1;
    if (!value) return NULL;
    if (at == (size_t)-1)
        buf_adds(out, value);
    else
        buf_addf(out, "%.*s%s%s", (int)at, value, tenant ? tenant : "organizations", value + at + 2);
    return buf_cstr(out);
}

const char *oauth_scope(const struct oauth *o)
{
    const char *set = account_setting(o->account, "oauth.scope");
    if (!set && o->flow == FLOW_CLIENT) set = provided(o->account, "application scope");
    return set ? set : provided(o->account, "oauth.scope");
}

bool oauth_is_of_microsoft(const struct oauth *o)
{
    return is_of_microsoft(o->account);
}

/* -- what is kept -- */

static void wipe(char **secret)
{
    if (*secret) sodium_memzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

void sign_in_clear(struct sign_in *s)
{
    wipe(&s->access);
    wipe(&s->refresh);
    wipe(&s->dead);
    wipe(&s->dead_with);
    *s = (struct sign_in){0};
}

static char *text_of(const json_t *o, const char *key)
{
    const char *value = json_string_value(json_object_get(o, key));
    return value ? mem_strdup(value) : NULL;
}

static int64_t time_of(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

enum fault_code oauth_load(struct oauth *o, struct fault *f)
{
    struct token_store *store = o->account->tokens;
    char *text = NULL;
    enum fault_code code = store->load(store, &text, f);
    if (code) return code;
    json_t *kept = text ? json_loads(text, 0, NULL) : NULL;
    store->drop(store, text);
    sign_in_clear(&o->now);
    o->now = (struct sign_in){.access = text_of(kept, "access"),
                              .refresh = text_of(kept, "refresh"),
                              .dead = text_of(kept, "dead"),
                              .dead_with = text_of(kept, "dead_with"),
                              .expires_ms = time_of(kept, "expires_ms"),
                              .since_ms = time_of(kept, "since_ms"),
                              .used_ms = time_of(kept, "used_ms"),
                              .dead_ms = time_of(kept, "dead_ms"),
                              .ends_ms = time_of(kept, "ends_ms")};
    o->known = true;
    json_decref(kept);
    return FAULT_NONE;
}

static enum fault_code keep(struct oauth *o, struct fault *f)
{
    struct token_store *store = o->account->tokens;
    const struct sign_in *s = &o->now;
    json_t *kept =
        json_pack("{s:s*,s:s*,s:s*,s:s*,s:I,s:I,s:I,s:I,s:I}", "access", s->access, "refresh", s->refresh, "dead", s->dead,
                  "dead_with", s->dead_with, "expires_ms", (json_int_t)s->expires_ms, "since_ms",
                  (json_int_t)s->since_ms, "used_ms", (json_int_t)s->used_ms, "dead_ms", (json_int_t)s->dead_ms,
                  "ends_ms", (json_int_t)s->ends_ms);
    char *text = json_dumps(kept, JSON_COMPACT);
    enum fault_code code = store->keep(store, str_of(text), f);
    wipe(&text);
    json_decref(kept);
    return code;
}

/* RFC 6749 7.1: a token of a kind we do not know is none. All services that leave the kind out mean this one. */
static const char *bearer_of(const struct oauth_answer *a)
{
    const char *access = json_string_value(json_object_get(a->body, "access_token")),
               *kind = json_string_value(json_object_get(a->body, "token_type"));
    if (!access || !*access || strpbrk(access, "\r\n")) return NULL;
    return !kind || strcasecmp(kind, "Bearer") == 0 ? access : NULL;
}

enum fault_code oauth_accept(struct oauth *o, const struct oauth_answer *a, struct fault *f)
{
    int64_t now_ms = o->env->now_ms(o->env);
    const char *access = bearer_of(a);
    const json_t *life = json_object_get(a->body, "expires_in");
    long long seconds = json_integer_value(life);
    if (json_is_string(life)) str_to_int64(str_of(json_string_value(life)), &seconds);
    if (!access)
        return fault_set(f, FAULT_UNREACHABLE, _("the next run tries again"), _("the sign-in service gave no token"));
    char *refresh = text_of(a->body, "refresh_token");
    if (refresh && !*refresh) wipe(&refresh);
    struct sign_in next = {
        .access = mem_strdup(access), .refresh = refresh, .since_ms = refresh ? now_ms : o->now.since_ms};
    if (!refresh && o->now.refresh) next.refresh = mem_strdup(o->now.refresh); /* RFC 6749 6: the old one goes on */
    if (seconds <= 0) seconds = LIFE_DEFAULT_S;
    next.expires_ms = now_ms + 1000 * (seconds > LIFE_MAX_S ? LIFE_MAX_S : seconds);
    next.used_ms = now_ms;
    next.ends_ms = oauth_told_end_ms(o, a);
    if (!refresh && !next.ends_ms) next.ends_ms = o->now.ends_ms;
    sign_in_clear(&o->now);
    o->now = next;
    return keep(o, f);
}

/* -- a fresh token -- */

bool oauth_needs_person(const struct oauth *o)
{
    return o->flow == FLOW_CODE || o->flow == FLOW_DEVICE;
}

static bool is_fresh(const struct oauth *o)
{
    return o->now.access && !o->refused && o->env->now_ms(o->env) < o->now.expires_ms - AHEAD_MS;
}

static bool is_dead(const struct oauth *o)
{
    char *with AUTO_FREE = oauth_made_of(o);
    return o->now.dead && o->now.dead_with && strcmp(o->now.dead_with, with) == 0 &&
           o->env->now_ms(o->env) < o->now.dead_ms + DEAD_MS;
}

/* The sign-in is refused for good: remembered, so that nobody asks every few minutes, and `account list` can say it. */
static enum fault_code note_death(struct oauth *o, const struct oauth_answer *a, struct fault *f)
{
    enum fault_code code = oauth_error_fault(o, a, f);
    struct fault ignored AUTO_FAULT = FAULT_INIT;
    if (code != FAULT_AUTH) return code;
    wipe(&o->now.dead);
    wipe(&o->now.dead_with);
    o->now.dead = oauth_error_text(a);
    o->now.dead_with = oauth_made_of(o);
    o->now.dead_ms = o->env->now_ms(o->env);
    keep(o, &ignored);
    oauth_add_cause(o, a, f);
    return code;
}

static enum fault_code ask(struct oauth *o, struct fault *f)
{
    struct buf form AUTO_KEY_BUF = BUF_INIT, url AUTO_BUF = BUF_INIT;
    struct oauth_answer answer AUTO_ANSWER = {.body = NULL};
    if (oauth_needs_person(o) && !o->now.refresh) {
        struct buf advice AUTO_BUF = BUF_INIT;
        buf_addf(&advice, _("sign in: abgleich login %s"), o->account->name);
        return fault_set(f, FAULT_AUTH, buf_cstr(&advice), _("nobody has signed in yet"));
    }
    if (is_dead(o)) {
        oauth_error_read(o->now.dead, &answer);
        enum fault_code dead = oauth_error_fault(o, &answer, f);
        oauth_add_cause(o, &answer, f);
        return dead;
    }
    enum fault_code code = oauth_add_grant(o, &form, f);
    if (!code) code = oauth_post(o, oauth_address(o, "oauth.token_url", &url), buf_str(&form), &answer, f);
    if (code) return code;
    return answer.error ? note_death(o, &answer, f) : oauth_accept(o, &answer, f);
}

/* Under the lock it is read again: another process may have been quicker, and its refresh token is the one that lives.
 */
static enum fault_code renew(struct oauth *o, struct fault *f)
{
    struct token_store *store = o->account->tokens;
    char *refused = o->refused && o->now.access ? mem_strdup(o->now.access) : NULL;
    enum fault_code code = store->lock(store, f);
    if (!code) {
        code = oauth_load(o, f);
        if (refused && o->now.access && strcmp(refused, o->now.access) != 0) o->refused = false;
        if (!code && !is_fresh(o)) code = ask(o, f);
        store->unlock(store);
    }
    wipe(&refused);
    if (!code) o->refused = false;
    return code;
}

enum fault_code oauth_token(struct oauth *o, const char **token, struct fault *f)
{
    enum fault_code code = o->known ? FAULT_NONE : oauth_load(o, f);
    if (!code && !is_fresh(o)) code = renew(o, f);
    *token = code ? NULL : o->now.access;
    if (code) fault_about(f, NULL, o->account->name);
    return code;
}

enum fault_code oauth_refused(struct oauth *o, struct fault *f)
{
    if (!o->renewed) {
        o->renewed = o->refused = true;
        return FAULT_NONE;
    }
    struct buf advice AUTO_BUF = BUF_INIT;
    buf_addf(&advice, _("sign in again: abgleich login %s"), o->account->name);
    fault_set(f, FAULT_AUTH, buf_cstr(&advice), _("a fresh sign-in is refused there"));
    fault_about(f, NULL, o->account->name);
    return FAULT_AUTH;
}

enum fault_code oauth_challenged(struct oauth *o, struct fault *f)
{
    struct token_store *store = o->account->tokens;
    struct oauth_answer answer AUTO_ANSWER = {.error = mem_strdup("interaction_required")};
    enum fault_code code = store->lock(store, f);
    if (code) return code;
    wipe(&o->now.access);
    code = note_death(o, &answer, f);
    store->unlock(store);
    return code;
}

void oauth_accepted(struct oauth *o)
{
    o->renewed = false;
}

struct oauth *oauth_open(const struct account *account, struct env *env)
{
    struct oauth *o = mem_calloc(1, sizeof *o);
    const char *flow = account_setting(account, "oauth.flow");
    o->account = account;
    o->env = env;
    for (size_t i = 0; i < N_OF(flows); i++)
        if (flow && strcmp(flows[i].word, flow) == 0) o->flow = flows[i].flow;
    return o;
}

void oauth_close(struct oauth *o)
{
    if (o) sign_in_clear(&o->now);
    free(o);
}
