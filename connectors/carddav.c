#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/carddav_session.h"
#include "connectors/registry.h"

#include <stdio.h>
#include <stdlib.h>

const struct dav_wanted carddav_wanted[PROP_COUNT] = {
    [PROP_ETAG] = {NS_DAV, "getetag"},
    [PROP_DATA] = {NS_CARDDAV, "address-data"},
    [PROP_TYPE] = {NS_DAV, "resourcetype"},
    [PROP_CONTENT_TYPE] = {NS_DAV, "getcontenttype"},
    [PROP_NAME] = {NS_DAV, "displayname"},
    [PROP_PRINCIPAL] = {NS_DAV, "current-user-principal"},
    [PROP_HOME] = {NS_CARDDAV, "addressbook-home-set"},
    [PROP_PRIVILEGES] = {NS_DAV, "current-user-privilege-set"},
    [PROP_REPORTS] = {NS_DAV, "supported-report-set"},
    [PROP_CTAG] = {NS_CALENDARSERVER, "getctag"},
    [PROP_TOKEN] = {NS_DAV, "sync-token"},
    [PROP_VERSIONS] = {NS_CARDDAV, "supported-address-data"},
    [PROP_MAX_BYTES] = {NS_CARDDAV, "max-resource-size"},
};

/* -- requests -- */

struct str dav_value(const struct dav_response *r, int property)
{
    const struct dav_property *p = &r->properties[property];
    return p->status >= 200 && p->status < 300 ? str_trim(p->text) : STR_NONE;
}

void dav_request_clear(struct dav_request *r)
{
    buf_free(&r->token);
    buf_free(&r->error_text);
    buf_free(&r->final_url);
}

static enum fault_code feed(void *ctx, struct str bytes, struct fault *f)
{
    return multistatus_feed(ctx, bytes, f);
}

static enum fault_code answer_fault(struct dav_request *r, const struct http_exchange *x, struct fault *f)
{
    buf_reset(&r->error_text);
    buf_addstr(&r->error_text, buf_str(&x->text));
    if (x->status == 200)
        return fault_set(f, FAULT_PROTOCOL, _("is the address right? try: abgleich account test"),
                         _("the answer is no DAV answer"));
    if (x->status == 412) /* no record of ours is meant */
        return fault_set(f, FAULT_INCOMPLETE, _("the next run tries again"),
                         _("412 Precondition Failed, not the answer that was expected"));
    return http_status_fault(x, f);
}

enum fault_code dav_do(struct session *s, struct dav_request *r, struct fault *f)
{
    char depth[] = "Depth: 0";
    if (r->depth) depth[7] = r->depth[0];
    struct multistatus *m = multistatus_new(carddav_wanted, PROP_COUNT, r->sink, CARDDAV_VALUE_MAX_BYTES);
    struct http_exchange x = {.method = r->method,
                              .url = r->url,
                              .headers = {r->depth ? depth : NULL},
                              .repeatable = true,
                              .content_type = "application/xml; charset=utf-8",
                              .body = r->body,
                              .on_body = feed,
                              .ctx = m};
    enum fault_code code = http_do(s->http, &x, f);
    r->status = x.status;
    r->moved_for_good = x.moved_for_good;
    buf_reset(&r->final_url);
    buf_adds(&r->final_url, x.final_url ? x.final_url : r->url);
    if (!code && x.status != 207)
        code = answer_fault(r, &x, f);
    else if (!code)
        code = multistatus_end(m, f);
    buf_reset(&r->token);
    buf_addstr(&r->token, multistatus_token(m));
    multistatus_free(m);
    http_clear(&x);
    return code;
}

enum carddav_data carddav_data_of(const struct session *s)
{
    return s->about.versions == WRITE_V40 ? DATA_V40 : DATA_PLAIN;
}

void carddav_url(const struct session *s, struct str id, struct buf *out)
{
    struct url whole;
    if (!url_parse(id, &whole)) buf_adds(out, s->origin);
    buf_addstr(out, id);
}

/* The selected book's own path, canonical. */
static void book_path(const struct session *s, struct buf *out)
{
    struct buf url AUTO_BUF = BUF_INIT;
    carddav_url(s, str_of(s->about.path), &url);
    url_href_path(buf_str(&url), buf_str(&url), out);
}

void carddav_path(const struct session *s, struct str url, struct str href, struct buf *out)
{
    size_t start = out->len;
    struct url there;
    if (url_href_path(url, href, out) || !url_parse((struct str){out->data + start, out->len - start}, &there)) return;
    struct buf book AUTO_BUF = BUF_INIT;
    struct buf inside AUTO_BUF = BUF_INIT;
    book_path(s, &book);
    url_canonical_path(there.path, &inside);
    if (!str_starts(buf_str(&inside), buf_str(&book))) return;
    buf_truncate(out, start);
    buf_addstr(out, buf_str(&inside));
}

/* -- sessions -- */

/* The whole address or its local part: servers differ in what they take for a name (1). */
static char *other_form(const struct account *account)
{
    struct str user = str_of(account->user), address = str_of(account->url);
    size_t at = str_find(user, STR("@"));
    if (at != (size_t)-1) return at ? mem_strndup(user.p, at) : NULL;
    bool same = user.n && address.n > user.n + 1 && str_starts(address, user) && address.p[user.n] == '@';
    return same ? mem_strndup(address.p, address.n) : NULL;
}

static enum fault_code carddav_open(const struct account *account, struct traits *traits, struct env *env,
                                    struct session **out, struct fault *f)
{
    *out = NULL;
    if (!account->url || !*account->url)
        return fault_set(f, FAULT_CONFIG, _("url = https://... in the account"), _("the account has no address"));
    struct session *s = mem_calloc(1, sizeof *s);
    s->account = account;
    s->env = env;
    s->traits = traits;
    s->other_user = other_form(account);
    const struct http_settings settings = {.user = account->user,
                                           .other_user = s->other_user,
                                           .password = account->password,
                                           .ca_file = account->ca_file,
                                           .allow_plain_http = account->allow_plain_http,
                                           .gate = account->gate,
                                           .env = env,
                                           .traits = traits};
    s->http = http_open(&settings);
    *out = s;
    return FAULT_NONE;
}

static void forget_book(struct session *s)
{
    free(s->about.name);
    free(s->about.path);
    free(s->origin);
    s->about = (struct collection){0};
    s->origin = NULL;
}

static void carddav_close(struct session *s)
{
    if (!s) return;
    http_close(s->http);
    forget_book(s);
    free(s->other_user);
    free(s);
}

/* -- the selected book: what is known of it is a trait, so that a run which finds nothing to do needs one request -- */

struct about_sink {
    struct session *s;
    const char *url;
    bool found, has_sync;
    struct collection book;
};

static enum fault_code about_one(void *ctx, const struct dav_response *r, struct fault *f)
{
    struct about_sink *a = ctx;
    (void)f;
    if (!a->found) a->found = carddav_read_book(a->url, r, &a->book, &a->has_sync);
    return FAULT_NONE;
}

static enum fault_code ask_about(struct session *s, const char *url, struct fault *f)
{
    struct buf body AUTO_BUF = BUF_INIT;
    carddav_propfind(&body, ASK_BOOKS);
    struct about_sink about = {.s = s, .url = url};
    const struct multistatus_sink sink = {&about, about_one};
    struct dav_request r = {.method = "PROPFIND", .url = url, .depth = "0", .body = buf_str(&body), .sink = &sink};
    enum fault_code code = dav_do(s, &r, f);
    if (code == FAULT_GONE) {
        fault_clear(f);
        code = fault_set(f, FAULT_NO_COLLECTION, _("`abgleich discover` shows what is there"),
                         _("the address book is not there any more"));
    }
    if (!code && !about.found) code = fault_set(f, FAULT_NO_COLLECTION, NULL, _("there is no address book at %s"), url);
    dav_request_clear(&r);
    free(about.book.path);
    if (code) {
        free(about.book.name);
        return code;
    }
    char *path = s->about.path;
    s->about = about.book;
    s->about.path = path;
    s->has_sync = about.has_sync;
    return FAULT_NONE;
}

static void remember_about(struct session *s, const char *key)
{
    struct buf value AUTO_BUF = BUF_INIT;
    buf_addf(&value, "%d %u %lld %d %s", s->about.read_only, s->about.versions, (long long)s->about.max_record_bytes,
             s->has_sync, s->about.name);
    s->traits->set(s->traits, key, buf_cstr(&value));
}

static bool recall_about(struct session *s, const char *key)
{
    char *value AUTO_FREE = s->traits->get(s->traits, key);
    int read_only, sync, at = 0;
    unsigned versions;
    long long max;
    if (!value || sscanf(value, "%d %u %lld %d %n", &read_only, &versions, &max, &sync, &at) < 4 || !at) return false;
    s->about.name = mem_strdup(value + at);
    s->about.kind = RECORD_CONTACT;
    s->about.read_only = read_only != 0;
    s->about.versions = versions;
    s->about.max_record_bytes = max;
    s->about.records = -1;
    s->has_sync = sync != 0;
    return true;
}

/* Paths are relative to where discovery found them; a book elsewhere is named by its whole URL. */
static enum fault_code find_origin(struct session *s, const char *path, struct fault *f)
{
    struct buf origin AUTO_BUF = BUF_INIT;
    struct url whole;
    char *learned AUTO_FREE = s->traits->get(s->traits, "origin");
    struct str base = url_parse(str_of(path), &whole) ? str_of(path)
                      : learned                       ? str_of(learned)
                                                      : str_of(s->account->url);
    if (!url_origin(base, &origin))
        return fault_set(f, FAULT_CONFIG, _("url = https://..."), _("\"%.*s\" is no web address"), STR_ARG(base));
    s->origin = buf_detach(&origin);
    return FAULT_NONE;
}

/* The address as entered, the user, the book's path: not the host that discovery led to, which may change (iCloud's
 * partitions). */
static void add_identity(const struct session *s, struct buf *identity)
{
    struct buf path AUTO_BUF = BUF_INIT;
    if (!url_origin(str_of(s->account->url), identity)) buf_adds(identity, s->account->url);
    book_path(s, &path);
    buf_addf(identity, " %s %s", s->account->user ? s->account->user : "", buf_cstr(&path));
}

static enum fault_code carddav_select(struct session *s, const char *path, const struct collection **about,
                                      struct buf *identity, struct fault *f)
{
    forget_book(s);
    enum fault_code code = find_origin(s, path, f);
    if (code) return code;
    struct buf key AUTO_BUF = BUF_INIT;
    struct buf url AUTO_BUF = BUF_INIT;
    buf_addf(&key, "book:%s", path);
    s->about.path = mem_strdup(path);
    carddav_url(s, str_of(path), &url);
    if (!recall_about(s, buf_cstr(&key))) {
        code = ask_about(s, buf_cstr(&url), f);
        if (code) return code;
        remember_about(s, buf_cstr(&key));
    }
    *about = &s->about;
    add_identity(s, identity);
    return FAULT_NONE;
}

static char *carddav_new_id(struct session *s)
{
    char uuid[UUID_TEXT_BYTES];
    struct buf id AUTO_BUF = BUF_INIT;
    env_uuid4(s->env, uuid);
    book_path(s, &id);
    buf_addf(&id, "%s%s.vcf", str_ends(buf_str(&id), STR("/")) ? "" : "/", uuid);
    return buf_detach(&id);
}

static void carddav_traffic(struct session *s, int64_t *requests, int64_t *bytes_in, int64_t *bytes_out)
{
    http_traffic(s->http, requests, bytes_in, bytes_out);
}

const struct connector connector_carddav = {
    .name = "carddav",
    .capabilities = CAN_TOKEN | CAN_CONDITION,
    .open = carddav_open,
    .close = carddav_close,
    .discover = carddav_discover,
    .select = carddav_select,
    .changes = carddav_changes,
    .fetch = carddav_fetch,
    .new_id = carddav_new_id,
    .write = carddav_write,
    .traffic = carddav_traffic,
};
