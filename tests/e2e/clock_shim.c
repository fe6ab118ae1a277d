/* LD_PRELOAD: the machine's clocks plus the milliseconds in the file named by SHIM_CLOCK, which a test sets forward; a sleep of the
 * program sets it forward as well and returns at once. So minutes of waiting and days of tokens cost nothing. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *offset_ms(void)
{
    static volatile int64_t *map;
    static int64_t none;
    if (map) return map;
    const char *path = getenv("SHIM_CLOCK");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *p = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof none, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0) close(fd);
    map = p == MAP_FAILED ? &none : p;
    return map;
}

typedef int (*clock_fn)(clockid_t, struct timespec *);

int clock_gettime(clockid_t id, struct timespec *out)
{
    static clock_fn next;
    if (!next) next = (clock_fn)dlsym(RTLD_NEXT, "clock_gettime");
    int result = next(id, out);
    if (result || (id != CLOCK_REALTIME && id != CLOCK_MONOTONIC && id != CLOCK_MONOTONIC_RAW)) return result;
    int64_t ns = out->tv_nsec + *offset_ms() % 1000 * 1000000;
    out->tv_sec += *offset_ms() / 1000 + ns / 1000000000;
    out->tv_nsec = ns % 1000000000;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *out = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

int nanosleep(const struct timespec *wanted, struct timespec *left)
{
    (void)left;
    __atomic_add_fetch(offset_ms(), wanted->tv_sec * 1000 + wanted->tv_nsec / 1000000 + 1, __ATOMIC_SEQ_CST);
    return 0;
}
