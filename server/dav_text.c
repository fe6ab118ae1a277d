/* Text of the DAV server: escaping, paths, ETags, tokens, the card in the version wanted. */
#include "server/dav_impl.h"

#include "mapping/record.h"
#include "mapping/text.h"
#include "state/settings.h"

#include <inttypes.h>
#include <time.h>

/* -- XML -- */

static const char *escaped(unsigned char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\r':
        return "&#13;"; /* a bare one would be read as a line break */
    default:
        return c < 0x20 && c != '\t' && c != '\n' ? "" : NULL;
    }
}

/* U+FFFE and U+FFFF are the only others of the BMP that XML 1.0 forbids and UTF-8 can hold. */
static bool is_no_character(struct str text, size_t i)
{
    const unsigned char *p = (const unsigned char *)text.p + i;
    return p[0] == 0xef && i + 2 < text.n && p[1] == 0xbf && p[2] >= 0xbe;
}

void xml_text(struct str text, struct buf *out)
{
    size_t from = 0;
    buf_reserve(out, text.n + text.n / 16);
    for (size_t i = 0; i < text.n; i++) {
        const char *as = is_no_character(text, i) ? "" : escaped((unsigned char)text.p[i]);
        if (!as) continue;
        buf_add(out, text.p + from, i - from);
        buf_adds(out, as);
        i += (unsigned char)text.p[i] == 0xef ? 2 : 0;
        from = i + 1;
    }
    if (from < text.n) buf_add(out, text.p + from, text.n - from);
}

/* -- paths -- */

/* "@" stays as it is: vdirsyncer takes only hrefs it would write the same way. */
static void add_segment(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~@", c));
        if (plain)
            buf_addc(out, (char)c);
        else
            buf_addf(out, "%%%02X", c);
    }
}

void dav_href(struct dav *d, const struct dav_resource *r, struct buf *out)
{
    buf_adds(out, DAV_ROOT);
    if (r->kind == DAV_IS_ROOT) return;
    buf_adds(out, r->kind == DAV_IS_PRINCIPAL ? "principals/" : d->only ? "book/" : "books/");
    add_segment(d->user.name, out);
    buf_addc(out, '/');
    if (d->only) {
        add_segment(d->only->id, out);
        buf_addc(out, '/');
    }
    if (r->kind == DAV_IS_PRINCIPAL || r->kind == DAV_IS_HOME) return;
    add_segment(r->in->id, out);
    buf_addc(out, '/');
    if (r->kind == DAV_IS_CARD) add_segment(r->card.name, out);
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* A NUL ends no name of ours, so it may not look as if it did. */
bool dav_href_path(const char *href, struct buf *out)
{
    const char *p = href, *scheme = strstr(href, "://");
    if (scheme && scheme < strchrnul(href, '/')) p = strchr(scheme + 3, '/');
    for (; p && *p; p++) {
        int high = *p == '%' ? digit_of(p[1]) : -1, low = high >= 0 ? digit_of(p[2]) : -1;
        if (low < 0) {
            buf_addc(out, *p);
            continue;
        }
        if (high + low == 0) return false;
        buf_addc(out, (char)(high * 16 + low));
        p += 2;
    }
    return p && out->len > 0;
}

bool dav_name_is_ok(struct str name)
{
    if (!name.n || name.n > DAV_TEXT_NAME_BYTES || !text_is_utf8(name)) return false;
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f || name.p[i] == '/') return false;
    return !str_eq(name, STR(".")) && !str_eq(name, STR(".."));
}

/* -- versions -- */

void dav_etag(struct str body, struct buf *out)
{
    char hex[DIGEST_HEX_BYTES];
    struct digest digest;
    digest_init(&digest);
    digest_str(&digest, body);
    digest_hex(&digest, hex);
    buf_addc(out, '"');
    buf_add(out, hex, 32);
    buf_addc(out, '"');
}

void dav_date(int64_t ms, struct buf *out)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}, *const months[] = {
                                                                                             "Jan", "Feb", "Mar",
                                                                                             "Apr", "May", "Jun",
                                                                                             "Jul", "Aug", "Sep",
                                                                                             "Oct", "Nov", "Dec"};
    time_t s = (time_t)(ms / 1000);
    struct tm t;
    if (!gmtime_r(&s, &t)) return;
    buf_addf(out, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[t.tm_wday], t.tm_mday, months[t.tm_mon], t.tm_year + 1900,
             t.tm_hour, t.tm_min, t.tm_sec);
}

/* "data:,BOOK-NUMBER-TIME". The time is that of the change with this number: a database put back from a backup gives
 * the number again, but at another time, and a token of before must not be taken for one of after. */
void dav_sync_token(struct dav *d, const struct dav_collection *c, int64_t seq, struct buf *out)
{
    buf_addf(out, "data:,%.*s-%" PRId64 "-%" PRId64, STR_ARG(c->key), seq, c->source->stamp(d, c, seq));
}

bool dav_read_token(struct dav *d, const struct dav_collection *c, const char *token, int64_t *seq)
{
    struct buf head AUTO_BUF = BUF_INIT;
    struct str rest = str_of(token);
    long long n, stamp;
    buf_addf(&head, "data:,%.*s-", STR_ARG(c->key));
    if (!str_starts(rest, buf_str(&head))) return false;
    rest = (struct str){rest.p + head.len, rest.n - head.len};
    if (!str_to_int64(str_split(&rest, '-'), &n) || !rest.p || !str_to_int64(rest, &stamp)) return false;
    *seq = n;
    return n >= 0 && n <= c->seq && stamp >= c->source->stamp(d, c, n);
}

/* -- the card -- */

const struct hash_key *dav_key(struct dav *d)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    if (!d->has_key) settings_hash_key(d->db, &d->key, &f);
    d->has_key = true;
    return &d->key;
}

bool dav_card_bytes(struct dav *d, const struct dav_card *card, bool wants_40, struct buf *out)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    const struct write_form form = {.versions = WRITE_V30, .strict = true};
    struct record *record = NULL;
    if (!wants_40 && str_find(card->body, STR("VERSION:4.0")) != (size_t)-1)
        record = record_parse(&scratch, RECORD_CONTACT, card->body, dav_key(d), &f);
    if (record && record_version(record) == 40) return record_write_new(record, &form, out, &f) == FAULT_NONE;
    buf_addstr(out, card->body);
    return true;
}
