/* The properties of each resource: a row each; and the responses made of them. */
#include "server/dav_impl.h"

typedef bool value_fn(struct dav *d, const struct dav_resource *r, struct buf *out);

static void add_href(struct dav *d, enum dav_kind kind, struct buf *out)
{
    const struct dav_resource r = {.kind = kind};
    buf_adds(out, "<d:href>");
    dav_href(d, &r, out);
    buf_adds(out, "</d:href>");
}

/* -- values -- */

static bool resourcetype(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    (void)d;
    if (r->kind == DAV_IS_CARD) return true;
    buf_adds(out, "<d:collection/>");
    if (r->kind == DAV_IS_PRINCIPAL) buf_adds(out, "<d:principal/>");
    if (r->kind == DAV_IS_BOOK) buf_adds(out, "<c:addressbook/>");
    return true;
}

static bool displayname(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    if (r->kind == DAV_IS_BOOK)
        xml_text(r->in->title, out);
    else if (r->kind == DAV_IS_CARD)
        xml_text(r->card.title, out);
    else
        xml_text(d->user.name, out);
    return true;
}

static bool description(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    (void)d;
    xml_text(r->in->description, out);
    return r->in->description.p != NULL;
}

static bool principal(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    (void)r;
    add_href(d, DAV_IS_PRINCIPAL, out);
    return true;
}

static bool home_set(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    (void)r;
    add_href(d, DAV_IS_HOME, out);
    return true;
}

static bool root(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    (void)r;
    add_href(d, DAV_IS_ROOT, out);
    return true;
}

static void add_privileges(const char *const *names, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) buf_addf(out, "<d:privilege><d:%s/></d:privilege>", names[i]);
}

/* Each one spelled out: clients look for "write" or for the parts, not only for "all". */
static bool privileges(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    static const char *const reading[] = {"read", "read-current-user-privilege-set"}, *const making[] = {"bind"},
                             *const writing[] = {"write", "write-content", "write-properties", "bind", "unbind"};
    add_privileges(reading, 2, out);
    if (r->kind == DAV_IS_HOME && !d->only) add_privileges(making, 1, out);
    if (r->kind >= DAV_IS_BOOK && !r->in->read_only) add_privileges(writing, 5, out);
    return true;
}

static bool reports(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    static const struct {
        const char *name;
        unsigned kinds;
    } rows[] = {{"d:sync-collection", DAV_IS_BOOK},
                {"c:addressbook-multiget", DAV_IS_BOOK},
                {"c:addressbook-query", DAV_IS_BOOK},
                {"d:expand-property", DAV_IS_ROOT | DAV_IS_PRINCIPAL | DAV_IS_HOME | DAV_IS_BOOK},
                {"d:principal-property-search", DAV_IS_ROOT | DAV_IS_PRINCIPAL},
                {"d:principal-search-property-set", DAV_IS_ROOT | DAV_IS_PRINCIPAL}};
    (void)d;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].kinds & r->kind)
            buf_addf(out, "<d:supported-report><d:report><%s/></d:report></d:supported-report>", rows[i].name);
    return true;
}

static bool token(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    dav_sync_token(d, r->in, r->in->seq, out);
    return true;
}

static bool etag(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    struct buf text AUTO_BUF = BUF_INIT;
    (void)d;
    dav_etag(r->card.body, &text);
    xml_text(buf_str(&text), out);
    return true;
}

static bool content_type(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    (void)d, (void)r;
    buf_adds(out, "text/vcard; charset=utf-8");
    return true;
}

static bool content_length(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    (void)d;
    buf_addf(out, "%zu", r->card.body.n);
    return true;
}

static bool last_modified(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    (void)d;
    dav_date(r->card.changed_ms, out);
    return true;
}

static bool card(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    struct buf bytes AUTO_BUF = BUF_INIT;
    if (d->request.wants_other_type || !dav_card_bytes(d, &r->card, d->request.wants_40, &bytes)) return false;
    xml_text(buf_str(&bytes), out);
    return true;
}

static bool supported_data(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    (void)d, (void)r;
    buf_adds(out, "<c:address-data-type content-type=\"text/vcard\" version=\"3.0\"/>"
                  "<c:address-data-type content-type=\"text/vcard\" version=\"4.0\"/>");
    return true;
}

static bool supported_collations(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    (void)d, (void)r;
    buf_adds(out, "<c:supported-collation>i;ascii-casemap</c:supported-collation>"
                  "<c:supported-collation>i;octet</c:supported-collation>"
                  "<c:supported-collation>i;unicode-casemap</c:supported-collation>");
    return true;
}

static bool max_size(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    (void)r;
    buf_addf(out, "%zu", d->service->settings.card_bytes);
    return true;
}

#define EVERYWHERE (DAV_IS_ROOT | DAV_IS_PRINCIPAL | DAV_IS_HOME | DAV_IS_BOOK | DAV_IS_CARD)
#define COLLECTIONS (DAV_IS_ROOT | DAV_IS_PRINCIPAL | DAV_IS_HOME | DAV_IS_BOOK)
struct dav_row {
    const char *ns, *name;
    unsigned kinds; /* enum dav_kind */
    bool in_all;    /* answered to allprop (RFC 4918 section 9.1) */
    value_fn *value;
};
static const struct dav_row rows[] = {
    {DAV_NS, "resourcetype", EVERYWHERE, true, resourcetype},
    {DAV_NS, "displayname", EVERYWHERE, true, displayname},
    {DAV_NS, "getetag", DAV_IS_CARD, true, etag},
    {DAV_NS, "getcontenttype", DAV_IS_CARD, true, content_type},
    {DAV_NS, "getcontentlength", DAV_IS_CARD, true, content_length},
    {DAV_NS, "getlastmodified", DAV_IS_CARD, true, last_modified},
    {DAV_NS, "current-user-principal", EVERYWHERE, false, principal},
    {DAV_NS, "principal-URL", EVERYWHERE, false, principal},
    {DAV_NS, "owner", EVERYWHERE, false, principal},
    {DAV_NS, "principal-collection-set", COLLECTIONS, false, root},
    {DAV_NS, "current-user-privilege-set", EVERYWHERE, false, privileges},
    {DAV_NS, "supported-report-set", EVERYWHERE, false, reports},
    {DAV_NS, "sync-token", DAV_IS_BOOK, false, token},
    {CS_NS, "getctag", DAV_IS_BOOK, false, token},
    {CS_NS, "getetag", DAV_IS_CARD, false, etag},
    {CARD_NS, "addressbook-home-set", COLLECTIONS, false, home_set},
    {CARD_NS, "addressbook-description", DAV_IS_BOOK, false, description},
    {CARD_NS, "supported-address-data", DAV_IS_BOOK, false, supported_data},
    {CARD_NS, "supported-collation-set", DAV_IS_BOOK, false, supported_collations},
    {CARD_NS, "max-resource-size", DAV_IS_BOOK, false, max_size},
    {CARD_NS, "address-data", DAV_IS_CARD, false, card},
};
#define N_ROWS (sizeof rows / sizeof *rows)

static const struct dav_row *row_of(const struct dav_name *name)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (strcmp(rows[i].ns, name->ns) == 0 && strcmp(rows[i].name, name->name) == 0) return &rows[i];
    return NULL;
}

void dav_props_prepare(struct dav *d)
{
    for (size_t i = 0; i < d->request.n_props; i++) d->request.props[i].row = row_of(&d->request.props[i]);
}

/* -- responses: what is there first, for a client looks at the first status alone (carddav 9) -- */

static const char *prefix_of(const char *ns)
{
    return strcmp(ns, DAV_NS) == 0 ? "d" : strcmp(ns, CARD_NS) == 0 ? "c" : strcmp(ns, CS_NS) == 0 ? "cs" : NULL;
}

void dav_open_tag(const struct dav_name *n, bool empty, struct buf *out)
{
    const char *prefix = prefix_of(n->ns);
    if (prefix)
        buf_addf(out, "<%s:%s", prefix, n->name);
    else if (!*n->ns)
        buf_addf(out, "<%s", n->name);
    else {
        buf_addf(out, "<x:%s xmlns:x=\"", n->name);
        xml_text(str_of(n->ns), out);
        buf_addc(out, '"');
    }
    buf_adds(out, empty ? "/>" : ">");
}

void dav_close_tag(const struct dav_name *n, struct buf *out)
{
    const char *prefix = prefix_of(n->ns);
    buf_addf(out, "</%s%s%s>", prefix ? prefix : *n->ns ? "x" : "", prefix || *n->ns ? ":" : "", n->name);
}

static void add_value(struct dav *d, const struct dav_resource *r, const struct dav_name *n)
{
    buf_reset(&d->value);
    if (!n->row || !(n->row->kinds & r->kind) || !n->row->value(d, r, &d->value)) {
        if (!d->brief) dav_open_tag(n, true, &d->missing);
        return;
    }
    dav_open_tag(n, !d->value.len, &d->found);
    if (!d->value.len) return;
    buf_addstr(&d->found, buf_str(&d->value));
    dav_close_tag(n, &d->found);
}

static void add_all(struct dav *d, const struct dav_resource *r)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        const struct dav_name n = {rows[i].ns, rows[i].name, &rows[i]};
        if (d->request.prop_names && (rows[i].kinds & r->kind))
            dav_open_tag(&n, true, &d->found);
        else if (!d->request.prop_names && rows[i].in_all && (rows[i].kinds & r->kind))
            add_value(d, r, &n);
    }
}

static void add_propstat(const struct buf *props, const char *status, struct buf *out)
{
    buf_adds(out, "<d:propstat><d:prop>");
    buf_addstr(out, buf_str(props));
    buf_adds(out, "</d:prop><d:status>HTTP/1.1 ");
    buf_adds(out, status);
    buf_adds(out, "</d:status></d:propstat>");
}

void dav_add_response(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    buf_reset(&d->found);
    buf_reset(&d->missing);
    if (d->request.all_props || d->request.prop_names) add_all(d, r);
    for (size_t i = 0; i < d->request.n_props; i++) add_value(d, r, &d->request.props[i]);
    buf_adds(out, "<d:response><d:href>");
    dav_href(d, r, out);
    buf_adds(out, "</d:href>");
    if (d->found.len || !d->missing.len) add_propstat(&d->found, "200 OK", out);
    if (d->missing.len) add_propstat(&d->missing, "404 Not Found", out);
    buf_adds(out, "</d:response>\n");
}

void dav_add_missing(struct dav *d, const char *href, struct buf *out)
{
    (void)d;
    buf_adds(out, "<d:response><d:href>");
    xml_text(str_of(href), out);
    buf_adds(out, "</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>\n");
}
