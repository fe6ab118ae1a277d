/* PUT, DELETE, MOVE of a card (RFC 6352 section 6.3.2, RFC 4918 section 9.9), and the conditions of all of them. */
#include "server/dav_impl.h"

#include "base/i18n.h"
#include "mapping/record.h"
#include "state/attached.h"

#define NOT_KEPT N_("the card cannot be kept just now")

/* -- preconditions (RFC 9110 section 13) -- */

/* Without W/ and quotes: some clients drop them. */
static struct str bare(struct str etag)
{
    if (str_starts(etag, STR("W/"))) etag = (struct str){etag.p + 2, etag.n - 2};
    if (etag.n >= 2 && etag.p[0] == '"' && etag.p[etag.n - 1] == '"') etag = (struct str){etag.p + 1, etag.n - 2};
    return etag;
}

static bool is_named(const char *list, struct str etag, bool strongly)
{
    struct str rest = str_of(list);
    while (rest.p) {
        struct str one = str_trim(str_split(&rest, ','));
        bool weak = str_starts(one, STR("W/"));
        if (str_eq(one, STR("*")) || (one.n && !(weak && strongly) && str_eq(bare(one), bare(etag)))) return true;
    }
    return false;
}

bool dav_is_named(const char *list, struct str etag)
{
    return is_named(list, etag, false);
}

bool dav_conditions_hold(struct dav *d, struct str body)
{
    const char *match = http_call_header(d->call, "If-Match"), *none = http_call_header(d->call, "If-None-Match");
    struct buf etag AUTO_BUF = BUF_INIT;
    if (body.p) dav_etag(body, &etag);
    bool lost = (match && !(body.p && is_named(match, buf_str(&etag), true))) ||
                (none && body.p && dav_is_named(none, buf_str(&etag)));
    if (lost) http_answer_text(d->answer, 412, "%s", _("changed meanwhile"));
    return !lost;
}

static bool is_blind(const struct dav *d)
{
    return !http_call_header(d->call, "If-Match") && !http_call_header(d->call, "If-None-Match");
}

static struct str origin_of(struct dav *d)
{
    return str_of(arena_printf(&d->arena, "dav:%.*s", STR_ARG(d->user.name)));
}

static void failed(struct dav *d)
{
    http_answer_text(d->answer, 503, "%s", _(NOT_KEPT));
}

/* -- what is put -- */

struct putting {
    struct dav *d;
    const struct dav_collection *in;
    const struct dav_card *old; /* NULL = new */
    struct str name;
    struct record *record;
    struct buf body; /* as it will be kept */
};

static bool is_vcard(const char *type)
{
    static const char *const types[] = {"text/vcard", "text/x-vcard", "text/directory"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_starts_nocase(str_of(type), str_of(types[i]))) return true;
    return false;
}

static bool is_acceptable(struct putting *p)
{
    struct dav *d = p->d;
    struct fault f AUTO_FAULT = FAULT_INIT;
    const char *type = http_call_header(d->call, "Content-Type");
    if (type && !is_vcard(type)) {
        dav_refuse(d, 415, "c:supported-address-data", NULL);
        return false;
    }
    p->record = record_parse(&d->arena, RECORD_CONTACT, http_call_body(d->call), dav_key(d), &f);
    if (!p->record || record_is_cut(p->record) || !record_uid(p->record).n)
        dav_refuse(d, 403, "c:valid-address-data", NULL);
    else if (record_version(p->record) == 21)
        dav_refuse(d, 403, "c:supported-address-data", NULL);
    else
        return true;
    return false;
}

void dav_no_uid_conflict(struct dav *d, const struct dav_collection *c, struct str record)
{
    const struct dav_resource card = {
        .kind = DAV_IS_CARD, .in = c, .card = {.name = dav_name_of(d->db, record, &d->arena)}};
    struct buf href AUTO_BUF = BUF_INIT, inside AUTO_BUF = BUF_INIT;
    dav_href(d, &card, &href);
    buf_addf(&inside, "<d:href>%s</d:href>", buf_cstr(&href));
    dav_refuse(d, 403, "c:no-uid-conflict", buf_cstr(&inside));
}

/* No two cards of a book have one UID, and none changes it (RFC 6352 section 6.3.2.1). */
static bool has_its_uid(struct putting *p)
{
    struct dav *d = p->d;
    struct store_record other;
    struct str uid = record_uid(p->record);
    bool changes = p->old && p->old->uid.n && !str_eq(p->old->uid, uid);
    if (changes)
        dav_no_uid_conflict(d, p->in, p->old->id);
    else if (store_find_uid(d->db, p->in->book.book, uid, &d->arena, &other) &&
             !(p->old && str_eq(other.id, p->old->id))) {
        changes = true;
        dav_no_uid_conflict(d, p->in, other.id);
    }
    return !changes;
}

/* Custom fields of the store that the client does not know stay (contactbox 9). */
static bool make_body(struct putting *p)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct record *old = NULL;
    if (p->old) old = record_parse(&p->d->arena, RECORD_CONTACT, p->old->body, dav_key(p->d), &f);
    if (!old)
        buf_addstr(&p->body, record_bytes(p->record));
    else if (record_write_keeping(p->record, old, &p->body, &f))
        dav_refuse(p->d, 403, "c:valid-address-data", NULL);
    return p->body.len > 0;
}

/* The record's id in *id. */
static enum fault_code keep(struct putting *p, char id[UUID_TEXT_BYTES], int64_t *seq, struct fault *f)
{
    struct dav *d = p->d;
    const struct store_write w = {.id = p->old ? p->old->id : STR_NONE,
                                  .book = p->in->book.book,
                                  .uid = record_uid(p->record),
                                  .title = record_title(p->record),
                                  .body = buf_str(&p->body),
                                  .origin = origin_of(d)};
    if (p->old) {
        memcpy(id, p->old->id.p, p->old->id.n);
        id[p->old->id.n] = '\0';
        return store_update(d->db, &w, seq, f);
    }
    enum fault_code code = store_create(d->db, &w, id, seq, f);
    return code ? code : dav_name_set(d->db, p->in->book.book, p->name, str_of(id), f);
}

/* An ETag says that the octets kept are the client's (RFC 6352 section 6.3.2.3): else there is none. */
static void put_it(struct putting *p)
{
    struct dav *d = p->d;
    struct fault f AUTO_FAULT = FAULT_INIT;
    char id[UUID_TEXT_BYTES];
    int64_t seq = 0;
    if (p->old && is_blind(d)) dav_keep_loser(d, p->in, p->old, buf_str(&p->body));
    if (keep(p, id, &seq, &f)) {
        failed(d);
        return;
    }
    dav_seen_card(d, p->in, str_of(id), seq);
    d->answer->status = p->old ? 204 : 201;
    if (!str_eq(buf_str(&p->body), http_call_body(d->call))) return;
    struct buf etag AUTO_BUF = BUF_INIT;
    dav_etag(buf_str(&p->body), &etag);
    http_answer_header(d->answer, "ETag", "%s", buf_cstr(&etag));
}

void dav_put(struct dav *d, struct dav_place *place)
{
    bool there = place->there && place->r.kind == DAV_IS_CARD, free = place->may_be && place->r.kind == DAV_IS_BOOK;
    struct putting p = {
        .d = d, .in = place->r.in, .old = there ? &place->r.card : NULL, .name = place->name, .body = BUF_INIT};
    if (!there && !free)
        http_answer_text(d->answer, 409, "%s", _("there is no such book"));
    else if (dav_may_write(d, &place->r, there ? "write-content" : "bind") &&
             dav_conditions_hold(d, there ? p.old->body : STR_NONE) && is_acceptable(&p) && has_its_uid(&p) &&
             make_body(&p))
        put_it(&p);
    buf_free(&p.body);
}

/* -- DELETE -- */

static void delete_book(struct dav *d, const struct dav_resource *r)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    if (!d->service->settings.delete_books)
        http_answer_text(d->answer, 403, "%s", _("books are not deleted over CardDAV here"));
    else if (book_remove(d->db, r->in->book.book, &f))
        failed(d);
    else
        d->answer->status = 204;
}

static enum fault_code delete_card(struct dav *d, const struct dav_resource *r, struct fault *f)
{
    const struct store_write w = {
        .id = r->card.id, .book = r->in->book.book, .origin = origin_of(d), .expected_seq = r->card.seq};
    return store_delete(d->db, &w, true, NULL, f);
}

void dav_delete(struct dav *d, struct dav_resource *r)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    if (r->kind < DAV_IS_BOOK) {
        http_answer_text(d->answer, 403, "%s", _("this cannot be deleted"));
        return;
    }
    if (!dav_may_write(d, r, "unbind")) return;
    if (r->kind == DAV_IS_BOOK)
        delete_book(d, r);
    else if (dav_conditions_hold(d, r->card.body)) {
        if (delete_card(d, r, &f))
            failed(d);
        else
            d->answer->status = 204;
    }
}

/* -- MOVE -- */

static bool destination(struct dav *d, struct dav_place *out)
{
    const char *header = http_call_header(d->call, "Destination");
    struct buf path AUTO_BUF = BUF_INIT;
    if (!header || !dav_href_path(header, &path)) {
        http_answer_text(d->answer, 400, "%s", _("MOVE needs a Destination"));
        return false;
    }
    *out = dav_place_of(d, arena_strdup(&d->arena, buf_str(&path)));
    bool good = out->r.kind == DAV_IS_CARD || (out->r.kind == DAV_IS_BOOK && out->may_be);
    if (!good) http_answer_text(d->answer, 409, "%s", _("a card is moved into a book of the same user"));
    return good;
}

/* What is there gives way only if the client says so, and no other card of that book has the UID. */
static bool makes_room(struct dav *d, const struct dav_resource *from, struct dav_place *to)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct store_record other;
    const char *overwrite = http_call_header(d->call, "Overwrite");
    if (to->there && overwrite && str_eq_nocase(str_of(overwrite), STR("F"))) {
        http_answer_text(d->answer, 412, "%s", _("there is a card of that name"));
        return false;
    }
    if (to->there && delete_card(d, &to->r, &f)) {
        failed(d);
        return false;
    }
    if (from->in == to->r.in || !from->card.uid.n ||
        !store_find_uid(d->db, to->r.in->book.book, from->card.uid, &d->arena, &other))
        return true;
    dav_no_uid_conflict(d, to->r.in, other.id);
    return false;
}

/* In the same book the record stays; the old name is told to be gone. */
static enum fault_code rename_card(struct dav *d, const struct dav_resource *from, struct str name, struct fault *f)
{
    int64_t gone = 0;
    const struct store_write w = {.id = from->card.id, .origin = origin_of(d)};
    struct str book = from->in->book.book;
    enum fault_code code = store_touch(d->db, &w, &gone, f);
    if (!code) code = store_touch(d->db, &w, NULL, f);
    if (!code) code = dav_name_set(d->db, book, name, from->card.id, f);
    return code ? code : dav_name_gone(d->db, book, from->card.name, gone, f);
}

/* Into another book: a deletion there and a new record here, to which goes what hangs on the old one. */
static enum fault_code carry(struct dav *d, const struct dav_resource *from, const struct dav_place *to,
                             struct fault *f)
{
    char id[UUID_TEXT_BYTES];
    const struct store_write w = {.book = to->r.in->book.book,
                                  .uid = from->card.uid,
                                  .title = from->card.title,
                                  .body = from->card.body,
                                  .origin = origin_of(d)};
    enum fault_code code = delete_card(d, from, f);
    if (!code) code = store_create(d->db, &w, id, NULL, f);
    if (!code) code = dav_name_set(d->db, to->r.in->book.book, to->name, str_of(id), f);
    return code ? code : attached_move(d->db, from->card.id, str_of(id), f);
}

void dav_move(struct dav *d, struct dav_place *from)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct dav_place to;
    if (from->r.kind != DAV_IS_CARD) {
        http_answer_text(d->answer, 403, "%s", _("only cards can be moved"));
        return;
    }
    if (!dav_may_write(d, &from->r, "unbind") || !destination(d, &to) || !dav_may_write(d, &to.r, "bind") ||
        !dav_conditions_hold(d, from->r.card.body))
        return;
    if (to.there && str_eq(to.r.card.id, from->r.card.id)) {
        http_answer_text(d->answer, 403, "%s", _("it is there already"));
        return;
    }
    if (!makes_room(d, &from->r, &to)) return;
    if (from->r.in == to.r.in ? rename_card(d, &from->r, to.name, &f) : carry(d, &from->r, &to, &f)) {
        failed(d);
        return;
    }
    const struct dav_resource now = {.kind = DAV_IS_CARD, .in = to.r.in, .card = {.name = to.name}};
    struct buf href AUTO_BUF = BUF_INIT;
    dav_href(d, &now, &href);
    http_answer_header(d->answer, "Location", "%s", buf_cstr(&href));
    d->answer->status = to.there ? 204 : 201;
}
