#include "connectors/http.h"

#include "base/gate.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

/* -- a server in this process: the path says what it answers -- */

struct server {
    struct MHD_Daemon *daemon;
    unsigned port;
    atomic_int requests, cuts; /* cuts: how many of the coming requests get no answer */
    atomic_int refusals;       /* how many of the coming ones get `refusal` */
    int refusal;
    const char *retry_after;
    int connected;             /* connections accepted so far */
    int held, most_held, meet; /* "/hold": how many are here now, were at most, are let go together */
    struct MHD_Connection *connections[64];
};

struct upload {
    struct buf body;
    bool held;
};

#define OTHER "Basic bWVAZXhhbXBsZS5vcmc6c2VjcmV0" /* me@example.org */

static enum MHD_Result reply(struct MHD_Connection *c, unsigned status, struct str body, const char *name,
                             const char *value)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(body.n, (void *)(uintptr_t)body.p, MHD_RESPMEM_MUST_COPY);
    if (name && value) MHD_add_response_header(r, name, value);
    enum MHD_Result result = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return result;
}

static const char *header(struct MHD_Connection *c, const char *name)
{
    const char *value = MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
    return value ? value : "-";
}

/* "METHOD path Depth Content-Type Authorization: body" */
static enum MHD_Result echo(struct MHD_Connection *c, const char *url, const char *method, struct upload *u)
{
    struct buf text AUTO_BUF = BUF_INIT;
    buf_addf(&text, "%s %s %s %s %s: %s", method, url, header(c, "Depth"), header(c, "Content-Type"),
             header(c, "Authorization"), buf_cstr(&u->body));
    return reply(c, strcmp(method, "REPORT") == 0 ? 207 : 200, buf_str(&text), "ETag", "\"one\"");
}

static enum MHD_Result redirect(struct server *s, struct MHD_Connection *c, const char *what)
{
    struct buf to AUTO_BUF = BUF_INIT;
    if (strcmp(what, "loop") == 0)
        buf_adds(&to, "loop");
    else if (strcmp(what, "host") == 0)
        buf_addf(&to, "http://localhost:%u/needs-password", s->port);
    else
        buf_adds(&to, "../echo");
    return reply(c, atoi(what) ? (unsigned)atoi(what) : 302, STR("moved"), "Location", buf_cstr(&to));
}

static enum MHD_Result digest(struct MHD_Connection *c, const char *url, const char *method, struct upload *u)
{
    if (!u->body.len) return reply(c, 500, STR("no body"), NULL, NULL); /* as sabre does */
    struct MHD_Response *r = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    char *user = MHD_digest_auth_get_username(c);
    int ok = user ? MHD_digest_auth_check2(c, "r", "me", "secret", 300, MHD_DIGEST_ALG_MD5) : MHD_NO;
    enum MHD_Result result =
        ok == MHD_YES ? echo(c, url, method, u)
                      : MHD_queue_auth_fail_response2(c, "r", "o", r, ok == MHD_INVALID_NONCE, MHD_DIGEST_ALG_MD5);
    if (user) MHD_free(user);
    MHD_destroy_response(r);
    return result;
}

static ssize_t half(void *ctx, uint64_t at, char *out, size_t n)
{
    (void)ctx;
    if (at) return MHD_CONTENT_READER_END_WITH_ERROR;
    n = n < 100 ? n : 100;
    memset(out, 'x', n);
    return (ssize_t)n;
}

static enum MHD_Result cut_off(struct MHD_Connection *c, const char *method)
{
    struct MHD_Response *r = MHD_create_response_from_callback(1000, 4096, half, NULL, NULL);
    enum MHD_Result result = MHD_queue_response(c, strcmp(method, "PUT") == 0 ? 201 : 207, r);
    MHD_destroy_response(r);
    return result;
}

/* Answers when as many are here as are to meet: so they are known to be in flight at the same time. Called again when
 * let go. */
static enum MHD_Result hold(struct server *s, struct MHD_Connection *c, struct upload *u)
{
    if (u->held) return reply(c, 200, STR("held"), NULL, NULL);
    u->held = true;
    MHD_suspend_connection(c);
    s->connections[s->held++] = c;
    s->most_held = s->held > s->most_held ? s->held : s->most_held;
    if (s->held < s->meet) return MHD_YES;
    while (s->held) MHD_resume_connection(s->connections[--s->held]);
    return MHD_YES;
}

static enum MHD_Result squeezed(struct MHD_Connection *c, size_t n)
{
    char *zeros AUTO_FREE = mem_calloc(1, n), *packed AUTO_FREE = mem_alloc(n / 100 + 1000);
    z_stream z = {.next_in = (unsigned char *)zeros,
                  .avail_in = (unsigned)n,
                  .next_out = (unsigned char *)packed,
                  .avail_out = (unsigned)(n / 100 + 1000)};
    deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
    cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t got = n / 100 + 1000 - z.avail_out;
    deflateEnd(&z);
    return reply(c, 200, (struct str){packed, got}, "Content-Encoding", "gzip");
}

static enum MHD_Result answer(struct server *s, struct MHD_Connection *c, const char *url, const char *method,
                              struct upload *u)
{
    s->requests += !u->held;
    if (!u->held && s->cuts > 0 && s->cuts--) return MHD_NO;
    if (!u->held && s->refusals > 0 && s->refusals--)
        return reply(c, (unsigned)s->refusal, STR("no"), "Retry-After", s->retry_after);
    if (strncmp(url, "/to/", 4) == 0) return redirect(s, c, url + 4);
    if (strncmp(url, "/digest", 7) == 0) return digest(c, url, method, u);
    if (strcmp(url, "/cut") == 0) return cut_off(c, method);
    if (strcmp(url, "/hold") == 0) return hold(s, c, u);
    if (strncmp(url, "/gzip/", 6) == 0) return squeezed(c, (size_t)atoi(url + 6));
    if (strcmp(url, "/needs-password") == 0 && strcmp(header(c, "Authorization"), "-") == 0)
        return reply(c, 401, STR("who?"), "WWW-Authenticate", "Basic realm=\"r\"");
    if (strcmp(url, "/other") == 0 && strcmp(header(c, "Authorization"), OTHER) != 0)
        return reply(c, 401, STR("who?"), "WWW-Authenticate", "Basic realm=\"r\"");
    if (strncmp(url, "/status/", 8) == 0) return reply(c, (unsigned)atoi(url + 8), STR("<error/>"), NULL, NULL);
    if (strcmp(url, "/large") == 0) {
        static const char zeros[100000];
        return reply(c, 200, (struct str){zeros, sizeof zeros}, NULL, NULL);
    }
    return echo(c, url, method, u);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
                                  const char *version, const char *data, size_t *n, void **state)
{
    struct upload *u = *state;
    (void)version;
    if (!u) {
        *state = mem_calloc(1, sizeof *u);
        return MHD_YES;
    }
    if (*n) {
        buf_add(&u->body, data, *n);
        *n = 0;
        return MHD_YES;
    }
    return answer(ctx, c, url, method, u);
}

static void on_completed(void *ctx, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why)
{
    struct upload *u = *state;
    (void)ctx;
    (void)c;
    (void)why;
    if (u) buf_free(&u->body);
    free(u);
}

static void on_connection(void *ctx, struct MHD_Connection *c, void **state, enum MHD_ConnectionNotificationCode what)
{
    (void)c;
    (void)state;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) ((struct server *)ctx)->connected++;
}

static void server_start(struct server *s)
{
    s->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request,
                                 s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION,
                                 on_connection, s, MHD_OPTION_NONCE_NC_SIZE, 65536u, MHD_OPTION_DIGEST_AUTH_RANDOM,
                                 (size_t)8, "12345678", MHD_OPTION_END);
    cr_assert_not_null(s->daemon);
    s->port = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

/* -- an environment whose clock only sleeping moves -- */

struct world {
    struct env env;
    struct traits traits;
    int64_t slept_ms;
    bool slept_under_way;           /* while a request had no answer yet */
    bool cancelled, wake_cancelled; /* the second: sleeping ends by being cancelled */
    int before, after;
    char auth[16], user[16];
    const char *other_user;
    struct server server;
    struct http *http;
    struct gate *gate;
    struct buf url;
};

static int64_t now_ms(struct env *e)
{
    return 1700000000000 + ((struct world *)e)->slept_ms;
}

static enum fault_code sleep_ms(struct env *e, int64_t ms)
{
    struct world *w = (struct world *)e;
    w->slept_ms += ms;
    w->slept_under_way |= w->after < w->before;
    w->cancelled |= w->wake_cancelled;
    return w->cancelled ? FAULT_CANCELLED : FAULT_NONE;
}

static bool cancelled(struct env *e)
{
    return ((struct world *)e)->cancelled;
}

static void boundary(struct env *e, const char *where)
{
    struct world *w = (struct world *)e;
    *(strcmp(where, "request") == 0 ? &w->before : &w->after) += 1;
}

static struct world *world_of(struct traits *t)
{
    return (struct world *)((char *)t - offsetof(struct world, traits));
}

static char *trait_get(struct traits *t, const char *key)
{
    const char *value = strcmp(key, "auth") == 0   ? world_of(t)->auth
                        : strcmp(key, "user") == 0 ? world_of(t)->user
                                                   : "";
    return *value ? mem_strdup(value) : NULL;
}

static void trait_set(struct traits *t, const char *key, const char *value)
{
    if (strcmp(key, "auth") == 0) snprintf(world_of(t)->auth, sizeof world_of(t)->auth, "%s", value);
    if (strcmp(key, "user") == 0) snprintf(world_of(t)->user, sizeof world_of(t)->user, "%s", value);
}

static void world_open(struct world *w, bool allow_plain_http)
{
    const struct http_settings settings = {.user = "me",
                                           .other_user = w->other_user,
                                           .password = "secret",
                                           .allow_plain_http = allow_plain_http,
                                           .gate = w->gate,
                                           .env = &w->env,
                                           .traits = &w->traits};
    w->http = http_open(&settings);
}

static void world_begin(struct world *w)
{
    *w = (struct world){.env = {.now_ms = now_ms,
                                .monotonic_ms = now_ms,
                                .sleep_ms = sleep_ms,
                                .cancelled = cancelled,
                                .boundary = boundary},
                        .traits = {trait_get, trait_set}};
    server_start(&w->server);
    world_open(w, false);
}

static void world_end(struct world *w)
{
    http_close(w->http);
    gate_free(w->gate);
    if (w->server.daemon) MHD_stop_daemon(w->server.daemon);
    buf_free(&w->url);
}
#define WORLD __attribute__((cleanup(world_end)))
#define AUTO_EXCHANGE __attribute__((cleanup(http_clear)))

static const char *at(struct world *w, const char *host, const char *path)
{
    buf_reset(&w->url);
    buf_addf(&w->url, "http://%s:%u%s", host, w->server.port, path);
    return buf_cstr(&w->url);
}

static struct http_exchange ask(struct world *w, const char *method, const char *path)
{
    bool writes = strcmp(method, "PUT") == 0;
    struct http_exchange x = {.method = method,
                              .url = at(w, "127.0.0.1", path),
                              .headers = {"Depth: 1"},
                              .content_type = "text/xml",
                              .body = STR("body"),
                              .repeatable = !writes,
                              .limit_bytes = 50000};
    if (strcmp(method, "GET") == 0) x.body = STR_NONE;
    return x;
}

#define BASIC "Basic bWU6c2VjcmV0"

/* -- the tests -- */

Test(http, a_request_arrives_whole_and_so_does_the_answer)
{
    struct world w WORLD;
    world_begin(&w);
    struct http_exchange x AUTO_EXCHANGE = ask(&w, "PROPFIND", "/echo");
    cr_assert_eq(http_do(w.http, &x, NULL), FAULT_NONE, "%s", x.fault.what);
    cr_expect_eq(x.status, 200);
    cr_expect_str_eq(x.etag, "\"one\"");
    cr_expect_str_eq(x.final_url, x.url);
    cr_expect_str_eq(buf_cstr(&x.text), "PROPFIND /echo 1 text/xml " BASIC ": body");
    int64_t requests, in, out;
    http_traffic(w.http, &requests, &in, &out);
    cr_expect(requests == 1 && in > 50 && out > 100, "%d %d %d", (int)requests, (int)in, (int)out);
    cr_expect(w.before == 1 && w.after == 1 && w.server.requests == 1);
}

static enum fault_code stream(void *ctx, struct str bytes, struct fault *f)
{
    (void)f;
    buf_addstr(ctx, bytes);
    return bytes.n == 100 ? FAULT_HELD : FAULT_NONE;
}

Test(http, good_bodies_stream_and_others_are_kept)
{
    struct world w WORLD;
    world_begin(&w);
    struct buf got AUTO_BUF = BUF_INIT;
    struct http_exchange x AUTO_EXCHANGE = ask(&w, "REPORT", "/echo");
    x.on_body = stream;
    x.ctx = &got;
    cr_expect_eq(http_do(w.http, &x, NULL), FAULT_NONE);
    cr_expect_eq(x.status, 207);
    cr_expect_str_eq(buf_cstr(&got), "REPORT /echo 1 text/xml " BASIC ": body");
    x.url = at(&w, "127.0.0.1", "/status/403");
    buf_reset(&got);
    cr_expect_eq(http_do(w.http, &x, NULL), FAULT_NONE);
    cr_expect_eq(got.len, 0u);
    cr_expect_str_eq(buf_cstr(&x.text), "<error/>");
    x.url = at(&w, "127.0.0.1", "/cut");
    cr_expect_eq(http_do(w.http, &x, NULL), FAULT_HELD, "the reader may end it");
}

Test(http, redirects_keep_method_and_body)
{
    static const struct {
        const char *method, *path;
        int status, requests;
        bool for_good;
        enum fault_code code;
    } rows[] = {
        {"PROPFIND", "/to/301", 200, 2, true, FAULT_NONE}, {"REPORT", "/to/302", 207, 2, false, FAULT_NONE},
        {"REPORT", "/to/307", 207, 2, false, FAULT_NONE},  {"PROPFIND", "/to/308", 200, 2, true, FAULT_NONE},
        {"PUT", "/to/301", 301, 1, false, FAULT_NONE},     {"GET", "/to/loop", 302, 6, false, FAULT_PROTOCOL},
    };
    struct world w WORLD;
    world_begin(&w);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_exchange x AUTO_EXCHANGE = ask(&w, rows[i].method, rows[i].path);
        w.server.requests = 0;
        cr_expect_eq(http_do(w.http, &x, NULL), rows[i].code, "row %s %s", rows[i].method, rows[i].path);
        cr_expect_eq(x.status, rows[i].status, "row %s %s: %d", rows[i].method, rows[i].path, x.status);
        cr_expect_eq(w.server.requests, rows[i].requests, "row %s %s: %d", rows[i].method, rows[i].path,
                     w.server.requests);
        cr_expect_eq(x.moved_for_good, rows[i].for_good, "row %s %s", rows[i].method, rows[i].path);
        if (x.status >= 300) continue;
        cr_expect(strstr(x.final_url, "/echo") && strstr(buf_cstr(&x.text), BASIC ": body"), "row %s %s: %s",
                  rows[i].method, rows[i].path, buf_cstr(&x.text));
    }
}

Test(http, another_host_gets_no_password)
{
    struct world w WORLD;
    world_begin(&w);
    struct http_exchange x AUTO_EXCHANGE = ask(&w, "PROPFIND", "/to/host");
    cr_expect_eq(http_do(w.http, &x, NULL), FAULT_AUTH);
    cr_expect_eq(w.server.requests, 2);
    cr_expect(x.fault.what && strstr(x.fault.what, "localhost"), "%s", x.fault.what);
}

/* 0.0.0.0 reaches this machine but is no loopback address to us. */
Test(http, a_password_is_not_sent_in_the_clear)
{
    struct world w WORLD;
    world_begin(&w);
    struct http_exchange x AUTO_EXCHANGE = ask(&w, "GET", "/");
    x.url = at(&w, "0.0.0.0", "/needs-password");
    cr_expect_eq(http_do(w.http, &x, NULL), FAULT_AUTH);
    cr_expect(x.fault.advice && strstr(x.fault.advice, "https"));
    x.url = at(&w, "0.0.0.0", "/echo");
    cr_expect_eq(http_do(w.http, &x, NULL), FAULT_NONE);
    cr_expect_null(strstr(buf_cstr(&x.text), BASIC));
    http_close(w.http);
    world_open(&w, true);
    x.url = at(&w, "0.0.0.0", "/needs-password");
    cr_expect_eq(http_do(w.http, &x, NULL), FAULT_NONE);
    cr_expect_eq(x.status, 200);
}

Test(http, digest_is_learned_and_remembered)
{
    struct world w WORLD;
    world_begin(&w);
    static const int requests[] = {3, 1, 1}; /* Basic, the question, the answer; then the nonce serves again */
    for (int i = 0; i < 3; i++) {
        struct http_exchange x AUTO_EXCHANGE = ask(&w, "REPORT", "/digest");
        w.server.requests = 0;
        cr_expect_eq(http_do(w.http, &x, NULL), FAULT_NONE, "%d: %s", i, x.fault.what);
        cr_expect(x.status < 300 && strstr(buf_cstr(&x.text), ": body"), "%d: %d", i, x.status);
        cr_expect_eq(w.server.requests, requests[i], "%d: %d", i, w.server.requests);
    }
    cr_expect_str_eq(w.auth, "digest");
    http_close(w.http);
    world_open(&w, false);
    struct http_exchange x AUTO_EXCHANGE = ask(&w, "PUT", "/digest");
    w.server.requests = 0;
    cr_expect_eq(http_do(w.http, &x, NULL), FAULT_NONE);
    cr_expect(x.status == 200 && strstr(buf_cstr(&x.text), ": body") && !strstr(buf_cstr(&x.text), BASIC), "%d",
              x.status);
    x.url = at(&w, "127.0.0.1", "/needs-password"); /* now Basic only: learned again */
    cr_expect_eq(http_do(w.http, &x, NULL), FAULT_NONE);
}

/* Different names, because this server's nonces differ only by time and name. */
Test(http, a_batch_learns_digest)
{
    struct world w WORLD;
    world_begin(&w);
    struct http_exchange list[8];
    struct buf urls[8] = {BUF_INIT};
    for (size_t i = 0; i < 8; i++) {
        list[i] = ask(&w, "PUT", "/digest/");
        buf_addf(&urls[i], "%s%zu", list[i].url, i);
        list[i].url = buf_cstr(&urls[i]);
    }
    cr_expect_eq(http_batch(w.http, list, 8, 4, NULL, NULL, NULL), FAULT_NONE);
    for (size_t i = 0; i < 8; i++) {
        cr_expect_eq(list[i].status, 200, "%zu: %d", i, list[i].status);
        cr_expect(strstr(buf_cstr(&list[i].text), ": body"), "%zu: %s", i, buf_cstr(&list[i].text));
        http_clear(&list[i]);
        buf_free(&urls[i]);
    }
}

/* cuts: answers that do not come. warm: a kept connection is there, where curl itself would send again. */
Test(http, only_what_is_safe_is_sent_again)
{
    static const struct {
        const char *method;
        int cuts, warm, requests;
        enum fault_code code;
    } rows[] = {
        {"GET", 1, 0, 2, FAULT_NONE},    {"REPORT", 2, 0, 3, FAULT_NONE}, {"REPORT", 9, 0, 3, FAULT_UNREACHABLE},
        {"PUT", 1, 0, 1, FAULT_UNKNOWN}, {"PUT", 1, 1, 1, FAULT_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world w WORLD;
        world_begin(&w);
        if (rows[i].warm) {
            struct http_exchange first AUTO_EXCHANGE = ask(&w, "GET", "/echo");
            cr_expect_eq(http_do(w.http, &first, NULL), FAULT_NONE);
        }
        struct http_exchange x AUTO_EXCHANGE = ask(&w, rows[i].method, "/echo");
        w.server.requests = 0;
        w.server.cuts = rows[i].cuts;
        cr_expect_eq(http_do(w.http, &x, NULL), rows[i].code, "row %zu: %s %s", i, fault_name(x.code), x.fault.what);
        cr_expect_eq(w.server.requests, rows[i].requests, "row %zu: %d", i, w.server.requests);
    }
}

Test(http, an_answer_cut_off_is_incomplete)
{
    struct world w WORLD;
    world_begin(&w);
    struct http_exchange x AUTO_EXCHANGE = ask(&w, "REPORT", "/cut");
    struct http_exchange y AUTO_EXCHANGE = ask(&w, "PUT", "/cut");
    x.url = y.url = buf_cstr(&w.url);
    cr_expect_eq(http_do(w.http, &x, NULL), FAULT_INCOMPLETE, "%s", fault_name(x.code));
    cr_expect_eq(http_do(w.http, &y, NULL), FAULT_UNKNOWN, "%s", fault_name(y.code));
}

Test(http, waits_as_the_server_says)
{
    static const struct {
        const char *method, *retry_after;
        int refusal, refusals, status, requests, slept_s;
        int retry_after_s;
    } rows[] = {
        {"GET", "5", 429, 1, 200, 2, 5, 0},
        {"GET", "7", 503, 2, 200, 3, 14, 0},
        {"GET", "5", 503, 3, 503, 3, 10, 5},
        {"GET", "31", 429, 1, 429, 1, 0, 31},
        {"PUT", "5", 429, 1, 429, 1, 0, 5},
        {"GET", NULL, 503, 1, 200, 2, 1, 0},
        {"GET", "Tue, 14 Nov 2023 22:13:40 GMT", 429, 1, 200, 2, 20, 0},
        {"GET", "Tue, 14 Nov 2023 23:13:20 GMT", 503, 1, 503, 1, 0, 3600},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world w WORLD;
        world_begin(&w);
        w.server.refusal = rows[i].refusal;
        w.server.refusals = rows[i].refusals;
        w.server.retry_after = rows[i].retry_after;
        struct http_exchange x AUTO_EXCHANGE = ask(&w, rows[i].method, "/echo");
        struct fault f AUTO_FAULT = FAULT_INIT;
        cr_expect_eq(http_do(w.http, &x, NULL), FAULT_NONE);
        cr_expect_eq(x.status, rows[i].status, "row %zu: %d", i, x.status);
        cr_expect_eq(w.server.requests, rows[i].requests, "row %zu: %d", i, w.server.requests);
        cr_expect_eq(w.slept_ms, rows[i].slept_s * 1000, "row %zu: %d ms", i, (int)w.slept_ms);
        if (x.status < 300) continue;
        cr_expect_eq(http_status_fault(&x, &f), FAULT_RATE_LIMITED);
        cr_expect_eq(f.retry_after_ms, rows[i].retry_after_s * 1000, "row %zu: %d", i, (int)f.retry_after_ms);
    }
}

Test(http, a_body_beyond_the_limit_is_too_large)
{
    struct world w WORLD;
    world_begin(&w);
    struct http_exchange x AUTO_EXCHANGE = ask(&w, "GET", "/large");
    cr_expect_eq(http_do(w.http, &x, NULL), FAULT_TOO_LARGE);
    x.limit_bytes = 100000;
    cr_expect_eq(http_do(w.http, &x, NULL), FAULT_NONE);
    cr_expect_eq(x.text.len, 100000u);
}

/* A port that was free a moment ago and is held closed. */
Test(http, nobody_there_is_unreachable_even_for_a_write)
{
    struct world w WORLD;
    world_begin(&w);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&a, n), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    struct http_exchange x AUTO_EXCHANGE = ask(&w, "PUT", "/");
    unsigned port = w.server.port;
    w.server.port = ntohs(a.sin_port);
    x.url = at(&w, "127.0.0.1", "/");
    struct fault f AUTO_FAULT = FAULT_INIT;
    cr_expect_eq(http_do(w.http, &x, &f), FAULT_UNREACHABLE);
    cr_expect_not_null(f.what);
    w.server.port = port;
    buf_reset(&w.url);
    buf_addf(&w.url, "https://127.0.0.1:%u/", port); /* no TLS there */
    x.url = buf_cstr(&w.url);
    cr_expect_eq(http_do(w.http, &x, NULL), FAULT_UNREACHABLE);
    cr_expect_eq(w.server.requests, 0);
    close(fd);
}

Test(http, cancelling_sends_nothing)
{
    struct world w WORLD;
    world_begin(&w);
    struct http_exchange x AUTO_EXCHANGE = ask(&w, "GET", "/echo");
    struct fault f AUTO_FAULT = FAULT_INIT;
    w.cancelled = true;
    cr_expect_eq(http_do(w.http, &x, &f), FAULT_CANCELLED);
    cr_expect_eq(f.code, FAULT_CANCELLED);
    cr_expect_eq(w.server.requests, 0);
}

/* The other form is tried once, remembered, and tried no more once it is known who is let in. */
Test(http, a_refused_name_is_tried_in_its_other_form)
{
    static const struct {
        const char *first, *path, *known;
        int status, requests;
    } rows[] = {
        {NULL, "/other", "other", 200, 2},          {NULL, "/echo", "entered", 200, 1},
        {NULL, "/status/401", "", 401, 2},          {"/echo", "/other", "entered", 401, 1},
        {"/other", "/status/401", "other", 401, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world w WORLD;
        world_begin(&w);
        http_close(w.http);
        w.other_user = "me@example.org";
        world_open(&w, false);
        if (rows[i].first) {
            struct http_exchange first AUTO_EXCHANGE = ask(&w, "PUT", rows[i].first);
            http_do(w.http, &first, NULL);
            http_close(w.http);
            world_open(&w, false);
        }
        struct http_exchange x AUTO_EXCHANGE = ask(&w, "PUT", rows[i].path);
        w.server.requests = 0;
        cr_expect_eq(http_do(w.http, &x, NULL), FAULT_NONE);
        cr_expect_eq(x.status, rows[i].status, "row %zu: %d", i, x.status);
        cr_expect_eq(w.server.requests, rows[i].requests, "row %zu: %d", i, w.server.requests);
        cr_expect_str_eq(w.user, rows[i].known, "row %zu: %s", i, w.user);
    }
}

static enum fault_code sum(void *ctx, struct str bytes, struct fault *f)
{
    *(size_t *)ctx += bytes.n;
    return *(size_t *)ctx > 1000000 ? fault_set(f, FAULT_TOO_LARGE, NULL, "too much") : FAULT_NONE;
}

/* A few kilobytes that unpack to 10 MB: counted is what comes out. */
Test(http, compressed_bodies_are_unpacked_up_to_the_limit)
{
    struct world w WORLD;
    world_begin(&w);
    struct http_exchange x AUTO_EXCHANGE = ask(&w, "GET", "/gzip/40000");
    cr_expect_eq(http_do(w.http, &x, NULL), FAULT_NONE, "%s", x.fault.what);
    cr_expect_eq(x.text.len, 40000u);
    int64_t requests, in, out;
    http_traffic(w.http, &requests, &in, &out);
    cr_expect_lt(in, 1000, "%d", (int)in);
    x.url = at(&w, "127.0.0.1", "/gzip/10000000");
    cr_expect_eq(http_do(w.http, &x, NULL), FAULT_TOO_LARGE);
    cr_expect_leq(x.text.len, 50000u);
    size_t seen = 0;
    x.on_body = sum;
    x.ctx = &seen;
    cr_expect_eq(http_do(w.http, &x, NULL), FAULT_TOO_LARGE);
    cr_expect_leq(seen, 2000000u, "%zu", seen);
}

Test(http, a_connection_serves_again)
{
    struct world w WORLD;
    world_begin(&w);
    for (int i = 0; i < 5; i++) {
        struct http_exchange x AUTO_EXCHANGE = ask(&w, "PROPFIND", "/echo");
        cr_expect_eq(http_do(w.http, &x, NULL), FAULT_NONE);
    }
    cr_expect_eq(w.server.connected, 1, "%d", w.server.connected);
}

/* The first is told to wait 5 s while the second is at the server: the second does not wait with it, the third is not
 * sent before. */
Test(http, a_wait_holds_up_nothing_that_is_under_way, .timeout = 20)
{
    struct world w WORLD;
    world_begin(&w);
    struct buf url AUTO_BUF = BUF_INIT;
    struct http_exchange list[3];
    w.server.refusal = 429;
    w.server.refusals = 1;
    w.server.retry_after = "5";
    w.server.meet = 1;
    buf_adds(&url, at(&w, "127.0.0.1", "/hold"));
    for (size_t i = 0; i < 3; i++) {
        list[i] = ask(&w, "GET", "/hold");
        list[i].url = buf_cstr(&url);
        list[i].ctx = (void *)(uintptr_t)(i + 1);
    }
    cr_expect_eq(http_batch(w.http, list, 3, 2, NULL, NULL, NULL), FAULT_NONE);
    cr_expect_eq(w.slept_ms, 5000, "%d", (int)w.slept_ms);
    cr_expect_not(w.slept_under_way);
    cr_expect_eq(w.server.requests, 4, "%d", w.server.requests);
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(list[i].status, 200, "%zu: %d", i, list[i].status);
        http_clear(&list[i]);
    }
}

Test(http, waiting_ends_when_all_is_cancelled)
{
    struct world w WORLD;
    world_begin(&w);
    w.server.refusal = 503;
    w.server.refusals = 9;
    w.server.retry_after = "5";
    w.wake_cancelled = true;
    struct http_exchange x AUTO_EXCHANGE = ask(&w, "GET", "/echo");
    cr_expect_eq(http_do(w.http, &x, NULL), FAULT_CANCELLED);
    cr_expect_eq(w.server.requests, 1);
}

/* Two sessions in two threads, 12 requests each of up to 6 at a time, and a gate of 4: never more than 4 are there, and
 * 4 are, for the server lets go only when 4 have come. */
struct half {
    struct world *w;
    struct http *http;
    struct http_exchange list[12];
};

static void *run_half(void *ctx)
{
    struct half *half = ctx;
    http_batch(half->http, half->list, 12, 6, NULL, NULL, NULL);
    return NULL;
}

Test(http, a_gate_limits_all_sessions_together, .timeout = 20)
{
    struct world w WORLD;
    world_begin(&w);
    http_close(w.http);
    w.gate = gate_new(4, 9);
    world_open(&w, false);
    w.server.meet = 4;
    struct half halves[2] = {{.w = &w, .http = w.http}, {.w = &w}};
    world_open(&w, false);
    halves[1].http = w.http;
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < 12; k++) {
            halves[i].list[k] = ask(&w, "GET", "/hold");
        }
    for (size_t i = 0; i < 24; i++) halves[i / 12].list[i % 12].url = buf_cstr(&w.url);
    for (size_t i = 0; i < 2; i++) pthread_create(&threads[i], NULL, run_half, &halves[i]);
    for (size_t i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    cr_expect_eq(w.server.most_held, 4, "%d", w.server.most_held);
    for (size_t i = 0; i < 24; i++) {
        cr_expect_eq(halves[i / 12].list[i % 12].status, 200);
        http_clear(&halves[i / 12].list[i % 12]);
    }
    http_close(halves[0].http);
}

static void count(void *ctx, struct http_exchange *x)
{
    if (!x->code && x->status == 200) ++*(int *)ctx;
}

Test(http, a_batch_does_all)
{
    struct world w WORLD;
    world_begin(&w);
    struct http_exchange list[50];
    int good = 0;
    for (size_t i = 0; i < 50; i++) list[i] = ask(&w, "GET", "/echo");
    for (size_t i = 0; i < 50; i++) list[i].url = buf_cstr(&w.url);
    cr_expect_eq(http_batch(w.http, list, 50, 8, count, &good, NULL), FAULT_NONE);
    cr_expect_eq(good, 50);
    for (size_t i = 0; i < 50; i++) http_clear(&list[i]);
}

Test(http, a_refused_sign_in_stops_a_batch)
{
    struct world w WORLD;
    world_begin(&w);
    struct http_exchange list[20];
    struct fault f AUTO_FAULT = FAULT_INIT;
    for (size_t i = 0; i < 20; i++) list[i] = ask(&w, "GET", "/status/401");
    for (size_t i = 0; i < 20; i++) list[i].url = buf_cstr(&w.url);
    cr_expect_eq(http_batch(w.http, list, 20, 2, NULL, NULL, &f), FAULT_AUTH);
    cr_expect_eq(f.code, FAULT_AUTH);
    cr_expect_leq(w.server.requests, 3);
    cr_expect_eq(list[19].code, FAULT_CANCELLED);
    for (size_t i = 0; i < 20; i++) http_clear(&list[i]);
}

Test(http, every_status_has_a_meaning)
{
    static const struct {
        int status;
        enum fault_code code;
    } rows[] = {{200, FAULT_NONE},        {207, FAULT_NONE},        {304, FAULT_PROTOCOL},    {400, FAULT_REFUSED},
                {401, FAULT_AUTH},        {403, FAULT_REFUSED},     {404, FAULT_GONE},        {405, FAULT_UNSUPPORTED},
                {409, FAULT_REFUSED},     {410, FAULT_GONE},        {412, FAULT_CHANGED},     {413, FAULT_TOO_LARGE},
                {415, FAULT_REFUSED},     {418, FAULT_REFUSED},     {423, FAULT_LOCKED},      {429, FAULT_RATE_LIMITED},
                {500, FAULT_UNREACHABLE}, {501, FAULT_UNSUPPORTED}, {502, FAULT_UNREACHABLE}, {503, FAULT_RATE_LIMITED},
                {504, FAULT_UNREACHABLE}, {507, FAULT_QUOTA},       {599, FAULT_UNREACHABLE}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct http_exchange x = {.status = rows[i].status};
        struct fault f AUTO_FAULT = FAULT_INIT;
        cr_expect_eq(http_status_fault(&x, &f), rows[i].code, "row %d", rows[i].status);
        if (rows[i].code) cr_expect(f.http_status == rows[i].status && f.what && *f.what, "row %d", rows[i].status);
    }
}
