/* The listener from outside: a raw socket in a thread says what no library would, the server's loop turns in the test.
 */
#include "server/http_server.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct talk {
    const char *say;
    bool drip;    /* a byte every 5 ms, for ever */
    size_t flood; /* bytes that follow as fast as they are taken */
    int port;
    char heard[2000];
    bool cut;     /* the server ended it */
    size_t turns; /* of the loop */
    uv_async_t over;
};

static void answer_ok(void *ctx, struct http_call *c)
{
    (void)ctx;
    http_answer_text(http_call_answer(c), 200, "fine");
}

static void take_some(void *ctx, struct http_call *c)
{
    (void)ctx;
    http_call_take_body(c, 1000, "not more than 1000");
}

static void take_much(void *ctx, struct http_call *c)
{
    (void)ctx;
    http_call_take_body(c, 10000000, "not that much");
}

/* On a worker's thread. */
static void echo(void *ctx, struct http_call *c)
{
    struct str body = http_call_body(c);
    (void)ctx;
    http_answer_header(http_call_answer(c), "X-Peer", "%s", http_call_peer(c));
    http_answer_header(http_call_answer(c), "X-Split", "a\r\nX-Smuggled: 1");
    http_answer_text(http_call_answer(c), 200, "%s %zu [%.*s]", http_call_method(c), body.n, STR_ARG(body));
}

static const struct http_route routes[] = {
    {"/here", "GET HEAD", NULL, answer_ok, NULL, NULL},
    {"/echo/", "GET POST", NULL, take_some, echo, NULL},
    {"/much", "POST", NULL, take_much, echo, NULL},
};

static void drip_until_cut(struct talk *t, int fd)
{
    while (!t->cut) {
        usleep(5000);
        t->cut = send(fd, "x", 1, MSG_NOSIGNAL) < 0;
    }
}

static void flood(const struct talk *t, int fd)
{
    char piece[65536] = {0};
    for (size_t sent = 0; sent < t->flood; sent += sizeof piece) send(fd, piece, sizeof piece, MSG_NOSIGNAL);
}

static void talk(void *arg)
{
    struct talk *t = arg;
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)t->port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && send(fd, t->say, strlen(t->say), MSG_NOSIGNAL) > 0) {
        if (t->drip) drip_until_cut(t, fd);
        if (t->flood) flood(t, fd);
        size_t n = 0;
        ssize_t got;
        while ((got = recv(fd, t->heard + n, sizeof t->heard - 1 - n, 0)) > 0) n += (size_t)got;
        t->cut = true;
    }
    close(fd);
    uv_async_send(&t->over);
}

static void on_over(uv_async_t *async)
{
    uv_stop(async->loop);
}

static void count_turn(uv_prepare_t *turn)
{
    ++*(size_t *)turn->data;
}

static void converse(struct talk *t, struct http_limits limits)
{
    uv_loop_t loop;
    uv_thread_t client;
    uv_prepare_t turn;
    struct http_server *server;
    struct fault f AUTO_FAULT = FAULT_INIT;
    uv_loop_init(&loop);
    const struct http_listen listen = {"127.0.0.1:0", NULL, NULL, limits};
    cr_assert_eq(http_server_start(&loop, &listen, &server, &f), FAULT_NONE, "%s", f.what);
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) http_server_route(server, &routes[i]);
    t->port = atoi(strrchr(http_server_address(server), ':') + 1);
    uv_async_init(&loop, &t->over, on_over);
    uv_prepare_init(&loop, &turn);
    turn.data = &t->turns;
    uv_prepare_start(&turn, count_turn);
    uv_thread_create(&client, talk, t);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_thread_join(&client);
    uv_close((uv_handle_t *)&t->over, NULL);
    uv_close((uv_handle_t *)&turn, NULL);
    http_server_stop(server);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect_eq(uv_loop_close(&loop), 0);
}

#define LIMITS(header_ms, request_ms, grace_ms, rate, bodies)                                                          \
    ((struct http_limits){header_ms, request_ms, grace_ms, rate, bodies, 1000000, 100})
#define H "Host: x\r\nConnection: close\r\n"

Test(http_server, answers_and_refuses)
{
    static const struct {
        const char *say, *status;
    } rows[] = {
        {"GET /here HTTP/1.1\r\n" H "\r\n", "200"},
        {"HEAD /here HTTP/1.1\r\n" H "\r\n", "200"},
        {"GET /there HTTP/1.1\r\n" H "\r\n", "404"},
        {"DELETE /here HTTP/1.1\r\n" H "\r\n", "405"},
        {"POST /here HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nab", "405"},
        {"GET /here HTTP/1.1\r\nConnection: close\r\n\r\n", "400"}, /* no Host */
        {"POST /here HTTP/1.1\r\n" H "Content-Length: 2\r\nContent-Length: 2\r\n\r\nab", "400"},
        {"POST /here HTTP/1.1\r\n" H "Content-Length: 2\r\ncontent-length: 20\r\n\r\nab", "400"},
        {"POST /here HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
        {"POST /here HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\nGET /here "
         "HTTP/1.1\r\n" H "\r\n",
         "400"},
        {"POST /echo/ HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\na", "200"},
        {"POST /echo/ HTTP/1.1\r\n" H "Origin: http://x\r\nContent-Length: 1\r\n\r\na", "200"},
        {"POST /echo/ HTTP/1.1\r\n" H "Origin: https://evil.example\r\nContent-Length: 1\r\n\r\na", "403"},
        {"POST /echo/ HTTP/1.1\r\n" H "Origin: null\r\nContent-Length: 1\r\n\r\na", "403"},
        {"POST /echo/ HTTP/1.1\r\n" H "Sec-Fetch-Site: cross-site\r\nContent-Length: 1\r\n\r\na", "403"},
        {"GET /here HTTP/1.1\r\n" H "Origin: https://evil.example\r\n\r\n", "200"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct talk t = {.say = rows[i].say};
        converse(&t, HTTP_LIMITS_DEFAULT);
        cr_expect(strncmp(t.heard, "HTTP/1.1 ", 9) == 0 && strncmp(t.heard + 9, rows[i].status, 3) == 0, "row %zu: %s",
                  i, t.heard);
        cr_expect_null(strstr(t.heard + 1, "HTTP/1.1 2"), "row %zu: what was smuggled in was answered: %s", i, t.heard);
    }
}

/* 2 s would pass the test's own time limit if only silence were noticed: a byte comes every 5 ms. */
Test(http_server, a_header_that_drips_is_cut_off, .timeout = 5)
{
    struct talk t = {.say = "GET /here HTTP/1.1\r\nX-Slow: ", .drip = true};
    converse(&t, LIMITS(60, 60000, 60000, 1, 1000));
    cr_expect(t.cut);
}

Test(http_server, a_body_that_drips_is_cut_off, .timeout = 5)
{
    struct talk t = {.say = "POST /much HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", .drip = true};
    converse(&t, LIMITS(1000, 60, 60000, 1, 1000));
    cr_expect(t.cut);
}

Test(http_server, a_silent_one_is_cut_off, .timeout = 5)
{
    struct talk t = {.say = "GET /here HTTP/1.1\r\nHost: x\r\n\r\n"}; /* and then keeps the connection */
    converse(&t, LIMITS(60, 1000, 60000, 1, 1000));
    cr_expect(t.cut && strncmp(t.heard, "HTTP/1.1 200", 12) == 0, "%s", t.heard);
}

/* 200 bytes a second against 4000 that are asked for; the deadlines are far away. */
Test(http_server, a_body_below_the_rate_is_cut_off, .timeout = 5)
{
    struct talk t = {.say = "POST /much HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", .drip = true};
    converse(&t, LIMITS(1000, 60000, 50, 4000, 10000000));
    cr_expect(t.cut);
}

/* Whoever sends as fast as it goes has one turn like everybody on the loop: a piece is 16 KiB, so that there are
 * hundreds. A timer of 0 ms in its place kept the loop until the sender paused. */
Test(http_server, a_flood_leaves_the_loop_to_others, .timeout = 20)
{
    struct talk t = {.say = "POST /much HTTP/1.1\r\n" H "Content-Length: 9961472\r\n\r\n", .flood = 9961472};
    converse(&t, HTTP_LIMITS_DEFAULT);
    cr_expect(strncmp(t.heard, "HTTP/1.1 200", 12) == 0, "%.200s", t.heard);
    cr_expect(t.turns > 9961472 / 16384 / 2, "%zu turns", t.turns);
}

Test(http_server, bodies_are_taken_and_bounded)
{
    static const struct {
        const char *say, *heard;
    } rows[] = {
        {"POST /echo/x HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", "POST 3 [abc]"},
        {"POST /echo/x HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
         "POST 5 [abcde]"},
        {"GET /echo/ HTTP/1.1\r\n" H "\r\n", "X-Peer: 127.0.0.1"},
        {"POST /echo/x HTTP/1.1\r\n" H "Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n", "HTTP/1.1 413"},
        {"POST /echo/x HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n\r\n", "HTTP/1.1 4"},
        {"POST /nowhere HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", "HTTP/1.1 404"},
        {"POST /here HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", "Allow: GET HEAD"},
        {"GET /echo HTTP/1.1\r\n" H "\r\n", "HTTP/1.1 404"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct talk t = {.say = rows[i].say};
        converse(&t, HTTP_LIMITS_DEFAULT);
        cr_expect(strstr(t.heard, rows[i].heard), "row %zu: %s", i, t.heard);
        cr_expect_null(strstr(t.heard, "Smuggled"), "row %zu: %s", i, t.heard);
    }
}

Test(http_server, chunks_beyond_the_limit_are_refused)
{
    char say[4000] = "POST /echo/x HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 20; i++)
        strcat(say, "40\r\n0123456789012345678901234567890123456789012345678901234567890123\r\n");
    strcat(say, "0\r\n\r\n");
    struct talk t = {.say = say};
    converse(&t, HTTP_LIMITS_DEFAULT);
    cr_expect(strstr(t.heard, "HTTP/1.1 413") && strstr(t.heard, "not more than 1000"), "%s", t.heard);
}

Test(http_server, what_all_bodies_hold_is_bounded)
{
    struct talk t = {.say = "POST /much HTTP/1.1\r\n" H "Content-Length: 8\r\n\r\n12345678"};
    converse(&t, LIMITS(1000, 1000, 1000, 1, 7));
    cr_expect(strstr(t.heard, "HTTP/1.1 503"), "%s", t.heard);
}
