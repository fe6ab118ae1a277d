#include "cli/daemon_notify.h"

#include "base/mem.h"
#include "base/str.h"
#include "base/buf.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct notifier {
    int fd; /* -1 = nobody listens */
    struct sockaddr_un to;
    socklen_t to_bytes;
    int64_t watchdog_ms;
};

/* "@name" is an abstract address: its first byte is zero. */
static bool set_address(struct notifier *n, struct str path)
{
    if (path.n < 2 || path.n >= sizeof n->to.sun_path || (path.p[0] != '/' && path.p[0] != '@')) return false;
    n->to.sun_family = AF_UNIX;
    memcpy(n->to.sun_path, path.p, path.n);
    if (path.p[0] == '@') n->to.sun_path[0] = '\0';
    n->to_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n);
    return true;
}

static int64_t watchdog_of(const char *usec, const char *pid)
{
    long long n, whose;
    if (!usec || !str_to_int64(str_of(usec), &n) || n <= 0) return 0;
    if (pid && str_to_int64(str_of(pid), &whose) && whose != getpid()) return 0;
    return n / 1000;
}

struct notifier *notifier_open(void)
{
    static const char *const names[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"};
    struct notifier *n = mem_calloc(1, sizeof *n);
    n->watchdog_ms = watchdog_of(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
    n->fd = set_address(n, str_of(getenv("NOTIFY_SOCKET")))
                ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)
                : -1;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unsetenv(names[i]);
    return n;
}

void notifier_close(struct notifier *n)
{
    if (n->fd >= 0) close(n->fd);
    free(n);
}

void notify(struct notifier *n, const char *fmt, ...)
{
    struct buf text AUTO_BUF = BUF_INIT;
    va_list ap;
    if (n->fd < 0) return;
    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    if (sendto(n->fd, text.data, text.len, MSG_NOSIGNAL, (const struct sockaddr *)&n->to, n->to_bytes) < 0) return;
}

int64_t notifier_watchdog_ms(const struct notifier *n)
{
    return n->fd >= 0 ? n->watchdog_ms : 0;
}
