/* Clock, randomness, sleeping, cancelling and logging as the engine and the connectors see them. Production binds the
 * operating system (env_system); the simulator binds virtual ones, so that a whole world runs from one seed.
 * Nothing else in core/, connectors/, state/ or mapping/ may call time(), rand(), getrandom() or sleep: a test greps. */
#ifndef ABGLEICH_ENV_H
#define ABGLEICH_ENV_H

#include "base/fault.h"

#include <stdint.h>

enum log_level { LOG_ERROR = 3, LOG_WARNING = 4, LOG_INFO = 6, LOG_DEBUG = 7 }; /* syslog numbers */

struct env {
    int64_t (*now_ms)(struct env *);                              /* Unix time */
    int64_t (*monotonic_ms)(struct env *);
    void (*random)(struct env *, void *out, size_t n);
    enum fault_code (*sleep_ms)(struct env *, int64_t duration_ms); /* FAULT_CANCELLED when woken by cancelling */
    bool (*cancelled)(struct env *);
    void (*log)(struct env *, enum log_level, const char *line);  /* logfmt, no names of people, no secrets */
    /* Called right before and after each effect (commit, request). The simulator may end the job here; else empty. */
    void (*boundary)(struct env *, const char *where);
};

/* The operating system's. Logs to stderr as "<n>key=value ..." lines up to max_level; `cancel` may be NULL: a flag set by
 * a signal handler or another thread. The struct is filled by this call and owned by the caller. */
struct env_system {
    struct env env;
    const volatile int *cancel;
    enum log_level max_level;
    unsigned char pool[512]; /* random bytes not handed out yet: a name for each record of a first sync is many */
    size_t pool_left;
};
void env_system_init(struct env_system *e, enum log_level max_level, const volatile int *cancel);

void env_logf(struct env *e, enum log_level level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#define UUID_TEXT_BYTES 37
/* A new random UUID in lower case text: version 4 for names given to remotes, version 7 for our own keys. */
void env_uuid4(struct env *e, char out[UUID_TEXT_BYTES]);
void env_uuid7(struct env *e, char out[UUID_TEXT_BYTES]);

#endif
