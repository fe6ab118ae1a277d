#include "server/http_impl.h"

#include "base/i18n.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define DROPPED_MAX_BYTES ((size_t)1 << 20) /* of a refused body that are read to hear the client out */
#define PIECES_MAX 512u                     /* that come in such small ones: each chunk costs as much as a packet */
#define PIECE_MIN_BYTES 16u
#define TOO_LARGE N_("this address takes no such large body")

static const size_t lane_max[HTTP_LANES] = {[HTTP_LANE_BULK] = 1, [HTTP_LANE_WRITE] = 4}; /* 0 = any number */

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

void http_call_lane(struct http_call *c, enum http_lane lane)
{
    c->lane = lane;
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

/* Before the body is read, so the connection ends here: nothing after it can be taken for a request. */
static enum MHD_Result refuse(struct http_call *c, unsigned status, const char *why)
{
    http_answer_text(&c->answer, status, "%s", why);
    c->answer.close = true;
    return http_send_answer(c);
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

/* By its method (RFC 9110 section 9.2.1, WebDAV's); a route may know better. */
static enum http_lane lane_of(const char *method)
{
    static const char *const reading[] = {"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"};
    for (size_t i = 0; i < sizeof reading / sizeof *reading; i++)
        if (strcmp(method, reading[i]) == 0) return HTTP_LANE_READ;
    return HTTP_LANE_WRITE;
}

static struct http_call *call_new(struct http_server *s, struct MHD_Connection *connection, const char *method,
                                  const char *path)
{
    struct http_call *c = mem_calloc(1, sizeof *c);
    *c = (struct http_call){.server = s,
                            .connection = connection,
                            .guest = http_guest_of(connection),
                            .method = mem_strdup(method),
                            .path = mem_strdup(path),
                            .lane = lane_of(method),
                            .too_large = TOO_LARGE};
    c->work.data = c;
    set_peer(c);
    if (c->guest) c->guest->own = c;
    return c;
}

static void call_free(struct http_call *c)
{
    if (c->route && c->route->end) c->route->end(c->route->ctx, c);
    if (c->answer.release) c->answer.release(c->answer.owner);
    c->server->bodies_bytes -= c->body.len;
    c->server->answers_bytes -= c->answer_bytes;
    if (c->guest) c->guest->own = NULL;
    buf_free(&c->answer.body);
    buf_free(&c->answer.headers);
    buf_free(&c->body);
    free(c->method);
    free(c->path);
    free(c->peer);
    free(c);
}

void http_on_completed(void *ctx, struct MHD_Connection *connection, void **seen, enum MHD_RequestTerminationCode code)
{
    struct http_server *s = ctx;
    (void)code;
    if (*seen) call_free(*seen);
    *seen = NULL;
    guest_begins(&s->guests, http_guest_of(connection), GUEST_WAITS, uv_now(s->loop));
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

/* A form on somebody else's page, sent by the browser of who reads it: nobody here meant that (Fetch standard,
 * "Origin"; Fetch Metadata). Only a POST can be sent so without being asked first, and programs send neither header. */
static bool is_cross_site(const struct http_call *c)
{
    const char *origin = http_call_header(c, "Origin"), *site = http_call_header(c, "Sec-Fetch-Site"),
               *host = http_call_header(c, "Host");
    if (strcmp(c->method, "POST") != 0) return false;
    if (site && str_eq_nocase(str_of(site), STR("cross-site"))) return true;
    if (!origin) return false;
    const char *authority = strstr(origin, "://");
    return !authority || !host || !str_eq_nocase(str_of(authority + 3), str_of(host));
}

/* The header is read. */
static enum MHD_Result begin(struct http_call *c)
{
    if (is_ambiguous(c->connection))
        return refuse(c, MHD_HTTP_BAD_REQUEST, _("the length of this request can be read in two ways"));
    if (is_cross_site(c))
        return refuse(c, MHD_HTTP_FORBIDDEN, _("a page of another site sent this; nothing was changed"));
    const struct http_route *r = route_of(c->server, c->path, c->method);
    if (!r) return has_body(c) ? refuse(c, MHD_HTTP_NOT_FOUND, _("there is nothing here")) : http_send_answer(c);
    if (!takes_method(r, c->method)) {
        http_answer_header(&c->answer, "Allow", "%s", r->methods); /* RFC 9110 section 15.5.6 */
        return refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED, _("that cannot be done here"));
    }
    c->route = r;
    if (r->begin) r->begin(r->ctx, c);
    if (c->answer.status) {
        c->answer.close |= has_body(c);
        return http_send_answer(c);
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

/* -- room for bodies -- */

static bool holds_body(const struct guest *one)
{
    const struct http_call *c = one->own;
    return c && c->body.len;
}

/* Where all bodies together are too much, the slowest one has to go: who fills the room and then drips does not keep
 * others out. False: this one is it. */
static bool make_room(struct http_call *c, size_t bytes)
{
    struct http_server *s = c->server;
    while (s->bodies_bytes + bytes > s->limits.bodies_max_bytes) {
        struct guest *slow = c->guest ? guests_slowest(&s->guests, c->guest, holds_body, uv_now(s->loop)) : NULL;
        if (!slow) return false;
        refuse_body(slow->own, MHD_HTTP_SERVICE_UNAVAILABLE, "");
        guests_cut(&s->guests, slow);
    }
    return true;
}

static enum MHD_Result take_piece(struct http_call *c, struct str piece)
{
    struct http_server *s = c->server;
    c->body_bytes += piece.n;
    if (++c->pieces > PIECES_MAX && c->body_bytes / c->pieces < PIECE_MIN_BYTES) return MHD_NO;
    if (c->guest) c->guest->body_bytes += piece.n;
    if (c->body_bytes > c->body_max_bytes) return refuse_body(c, MHD_HTTP_CONTENT_TOO_LARGE, _(c->too_large));
    if (c->answer.status) return refuse_body(c, 0, NULL);
    if (!make_room(c, piece.n))
        return refuse_body(c, MHD_HTTP_SERVICE_UNAVAILABLE, _("too much is being sent at once; try again later"));
    s->bodies_bytes += piece.n;
    buf_addstr(&c->body, piece);
    return MHD_YES;
}

/* -- work: some at once, others wait for their turn -- */

static void work(uv_work_t *work)
{
    struct http_call *c = work->data;
    c->route->work(c->route->ctx, c);
}

static void on_worked(uv_work_t *work, int status);

static void begin_work(struct http_call *c)
{
    c->server->lanes[c->lane].working++;
    uv_queue_work(c->server->loop, &c->work, work, on_worked);
}

/* libmicrohttpd then calls http_on_request again, which answers. */
static void wake(struct http_call *c)
{
    c->server->resting--;
    MHD_resume_connection(c->connection);
}

/* Who was cut off meanwhile is not worked for. */
static void begin_next(struct http_server *s, struct lane_queue *lane)
{
    while (lane->first) {
        struct http_call *c = lane->first;
        bool worth = !s->stopping && !(c->guest && c->guest->cut);
        lane->first = c->next;
        if (!lane->first) lane->last = NULL;
        if (worth) {
            begin_work(c);
            return;
        }
        http_answer_text(&c->answer, MHD_HTTP_SERVICE_UNAVAILABLE, "%s", _("try again later"));
        wake(c);
    }
}

static void on_worked(uv_work_t *work, int status)
{
    struct http_call *c = work->data;
    struct http_server *s = c->server;
    struct lane_queue *lane = &s->lanes[c->lane];
    (void)status;
    lane->working--;
    wake(c);
    begin_next(s, lane);
    http_pump(s);
    if (s->stopping && !s->resting) http_close_handles(s);
}

static void rest(struct http_call *c)
{
    struct lane_queue *lane = &c->server->lanes[c->lane];
    c->state = CALL_RESTING;
    c->server->resting++;
    MHD_suspend_connection(c->connection);
    guest_begins(&c->server->guests, c->guest, GUEST_IS_DONE, uv_now(c->server->loop));
    if (!lane_max[c->lane] || lane->working < lane_max[c->lane]) {
        begin_work(c);
        return;
    }
    *(lane->last ? &lane->last->next : &lane->first) = c;
    lane->last = c;
}

static enum MHD_Result complete(struct http_call *c)
{
    if (c->state == CALL_RESTING || c->answer.status || !c->route->work || c->server->stopping)
        return http_send_answer(c);
    rest(c);
    return MHD_YES;
}

enum MHD_Result http_on_request(void *ctx, struct MHD_Connection *connection, const char *path, const char *method,
                                const char *version, const char *upload, size_t *upload_bytes, void **seen)
{
    struct http_server *s = ctx;
    (void)version;
    if (!*seen) { /* the first call has the headers only */
        *seen = call_new(s, connection, method, path);
        guest_begins(&s->guests, http_guest_of(connection), GUEST_SENDS, uv_now(s->loop));
        return begin(*seen);
    }
    if (*upload_bytes) {
        struct str piece = {upload, *upload_bytes};
        *upload_bytes = 0;
        return take_piece(*seen, piece);
    }
    return complete(*seen);
}
