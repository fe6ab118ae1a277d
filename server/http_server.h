/* The listener: HTTP on the daemon's loop by libmicrohttpd (the only file that knows it). So far it answers GET and
 * HEAD without a body; handlers run on the loop's thread and must not block.
 *
 * What a stranger may do is bounded: connections in all and for each address, bytes of a header, the time for sending
 * one and for a whole request (a client that drips is cut off; an idle time-out alone does not see it). Requests whose
 * length can be read in two ways are refused. */
#ifndef ABGLEICH_HTTP_SERVER_H
#define ABGLEICH_HTTP_SERVER_H

#include "base/fault.h"

#include <uv.h>

struct http_server;
struct http_answer {
    unsigned status;
    const char *type; /* content type, static */
    struct buf body;
};
/* Fills the answer for a path; anything it does not know: status 404. */
typedef void http_handler(void *ctx, const char *path, struct http_answer *answer);

struct http_limits {
    uint64_t header_ms;  /* from the connection or the end of the last request to the end of the next header */
    uint64_t request_ms; /* from there to the end of the answer */
};
#define HTTP_LIMITS_DEFAULT ((struct http_limits){10 * 1000, 120 * 1000})

/* where: "127.0.0.1:8480", "[::1]:0"; port 0 lets the system choose. FAULT_CONFIG if it cannot be listened on. */
enum fault_code http_server_start(uv_loop_t *loop, const char *where, http_handler *handler, void *ctx,
                                  struct http_limits limits, struct http_server **out, struct fault *f);
const char *http_server_address(const struct http_server *s); /* "http://127.0.0.1:41234/" */
void http_server_stop(struct http_server *s);                 /* NULL is fine; the loop must turn once more */

#endif
