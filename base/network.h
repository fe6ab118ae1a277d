/* Lists of networks as people write them: "192.168.0.0/16, 10.1.2.3, fd00::/8". Pure. */
#ifndef ABGLEICH_NETWORK_H
#define ABGLEICH_NETWORK_H

#include "base/str.h"

/* Is it such a list, of one at least? */
bool network_list_ok(struct str list);
/* Is the address ("192.168.1.7", "::1") in one of them? An IPv4 address that came by IPv6 counts as itself. */
bool network_list_has(struct str list, const char *address);

#endif
