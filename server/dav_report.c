/* sync-collection (RFC 6578), multiget and query (RFC 6352 section 8), and the reports that find nobody. */
#include "server/dav_impl.h"

#define PAGE_MAX ((int64_t)10000) /* a longer answer is cut, and says so (carddav 9.2) */

struct listing {
    struct dav *d;
    const struct dav_resource *book;
    int64_t n, limit, last_seq;
    bool from_start, cut;
};

static void add_card(struct dav *d, const struct dav_collection *in, const struct dav_card *card)
{
    const struct dav_resource r = {.kind = DAV_IS_CARD, .in = in, .card = *card};
    if (!card->deleted) {
        dav_add_response(d, &r, &d->answer->body);
        return;
    }
    buf_reset(&d->value);
    dav_href(d, &r, &d->value);
    dav_add_missing(d, buf_cstr(&d->value), &d->answer->body);
}

/* RFC 6578 section 3.6, RFC 6352 section 8.6.2 */
static void add_cut(struct dav *d, const struct dav_resource *book)
{
    struct buf *out = &d->answer->body;
    buf_adds(out, "<d:response><d:href>");
    dav_href(d, book, out);
    buf_adds(out, "</d:href><d:status>HTTP/1.1 507 Insufficient Storage</d:status>"
                  "<d:error><d:number-of-matches-within-limits/></d:error></d:response>\n");
}

/* -- what changed -- */

static bool take_change(void *ctx, const struct dav_card *card)
{
    struct listing *l = ctx;
    if (!(card->deleted && l->from_start)) {
        if (l->n >= l->limit) {
            l->cut = true;
            return false;
        }
        l->n++;
        add_card(l->d, l->book->in, card);
    }
    l->last_seq = card->seq;
    return true;
}

static void refuse_token(struct dav *d)
{
    const char *agent = http_call_header(d->call, "User-Agent");
    bool thunderbird = agent && strstr(agent, "Thunderbird/"); /* starts over at 400 only; all others at 403 */
    dav_refuse(d, thunderbird ? 400 : 403, "d:valid-sync-token", NULL);
}

static void sync_collection(struct dav *d, const struct dav_resource *book)
{
    int64_t since = 0;
    bool given = d->request.token && *d->request.token;
    if (given && !dav_read_token(d, book->in, d->request.token, &since)) {
        refuse_token(d);
        return;
    }
    struct listing l = {.d = d,
                        .book = book,
                        .from_start = !given,
                        .last_seq = since,
                        .limit = d->request.limit && d->request.limit < PAGE_MAX ? d->request.limit : PAGE_MAX};
    struct buf *out = &d->answer->body;
    buf_adds(out, MULTISTATUS_HEAD);
    if (since < book->in->seq) book->in->source->changes(d, book->in, since, take_change, &l);
    if (l.cut) add_cut(d, book);
    d->told = book->in;
    d->told_seq = l.cut ? l.last_seq : book->in->seq; /* the token stands for exactly this page */
    buf_adds(out, "<d:sync-token>");
    dav_sync_token(d, book->in, d->told_seq, out);
    buf_adds(out, "</d:sync-token>\n</d:multistatus>\n");
}

/* -- by name -- */

/* The last part of an href, decoded, if it lies in this book. */
static struct str name_in_book(const struct buf *book, const char *href, struct buf *path)
{
    buf_reset(path);
    if (!dav_href_path(href, path) || !str_starts(buf_str(path), buf_str(book))) return STR_NONE;
    struct str name = {path->data + book->len, path->len - book->len};
    return dav_name_is_ok(name) ? name : STR_NONE;
}

static void multiget(struct dav *d, const struct dav_resource *book)
{
    struct buf *out = &d->answer->body, encoded AUTO_BUF = BUF_INIT, base AUTO_BUF = BUF_INIT, path AUTO_BUF = BUF_INIT;
    struct arena kept = d->arena; /* a card at a time: the arena is put back after each */
    buf_adds(out, MULTISTATUS_HEAD);
    dav_href(d, book, &encoded);
    dav_href_path(buf_cstr(&encoded), &base);
    for (size_t i = 0; i < d->request.n_hrefs; i++) {
        const char *href = d->request.hrefs[i];
        struct dav_resource card = {.kind = DAV_IS_CARD, .in = book->in};
        d->arena = (struct arena)ARENA_INIT;
        struct str name = name_in_book(&base, href, &path);
        if (name.n && book->in->source->find(d, book->in, name, &card.card)) {
            if (d->request.wants_card) dav_seen_card(d, book->in, card.card.id, card.card.seq);
            dav_add_response(d, &card, out);
        } else
            dav_add_missing(d, href, out);
        arena_free(&d->arena);
    }
    d->arena = kept;
    buf_adds(out, "</d:multistatus>\n");
}

/* -- by content -- */

static bool take_fitting(void *ctx, const struct dav_card *card)
{
    struct listing *l = ctx;
    if (!dav_query_fits(l->d, card)) return true;
    if (l->limit && l->n >= l->limit) {
        l->cut = true;
        return false;
    }
    l->n++;
    add_card(l->d, l->book->in, card);
    return true;
}

static void query(struct dav *d, const struct dav_resource *book)
{
    struct listing l = {.d = d, .book = book, .limit = d->request.limit};
    if (d->request.unknown_collation) {
        dav_refuse(d, 403, "c:supported-collation", NULL);
        return;
    }
    buf_adds(&d->answer->body, MULTISTATUS_HEAD);
    book->in->source->each(d, book->in, take_fitting, &l);
    if (l.cut) add_cut(d, book);
    buf_adds(&d->answer->body, "</d:multistatus>\n");
}

/* -- which -- */

static void nobody(struct dav *d)
{
    buf_adds(&d->answer->body, MULTISTATUS_HEAD "</d:multistatus>\n");
}

static void no_search_properties(struct dav *d)
{
    d->answer->status = 200;
    buf_adds(&d->answer->body, XML_HEAD "<d:principal-search-property-set xmlns:d=\"DAV:\"/>\n");
}

void dav_report(struct dav *d, const struct dav_resource *r)
{
    enum dav_request_kind kind = d->request.kind;
    bool of_book = kind == DAV_SYNC || kind == DAV_MULTIGET || kind == DAV_QUERY;
    d->answer->status = 207;
    d->answer->type = XML_TYPE;
    if (kind == DAV_EXPAND || kind == DAV_SEARCH)
        nobody(d);
    else if (kind == DAV_SEARCH_PROPS)
        no_search_properties(d);
    else if (!of_book || r->kind != DAV_IS_BOOK)
        dav_refuse(d, 403, "d:supported-report", NULL);
    else if (d->request.wants_other_type)
        dav_refuse(d, 403, "c:supported-address-data", NULL);
    else if (kind == DAV_SYNC)
        sync_collection(d, r);
    else if (kind == DAV_MULTIGET)
        multiget(d, r);
    else
        query(d, r);
}
