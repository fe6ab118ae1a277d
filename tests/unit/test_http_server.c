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
    bool drip; /* a byte every 5 ms, for ever */
    int port;
    char heard[2000];
    bool cut; /* the server ended it */
    uv_async_t over;
};

static void answer_ok(void *ctx, const char *path, struct http_answer *answer)
{
    (void)ctx;
    if (strcmp(path, "/here") != 0) return;
    answer->status = 200;
    buf_adds(&answer->body, "fine\n");
}

static void drip_until_cut(struct talk *t, int fd)
{
    while (!t->cut) {
        usleep(5000);
        t->cut = send(fd, "x", 1, MSG_NOSIGNAL) < 0;
    }
}

static void talk(void *arg)
{
    struct talk *t = arg;
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)t->port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && send(fd, t->say, strlen(t->say), MSG_NOSIGNAL) > 0) {
        if (t->drip) drip_until_cut(t, fd);
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

static void converse(struct talk *t, struct http_limits limits)
{
    uv_loop_t loop;
    uv_thread_t client;
    struct http_server *server;
    struct fault f AUTO_FAULT = FAULT_INIT;
    uv_loop_init(&loop);
    cr_assert_eq(http_server_start(&loop, "127.0.0.1:0", answer_ok, NULL, limits, &server, &f), FAULT_NONE, "%s",
                 f.what);
    t->port = atoi(strrchr(http_server_address(server), ':') + 1);
    uv_async_init(&loop, &t->over, on_over);
    uv_thread_create(&client, talk, t);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_thread_join(&client);
    uv_close((uv_handle_t *)&t->over, NULL);
    http_server_stop(server);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect_eq(uv_loop_close(&loop), 0);
}

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
    converse(&t, (struct http_limits){60, 60000});
    cr_expect(t.cut);
}

Test(http_server, a_body_that_drips_is_cut_off, .timeout = 5)
{
    struct talk t = {.say = "POST /here HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", .drip = true};
    converse(&t, (struct http_limits){1000, 60});
    cr_expect(t.cut);
}

Test(http_server, a_silent_one_is_cut_off, .timeout = 5)
{
    struct talk t = {.say = "GET /here HTTP/1.1\r\nHost: x\r\n\r\n"}; /* and then keeps the connection */
    converse(&t, (struct http_limits){60, 1000});
    cr_expect(t.cut && strncmp(t.heard, "HTTP/1.1 200", 12) == 0, "%s", t.heard);
}
