/* Cards by id, the cheapest way (servers.md): the whole book in one query where most of it is wanted, multiget in
 * batches else, GET where neither works. What nobody answered for is left out: unknown is never gone. */
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/carddav_session.h"

#include <stdlib.h>

#define BATCH_START 50
#define BATCH_MAX 500
#define GET_WIDTH 8
#define QUERY_MIN 200
#define CARD_MAX_BYTES (20u << 20)

struct wanted {
    struct session *s;
    const struct str *ids;
    size_t n;
    bool *answered;
    struct map64 index; /* hash of id -> position */
    struct hash_key key;
    const struct sink *sink;
    const char *url;
};

static void wanted_init(struct wanted *w, struct session *s, const struct str *ids, size_t n, const struct sink *sink)
{
    *w = (struct wanted){.s = s, .ids = ids, .n = n, .sink = sink, .answered = mem_calloc(n + 1, sizeof(bool))};
    s->env->random(s->env, w->key.bytes, sizeof w->key.bytes);
    map64_init(&w->index, n);
    for (size_t i = 0; i < n; i++) map64_put(&w->index, hash_str(&w->key, ids[i]), (uint32_t)i);
}

static void wanted_free(struct wanted *w)
{
    map64_free(&w->index);
    free(w->answered);
}

/* Passes on what was asked for and not yet answered. */
static enum fault_code filter(void *ctx, const struct entry *e)
{
    struct wanted *w = ctx;
    uint32_t i;
    if (!map64_get(&w->index, hash_str(&w->key, e->id), &i) || !str_eq(w->ids[i], e->id) || w->answered[i])
        return FAULT_NONE;
    if (!e->gone && !e->body.p && !e->withheld) return FAULT_NONE;
    w->answered[i] = true;
    return w->sink->entry(w->sink->ctx, e);
}

static enum fault_code read_one(void *ctx, const struct dav_response *r, struct fault *f)
{
    struct wanted *w = ctx;
    bool counts;
    (void)f;
    const struct sink sink = {w, NULL, filter};
    return carddav_entry(w->s, w->url, r, &sink, &counts, NULL);
}

static enum fault_code report(struct wanted *w, struct str body, const char *depth, struct fault *f)
{
    struct buf url AUTO_BUF = BUF_INIT;
    carddav_url(w->s, str_of(w->s->about.path), &url);
    w->url = buf_cstr(&url);
    const struct multistatus_sink sink = {w, read_one};
    struct dav_request r = {.method = "REPORT", .url = w->url, .depth = depth, .body = body, .sink = &sink};
    enum fault_code code = dav_do(w->s, &r, f);
    dav_request_clear(&r);
    return code;
}

/* What ends the whole fetch, rather than one way of asking. */
static bool is_final(enum fault_code code)
{
    return code == FAULT_AUTH || code == FAULT_CANCELLED || code == FAULT_RATE_LIMITED;
}

static enum fault_code by_query(struct wanted *w, struct fault *f)
{
    struct buf body AUTO_BUF = BUF_INIT;
    carddav_query_all(&body, carddav_data_of(w->s));
    return report(w, buf_str(&body), "1", f);
}

/* -- multiget -- */

static size_t next_batch(const struct wanted *w, size_t *at, struct str *ids, size_t max)
{
    size_t n = 0;
    for (; *at < w->n && n < max; (*at)++)
        if (!w->answered[*at]) ids[n++] = w->ids[*at];
    return n;
}

static enum fault_code by_multiget(struct wanted *w, struct fault *f)
{
    struct str *ids AUTO_FREE = mem_alloc(BATCH_MAX * sizeof *ids);
    size_t at = 0, size = BATCH_START;
    while (at < w->n) {
        size_t from = at, n = next_batch(w, &at, ids, size);
        if (!n) break;
        struct buf body AUTO_BUF = BUF_INIT;
        struct fault why AUTO_FAULT = FAULT_INIT;
        carddav_multiget(&body, ids, n, carddav_data_of(w->s));
        enum fault_code code = report(w, buf_str(&body), "1", &why);
        if (!code)
            size = size * 2 < BATCH_MAX ? size * 2 : BATCH_MAX;
        else if (is_final(code) || code == FAULT_UNSUPPORTED || n < 4) {
            fault_copy(f, &why);
            return code;
        } else {
            size = n / 4;
            at = from;
        }
    }
    return FAULT_NONE;
}

/* -- GET -- */

struct getting {
    struct wanted *w;
    enum fault_code code;
};

static void got(void *ctx, struct http_exchange *x)
{
    struct getting *g = ctx;
    struct wanted *w = g->w;
    struct entry e = {.id = w->ids[(size_t)(uintptr_t)x->ctx]};
    if (g->code) return;
    if (x->code == FAULT_TOO_LARGE)
        e.withheld = x->fault.what;
    else if (x->code)
        return;
    e.gone = x->status == 404 || x->status == 410;
    if (x->status == 200 && !e.withheld) {
        e.body = buf_str(&x->text);
        e.version = str_of(x->etag);
    }
    if (e.gone || e.body.p || e.withheld) g->code = filter(w, &e);
    http_clear(x);
}

static size_t count_open(const struct wanted *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n; i++) n += !w->answered[i];
    return n;
}

static enum fault_code by_get(struct wanted *w, struct fault *f)
{
    size_t open = count_open(w), n = 0;
    const char *accept = carddav_data_of(w->s) == DATA_V40 ? "Accept: text/vcard; version=4.0" : "Accept: text/vcard";
    struct http_exchange *list AUTO_FREE = mem_calloc(open + 1, sizeof *list);
    struct buf *urls AUTO_FREE = mem_calloc(open + 1, sizeof *urls);
    for (size_t i = 0; i < w->n; i++) {
        if (w->answered[i]) continue;
        carddav_url(w->s, w->ids[i], &urls[n]);
        list[n] = (struct http_exchange){.method = "GET",
                                         .url = buf_cstr(&urls[n]),
                                         .headers = {accept},
                                         .repeatable = true,
                                         .limit_bytes = CARD_MAX_BYTES,
                                         .ctx = (void *)(uintptr_t)i};
        n++;
    }
    struct getting g = {w, FAULT_NONE};
    enum fault_code code = http_batch(w->s->http, list, n, GET_WIDTH, got, &g, f);
    for (size_t i = 0; i < n; i++) {
        http_clear(&list[i]);
        buf_free(&urls[i]);
    }
    return code ? code : g.code;
}

enum fault_code carddav_fetch(struct session *s, const struct str *ids, size_t n, const struct sink *sink,
                              struct fault *f)
{
    struct wanted w;
    struct fault why AUTO_FAULT = FAULT_INIT;
    wanted_init(&w, s, ids, n, sink);
    enum fault_code code = FAULT_NONE;
    bool most = n >= QUERY_MIN && s->listed > 0 && (int64_t)n * 2 > s->listed;
    if (most) code = by_query(&w, &why);
    if (!is_final(code) && count_open(&w)) {
        fault_clear(&why);
        code = by_multiget(&w, &why);
    }
    if (!is_final(code) && count_open(&w) && (code || count_open(&w) < QUERY_MIN)) {
        fault_clear(&why);
        code = by_get(&w, &why);
    }
    if (code) fault_copy(f, &why);
    wanted_free(&w);
    return code;
}
