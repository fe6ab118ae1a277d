/* The properties of each resource: a row each; and the responses made of them. */
#include "server/dav_impl.h"

#include "base/hash.h"
#include "mapping/record.h"
#include "state/settings.h"

#include <inttypes.h>

/* -- text -- */

void xml_text(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool forbidden = (c < 0x20 && c != '\t' && c != '\n' && c != '\r') ||
                         (c == 0xef && i + 2 < text.n && (unsigned char)text.p[i + 1] == 0xbf &&
                          (unsigned char)text.p[i + 2] >= 0xbe);
        if (forbidden)
            i += c == 0xef ? 2 : 0;
        else if (c == '&')
            buf_adds(out, "&amp;");
        else if (c == '<')
            buf_adds(out, "&lt;");
        else if (c == '>')
            buf_adds(out, "&gt;");
        else if (c == '"')
            buf_adds(out, "&quot;");
        else if (c == '\r')
            buf_adds(out, "&#13;"); /* a bare one would be read as a line break */
        else
            buf_addc(out, (char)c);
    }
}

static void add_segment(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~@", c));
        if (plain)
            buf_addc(out, (char)c);
        else
            buf_addf(out, "%%%02X", c);
    }
}

void dav_href(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    buf_adds(out, DAV_ROOT);
    if (r->kind == DAV_IS_ROOT) return;
    buf_adds(out, r->kind == DAV_IS_PRINCIPAL ? "principals/" : "books/");
    add_segment(d->user.name, out);
    buf_addc(out, '/');
    if (r->kind == DAV_IS_PRINCIPAL || r->kind == DAV_IS_HOME) return;
    add_segment(r->book.id, out);
    buf_addc(out, '/');
    if (r->kind == DAV_IS_CARD) add_segment(r->name, out);
}

static void add_href(struct dav *d, enum dav_kind kind, struct buf *out)
{
    const struct dav_resource r = {.kind = kind};
    buf_adds(out, "<d:href>");
    dav_href(d, &r, out);
    buf_adds(out, "</d:href>");
}

/* -- values -- */

void dav_etag(const struct dav *d, struct str body, struct buf *out)
{
    char hex[DIGEST_HEX_BYTES];
    struct digest digest;
    (void)d;
    digest_init(&digest);
    digest_str(&digest, body);
    digest_hex(&digest, hex);
    buf_addf(out, "\"%.32s\"", hex);
}

void dav_sync_token(const struct book *b, int64_t seq, struct buf *out)
{
    buf_addf(out, "data:,%.*s-%" PRId64, STR_ARG(b->id), seq);
}

bool dav_card_bytes(struct dav *d, const struct store_record *r, bool wants_40, struct buf *out)
{
    struct hash_key key;
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    const struct write_form form = {.versions = WRITE_V30, .strict = true};
    if (wants_40 || str_find(r->body, STR("VERSION:4.0")) == (size_t)-1 || settings_hash_key(d->db, &key, &f)) {
        buf_addstr(out, r->body);
        return true;
    }
    struct record *record = record_parse(&scratch, RECORD_CONTACT, r->body, &key, &f);
    if (!record || record_version(record) != 40) {
        buf_addstr(out, r->body);
        return true;
    }
    return record_write_new(record, &form, out, &f) == FAULT_NONE;
}

typedef bool value_fn(struct dav *d, const struct dav_resource *r, struct buf *out);

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
        xml_text(r->book.name, out);
    else if (r->kind == DAV_IS_CARD)
        xml_text(r->record.title, out);
    else
        xml_text(d->user.name, out);
    return true;
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

static bool privileges(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    static const char *const reading[] = {"read", "read-current-user-privilege-set"}, *const writing[] = {
                                                                                          "write", "write-content",
                                                                                          "write-properties", "bind",
                                                                                          "unbind"};
    (void)d;
    for (size_t i = 0; i < 2; i++) buf_addf(out, "<d:privilege><d:%s/></d:privilege>", reading[i]);
    for (size_t i = 0; i < 5 && !r->read_only && r->kind >= DAV_IS_BOOK; i++)
        buf_addf(out, "<d:privilege><d:%s/></d:privilege>", writing[i]);
    return true;
}

static bool reports(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    (void)d;
    if (r->kind != DAV_IS_BOOK) return true;
    buf_adds(out, "<d:supported-report><d:report><d:sync-collection/></d:report></d:supported-report>"
                  "<d:supported-report><d:report><c:addressbook-multiget/></d:report></d:supported-report>"
                  "<d:supported-report><d:report><c:addressbook-query/></d:report></d:supported-report>");
    return true;
}

static bool token(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    (void)d;
    dav_sync_token(&r->book, r->book.seq, out);
    return true;
}

static bool etag(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    struct buf text AUTO_BUF = BUF_INIT;
    dav_etag(d, r->record.body, &text);
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
    buf_addf(out, "%zu", r->record.body.n);
    return true;
}

static bool card(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    struct buf bytes AUTO_BUF = BUF_INIT;
    if (!dav_card_bytes(d, &r->record, d->request.wants_40, &bytes)) return false;
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

static bool max_size(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    (void)r;
    buf_addf(out, "%zu", d->service->settings.card_bytes);
    return true;
}

#define EVERYWHERE (DAV_IS_ROOT | DAV_IS_PRINCIPAL | DAV_IS_HOME | DAV_IS_BOOK | DAV_IS_CARD)
#define COLLECTIONS (DAV_IS_ROOT | DAV_IS_PRINCIPAL | DAV_IS_HOME | DAV_IS_BOOK)
static const struct row {
    const char *ns, *name;
    unsigned kinds; /* enum dav_kind */
    bool in_all;    /* answered to allprop (RFC 4918 section 9.1) */
    value_fn *value;
} rows[] = {
    {DAV_NS, "resourcetype", EVERYWHERE, true, resourcetype},
    {DAV_NS, "displayname", EVERYWHERE, true, displayname},
    {DAV_NS, "getetag", DAV_IS_CARD, true, etag},
    {DAV_NS, "getcontenttype", DAV_IS_CARD, true, content_type},
    {DAV_NS, "getcontentlength", DAV_IS_CARD, true, content_length},
    {DAV_NS, "current-user-principal", EVERYWHERE, false, principal},
    {DAV_NS, "principal-URL", DAV_IS_PRINCIPAL, false, principal},
    {DAV_NS, "owner", EVERYWHERE, false, principal},
    {DAV_NS, "principal-collection-set", COLLECTIONS, false, root},
    {DAV_NS, "current-user-privilege-set", EVERYWHERE, false, privileges},
    {DAV_NS, "supported-report-set", EVERYWHERE, false, reports},
    {DAV_NS, "sync-token", DAV_IS_BOOK, false, token},
    {CS_NS, "getctag", DAV_IS_BOOK, false, token},
    {CS_NS, "getetag", DAV_IS_CARD, false, etag},
    {CARD_NS, "addressbook-home-set", COLLECTIONS, false, home_set},
    {CARD_NS, "supported-address-data", DAV_IS_BOOK, false, supported_data},
    {CARD_NS, "max-resource-size", DAV_IS_BOOK, false, max_size},
    {CARD_NS, "address-data", DAV_IS_CARD, false, card},
};
#define N_ROWS (sizeof rows / sizeof *rows)

static const struct row *row_of(const struct dav_name *name)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (strcmp(rows[i].ns, name->ns) == 0 && strcmp(rows[i].name, name->name) == 0) return &rows[i];
    return NULL;
}

/* -- responses: what is there first, for a client looks at the first status alone (protocols 9) -- */

static const char *prefix_of(const char *ns)
{
    return strcmp(ns, DAV_NS) == 0 ? "d" : strcmp(ns, CARD_NS) == 0 ? "c" : strcmp(ns, CS_NS) == 0 ? "cs" : NULL;
}

static void open_tag(const struct dav_name *n, bool empty, struct buf *out)
{
    const char *prefix = prefix_of(n->ns);
    if (prefix)
        buf_addf(out, "<%s:%s", prefix, n->name);
    else {
        buf_addf(out, "<x:%s xmlns:x=\"", n->name);
        xml_text(str_of(n->ns), out);
        buf_addc(out, '"');
    }
    buf_adds(out, empty ? "/>" : ">");
}

static void add_value(struct dav *d, const struct dav_resource *r, const struct dav_name *n, const struct row *row,
                      struct buf *found, struct buf *missing)
{
    struct buf value AUTO_BUF = BUF_INIT;
    bool there = row && (row->kinds & r->kind) && row->value(d, r, &value);
    if (!there) {
        open_tag(n, true, missing);
        return;
    }
    open_tag(n, !value.len, found);
    if (!value.len) return;
    buf_addstr(found, buf_str(&value));
    buf_addf(found, "</%s:%s>", prefix_of(n->ns), n->name);
}

static void add_all(struct dav *d, const struct dav_resource *r, struct buf *found)
{
    struct buf missing AUTO_BUF = BUF_INIT;
    for (size_t i = 0; i < N_ROWS; i++) {
        const struct dav_name n = {rows[i].ns, rows[i].name};
        if (d->request.prop_names && (rows[i].kinds & r->kind))
            open_tag(&n, true, found);
        else if (!d->request.prop_names && rows[i].in_all)
            add_value(d, r, &n, &rows[i], found, &missing);
    }
}

static void add_propstat(const struct buf *props, const char *status, struct buf *out)
{
    if (!props->len) return;
    buf_adds(out, "<d:propstat><d:prop>");
    buf_addstr(out, buf_str(props));
    buf_addf(out, "</d:prop><d:status>HTTP/1.1 %s</d:status></d:propstat>", status);
}

void dav_add_response(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    struct buf found AUTO_BUF = BUF_INIT, missing AUTO_BUF = BUF_INIT;
    if (d->request.all_props || d->request.prop_names) add_all(d, r, &found);
    for (size_t i = 0; i < d->request.n_props; i++)
        add_value(d, r, &d->request.props[i], row_of(&d->request.props[i]), &found, &missing);
    buf_adds(out, "<d:response><d:href>");
    dav_href(d, r, out);
    buf_adds(out, "</d:href>");
    add_propstat(&found, "200 OK", out);
    if (!d->brief || !found.len) add_propstat(&missing, "404 Not Found", out);
    if (!found.len && !missing.len) buf_adds(out, "<d:status>HTTP/1.1 200 OK</d:status>");
    buf_adds(out, "</d:response>\n");
}

void dav_add_missing(struct dav *d, const char *href, struct buf *out)
{
    (void)d;
    buf_adds(out, "<d:response><d:href>");
    xml_text(str_of(href), out);
    buf_adds(out, "</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>\n");
}
