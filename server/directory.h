/* /contacts/KEY on the listener (protocols: directory 1): a CSV pushed in replaces the phonebook's own book at once or
 * not at all; CSV and what phones read come out of a snapshot that never changes while it is read. Handlers run in
 * worker threads. Used by the daemon. */
#ifndef ABGLEICH_SERVER_DIRECTORY_H
#define ABGLEICH_SERVER_DIRECTORY_H

#include "base/env.h"
#include "mapping/directory_csv.h"
#include "server/http_server.h"

struct directory_service;
struct directory_service_settings { /* the strings are copied */
    const char *state;              /* path of the state database */
    const char *region;             /* for numbers */
    enum log_level max_level;
    const volatile int *cancel;
    bool claims;                      /* a push to a key nobody has makes a phonebook ... */
    const char *claim_networks;       /* ... from there; NULL = from everywhere */
    struct directory_csv_options csv; /* the aliases are borrowed */
    size_t upload_bytes;              /* of a file pushed in */
};
struct directory_service *directory_service_new(const struct directory_service_settings *settings);
void directory_service_free(struct directory_service *s); /* NULL is fine; no handler may be under way */
/* Hangs it on the listener. */
void directory_route(struct directory_service *s, struct http_server *server);

/* How many requests of each kind were answered: "csv", "push", "yealink/v1" ... For metrics; from any thread. */
void directory_each_count(struct directory_service *s, void (*fn)(void *ctx, const char *format, uint64_t n),
                          void *ctx);

#endif
