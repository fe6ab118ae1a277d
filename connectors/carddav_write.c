/* Conditional PUT and DELETE, several in flight (protocols carddav 5). Never repeated here: what became of a lost one is looked up. */
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
    struct buf url, condition;
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
    if (w->kind == WRITE_CREATE) buf_adds(&j->condition, "If-None-Match: *");
    else if (w->version.n)
        buf_addf(&j->condition, "If-Match: %.*s", STR_ARG(strong(w->version)));
    *x = (struct http_exchange){.method = w->kind == WRITE_DELETE ? "DELETE" : "PUT", .url = buf_cstr(&j->url),
                                .headers = {j->condition.len ? buf_cstr(&j->condition) : NULL},
                                .content_type = "text/vcard; charset=utf-8", .body = w->kind == WRITE_DELETE ? STR_NONE : w->body,
                                .limit_bytes = ANSWER_MAX_BYTES, .ctx = j};
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
    url_href_path(str_of(buf_cstr(&j->url)), buf_str(&href), &path);
    j->w->new_id = buf_detach(&path);
}

static void adopt_answer(struct job *j, const struct http_exchange *x)
{
    struct write *w = j->w;
    if (w->kind == WRITE_DELETE) return;
    if (x->etag && *x->etag) w->new_version = mem_strdup(x->etag);
    if (!x->location || w->kind != WRITE_CREATE) return;
    struct buf path AUTO_BUF = BUF_INIT;
    url_href_path(str_of(buf_cstr(&j->url)), str_of(x->location), &path);
    if (!str_eq(buf_str(&path), w->id)) w->new_id = buf_detach(&path);
}

/* In the order the protocol page gives: what is special for a kind of write comes before what a status means in general. */
static enum fault_code outcome(struct job *j, const struct http_exchange *x)
{
    const struct write *w = j->w;
    if (x->code) return x->code;
    if (x->status >= 200 && x->status < 300) return FAULT_NONE;
    if (w->kind != WRITE_DELETE && says_uid_taken(x)) return FAULT_EXISTS;
    if (x->status == 412) return w->kind == WRITE_CREATE ? FAULT_EXISTS : FAULT_CHANGED;
    if (x->status == 409 && w->kind == WRITE_UPDATE && w->version.n) return FAULT_CHANGED; /* some say so for a vanished card (5.7) */
    if (x->status == 500 || x->status == 502 || x->status == 504 || x->status >= 520) return FAULT_UNKNOWN;
    if (x->status == 405) return FAULT_READ_ONLY;
    return http_status_fault(x, NULL);
}

static void explain(struct job *j, const struct http_exchange *x)
{
    struct write *w = j->w;
    if (x->code) fault_copy(&w->fault, &x->fault);
    else if (w->code == FAULT_EXISTS)
        fault_set(&w->fault, w->code, _("give one of them another UID, or delete one"), _("another card there has the same name or UID"));
    else if (w->code == FAULT_UNKNOWN)
        fault_set(&w->fault, w->code, _("looked at before anything else is done"), _("the server failed (%d)"), x->status);
    else
        http_status_fault(x, &w->fault);
    w->fault.code = w->code;
}

static void ended(void *ctx, struct http_exchange *x)
{
    struct job *j = x->ctx;
    struct write *w = j->w;
    (void)ctx;
    w->code = outcome(j, x);
    if (!w->code) adopt_answer(j, x);
    else
        explain(j, x);
    if (w->code == FAULT_EXISTS) note_holder(j, x);
    if (j->sending->done) j->sending->done(j->sending->ctx, w);
}

enum fault_code carddav_write(struct session *s, struct write *writes, size_t n, void (*done)(void *ctx, struct write *w), void *ctx,
                              struct fault *f)
{
    struct sending sending = {s, done, ctx};
    struct job *jobs AUTO_FREE = mem_calloc(n + 1, sizeof *jobs);
    struct http_exchange *list AUTO_FREE = mem_calloc(n + 1, sizeof *list);
    for (size_t i = 0; i < n; i++) {
        writes[i].code = FAULT_CANCELLED;
        jobs[i] = (struct job){.sending = &sending, .w = &writes[i]};
        make_request(&jobs[i], &list[i]);
    }
    enum fault_code code = http_batch(s->http, list, n, WIDTH, ended, NULL, f);
    for (size_t i = 0; i < n; i++) {
        http_clear(&list[i]);
        buf_free(&jobs[i].url);
        buf_free(&jobs[i].condition);
    }
    return code;
}
