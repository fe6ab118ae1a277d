/* Telling systemd how we are: sd_notify(3) in its few lines, over the datagram socket in $NOTIFY_SOCKET. Without one
 * everything here does nothing. Called by cli/daemon.c on the loop's thread. */
#ifndef ABGLEICH_DAEMON_NOTIFY_H
#define ABGLEICH_DAEMON_NOTIFY_H

#include <stdint.h>

struct notifier;
/* Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment, so that no child speaks for us. Never
 * NULL; owned by the caller. */
struct notifier *notifier_open(void);
void notifier_close(struct notifier *n);
/* Lines like "READY=1\nSTATUS=...". What cannot be sent is lost: nobody may wait for it. */
void notify(struct notifier *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int64_t notifier_watchdog_ms(const struct notifier *n); /* how often "WATCHDOG=1" is wanted at least; 0 = not */

#endif
