/* URLs and hrefs (RFC 3986): resolving, comparing, and the one spelling a path has in the journal. Pure; used by connectors. */
#ifndef ABGLEICH_URL_H
#define ABGLEICH_URL_H

#include "base/buf.h"

struct url { /* slices of the text parsed; {NULL,0} = not there */
    struct str scheme, userinfo, host, port, path, query;
};
/* False if it is no absolute http or https URL. */
bool url_parse(struct str text, struct url *out);
/* RFC 3986 5.3: reference against an absolute base. Appended to out; dot segments removed. False if base is no URL. */
bool url_resolve(struct str base, struct str reference, struct buf *out);
/* Same scheme, host (case off) and port (defaults filled in). */
bool url_same_origin(struct str a, struct str b);
/* "https://cloud.example.org:8443", default port left out. */
bool url_origin(struct str url, struct buf *out);
bool url_is_loopback(struct str url); /* host is 127.*, [::1] or localhost */
/* Appends bytes as part of a path, a query or a form: all but the unreserved characters encoded (RFC 3986 2.1). */
void url_encode(struct str s, struct buf *out);
/* Path in canonical form: unreserved characters decoded, all else that is no pchar encoded, hex in upper case, %2F kept. */
void url_canonical_path(struct str path, struct buf *out);
/* The path of an href in an answer, canonical: resolved against the request's URL. False if it lies on another origin (then out is
 * the whole URL). */
bool url_href_path(struct str request_url, struct str href, struct buf *out);

#endif
