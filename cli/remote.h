/* An account opened for questions: signed in, its collections listed. For the commands that look at a remote without a
 * run. */
#ifndef ABGLEICH_REMOTE_H
#define ABGLEICH_REMOTE_H

#include "cli/cli.h"
#include "core/traits.h"

struct remote {
    const struct connector *connector;
    struct session *session;
    struct account account;
    struct traits_in_state traits;
    struct collections collections;
};
#define REMOTE_INIT                                                                                                    \
    {                                                                                                                  \
        NULL, NULL, {0}, {{NULL, NULL}, NULL, NULL, false},                                                            \
        {                                                                                                              \
            NULL, 0                                                                                                    \
        }                                                                                                              \
    }
#define AUTO_REMOTE __attribute__((cleanup(remote_close)))

/* Signs in and lists. False with cli->fault, which names the account. remote stays where it is until it is closed. */
bool remote_open(struct cli *cli, const struct config_account *a, struct remote *out);
/* The same with a password that is not stored yet (or NULL); it is copied. */
bool remote_open_with(struct cli *cli, const struct config_account *a, const char *password, struct remote *out);
void remote_close(struct remote *r);

/* A collection by display name, last segment of its path, or whole path. NULL with cli->fault: none, or several of that
 * name. */
const struct collection *remote_find(struct cli *cli, const struct remote *r, const char *name);
/* True if `name` is one of the ways to name it. */
bool collection_is(const struct collection *c, const char *name);
const char *collection_kind(const struct collection *c); /* "contacts", "events" */
/* How many records it has: as told, else by listing. -1 with cli->fault. */
int64_t remote_count(struct cli *cli, const struct remote *r, const struct collection *c);

#endif
