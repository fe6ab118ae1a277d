/* MKCOL (RFC 5689) and PROPPATCH: books that clients make and name.
 *
 * What a user calls a book is the user's own: links of the configuration name books, so a client does not rename them
 * for everybody. The book itself follows only where this user made it, under a name that is free. */
#include "server/dav_impl.h"

#include "base/i18n.h"

/* -- a free name -- */

static bool is_taken(struct dav *d, struct str name)
{
    struct book other;
    return book_find(d->db, name, &d->arena, &other);
}

/* "Privat", else "Privat (anna)", "Privat (anna 2)" ...: nobody learns of other users' books by a refusal. */
static struct str free_name(struct dav *d, struct str wanted)
{
    struct str name = wanted;
    for (unsigned i = 1; is_taken(d, name) && i < 1000; i++)
        name = str_of(i == 1 ? arena_printf(&d->arena, "%.*s (%.*s)", STR_ARG(wanted), STR_ARG(d->user.name))
                             : arena_printf(&d->arena, "%.*s (%.*s %u)", STR_ARG(wanted), STR_ARG(d->user.name), i));
    return name;
}

/* -- what is set -- */

struct wanted {
    struct str title, description; /* {NULL,0} = the book's own; none */
    bool title_set, description_set, refused;
};

static bool is(const struct dav_set *s, const char *ns, const char *name)
{
    return strcmp(s->name.ns, ns) == 0 && strcmp(s->name.name, name) == 0;
}

static bool is_settable(const struct dav_set *s, bool making)
{
    bool name = is(s, DAV_NS, "displayname");
    if (name && s->value) return *s->value && strlen(s->value) <= 1000;
    return name || is(s, CARD_NS, "addressbook-description") || (making && is(s, DAV_NS, "resourcetype"));
}

static struct wanted wanted_of(const struct dav_request *q, bool making)
{
    struct wanted w = {.refused = false};
    for (size_t i = 0; i < q->n_sets; i++) {
        const struct dav_set *s = &q->sets[i];
        w.refused |= !is_settable(s, making);
        if (is(s, DAV_NS, "displayname")) w.title = str_of(s->value), w.title_set = true;
        if (is(s, CARD_NS, "addressbook-description")) w.description = str_of(s->value), w.description_set = true;
    }
    if (w.description.p && !w.description.n) w.description = STR_NONE;
    return w;
}

/* All or nothing (RFC 4918 section 9.2): one that cannot be set makes the others fail with it. */
static void add_outcome(struct dav *d, bool making, bool done, const char *status, bool of_settable)
{
    struct buf *out = &d->answer->body;
    buf_reset(&d->found);
    for (size_t i = 0; i < d->request.n_sets; i++)
        if (done || is_settable(&d->request.sets[i], making) == of_settable)
            dav_open_tag(&d->request.sets[i].name, true, &d->found);
    if (d->found.len)
        buf_addf(out, "<d:propstat><d:prop>%s</d:prop><d:status>HTTP/1.1 %s</d:status></d:propstat>",
                 buf_cstr(&d->found), status);
}

static void add_outcomes(struct dav *d, bool making, bool done)
{
    if (done)
        add_outcome(d, making, true, "200 OK", true);
    else {
        add_outcome(d, making, false, "403 Forbidden", false);
        add_outcome(d, making, false, "424 Failed Dependency", true);
    }
}

/* -- MKCOL -- */

static enum fault_code make_book(struct dav *d, struct str segment, const struct wanted *w, struct fault *f)
{
    struct book b;
    struct str title = w->title.n ? w->title : segment, name = free_name(d, title);
    bool other = !str_eq(name, title);
    enum fault_code code = book_add(d->db, name, 0, &d->arena, &b, f);
    if (!code) code = user_book_set(d->db, d->user.no, b.id, false, f);
    if (!code) code = user_book_call(d->db, d->user.no, b.id, segment, f);
    if (!code && (other || w->description.p))
        code = user_book_say(d->db, d->user.no, b.id, other ? title : STR_NONE, w->description, f);
    return code;
}

static void refuse_properties(struct dav *d)
{
    d->answer->status = 403;
    d->answer->type = XML_TYPE;
    buf_adds(&d->answer->body, XML_HEAD "<d:mkcol-response " DAV_PREFIXES ">");
    add_outcomes(d, true, false);
    buf_adds(&d->answer->body, "</d:mkcol-response>\n");
}

void dav_mkcol(struct dav *d, struct dav_place *p)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct wanted w = wanted_of(&d->request, true);
    if (p->there)
        http_answer_text(d->answer, 405, "%s", _("it is there already"));
    else if (!p->may_be || p->r.kind != DAV_IS_HOME || d->only)
        http_answer_text(d->answer, p->r.kind == DAV_IS_HOME && p->may_be ? 403 : 409, "%s",
                         _("books are made in the home collection"));
    else if (d->request.kind == DAV_MKCOL && !d->request.is_book)
        dav_refuse(d, 403, "d:valid-resourcetype", NULL);
    else if (w.refused)
        refuse_properties(d);
    else if (make_book(d, p->name, &w, &f))
        http_answer_text(d->answer, 503, "%s", _("the book cannot be made just now"));
    else {
        const struct dav_collection made = {.id = p->name};
        const struct dav_resource r = {.kind = DAV_IS_BOOK, .in = &made};
        struct buf href AUTO_BUF = BUF_INIT;
        dav_href(d, &r, &href);
        http_answer_header(d->answer, "Location", "%s", buf_cstr(&href));
        d->answer->status = 201;
    }
}

/* -- PROPPATCH -- */

static bool follows(struct dav *d, const struct dav_collection *c, struct str title)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    return c->book.name.n && title.n && !is_taken(d, title) && !book_rename(d->db, c->book.book, title, &f);
}

static bool patch(struct dav *d, const struct dav_collection *c)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct wanted w = wanted_of(&d->request, false);
    if (w.refused || !d->request.n_sets) return false;
    struct str title = w.title_set ? w.title : c->title, about = w.description_set ? w.description : c->description;
    if (!title.p || str_eq(title, c->book.store_name) || (w.title_set && follows(d, c, title))) title = STR_NONE;
    return !user_book_say(d->db, d->user.no, c->book.book, title, about, &f);
}

void dav_proppatch(struct dav *d, struct dav_resource *r)
{
    struct buf *out = &d->answer->body;
    if (r->kind == DAV_IS_BOOK && !dav_may_write(d, r, "write-properties")) return;
    bool done = r->kind == DAV_IS_BOOK && patch(d, r->in);
    d->answer->status = 207;
    d->answer->type = XML_TYPE;
    buf_adds(out, MULTISTATUS_HEAD "<d:response><d:href>");
    dav_href(d, r, out);
    buf_adds(out, "</d:href>");
    if (r->kind == DAV_IS_BOOK)
        add_outcomes(d, false, done);
    else
        add_outcome(d, false, true, "403 Forbidden", true);
    buf_adds(out, "</d:response>\n</d:multistatus>\n");
}
