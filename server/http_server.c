#include "server/http_server.h"

#include "base/i18n.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdlib.h>

#define CONNECTIONS_MAX 256
#define CONNECTIONS_OF_ONE_MAX 64u
#define CONNECTION_BYTES ((size_t)32 * 1024) /* a longer header gives 431 */
#define IDLE_TIMEOUT_S 10u

struct connection { /* watched by the sweep */
    int fd;
    uint64_t deadline_ms;
    struct connection *next, **at;
};

struct http_server {
    uv_loop_t *loop;
    struct http_limits limits;
    struct connection *connections;
    uv_timer_t sweep;
    struct MHD_Daemon *mhd;
    uv_poll_t poll;
    uv_timer_t timer;
    http_handler *handler;
    void *ctx;
    char *address;
    int closing;
};

/* -- libmicrohttpd on the loop: its epoll descriptor is watched, its timeout is a timer (dependencies: "rules that came
 * out") -- */

static void pump(struct http_server *s);

static void on_timer(uv_timer_t *timer)
{
    pump(timer->data);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    pump(poll->data);
}

static void pump(struct http_server *s)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;
    MHD_run(s->mhd);
    if (MHD_get_timeout(s->mhd, &wait_ms) == MHD_YES)
        uv_timer_start(&s->timer, on_timer, wait_ms, 0);
    else
        uv_timer_stop(&s->timer);
}

/* -- deadlines -- */

static struct connection *connection_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void on_sweep(uv_timer_t *timer)
{
    struct http_server *s = timer->data;
    uint64_t now = uv_now(s->loop);
    for (struct connection *c = s->connections; c; c = c->next)
        if (c->deadline_ms <= now) shutdown(c->fd, SHUT_RDWR); /* libmicrohttpd notices and closes it */
}

static void connect_one(struct http_server *s, struct MHD_Connection *connection, void **context)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection *c = mem_calloc(1, sizeof *c);
    uint64_t often = s->limits.header_ms / 4 + 1;
    *c = (struct connection){info ? info->connect_fd : -1, uv_now(s->loop) + s->limits.header_ms, s->connections,
                             &s->connections};
    if (c->next)
        c->next->at = &c->next;
    else
        uv_timer_start(&s->sweep, on_sweep, often, often);
    s->connections = c;
    *context = c;
}

static void disconnect_one(struct http_server *s, struct connection *c)
{
    if (!c) return;
    *c->at = c->next;
    if (c->next) c->next->at = c->at;
    free(c);
    if (!s->connections && !uv_is_closing((uv_handle_t *)&s->sweep)) uv_timer_stop(&s->sweep);
}

static void on_connection(void *ctx, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        connect_one(ctx, connection, context);
    else
        disconnect_one(ctx, *context);
}

static void set_deadline(struct http_server *s, struct MHD_Connection *connection, uint64_t in_ms)
{
    struct connection *c = connection_of(connection);
    if (c) c->deadline_ms = uv_now(s->loop) + in_ms;
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **seen,
                         enum MHD_RequestTerminationCode code)
{
    struct http_server *s = ctx;
    (void)seen;
    (void)code;
    set_deadline(s, connection, s->limits.header_ms);
}

/* -- what may be read in two ways (RFC 9112 section 6.3): libmicrohttpd 0.9.75 lets it pass -- */

struct lengths {
    unsigned content_length, transfer_encoding;
};

static enum MHD_Result count_length(void *ctx, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct lengths *l = ctx;
    (void)kind;
    (void)value;
    l->content_length += str_eq_nocase(str_of(key), STR("Content-Length"));
    l->transfer_encoding += str_eq_nocase(str_of(key), STR("Transfer-Encoding"));
    return MHD_YES;
}

static bool is_ambiguous(struct MHD_Connection *connection)
{
    struct lengths l = {0, 0};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, count_length, &l);
    return l.content_length + l.transfer_encoding > 1;
}

/* -- answering -- */

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct http_answer *answer)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        answer->body.len, (void *)(uintptr_t)buf_cstr(&answer->body), MHD_RESPMEM_MUST_COPY);
    if (!response) return MHD_NO;
    MHD_add_response_header(response, "Content-Type", answer->type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    enum MHD_Result result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

/* Before the body is read, so the connection ends here: nothing after it can be taken for a request. */
static enum MHD_Result refuse(struct MHD_Connection *connection)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (!response) return MHD_NO;
    MHD_add_response_header(response, "Connection", "close");
    enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_BAD_REQUEST, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *path, const char *method,
                                  const char *version, const char *upload, size_t *upload_bytes, void **seen)
{
    struct http_server *s = ctx;
    (void)version;
    (void)upload;
    if (!*seen) {
        *seen = s; /* the first call has the headers only */
        set_deadline(s, connection, s->limits.request_ms);
        return is_ambiguous(connection) ? refuse(connection) : MHD_YES;
    }
    if (*upload_bytes) { /* nothing here takes a body: it is read and dropped */
        *upload_bytes = 0;
        return MHD_YES;
    }
    struct http_answer answer = {.status = MHD_HTTP_NOT_FOUND, .type = "text/plain; charset=utf-8", .body = BUF_INIT};
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        answer.status = MHD_HTTP_METHOD_NOT_ALLOWED;
    else
        s->handler(s->ctx, path, &answer);
    enum MHD_Result result = send_answer(connection, &answer);
    buf_free(&answer.body);
    return result;
}

/* -- starting -- */

static bool split_where(const char *where, struct str *host, struct str *port)
{
    struct str text = str_of(where);
    size_t colon = text.n;
    while (colon > 0 && text.p[colon - 1] != ':') colon--;
    if (!colon) return false;
    *host = (struct str){text.p, colon - 1};
    *port = (struct str){text.p + colon, text.n - colon};
    if (host->n > 1 && host->p[0] == '[' && host->p[host->n - 1] == ']') *host = (struct str){host->p + 1, host->n - 2};
    return port->n > 0;
}

static struct addrinfo *resolve(const char *where)
{
    struct str host, port;
    if (!split_where(where, &host, &port)) return NULL;
    char *h AUTO_FREE = mem_strndup(host.p, host.n), *p AUTO_FREE = mem_strndup(port.p, port.n);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    return getaddrinfo(host.n ? h : NULL, p, &hints, &found) == 0 ? found : NULL;
}

static struct MHD_Daemon *listen_at(struct http_server *s, const struct addrinfo *at)
{
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (at->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0u);
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR, at->ai_addr, MHD_OPTION_CONNECTION_TIMEOUT,
        IDLE_TIMEOUT_S, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        CONNECTIONS_OF_ONE_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_END);
}

static char *address_of(struct MHD_Daemon *mhd, const char *where)
{
    struct str host, port;
    struct buf text AUTO_BUF = BUF_INIT;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(mhd, MHD_DAEMON_INFO_BIND_PORT);
    split_where(where, &host, &port);
    bool six = memchr(host.p, ':', host.n) != NULL;
    buf_addf(&text, six ? "http://[%.*s]:%u/" : "http://%.*s:%u/", STR_ARG(host), info ? info->port : 0u);
    return buf_detach(&text);
}

static void watch(struct http_server *s, uv_loop_t *loop)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    s->poll.data = s->timer.data = s->sweep.data = s;
    uv_poll_init(loop, &s->poll, info->epoll_fd);
    uv_timer_init(loop, &s->timer);
    uv_timer_init(loop, &s->sweep);
    uv_poll_start(&s->poll, UV_READABLE, on_ready);
}

enum fault_code http_server_start(uv_loop_t *loop, const char *where, http_handler *handler, void *ctx,
                                  struct http_limits limits, struct http_server **out, struct fault *f)
{
    *out = NULL;
    struct addrinfo *at = resolve(where);
    if (!at)
        return fault_set(f, FAULT_CONFIG, _("listen = ADDRESS:PORT"), _("\"%s\" is no address to listen on"), where);
    struct http_server *s = mem_calloc(1, sizeof *s);
    s->handler = handler;
    s->ctx = ctx;
    s->loop = loop;
    s->limits = limits;
    s->mhd = listen_at(s, at);
    freeaddrinfo(at);
    if (!s->mhd) {
        free(s);
        return fault_set(f, FAULT_CONFIG, _("is another daemon running?"), _("cannot listen on %s"), where);
    }
    s->address = address_of(s->mhd, where);
    watch(s, loop);
    *out = s;
    return FAULT_NONE;
}

const char *http_server_address(const struct http_server *s)
{
    return s->address;
}

static void on_closed(uv_handle_t *handle)
{
    struct http_server *s = handle->data;
    if (++s->closing < 3) return;
    MHD_stop_daemon(s->mhd);
    free(s->address);
    free(s);
}

void http_server_stop(struct http_server *s)
{
    if (!s) return;
    uv_close((uv_handle_t *)&s->poll, on_closed);
    uv_close((uv_handle_t *)&s->timer, on_closed);
    uv_close((uv_handle_t *)&s->sweep, on_closed);
}
