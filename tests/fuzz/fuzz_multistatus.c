/* Feeds bytes from strangers to the multistatus reader, whole and in pieces: both must tell the same and neither may
 * fall over. Built with clang -fsanitize=fuzzer,address,undefined. The first byte is the size of the pieces. */
#include "connectors/multistatus.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct dav_wanted wanted[] = {{NS_DAV, "getetag"}, {NS_CARDDAV, "address-data"}, {NS_DAV, "resourcetype"}};
#define WANTED (sizeof wanted / sizeof *wanted)

static enum fault_code take(void *ctx, const struct dav_response *r, struct fault *f)
{
    struct buf *out = ctx;
    (void)f;
    buf_addf(out, "%.*s %d;", STR_ARG(r->href), r->status);
    for (size_t i = 0; i < WANTED; i++) {
        const struct dav_property *p = &r->properties[i];
        buf_addf(out, "%d", p->status);
        buf_addstr(out, p->text);
        buf_addstr(out, p->names);
        buf_addstr(out, p->hrefs);
        buf_addstr(out, p->attributes);
    }
    return FAULT_NONE;
}

static bool read_in_pieces(struct str text, size_t piece, struct buf *out)
{
    const struct multistatus_sink sink = {out, take};
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct multistatus *m = multistatus_new(wanted, WANTED, &sink, 100000);
    for (; text.n; text = (struct str){text.p + piece, text.n - piece}) {
        if (piece > text.n) piece = text.n;
        if (multistatus_feed(m, (struct str){text.p, piece}, &f)) break;
    }
    enum fault_code code = multistatus_end(m, &f);
    multistatus_free(m);
    return code == FAULT_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf whole AUTO_BUF = BUF_INIT;
    struct buf pieces AUTO_BUF = BUF_INIT;
    struct buf href AUTO_BUF = BUF_INIT;
    if (n < 2) return 0;
    const struct str text = {(const char *)data + 1, n - 1};
    bool good = read_in_pieces(text, text.n, &whole), also = read_in_pieces(text, (size_t)data[0] % 61 + 1, &pieces);
    if (good && (!also || !str_eq(buf_str(&whole), buf_str(&pieces)))) abort();
    dav_error_names(text, "no-uid-conflict");
    dav_error_href(text, &href);
    return 0;
}
