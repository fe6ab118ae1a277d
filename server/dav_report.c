/* sync-collection (RFC 6578), multiget and query (RFC 6352 section 8). */
#include "server/dav_impl.h"

#include "base/i18n.h"
#include "mapping/record.h"
#include "mapping/text.h"
#include "state/settings.h"

#include <stdlib.h>

#define PAGE_MAX ((int64_t)10000) /* a longer answer is cut, and says so (protocols 9.2) */

struct listing {
    struct dav *d;
    const struct dav_resource *book;
    struct buf *out;
    int64_t n, limit, last_seq;
    bool from_start, cut;
    struct hash_key key;
};

static void add_card(struct listing *l, const struct store_record *r)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct dav_resource card = *l->book;
    card.kind = DAV_IS_CARD;
    card.record = *r;
    card.name = dav_name_of(l->d->db, r->id, &scratch);
    if (!r->deleted) {
        dav_add_response(l->d, &card, l->out);
        return;
    }
    struct buf href AUTO_BUF = BUF_INIT;
    dav_href(l->d, &card, &href);
    dav_add_missing(l->d, buf_cstr(&href), l->out);
}

/* -- what changed -- */

/* "data:,BOOK-17" -> 17. False: none of ours, of another book, or older than what is remembered. */
static bool read_token(struct dav *d, const struct book *b, const char *token, int64_t *seq)
{
    struct buf head AUTO_BUF = BUF_INIT;
    long long n;
    buf_addf(&head, "data:,%.*s-", STR_ARG(b->id));
    if (!str_starts(str_of(token), buf_str(&head)) || !str_to_int64(str_of(token + head.len), &n)) return false;
    *seq = n;
    return n >= 0 && n <= b->seq && n >= store_floor(d->db, b->id);
}

static bool take_change(void *ctx, const struct store_record *r)
{
    struct listing *l = ctx;
    if (r->deleted && l->from_start) {
        l->last_seq = r->seq;
        return true;
    }
    if (l->n >= l->limit) {
        l->cut = true;
        return false;
    }
    l->n++;
    l->last_seq = r->seq;
    add_card(l, r);
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
    struct fault f AUTO_FAULT = FAULT_INIT;
    int64_t since = 0;
    bool given = d->request.token && *d->request.token;
    if (given && !read_token(d, &book->book, d->request.token, &since)) {
        refuse_token(d);
        return;
    }
    struct listing l = {.d = d,
                        .book = book,
                        .out = &d->answer->body,
                        .from_start = !given,
                        .last_seq = since,
                        .limit = d->request.limit && d->request.limit < PAGE_MAX ? d->request.limit : PAGE_MAX};
    struct buf token AUTO_BUF = BUF_INIT;
    buf_adds(l.out, MULTISTATUS_HEAD);
    store_changes(d->db, book->book.id, since, take_change, &l, &f);
    if (l.cut) { /* RFC 6578 section 3.6: the token stands for exactly this page */
        buf_adds(l.out, "<d:response><d:href>");
        dav_href(d, book, l.out);
        buf_adds(l.out, "</d:href><d:status>HTTP/1.1 507 Insufficient "
                        "Storage</d:status><d:error><d:number-of-matches-within-limits/></d:error>"
                        "</d:response>\n");
    }
    dav_sync_token(&book->book, l.cut ? l.last_seq : book->book.seq, &token);
    buf_addf(l.out, "<d:sync-token>%s</d:sync-token>\n</d:multistatus>\n", buf_cstr(&token));
}

/* -- by name -- */

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* The last part of an href, decoded, if it lies in this book. */
static bool name_in_book(struct dav *d, const struct dav_resource *book, const char *href, struct buf *out)
{
    struct buf path AUTO_BUF = BUF_INIT, decoded AUTO_BUF = BUF_INIT;
    const char *p = href, *scheme = strstr(href, "://");
    if (scheme) p = strchr(scheme + 3, '/');
    for (; p && *p; p++) {
        int high = *p == '%' ? digit_of(p[1]) : -1, low = high >= 0 ? digit_of(p[2]) : -1;
        if (low >= 0) {
            buf_addc(&decoded, (char)(high * 16 + low));
            p += 2;
        } else
            buf_addc(&decoded, *p);
    }
    buf_addf(&path, DAV_ROOT "books/%.*s/%.*s/", STR_ARG(d->user.name), STR_ARG(book->book.id));
    if (!str_starts(buf_str(&decoded), buf_str(&path))) return false;
    buf_adds(out, buf_cstr(&decoded) + path.len);
    return out->len > 0 && !memchr(out->data, '/', out->len);
}

static void multiget(struct dav *d, const struct dav_resource *book)
{
    struct buf *out = &d->answer->body;
    buf_adds(out, MULTISTATUS_HEAD);
    for (size_t i = 0; i < d->request.n_hrefs; i++) {
        struct buf name AUTO_BUF = BUF_INIT;
        struct dav_resource card = *book;
        const char *href = d->request.hrefs[i] ? d->request.hrefs[i] : "";
        if (name_in_book(d, book, href, &name) && dav_find_card(d, &card, buf_str(&name)))
            dav_add_response(d, &card, out);
        else
            dav_add_missing(d, href, out);
    }
    buf_adds(out, "</d:multistatus>\n");
}

/* -- by content -- */

struct trying {
    const struct dav_match *match;
    struct arena *arena;
    struct str wanted; /* folded */
    bool found;
};

static bool try_value(void *ctx, struct str value)
{
    struct trying *t = ctx;
    struct str is = text_fold(t->arena, value);
    size_t n = t->wanted.n;
    switch (t->match->type) {
    case MATCH_EQUALS:
        t->found = str_eq(is, t->wanted);
        break;
    case MATCH_STARTS:
        t->found = str_starts(is, t->wanted);
        break;
    case MATCH_ENDS:
        t->found = is.n >= n && str_ends(is, t->wanted);
        break;
    default:
        t->found = str_find(is, t->wanted) != (size_t)-1 || !n;
        break;
    }
    return !t->found;
}

static bool see(void *ctx, struct str value)
{
    (void)value;
    *(bool *)ctx = true;
    return false;
}

static bool fits_filter(const struct record *r, const struct dav_filter *f, struct arena *arena)
{
    bool there = false;
    record_each_value(r, f->property, see, &there);
    if (f->not_defined) return !there;
    if (!f->n_matches) return there;
    size_t fits = 0;
    for (size_t i = 0; i < f->n_matches; i++) {
        struct trying t = {&f->matches[i], arena,
                           text_fold(arena, str_of(f->matches[i].text ? f->matches[i].text : "")), false};
        record_each_value(r, f->property, try_value, &t);
        fits += t.found != f->matches[i].negate;
    }
    return f->all ? fits == f->n_matches : fits > 0;
}

static bool fits(struct listing *l, const struct store_record *r)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct fault unreadable AUTO_FAULT = FAULT_INIT;
    const struct dav_request *q = &l->d->request;
    size_t n = 0;
    if (!q->n_filters) return true;
    struct record *record = record_parse(&scratch, RECORD_CONTACT, r->body, &l->key, &unreadable);
    if (!record) return false;
    for (size_t i = 0; i < q->n_filters; i++) n += fits_filter(record, &q->filters[i], &scratch);
    return q->filter_all ? n == q->n_filters : n > 0;
}

static bool take_fitting(void *ctx, const struct store_record *r)
{
    struct listing *l = ctx;
    if (!fits(l, r)) return true;
    if (l->limit && l->n >= l->limit) {
        l->cut = true;
        return false;
    }
    l->n++;
    add_card(l, r);
    return true;
}

static void query(struct dav *d, const struct dav_resource *book)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct listing l = {.d = d, .book = book, .out = &d->answer->body, .limit = d->request.limit};
    settings_hash_key(d->db, &l.key, &f);
    buf_adds(l.out, MULTISTATUS_HEAD);
    store_each(d->db, book->book.id, take_fitting, &l, &f);
    if (l.cut) {
        buf_adds(l.out, "<d:response><d:href>");
        dav_href(d, book, l.out);
        buf_adds(l.out, "</d:href><d:status>HTTP/1.1 507 Insufficient Storage</d:status></d:response>\n");
    }
    buf_adds(l.out, "</d:multistatus>\n");
}

void dav_report(struct dav *d, const struct dav_resource *r)
{
    d->answer->status = 207;
    d->answer->type = XML_TYPE;
    if (r->kind != DAV_IS_BOOK)
        dav_refuse(d, 403, "d:supported-report", NULL);
    else if (d->request.kind == DAV_SYNC)
        sync_collection(d, r);
    else if (d->request.kind == DAV_MULTIGET)
        multiget(d, r);
    else if (d->request.kind == DAV_QUERY)
        query(d, r);
    else
        dav_refuse(d, 403, "d:supported-report", NULL);
}
