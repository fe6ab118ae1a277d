#include "server/http_impl.h"

#include "base/i18n.h"

#include <stdlib.h>

#define SMALL_BYTES ((size_t)64 * 1024) /* an answer that is always kept */

/* Kept as name, NUL, value, NUL. */
void http_answer_header(struct http_answer *a, const char *name, const char *fmt, ...)
{
    struct buf value AUTO_BUF = BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(&value, fmt, ap);
    va_end(ap);
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.data[i] < ' ' || value.data[i] == 0x7f) return;
    buf_add(&a->headers, name, strlen(name) + 1);
    buf_add(&a->headers, buf_cstr(&value), value.len + 1);
}

void http_answer_text(struct http_answer *a, unsigned status, const char *fmt, ...)
{
    va_list ap;
    a->status = status;
    a->type = "text/plain; charset=utf-8";
    buf_reset(&a->body);
    va_start(ap, fmt);
    buf_vaddf(&a->body, fmt, ap);
    va_end(ap);
    buf_addc(&a->body, '\n');
}

static void add_headers(struct MHD_Response *response, const struct http_answer *a)
{
    for (size_t i = 0; i < a->headers.len;) {
        const char *name = a->headers.data + i, *value = name + strlen(name) + 1;
        MHD_add_response_header(response, name, value);
        i += strlen(name) + strlen(value) + 2;
    }
    if (a->type) MHD_add_response_header(response, "Content-Type", a->type);
    MHD_add_response_header(response, "Cache-Control", a->cache ? a->cache : "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    if (a->close) MHD_add_response_header(response, "Connection", "close");
}

static struct MHD_Response *response_of(struct http_answer *a)
{
    void (*release)(void *) = a->release;
    a->release = NULL; /* libmicrohttpd calls it, also where it fails */
    if (release)
        return MHD_create_response_from_buffer_with_free_callback_cls(a->shared.n, (void *)(uintptr_t)a->shared.p,
                                                                      release, a->owner);
    size_t n = a->body.len;
    return MHD_create_response_from_buffer(n, n ? buf_detach(&a->body) : NULL,
                                           n ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
}

/* What many take slowly at once lies in memory all that time. One alone may be of any size. */
static void bound(struct http_call *c)
{
    struct http_server *s = c->server;
    size_t n = c->answer.release ? 0 : c->answer.body.len;
    if (n > SMALL_BYTES && s->answers_bytes && s->answers_bytes + n > s->limits.answers_max_bytes) {
        buf_free(&c->answer.body);
        http_answer_header(&c->answer, "Retry-After", "10");
        http_answer_text(&c->answer, MHD_HTTP_SERVICE_UNAVAILABLE, "%s",
                         _("too much is being fetched at once; try again later"));
        n = c->answer.body.len;
    }
    c->answer_bytes = n;
    s->answers_bytes += n;
}

enum MHD_Result http_send_answer(struct http_call *c)
{
    struct http_answer *a = &c->answer;
    if (!a->status) http_answer_text(a, MHD_HTTP_NOT_FOUND, "%s", _("there is nothing here"));
    bound(c);
    struct MHD_Response *response = response_of(a);
    if (!response) return MHD_NO;
    add_headers(response, a);
    enum MHD_Result result = MHD_queue_response(c->connection, a->status, response);
    MHD_destroy_response(response);
    c->state = CALL_ANSWERED;
    guest_begins(&c->server->guests, c->guest, GUEST_TAKES, uv_now(c->server->loop));
    if (c->guest) c->guest->served |= a->status < 400;
    return result;
}
