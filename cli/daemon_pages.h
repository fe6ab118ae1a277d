/* What the daemon shows of itself on its listener: /livez, /readyz, /metrics (Prometheus text format 0.0.4) and /
 * (JSON). Labels are names of links and accounts and fixed words, never anything of a contact. Called by cli/daemon.c; the counts by
 * job threads, too. */
#ifndef ABGLEICH_DAEMON_PAGES_H
#define ABGLEICH_DAEMON_PAGES_H

#include "cli/config.h"
#include "core/run.h"
#include "core/scheduler.h"
#include "server/http_server.h"

/* What runs did since the daemon began. Locked inside. Owned by the caller. */
struct daemon_counts;
struct daemon_counts *daemon_counts_new(void);
void daemon_counts_free(struct daemon_counts *c);
void daemon_counts_add(struct daemon_counts *c, const struct run_result *r);

struct daemon_view { /* borrowed */
    struct scheduler *scheduler;
    struct daemon_counts *counts;
    struct db *db;
    struct directory_service *directory; /* NULL = none */
    const struct config *config;
    bool stopping;
};
/* Leaves the answer as it is (404) for paths it does not know. */
void daemon_page(const struct daemon_view *v, const char *path, struct http_answer *answer);

#endif
