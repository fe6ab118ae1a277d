/* PUT, DELETE, MKCOL, PROPPATCH. */
#include "server/dav_impl.h"

#include "base/i18n.h"
#include "mapping/record.h"
#include "state/settings.h"

/* -- preconditions (RFC 9110 section 13) -- */

static bool is_named(const char *list, const char *etag)
{
    struct str rest = str_of(list);
    while (rest.p) {
        struct str one = str_trim(str_split(&rest, ','));
        if (str_eq(one, STR("*")) || str_eq(one, str_of(etag))) return true;
    }
    return false;
}

/* False: the answer is 412. */
static bool holds(struct dav *d, bool there, struct str body)
{
    const char *match = http_call_header(d->call, "If-Match"), *none = http_call_header(d->call, "If-None-Match");
    struct buf etag AUTO_BUF = BUF_INIT;
    if (there) dav_etag(d, body, &etag);
    bool lost =
        (match && !(there && is_named(match, buf_cstr(&etag)))) || (none && there && is_named(none, buf_cstr(&etag)));
    if (lost) http_answer_text(d->answer, 412, "%s", _("changed meanwhile"));
    return !lost;
}

static bool may_write(struct dav *d, const struct dav_resource *r)
{
    if (r->read_only) dav_refuse(d, 403, "d:need-privileges", NULL);
    return !r->read_only;
}

/* -- one card -- */

struct putting {
    struct dav *d;
    struct dav_resource *r; /* the book; the card where there is one */
    struct str name;
    bool there;
    struct record *record;
    struct buf body; /* as it will be kept */
};

static bool is_acceptable(struct putting *p, struct arena *arena)
{
    struct dav *d = p->d;
    struct hash_key key;
    struct fault f AUTO_FAULT = FAULT_INIT;
    const char *type = http_call_header(d->call, "Content-Type");
    if (type && !str_starts_nocase(str_of(type), STR("text/vcard")) &&
        !str_starts_nocase(str_of(type), STR("text/x-vcard")) &&
        !str_starts_nocase(str_of(type), STR("text/directory"))) {
        dav_refuse(d, 415, "c:supported-address-data", NULL);
        return false;
    }
    if (settings_hash_key(d->db, &key, &f)) return false;
    p->record = record_parse(arena, RECORD_CONTACT, http_call_body(d->call), &key, &f);
    if (!p->record || record_is_cut(p->record) || !record_uid(p->record).n)
        dav_refuse(d, 403, "c:valid-address-data", NULL);
    else if (record_version(p->record) == 21)
        dav_refuse(d, 403, "c:supported-address-data", NULL);
    else
        return true;
    return false;
}

/* No two cards of a book have one UID (RFC 6352 section 6.3.2.1). */
static bool is_alone(struct putting *p, struct arena *arena)
{
    struct store_record other;
    if (!store_find_uid(p->d->db, p->r->book.id, record_uid(p->record), arena, &other)) return true;
    if (p->there && str_eq(other.id, p->r->record.id)) return true;
    struct dav_resource card = *p->r;
    struct buf href AUTO_BUF = BUF_INIT, inside AUTO_BUF = BUF_INIT;
    card.kind = DAV_IS_CARD;
    card.name = dav_name_of(p->d->db, other.id, arena);
    dav_href(p->d, &card, &href);
    buf_addf(&inside, "<d:href>%s</d:href>", buf_cstr(&href));
    dav_refuse(p->d, 403, "c:no-uid-conflict", buf_cstr(&inside));
    return false;
}

/* Custom fields of the store that the client does not know stay (contactbox 9). */
static bool make_body(struct putting *p, struct arena *arena)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct hash_key key;
    struct record *old = NULL;
    if (p->there && !settings_hash_key(p->d->db, &key, &f))
        old = record_parse(arena, RECORD_CONTACT, p->r->record.body, &key, &f);
    if (!old)
        buf_addstr(&p->body, record_bytes(p->record));
    else if (record_write_keeping(p->record, old, &p->body, &f))
        dav_refuse(p->d, 403, "c:valid-address-data", NULL);
    return p->body.len > 0;
}

static enum fault_code keep(struct putting *p, struct fault *f)
{
    struct dav *d = p->d;
    struct buf origin AUTO_BUF = BUF_INIT;
    buf_addf(&origin, "dav:%.*s", STR_ARG(d->user.name));
    struct store_write w = {.id = p->there ? p->r->record.id : STR_NONE,
                            .book = p->r->book.id,
                            .uid = record_uid(p->record),
                            .title = record_title(p->record),
                            .body = buf_str(&p->body),
                            .origin = buf_str(&origin)};
    char id[UUID_TEXT_BYTES];
    if (p->there) return store_update(d->db, &w, NULL, f);
    enum fault_code code = store_create(d->db, &w, id, NULL, f);
    return code ? code : dav_name_set(d->db, p->r->book.id, p->name, str_of(id), f);
}

static void try_put(struct putting *p, struct arena *arena)
{
    struct dav *d = p->d;
    struct fault f AUTO_FAULT = FAULT_INIT;
    p->there = dav_find_card(d, p->r, p->name);
    if (!holds(d, p->there, p->there ? p->r->record.body : STR_NONE) || !is_acceptable(p, arena) ||
        !is_alone(p, arena) || !make_body(p, arena))
        return;
    if (keep(p, &f)) {
        http_answer_text(d->answer, 503, "%s", _("the card cannot be kept just now"));
        return;
    }
    d->answer->status = p->there ? 204 : 201;
    if (!str_eq(buf_str(&p->body), http_call_body(d->call)))
        return; /* no ETag: GET gives other bytes (RFC 6352 section 6.3.2.3) */
    struct buf etag AUTO_BUF = BUF_INIT;
    dav_etag(d, buf_str(&p->body), &etag);
    http_answer_header(d->answer, "ETag", "%s", buf_cstr(&etag));
}

/* One transaction: what was looked at is what is written over. */
void dav_put(struct dav *d, struct dav_resource *book, struct str name)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct putting p = {.d = d, .r = book, .name = name, .body = BUF_INIT};
    if (!may_write(d, book)) return;
    if (db_begin(d->db, &f)) {
        http_answer_text(d->answer, 503, "%s", _("the card cannot be kept just now"));
        return;
    }
    try_put(&p, &arena);
    bool good = d->answer->status == 201 || d->answer->status == 204;
    if (!good)
        db_rollback(d->db);
    else if (db_commit(d->db, &f))
        http_answer_text(d->answer, 503, "%s", _("the card cannot be kept just now"));
    buf_free(&p.body);
}

void dav_delete(struct dav *d, struct dav_resource *card)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct buf origin AUTO_BUF = BUF_INIT;
    if (!may_write(d, card)) return;
    if (card->kind != DAV_IS_CARD) {
        http_answer_text(d->answer, 403, "%s", _("books are not deleted over CardDAV"));
        return;
    }
    buf_addf(&origin, "dav:%.*s", STR_ARG(d->user.name));
    const struct store_write w = {
        .id = card->record.id, .book = card->book.id, .origin = buf_str(&origin), .expected_seq = card->record.seq};
    if (!holds(d, true, card->record.body)) return;
    if (db_begin(d->db, &f)) {
        http_answer_text(d->answer, 503, "%s", _("the card cannot be kept just now"));
        return;
    }
    enum fault_code code = store_delete(d->db, &w, true, NULL, &f);
    if (code)
        db_rollback(d->db);
    else
        code = db_commit(d->db, &f);
    if (code == FAULT_CHANGED || code == FAULT_GONE)
        http_answer_text(d->answer, 412, "%s", _("changed meanwhile"));
    else if (code)
        http_answer_text(d->answer, 503, "%s", _("the card cannot be kept just now"));
    else
        d->answer->status = 204;
}

/* -- books -- */

/* The store names books itself: the client finds the new one by its display name. */
void dav_mkcol(struct dav *d, struct str name)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct book b;
    if (!d->request.is_book && d->request.kind == DAV_MKCOL) {
        dav_refuse(d, 403, "d:valid-resourcetype", NULL);
        return;
    }
    struct str title = d->request.displayname ? str_of(d->request.displayname) : name;
    if (db_begin(d->db, &f)) return;
    enum fault_code code = book_add(d->db, title, RECORD_CONTACT, &d->arena, &b, &f);
    if (!code) code = user_book_set(d->db, d->user.no, b.id, false, &f);
    if (code)
        db_rollback(d->db);
    else
        code = db_commit(d->db, &f);
    if (code == FAULT_EXISTS)
        http_answer_text(d->answer, 405, "%s", _("there is a book of that name already"));
    else if (code)
        http_answer_text(d->answer, 503, "%s", _("the card cannot be kept just now"));
    else {
        struct dav_resource r = {.kind = DAV_IS_BOOK, .book = b};
        struct buf href AUTO_BUF = BUF_INIT;
        dav_href(d, &r, &href);
        http_answer_header(d->answer, "Location", "%s", buf_cstr(&href));
        d->answer->status = 201;
    }
}

static bool rename_book(struct dav *d, struct dav_resource *r)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    if (r->kind != DAV_IS_BOOK || !d->request.displayname || !*d->request.displayname || db_begin(d->db, &f))
        return false;
    if (book_rename(d->db, r->book.id, str_of(d->request.displayname), &f)) {
        db_rollback(d->db);
        return false;
    }
    return !db_commit(d->db, &f);
}

/* The display name is the only one that can be set; all or nothing (RFC 4918 section 9.2). */
void dav_proppatch(struct dav *d, struct dav_resource *r)
{
    struct buf *out = &d->answer->body;
    bool only_name = d->request.n_props == 1 && strcmp(d->request.props[0].name, "displayname") == 0;
    if (!may_write(d, r)) return;
    bool done = only_name && rename_book(d, r);
    d->answer->status = 207;
    d->answer->type = XML_TYPE;
    buf_adds(out, MULTISTATUS_HEAD "<d:response><d:href>");
    dav_href(d, r, out);
    buf_adds(out, "</d:href><d:propstat><d:prop>");
    for (size_t i = 0; i < d->request.n_props; i++) {
        buf_addf(out, "<x:%s xmlns:x=\"", d->request.props[i].name);
        xml_text(str_of(d->request.props[i].ns), out);
        buf_adds(out, "\"/>");
    }
    buf_addf(out, "</d:prop><d:status>HTTP/1.1 %s</d:status></d:propstat></d:response>\n</d:multistatus>\n",
             done ? "200 OK" : "403 Forbidden");
}
