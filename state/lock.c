#include "state/lock.h"

#include "base/i18n.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct lock {
    int fd;
};

/* The file is never removed: an unlinked file could be locked by one process and made anew by another. */
static int open_file(struct db *db, struct fault *f)
{
    struct buf path AUTO_BUF = BUF_INIT;
    buf_addf(&path, "%s.lock", db_path(db));
    int fd = open(buf_cstr(&path), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        fault_set(f, FAULT_STATE, _("give this user the right to write in the folder of the state"), _("%s cannot be opened: %s"),
                  buf_cstr(&path), strerror(errno));
    return fd;
}

#define BYTE_OF_DAEMON 0 /* links count from 1 */

static enum fault_code lock_byte(struct db *db, int64_t number, struct lock **out, struct fault *f)
{
    int fd = open_file(db, f);
    if (fd < 0) return FAULT_STATE;
    struct flock byte = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = number, .l_len = 1};
    if (fcntl(fd, F_OFD_SETLK, &byte) != 0) {
        int error = errno;
        close(fd);
        if (error == EAGAIN || error == EACCES) return FAULT_BUSY;
        return fault_set(f, FAULT_STATE, _("keep the state on a local disk"), _("%s.lock cannot be locked: %s"), db_path(db),
                         strerror(error));
    }
    *out = mem_alloc(sizeof **out);
    (*out)->fd = fd;
    return FAULT_NONE;
}

enum fault_code lock_link(struct db *db, const char *link, struct lock **out, struct fault *f)
{
    *out = NULL;
    int64_t number = db_name_number(db, link, true);
    enum fault_code code = db_check(db, f);
    if (!code) code = lock_byte(db, number, out, f);
    if (code == FAULT_BUSY)
        fault_set(f, code, _("try again when it has ended"), _("another run of %s is under way"), link);
    return code;
}

enum fault_code lock_daemon(struct db *db, struct lock **out, struct fault *f)
{
    *out = NULL;
    enum fault_code code = lock_byte(db, BYTE_OF_DAEMON, out, f);
    if (code == FAULT_BUSY) fault_set(f, code, _("one is enough"), _("a daemon runs on %s already"), db_path(db));
    return code;
}

void lock_release(struct lock *lock)
{
    if (!lock) return;
    close(lock->fd);
    free(lock);
}

void lock_cleanup(struct lock **lock)
{
    lock_release(*lock);
    *lock = NULL;
}
