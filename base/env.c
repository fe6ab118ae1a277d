#include "base/env.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t clock_ms(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t system_now_ms(struct env *e)
{
    (void)e;
    return clock_ms(CLOCK_REALTIME);
}

static int64_t system_monotonic_ms(struct env *e)
{
    (void)e;
    return clock_ms(CLOCK_MONOTONIC);
}

static void system_random(struct env *e, void *out, size_t n)
{
    struct env_system *system = (struct env_system *)e;
    if (n > sizeof system->pool / 4) {
        randombytes_buf(out, n);
        return;
    }
    if (system->pool_left < n) {
        randombytes_buf(system->pool, sizeof system->pool);
        system->pool_left = sizeof system->pool;
    }
    system->pool_left -= n;
    memcpy(out, system->pool + system->pool_left, n);
    sodium_memzero(system->pool + system->pool_left, n); /* nobody gets the same ones, nor finds them here */
}

static bool system_cancelled(struct env *e)
{
    const volatile int *flag = ((struct env_system *)e)->cancel;
    return flag && *flag;
}

/* Sleeps in short pieces, so that a cancel from another thread or a signal is seen within a tenth of a second. */
static enum fault_code system_sleep_ms(struct env *e, int64_t duration_ms)
{
    int64_t until = clock_ms(CLOCK_MONOTONIC) + duration_ms;
    for (;;) {
        if (system_cancelled(e)) return FAULT_CANCELLED;
        int64_t left = until - clock_ms(CLOCK_MONOTONIC);
        if (left <= 0) return FAULT_NONE;
        long piece_ms = left > 100 ? 100 : (long)left;
        nanosleep(&(struct timespec){.tv_nsec = piece_ms * 1000000L}, NULL);
    }
}

static void system_log(struct env *e, enum log_level level, const char *line)
{
    if (level <= ((struct env_system *)e)->max_level) fprintf(stderr, "<%d>%s\n", (int)level, line);
}

static void system_boundary(struct env *e, const char *where)
{
    (void)e;
    (void)where;
}

void env_system_init(struct env_system *e, enum log_level max_level, const volatile int *cancel)
{
    e->env = (struct env){system_now_ms,    system_monotonic_ms, system_random,  system_sleep_ms,
                          system_cancelled, system_log,          system_boundary};
    e->cancel = cancel;
    e->max_level = max_level;
    e->pool_left = 0;
}

void env_logf(struct env *e, enum log_level level, const char *fmt, ...)
{
    struct buf line AUTO_BUF = BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(&line, fmt, ap);
    va_end(ap);
    e->log(e, level, buf_cstr(&line));
}

/* RFC 9562: version in the high half of byte 6, variant 10 in the top bits of byte 8. */
static void uuid_text(unsigned char b[16], int version, char out[UUID_TEXT_BYTES])
{
    static const char hex[] = "0123456789abcdef";
    b[6] = (unsigned char)((b[6] & 0x0f) | (version << 4));
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    char *p = out;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *p++ = '-';
        *p++ = hex[b[i] >> 4];
        *p++ = hex[b[i] & 15];
    }
    *p = '\0';
}

void env_uuid4(struct env *e, char out[UUID_TEXT_BYTES])
{
    unsigned char bytes[16];
    e->random(e, bytes, sizeof bytes);
    uuid_text(bytes, 4, out);
}

void env_uuid7(struct env *e, char out[UUID_TEXT_BYTES])
{
    unsigned char bytes[16];
    e->random(e, bytes, sizeof bytes);
    uint64_t ms = (uint64_t)e->now_ms(e);
    for (int i = 0; i < 6; i++) bytes[i] = (unsigned char)(ms >> (8 * (5 - i)));
    uuid_text(bytes, 7, out);
}
