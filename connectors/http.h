/* HTTP for connectors: only http*.c (and mail.c) know curl. One struct http per session; used by one thread.
 *
 * Connections are kept and reused, HTTP/2 over TLS, compression, several exchanges in flight. Redirects are followed here (method and
 * body kept, at most 5, never from https to http, credentials only within the site they were given for). Repeated is only what is
 * safe to repeat. TLS verification is always on. Nothing here logs a body, a header or a secret. */
#ifndef ABGLEICH_HTTP_H
#define ABGLEICH_HTTP_H

#include "connectors/connector.h"

struct gate;
struct http;
struct http_settings { /* borrowed until http_close */
    const char *user, *password; /* NULL = none */
    const char *other_user;      /* tried once where `user` is refused and nobody was let in yet; NULL = none */
    const char *authorization;   /* the whole value of that header, in place of user and password; NULL = none */
    const char *bearer;          /* an access token in place of user and password; NULL = none */
    const char *ca_file;         /* NULL = the system's */
    bool allow_plain_http;       /* Basic over http to other hosts than loopback */
    struct gate *gate;           /* limits transfers in flight, shared with others; NULL = no limit */
    struct env *env;
    struct traits *traits;       /* NULL is fine; remembers "auth", "user" */
};

#define HTTP_HEADERS_MAX 6

/* One request and its answer. Zero it, fill the first part (borrowed), read the second, end with http_clear. */
struct http_exchange {
    const char *method; /* "PROPFIND" */
    const char *url;    /* absolute */
    const char *headers[HTTP_HEADERS_MAX]; /* "Depth: 1"; NULL ends */
    const char *content_type;              /* of body */
    struct str body;                       /* {NULL,0} = none */
    bool repeatable;    /* may be sent again if nobody knows what became of it (GET, PROPFIND, REPORT) */
    bool waits_itself;  /* the caller waits where the server asks for it (429, 503) */
    int patience_s;     /* how long nothing at all may happen; 0 = a minute */
    size_t limit_bytes; /* of the answer's body, decoded; 0 = no limit (only with on_body) */
    /* Takes a successful (2xx) body as it arrives; NULL: it is collected in `text`. Anything but FAULT_NONE ends the exchange. */
    enum fault_code (*on_body)(void *ctx, struct str bytes, struct fault *f);
    void *ctx;

    /* FAULT_NONE: there is an answer, whatever its status. FAULT_UNREACHABLE: certainly not sent, or repeatable; FAULT_UNKNOWN: sent,
     * no usable answer; FAULT_INCOMPLETE: the answer ended early; FAULT_TOO_LARGE; FAULT_AUTH; FAULT_RATE_LIMITED; FAULT_CANCELLED;
     * or what on_body returned. */
    enum fault_code code;
    struct fault fault;
    int status;          /* 0 = none */
    char *etag, *location, *type, *dav, *authenticate; /* headers of the answer; NULL = not there */
    char *final_url;     /* after redirects */
    bool moved_for_good; /* every redirect was a 301 or 308 */
    int64_t retry_after_ms; /* 0 = not said */
    struct buf text;     /* the body; of an error at most 64 KiB */
};
void http_clear(struct http_exchange *x);

struct http *http_open(const struct http_settings *settings);
void http_close(struct http *h); /* NULL is fine */
/* Another access token for what is sent from now on; borrowed until the next. */
void http_set_bearer(struct http *h, const char *bearer);

/* Carries out one; returns x->code and copies its fault to f. */
enum fault_code http_do(struct http *h, struct http_exchange *x, struct fault *f);
/* Carries out n, at most `width` in flight; `done` (may be NULL) is called in this thread as each ends. A fault that concerns all
 * (FAULT_CANCELLED, FAULT_AUTH, FAULT_RATE_LIMITED, or not reachable) stops further sending: those not sent keep FAULT_CANCELLED. */
enum fault_code http_batch(struct http *h, struct http_exchange *list, size_t n, size_t width,
                           void (*done)(void *ctx, struct http_exchange *x), void *ctx, struct fault *f);

/* Turns a status that is no success into a fault, in words for people: 401 -> FAULT_AUTH, 412 -> FAULT_CHANGED ... Returns its code;
 * FAULT_NONE for 2xx. */
enum fault_code http_status_fault(const struct http_exchange *x, struct fault *f);
/* Since http_open. */
void http_traffic(const struct http *h, int64_t *requests, int64_t *bytes_in, int64_t *bytes_out);

#endif
