#include "server/gzip.h"

#include <zlib.h>

#define WORTH_BYTES 256

bool gzip_is_taken(const struct http_call *c)
{
    const char *header = http_call_header(c, "Accept-Encoding");
    struct str rest = str_of(header);
    while (header && rest.p) {
        struct str one = str_trim(str_split(&rest, ',')), name = str_split(&one, ';');
        if (str_eq_nocase(str_trim(name), STR("gzip")))
            return !(one.p && str_find(one, STR("q=0")) != (size_t)-1 && str_find(one, STR("q=0.")) == (size_t)-1);
    }
    return false;
}

bool gzip_make(struct str plain, int level, struct buf *out)
{
    z_stream z = {0};
    if (plain.n < WORTH_BYTES || deflateInit2(&z, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    uLong bound = deflateBound(&z, (uLong)plain.n);
    buf_reserve(out, bound);
    z.next_in = (Bytef *)(void *)(uintptr_t)plain.p;
    z.avail_in = (uInt)plain.n;
    z.next_out = (Bytef *)(void *)out->data;
    z.avail_out = (uInt)bound;
    int done = deflate(&z, Z_FINISH);
    out->len = z.total_out;
    deflateEnd(&z);
    if (done == Z_STREAM_END) return true;
    buf_free(out);
    return false;
}
