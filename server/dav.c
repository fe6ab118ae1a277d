#include "server/dav.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "server/dav_impl.h"

#include <stdlib.h>

#define XML_BODY_BYTES ((size_t)4 << 20) /* 50 000 hrefs of a multiget */

struct dav_service *dav_service_new(const struct dav_service_settings *settings)
{
    struct dav_service *s = mem_calloc(1, sizeof *s);
    s->settings = *settings;
    s->settings.region = s->region = mem_strdup(settings->region);
    desks_init(&s->desks, settings->state, settings->max_level, settings->cancel);
    s->guesses = guesses_new();
    s->logins = logins_new();
    return s;
}

void dav_service_free(struct dav_service *s)
{
    if (!s) return;
    desks_end(&s->desks);
    guesses_free(s->guesses);
    logins_free(s->logins);
    free(s->region);
    free(s);
}

void dav_refuse(struct dav *d, unsigned status, const char *element, const char *inside)
{
    d->answer->status = status;
    d->answer->type = XML_TYPE;
    buf_reset(&d->answer->body);
    buf_addf(&d->answer->body, XML_HEAD "<d:error xmlns:d=\"DAV:\" xmlns:c=\"" CARD_NS "\"><%s>%s</%s></d:error>\n",
             element, inside ? inside : "", element);
}

/* -- what a path means -- */

bool dav_find_book(struct dav *d, struct str id, struct dav_resource *out)
{
    for (size_t i = 0; i < d->n_books; i++) {
        if (!str_eq(d->books[i].book, id)) continue;
        *out = (struct dav_resource){.kind = DAV_IS_BOOK, .read_only = d->books[i].read_only};
        return book_find(d->db, id, &d->arena, &out->book);
    }
    return false;
}

/* Under the name a client gave it, else by its id. */
bool dav_find_card(struct dav *d, struct dav_resource *r, struct str name)
{
    struct str record = dav_name_get(d->db, r->book.id, name, &d->arena);
    if (!record.n && str_ends(name, STR(".vcf"))) {
        record = (struct str){name.p, name.n - 4};
        struct str known = dav_name_of(d->db, record, &d->arena); /* it has another name */
        if (!str_eq(known, name)) return false;
    }
    if (!record.n || !store_get(d->db, record, &d->arena, &r->record) || r->record.deleted ||
        !str_eq(r->record.book, r->book.id))
        return false;
    r->kind = DAV_IS_CARD;
    r->name = arena_str(&d->arena, name);
    return true;
}

struct place {
    struct dav_resource r;
    bool there;
    bool parent; /* the book, or the home, of what is not there */
    struct str name;
};

/* Another user's resources are as if they were not there. */
static struct place place_of(struct dav *d)
{
    struct place p = {.there = false};
    struct str rest = str_of(http_call_path(d->call) + strlen(DAV_ROOT)), kind = str_split(&rest, '/');
    if (!kind.n) {
        p.r.kind = DAV_IS_ROOT;
        p.there = !rest.p || !rest.n;
        return p;
    }
    struct str user = rest.p ? str_split(&rest, '/') : STR_NONE;
    bool home = str_eq(kind, STR("books")), principals = str_eq(kind, STR("principals"));
    if ((!home && !principals) || !str_eq(user, d->user.name)) return p;
    p.r.kind = home ? DAV_IS_HOME : DAV_IS_PRINCIPAL;
    p.there = !rest.p || !rest.n;
    if (p.there || principals) return p;
    struct str book = str_split(&rest, '/');
    if (!dav_find_book(d, book, &p.r)) {
        p.r.kind = DAV_IS_HOME;
        p.parent = !rest.p || !rest.n;
        p.name = book;
        return p;
    }
    p.there = !rest.p || !rest.n;
    if (p.there) return p;
    p.name = rest;
    p.parent = !memchr(rest.p, '/', rest.n) && rest.n <= 255;
    p.there = p.parent && dav_find_card(d, &p.r, rest);
    return p;
}

/* -- PROPFIND -- */

struct members {
    struct dav *d;
    const struct dav_resource *book;
};

static bool add_member(void *ctx, const struct store_record *record)
{
    struct members *m = ctx;
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct dav_resource r = *m->book;
    r.kind = DAV_IS_CARD;
    r.record = *record;
    r.name = dav_name_of(m->d->db, record->id, &scratch);
    dav_add_response(m->d, &r, &m->d->answer->body);
    return true;
}

static void add_members(struct dav *d, const struct dav_resource *r)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    if (r->kind == DAV_IS_ROOT) {
        const struct dav_resource home = {.kind = DAV_IS_HOME}, principal = {.kind = DAV_IS_PRINCIPAL};
        dav_add_response(d, &principal, &d->answer->body);
        dav_add_response(d, &home, &d->answer->body);
    }
    for (size_t i = 0; r->kind == DAV_IS_HOME && i < d->n_books; i++) {
        struct dav_resource book;
        if (dav_find_book(d, d->books[i].book, &book)) dav_add_response(d, &book, &d->answer->body);
    }
    struct members m = {d, r};
    if (r->kind == DAV_IS_BOOK) store_each(d->db, r->book.id, add_member, &m, &f);
}

static void propfind(struct dav *d, const struct dav_resource *r)
{
    const char *depth = http_call_header(d->call, "Depth");
    if (!depth || str_eq_nocase(str_of(depth), STR("infinity"))) depth = r->kind == DAV_IS_CARD ? "0" : "infinity";
    if (strcmp(depth, "infinity") == 0) {
        dav_refuse(d, 403, "d:propfind-finite-depth", NULL);
        return;
    }
    d->answer->status = 207;
    d->answer->type = XML_TYPE;
    buf_adds(&d->answer->body, MULTISTATUS_HEAD);
    dav_add_response(d, r, &d->answer->body);
    if (strcmp(depth, "1") == 0) add_members(d, r);
    buf_adds(&d->answer->body, "</d:multistatus>\n");
}

/* -- GET -- */

static void get(struct dav *d, const struct dav_resource *r)
{
    struct buf etag AUTO_BUF = BUF_INIT;
    const char *accept = http_call_header(d->call, "Accept"), *known = http_call_header(d->call, "If-None-Match");
    if (r->kind != DAV_IS_CARD) {
        http_answer_text(d->answer, 200, "%s", _("an address book for CardDAV programs"));
        return;
    }
    dav_etag(d, r->record.body, &etag);
    http_answer_header(d->answer, "ETag", "%s", buf_cstr(&etag));
    d->answer->cache = "private, no-cache";
    if (known && strstr(known, buf_cstr(&etag))) {
        d->answer->status = 304;
        return;
    }
    d->answer->type = "text/vcard; charset=utf-8";
    bool made = dav_card_bytes(d, &r->record, accept && strstr(accept, "version=4.0"), &d->answer->body);
    d->answer->status = made ? 200 : 406;
}

/* -- by method -- */

static void act(struct dav *d, struct place *p, const char *method)
{
    if (strcmp(method, "PUT") == 0) {
        if (p->r.kind == DAV_IS_CARD || (p->parent && p->r.kind == DAV_IS_BOOK)) {
            p->r.kind = DAV_IS_BOOK;
            dav_put(d, &p->r, p->name);
        } else
            http_answer_text(d->answer, 409, "%s", _("there is no such book"));
    } else if (strcmp(method, "MKCOL") == 0) {
        if (p->there)
            http_answer_text(d->answer, 405, "%s", _("it is there already"));
        else if (p->parent && p->r.kind == DAV_IS_HOME)
            dav_mkcol(d, p->name);
        else
            http_answer_text(d->answer, 409, "%s", _("books are made in the home collection"));
    } else if (!p->there)
        http_answer_text(d->answer, 404, "%s", _("not found"));
    else if (strcmp(method, "PROPFIND") == 0)
        propfind(d, &p->r);
    else if (strcmp(method, "REPORT") == 0)
        dav_report(d, &p->r);
    else if (strcmp(method, "DELETE") == 0)
        dav_delete(d, &p->r);
    else if (strcmp(method, "PROPPATCH") == 0)
        dav_proppatch(d, &p->r);
    else
        get(d, &p->r);
}

static bool takes_xml(const char *method)
{
    static const char *const methods[] = {"PROPFIND", "REPORT", "MKCOL", "PROPPATCH"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(method, methods[i]) == 0) return true;
    return false;
}

static bool prefers_minimal(const struct http_call *c)
{
    const char *brief = http_call_header(c, "Brief"), *prefer = http_call_header(c, "Prefer");
    return (brief && strcmp(brief, "t") == 0) || (prefer && strstr(prefer, "return=minimal"));
}

static void on_work(void *ctx, struct http_call *c)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    const char *method = http_call_method(c);
    struct dav d = {
        .service = ctx, .call = c, .answer = http_call_answer(c), .arena = ARENA_INIT, .brief = prefers_minimal(c)};
    d.desk = desk_take(&d.service->desks, &f);
    if (!d.desk) {
        http_answer_text(d.answer, 503, "%s", _("the state cannot be read just now"));
        return;
    }
    d.db = d.desk->db;
    http_answer_header(d.answer, "DAV", "1, 3, access-control, addressbook, extended-mkcol");
    if (dav_login(&d)) {
        if (takes_xml(method) && dav_request_read(http_call_body(c), &d.arena, &d.request, &f))
            http_answer_text(d.answer, 400, "%s", f.what);
        else {
            struct place p = place_of(&d);
            act(&d, &p, method);
        }
    }
    if (db_check(d.db, NULL)) /* never an empty answer for a book that could not be read */
        http_answer_text(d.answer, 503, "%s", _("the state cannot be read just now"));
    arena_free(&d.arena);
    desk_give_back(&d.service->desks, d.desk);
}

#define METHODS "OPTIONS GET HEAD PUT DELETE PROPFIND PROPPATCH REPORT MKCOL"

static bool writes(const char *method)
{
    static const char *const methods[] = {"PUT", "DELETE", "MKCOL", "PROPPATCH"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(method, methods[i]) == 0) return true;
    return false;
}

static void on_begin(void *ctx, struct http_call *c)
{
    struct dav_service *s = ctx;
    const char *method = http_call_method(c);
    if (writes(method)) http_call_lane(c, HTTP_LANE_WRITE);
    if (strcmp(method, "OPTIONS") == 0) { /* clients probe with it before they sign in */
        http_answer_header(http_call_answer(c), "DAV", "1, 3, access-control, addressbook, extended-mkcol");
        http_answer_header(http_call_answer(c), "Allow",
                           "OPTIONS, GET, HEAD, PUT, DELETE, PROPFIND, PROPPATCH, REPORT, MKCOL");
        http_call_answer(c)->status = 200;
    } else if (strcmp(method, "PUT") == 0)
        http_call_take_body(c, s->settings.card_bytes, _("the card is larger than this server takes"));
    else if (takes_xml(method))
        http_call_take_body(c, XML_BODY_BYTES, _("the request is too large"));
}

static void redirect(void *ctx, struct http_call *c)
{
    (void)ctx;
    http_answer_header(http_call_answer(c), "Location", DAV_ROOT);
    http_answer_text(http_call_answer(c), 301, "%s", DAV_ROOT);
}

void dav_route(struct dav_service *s, struct http_server *server)
{
    http_server_route(server,
                      &(const struct http_route){
                          .prefix = DAV_ROOT, .methods = METHODS, .ctx = s, .begin = on_begin, .work = on_work});
    http_server_route(server,
                      &(const struct http_route){.prefix = "/dav", .methods = METHODS, .ctx = s, .begin = redirect});
    http_server_route(server, &(const struct http_route){
                                  .prefix = "/.well-known/carddav", .methods = METHODS, .ctx = s, .begin = redirect});
}
