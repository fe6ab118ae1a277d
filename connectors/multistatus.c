#include "connectors/multistatus.h"

#include "base/i18n.h"
#include "base/mem.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <stdlib.h>

#define DEPTH_MAX 32
#define HREF_MAX_BYTES 8192
#define SIDE_MAX_BYTES (1u << 20) /* names, hrefs, attributes inside one property; all hrefs of a response; a token */

enum place { AT_ROOT, AT_MULTISTATUS, AT_RESPONSE, AT_PROPSTAT, AT_PROP, AT_PROPERTY, AT_SKIP };

struct property_buffer {
    struct buf text, names, hrefs, attributes;
    bool there;
};

struct multistatus {
    xmlParserCtxtPtr parser;
    const struct dav_wanted *wanted;
    size_t n_wanted, limit_bytes;
    struct multistatus_sink sink;
    enum place place[DEPTH_MAX + 1]; /* of each open element */
    unsigned depth;
    struct buf *into; /* where character data goes; NULL = nowhere */
    struct buf href, status, token;
    int response_status;
    bool error_limit, closed;
    int current; /* property being read, -1 = none */
    struct property_buffer buffers[DAV_WANTED_MAX];
    struct dav_property properties[DAV_WANTED_MAX];
    struct buf href_inside;
    struct fault fault;
};

/* -- ends of the reading -- */

static void stop(struct multistatus *m, enum fault_code code, const char *what)
{
    if (!m->fault.code) fault_set(&m->fault, code, _("is the address right? try: abgleich account test"), "%s", what);
    xmlStopParser(m->parser);
}

static bool is(const xmlChar *name, const char *wanted)
{
    return name && strcmp((const char *)name, wanted) == 0;
}

static bool in_dav(const xmlChar *uri)
{
    return is(uri, NS_DAV);
}

/* -- opening -- */

static int wanted_index(const struct multistatus *m, const xmlChar *name, const xmlChar *uri)
{
    for (size_t i = 0; i < m->n_wanted; i++)
        if (is(name, m->wanted[i].name) && is(uri, m->wanted[i].ns)) return (int)i;
    return -1;
}

static void begin_response(struct multistatus *m)
{
    buf_reset(&m->href);
    m->response_status = 0;
    m->error_limit = false;
    for (size_t i = 0; i < m->n_wanted; i++) m->properties[i] = (struct dav_property){.status = 0};
}

/* Properties of this propstat are collected first: the status may stand before or after them. */
static void begin_propstat(struct multistatus *m)
{
    buf_reset(&m->status);
    for (size_t i = 0; i < m->n_wanted; i++) m->buffers[i].there = false;
}

static enum place begin_property(struct multistatus *m, const xmlChar *name, const xmlChar *uri)
{
    m->current = wanted_index(m, name, uri);
    if (m->current < 0) return AT_SKIP;
    struct dav_property *found = &m->properties[m->current];
    if (found->status >= 200 && found->status < 300)
        return AT_SKIP; /* its text is in the buffers: the first good one counts */
    *found = (struct dav_property){.status = found->status};
    struct property_buffer *b = &m->buffers[m->current];
    b->there = true;
    buf_reset(&b->text);
    buf_reset(&b->names);
    buf_reset(&b->hrefs);
    buf_reset(&b->attributes);
    m->into = &b->text;
    return AT_PROPERTY;
}

static void add_attributes(struct multistatus *m, int n, const xmlChar **attributes)
{
    struct buf *out = &m->buffers[m->current].attributes;
    for (int i = 0; i < n; i++) {
        const xmlChar **a = &attributes[i * 5];
        buf_addf(out, "%s=", (const char *)a[0]);
        buf_add(out, a[3], (size_t)(a[4] - a[3]));
        buf_addc(out, ' ');
    }
}

static enum place begin_inside(struct multistatus *m, const xmlChar *name, const xmlChar *uri, int n,
                               const xmlChar **attributes)
{
    struct property_buffer *b = &m->buffers[m->current];
    buf_addf(&b->names, "%s ", (const char *)name);
    add_attributes(m, n, attributes);
    m->into = NULL;
    if (in_dav(uri) && is(name, "href")) {
        buf_reset(&m->href_inside);
        m->into = &m->href_inside;
    }
    return AT_PROPERTY;
}

static enum place begin_in_response(struct multistatus *m, const xmlChar *name)
{
    if (is(name, "propstat")) {
        begin_propstat(m);
        return AT_PROPSTAT;
    }
    if (is(name, "href")) {
        if (m->href.len) buf_addc(&m->href, '\n');
        m->into = &m->href;
    }
    if (is(name, "status")) {
        buf_reset(&m->status);
        m->into = &m->status;
    }
    return AT_SKIP;
}

static enum place begin_in_multistatus(struct multistatus *m, const xmlChar *name)
{
    if (is(name, "response")) {
        begin_response(m);
        return AT_RESPONSE;
    }
    if (is(name, "sync-token")) {
        buf_reset(&m->token);
        m->into = &m->token;
    }
    return AT_SKIP;
}

static enum place begin_in_propstat(struct multistatus *m, const xmlChar *name)
{
    if (is(name, "prop")) return AT_PROP;
    if (is(name, "status")) m->into = &m->status;
    return AT_SKIP;
}

static enum place place_of(struct multistatus *m, const xmlChar *name, const xmlChar *uri, int n,
                           const xmlChar **attributes)
{
    if (m->depth == 1) {
        if (in_dav(uri) && is(name, "multistatus")) return AT_MULTISTATUS;
        stop(m, FAULT_PROTOCOL, _("the answer is no DAV answer"));
        return AT_SKIP;
    }
    switch (m->place[m->depth - 1]) {
    case AT_MULTISTATUS:
        return in_dav(uri) ? begin_in_multistatus(m, name) : AT_SKIP;
    case AT_RESPONSE:
        return in_dav(uri) ? begin_in_response(m, name) : AT_SKIP;
    case AT_PROPSTAT:
        return in_dav(uri) ? begin_in_propstat(m, name) : AT_SKIP;
    case AT_PROP:
        return begin_property(m, name, uri);
    case AT_PROPERTY:
        return begin_inside(m, name, uri, n, attributes);
    default:
        if (is(name, "number-of-matches-within-limits")) m->error_limit = true;
        return AT_SKIP;
    }
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int n_namespaces,
                     const xmlChar **namespaces, int n_attributes, int n_defaulted, const xmlChar **attributes)
{
    struct multistatus *m = ctx;
    (void)prefix;
    (void)n_namespaces;
    (void)namespaces;
    (void)n_defaulted;
    if (m->depth >= DEPTH_MAX) {
        stop(m, FAULT_PROTOCOL, _("the answer is nested too deeply"));
        return;
    }
    m->depth++;
    m->into = NULL;
    m->place[m->depth] = place_of(m, name, uri, n_attributes, attributes);
}

/* -- closing -- */

static int status_number(const struct buf *text)
{
    struct str rest = str_trim(buf_str(text));
    str_split(&rest, ' ');
    long long number;
    return rest.n >= 3 && str_to_int64((struct str){rest.p, 3}, &number) ? (int)number : 0;
}

static void end_propstat(struct multistatus *m)
{
    int status = m->status.len ? status_number(&m->status) : 200;
    for (size_t i = 0; i < m->n_wanted; i++) {
        const struct property_buffer *b = &m->buffers[i];
        if (b->names.overflow || b->hrefs.overflow || b->attributes.overflow)
            stop(m, FAULT_TOO_LARGE, _("the answer holds a value beyond every measure"));
        bool better = !m->properties[i].status || (status >= 200 && status < 300);
        if (!b->there || !better) continue;
        m->properties[i] = (struct dav_property){status, buf_str(&b->text), buf_str(&b->names), buf_str(&b->hrefs),
                                                 buf_str(&b->attributes)};
    }
}

static void tell(struct multistatus *m, struct str href)
{
    const struct dav_response r = {
        .href = href, .status = m->response_status, .error_limit = m->error_limit, .properties = m->properties};
    enum fault_code code = m->sink.response(m->sink.ctx, &r, &m->fault);
    if (!code) return;
    if (!m->fault.code) m->fault.code = code;
    xmlStopParser(m->parser);
}

/* Several hrefs may share one status (RFC 4918 14.24): a callback each. */
static void end_response(struct multistatus *m)
{
    struct str rest = str_trim(buf_str(&m->href));
    if (!rest.n) stop(m, FAULT_PROTOCOL, _("the answer holds a response without href"));
    while (rest.n && !m->fault.code) {
        struct str href = str_trim(str_split(&rest, '\n'));
        if (href.n) tell(m, href);
    }
}

static void end_inside(struct multistatus *m)
{
    if (m->into == &m->href_inside) {
        buf_addstr(&m->buffers[m->current].hrefs, str_trim(buf_str(&m->href_inside)));
        buf_addc(&m->buffers[m->current].hrefs, '\n');
    }
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct multistatus *m = ctx;
    (void)prefix;
    if (m->fault.code || !m->depth) return;
    enum place here = m->place[m->depth], above = m->place[m->depth - 1];
    if (here == AT_PROPERTY && above == AT_PROPERTY) end_inside(m);
    if (here == AT_PROPSTAT) end_propstat(m);
    if (here == AT_RESPONSE) end_response(m);
    if (here == AT_MULTISTATUS) m->closed = true;
    if (above == AT_RESPONSE && in_dav(uri) && is(name, "status")) m->response_status = status_number(&m->status);
    m->depth--;
    m->into = here == AT_PROPERTY && above == AT_PROPERTY && m->place[m->depth - 1] == AT_PROP
                  ? &m->buffers[m->current].text
                  : NULL;
}

/* -- text -- */

static void on_text(void *ctx, const xmlChar *text, int n)
{
    struct multistatus *m = ctx;
    if (!m->into || m->fault.code) return;
    size_t limit = m->into == &m->href_inside ? HREF_MAX_BYTES : m->into->limit ? m->into->limit : m->limit_bytes;
    if (m->into->len + (size_t)n > limit)
        stop(m, FAULT_TOO_LARGE, _("the answer holds a value beyond every measure"));
    else
        buf_add(m->into, text, (size_t)n);
}

static void on_doctype(void *ctx, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    struct multistatus *m = ctx;
    (void)external;
    (void)system;
    stop(m, FAULT_PROTOCOL,
         name && strcasecmp((const char *)name, "html") == 0 ? _("the answer is a web page, no DAV answer")
                                                             : _("the answer holds a DOCTYPE"));
}

static xmlEntityPtr on_entity(void *ctx, const xmlChar *name)
{
    (void)ctx;
    return xmlGetPredefinedEntity(name);
}

static void ignore(void *ctx, const char *format, ...)
{
    (void)ctx;
    (void)format;
}

/* -- the interface -- */

struct multistatus *multistatus_new(const struct dav_wanted *wanted, size_t n, const struct multistatus_sink *sink,
                                    size_t limit_bytes)
{
    static const xmlSAXHandler handler = {
        .initialized = XML_SAX2_MAGIC,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .cdataBlock = on_text,
        .ignorableWhitespace = on_text,
        .internalSubset = on_doctype,
        .getEntity = on_entity,
        .error = ignore,
        .warning = ignore,
    };
    struct multistatus *m = mem_calloc(1, sizeof *m);
    m->wanted = wanted;
    m->n_wanted = n < DAV_WANTED_MAX ? n : DAV_WANTED_MAX;
    m->sink = *sink;
    m->limit_bytes = limit_bytes;
    m->current = -1;
    m->href.limit = m->token.limit = m->status.limit = SIDE_MAX_BYTES;
    for (size_t i = 0; i < m->n_wanted; i++)
        m->buffers[i].names.limit = m->buffers[i].hrefs.limit = m->buffers[i].attributes.limit = SIDE_MAX_BYTES;
    xmlSAXHandler copy = handler;
    m->parser = xmlCreatePushParserCtxt(&copy, m, NULL, 0, NULL);
    if (!m->parser) abort();
    xmlCtxtUseOptions(m->parser, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    return m;
}

void multistatus_free(struct multistatus *m)
{
    if (!m) return;
    xmlFreeParserCtxt(m->parser);
    for (size_t i = 0; i < DAV_WANTED_MAX; i++) {
        buf_free(&m->buffers[i].text);
        buf_free(&m->buffers[i].names);
        buf_free(&m->buffers[i].hrefs);
        buf_free(&m->buffers[i].attributes);
    }
    buf_free(&m->href);
    buf_free(&m->href_inside);
    buf_free(&m->status);
    buf_free(&m->token);
    fault_clear(&m->fault);
    free(m);
}

static enum fault_code told(const struct multistatus *m, struct fault *f)
{
    if (m->fault.code && f && !f->code) fault_copy(f, &m->fault);
    return m->fault.code;
}

enum fault_code multistatus_feed(struct multistatus *m, struct str bytes, struct fault *f)
{
    while (bytes.n && !m->fault.code) {
        int n = bytes.n > 1 << 20 ? 1 << 20 : (int)bytes.n;
        int error = xmlParseChunk(m->parser, bytes.p, n, 0);
        if (error && !m->fault.code && m->parser->wellFormed == 0)
            fault_set(&m->fault, FAULT_PROTOCOL, _("is the address right? try: abgleich account test"),
                      m->depth ? _("the answer is no well-formed XML") : _("the answer is no DAV answer"));
        bytes = (struct str){bytes.p + n, bytes.n - (size_t)n};
    }
    return told(m, f);
}

enum fault_code multistatus_end(struct multistatus *m, struct fault *f)
{
    if (!m->fault.code && !m->closed)
        fault_set(&m->fault, FAULT_INCOMPLETE, _("nothing is concluded from it; the next run asks again"),
                  _("the answer ended early"));
    return told(m, f);
}

struct str multistatus_token(const struct multistatus *m)
{
    return m->token.len ? str_trim(buf_str(&m->token)) : STR_NONE;
}

/* -- errors: small bodies, looked through as text -- */

static size_t find_element(struct str body, const char *name)
{
    size_t n = strlen(name), from = 0;
    for (;;) {
        struct str rest = {body.p + from, body.n - from};
        size_t at = str_find(rest, (struct str){name, n});
        if (at == (size_t)-1) return at;
        at += from;
        char before = at ? body.p[at - 1] : ' ', after = at + n < body.n ? body.p[at + n] : ' ';
        if ((before == '<' || before == ':') &&
            (after == '>' || after == '/' || after == ' ' || after == '\n' || after == '\r' || after == '\t'))
            return at;
        from = at + n;
    }
}

bool dav_error_names(struct str body, const char *name)
{
    return body.n && find_element(body, "error") != (size_t)-1 && find_element(body, name) != (size_t)-1;
}

bool dav_error_href(struct str body, struct buf *out)
{
    size_t at = body.n ? find_element(body, "href") : (size_t)-1;
    if (at == (size_t)-1) return false;
    struct str rest = {body.p + at, body.n - at};
    str_split(&rest, '>');
    if (!rest.p) return false;
    buf_addstr(out, str_trim(str_split(&rest, '<')));
    return true;
}
