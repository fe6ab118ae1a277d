#include "server/http_impl.h"

#include "base/i18n.h"
#include "base/mem.h"

#include <netdb.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define HANDLES 4 /* on the loop */
#define ROOM_MAX ((size_t)1024)
#define ROOM_MIN ((size_t)64)
#define LEAVING 64u                          /* connections that were cut and not closed yet */
#define CONNECTION_BYTES ((size_t)32 * 1024) /* a longer header gives 431 */
#define IDLE_TIMEOUT_S 10u
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* -- libmicrohttpd on the loop: its epoll descriptor is watched, its timeout is a timer (dependencies: "rules that came
 * out") -- */

static void on_timer(uv_timer_t *timer)
{
    http_pump(timer->data);
}

static void on_idle(uv_idle_t *idle)
{
    http_pump(idle->data);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    http_pump(poll->data);
}

/* More to do at once is an idle handle's turn: a timer of 0 ms that starts itself again keeps libuv in its timers, and
 * nothing else has a turn as long as somebody sends. */
void http_pump(struct http_server *s)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;
    MHD_run(s->mhd);
    bool waits = MHD_get_timeout(s->mhd, &wait_ms) == MHD_YES;
    if (waits && !wait_ms)
        uv_idle_start(&s->idle, on_idle);
    else
        uv_idle_stop(&s->idle);
    if (waits && wait_ms)
        uv_timer_start(&s->timer, on_timer, wait_ms, 0);
    else
        uv_timer_stop(&s->timer);
}

/* -- who is connected -- */

struct guest *http_guest_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void on_cut(void *ctx, struct guest *one)
{
    (void)ctx;
    shutdown(one->fd, SHUT_RDWR); /* libmicrohttpd notices and closes it */
}

static void on_sweep(uv_timer_t *timer)
{
    struct http_server *s = timer->data;
    guests_sweep(&s->guests, uv_now(s->loop));
}

static struct guest *arrived(struct http_server *s, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *from = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    uint64_t often = s->limits.header_ms / 4 + 1;
    if (!s->guests.first) uv_timer_start(&s->sweep, on_sweep, often, often);
    return guests_arrived(&s->guests, from ? from->client_addr : NULL, fd ? fd->connect_fd : -1, uv_now(s->loop));
}

static void on_connection(void *ctx, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *s = ctx;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = arrived(s, connection);
        return;
    }
    guests_left(&s->guests, *context);
    if (!s->guests.first && !uv_is_closing((uv_handle_t *)&s->sweep)) uv_timer_stop(&s->sweep);
}

/* Half of the descriptors the process may have are for its own work. */
static size_t room(void)
{
    struct rlimit files = {0, 0};
    getrlimit(RLIMIT_NOFILE, &files);
    size_t half = files.rlim_cur / 2 < ROOM_MAX ? (size_t)files.rlim_cur / 2 : ROOM_MAX;
    return half > ROOM_MIN ? half : ROOM_MIN;
}

static void init_guests(struct http_server *s, const struct http_limits *l)
{
    size_t n = l->room ? l->room : room();
    s->guests = (struct guests){.limits = {.header_ms = l->header_ms,
                                           .request_ms = l->request_ms,
                                           .body_grace_ms = l->body_grace_ms,
                                           .body_bytes_per_s = l->body_bytes_per_s,
                                           .room = n,
                                           .share = n / 2},
                                .cut = on_cut};
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
    return MHD_start_daemon(flags, 0, NULL, NULL, http_on_request, s, MHD_OPTION_SOCK_ADDR, at->ai_addr,
                            MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S, MHD_OPTION_CONNECTION_LIMIT,
                            (unsigned)s->guests.limits.room + LEAVING, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            CONNECTION_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION,
                            on_connection, s, MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, s, MHD_OPTION_ARRAY, tls,
                            MHD_OPTION_END);
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
    s->poll.data = s->timer.data = s->idle.data = s->sweep.data = s;
    uv_poll_init(loop, &s->poll, info->epoll_fd);
    uv_timer_init(loop, &s->timer);
    uv_idle_init(loop, &s->idle);
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
    init_guests(s, &listen->limits);
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
    if (++s->closing < HANDLES) return;
    MHD_stop_daemon(s->mhd);
    free(s->address);
    free(s);
}

void http_close_handles(struct http_server *s)
{
    uv_close((uv_handle_t *)&s->poll, on_closed);
    uv_close((uv_handle_t *)&s->timer, on_closed);
    uv_close((uv_handle_t *)&s->idle, on_closed);
    uv_close((uv_handle_t *)&s->sweep, on_closed);
}

/* A connection at rest cannot be closed, so those that work are waited for. */
void http_server_stop(struct http_server *s)
{
    if (!s || s->stopping) return;
    s->stopping = true;
    MHD_socket fd = MHD_quiesce_daemon(s->mhd);
    if (fd != MHD_INVALID_SOCKET) close(fd);
    if (!s->resting) http_close_handles(s);
}
