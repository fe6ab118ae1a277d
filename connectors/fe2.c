/* FE2, the alarm system of fire brigades (protocols: fe2). It takes the complete list of persons in one request,
 * deletes whom the list does not name, and cannot be read: a wrong list means that somebody is not alarmed. So this
 * connector sends what core/push.c has guarded, as it is, once, and says what each answer means. It never sends a part
 * of the list, and never calls anything that alarms. */
#include "base/hash.h"
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/http.h"
#include "connectors/registry.h"
#include "connectors/url.h"
#include "mapping/fe2.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#define SYNC_PATH "/rest/addressbook/sync"
#define PERSON_PATH "/rest/addressbook/external/persons/"
#define PATIENCE_S 180 /* FE2 itself waits 60 s for another sync to end */
#define ANSWER_MAX_BYTES (256u << 10)
#define DEFAULT_VERSION FE2_VERSION(2, 39)
#define DEFAULT_SOURCE "abgleich"
#define PAUSE_MS 1000 /* from one answer to the next request: fe2 5.3 */
#define MINUTE_MS (60 * (int64_t)1000)
#define UNANSWERED_MS (90 * (int64_t)1000)

struct session {
    const struct account *account;
    struct env *env;
    struct traits *traits;
    struct http *http;
    char *base; /* without a slash at its end */
    const char *source;
    int64_t quota; /* 0 = not said */
    struct fe2_rules rules;
    struct fe2_rule *tables;
    struct collection about;
    bool was_answered; /* with 200 or the like: FE2 wants a pause */
};

/* -- settings -- */

static bool check_version(struct str v)
{
    int version;
    return fe2_version_parse(v, &version) && version >= FE2_SYNC_SINCE;
}

static bool check_count(struct str v)
{
    long long n;
    return str_to_int64(v, &n) && n > 0 && n < 10000000;
}

static bool check_yes(struct str v)
{
    return str_eq_nocase(v, STR("yes")) || str_eq_nocase(v, STR("no"));
}

#define EXPECTS_NAMES N_("names as FE2 has them, with commas between them")
static const struct setting_kind settings[] = {
    {"fe2.version", false, check_version, N_("the version of FE2, 2.24 or later, like 2.39")},
    {"fe2.quota", false, check_count, N_("how many persons the organisation may have")},
    {"fe2.source", false, NULL, N_("the name administrators of FE2 read")},
    {"fe2.apager_from_email", false, check_yes, N_("yes or no")},
    {"fe2.send_note", false, check_yes, N_("yes or no")},
    {"fe2.test", false, check_yes, N_("yes or no")},
    {"fe2.test_hosts", false, NULL, N_("the hosts a test may send to, with commas between them")},
    {"fe2.functions", true, NULL, EXPECTS_NAMES},
    {"fe2.groups", true, NULL, EXPECTS_NAMES},
    {"fe2.alarm", true, NULL, EXPECTS_NAMES},
    {NULL, false, NULL, NULL},
};

static bool is_yes(const struct account *a, const char *key)
{
    const char *value = account_setting(a, key);
    return value && str_eq_nocase(str_of(value), STR("yes"));
}

static void read_tables(struct session *s)
{
    static const char *const names[FE2_TABLES] = {"fe2.functions", "fe2.groups", "fe2.alarm"};
    size_t n = 0;
    s->tables = mem_calloc(s->account->n_settings + 1, sizeof *s->tables);
    for (size_t i = 0; i < s->account->n_settings; i++)
        for (int t = 0; t < FE2_TABLES; t++) {
            const struct setting *one = &s->account->settings[i];
            if (one->name && strcmp(one->key, names[t]) == 0)
                s->tables[n++] = (struct fe2_rule){(enum fe2_table)t, one->name, one->value};
        }
    s->rules.rules = s->tables;
    s->rules.n_rules = n;
}

static void read_settings(struct session *s)
{
    const struct account *a = s->account;
    const char *version = account_setting(a, "fe2.version"), *quota = account_setting(a, "fe2.quota"),
               *source = account_setting(a, "fe2.source");
    long long n = 0;
    s->rules = (struct fe2_rules){.region = a->region,
                                  .version = DEFAULT_VERSION,
                                  .pager_from_email = is_yes(a, "fe2.apager_from_email"),
                                  .send_note = is_yes(a, "fe2.send_note")};
    if (version) fe2_version_parse(str_of(version), &s->rules.version);
    if (quota && str_to_int64(str_of(quota), &n)) s->quota = n;
    s->source = source ? source : DEFAULT_SOURCE;
    read_tables(s);
}

/* -- opening -- */

/* A test never reaches a system that alarms people. */
static bool is_allowed_host(const struct session *s)
{
    const char *hosts = account_setting(s->account, "fe2.test_hosts");
    struct url url;
    if (!hosts) return !is_yes(s->account, "fe2.test");
    if (!url_parse(str_of(s->base), &url)) return false;
    for (struct str rest = str_of(hosts); rest.p;)
        if (str_eq_nocase(str_trim(str_split(&rest, ',')), url.host)) return true;
    return false;
}

static enum fault_code check_account(const struct session *s, struct fault *f)
{
    const struct account *a = s->account;
    if (!a->password || !*a->password)
        return fault_set(f, FAULT_AUTH,
                         _("FE2 shows it in the settings of the organisation; abgleich secret set keeps it"),
                         _("no access key"));
    if (!str_starts_nocase(str_of(s->base), STR("https:")) && !url_is_loopback(str_of(s->base)) && !a->allow_plain_http)
        return fault_set(f, FAULT_CONFIG, _("use an https address; in a network you trust: plain_http = yes"),
                         _("the access key and the persons are not sent unencrypted"));
    if (!is_allowed_host(s))
        return fault_set(f, FAULT_CONFIG, _("fe2.test_hosts names where it may"), _("a test may not send to %s"),
                         s->base);
    return FAULT_NONE;
}

/* The turn at this FE2 is still ours: whoever comes next, from any process, comes after the pause. */
static void fe2_close(struct session *s)
{
    if (!s) return;
    if (s->was_answered) s->env->sleep_ms(s->env, PAUSE_MS);
    http_close(s->http);
    free(s->tables);
    free(s->base);
    free(s);
}

static enum fault_code fe2_open(const struct account *account, struct traits *traits, struct env *env,
                                struct session **out, struct fault *f)
{
    struct session *s = mem_calloc(1, sizeof *s);
    struct str base = str_of(account->url ? account->url : "");
    while (base.n && base.p[base.n - 1] == '/') base.n--;
    *out = NULL;
    s->account = account;
    s->env = env;
    s->traits = traits;
    s->base = mem_strndup(base.p, base.n);
    s->about = (struct collection){.name = (char[]){""}, .path = (char[]){""}, .kind = RECORD_CONTACT, .records = -1};
    read_settings(s);
    enum fault_code code =
        base.n ? check_account(s, f) : fault_set(f, FAULT_CONFIG, _("add url = https://HOST:PORT"), _("no address"));
    if (code) {
        fe2_close(s);
        return code;
    }
    const struct http_settings h = {.authorization = account->password,
                                    .ca_file = account->ca_file,
                                    .allow_plain_http = account->allow_plain_http,
                                    .gate = account->gate,
                                    .env = env};
    s->http = http_open(&h);
    *out = s;
    return FAULT_NONE;
}

/* FE2 documents no call that changes nothing: the first list shows whether address and key are right. */
static enum fault_code fe2_discover(struct session *s, struct collections *out, struct fault *f)
{
    (void)f;
    *out = (struct collections){mem_calloc(1, sizeof *out->items), 1};
    out->items[0] = s->about;
    out->items[0].name = mem_strdup("");
    out->items[0].path = mem_strdup("");
    return FAULT_NONE;
}

/* The key is the organisation: another key is another list. */
static enum fault_code fe2_select(struct session *s, const char *path, const struct collection **about,
                                  struct buf *identity, struct fault *f)
{
    char key[DIGEST_HEX_BYTES];
    struct digest d;
    if (path && *path)
        return fault_set(f, FAULT_NO_COLLECTION, _("write \"ACCOUNT:\" with nothing after the colon"),
                         _("FE2 has one list of persons"));
    digest_init(&d);
    digest_str(&d, str_of(s->account->password));
    digest_hex(&d, key);
    if (identity) buf_addf(identity, "fe2:%s#%.16s", s->base, key);
    *about = &s->about;
    return FAULT_NONE;
}

/* -- what answers mean (fe2 5.1) -- */

enum repeating { NO_REPEAT, WHEN_CHANGED, SOON, LATER };
static const struct answer {
    int status; /* 0 ends */
    enum fault_code code;
    enum repeating repeat;
    const char *what, *advice;
} answers[] = {
    {401, FAULT_AUTH, WHEN_CHANGED, N_("FE2 does not know the access key"),
     N_("was it reset in the organisation's settings? Give the new one with abgleich secret set")},
    {403, FAULT_QUOTA, WHEN_CHANGED, N_("the organisation may not have so many persons"),
     N_("have the quota raised in FE2 or narrow the link's filter; the list is not shortened here, nobody was "
        "changed")},
    {412, FAULT_REFUSED, WHEN_CHANGED, N_("a person of the list belongs to another organisation"),
     N_("take that person out of the list; nothing was changed")},
    {423, FAULT_RATE_LIMITED, SOON, N_("another sync is running in FE2"),
     N_("nothing was changed, the next run sends the list")},
    {503, FAULT_UNREACHABLE, LATER, N_("the sync is switched off in FE2, or the server is down"),
     N_("switch the automatic sync on in the organisation's settings")},
    {400, FAULT_PROTOCOL, WHEN_CHANGED, N_("FE2 does not understand the list"),
     N_("is fe2.version the version of this FE2?")},
    {415, FAULT_PROTOCOL, WHEN_CHANGED, N_("FE2 does not understand the list"),
     N_("is fe2.version the version of this FE2?")},
    {422, FAULT_PROTOCOL, WHEN_CHANGED, N_("FE2 does not understand the list"),
     N_("is fe2.version the version of this FE2?")},
    {404, FAULT_UNSUPPORTED, WHEN_CHANGED, N_("there is no address book sync at this address"),
     N_("the address is that of FE2 itself, like https://fe2.example.org:83; the sync exists since FE2 2.24")},
    {405, FAULT_UNSUPPORTED, WHEN_CHANGED, N_("there is no address book sync at this address"),
     N_("the address is that of FE2 itself, like https://fe2.example.org:83; the sync exists since FE2 2.24")},
    {413, FAULT_TOO_LARGE, WHEN_CHANGED, N_("the list is too large for the server"),
     N_("a proxy before FE2 may set the limit")},
    {414, FAULT_TOO_LARGE, WHEN_CHANGED, N_("the list is too large for the server"),
     N_("a proxy before FE2 may set the limit")},
    {429, FAULT_RATE_LIMITED, SOON, N_("too many requests"), N_("the next run sends the list")},
    {500, FAULT_UNREACHABLE, SOON, N_("FE2 failed"), N_("the next run sends the list")},
    {502, FAULT_UNREACHABLE, SOON, N_("FE2 is not reached behind its proxy"), N_("the next run sends the list")},
    {504, FAULT_UNREACHABLE, SOON, N_("FE2 did not answer its proxy in time"), N_("the next run sends the list")},
    {0, FAULT_PROTOCOL, NO_REPEAT, N_("an answer FE2 is not known to give"), N_("nothing is assumed to have changed")},
};

static const struct answer *answer_of(int status)
{
    const struct answer *a = answers;
    while (a->status && a->status != status) a++;
    return a;
}

/* Longer each time, and not all at the same moment (fe2 5.1). What was tried outlives the run. 0: tried often enough,
 * and it is to be changed what it fails for. After five tries of the other kind an hour passes. */
static int64_t wait_ms(struct session *s, enum repeating repeat)
{
    static const int64_t soon[] = {MINUTE_MS, 2 * MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS, 60 * MINUTE_MS},
                         later[] = {5 * MINUTE_MS, 15 * MINUTE_MS, 0, 0, 0};
    char *text AUTO_FREE = s->traits ? s->traits->get(s->traits, "fe2.tries") : NULL;
    long long tries = 0;
    uint32_t chance;
    struct buf next AUTO_BUF = BUF_INIT;
    if (text) str_to_int64(str_of(text), &tries);
    if (tries < 0 || tries > 4) tries = 4;
    buf_addf(&next, "%lld", tries + 1);
    if (s->traits) s->traits->set(s->traits, "fe2.tries", buf_cstr(&next));
    s->env->random(s->env, &chance, sizeof chance);
    int64_t base = repeat == LATER ? later[tries] : soon[tries];
    return base + base / 5 * (chance % 1000) / 1000;
}

static void forget_tries(struct session *s)
{
    char *text AUTO_FREE = s->traits ? s->traits->get(s->traits, "fe2.tries") : NULL;
    if (text && strcmp(text, "0") != 0) s->traits->set(s->traits, "fe2.tries", "0");
}

/* A line FE2 may name the person in, without what a terminal would obey. */
static void add_reason(const struct http_exchange *x, struct buf *out)
{
    size_t n = x->text.len < 200 ? x->text.len : 200;
    if (!n || (x->type && !str_starts_nocase(str_of(x->type), STR("text/plain")) &&
               !str_starts_nocase(str_of(x->type), STR("application/json"))))
        return;
    buf_adds(out, ": ");
    for (size_t i = 0; i < n; i++) buf_addc(out, (unsigned char)x->text.data[i] < ' ' ? ' ' : x->text.data[i]);
    while (out->len && ((unsigned char)out->data[out->len - 1] & 0xc0) == 0x80 && n == 200)
        buf_truncate(out, out->len - 1);
}

static enum fault_code answered(struct session *s, const struct http_exchange *x, size_t n, struct fault *f)
{
    const struct answer *a = answer_of(x->status);
    struct buf what AUTO_BUF = BUF_INIT;
    if (!f || f->code) return a->code;
    buf_addf(&what, "%d, %s", x->status, _(a->what));
    if (x->status == 403 && s->quota)
        buf_addf(&what, _(" (%zu in the list, fe2.quota says %" PRId64 ")"), n, s->quota);
    else if (x->status == 403)
        buf_addf(&what, _(" (%zu in the list)"), n);
    if (x->status == 412 || x->status == 400 || x->status == 422) add_reason(x, &what);
    fault_set(f, a->code, _(a->advice), "%s", buf_cstr(&what));
    f->http_status = x->status;
    if (a->repeat == SOON || a->repeat == LATER) f->retry_after_ms = wait_ms(s, a->repeat);
    f->lasts = a->repeat == WHEN_CHANGED || (a->repeat == LATER && !f->retry_after_ms);
    return a->code;
}

/* Sent, and nobody knows what became of it. The list is complete, so sending it again does no harm; the first may still
 * be at work. */
static enum fault_code unanswered(struct fault *f)
{
    if (f) fault_clear(f);
    fault_set(f, FAULT_UNREACHABLE, _("the next run sends the list again, which does no harm"),
              _("the list was sent and no answer came"));
    if (f) f->retry_after_ms = UNANSWERED_MS;
    return FAULT_UNREACHABLE;
}

/* What a proxy's sign-in page, or the web interface at a wrong address, answers to everything: not the sync. */
static bool is_page(const struct http_exchange *x)
{
    struct str text = str_trim(buf_str(&x->text));
    return str_starts_nocase(text, STR("<!doctype html")) || str_starts_nocase(text, STR("<html"));
}

static enum fault_code concluded(struct session *s, struct http_exchange *x, enum fault_code code, size_t n,
                                 struct fault *f)
{
    if (code == FAULT_CANCELLED) return code;
    if (x->status == 200 && is_page(x)) {
        if (f) fault_clear(f);
        return fault_set(f, FAULT_PROTOCOL, _("is url that of FE2 itself, and is no sign-in page before it?"),
                         _("a web page answered, so it is not known whether FE2 has the list"));
    }
    if (x->status == 200) {
        if (f) fault_clear(f);
        s->was_answered = true;
        forget_tries(s);
        return FAULT_NONE; /* whatever came of the body: FE2 documents none */
    }
    if (x->status) {
        if (f) fault_clear(f);
        return answered(s, x, n, f);
    }
    if (code == FAULT_UNKNOWN || code == FAULT_INCOMPLETE) return unanswered(f);
    if (code == FAULT_UNREACHABLE && f && !f->retry_after_ms) f->retry_after_ms = wait_ms(s, SOON);
    return code ? code : unanswered(f);
}

/* -- the list -- */

static enum fault_code fe2_render(struct session *s, const struct record *r, struct str id, struct str before,
                                  struct arena *arena, struct pushed *out, struct fault *f)
{
    struct fe2_person p;
    enum fault_code code = fe2_person(&s->rules, r, id, before, arena, &p, f);
    if (code) return code;
    *out = (struct pushed){.id = id,
                           .title = p.title,
                           .body = p.body,
                           .who = p.who,
                           .vital = (p.in_groups ? VITAL_GROUPS : 0u) | (p.has_pager ? VITAL_PAGER : 0u),
                           .warning = p.warning,
                           .stops = p.stops};
    return FAULT_NONE;
}

static void lost(struct session *s, struct str before, struct str now, struct buf *out)
{
    (void)s;
    fe2_lost(before, now, out);
}

static enum fault_code fits(struct session *s, size_t n, struct fault *f)
{
    if (!s->quota || (int64_t)n <= s->quota) return FAULT_NONE;
    return fault_set(f, FAULT_QUOTA, _("have the quota raised in FE2, or narrow the link's filter; nothing was sent"),
                     _("%zu persons are in the list and fe2.quota allows %" PRId64), n, s->quota);
}

static void list_body(const struct session *s, const struct pushed *list, size_t n, struct buf *out)
{
    json_t *source = json_string(s->source);
    char *name = json_dumps(source, JSON_ENCODE_ANY);
    buf_addf(out, "{\"source\":%s,\"personList\":[", name ? name : "\"\"");
    for (size_t i = 0; i < n; i++) {
        if (i) buf_addc(out, ',');
        buf_addstr(out, list[i].body);
    }
    buf_adds(out, "]}");
    free(name);
    json_decref(source);
}

static enum fault_code fe2_send(struct session *s, const struct pushed *list, size_t n, struct fault *f)
{
    struct buf url AUTO_BUF = BUF_INIT, body AUTO_BUF = BUF_INIT;
    buf_addf(&url, "%s" SYNC_PATH, s->base);
    list_body(s, list, n, &body);
    struct http_exchange x = {.method = "POST",
                              .url = buf_cstr(&url),
                              .content_type = "application/json",
                              .body = buf_str(&body),
                              .patience_s = PATIENCE_S,
                              .limit_bytes = ANSWER_MAX_BYTES};
    enum fault_code code = concluded(s, &x, http_do(s->http, &x, f), n, f);
    http_clear(&x);
    return code;
}

/* -- one person (fe2 5.2): for erasure requests; never beside a sync, which the link's turn sees to -- */

static void add_encoded(struct str id, struct buf *out)
{
    for (size_t i = 0; i < id.n; i++) {
        unsigned char c = (unsigned char)id.p[i];
        bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));
        if (plain)
            buf_addc(out, (char)c);
        else
            buf_addf(out, "%%%02X", c);
    }
}

static enum fault_code fe2_remove(struct session *s, struct str id, struct fault *f)
{
    struct buf url AUTO_BUF = BUF_INIT;
    if (s->rules.version < FE2_DELETE_SINCE)
        return fault_set(f, FAULT_UNSUPPORTED, _("take the person out of the list; FE2 then marks it as deleted"),
                         _("FE2 deletes single persons since 2.36"));
    buf_addf(&url, "%s" PERSON_PATH, s->base);
    add_encoded(id, &url);
    struct http_exchange x = {
        .method = "DELETE", .url = buf_cstr(&url), .patience_s = PATIENCE_S, .limit_bytes = ANSWER_MAX_BYTES};
    enum fault_code code = http_do(s->http, &x, f);
    bool done = x.status == 200 || x.status == 204 || x.status == 404;
    if (done && f) fault_clear(f);
    s->was_answered = done;
    code = done ? FAULT_NONE : concluded(s, &x, code, 1, f);
    http_clear(&x);
    return code;
}

static void fe2_traffic(struct session *s, int64_t *requests, int64_t *bytes_in, int64_t *bytes_out)
{
    http_traffic(s->http, requests, bytes_in, bytes_out);
}

static const struct push push = {
    .strict = true, .render = fe2_render, .lost = lost, .fits = fits, .send = fe2_send, .remove = fe2_remove};

const struct connector connector_fe2 = {
    .name = "fe2",
    .capabilities = NO_COLLECTIONS,
    .settings = settings,
    .push = &push,
    .open = fe2_open,
    .close = fe2_close,
    .discover = fe2_discover,
    .select = fe2_select,
    .traffic = fe2_traffic,
};
