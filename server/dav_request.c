#include "server/dav_impl.h"

#include "base/i18n.h"

#include <libxml/parser.h>
#include <strings.h>

/* -- walking -- */

static bool is(const xmlNode *n, const char *ns, const char *name)
{
    return n->type == XML_ELEMENT_NODE && n->ns && strcmp((const char *)n->ns->href, ns) == 0 &&
           strcmp((const char *)n->name, name) == 0;
}

static const xmlNode *child(const xmlNode *n, const char *ns, const char *name)
{
    for (const xmlNode *c = n ? n->children : NULL; c; c = c->next)
        if (is(c, ns, name)) return c;
    return NULL;
}

static const char *text_of(struct arena *arena, const xmlNode *n)
{
    xmlChar *text = n ? xmlNodeGetContent(n) : NULL;
    const char *kept = text ? arena_strdup(arena, str_trim(str_of((const char *)text))) : NULL;
    xmlFree(text);
    return kept;
}

static const char *attribute(struct arena *arena, const xmlNode *n, const char *name)
{
    xmlChar *text = xmlGetNoNsProp(n, (const xmlChar *)name);
    const char *kept = text ? arena_strdup(arena, str_of((const char *)text)) : NULL;
    xmlFree(text);
    return kept;
}

static size_t count(const xmlNode *n)
{
    size_t all = 0;
    for (const xmlNode *c = n ? n->children : NULL; c; c = c->next) all += c->type == XML_ELEMENT_NODE;
    return all;
}

/* -- what stands in all of them -- */

static void read_props(struct arena *arena, const xmlNode *prop, struct dav_request *out)
{
    out->props = arena_zalloc(arena, (count(prop) + 1) * sizeof *out->props);
    for (const xmlNode *c = prop ? prop->children : NULL; c; c = c->next) {
        if (c->type != XML_ELEMENT_NODE) continue;
        if (is(c, CARD_NS, "address-data")) {
            const char *version = attribute(arena, c, "version");
            out->wants_card = true;
            out->wants_40 = version && strcmp(version, "4.0") == 0;
        }
        out->props[out->n_props++] =
            (struct dav_name){c->ns ? arena_strdup(arena, str_of((const char *)c->ns->href)) : "",
                              arena_strdup(arena, str_of((const char *)c->name))};
    }
}

static void read_hrefs(struct arena *arena, const xmlNode *root, struct dav_request *out)
{
    out->hrefs = arena_zalloc(arena, (count(root) + 1) * sizeof *out->hrefs);
    for (const xmlNode *c = root->children; c; c = c->next)
        if (is(c, DAV_NS, "href")) out->hrefs[out->n_hrefs++] = text_of(arena, c);
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

static void read_match(struct arena *arena, const xmlNode *n, struct dav_match *out)
{
    static const struct {
        const char *word;
        int type;
    } types[] = {{"equals", MATCH_EQUALS}, {"starts-with", MATCH_STARTS}, {"ends-with", MATCH_ENDS}};
    const char *type = attribute(arena, n, "match-type"), *negate = attribute(arena, n, "negate-condition");
    *out = (struct dav_match){
        .text = text_of(arena, n), .type = MATCH_CONTAINS, .negate = negate && strcmp(negate, "yes") == 0};
    for (size_t i = 0; type && i < sizeof types / sizeof *types; i++)
        if (strcmp(type, types[i].word) == 0) out->type = types[i].type;
}

static void read_filter(struct arena *arena, const xmlNode *n, struct dav_filter *out)
{
    const char *name = attribute(arena, n, "name"), *test = attribute(arena, n, "test");
    *out = (struct dav_filter){.property = name ? name : "",
                               .not_defined = child(n, CARD_NS, "is-not-defined") != NULL,
                               .all = test && strcmp(test, "allof") == 0};
    out->matches = arena_zalloc(arena, (count(n) + 1) * sizeof *out->matches);
    for (const xmlNode *c = n->children; c; c = c->next)
        if (is(c, CARD_NS, "text-match")) read_match(arena, c, &out->matches[out->n_matches++]);
}

static void read_filters(struct arena *arena, const xmlNode *filter, struct dav_request *out)
{
    const char *test = filter ? attribute(arena, filter, "test") : NULL;
    out->filter_all = test && strcmp(test, "allof") == 0;
    out->filters = arena_zalloc(arena, (count(filter) + 1) * sizeof *out->filters);
    for (const xmlNode *c = filter ? filter->children : NULL; c; c = c->next)
        if (is(c, CARD_NS, "prop-filter")) read_filter(arena, c, &out->filters[out->n_filters++]);
}

/* -- MKCOL (RFC 5689), PROPPATCH -- */

static void read_set(struct arena *arena, const xmlNode *root, struct dav_request *out)
{
    out->is_book = true;
    for (const xmlNode *c = root->children; c; c = c->next) {
        const xmlNode *prop = is(c, DAV_NS, "set") ? child(c, DAV_NS, "prop") : NULL;
        const xmlNode *type = child(prop, DAV_NS, "resourcetype"), *name = child(prop, DAV_NS, "displayname");
        if (type) out->is_book = child(type, CARD_NS, "addressbook") != NULL;
        if (name) out->displayname = text_of(arena, name);
    }
    for (const xmlNode *c = root->children; c; c = c->next) { /* what a PROPPATCH names is answered name by name */
        const xmlNode *prop = child(c, DAV_NS, "prop");
        if (prop && !out->props) read_props(arena, prop, out);
    }
}

/* -- the whole -- */

static void read_root(struct arena *arena, const xmlNode *root, struct dav_request *out)
{
    static const struct {
        const char *ns, *name;
        enum dav_request_kind kind;
    } rows[] = {{DAV_NS, "propfind", DAV_PROPFIND},
                {DAV_NS, "sync-collection", DAV_SYNC},
                {CARD_NS, "addressbook-multiget", DAV_MULTIGET},
                {CARD_NS, "addressbook-query", DAV_QUERY},
                {DAV_NS, "mkcol", DAV_MKCOL},
                {DAV_NS, "propertyupdate", DAV_PROPPATCH}};
    out->kind = DAV_OTHER;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (is(root, rows[i].ns, rows[i].name)) out->kind = rows[i].kind;
    if (out->kind == DAV_MKCOL || out->kind == DAV_PROPPATCH) {
        read_set(arena, root, out);
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

enum fault_code dav_request_read(struct str body, struct arena *arena, struct dav_request *out, struct fault *f)
{
    *out = (struct dav_request){.kind = DAV_NO_BODY, .all_props = true};
    if (!str_trim(body).n) return FAULT_NONE;
    /* A document type is refused before anything in it can mean anything: entities, other files, bombs. */
    if (str_find(body, STR("<!DOCTYPE")) != (size_t)-1)
        return fault_set(f, FAULT_PROTOCOL, NULL, "%s", _("a DOCTYPE is not accepted"));
    xmlDoc *doc =
        xmlReadMemory(body.p, (int)body.n, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    bool bad = !root || doc->intSubset;
    *out = (struct dav_request){.kind = DAV_OTHER};
    if (!bad) read_root(arena, root, out);
    xmlFreeDoc(doc);
    return bad ? fault_set(f, FAULT_PROTOCOL, NULL, "%s", _("the request is no XML")) : FAULT_NONE;
}
