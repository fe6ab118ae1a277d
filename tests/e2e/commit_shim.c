/* LD_PRELOAD for kills.py: counts the writes and syncs of the state database, and ends the process by kill -9 before number
 * SHIM_KILL_AT. SQLite is linked into the program, but its I/O goes through libc. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int counted;

static int is_state(int fd)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return 0;
    path[n] = '\0';
    return strstr(path, "/state.db") && !strstr(path, ".lock") && !strstr(path, "-shm");
}

static void count(int fd)
{
    if (!is_state(fd)) return;
    counted++;
    const char *at = getenv("SHIM_KILL_AT"), *file = getenv("SHIM_COUNT");
    if (at && counted == atoi(at)) kill(getpid(), SIGKILL);
    if (!file) return;
    FILE *out = fopen(file, "w");
    if (!out) return;
    fprintf(out, "%d", counted);
    fclose(out);
}

typedef ssize_t (*pwrite_fn)(int, const void *, size_t, off64_t);
typedef int (*sync_fn)(int);
#define NEXT(type, name) type next = (type)dlsym(RTLD_NEXT, name)

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    NEXT(pwrite_fn, "pwrite64");
    count(fd);
    return next(fd, p, n, at);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    NEXT(pwrite_fn, "pwrite");
    count(fd);
    return next(fd, p, n, at);
}

int fdatasync(int fd)
{
    NEXT(sync_fn, "fdatasync");
    count(fd);
    return next(fd);
}

int fsync(int fd)
{
    NEXT(sync_fn, "fsync");
    count(fd);
    return next(fd);
}
