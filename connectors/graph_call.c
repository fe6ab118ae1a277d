/* One request to Microsoft Graph: its address and headers, signing in, waiting where the service asks for it. */
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/graph_session.h"
#include "connectors/url.h"

#include <stdlib.h>

#define ANSWER_MAX_BYTES (128u << 20)
#define FAILURES_MAX 2 /* of reads that met a failure of the service, or of what is between */

void graph_call_clear(struct graph_call *c)
{
    json_decref(c->answer);
    c->answer = NULL;
}

/* -- addresses -- */

/* What an answer told is followed as it is, but only where the token may go. */
static enum fault_code address_of(const struct session *s, const char *url, struct buf *out, struct fault *f)
{
    if (*url == '/')
        buf_addf(out, "%s%s", s->base, url);
    else
        buf_adds(out, url);
    if (*url == '/' || url_same_origin(str_of(s->base), str_of(url))) return FAULT_NONE;
    return fault_set(f, FAULT_PROTOCOL, _("nothing is sent there; see `url` in the account's section"),
                     _("the answer names another server to go on with"));
}

/* -- one try -- */

struct headers {
    struct buf prefer, id, match;
};

static void headers_free(struct headers *h)
{
    buf_free(&h->prefer);
    buf_free(&h->id);
    buf_free(&h->match);
}

static void make_headers(struct session *s, const struct graph_call *c, struct headers *h)
{
    char id[UUID_TEXT_BYTES];
    env_uuid4(s->env, id);
    buf_addf(&h->prefer, "Prefer: IdType=\"ImmutableId\"%s", c->pages ? ", odata.maxpagesize=200" : "");
    buf_addf(&h->id, "client-request-id: %s", id);
    if (c->if_match) buf_addf(&h->match, "If-Match: %s", c->if_match);
}

/* The answer's beginning came and its end did not, or it made no sense. */
static enum fault_code transport_fault(const struct graph_call *c, const struct http_exchange *x, struct fault *f)
{
    bool half = x->code == FAULT_INCOMPLETE || x->code == FAULT_TOO_LARGE || x->code == FAULT_PROTOCOL;
    fault_copy(f, &x->fault);
    if (c->write && half && f) f->code = FAULT_UNKNOWN;
    return c->write && half ? FAULT_UNKNOWN : x->code;
}

static json_t *body_of(const struct http_exchange *x)
{
    return json_loadb(x->text.data ? x->text.data : "", x->text.len, JSON_ALLOW_NUL, NULL);
}

static enum fault_code read_answer(struct graph_call *c, const struct http_exchange *x, struct fault *f)
{
    if (!x->text.len && (x->status == 204 || c->write)) return FAULT_NONE;
    c->answer = body_of(x);
    if (json_is_object(c->answer)) return FAULT_NONE;
    graph_call_clear(c);
    if (c->write)
        return fault_set(f, FAULT_UNKNOWN, _("looked at before anything else is done"), _("the answer makes no sense"));
    return fault_set(f, FAULT_PROTOCOL, _("is the address right? try: abgleich account test"),
                     _("the answer is none of Microsoft Graph"));
}

static enum fault_code read_error(struct session *s, const struct graph_call *c, const struct http_exchange *x,
                                  struct fault *f)
{
    json_t *body = body_of(x);
    const struct graph_answer a = {x->status, body, x->retry_after_ms, c->write};
    enum fault_code code = graph_error(s, &a, f);
    json_decref(body);
    return code;
}

static enum fault_code try_once(struct session *s, struct graph_call *c, struct str body, bool *challenged,
                                struct fault *f)
{
    struct buf url AUTO_BUF = BUF_INIT;
    struct headers h __attribute__((cleanup(headers_free))) = {BUF_INIT, BUF_INIT, BUF_INIT};
    enum fault_code code = address_of(s, c->url, &url, f);
    if (code) return code;
    graph_call_clear(c);
    make_headers(s, c, &h);
    struct http_exchange x = {
        .method = c->method,
        .url = buf_cstr(&url),
        .headers = {buf_cstr(&h.prefer), buf_cstr(&h.id), c->if_match ? buf_cstr(&h.match) : NULL},
        .content_type = c->type ? c->type : "application/json",
        .body = body,
        .repeatable = !c->write,
        .waits_itself = true,
        .limit_bytes = ANSWER_MAX_BYTES};
    code = http_do(s->http, &x, NULL);
    c->status = x.status;
    *challenged = x.authenticate && str_find(str_of(x.authenticate), STR("claims=")) != (size_t)-1;
    if (code)
        code = transport_fault(c, &x, f);
    else if (x.status < 200 || x.status > 299)
        code = read_error(s, c, &x, f);
    else
        code = read_answer(c, &x, f);
    http_clear(&x);
    return code;
}

/* With a token that lives; one that is refused is replaced once (1). A refused request was not carried out. */
static enum fault_code try_signed_in(struct session *s, struct graph_call *c, struct str body, struct fault *f)
{
    bool challenged = false;
    if (!s->oauth) return try_once(s, c, body, &challenged, f);
    for (;;) {
        struct fault why AUTO_FAULT = FAULT_INIT;
        const char *token;
        enum fault_code code = oauth_token(s->oauth, &token, f);
        if (code) return code;
        http_set_bearer(s->http, token);
        code = try_once(s, c, body, &challenged, &why);
        if (c->status != 401) {
            oauth_accepted(s->oauth);
            if (code) fault_copy(f, &why);
            return code;
        }
        code = challenged ? oauth_challenged(s->oauth, f) : oauth_refused(s->oauth, f);
        if (code) return code;
    }
}

/* -- all tries -- */

/* Sent again: what certainly was not carried out, or does no harm a second time. */
static bool may_repeat(const struct graph_call *c, enum fault_code code, unsigned failures)
{
    bool cut = code == FAULT_INCOMPLETE || code == FAULT_PROTOCOL;
    if (code == FAULT_RATE_LIMITED) return c->status == 429 || !c->write || c->if_match || c->harmless;
    return ((code == FAULT_UNREACHABLE && c->status >= 500) || cut) && !c->write && failures < FAILURES_MAX;
}

enum fault_code graph_do(struct session *s, struct graph_call *c, struct fault *f)
{
    char *text AUTO_FREE = c->body ? json_dumps(c->body, JSON_COMPACT) : NULL;
    struct str body = c->bytes.p ? c->bytes : str_of(text);
    size_t requests = c->requests ? c->requests : 1;
    unsigned failures = 0;
    for (unsigned tries = 0;; tries++) {
        struct fault why AUTO_FAULT = FAULT_INIT;
        enum fault_code code = graph_enter(s, requests, f);
        if (code) return code;
        code = try_signed_in(s, c, body, &why);
        graph_leave(s, requests);
        if (may_repeat(c, code, failures) && graph_wait(s, tries, why.retry_after_ms)) {
            failures += code != FAULT_RATE_LIMITED;
            continue;
        }
        if (code && s->env->cancelled(s->env) && code == FAULT_RATE_LIMITED)
            return fault_set(f, FAULT_CANCELLED, _("the next run goes on"), _("stopped"));
        if (code == FAULT_RATE_LIMITED && c->write && c->status != 429) code = why.code = FAULT_UNKNOWN;
        if (code && f) fault_copy(f, &why);
        return code;
    }
}
