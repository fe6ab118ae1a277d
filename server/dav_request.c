#include "server/dav_request.h"

#include "base/i18n.h"

#include <libxml/parser.h>

#define DEPTH_MAX 32

/* -- walking -- */

static bool is(const xmlNode *n, const char *ns, const char *name)
{
    return n->type == XML_ELEMENT_NODE && n->ns && n->ns->href && strcmp((const char *)n->ns->href, ns) == 0 &&
           strcmp((const char *)n->name, name) == 0;
}

static const xmlNode *child(const xmlNode *n, const char *ns, const char *name)
{
    for (const xmlNode *c = n ? n->children : NULL; c; c = c->next)
        if (is(c, ns, name)) return c;
    return NULL;
}

static const char *exact_text(struct arena *arena, const xmlNode *n)
{
    xmlChar *text = n ? xmlNodeGetContent(n) : NULL;
    const char *kept = text ? arena_strdup(arena, str_of((const char *)text)) : NULL;
    xmlFree(text);
    return kept;
}

static const char *text_of(struct arena *arena, const xmlNode *n)
{
    const char *text = exact_text(arena, n);
    return text ? arena_strdup(arena, str_trim(str_of(text))) : NULL;
}

static const char *attribute(struct arena *arena, const xmlNode *n, const char *name)
{
    xmlChar *text = xmlGetNoNsProp(n, (const xmlChar *)name);
    const char *kept = text ? arena_strdup(arena, str_of((const char *)text)) : NULL;
    xmlFree(text);
    return kept;
}

static bool attribute_is(struct arena *arena, const xmlNode *n, const char *name, const char *value)
{
    const char *text = n ? attribute(arena, n, name) : NULL;
    return text && strcmp(text, value) == 0;
}

static size_t count(const xmlNode *n)
{
    size_t all = 0;
    for (const xmlNode *c = n ? n->children : NULL; c; c = c->next) all += c->type == XML_ELEMENT_NODE;
    return all;
}

static struct dav_name name_of(struct arena *arena, const xmlNode *n)
{
    const char *ns = n->ns && n->ns->href ? (const char *)n->ns->href : "";
    return (struct dav_name){arena_strdup(arena, str_of(ns)), arena_strdup(arena, str_of((const char *)n->name)), NULL};
}

/* -- what stands in all of them -- */

/* RFC 6352 section 10.4: no version means 3.0. */
static void read_card_form(struct arena *arena, const xmlNode *n, struct dav_request *out)
{
    const char *type = attribute(arena, n, "content-type"), *version = attribute(arena, n, "version");
    out->wants_card = true;
    out->wants_40 = version && strcmp(version, "4.0") == 0;
    bool known = !version || out->wants_40 || strcmp(version, "3.0") == 0;
    out->wants_other_type = !known || (type && !str_eq_nocase(str_of(type), STR("text/vcard")));
}

static void read_props(struct arena *arena, const xmlNode *prop, struct dav_request *out)
{
    out->props = arena_zalloc(arena, (count(prop) + 1) * sizeof *out->props);
    for (const xmlNode *c = prop ? prop->children : NULL; c; c = c->next) {
        if (c->type != XML_ELEMENT_NODE) continue;
        if (is(c, CARD_NS, "address-data")) read_card_form(arena, c, out);
        out->props[out->n_props++] = name_of(arena, c);
    }
}

static void read_hrefs(struct arena *arena, const xmlNode *root, struct dav_request *out)
{
    out->hrefs = arena_zalloc(arena, (count(root) + 1) * sizeof *out->hrefs);
    for (const xmlNode *c = root->children; c; c = c->next) {
        if (!is(c, DAV_NS, "href")) continue;
        const char *href = text_of(arena, c);
        out->hrefs[out->n_hrefs++] = href ? href : "";
    }
}

static int64_t number_in(struct arena *arena, const xmlNode *limit)
{
    long long n;
    const xmlNode *results = child(limit, DAV_NS, "nresults");
    if (!results) results = child(limit, CARD_NS, "nresults");
    const char *text = text_of(arena, results);
    return text && str_to_int64(str_of(text), &n) && n > 0 ? n : 0;
}

/* -- filters (RFC 6352 section 10.5) -- */

static enum dav_collation collation_of(const char *name)
{
    static const struct {
        const char *name;
        enum dav_collation collation;
    } rows[] = {{"i;unicode-casemap", COLLATION_UNICODE},
                {"default", COLLATION_UNICODE},
                {"i;ascii-casemap", COLLATION_ASCII},
                {"i;octet", COLLATION_OCTET}};
    if (!name) return COLLATION_UNICODE;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(name, rows[i].name) == 0) return rows[i].collation;
    return COLLATION_UNKNOWN;
}

static struct dav_match read_match(struct arena *arena, const xmlNode *n, struct dav_request *out)
{
    static const struct {
        const char *word;
        enum dav_match_type type;
    } types[] = {{"equals", MATCH_EQUALS}, {"starts-with", MATCH_STARTS}, {"ends-with", MATCH_ENDS}};
    const char *type = attribute(arena, n, "match-type"), *text = exact_text(arena, n);
    struct dav_match match = {.text = text ? text : "",
                              .type = MATCH_CONTAINS,
                              .collation = collation_of(attribute(arena, n, "collation")),
                              .negate = attribute_is(arena, n, "negate-condition", "yes")};
    for (size_t i = 0; type && i < sizeof types / sizeof *types; i++)
        if (strcmp(type, types[i].word) == 0) match.type = types[i].type;
    out->unknown_collation |= match.collation == COLLATION_UNKNOWN;
    return match;
}

static void read_param(struct arena *arena, const xmlNode *n, struct dav_param_filter *p, struct dav_request *out)
{
    const char *name = attribute(arena, n, "name");
    const xmlNode *match = child(n, CARD_NS, "text-match");
    *p = (struct dav_param_filter){.param = name ? name : "",
                                   .not_defined = child(n, CARD_NS, "is-not-defined") != NULL,
                                   .has_match = match != NULL};
    if (match) p->match = read_match(arena, match, out);
}

/* "HOME.TEL" is TEL in the group HOME only. */
static void read_filter(struct arena *arena, const xmlNode *n, struct dav_filter *f, struct dav_request *out)
{
    const char *name = attribute(arena, n, "name"), *dot = name ? strchr(name, '.') : NULL;
    *f = (struct dav_filter){.property = dot    ? dot + 1
                                         : name ? name
                                                : "",
                             .not_defined = child(n, CARD_NS, "is-not-defined") != NULL,
                             .all = attribute_is(arena, n, "test", "allof")};
    if (dot) f->group = arena_strdup(arena, (struct str){name, (size_t)(dot - name)});
    f->matches = arena_zalloc(arena, (count(n) + 1) * sizeof *f->matches);
    f->params = arena_zalloc(arena, (count(n) + 1) * sizeof *f->params);
    for (const xmlNode *c = n->children; c; c = c->next) {
        if (is(c, CARD_NS, "text-match")) f->matches[f->n_matches++] = read_match(arena, c, out);
        if (is(c, CARD_NS, "param-filter")) read_param(arena, c, &f->params[f->n_params++], out);
    }
}

static void read_filters(struct arena *arena, const xmlNode *filter, struct dav_request *out)
{
    out->filter_all = attribute_is(arena, filter, "test", "allof");
    out->filters = arena_zalloc(arena, (count(filter) + 1) * sizeof *out->filters);
    for (const xmlNode *c = filter ? filter->children : NULL; c; c = c->next)
        if (is(c, CARD_NS, "prop-filter")) read_filter(arena, c, &out->filters[out->n_filters++], out);
}

/* -- MKCOL (RFC 5689), PROPPATCH -- */

static void read_setting(struct arena *arena, const xmlNode *n, bool removes, struct dav_request *out)
{
    if (is(n, DAV_NS, "resourcetype")) out->is_book = child(n, CARD_NS, "addressbook") != NULL;
    const char *value = removes ? NULL : text_of(arena, n);
    out->sets[out->n_sets++] = (struct dav_set){name_of(arena, n), removes ? NULL : value ? value : ""};
}

static void read_settings(struct arena *arena, const xmlNode *root, struct dav_request *out)
{
    size_t most = 0;
    out->is_book = true;
    for (const xmlNode *c = root->children; c; c = c->next) most += count(child(c, DAV_NS, "prop"));
    out->sets = arena_zalloc(arena, (most + 1) * sizeof *out->sets);
    for (const xmlNode *c = root->children; c; c = c->next) {
        bool sets = is(c, DAV_NS, "set"), removes = is(c, DAV_NS, "remove");
        const xmlNode *prop = sets || removes ? child(c, DAV_NS, "prop") : NULL;
        for (const xmlNode *one = prop ? prop->children : NULL; one; one = one->next)
            if (one->type == XML_ELEMENT_NODE) read_setting(arena, one, removes, out);
    }
}

/* -- the whole -- */

static enum dav_request_kind kind_of(const xmlNode *root)
{
    static const struct {
        const char *ns, *name;
        enum dav_request_kind kind;
    } rows[] = {{DAV_NS, "propfind", DAV_PROPFIND},
                {DAV_NS, "sync-collection", DAV_SYNC},
                {CARD_NS, "addressbook-multiget", DAV_MULTIGET},
                {CARD_NS, "addressbook-query", DAV_QUERY},
                {DAV_NS, "mkcol", DAV_MKCOL},
                {DAV_NS, "propertyupdate", DAV_PROPPATCH},
                {DAV_NS, "expand-property", DAV_EXPAND},
                {DAV_NS, "principal-property-search", DAV_SEARCH},
                {DAV_NS, "principal-search-property-set", DAV_SEARCH_PROPS}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (is(root, rows[i].ns, rows[i].name)) return rows[i].kind;
    return DAV_OTHER;
}

static void read_root(struct arena *arena, const xmlNode *root, struct dav_request *out)
{
    out->kind = kind_of(root);
    if (out->kind == DAV_MKCOL || out->kind == DAV_PROPPATCH) {
        read_settings(arena, root, out);
        return;
    }
    out->all_props = child(root, DAV_NS, "allprop") != NULL;
    out->prop_names = child(root, DAV_NS, "propname") != NULL;
    read_props(arena, child(root, DAV_NS, "prop"), out);
    read_hrefs(arena, root, out);
    out->token = text_of(arena, child(root, DAV_NS, "sync-token"));
    out->limit = number_in(arena, child(root, DAV_NS, "limit"));
    if (!out->limit) out->limit = number_in(arena, child(root, CARD_NS, "limit"));
    read_filters(arena, child(root, CARD_NS, "filter"), out);
}

static bool is_deep(const xmlNode *root)
{
    unsigned depth = 1;
    const xmlNode *n = root;
    while (n) {
        if (n->children && n->type == XML_ELEMENT_NODE) {
            n = n->children;
            if (++depth > DEPTH_MAX) return true;
            continue;
        }
        while (n && n != root && !n->next) n = n->parent, depth--;
        n = n == root ? NULL : n ? n->next : NULL;
    }
    return false;
}

/* A document type ends the reading before anything in it can mean anything: entities, other files, bombs. The parser
 * still returns a document, so the flag decides. */
static void on_doctype(void *ctx, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    xmlParserCtxt *parser = ctx;
    (void)name, (void)external, (void)system;
    *(bool *)parser->_private = true;
    xmlStopParser(parser);
}

enum fault_code dav_request_read(struct str body, struct arena *arena, struct dav_request *out, struct fault *f)
{
    bool doctype = false;
    *out = (struct dav_request){.kind = DAV_NO_BODY, .all_props = true};
    if (!str_trim(body).n) return FAULT_NONE;
    *out = (struct dav_request){.kind = DAV_OTHER};
    xmlParserCtxt *parser = xmlNewParserCtxt();
    if (!parser) return fault_set(f, FAULT_INTERNAL, NULL, "%s", _("the request cannot be read"));
    parser->_private = &doctype;
    parser->sax->internalSubset = on_doctype;
    xmlDoc *doc = xmlCtxtReadMemory(parser, body.p, (int)body.n, NULL, NULL,
                                    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    bool good = root && parser->wellFormed && parser->nsWellFormed && !doctype && !is_deep(root);
    if (good) read_root(arena, root, out);
    xmlFreeDoc(doc);
    xmlFreeParserCtxt(parser);
    if (doctype) return fault_set(f, FAULT_PROTOCOL, NULL, "%s", _("a DOCTYPE is not accepted"));
    return good ? FAULT_NONE : fault_set(f, FAULT_PROTOCOL, NULL, "%s", _("the request is no XML"));
}
