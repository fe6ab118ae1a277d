/* The store's books over CardDAV (RFC 4918, 6352, 6578; protocols: carddav 9): what phones, Apple Contacts,
 * Thunderbird, DAVx5, Evolution and another abgleich read and write two-way. Handlers run in worker threads. Used by
 * the daemon. */
#ifndef ABGLEICH_SERVER_DAV_H
#define ABGLEICH_SERVER_DAV_H

#include "base/env.h"
#include "server/http_server.h"

struct dav_service;
struct dav_service_settings { /* the strings are copied */
    const char *state, *region;
    enum log_level max_level;
    const volatile int *cancel;
    size_t card_bytes;      /* the largest card */
    int64_t requests_per_s; /* of a user, on average; 0 = any number */
    bool delete_books;      /* a client may delete a book, for everybody */
    bool history;           /* what is written over unseen is kept in the archive */
};
struct dav_service *dav_service_new(const struct dav_service_settings *settings);
void dav_service_free(struct dav_service *s); /* NULL is fine; no handler may be under way */
/* Hangs /dav/, / and the well-known address on the listener. */
void dav_route(struct dav_service *s, struct http_server *server);

#endif
