#include "core/spool.h"

#include "base/i18n.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* A run of some thousand records stays in memory; a larger one goes to the file, in pieces: one system call for a few
 * hundred cards. */
enum { MEMORY_BYTES = 16 << 20, PIECE_BYTES = 256 << 10 };

#define WINDOWS 2
#define WINDOW_BYTES (32u << 10)

struct window {
    uint64_t offset;
    size_t n;
    char *data;
};

struct spool {
    int fd;
    uint64_t written; /* in the file */
    struct window windows[WINDOWS];
    int next_window;
    struct buf pending;
};

static int unlinked_file(const char *dir)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0) return fd;
    struct buf name AUTO_BUF = BUF_INIT; /* a file system without O_TMPFILE */
    buf_addf(&name, "%s/abgleich-spool-XXXXXX", dir);
    fd = mkostemp(name.data, O_CLOEXEC);
    if (fd >= 0) unlink(name.data);
    return fd;
}

enum fault_code spool_open(const char *dir, struct spool **out, struct fault *f)
{
    if (!dir) dir = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    int fd = unlinked_file(dir);
    if (fd < 0)
        return fault_set(f, FAULT_STATE, _("make the folder writable"), _("no temporary file in %s: %s"), dir,
                         strerror(errno));
    *out = mem_calloc(1, sizeof **out);
    (*out)->fd = fd;
    return FAULT_NONE;
}

void spool_close(struct spool *s)
{
    if (!s) return;
    close(s->fd);
    buf_free(&s->pending);
    for (int i = 0; i < WINDOWS; i++) free(s->windows[i].data);
    free(s);
}

static enum fault_code flush_pending(struct spool *s, struct fault *f)
{
    for (size_t done = 0; done < s->pending.len;) {
        ssize_t n = pwrite(s->fd, s->pending.data + done, s->pending.len - done, (off_t)(s->written + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0)
            return fault_set(f, FAULT_STATE, _("free space and run again"), _("temporary file: %s"), strerror(errno));
        done += (size_t)n;
    }
    s->written += s->pending.len;
    if (s->pending.cap > 2 * PIECE_BYTES)
        buf_free(&s->pending);
    else
        buf_reset(&s->pending);
    return FAULT_NONE;
}

enum fault_code spool_put(struct spool *s, struct str body, struct spooled *where, struct fault *f)
{
    if (body.n > UINT32_MAX) return fault_set(f, FAULT_TOO_LARGE, NULL, _("a record of more than 4 GiB"));
    *where = (struct spooled){s->written + s->pending.len, (uint32_t)body.n, true};
    buf_addstr(&s->pending, body);
    size_t most = s->written ? PIECE_BYTES : MEMORY_BYTES;
    return s->pending.len >= most ? flush_pending(s, f) : FAULT_NONE;
}

static bool read_all(int fd, char *to, size_t n, uint64_t offset)
{
    while (n) {
        ssize_t got = pread(fd, to, n, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        to += got, n -= (size_t)got, offset += (uint64_t)got;
    }
    return true;
}

/* Bodies are read in the order they were put, from one side or from two in turn: a window on each saves nearly all
 * reads. */
static const char *through_window(struct spool *s, const struct spooled *where)
{
    for (int i = 0; i < WINDOWS; i++) {
        const struct window *w = &s->windows[i];
        if (where->offset >= w->offset && where->offset + where->n <= w->offset + w->n) {
            s->next_window = i == s->next_window ? (i + 1) % WINDOWS : s->next_window;
            return w->data + (where->offset - w->offset);
        }
    }
    struct window *w = &s->windows[s->next_window];
    s->next_window = (s->next_window + 1) % WINDOWS;
    uint64_t there = s->written - where->offset;
    if (!w->data) w->data = mem_alloc(WINDOW_BYTES);
    w->offset = where->offset;
    w->n = there < WINDOW_BYTES ? (size_t)there : WINDOW_BYTES;
    if (read_all(s->fd, w->data, w->n, w->offset)) return w->data;
    w->n = 0;
    return NULL;
}

static bool read_body(struct spool *s, const struct spooled *where, char *to)
{
    if (where->n > WINDOW_BYTES / 4) return read_all(s->fd, to, where->n, where->offset);
    const char *from = through_window(s, where);
    if (from) memcpy(to, from, where->n);
    return from != NULL;
}

struct str spool_get(struct spool *s, const struct spooled *where, struct arena *arena, struct fault *f)
{
    if (!where->there) return STR_NONE;
    char *copy = arena_alloc(arena, (size_t)where->n + 1);
    copy[where->n] = '\0';
    if (where->offset >= s->written)
        memcpy(copy, s->pending.data + (where->offset - s->written), where->n);
    else if (!read_body(s, where, copy)) {
        fault_set(f, FAULT_STATE, _("run again"), _("temporary file: %s"), strerror(errno));
        return STR_NONE;
    }
    return (struct str){copy, where->n};
}
