/* Where a domain offers a service (RFC 6764 3-4): SRV, and the path in TXT. Blocks; used by discovery only. */
#ifndef ABGLEICH_DNS_H
#define ABGLEICH_DNS_H

#include "base/buf.h"

#include <netinet/in.h>

/* server: the one to ask; NULL = those of the system. service: "_carddavs._tcp". Appends "https://host:port/path";
 * false if the domain names none. */
bool dns_service(const char *service, struct str domain, const struct sockaddr_in *server, struct buf *out);

#endif
