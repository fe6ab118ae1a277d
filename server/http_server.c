#include "server/http_server.h"

#include "base/i18n.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdlib.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256
#define CONNECTIONS_OF_ONE_MAX 64u
#define CONNECTION_BYTES ((size_t)32 * 1024) /* a longer header gives 431 */
#define IDLE_TIMEOUT_S 10u
#define ROUTES_MAX 16
#define DROPPED_MAX_BYTES ((size_t)1 << 20) /* of a refused body that are read to hear the client out */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define TOO_LARGE N_("this address takes no such large body")

struct connection { /* watched by the sweep */
    int fd;
    uint64_t deadline_ms;
    struct http_call *call; /* whose body is coming; NULL = none */
    struct connection *next, **at;
};

struct http_server {
    uv_loop_t *loop;
    struct http_limits limits;
    struct http_route routes[ROUTES_MAX];
    size_t n_routes;
    struct connection *connections;
    size_t bodies_bytes; /* kept for all calls */
    size_t working;
    uv_timer_t sweep;
    struct MHD_Daemon *mhd;
    uv_poll_t poll;
    uv_timer_t timer;
    char *address;
    bool tls, stopping;
    int closing;
};

enum call_state { CALL_BODY, CALL_WORKING, CALL_ANSWERED };
struct http_call {
    struct http_server *server;
    struct MHD_Connection *connection;
    const struct http_route *route; /* NULL: never begun */
    char *method, *path, *peer;
    bool loopback;
    enum call_state state;
    struct buf body;
    size_t body_max_bytes, body_bytes;
    const char *too_large;
    uint64_t body_began_ms;
    struct http_answer answer;
    void *own;
    uv_work_t work;
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

static bool is_dripping(const struct http_server *s, const struct http_call *call, uint64_t now)
{
    if (!call || call->state != CALL_BODY || now < call->body_began_ms + s->limits.body_grace_ms) return false;
    uint64_t since_ms = now - call->body_began_ms - s->limits.body_grace_ms;
    return call->body_bytes < since_ms * s->limits.body_bytes_per_s / 1000;
}

static void on_sweep(uv_timer_t *timer)
{
    struct http_server *s = timer->data;
    uint64_t now = uv_now(s->loop);
    for (struct connection *c = s->connections; c; c = c->next)
        if (c->deadline_ms <= now || is_dripping(s, c->call, now))
            shutdown(c->fd, SHUT_RDWR); /* libmicrohttpd notices and closes it */
}

static void connect_one(struct http_server *s, struct MHD_Connection *connection, void **context)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection *c = mem_calloc(1, sizeof *c);
    uint64_t often = s->limits.header_ms / 4 + 1;
    *c = (struct connection){info ? info->connect_fd : -1, uv_now(s->loop) + s->limits.header_ms, NULL, s->connections,
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

/* -- what a route sees -- */

const char *http_call_method(const struct http_call *c)
{
    return c->method;
}

const char *http_call_path(const struct http_call *c)
{
    return c->path;
}

const char *http_call_header(const struct http_call *c, const char *name)
{
    return MHD_lookup_connection_value(c->connection, MHD_HEADER_KIND, name);
}

struct query_search {
    const char *name, *value;
};

static void find_query(void *ctx, const char *name, const char *value)
{
    struct query_search *s = ctx;
    if (!s->value && strcmp(name, s->name) == 0) s->value = value;
}

const char *http_call_query(const struct http_call *c, const char *name)
{
    struct query_search s = {name, NULL};
    http_call_each_query(c, find_query, &s);
    return s.value;
}

struct query_walk {
    void (*fn)(void *ctx, const char *name, const char *value);
    void *ctx;
};

static enum MHD_Result on_query(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct query_walk *w = ctx;
    (void)kind;
    w->fn(w->ctx, name, value ? value : "");
    return MHD_YES;
}

void http_call_each_query(const struct http_call *c, void (*fn)(void *ctx, const char *name, const char *value),
                          void *ctx)
{
    struct query_walk w = {fn, ctx};
    MHD_get_connection_values(c->connection, MHD_GET_ARGUMENT_KIND, on_query, &w);
}

struct str http_call_body(const struct http_call *c)
{
    return buf_str(&c->body);
}

const char *http_call_peer(const struct http_call *c)
{
    return c->peer;
}

bool http_call_is_loopback(const struct http_call *c)
{
    return c->loopback;
}

bool http_call_is_tls(const struct http_call *c)
{
    return c->server->tls;
}

void http_call_take_body(struct http_call *c, size_t max_bytes, const char *too_large)
{
    c->body_max_bytes = max_bytes;
    c->too_large = too_large;
}

struct http_answer *http_call_answer(struct http_call *c)
{
    return &c->answer;
}

void http_call_keep(struct http_call *c, void *own)
{
    c->own = own;
}

void *http_call_own(const struct http_call *c)
{
    return c->own;
}

/* -- answers -- */

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

static enum MHD_Result send_answer(struct http_call *c)
{
    struct http_answer *a = &c->answer;
    if (!a->status) http_answer_text(a, MHD_HTTP_NOT_FOUND, "%s", _("there is nothing here"));
    struct MHD_Response *response = response_of(a);
    if (!response) return MHD_NO;
    add_headers(response, a);
    enum MHD_Result result = MHD_queue_response(c->connection, a->status, response);
    MHD_destroy_response(response);
    c->state = CALL_ANSWERED;
    return result;
}

/* Before the body is read, so the connection ends here: nothing after it can be taken for a request. */
static enum MHD_Result refuse(struct http_call *c, unsigned status, const char *why)
{
    http_answer_text(&c->answer, status, "%s", why);
    c->answer.close = true;
    return send_answer(c);
}

/* -- the way of a request -- */

static bool takes_method(const struct http_route *r, const char *method)
{
    for (struct str rest = str_of(r->methods); rest.p;)
        if (str_eq(str_split(&rest, ' '), str_of(method))) return true;
    return false;
}

static bool is_route(const struct http_route *r, const char *path, const char *method)
{
    size_t n = strlen(r->prefix);
    if (r->prefix[0] == '=') return strcmp(path, r->prefix + 1) == 0 && takes_method(r, method);
    return strncmp(path, r->prefix, n) == 0 && (r->prefix[n - 1] == '/' || !path[n]);
}

static const struct http_route *route_of(const struct http_server *s, const char *path, const char *method)
{
    const struct http_route *best = NULL;
    for (size_t i = 0; i < s->n_routes; i++)
        if (is_route(&s->routes[i], path, method) && (!best || strlen(s->routes[i].prefix) > strlen(best->prefix)))
            best = &s->routes[i];
    return best;
}

static void set_peer(struct http_call *c)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *a = info ? info->client_addr : NULL;
    char text[INET6_ADDRSTRLEN] = "?";
    if (a && a->sa_family == AF_INET) {
        const struct in_addr *four = &((const struct sockaddr_in *)(const void *)a)->sin_addr;
        inet_ntop(AF_INET, four, text, sizeof text);
        c->loopback = ntohl(four->s_addr) >> 24 == 127;
    } else if (a && a->sa_family == AF_INET6) {
        const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
        inet_ntop(AF_INET6, six, text, sizeof text);
        c->loopback = IN6_IS_ADDR_LOOPBACK(six);
    }
    c->peer = mem_strdup(text);
}

static struct http_call *call_new(struct http_server *s, struct MHD_Connection *connection, const char *method,
                                  const char *path)
{
    struct http_call *c = mem_calloc(1, sizeof *c);
    *c = (struct http_call){.server = s,
                            .connection = connection,
                            .method = mem_strdup(method),
                            .path = mem_strdup(path),
                            .too_large = TOO_LARGE,
                            .body_began_ms = uv_now(s->loop)};
    c->work.data = c;
    set_peer(c);
    struct connection *at = connection_of(connection);
    if (at) at->call = c;
    return c;
}

static void call_free(struct http_call *c)
{
    if (c->route && c->route->end) c->route->end(c->route->ctx, c);
    if (c->answer.release) c->answer.release(c->answer.owner);
    c->server->bodies_bytes -= c->body.len;
    struct connection *at = connection_of(c->connection);
    if (at) at->call = NULL;
    buf_free(&c->answer.body);
    buf_free(&c->answer.headers);
    buf_free(&c->body);
    free(c->method);
    free(c->path);
    free(c->peer);
    free(c);
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **seen,
                         enum MHD_RequestTerminationCode code)
{
    struct http_server *s = ctx;
    (void)code;
    if (*seen) call_free(*seen);
    *seen = NULL;
    set_deadline(s, connection, s->limits.header_ms);
}

/* The length a body will have, as far as it is told; "Expect: 100-continue" then spares sending it (RFC 9110 section
 * 10.1.1). */
static bool is_too_long(const struct http_call *c)
{
    const char *told = http_call_header(c, "Content-Length");
    long long n = 0;
    return told && (!str_to_int64(str_of(told), &n) || n < 0 || (unsigned long long)n > c->body_max_bytes);
}

static bool has_body(const struct http_call *c)
{
    const char *told = http_call_header(c, "Content-Length");
    return http_call_header(c, "Transfer-Encoding") || (told && strcmp(told, "0") != 0);
}

/* The header is read. */
static enum MHD_Result begin(struct http_call *c)
{
    if (is_ambiguous(c->connection))
        return refuse(c, MHD_HTTP_BAD_REQUEST, _("the length of this request can be read in two ways"));
    const struct http_route *r = route_of(c->server, c->path, c->method);
    if (!r) return has_body(c) ? refuse(c, MHD_HTTP_NOT_FOUND, _("there is nothing here")) : send_answer(c);
    if (!takes_method(r, c->method)) {
        http_answer_header(&c->answer, "Allow", "%s", r->methods); /* RFC 9110 section 15.5.6 */
        return refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED, _("that cannot be done here"));
    }
    c->route = r;
    if (r->begin) r->begin(r->ctx, c);
    if (c->answer.status) {
        c->answer.close |= has_body(c);
        return send_answer(c);
    }
    return is_too_long(c) ? refuse(c, MHD_HTTP_CONTENT_TOO_LARGE, _(c->too_large)) : MHD_YES;
}

/* An answer can only follow the body, so of a refused one the rest is dropped, up to a measure; then the client is cut
 * off. */
static enum MHD_Result refuse_body(struct http_call *c, unsigned status, const char *why)
{
    if (!c->answer.status) http_answer_text(&c->answer, status, "%s", why);
    c->answer.close = true;
    c->server->bodies_bytes -= c->body.len;
    buf_free(&c->body);
    return c->body_bytes > c->body_max_bytes + DROPPED_MAX_BYTES ? MHD_NO : MHD_YES;
}

static enum MHD_Result take_piece(struct http_call *c, struct str piece)
{
    struct http_server *s = c->server;
    c->body_bytes += piece.n;
    if (c->body_bytes > c->body_max_bytes) return refuse_body(c, MHD_HTTP_CONTENT_TOO_LARGE, _(c->too_large));
    if (c->answer.status) return refuse_body(c, 0, NULL);
    if (s->bodies_bytes + piece.n > s->limits.bodies_max_bytes)
        return refuse_body(c, MHD_HTTP_SERVICE_UNAVAILABLE, _("too much is being sent at once; try again later"));
    s->bodies_bytes += piece.n;
    buf_addstr(&c->body, piece);
    return MHD_YES;
}

static void work(uv_work_t *work)
{
    struct http_call *c = work->data;
    c->route->work(c->route->ctx, c);
}

static void close_handles(struct http_server *s);

static void on_worked(uv_work_t *work, int status)
{
    struct http_call *c = work->data;
    struct http_server *s = c->server;
    (void)status;
    s->working--;
    MHD_resume_connection(c->connection); /* on_request is called again, and answers */
    pump(s);
    if (s->stopping && !s->working) close_handles(s);
}

static enum MHD_Result complete(struct http_call *c)
{
    if (c->state == CALL_WORKING || c->answer.status || !c->route->work || c->server->stopping) return send_answer(c);
    c->state = CALL_WORKING;
    c->server->working++;
    MHD_suspend_connection(c->connection);
    uv_queue_work(c->server->loop, &c->work, work, on_worked);
    return MHD_YES;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *path, const char *method,
                                  const char *version, const char *upload, size_t *upload_bytes, void **seen)
{
    struct http_server *s = ctx;
    (void)version;
    if (!*seen) { /* the first call has the headers only */
        *seen = call_new(s, connection, method, path);
        set_deadline(s, connection, s->limits.request_ms);
        return begin(*seen);
    }
    if (*upload_bytes) {
        struct str piece = {upload, *upload_bytes};
        *upload_bytes = 0;
        return take_piece(*seen, piece);
    }
    return complete(*seen);
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

static struct MHD_Daemon *listen_at(struct http_server *s, const struct http_listen *listen, const struct addrinfo *at)
{
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (at->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0u);
    flags |= listen->cert ? MHD_USE_TLS : 0u;
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)listen->cert},
                                   {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)listen->key},
                                   {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
                                   {MHD_OPTION_END, 0, NULL}};
    if (!listen->cert) tls[0].option = MHD_OPTION_END;
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR, at->ai_addr,
                            MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
                            MHD_OPTION_PER_IP_CONNECTION_LIMIT, CONNECTIONS_OF_ONE_MAX,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1,
                            MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
                            s, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

static char *address_of(const struct http_server *s, const char *where)
{
    struct str host, port;
    struct buf text AUTO_BUF = BUF_INIT;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->mhd, MHD_DAEMON_INFO_BIND_PORT);
    split_where(where, &host, &port);
    bool six = memchr(host.p, ':', host.n) != NULL;
    buf_addf(&text, six ? "%s://[%.*s]:%u/" : "%s://%.*s:%u/", s->tls ? "https" : "http", STR_ARG(host),
             info ? info->port : 0u);
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

enum fault_code http_server_start(uv_loop_t *loop, const struct http_listen *listen, struct http_server **out,
                                  struct fault *f)
{
    *out = NULL;
    struct addrinfo *at = resolve(listen->where);
    if (!at)
        return fault_set(f, FAULT_CONFIG, _("listen = ADDRESS:PORT"), _("\"%s\" is no address to listen on"),
                         listen->where);
    struct http_server *s = mem_calloc(1, sizeof *s);
    s->loop = loop;
    s->limits = listen->limits;
    s->tls = listen->cert != NULL;
    s->mhd = listen_at(s, listen, at);
    freeaddrinfo(at);
    if (!s->mhd) {
        free(s);
        return fault_set(f, FAULT_CONFIG,
                         listen->cert ? _("is another daemon running? are tls_cert and tls_key a pair in PEM?")
                                      : _("is another daemon running?"),
                         _("cannot listen on %s"), listen->where);
    }
    s->address = address_of(s, listen->where);
    watch(s, loop);
    *out = s;
    return FAULT_NONE;
}

void http_server_route(struct http_server *s, const struct http_route *route)
{
    if (s->n_routes == ROUTES_MAX) abort(); /* a table in the source outgrew another */
    s->routes[s->n_routes++] = *route;
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

static void close_handles(struct http_server *s)
{
    uv_close((uv_handle_t *)&s->poll, on_closed);
    uv_close((uv_handle_t *)&s->timer, on_closed);
    uv_close((uv_handle_t *)&s->sweep, on_closed);
}

/* A connection at rest cannot be closed, so those that work are waited for. */
void http_server_stop(struct http_server *s)
{
    if (!s || s->stopping) return;
    s->stopping = true;
    MHD_socket fd = MHD_quiesce_daemon(s->mhd);
    if (fd != MHD_INVALID_SOCKET) close(fd);
    if (!s->working) close_handles(s);
}
