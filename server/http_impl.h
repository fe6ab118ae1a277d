/* What server/http_server.c, http_call.c and http_answer.c share; with libmicrohttpd, which only they know. */
#ifndef ABGLEICH_HTTP_IMPL_H
#define ABGLEICH_HTTP_IMPL_H

#include "server/http_guests.h"
#include "server/http_server.h"

#include <microhttpd.h>

#define ROUTES_MAX 16

/* Calls of one kind that work at once, and those that wait for their turn. */
struct lane_queue {
    size_t working;
    struct http_call *first, *last;
};

struct http_server {
    uv_loop_t *loop;
    struct http_limits limits;
    struct http_route routes[ROUTES_MAX];
    size_t n_routes;
    struct guests guests;
    struct lane_queue lanes[HTTP_LANES];
    size_t bodies_bytes, answers_bytes; /* kept for all calls */
    size_t resting;                     /* calls whose connection is suspended: they work, or wait for their turn */
    uv_timer_t sweep;
    struct MHD_Daemon *mhd;
    uv_poll_t poll;
    uv_timer_t timer;
    uv_idle_t idle;
    char *address;
    bool tls, stopping;
    int closing;
};

enum call_state { CALL_BODY, CALL_RESTING, CALL_ANSWERED };
struct http_call {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct guest *guest;
    const struct http_route *route; /* NULL: never begun */
    char *method, *path, *peer;
    bool loopback;
    enum call_state state;
    enum http_lane lane;
    struct http_call *next; /* in its lane's queue */
    struct buf body;
    size_t body_max_bytes, body_bytes, pieces;
    const char *too_large;
    struct http_answer answer;
    size_t answer_bytes; /* that libmicrohttpd keeps */
    void *own;
    uv_work_t work;
};

/* http_server.c: lets libmicrohttpd do what can be done now. */
void http_pump(struct http_server *s);
/* http_server.c: after the last call at rest of one that stops. */
void http_close_handles(struct http_server *s);
struct guest *http_guest_of(struct MHD_Connection *connection);

/* http_call.c: libmicrohttpd's callbacks; ctx is the server. */
enum MHD_Result http_on_request(void *ctx, struct MHD_Connection *connection, const char *path, const char *method,
                                const char *version, const char *upload, size_t *upload_bytes, void **seen);
void http_on_completed(void *ctx, struct MHD_Connection *connection, void **seen, enum MHD_RequestTerminationCode code);

/* http_answer.c: hands the answer over. */
enum MHD_Result http_send_answer(struct http_call *c);

#endif
