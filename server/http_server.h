/* The listener: HTTP on the daemon's loop by libmicrohttpd (the only file that knows it). So far it answers GET and HEAD without a body;
 * handlers run on the loop's thread and must not block. */
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

/* where: "127.0.0.1:8480", "[::1]:0"; port 0 lets the system choose. FAULT_CONFIG if it cannot be listened on. */
enum fault_code http_server_start(uv_loop_t *loop, const char *where, http_handler *handler, void *ctx, struct http_server **out,
                                  struct fault *f);
const char *http_server_address(const struct http_server *s); /* "http://127.0.0.1:41234/" */
void http_server_stop(struct http_server *s); /* NULL is fine; the loop must turn once more */

#endif
