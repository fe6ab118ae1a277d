/* Changing the configuration: one drop-in per account or link (conf.d/account-NAME.ini), rewritten whole and
 * atomically; files that people wrote are never touched. What is written is read back, and taken back if the whole is
 * not valid any more. */
#ifndef ABGLEICH_CONFIG_WRITE_H
#define ABGLEICH_CONFIG_WRITE_H

#include "cli/config_keys.h"

struct config_pair {
    const char *key, *value; /* value NULL = take the key out */
};

/* Sets pairs in the drop-in of that name; keys not named keep what they are. fresh: begin with an empty one. */
enum fault_code config_write(const struct config *c, enum config_kind kind, const char *name,
                             const struct config_pair *pairs, size_t n, bool fresh, struct fault *f);
/* Removes the drop-in. FAULT_CONFIG if the section (also) stands in a file of somebody else. */
enum fault_code config_remove(const struct config *c, enum config_kind kind, const char *name,
                              struct config_place place, struct fault *f);
/* True if the section begun at place is the drop-in's own: it can be removed. */
bool config_is_drop_in(const struct config *c, enum config_kind kind, const char *name, struct config_place place);

#endif
