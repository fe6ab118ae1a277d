#include "cli/file.h"

#include "base/i18n.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_fd(const int *fd)
{
    if (*fd > 2) close(*fd);
}
#define AUTO_FD __attribute__((cleanup(close_fd)))

static enum fault_code cannot(const char *path, struct fault *f)
{
    int error = errno;
    return fault_set(f, error == ENOENT ? FAULT_GONE : FAULT_CONFIG, NULL, "%s: %s", path, strerror(error));
}

static enum fault_code read_all(int fd, const char *path, struct buf *out, struct fault *f)
{
    char chunk[16384];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cannot(path, f);
        if (n == 0) return FAULT_NONE;
        buf_add(out, chunk, (size_t)n);
        if (out->overflow) return fault_set(f, FAULT_TOO_LARGE, NULL, _("%s: this file is too large"), path);
    }
}

enum fault_code file_read(const char *path, struct buf *out, struct fault *f)
{
    int fd AUTO_FD = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return cannot(path, f);
    return read_all(fd, path, out, f);
}

char *file_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash) return mem_strdup(".");
    return slash == path ? mem_strdup("/") : mem_strndup(path, (size_t)(slash - path));
}

static bool write_all(int fd, struct str text)
{
    while (text.n) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        text = (struct str){text.p + n, text.n - (size_t)n};
    }
    return fsync(fd) == 0;
}

/* The new name is only safe once the folder is. */
static bool sync_folder(const char *folder)
{
    int fd AUTO_FD = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0;
}

/* The folder and those above it that are missing. */
static bool make_folder(const char *folder)
{
    if (mkdir(folder, 0700) == 0 || errno == EEXIST) return true;
    if (errno != ENOENT) return false;
    char *parent AUTO_FREE = file_folder(folder);
    return strcmp(parent, folder) != 0 && make_folder(parent) && (mkdir(folder, 0700) == 0 || errno == EEXIST);
}

enum fault_code file_write(const char *path, struct str text, struct fault *f)
{
    char *folder AUTO_FREE = file_folder(path);
    if (!make_folder(folder)) return cannot(folder, f);
    struct buf temporary AUTO_BUF = BUF_INIT;
    buf_addf(&temporary, "%s/.abgleich-XXXXXX", folder);
    int fd AUTO_FD = mkostemp(temporary.data, O_CLOEXEC);
    if (fd < 0) return cannot(folder, f);
    if (write_all(fd, text) && rename(temporary.data, path) == 0 && sync_folder(folder)) return FAULT_NONE;
    enum fault_code code = cannot(path, f);
    unlink(temporary.data);
    return code;
}

enum fault_code file_remove(const char *path, struct fault *f)
{
    if (unlink(path) != 0 && errno != ENOENT) return cannot(path, f);
    char *folder AUTO_FREE = file_folder(path);
    sync_folder(folder);
    return FAULT_NONE;
}
