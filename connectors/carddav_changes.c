/* What changed: by sync-collection, by ctag, by listing (protocols carddav 4). Tokens of ours are "sync:TOKEN" or
 * "ctag:CTAG". */
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/carddav_session.h"

#include <stdlib.h>

#define PAGES_MAX 10000

/* SOGo keeps its distribution lists (text/x-vlist) among the cards. */
static bool is_card(const struct dav_response *r)
{
    struct str type = dav_value(r, PROP_CONTENT_TYPE);
    if (type.n && str_find(type, STR("vlist")) != (size_t)-1) return false;
    if (r->properties[PROP_TYPE].status == 200 &&
        str_find(r->properties[PROP_TYPE].names, STR("collection ")) != (size_t)-1)
        return false;
    return !type.n ||
           (str_find(type, STR("calendar")) == (size_t)-1 && str_find(type, STR("unix-directory")) == (size_t)-1);
}

static struct str without_slash(struct str s)
{
    while (s.n > 1 && s.p[s.n - 1] == '/') s.n--;
    return s;
}

static bool is_book_itself(const struct session *s, const struct buf *path)
{
    return str_eq(without_slash(buf_str(path)), without_slash(str_of(s->about.path)));
}

static bool says_gone(int status)
{
    return status == 404 || status == 410;
}

enum fault_code carddav_entry(struct session *s, const char *url, const struct dav_response *r, const struct sink *sink,
                              bool *counts, bool *had_body)
{
    struct buf path AUTO_BUF = BUF_INIT;
    *counts = false;
    carddav_path(s, str_of(url), r->href, &path);
    if (!r->href.n || is_book_itself(s, &path) || path.data[path.len - 1] == '/' || !is_card(r)) return FAULT_NONE;
    const struct dav_property *data = &r->properties[PROP_DATA];
    struct entry e = {.id = buf_str(&path), .gone = says_gone(r->status)};
    /* Any other failure of one resource (3.5), and an etag that is not told, say only that it is there: to leave it out
     * would make it absent. A fetch passes on nothing without a body. */
    struct str etag = dav_value(r, PROP_ETAG);
    if (!e.gone && etag.n) e.version = etag;
    if (!e.gone && data->status == 200 && str_trim(data->text).n) e.body = data->text;
    *counts = true;
    if (had_body && e.body.p) *had_body = true;
    return sink->entry(sink->ctx, &e);
}

/* -- one answer -- */

struct reading {
    struct session *s;
    const char *url;
    const struct sink *sink;
    int64_t entries;
    bool bodies, truncated;
};

static enum fault_code read_one(void *ctx, const struct dav_response *r, struct fault *f)
{
    struct reading *g = ctx;
    bool counts;
    (void)f;
    if (r->status == 507) {
        g->truncated = true;
        return FAULT_NONE;
    }
    enum fault_code code = carddav_entry(g->s, g->url, r, g->sink, &counts, &g->bodies);
    g->entries += counts;
    return code;
}

/* -- sync-collection -- */

static bool token_is_dead(const struct dav_request *r)
{
    switch (r->status) {
    case 403:
    case 409:
        return dav_error_names(buf_str(&r->error_text), "valid-sync-token");
    case 400:
    case 410:
    case 412:
    case 500:
        return true;
    default:
        return false;
    }
}

static bool is_not_offered(const struct dav_request *r)
{
    return r->status == 501 || r->status == 405 || r->status == 415 || r->status == 404 || r->status == 410 ||
           (r->status == 403 && !dav_error_names(buf_str(&r->error_text), "valid-sync-token"));
}

/* A first question that is refused (Google: 400) or breaks the server (some books of Nextcloud): the listing may work.
 */
static bool is_not_begun(const struct dav_request *r)
{
    return r->status == 400 || r->status == 500 || is_not_offered(r);
}

/* "data:,7-12" after "data:,7-15": the server was restored from a backup, so its changes since then are not those since
 * our token. */
static bool went_back(struct str old, struct str new)
{
    size_t a = old.n, b = new.n;
    while (a && old.p[a - 1] >= '0' && old.p[a - 1] <= '9') a--;
    while (b && new.p[b - 1] >= '0' && new.p[b - 1] <= '9') b--;
    long long was, is;
    return a == b && (!a || memcmp(old.p, new.p, a) == 0) && str_to_int64((struct str){old.p + a, old.n - a}, &was) &&
           str_to_int64((struct str){new.p + b, new.n - b}, &is) && is < was;
}

/* SOGo's tokens are Unix seconds: what else changes in the second of an answer would be in no answer at all. Asked for
 * is the second before, so that it is told twice rather than never (4). */
static void add_asked_token(struct str token, struct buf *out)
{
    long long second;
    bool is_second = token.n == 10 && token.p[0] != '-' && str_to_int64(token, &second);
    if (is_second)
        buf_addf(out, "%lld", second - 1);
    else
        buf_addstr(out, token);
}

static enum fault_code sync_pages(struct session *s, struct reading *g, struct buf *token, bool data, int *status,
                                  struct fault *f)
{
    const struct multistatus_sink sink = {g, read_one};
    for (int page = 0; page < PAGES_MAX; page++) {
        struct buf body AUTO_BUF = BUF_INIT;
        struct buf asked AUTO_BUF = BUF_INIT;
        add_asked_token(buf_str(token), &asked);
        carddav_sync(&body, buf_str(&asked), data ? carddav_data_of(s) : DATA_NONE);
        struct dav_request r = {.method = "REPORT", .url = g->url, .depth = "0", .body = buf_str(&body), .sink = &sink};
        g->truncated = false;
        enum fault_code code = dav_do(s, &r, f);
        *status = r.status;
        if (code && token->len && token_is_dead(&r))
            code = FAULT_TOKEN_DEAD;
        else if (code && (token->len ? is_not_offered(&r) : is_not_begun(&r)))
            code = FAULT_UNSUPPORTED;
        if (!code && !r.token.len)
            code = fault_set(f, FAULT_INCOMPLETE, _("nothing is concluded from it; the next run asks again"),
                             _("the answer came without a new token"));
        bool moved = !str_eq(buf_str(&r.token), buf_str(token));
        if (!code) {
            buf_reset(token);
            buf_addstr(token, buf_str(&r.token));
        }
        dav_request_clear(&r);
        if (code || !g->truncated) return code;
        if (!moved) break;
    }
    return fault_set(f, FAULT_INCOMPLETE, _("nothing is concluded from it; the next run asks again"),
                     _("the list of changes does not end"));
}

/* Asks for the cards along with the changes where the server is not known to leave them out. */
static bool wants_data(struct session *s)
{
    char *known AUTO_FREE = s->traits->get(s->traits, "sync-data");
    return !known || strcmp(known, "no") != 0;
}

static void learn_data(struct session *s, const struct reading *g)
{
    if (!g->entries) return;
    char *known AUTO_FREE = s->traits->get(s->traits, "sync-data");
    const char *now = g->bodies ? "yes" : "no";
    if (!known) s->traits->set(s->traits, "sync-data", now);
}

static bool is_spoilt(enum fault_code code)
{
    return code == FAULT_PROTOCOL || code == FAULT_TOO_LARGE;
}

static enum fault_code by_sync(struct session *s, struct str token, bool bodies, const char *url,
                               const struct sink *sink, struct changes *out, struct fault *f)
{
    struct reading g = {.s = s, .url = url, .sink = sink};
    struct buf next AUTO_BUF = BUF_INIT;
    int status = 0;
    buf_addstr(&next, token);
    bool data = bodies && wants_data(s);
    enum fault_code code = sink->begin(sink->ctx, !token.n);
    if (!code) code = sync_pages(s, &g, &next, data, &status, f);
    if (data &&
        is_spoilt(
            code)) { /* one card may spoil the whole answer: without cards it is asked for again, and they one by one */
        fault_clear(f);
        data = false;
        g = (struct reading){.s = s, .url = url, .sink = sink};
        buf_reset(&next);
        buf_addstr(&next, token);
        code = sink->begin(sink->ctx, !token.n);
        if (!code) code = sync_pages(s, &g, &next, data, &status, f);
    }
    if (!code && went_back(token, buf_str(&next)))
        code = fault_set(f, FAULT_TOKEN_DEAD, NULL, _("the server went back to an earlier state"));
    if (code) return code;
    if (data && (!token.n || g.bodies)) learn_data(s, &g);
    if (!token.n) s->listed = g.entries;
    struct buf kept AUTO_BUF = BUF_INIT;
    buf_addf(&kept, "sync:%s", buf_cstr(&next));
    *out = (struct changes){.full = !token.n, .complete = true, .token = buf_detach(&kept)};
    return FAULT_NONE;
}

/* -- ctag and listing -- */

static enum fault_code read_state(void *ctx, const struct dav_response *r, struct fault *f)
{
    struct buf *ctag = ctx;
    (void)f;
    if (!ctag->len) buf_addstr(ctag, dav_value(r, PROP_CTAG));
    return FAULT_NONE;
}

static enum fault_code ask_ctag(struct session *s, const char *url, struct buf *ctag, struct fault *f)
{
    struct buf body AUTO_BUF = BUF_INIT;
    carddav_propfind(&body, ASK_STATE);
    const struct multistatus_sink sink = {ctag, read_state};
    struct dav_request r = {.method = "PROPFIND", .url = url, .depth = "0", .body = buf_str(&body), .sink = &sink};
    enum fault_code code = dav_do(s, &r, f);
    dav_request_clear(&r);
    return code;
}

static enum fault_code list_members(struct session *s, const char *url, const struct sink *sink, struct fault *f)
{
    struct reading g = {.s = s, .url = url, .sink = sink};
    struct buf body AUTO_BUF = BUF_INIT;
    carddav_propfind(&body, ASK_MEMBERS);
    const struct multistatus_sink members = {&g, read_one};
    struct dav_request r = {.method = "PROPFIND", .url = url, .depth = "1", .body = buf_str(&body), .sink = &members};
    enum fault_code code = sink->begin(sink->ctx, true);
    if (!code) code = dav_do(s, &r, f);
    if (!code && g.truncated)
        code = fault_set(f, FAULT_INCOMPLETE, _("nothing is concluded from it; the next run asks again"),
                         _("the server cut its list short"));
    dav_request_clear(&r);
    s->listed = g.entries;
    return code;
}

/* The ctag is asked for before the listing: what changes in between is seen twice, never missed. */
static enum fault_code by_listing(struct session *s, struct str known_ctag, const char *url, const struct sink *sink,
                                  struct changes *out, struct fault *f)
{
    struct buf ctag AUTO_BUF = BUF_INIT;
    enum fault_code code = ask_ctag(s, url, &ctag, f);
    if (code) return code;
    bool same = ctag.len && str_eq(buf_str(&ctag), known_ctag);
    code = same ? sink->begin(sink->ctx, false) : list_members(s, url, sink, f);
    if (code) return code;
    struct buf kept AUTO_BUF = BUF_INIT;
    if (ctag.len) buf_addf(&kept, "ctag:%s", buf_cstr(&ctag));
    *out = (struct changes){.full = !same, .complete = true, .token = ctag.len ? buf_detach(&kept) : NULL};
    return FAULT_NONE;
}

/* Per book: Nextcloud's recently contacted people have no sync report, the books beside them do. */
static void sync_key(const struct session *s, struct buf *out)
{
    buf_addf(out, "sync:%s", s->about.path);
}

static bool sync_is_known_to_fail(struct session *s)
{
    struct buf key AUTO_BUF = BUF_INIT;
    sync_key(s, &key);
    char *known AUTO_FREE = s->traits->get(s->traits, buf_cstr(&key));
    return known && strcmp(known, "no") == 0;
}

static enum fault_code list_without_sync(struct session *s, const char *url, const struct sink *sink,
                                         struct changes *out, struct fault *f)
{
    enum fault_code code = by_listing(s, STR_NONE, url, sink, out, f);
    struct buf key AUTO_BUF = BUF_INIT;
    sync_key(s, &key);
    if (!code) s->traits->set(s->traits, buf_cstr(&key), "no");
    return code;
}

/* The whole book, by whatever works. A first import wants the cards as well. */
static enum fault_code everything(struct session *s, bool bodies, const char *url, const struct sink *sink,
                                  struct changes *out, struct fault *f)
{
    if (s->has_sync && !sync_is_known_to_fail(s)) {
        enum fault_code code = by_sync(s, STR_NONE, bodies, url, sink, out, f);
        if (code != FAULT_UNSUPPORTED && code != FAULT_TOKEN_DEAD) return code;
        fault_clear(f);
        return list_without_sync(s, url, sink, out, f);
    }
    return by_listing(s, STR_NONE, url, sink, out, f);
}

static struct str after(struct str token, struct str prefix)
{
    return str_starts(token, prefix) ? (struct str){token.p + prefix.n, token.n - prefix.n} : STR_NONE;
}

static enum fault_code by_token(struct session *s, struct str token, const char *url, const struct sink *sink,
                                struct changes *out, struct fault *f)
{
    struct str sync = after(token, STR("sync:")), ctag = after(token, STR("ctag:"));
    if (ctag.n) return by_listing(s, ctag, url, sink, out, f);
    if (!sync.n) return everything(s, true, url, sink, out, f);
    enum fault_code code = by_sync(s, sync, true, url, sink, out, f);
    if (code != FAULT_TOKEN_DEAD && code != FAULT_UNSUPPORTED) return code;
    fault_clear(f);
    return everything(s, false, url, sink, out, f);
}

enum fault_code carddav_changes(struct session *s, const char *token, bool list, const struct sink *sink,
                                struct changes *out, struct fault *f)
{
    struct buf url AUTO_BUF = BUF_INIT;
    carddav_url(s, str_of(s->about.path), &url);
    enum fault_code code = list ? everything(s, !token, buf_cstr(&url), sink, out, f)
                                : by_token(s, str_of(token), buf_cstr(&url), sink, out, f);
    if (code != FAULT_GONE) return code;
    fault_clear(f);
    return fault_set(f, FAULT_NO_COLLECTION, _("`abgleich discover` shows what is there"),
                     _("the address book is not there any more"));
}
