/* The listener: HTTP on the daemon's loop by libmicrohttpd, which only it knows (http_server.c: listening; http_call.c:
 * the way of a request; http_answer.c: the way back; http_guests.c: who may stay). Called by cli/daemon.c, which starts
 * it; by server/directory.c and its like, which hang routes on it.
 *
 * A route is a row: the beginning of a path, and what is done with a request there. To add one, fill a struct
 * http_route and give it to http_server_route() before the loop turns:
 *
 *     begin   on the loop's thread, when the header is read. Quick: looks at method and path, limits guessing, says how
 *             large a body may be. May answer at once: then no body is read.
 *             The body is kept for `work` (http_call_body).
 *     work    on a worker's thread, once the body is there. May block: this is where the database belongs. The
 *             connection rests meanwhile. Fills the answer.
 *     end     on the loop's thread, exactly once for each begin, whatever became of the request.
 *
 * What a stranger may do is bounded: connections in all and for each address (who idles goes first), bytes of a header,
 * the time for sending one, for a whole request, and the rate of a body (a client that drips is cut off; an idle
 * time-out alone does not see it), bytes of all bodies and answers under way, calls that keep the database busy.
 * Requests whose length can be read in two ways are refused (RFC 9112 section 6.3). Nothing of a request is ever logged
 * here: paths may hold keys. */
#ifndef ABGLEICH_HTTP_SERVER_H
#define ABGLEICH_HTTP_SERVER_H

#include "base/fault.h"

#include <uv.h>

struct http_server;

struct http_answer {
    unsigned status;
    const char *type; /* content type, static; NULL = none */
    struct buf body;  /* taken over by the listener */
    /* In place of body: bytes somebody else keeps, given back by release(owner) when they are sent. */
    struct str shared;
    void (*release)(void *owner);
    void *owner;
    const char *cache;  /* Cache-Control, static; NULL = "no-store" */
    struct buf headers; /* http_answer_header() adds */
    bool close;         /* the connection ends with this answer */
};
/* One more header; a value with a control character is left out as a whole: what came from a stranger cannot add
 * another header (RFC 9110 section 5.5). */
void http_answer_header(struct http_answer *a, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Status and a line of plain text. */
void http_answer_text(struct http_answer *a, unsigned status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A request under way; borrowed, valid from begin to end. What it returns is borrowed as long. */
struct http_call;
const char *http_call_method(const struct http_call *c);
const char *http_call_path(const struct http_call *c); /* decoded, without the query */
/* NULL = not there. name of a header in any case; the first of several. */
const char *http_call_header(const struct http_call *c, const char *name);
const char *http_call_query(const struct http_call *c, const char *name); /* "" for a name without a value */
void http_call_each_query(const struct http_call *c, void (*fn)(void *ctx, const char *name, const char *value),
                          void *ctx);
struct str http_call_body(const struct http_call *c);
const char *http_call_peer(const struct http_call *c); /* "192.0.2.7", "2001:db8::1" */
bool http_call_is_loopback(const struct http_call *c);
bool http_call_is_tls(const struct http_call *c);
/* begin only: of some kinds only so many work at once, in the order they came, so that workers are left for those that
 * read. Where nothing is said the method tells whether it reads or writes. */
enum http_lane {
    HTTP_LANE_READ,  /* any number */
    HTTP_LANE_WRITE, /* waits for the database's one writer: four */
    HTTP_LANE_BULK,  /* takes seconds and much memory: one */
    HTTP_LANES
};
void http_call_lane(struct http_call *c, enum http_lane lane);
/* begin only: how many bytes the body may have (the default is none), and what a person reads where it has more. Static
 * text; 413. */
void http_call_take_body(struct http_call *c, size_t max_bytes, const char *too_large);
/* The answer being made. One with a status is done: from begin it is sent at once. */
struct http_answer *http_call_answer(struct http_call *c);
void http_call_keep(struct http_call *c, void *own); /* what the route wants to find again */
void *http_call_own(const struct http_call *c);

struct http_route {
    const char *prefix;  /* "/contacts/": static; of several the longest. One that ends in no slash is a whole path;
                            "=/" is one, too, and stands before "/" for its own methods only */
    const char *methods; /* "GET HEAD POST": static; anything else is answered 405 with Allow */
    void *ctx;
    void (*begin)(void *ctx, struct http_call *c);
    void (*work)(void *ctx, struct http_call *c);
    void (*end)(void *ctx, struct http_call *c);
};

struct http_limits {
    uint64_t header_ms, request_ms, body_grace_ms, body_bytes_per_s; /* http_guests.h */
    size_t bodies_max_bytes, answers_max_bytes; /* of all under way; 503 beyond, the slowest body goes first */
    size_t room;                                /* connections; 0 = 1024, or half of the descriptors there may be */
};
#define HTTP_LIMITS_DEFAULT                                                                                            \
    ((struct http_limits){10 * 1000, 120 * 1000, 5 * 1000, 4096, (size_t)64 << 20, (size_t)64 << 20, 0})

struct http_listen {
    const char *where;      /* "127.0.0.1:8480", "[::1]:0"; port 0 lets the system choose */
    const char *cert, *key; /* PEM, the whole chain; NULL = no TLS. Only TLS 1.2 and 1.3 are spoken */
    struct http_limits limits;
};

/* FAULT_CONFIG if it cannot be listened on, or the certificate is none. Strings are borrowed for the call. */
enum fault_code http_server_start(uv_loop_t *loop, const struct http_listen *listen, struct http_server **out,
                                  struct fault *f);
/* Before the loop turns. Copied; ctx is borrowed until the loop has ended. */
void http_server_route(struct http_server *s, const struct http_route *route);
const char *http_server_address(const struct http_server *s); /* "http://127.0.0.1:41234/" */
/* NULL is fine. Work under way is waited for; the loop must turn until it ends. */
void http_server_stop(struct http_server *s);

#endif
