/* One part of a form that is in memory whole (RFC 7578). Pure; used by server/. */
#ifndef ABGLEICH_MULTIPART_H
#define ABGLEICH_MULTIPART_H

#include "base/str.h"

enum multipart {
    MULTIPART_FOUND,
    MULTIPART_NONE /* not such a form */,
    MULTIPART_BROKEN /* it ends early */,
    MULTIPART_NOT_THERE
};
/* The first part of that name; *out is a slice of the body. type: the request's Content-Type; NULL = none. */
enum multipart multipart_part(const char *type, struct str body, const char *name, struct str *out);

#endif
