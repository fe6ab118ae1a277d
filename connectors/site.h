/* Who may be given a password: hosts of one registrable domain, by the public suffix list (protocols carddav 1, "Credentials across hosts").
 * Used by discovery, where a server names other hosts (iCloud's partitions). */
#ifndef ABGLEICH_SITE_H
#define ABGLEICH_SITE_H

#include "base/str.h"

/* May what was entered for `entered` be sent to `other`? Same host, or the same registrable domain; never from https to http. */
bool site_may_know(struct str entered, struct str other);

#endif
