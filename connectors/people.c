#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/people_session.h"
#include "connectors/registry.h"
#include "connectors/url.h"

#include <stdlib.h>

/* "https://people.googleapis.com/" or ".../v1" to ".../v1/". */
static char *base_of(const char *url)
{
    struct str address = str_trim(str_of(url && *url ? url : PEOPLE_ADDRESS));
    struct buf out AUTO_BUF = BUF_INIT;
    while (address.n && address.p[address.n - 1] == '/') address.n--;
    buf_addf(&out, "%.*s%s/", STR_ARG(address), str_ends(address, STR("/v1")) ? "" : "/v1");
    return buf_detach(&out);
}

static enum fault_code people_open(const struct account *account, struct traits *traits, struct env *env,
                                   struct session **out, struct fault *f)
{
    (void)f;
    struct session *s = mem_calloc(1, sizeof *s);
    s->account = account;
    s->traits = traits;
    s->env = env;
    s->base = base_of(account->url);
    s->groups = (struct people_groups){s, people_group_name, people_group_resource};
    s->written = json_object();
    struct http_settings settings = {
        .ca_file = account->ca_file, .gate = account->gate, .env = env, .bearer = oauth_is_used(account) ? NULL : account->password};
    if (oauth_is_used(account)) s->oauth = oauth_open(account, env);
    s->http = http_open(&settings);
    settings.bearer = NULL;
    s->pictures = http_open(&settings);
    *out = s;
    return FAULT_NONE;
}

static void people_close(struct session *s)
{
    if (!s) return;
    people_budget_close(s);
    http_close(s->http);
    http_close(s->pictures);
    oauth_close(s->oauth);
    people_groups_free(s);
    people_recent_free(s);
    people_late_free(s);
    free(s->given_up);
    for (size_t i = 0; i < s->n_created; i++) {
        free(s->created[i].operation);
        free(s->created[i].resource);
    }
    free(s->created);
    json_decref(s->written);
    free(s->about.name);
    free(s->about.path);
    free(s->base);
    free(s);
}

static void describe(struct collection *out, int64_t records)
{
    *out = (struct collection){
        .name = mem_strdup(_("Contacts")), .path = mem_strdup(""), .kind = RECORD_CONTACT, .records = records};
}

/* One page of one contact tells how many there are, and whether the sign-in allows contacts. */
static enum fault_code people_discover(struct session *s, struct collections *out, struct fault *f)
{
    struct people_call c AUTO_CALL = {
        .method = "GET", .path = "people/me/connections?personFields=metadata&pageSize=1&sources=" PEOPLE_SOURCES};
    enum fault_code code = people_do(s, &c, f);
    if (code) return code;
    const json_t *total = json_object_get(c.answer, "totalItems");
    out->items = mem_calloc(1, sizeof *out->items);
    out->n = 1;
    describe(&out->items[0], json_is_integer(total) ? json_integer_value(total) : -1);
    return FAULT_NONE;
}

static enum fault_code people_select(struct session *s, const char *path, const struct collection **about,
                                     struct buf *identity, struct fault *f)
{
    (void)path;
    (void)f;
    if (!s->about.name) describe(&s->about, -1);
    *about = &s->about;
    buf_addf(identity, "%s %s", s->base, s->account->user ? s->account->user : "");
    return FAULT_NONE;
}

static char *people_new_id(struct session *s)
{
    char uuid[UUID_TEXT_BYTES];
    struct buf id AUTO_BUF = BUF_INIT;
    env_uuid4(s->env, uuid);
    buf_addf(&id, PEOPLE_NEW "%s", uuid);
    return buf_detach(&id);
}

static void people_traffic(struct session *s, int64_t *requests, int64_t *bytes_in, int64_t *bytes_out)
{
    int64_t more[3];
    http_traffic(s->http, requests, bytes_in, bytes_out);
    http_traffic(s->pictures, &more[0], &more[1], &more[2]);
    *requests += more[0];
    *bytes_in += more[1];
    *bytes_out += more[2];
}

static bool check_uid(struct str v)
{
    return str_eq(v, STR("visible")) || str_eq(v, STR("hidden"));
}

static const struct setting_kind settings[] = {
    {PEOPLE_STARRED, false, NULL, N_("the name of a category")},
    {PEOPLE_UID, false, check_uid, N_("hidden or visible")},
    {PEOPLE_RATE, false, people_check_rate, N_("a number of requests a minute, at least 6")},
    {NULL, false, NULL, NULL},
};

const struct connector connector_people = {
    .name = "people",
    .capabilities = CAN_TOKEN | CAN_CONDITION | SERIAL_WRITES | NO_COLLECTIONS | OWN_LISTINGS,
    .settings = settings,
    .shared_settings = oauth_settings,
    .open = people_open,
    .close = people_close,
    .discover = people_discover,
    .select = people_select,
    .changes = people_changes,
    .fetch = people_fetch,
    .new_id = people_new_id,
    .tidy = people_tidy,
    .write = people_write,
    .traffic = people_traffic,
};
