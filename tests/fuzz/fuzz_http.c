/* Any bytes as what a stranger says to the listener with a phonebook on it: a request as a whole, or in a place of one
 * that is right otherwise (path, parameter, header). Through a socket, libmicrohttpd and all.
 *
 * Each answer is one: a status, lines of headers without control characters, as many bytes as it says. There are no
 * more answers than requests. Nobody reads the phonebook who did not say its key. The listener never stops to answer.
 */
#include "server/directory.h"
#include "state/db.h"
#include "state/directory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEY "K7QD2M9XW4RT8B"
#define NAME "Kanarienvogel"
#define STUCK_MS 5000

static const char csv[] = "POST /contacts/" KEY " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 147\r\n"
                          "Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\nContent-Disposition: "
                          "form-data; name=\"file\"\r\n\r\nfamily_name,given_name,phone_work\r\n" NAME
                          ",Karl,+4940123456\r\nMeier,Anna,+49401\r\n\r\n--b--\r\n";

/* Where the bytes go: before and after them. */
static const struct template
{
    const char *before, *after;
    bool has_key;
}
templates[] = {
    {"", "", false},
    {"GET /contacts/", " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false},
    {"GET /", " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false},
    {"GET /contacts/" KEY, " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", true},
    {"GET /contacts/" KEY "/yealink/v1?", " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", true},
    {"GET /contacts/" KEY "/snom/v1?", " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", true},
    {"GET /contacts/" KEY "/gigaset/v1?", " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", true},
    {"GET /contacts/" KEY " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nIf-None-Match: ", "\r\n\r\n", true},
    {"GET /contacts/" KEY " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept-Encoding: ", "\r\n\r\n", true},
    {"GET /contacts/" KEY " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nIf-Modified-Since: ", "\r\n\r\n", true},
    {"GET /contacts/" KEY " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ", "\r\n\r\n", true},
    {"GET /contacts/" KEY "/yealink/v1?menu=letters HTTP/1.1\r\nConnection: close\r\nHost: ", "\r\n\r\n", true},
    {"GET /contacts/" KEY " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", "\r\n\r\n", true},
    {"POST /contacts/" KEY " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nOrigin: ", "\r\nContent-Length: 0\r\n\r\n",
     true},
    {"POST /contacts/" KEY " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ", "\r\n\r\n0\r\n\r\n", true},
};

static struct {
    uv_loop_t loop;
    struct http_server *server;
    struct directory_service *service;
    struct env_system system;
    volatile int cancel;
    char folder[64];
    int port;
    uint32_t turn;
} house;

struct talk {
    uv_poll_t poll;
    uv_timer_t guard;
    int fd, closing;
    struct str say;
    struct buf heard;
};

static void must(bool holds, const char *what, const struct talk *t)
{
    if (holds) return;
    fprintf(stderr, "broken: %s\n-- %zu bytes\n%.*s\n--\n%.*s\n", what, t->say.n, STR_ARG(t->say), (int)t->heard.len,
            t->heard.data ? t->heard.data : "");
    abort();
}

/* -- one conversation -- */

static void on_closed(uv_handle_t *handle)
{
    struct talk *t = handle->data;
    if (++t->closing == 2) uv_stop(&house.loop);
}

static void end(struct talk *t)
{
    uv_close((uv_handle_t *)&t->poll, on_closed);
    uv_close((uv_handle_t *)&t->guard, on_closed);
}

static void on_event(uv_poll_t *poll, int status, int events)
{
    struct talk *t = poll->data;
    char piece[65536];
    (void)status;
    if ((events & UV_WRITABLE) && t->say.n) {
        ssize_t n = send(t->fd, t->say.p, t->say.n, MSG_NOSIGNAL);
        if (n > 0) t->say = (struct str){t->say.p + n, t->say.n - (size_t)n};
        if (!t->say.n || (n < 0 && errno != EAGAIN)) {
            shutdown(t->fd, SHUT_WR);
            uv_poll_start(poll, UV_READABLE, on_event);
        }
    }
    ssize_t n = recv(t->fd, piece, sizeof piece, MSG_DONTWAIT);
    if (n > 0) buf_add(&t->heard, piece, (size_t)n);
    if (n == 0 || (n < 0 && errno != EAGAIN)) end(t);
}

static void on_stuck(uv_timer_t *timer)
{
    must(false, "no answer and no end", timer->data);
}

/* From an address nobody else has: guesses are limited. */
static int connect_from_elsewhere(void)
{
    const struct linger at_once = {1, 0};
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = {htonl(0x7f010000u + (house.turn++ & 0xfeffffu))}};
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)house.port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once); /* no TIME_WAIT: ports are few */
    if (bind(fd, (struct sockaddr *)&from, sizeof from) || connect(fd, (struct sockaddr *)&to, sizeof to)) abort();
    return fd;
}

static void converse(struct talk *t, struct str say)
{
    *t = (struct talk){.fd = connect_from_elsewhere(), .say = say, .heard = BUF_INIT};
    uv_poll_init(&house.loop, &t->poll, t->fd);
    uv_timer_init(&house.loop, &t->guard);
    t->poll.data = t->guard.data = t;
    uv_poll_start(&t->poll, UV_READABLE | UV_WRITABLE, on_event);
    uv_timer_start(&t->guard, on_stuck, STUCK_MS, 0);
    uv_run(&house.loop, UV_RUN_DEFAULT);
    close(t->fd);
    t->say = say;
}

/* -- what comes back -- */

static size_t count(struct str text, struct str word)
{
    size_t n = 0, at;
    while ((at = str_find(text, word)) != (size_t)-1) {
        text = (struct str){text.p + at + word.n, text.n - at - word.n};
        n++;
    }
    return n;
}

static size_t check_headers(const struct talk *t, struct str head)
{
    long long length = 0;
    while (head.p) {
        struct str line = str_split(&head, '\n'), value;
        if (line.n && line.p[line.n - 1] == '\r') line.n--;
        for (size_t i = 0; i < line.n; i++)
            must((unsigned char)line.p[i] >= ' ' && line.p[i] != 0x7f, "a control character in a header", t);
        value = line;
        struct str name = str_split(&value, ':');
        must(name.n && value.p, "a line that is no header", t);
        if (str_eq_nocase(name, STR("Content-Length")))
            must(str_to_int64(str_trim(value), &length) && length >= 0, "a length that is none", t);
    }
    return (size_t)length;
}

static void check_answers(const struct talk *t, bool is_head)
{
    struct str rest = buf_str(&t->heard);
    size_t answers = 0;
    while (rest.n) {
        must(str_starts(rest, STR("HTTP/1.1 ")), "no answer", t);
        bool goes_on = str_starts(rest, STR("HTTP/1.1 100"));
        size_t head = str_find(rest, STR("\r\n\r\n")), line = str_find(rest, STR("\r\n"));
        if (head == (size_t)-1) break; /* cut off */
        bool ours = str_find((struct str){rest.p, head}, STR("X-Content-Type-Options")) != (size_t)-1;
        if (!goes_on && !ours)
            break; /* libmicrohttpd's own refusal, the last thing it says; 0.9.75 says its head twice */
        size_t length = line < head ? check_headers(t, (struct str){rest.p + line + 2, head - line - 2}) : 0;
        if (goes_on || is_head || str_starts(rest, STR("HTTP/1.1 304"))) length = 0;
        size_t all = head + 4 + length;
        answers += !goes_on;
        if (all > rest.n) break;
        rest = (struct str){rest.p + all, rest.n - all};
    }
    must(answers <= count(t->say, STR("\n")) + 1, "more answers than requests", t);
}

static void check(struct str say, bool says_key)
{
    struct talk t;
    converse(&t, say);
    if (!says_key) says_key = str_find(say, STR(KEY)) != (size_t)-1 || memchr(say.p, '%', say.n);
    must(says_key || count(buf_str(&t.heard), STR(NAME)) == 0, "read without the key", &t);
    /* A body cannot be told from what follows where several methods are mixed: HEAD has a length and none. */
    if (count(say, STR("HEAD")) == 0) check_answers(&t, false);
    buf_free(&t.heard);
}

/* -- the house -- */

static int unlink_it(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static void leave(void)
{
    nftw(house.folder, unlink_it, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_phonebook(const char *path)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct directory d = {.name = STR("telefon")};
    struct db *db;
    if (db_open(path, DB_MAY_CREATE, &house.system.env, &db, &f) || db_begin(db, &f) ||
        directory_add(db, &d, STR(KEY), NULL, 0, &arena, &f) || db_commit(db, &f))
        abort();
    db_close(db);
}

static void move_in(void)
{
    char path[80];
    struct talk t;
    struct fault f AUTO_FAULT = FAULT_INIT;
    /* What never becomes a request ends soon. */
    const struct http_limits limits = {100, 500, 100, 4096, 1 << 20, 1 << 20, 100};
    const struct http_listen listen = {"127.0.0.1:0", NULL, NULL, limits};
    snprintf(house.folder, sizeof house.folder, "/tmp/abgleich-fuzz-XXXXXX");
    if (!mkdtemp(house.folder)) abort();
    atexit(leave);
    snprintf(path, sizeof path, "%s/state.db", house.folder);
    env_system_init(&house.system, LOG_ERROR, &house.cancel);
    make_phonebook(path);
    uv_loop_init(&house.loop);
    if (http_server_start(&house.loop, &listen, &house.server, &f)) abort();
    const struct directory_service_settings settings = {
        .state = path, .region = "DE", .max_level = LOG_ERROR, .cancel = &house.cancel, .upload_bytes = 100000};
    house.service = directory_service_new(&settings);
    directory_route(house.service, house.server);
    house.port = atoi(strrchr(http_server_address(house.server), ':') + 1);
    bool filled = false;
    for (int tries = 0; !filled && tries < 20; tries++) { /* a busy machine may be too slow for these limits */
        converse(&t, STR(csv));
        filled = str_starts(buf_str(&t.heard), STR("HTTP/1.1 200"));
        buf_free(&t.heard);
    }
    must(filled, "the phonebook cannot be filled", &t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses the place. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf say AUTO_BUF = BUF_INIT;
    if (!house.server) move_in();
    if (!size) return 0;
    const struct template *at = &templates[*data % (sizeof templates / sizeof *templates)];
    buf_adds(&say, at->before);
    buf_add(&say, (const char *)data + 1, size - 1);
    buf_adds(&say, at->after);
    if (say.len) check(buf_str(&say), at->has_key);
    return 0;
}
