/* Feeds bytes from strangers to the reader of DAV request bodies. What it takes must be well-formed and bounded;
 * reading it twice gives the same; what it says, written down again as a request, is read as the same. */
#include "server/dav_request.h"

#include "base/arena.h"
#include "base/buf.h"

#include <libxml/parser.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool so)
{
    if (!so) abort();
}

static void escape(const char *s, struct buf *out)
{
    for (; s && *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (strchr("<>&\"'", c) || c == '\r' || c == '\n' || c == '\t')
            buf_addf(out, "&#%d;", c);
        else
            buf_addc(out, (char)c);
    }
}

static void write_match(const struct dav_match *m, struct buf *out)
{
    static const char *const types[] = {"contains", "equals", "starts-with", "ends-with"}, *const collations[] = {
                                                                                               "i;unicode-casemap",
                                                                                               "i;ascii-casemap",
                                                                                               "i;octet",
                                                                                               "i;unheard-of"};
    buf_addf(out, "<c:text-match match-type=\"%s\" collation=\"%s\" negate-condition=\"%s\">", types[m->type],
             collations[m->collation], m->negate ? "yes" : "no");
    escape(m->text, out);
    buf_adds(out, "</c:text-match>");
}

static void write_filter(const struct dav_filter *f, struct buf *out)
{
    buf_adds(out, "<c:prop-filter name=\"");
    if (f->group) escape(f->group, out), buf_addc(out, '.');
    escape(f->property, out);
    buf_addf(out, "\" test=\"%s\">%s", f->all ? "allof" : "anyof", f->not_defined ? "<c:is-not-defined/>" : "");
    for (size_t i = 0; i < f->n_matches; i++) write_match(&f->matches[i], out);
    for (size_t i = 0; i < f->n_params; i++) {
        buf_adds(out, "<c:param-filter name=\"");
        escape(f->params[i].param, out);
        buf_addf(out, "\">%s", f->params[i].not_defined ? "<c:is-not-defined/>" : "");
        if (f->params[i].has_match) write_match(&f->params[i].match, out);
        buf_adds(out, "</c:param-filter>");
    }
    buf_adds(out, "</c:prop-filter>");
}

static void write_name(const struct dav_name *name, const char *inside, struct buf *out)
{
    buf_addf(out, "<%s%s xmlns%s=\"", *name->ns ? "x:" : "", name->name, *name->ns ? ":x" : "");
    escape(name->ns, out);
    buf_addf(out, "\">");
    escape(inside, out);
    buf_addf(out, "</%s%s>", *name->ns ? "x:" : "", name->name);
}

static void write_sets(const struct dav_request *q, struct buf *out)
{
    for (size_t i = 0; i < q->n_sets; i++) {
        const char *as = q->sets[i].value ? "set" : "remove";
        buf_addf(out, "<d:%s><d:prop>", as);
        write_name(&q->sets[i].name, q->sets[i].value, out);
        buf_addf(out, "</d:prop></d:%s>", as);
    }
}

static void write_rest(const struct dav_request *q, struct buf *out)
{
    buf_addf(out, "%s%s<d:prop>", q->all_props ? "<d:allprop/>" : "", q->prop_names ? "<d:propname/>" : "");
    for (size_t i = 0; i < q->n_props; i++) write_name(&q->props[i], "", out);
    buf_adds(out, "</d:prop>");
    for (size_t i = 0; i < q->n_hrefs; i++) {
        buf_adds(out, "<d:href>");
        escape(q->hrefs[i], out);
        buf_adds(out, "</d:href>");
    }
    if (q->token) {
        buf_adds(out, "<d:sync-token>");
        escape(q->token, out);
        buf_adds(out, "</d:sync-token>");
    }
    if (q->limit) buf_addf(out, "<d:limit><d:nresults>%lld</d:nresults></d:limit>", (long long)q->limit);
    buf_addf(out, "<c:filter test=\"%s\">", q->filter_all ? "allof" : "anyof");
    for (size_t i = 0; i < q->n_filters; i++) write_filter(&q->filters[i], out);
    buf_adds(out, "</c:filter>");
}

/* The request as it was understood. */
static void write_request(const struct dav_request *q, struct buf *out)
{
    static const char *const roots[] = {NULL,
                                        "d:propfind",
                                        "d:sync-collection",
                                        "c:addressbook-multiget",
                                        "c:addressbook-query",
                                        "d:mkcol",
                                        "d:propertyupdate",
                                        "d:expand-property",
                                        "d:principal-property-search",
                                        "d:principal-search-property-set",
                                        "d:other"};
    buf_addf(out, "<%s xmlns:d=\"DAV:\" xmlns:c=\"" CARD_NS "\">", roots[q->kind]);
    if (q->kind == DAV_MKCOL || q->kind == DAV_PROPPATCH)
        write_sets(q, out);
    else
        write_rest(q, out);
    buf_addf(out, "</%s>", roots[q->kind]);
}

static void check_bounds(const struct dav_request *q, size_t n)
{
    must(q->n_props + q->n_hrefs + q->n_filters + q->n_sets <= n / 4 + 1);
    must(q->limit >= 0 && q->kind != DAV_NO_BODY);
    for (size_t i = 0; i < q->n_hrefs; i++) must(q->hrefs[i] != NULL);
    for (size_t i = 0; i < q->n_props; i++) must(q->props[i].ns && q->props[i].name && *q->props[i].name);
    for (size_t i = 0; i < q->n_filters; i++)
        must(q->filters[i].property && !strchr(q->filters[i].group ? q->filters[i].group : "", '.'));
}

/* What libxml2 alone says of it. */
static bool is_xml(struct str body)
{
    xmlDoc *doc =
        xmlReadMemory(body.p, (int)body.n, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    bool good = doc != NULL;
    xmlFreeDoc(doc);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct fault f AUTO_FAULT = FAULT_INIT, again AUTO_FAULT = FAULT_INIT;
    struct buf once AUTO_BUF = BUF_INIT, twice AUTO_BUF = BUF_INIT;
    struct dav_request q, same;
    const struct str body = {(const char *)data, n};
    if (dav_request_read(body, &arena, &q, &f)) {
        must(f.code == FAULT_PROTOCOL);
        return 0;
    }
    if (q.kind == DAV_NO_BODY) {
        must(!str_trim(body).n && q.all_props);
        return 0;
    }
    must(is_xml(body));
    check_bounds(&q, n);
    write_request(&q, &once);
    must(dav_request_read(buf_str(&once), &arena, &same, &again) == FAULT_NONE);
    write_request(&same, &twice);
    must(str_eq(buf_str(&once), buf_str(&twice)));
    return 0;
}
