#include "server/dav.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "server/dav_impl.h"
#include "server/directory_merged.h"
#include "server/gzip.h"

#include <stdlib.h>

#define XML_BODY_BYTES ((size_t)16 << 20)      /* 50 000 hrefs of a multiget */
#define STRANGER_BODY_BYTES ((size_t)64 << 10) /* of who has not even tried to sign in */
#define GZIP_FROM_BYTES 1400                   /* below that it is one packet anyway */
#define DAV_CLASSES "1, 3, access-control, addressbook, extended-mkcol"
#define METHODS "OPTIONS GET HEAD PUT DELETE MOVE PROPFIND PROPPATCH REPORT MKCOL"
#define UNREADABLE N_("the state cannot be read just now")

struct dav_service *dav_service_new(const struct dav_service_settings *settings)
{
    struct dav_service *s = mem_calloc(1, sizeof *s);
    s->settings = *settings;
    s->settings.region = s->region = mem_strdup(settings->region);
    desks_init(&s->desks, settings->state, settings->max_level, settings->cancel);
    s->logins = logins_new();
    s->rates = rates_new();
    s->seen = seen_new();
    return s;
}

void dav_service_free(struct dav_service *s)
{
    if (!s) return;
    desks_end(&s->desks);
    logins_free(s->logins);
    rates_free(s->rates);
    seen_free(s->seen);
    free(s->region);
    free(s);
}

void dav_refuse(struct dav *d, unsigned status, const char *element, const char *inside)
{
    d->answer->status = status;
    d->answer->type = XML_TYPE;
    buf_reset(&d->answer->body);
    buf_addf(&d->answer->body, XML_HEAD "<d:error " DAV_PREFIXES "><%s>%s</%s></d:error>\n", element,
             inside ? inside : "", element);
}

/* RFC 3744 section 7.1.1 */
bool dav_may_write(struct dav *d, const struct dav_resource *r, const char *privilege)
{
    struct buf inside AUTO_BUF = BUF_INIT;
    if (!r->in->read_only && r->in->source == &dav_store) return true;
    buf_adds(&inside, "<d:resource><d:href>");
    dav_href(d, r, &inside);
    buf_addf(&inside, "</d:href><d:privilege><d:%s/></d:privilege></d:resource>", privilege);
    dav_refuse(d, 403, "d:need-privileges", buf_cstr(&inside));
    return false;
}

/* -- what a path means -- */

/* All that the user sees, in an order that stays: a client may take only the first. */
static void dav_collections(struct dav *d)
{
    dav_store_collections(d);
}

static const struct dav_collection *collection_of(const struct dav *d, struct str id)
{
    for (size_t i = 0; i < d->n_collections; i++)
        if ((!d->only || d->only == &d->collections[i]) &&
            (str_eq(d->collections[i].id, id) || str_eq(d->collections[i].key, id)))
            return &d->collections[i];
    return NULL;
}

/* The next segment; *last: nothing follows it but perhaps a slash. */
static struct str segment(struct str *rest, bool *last)
{
    struct str one = rest->p ? str_split(rest, '/') : STR_NONE;
    *last = !rest->p || !rest->n;
    return one;
}

static struct dav_place card_place(struct dav *d, struct dav_resource book, struct str name)
{
    struct dav_place p = {.r = book, .name = name};
    if (!dav_name_is_ok(name)) return p;
    p.there = book.in->source->find(d, book.in, name, &p.r.card);
    p.may_be = !p.there;
    if (p.there) p.r.kind = DAV_IS_CARD;
    return p;
}

static struct dav_place home_place(struct dav *d, struct str rest, bool last)
{
    struct dav_place p = {.r = {.kind = DAV_IS_HOME}, .there = last};
    if (last) return p;
    struct str id = segment(&rest, &last);
    const struct dav_collection *in = collection_of(d, id);
    if (!in) return (struct dav_place){.r = p.r, .may_be = last && dav_name_is_ok(id), .name = id};
    p.r = (struct dav_resource){.kind = DAV_IS_BOOK, .in = in};
    p.there = last;
    return last ? p : card_place(d, p.r, rest);
}

/* Another user's resources are as if they were not there. Below "principals/USER/" and "book/USER/" stands one
 * collection with a home of its own, for programs that take the first book of an account only. */
struct dav_place dav_place_of(struct dav *d, const char *path)
{
    bool last;
    struct dav_place nowhere = {.there = false};
    d->only = NULL;
    if (strcmp(path, "/dav") == 0) path = DAV_ROOT;
    if (strncmp(path, DAV_ROOT, strlen(DAV_ROOT)) != 0) return nowhere;
    struct str rest = str_of(path + strlen(DAV_ROOT)), kind = segment(&rest, &last);
    if (!kind.n && last) return (struct dav_place){.r = {.kind = DAV_IS_ROOT}, .there = true};
    bool all = str_eq(kind, STR("books")), one = str_eq(kind, STR("book")), who = str_eq(kind, STR("principals"));
    if (!(all || one || who) || last || !str_eq(segment(&rest, &last), d->user.name)) return nowhere;
    if (one || (who && !last)) {
        if (last || !(d->only = collection_of(d, segment(&rest, &last)))) return nowhere;
    }
    if (who) return (struct dav_place){.r = {.kind = DAV_IS_PRINCIPAL}, .there = last};
    return home_place(d, rest, last);
}

/* -- PROPFIND -- */

struct members {
    struct dav *d;
    const struct dav_resource *book;
};

static bool add_member(void *ctx, const struct dav_card *card)
{
    struct members *m = ctx;
    const struct dav_resource r = {.kind = DAV_IS_CARD, .in = m->book->in, .card = *card};
    dav_add_response(m->d, &r, &m->d->answer->body);
    return true;
}

static void add_members(struct dav *d, const struct dav_resource *r)
{
    struct members m = {d, r};
    if (r->kind == DAV_IS_ROOT) {
        const struct dav_resource home = {.kind = DAV_IS_HOME}, principal = {.kind = DAV_IS_PRINCIPAL};
        dav_add_response(d, &principal, &d->answer->body);
        dav_add_response(d, &home, &d->answer->body);
    }
    for (size_t i = 0; r->kind == DAV_IS_HOME && i < d->n_collections; i++) {
        const struct dav_resource book = {.kind = DAV_IS_BOOK, .in = &d->collections[i]};
        if (!d->only || d->only == book.in) dav_add_response(d, &book, &d->answer->body);
    }
    if (r->kind == DAV_IS_BOOK) r->in->source->each(d, r->in, add_member, &m);
}

static bool asks_for_token(const struct dav *d)
{
    for (size_t i = 0; i < d->request.n_props; i++)
        if (strcmp(d->request.props[i].name, "sync-token") == 0) return true;
    return false;
}

void dav_propfind(struct dav *d, const struct dav_resource *r)
{
    const char *depth = http_call_header(d->call, "Depth");
    bool zero = (!depth && r->kind == DAV_IS_CARD) || (depth && strcmp(depth, "0") == 0),
         one = depth && strcmp(depth, "1") == 0;
    if (!zero && !one && r->kind != DAV_IS_CARD) { /* none means infinity (RFC 4918 section 9.1) */
        dav_refuse(d, 403, "d:propfind-finite-depth", NULL);
        return;
    }
    d->answer->status = 207;
    d->answer->type = XML_TYPE;
    buf_adds(&d->answer->body, MULTISTATUS_HEAD);
    dav_add_response(d, r, &d->answer->body);
    if (one) add_members(d, r);
    if (zero && r->kind == DAV_IS_BOOK && asks_for_token(d)) { /* from where it will ask for changes (carddav 9.1) */
        d->told = r->in;
        d->told_seq = r->in->seq;
    }
    buf_adds(&d->answer->body, "</d:multistatus>\n");
}

/* -- GET -- */

static bool asks_for_40(const struct dav *d)
{
    const char *accept = http_call_header(d->call, "Accept");
    return accept && (strstr(accept, "version=4.0") || strstr(accept, "version=\"4.0\""));
}

void dav_get(struct dav *d, const struct dav_resource *r)
{
    struct buf etag AUTO_BUF = BUF_INIT, changed AUTO_BUF = BUF_INIT;
    const char *known = http_call_header(d->call, "If-None-Match");
    if (r->kind != DAV_IS_CARD) {
        http_answer_text(d->answer, 200, "%s", _("an address book for CardDAV programs"));
        return;
    }
    dav_etag(r->card.body, &etag);
    dav_date(r->card.changed_ms, &changed);
    http_answer_header(d->answer, "ETag", "%s", buf_cstr(&etag));
    http_answer_header(d->answer, "Last-Modified", "%s", buf_cstr(&changed));
    http_answer_header(d->answer, "Vary", "Accept, Authorization");
    d->answer->cache = "private, no-cache";
    dav_seen_card(d, r->in, r->card.id, r->card.seq);
    if (known && dav_is_named(known, buf_str(&etag))) {
        d->answer->status = 304;
        return;
    }
    d->answer->type = "text/vcard; charset=utf-8";
    d->answer->status = dav_card_bytes(d, &r->card, asks_for_40(d), &d->answer->body) ? 200 : 406;
}

/* -- by method -- */

static bool is_any(const char *method, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(method, list[i]) == 0) return true;
    return false;
}

static bool takes_xml(const char *method)
{
    static const char *const list[] = {"PROPFIND", "REPORT", "MKCOL", "PROPPATCH"};
    return is_any(method, list, sizeof list / sizeof *list);
}

static bool writes(const char *method)
{
    static const char *const list[] = {"PUT", "DELETE", "MOVE", "MKCOL", "PROPPATCH"};
    return is_any(method, list, sizeof list / sizeof *list);
}

static void act(struct dav *d, const char *method)
{
    struct dav_place p = dav_place_of(d, http_call_path(d->call));
    if (strcmp(method, "PUT") == 0)
        dav_put(d, &p);
    else if (strcmp(method, "MKCOL") == 0)
        dav_mkcol(d, &p);
    else if (!p.there)
        http_answer_text(d->answer, 404, "%s", _("not found"));
    else if (strcmp(method, "PROPFIND") == 0)
        dav_propfind(d, &p.r);
    else if (strcmp(method, "REPORT") == 0)
        dav_report(d, &p.r);
    else if (strcmp(method, "DELETE") == 0)
        dav_delete(d, &p.r);
    else if (strcmp(method, "MOVE") == 0)
        dav_move(d, &p);
    else if (strcmp(method, "PROPPATCH") == 0)
        dav_proppatch(d, &p.r);
    else
        dav_get(d, &p.r);
}

/* Never an empty answer for a book that could not be read, nor a good one for a write that was not kept: a client
 * takes the one for an emptied book, and forgets its edit over the other. */
static void unreadable(struct dav *d)
{
    d->desk->broken = true;
    buf_reset(&d->answer->headers);
    http_answer_header(d->answer, "Retry-After", "30");
    http_answer_text(d->answer, 503, "%s", _(UNREADABLE));
}

static bool reads_request(struct dav *d, const char *method)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    if (!takes_xml(method)) return true;
    if (!dav_request_read(http_call_body(d->call), &d->arena, &d->request, &f)) {
        dav_props_prepare(d);
        return true;
    }
    http_answer_text(d->answer, 400, "%s", f.what);
    return false;
}

/* Phonebooks this user reads are brought up to date first, in a transaction of its own. */
static bool refresh(struct dav *d, struct fault *f)
{
    db_rollback(d->db);
    return !directory_merged_refresh_for(d->db, d->user.no, d->service->settings.region, f) &&
           !db_begin_reading(d->db, f);
}

/* What is read is of one moment; what is written was looked at in the same transaction. */
static void transact(struct dav *d, const char *method)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    if (db_begin_reading(d->db, &f)) {
        unreadable(d);
        return;
    }
    bool good = dav_login(d);
    if (good && directory_merged_is_stale(d->db, d->user.no) && !refresh(d, &f)) {
        unreadable(d);
        return;
    }
    if (good) dav_collections(d);
    good = good && reads_request(d, method);
    if (good && !writes(method)) act(d, method);
    if (db_check(d->db, NULL)) unreadable(d);
    db_rollback(d->db);
    if (!good || !writes(method) || d->answer->status) return;
    if (!db_begin(d->db, &f)) act(d, method);
    if (f.code || db_check(d->db, NULL) || d->answer->status >= 400) {
        if (f.code || db_check(d->db, NULL)) unreadable(d);
        db_rollback(d->db);
    } else if (db_commit(d->db, &f))
        unreadable(d);
}

static void finish(struct dav *d)
{
    struct http_answer *a = d->answer;
    struct buf zipped = BUF_INIT;
    if (d->told && a->status == 207) dav_seen_upto(d);
    http_answer_header(a, "DAV", DAV_CLASSES);
    if (d->brief && a->status == 207) http_answer_header(a, "Preference-Applied", "return=minimal");
    if (a->status != 207 || a->body.len < GZIP_FROM_BYTES) return;
    http_answer_header(a, "Vary", "Accept-Encoding, Brief, Prefer");
    if (!gzip_is_taken(d->call) || !gzip_make(buf_str(&a->body), 1, &zipped)) return;
    http_answer_header(a, "Content-Encoding", "gzip");
    buf_free(&a->body);
    a->body = zipped;
}

static bool prefers_minimal(const struct http_call *c)
{
    const char *brief = http_call_header(c, "Brief"), *prefer = http_call_header(c, "Prefer");
    return (brief && strcmp(brief, "t") == 0) || (prefer && strstr(prefer, "return=minimal"));
}

static void on_work(void *ctx, struct http_call *c)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct dav d = {
        .service = ctx, .call = c, .answer = http_call_answer(c), .arena = ARENA_INIT, .brief = prefers_minimal(c)};
    d.desk = desk_take(&d.service->desks, &f);
    if (!d.desk) {
        http_answer_text(d.answer, 503, "%s", _(UNREADABLE));
        return;
    }
    d.db = d.desk->db;
    transact(&d, http_call_method(c));
    finish(&d);
    buf_free(&d.found);
    buf_free(&d.missing);
    buf_free(&d.value);
    arena_free(&d.arena);
    desk_give_back(&d.service->desks, d.desk);
}

/* -- before the body -- */

static void options(struct http_call *c) /* clients probe with it before they sign in */
{
    http_answer_header(http_call_answer(c), "DAV", DAV_CLASSES);
    http_answer_header(http_call_answer(c), "Allow",
                       "OPTIONS, GET, HEAD, PUT, DELETE, MOVE, PROPFIND, PROPPATCH, REPORT, MKCOL");
    http_call_answer(c)->status = 200;
}

static bool is_longer(const struct http_call *c, size_t bytes)
{
    const char *told = http_call_header(c, "Content-Length");
    long long n = 0;
    return told && str_to_int64(str_of(told), &n) && n >= 0 && (size_t)n > bytes;
}

/* RFC 6352 section 6.3.2.1: named before it is sent, where its length is told. */
static bool is_too_large(const struct dav_service *s, struct http_call *c)
{
    if (!is_longer(c, s->settings.card_bytes)) return false;
    struct dav d = {.answer = http_call_answer(c)};
    dav_refuse(&d, 413, "c:max-resource-size", NULL);
    return true;
}

static void on_begin(void *ctx, struct http_call *c)
{
    struct dav_service *s = ctx;
    const char *method = http_call_method(c);
    bool tries = http_call_header(c, "Authorization") != NULL;
    if (strcmp(method, "OPTIONS") == 0)
        options(c);
    else if (!tries && is_longer(c, STRANGER_BODY_BYTES))
        dav_ask(http_call_answer(c));
    else if (strcmp(method, "PUT") == 0) {
        if (!is_too_large(s, c))
            http_call_take_body(c, tries ? s->settings.card_bytes : STRANGER_BODY_BYTES,
                                N_("the card is larger than this server takes"));
    } else if (takes_xml(method))
        http_call_take_body(c, tries ? XML_BODY_BYTES : STRANGER_BODY_BYTES, N_("the request is too large"));
    else if (strcmp(method, "DELETE") == 0 || strcmp(method, "MOVE") == 0)
        http_call_take_body(c, STRANGER_BODY_BYTES,
                            N_("the request is too large")); /* some send one; nobody reads it */
}

static void redirect(void *ctx, struct http_call *c)
{
    (void)ctx;
    http_answer_header(http_call_answer(c), "Location", DAV_ROOT);
    http_answer_header(http_call_answer(c), "DAV", DAV_CLASSES);
    http_answer_text(http_call_answer(c), 301, "%s", DAV_ROOT);
}

static void allow_body(void *ctx, struct http_call *c)
{
    (void)ctx;
    http_call_take_body(c, STRANGER_BODY_BYTES, N_("the request is too large"));
}

void dav_route(struct dav_service *s, struct http_server *server)
{
    static const struct {
        const char *path, *methods;
    } others[] = {{"/dav", METHODS}, {"/.well-known/carddav", METHODS}, {"=/", "OPTIONS PROPFIND PROPPATCH REPORT"}};
    http_server_route(server,
                      &(const struct http_route){
                          .prefix = DAV_ROOT, .methods = METHODS, .ctx = s, .begin = on_begin, .work = on_work});
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        http_server_route(server, &(const struct http_route){.prefix = others[i].path,
                                                             .methods = others[i].methods,
                                                             .ctx = s,
                                                             .begin = allow_body,
                                                             .work = redirect});
}
