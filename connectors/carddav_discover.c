/* From any address to the address books (protocols carddav 1; RFC 6764). */
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/carddav_session.h"
#include "connectors/dns.h"
#include "connectors/site.h"

#include <stdlib.h>

#define HOMES_MAX 8

struct finding {
    struct session *s;
    const char *entered; /* where it began: what may be asked elsewhere follows from it */
    const char *url;     /* of the request being answered */
    struct collections *books;
    struct buf homes[HOMES_MAX]; /* absolute URLs */
    size_t n_homes;
    struct buf principal; /* absolute URL; empty = none */
    bool unauthenticated, is_dav;
    int status;          /* of the last answer; 0 = none */
    struct fault misled; /* a redirect that must not be followed: says more than that nothing was found */
};

static void finding_clear(struct finding *g)
{
    for (size_t i = 0; i < g->n_homes; i++) buf_free(&g->homes[i]);
    buf_free(&g->principal);
    fault_clear(&g->misled);
}

/* -- reading a book -- */

static struct str last_segment(struct str path)
{
    while (path.n > 1 && path.p[path.n - 1] == '/') path.n--;
    size_t start = path.n;
    while (start > 0 && path.p[start - 1] != '/') start--;
    return (struct str){path.p + start, path.n - start};
}

static bool has_word(struct str words, const char *word)
{
    struct str rest = words;
    while (rest.n)
        if (str_eq(str_split(&rest, ' '), str_of(word))) return true;
    return false;
}

/* No privilege that writes: read-only. Not told: assume it can be written, and learn otherwise from the first 403. */
static bool is_read_only(const struct dav_response *r)
{
    const struct dav_property *p = &r->properties[PROP_PRIVILEGES];
    if (p->status != 200 || !has_word(p->names, "privilege")) return false;
    return !has_word(p->names, "write") && !has_word(p->names, "write-content") && !has_word(p->names, "bind") &&
           !has_word(p->names, "all");
}

static unsigned versions_of(const struct dav_response *r)
{
    const struct dav_property *p = &r->properties[PROP_VERSIONS];
    if (p->status != 200 || !p->attributes.n) return WRITE_V30;
    bool three = str_find(p->attributes, STR("version=3")) != (size_t)-1,
         four = str_find(p->attributes, STR("version=4")) != (size_t)-1;
    return (three || !four ? WRITE_V30 : 0) | (four ? WRITE_V40 : 0);
}

static int64_t number_of(struct str s)
{
    long long n;
    return str_to_int64(s, &n) && n > 0 ? n : 0;
}

bool carddav_read_book(const char *request_url, const struct dav_response *r, struct collection *out, bool *has_sync)
{
    const struct dav_property *type = &r->properties[PROP_TYPE];
    if (type->status != 200 || !has_word(type->names, "addressbook")) return false;
    struct buf path AUTO_BUF = BUF_INIT;
    url_href_path(str_of(request_url), r->href, &path);
    struct str name = dav_value(r, PROP_NAME);
    if (!name.n) name = last_segment(buf_str(&path));
    *out = (struct collection){.name = mem_strndup(name.p, name.n),
                               .path = buf_detach(&path),
                               .kind = RECORD_CONTACT,
                               .read_only = is_read_only(r),
                               .records = -1,
                               .versions = versions_of(r),
                               .max_record_bytes = number_of(dav_value(r, PROP_MAX_BYTES))};
    *has_sync = has_word(r->properties[PROP_REPORTS].names, "sync-collection") || dav_value(r, PROP_TOKEN).n > 0;
    return true;
}

/* -- reading what a resource says of where things are -- */

static void add_homes(struct finding *g, struct str hrefs)
{
    while (hrefs.n && g->n_homes < HOMES_MAX) {
        struct str href = str_split(&hrefs, '\n');
        if (!href.n) continue;
        struct buf url AUTO_BUF = BUF_INIT;
        if (!url_resolve(str_of(g->url), href, &url)) continue;
        bool known = false;
        for (size_t i = 0; i < g->n_homes; i++) known |= str_eq(buf_str(&g->homes[i]), buf_str(&url));
        if (!known) buf_addstr(&g->homes[g->n_homes++], buf_str(&url));
    }
}

static void add_book(struct finding *g, const struct dav_response *r)
{
    struct collection book;
    bool has_sync;
    if (!carddav_read_book(g->url, r, &book, &has_sync)) return;
    for (size_t i = 0; i < g->books->n; i++) {
        if (strcmp(g->books->items[i].path, book.path) != 0) continue;
        free(book.name);
        free(book.path);
        return;
    }
    g->books->items = mem_realloc(g->books->items, (g->books->n + 1) * sizeof *g->books->items);
    g->books->items[g->books->n++] = book;
}

static enum fault_code read_one(void *ctx, const struct dav_response *r, struct fault *f)
{
    struct finding *g = ctx;
    (void)f;
    g->is_dav = true;
    add_book(g, r);
    if (r->properties[PROP_HOME].status == 200) add_homes(g, r->properties[PROP_HOME].hrefs);
    const struct dav_property *me = &r->properties[PROP_PRINCIPAL];
    if (me->status == 200 && has_word(me->names, "unauthenticated")) g->unauthenticated = true;
    if (me->status == 200 && me->hrefs.n && !g->principal.len) {
        struct str rest = me->hrefs;
        url_resolve(str_of(g->url), str_split(&rest, '\n'), &g->principal);
    }
    return FAULT_NONE;
}

/* Asks one address; what it says is added to the finding. After redirects hrefs are relative to where the answer came
 * from, which is known only when it is complete: so the address is asked for first. */
static enum fault_code ask(struct finding *g, const char *url, enum carddav_ask what, const char *depth,
                           struct fault *f)
{
    if (!site_may_know(str_of(g->entered), str_of(url)))
        return fault_set(f, FAULT_AUTH, _("if both belong to you, give the account that address"),
                         _("%s leads to %s, which is another site and gets no password"), g->entered, url);
    struct buf body AUTO_BUF = BUF_INIT;
    struct buf at AUTO_BUF = BUF_INIT;
    carddav_propfind(&body, what);
    buf_adds(&at, url);
    for (int hop = 0; hop < 2; hop++) {
        const struct multistatus_sink sink = {g, read_one};
        struct dav_request r = {
            .method = "PROPFIND", .url = buf_cstr(&at), .depth = depth, .body = buf_str(&body), .sink = &sink};
        struct collections before = *g->books;
        size_t homes = g->n_homes;
        g->url = buf_cstr(&at);
        enum fault_code code = dav_do(g->s, &r, f);
        g->status = r.status;
        if (code == FAULT_PROTOCOL && g->status / 100 == 3 && f && !g->misled.code) fault_copy(&g->misled, f);
        bool moved = !code && strcmp(buf_cstr(&r.final_url), buf_cstr(&at)) != 0;
        if (moved) {
            buf_reset(&at);
            buf_addstr(&at, buf_str(&r.final_url));
            while (g->books->n > before.n) { /* read against the wrong address */
                free(g->books->items[--g->books->n].name);
                free(g->books->items[g->books->n].path);
            }
            while (g->n_homes > homes) buf_free(&g->homes[--g->n_homes]);
            buf_reset(&g->principal);
        }
        dav_request_clear(&r);
        if (code || !moved) return code;
    }
    return FAULT_NONE;
}

static bool found_something(const struct finding *g)
{
    return g->books->n || g->n_homes || g->principal.len;
}

/* Is it worth trying the next address? Not if somebody said who we are not, or nobody answers: each further try counts
 * as a wrong password somewhere. Only what is well known is not known well everywhere: there any answer means "not
 * here". */
static bool goes_on(const struct finding *g, enum fault_code code, size_t tried)
{
    if (code == FAULT_AUTH) return tried == 1;
    if (code == FAULT_UNREACHABLE) return g->status >= 500;
    return code <= FAULT_COLLECTION_LAST;
}

/* -- where to begin -- */

static const char *const entry_paths[] = {
    "/.well-known/carddav", "/", "/remote.php/dav/", "/dav.php/", "/dav/", "/SOGo/dav/", "/caldav.php/", "/carddav/"};

static void starting_url(const struct session *s, struct buf *out)
{
    struct url u;
    const char *given = s->account->url;
    if (url_parse(str_of(given), &u)) {
        buf_adds(out, given);
        if (!u.path.n) buf_addc(out, '/');
        return;
    }
    struct str host = str_of(given); /* "anna@example.org" or "example.org" */
    for (size_t i = 0; i < host.n; i++)
        if (host.p[i] == '@') {
            host = (struct str){host.p + i + 1, host.n - i - 1};
            break;
        }
    if (!dns_service("_carddavs._tcp", host, NULL, out)) buf_addf(out, "https://%.*s/", STR_ARG(host));
}

static bool has_path(const char *url)
{
    struct url u;
    return url_parse(str_of(url), &u) && u.path.n > 1;
}

static enum fault_code try_entries(struct finding *g, const char *start, struct fault *f)
{
    struct buf origin AUTO_BUF = BUF_INIT;
    enum fault_code code = FAULT_NONE;
    if (has_path(start)) code = ask(g, start, ASK_ENTRY, "0", f);
    url_origin(str_of(start), &origin);
    for (size_t i = 0; i < sizeof entry_paths / sizeof *entry_paths && !found_something(g) && goes_on(g, code, i);
         i++) {
        struct buf url AUTO_BUF = BUF_INIT;
        buf_addf(&url, "%s%s", buf_cstr(&origin), entry_paths[i]);
        fault_clear(f);
        code = ask(g, buf_cstr(&url), ASK_ENTRY, "0", f);
    }
    if (!found_something(g) && !(g->is_dav && code <= FAULT_COLLECTION_LAST)) return code;
    fault_clear(f);
    return FAULT_NONE;
}

static enum fault_code ask_homes(struct finding *g, struct fault *f)
{
    enum fault_code code = FAULT_NONE;
    for (size_t i = 0; !code && i < g->n_homes; i++) {
        struct buf home AUTO_BUF = BUF_INIT;
        buf_addstr(&home, buf_str(&g->homes[i]));
        code = ask(g, buf_cstr(&home), ASK_BOOKS, "1", f);
    }
    return code;
}

/* The principal names the home; some servers have neither and are both themselves (DavMail, Synology). */
static enum fault_code ask_principal(struct finding *g, const char *start, struct fault *f)
{
    struct buf url AUTO_BUF = BUF_INIT;
    buf_addstr(&url, g->principal.len ? buf_str(&g->principal) : str_of(start));
    enum fault_code code = ask(g, buf_cstr(&url), ASK_PRINCIPAL, "0", f);
    if (!code && !g->n_homes) buf_addstr(&g->homes[g->n_homes++], buf_str(&url));
    return code;
}

/* Paths are relative to where the books are: the origin of the home, or of the book that was asked for itself. */
static void learn_origin(struct session *s, const struct finding *g, const char *start)
{
    struct buf origin AUTO_BUF = BUF_INIT;
    if (url_origin(g->n_homes ? buf_str(&g->homes[0]) : str_of(start), &origin))
        s->traits->set(s->traits, "origin", buf_cstr(&origin));
}

/* What lies on another host than the rest is named by its whole URL. */
static void name_by_origin(struct finding *g)
{
    struct buf first AUTO_BUF = BUF_INIT;
    if (g->n_homes < 2 || !url_origin(buf_str(&g->homes[0]), &first)) return;
    for (size_t i = 0; i < g->books->n; i++) {
        char **path = &g->books->items[i].path;
        if (!str_starts(str_of(*path), buf_str(&first))) continue;
        char *rest = mem_strdup(*path + first.len);
        free(*path);
        *path = rest;
    }
}

static enum fault_code find_all(struct finding *g, const char *start, struct fault *f)
{
    enum fault_code code = try_entries(g, start, f);
    if (code) return code;
    if (g->unauthenticated && !g->n_homes && !g->books->n)
        return fault_set(f, FAULT_AUTH, _("check user and password: abgleich secret set"),
                         _("the server does not know who we are"));
    if (!g->n_homes && !g->books->n) code = ask_principal(g, start, f);
    if (!code && g->n_homes && !(has_path(start) && g->books->n)) code = ask_homes(g, f);
    return code;
}

enum fault_code carddav_discover(struct session *s, struct collections *out, struct fault *f)
{
    struct finding g = {.s = s, .books = out};
    struct buf start AUTO_BUF = BUF_INIT;
    starting_url(s, &start);
    g.entered = buf_cstr(&start);
    enum fault_code code = find_all(&g, buf_cstr(&start), f);
    if (code && code <= FAULT_COLLECTION_LAST) { /* what one of many addresses answered says little */
        fault_clear(f);
        code = FAULT_NONE;
    }
    if (!code && !out->n && g.misled.code) fault_copy(f, &g.misled);
    if (!code && !out->n)
        code = g.misled.code ? g.misled.code
                             : fault_set(f, g.is_dav ? FAULT_NO_COLLECTION : FAULT_PROTOCOL,
                                         _("check the address; the server's help page names its CardDAV address"),
                                         _("there is no address book at %s"), buf_cstr(&start));
    if (!code) {
        learn_origin(s, &g, buf_cstr(&start));
        name_by_origin(&g);
    } else
        collections_free(out);
    finding_clear(&g);
    return code;
}
