/* Conditional PUT and DELETE, several in flight (protocols carddav 5). What became of a lost one is looked up by the
 * engine, never repeated here. Repeated once is only what was certainly refused because of the spelling of its
 * condition. */
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/carddav_session.h"

#include <stdlib.h>

#define WIDTH 8
#define ANSWER_MAX_BYTES (1u << 20)

struct sending {
    struct session *s;
    void (*done)(void *ctx, struct write *w);
    void *ctx;
};

struct job { /* one write and its request */
    struct sending *sending;
    struct write *w;
    struct str version;                      /* the precondition; {NULL,0} = none */
    struct buf read, quoted, url, condition; /* read: the etag, where it had to be asked for first */
    bool last;                               /* no second try */
};

/* A weak etag never matches a strong comparison; what it wraps may (5.2). */
static struct str strong(struct str etag)
{
    return str_starts(etag, STR("W/")) ? (struct str){etag.p + 2, etag.n - 2} : etag;
}

static void make_request(struct job *j, struct http_exchange *x)
{
    const struct write *w = j->w;
    carddav_url(j->sending->s, w->id, &j->url);
    if (w->kind == WRITE_CREATE)
        buf_adds(&j->condition, "If-None-Match: *");
    else if (j->version.n)
        buf_addf(&j->condition, "If-Match: %.*s", STR_ARG(strong(j->version)));
    *x = (struct http_exchange){.method = w->kind == WRITE_DELETE ? "DELETE" : "PUT",
                                .url = buf_cstr(&j->url),
                                .headers = {j->condition.len ? buf_cstr(&j->condition) : NULL},
                                .content_type = "text/vcard; charset=utf-8",
                                .body = w->kind == WRITE_DELETE ? STR_NONE : w->body,
                                .limit_bytes = ANSWER_MAX_BYTES,
                                .ctx = j};
}

/* -- outcomes -- */

static bool says_uid_taken(const struct http_exchange *x)
{
    struct str text = buf_str(&x->text);
    if (x->status != 409 && x->status != 403 && x->status != 400) return false;
    return dav_error_names(text, "no-uid-conflict") || str_find(text, STR("uid already exists")) != (size_t)-1;
}

static void note_holder(struct job *j, const struct http_exchange *x)
{
    struct buf href AUTO_BUF = BUF_INIT;
    struct buf path AUTO_BUF = BUF_INIT;
    if (!dav_error_href(buf_str(&x->text), &href)) return;
    carddav_path(j->sending->s, str_of(buf_cstr(&j->url)), buf_str(&href), &path);
    j->w->new_id = buf_detach(&path);
}

static void adopt_answer(struct job *j, const struct http_exchange *x)
{
    struct write *w = j->w;
    if (w->kind == WRITE_DELETE) return;
    if (x->etag && *x->etag) w->new_version = mem_strdup(x->etag);
    if (!x->location || w->kind != WRITE_CREATE) return;
    struct buf path AUTO_BUF = BUF_INIT;
    carddav_path(j->sending->s, str_of(buf_cstr(&j->url)), str_of(x->location), &path);
    if (!str_eq(buf_str(&path), w->id)) w->new_id = buf_detach(&path);
}

/* What a refusal says beside its status (RFC 6352 6.3.2.1, RFC 3744 7.1.1, RFC 4331 6). */
static const struct {
    const char *name;
    enum fault_code code;
} preconditions[] = {
    {"need-privileges", FAULT_READ_ONLY},   {"max-resource-size", FAULT_TOO_LARGE}, {"quota-not-exceeded", FAULT_QUOTA},
    {"sufficient-disk-space", FAULT_QUOTA}, {"lock-token-submitted", FAULT_LOCKED},
};

static enum fault_code by_precondition(const struct http_exchange *x)
{
    for (size_t i = 0; i < sizeof preconditions / sizeof *preconditions; i++)
        if (dav_error_names(buf_str(&x->text), preconditions[i].name)) return preconditions[i].code;
    return FAULT_NONE;
}

/* Statuses that mean something else for a write than in general; the first row that fits. -1 = any kind. */
static const struct {
    int status, kind;
    enum fault_code code;
} statuses[] = {
    {412, WRITE_CREATE, FAULT_EXISTS},
    {404, WRITE_CREATE, FAULT_REFUSED}, /* the book is not there, or the card made the server lose its way (SOGo) */
    {410, WRITE_CREATE, FAULT_REFUSED},
    {409, WRITE_UPDATE, FAULT_CHANGED}, /* some say so for a vanished card (5.7) */
    {405, -1, FAULT_READ_ONLY},
    {507, -1, FAULT_QUOTA},
    {501, -1, FAULT_UNSUPPORTED},
    {503, -1, FAULT_RATE_LIMITED},
};

/* The answer's beginning came and its end did not, or it made no sense: the card may well be stored. */
static bool is_half_answer(enum fault_code code)
{
    return code == FAULT_INCOMPLETE || code == FAULT_TOO_LARGE || code == FAULT_PROTOCOL;
}

static enum fault_code outcome(struct job *j, const struct http_exchange *x)
{
    const struct write *w = j->w;
    if (x->code) return is_half_answer(x->code) ? FAULT_UNKNOWN : x->code;
    /* A web page is a proxy's or a login's answer, not the server's. */
    if (x->status == 200 && x->type && str_starts_nocase(str_of(x->type), STR("text/html"))) return FAULT_UNKNOWN;
    if (x->status >= 200 && x->status < 300) return FAULT_NONE;
    if (w->kind != WRITE_DELETE && says_uid_taken(x)) return FAULT_EXISTS;
    enum fault_code told = x->status < 500 ? by_precondition(x) : FAULT_NONE;
    if (told) return told;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].status == x->status && (statuses[i].kind < 0 || statuses[i].kind == (int)w->kind))
            return statuses[i].code;
    return x->status >= 500 || x->status < 200 ? FAULT_UNKNOWN : http_status_fault(x, NULL);
}

static void explain(struct job *j, const struct http_exchange *x)
{
    struct write *w = j->w;
    if (x->code)
        fault_copy(&w->fault, &x->fault);
    else if (w->code == FAULT_EXISTS)
        fault_set(&w->fault, w->code, _("give one of them another UID, or delete one"),
                  _("another card there has the same name or UID"));
    else if (w->code == FAULT_UNKNOWN)
        fault_set(&w->fault, w->code, _("looked at before anything else is done"), _("the server failed (%d)"),
                  x->status);
    else
        http_status_fault(x, &w->fault);
    w->fault.code = w->code;
}

/* An etag whose spelling in If-Match may be what was refused: weak ones never match [RFC 9110 13.1.1], and some servers
 * tell theirs without the quotes they then want (5.1, 5.2). */
static bool is_odd(struct str etag)
{
    return etag.n && etag.p[0] != '"';
}

static void announce(struct job *j)
{
    if (j->sending->done) j->sending->done(j->sending->ctx, j->w);
}

static void ended(void *ctx, struct http_exchange *x)
{
    struct job *j = x->ctx;
    struct write *w = j->w;
    (void)ctx;
    w->code = outcome(j, x);
    if ((w->code == FAULT_CHANGED || (w->code == FAULT_REFUSED && x->status == 400)) && is_odd(j->version) && !j->last)
        return;
    if (!w->code)
        adopt_answer(j, x);
    else
        explain(j, x);
    if (w->code == FAULT_EXISTS) note_holder(j, x);
    announce(j);
}

/* -- what must be looked at before it is sent -- */

static enum fault_code read_etag(void *ctx, const struct dav_response *r, struct fault *f)
{
    struct buf *etag = ctx;
    (void)f;
    if (!etag->len) buf_addstr(etag, dav_value(r, PROP_ETAG));
    return FAULT_NONE;
}

/* The etag a card has now; empty if the server tells none. */
static enum fault_code look(struct job *j, struct buf *etag, struct fault *f)
{
    struct session *s = j->sending->s;
    struct buf url AUTO_BUF = BUF_INIT;
    struct buf body AUTO_BUF = BUF_INIT;
    carddav_url(s, j->w->id, &url);
    carddav_propfind(&body, ASK_MEMBERS);
    const struct multistatus_sink sink = {etag, read_etag};
    struct dav_request r = {
        .method = "PROPFIND", .url = buf_cstr(&url), .depth = "0", .body = buf_str(&body), .sink = &sink};
    enum fault_code code = dav_do(s, &r, f);
    dav_request_clear(&r);
    return code;
}

/* False: it has its outcome without being sent. */
static bool is_ready(struct job *j)
{
    struct write *w = j->w;
    int64_t max = j->sending->s->about.max_record_bytes;
    if (w->kind != WRITE_DELETE && max > 0 && w->body.n > (size_t)max)
        w->code =
            fault_set(&w->fault, FAULT_TOO_LARGE, _("make it smaller, for example its photo"),
                      _("the server takes cards of up to %lld bytes, this one has %zu"), (long long)max, w->body.n);
    else if (w->kind != WRITE_CREATE && !w->version.n)
        w->code = look(j, &j->read, &w->fault);
    else
        return true;
    if (w->code) return false;
    w->code = FAULT_CANCELLED;
    if (j->read.len) j->version = buf_str(&j->read);
    return true;
}

/* -- sending -- */

static enum fault_code send_all(struct session *s, struct job **jobs, size_t n, struct fault *f)
{
    struct http_exchange *list AUTO_FREE = mem_calloc(n + 1, sizeof *list);
    for (size_t i = 0; i < n; i++) make_request(jobs[i], &list[i]);
    enum fault_code code = n ? http_batch(s->http, list, n, WIDTH, ended, NULL, f) : FAULT_NONE;
    for (size_t i = 0; i < n; i++) http_clear(&list[i]);
    return code;
}

/* Refused, with an odd etag: if the card still has that very etag, only its spelling was refused. A weak one leaves no
 * condition at all: the moment between this look and the write stays open (5.2). */
static enum fault_code try_again(struct job *j, struct fault *f)
{
    struct write *w = j->w;
    struct buf now AUTO_BUF = BUF_INIT;
    bool same = !look(j, &now, NULL) && str_eq(buf_str(&now), j->version);
    if (!same) {
        fault_set(&w->fault, w->code, _("planned again"), _("changed there meanwhile"));
        announce(j);
        return FAULT_NONE;
    }
    if (!str_starts(j->version, STR("W/"))) buf_addf(&j->quoted, "\"%.*s\"", STR_ARG(j->version));
    j->version = buf_str(&j->quoted);
    j->last = true;
    buf_reset(&j->condition);
    buf_reset(&j->url);
    return send_all(j->sending->s, &j, 1, f);
}

enum fault_code carddav_write(struct session *s, struct write *writes, size_t n,
                              void (*done)(void *ctx, struct write *w), void *ctx, struct fault *f)
{
    struct sending sending = {s, done, ctx};
    struct job *jobs AUTO_FREE = mem_calloc(n + 1, sizeof *jobs);
    struct job **ready AUTO_FREE = mem_calloc(n + 1, sizeof *ready);
    size_t n_ready = 0;
    for (size_t i = 0; i < n; i++) {
        writes[i].code = FAULT_CANCELLED;
        jobs[i] = (struct job){.sending = &sending, .w = &writes[i], .version = writes[i].version};
        if (is_ready(&jobs[i]))
            ready[n_ready++] = &jobs[i];
        else
            announce(&jobs[i]);
    }
    enum fault_code code = send_all(s, ready, n_ready, f);
    for (size_t i = 0; i < n_ready && !code; i++)
        if (ready[i]->w->code && ready[i]->w->code != FAULT_CANCELLED && !ready[i]->w->fault.code)
            code = try_again(ready[i], f);
    for (size_t i = 0; i < n; i++) {
        buf_free(&jobs[i].read);
        buf_free(&jobs[i].quoted);
        buf_free(&jobs[i].url);
        buf_free(&jobs[i].condition);
    }
    return code;
}
