/* Answers in gzip, for clients that take it. Used by server/. */
#ifndef ABGLEICH_GZIP_H
#define ABGLEICH_GZIP_H

#include "server/http_server.h"

bool gzip_is_taken(const struct http_call *c);
/* False: too small to be worth it. level as zlib's. */
bool gzip_make(struct str plain, int level, struct buf *out);

#endif
