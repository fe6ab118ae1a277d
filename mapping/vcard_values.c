#include "mapping/vcard_values.h"

#include "mapping/record_impl.h"
#include "mapping/text.h"

static struct str change_case(struct arena *arena, struct str s, char first, char last)
{
    size_t i = 0;
    while (i < s.n && !(s.p[i] >= first && s.p[i] <= last)) i++;
    if (i == s.n) return s;
    char *copy = arena_strdup(arena, s);
    for (; i < s.n; i++)
        if (copy[i] >= first && copy[i] <= last) copy[i] = (char)(copy[i] ^ 0x20);
    return (struct str){copy, s.n};
}

struct str ascii_lower(struct arena *arena, struct str s)
{
    return change_case(arena, s, 'A', 'Z');
}

struct str ascii_upper(struct arena *arena, struct str s)
{
    return change_case(arena, s, 'a', 'z');
}

static struct str rest_of(struct str s, size_t from)
{
    return (struct str){s.p + from, s.n - from};
}

/* -- text -- */

enum { TEXT_ESCAPED = 1, TEXT_CR = 2, TEXT_MARKS = 4 };

/* What a text needs. No character below U+0300 (lead byte 0xcc) is ever changed by NFC unless a combining mark follows,
 * and those start there. */
#define EACH_BYTE(x) (UINT64_C(0x0101010101010101) * (x))

/* Has one of these eight bytes its top bit set, or is it `c`? (The usual test for a zero byte; it may say yes wrongly,
 * never no.) */
static bool may_hold(uint64_t eight, unsigned char c)
{
    uint64_t zero_where_equal = eight ^ EACH_BYTE(c);
    return ((eight | (zero_where_equal - EACH_BYTE(1))) & EACH_BYTE(0x80)) != 0;
}

static unsigned needs_of(struct str s)
{
    unsigned needs = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        needs |= (c == '\\' ? TEXT_ESCAPED : 0u) | (c == '\r' ? TEXT_CR : 0u) | (c >= 0xcc ? TEXT_MARKS : 0u);
    }
    return needs;
}

/* Eight bytes at a time: most text needs nothing. */
static unsigned text_needs(struct str s)
{
    unsigned needs = 0;
    size_t at = 0;
    for (uint64_t eight; at + sizeof eight <= s.n; at += sizeof eight) {
        memcpy(&eight, s.p + at, sizeof eight);
        if (may_hold(eight, '\\') || may_hold(eight, '\r')) needs |= needs_of((struct str){s.p + at, sizeof eight});
    }
    return needs | needs_of((struct str){s.p + at, s.n - at});
}

static struct str with_lf(struct arena *arena, struct str s)
{
    char *out = arena_alloc(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n') continue;
        out[n++] = s.p[i] == '\r' ? '\n' : s.p[i];
    }
    out[n] = '\0';
    return (struct str){out, n};
}

/* A line break of a 2.1 text is written by quoted-printable: there "\n" is a path of Windows, not a second way (vcard
 * 4). */
static struct str unescape_quoted(struct arena *arena, struct str s)
{
    char *out = arena_alloc(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char next = i + 1 < s.n ? s.p[i + 1] : 0;
        if (s.p[i] == '\\' && (next == ',' || next == ';' || next == '\\')) i++;
        out[n++] = s.p[i];
    }
    out[n] = '\0';
    return (struct str){out, n};
}

struct str vcard_normal_text(struct arena *arena, const struct vcard *c, const struct property *p, struct str escaped)
{
    struct str s = str_trim(escaped);
    unsigned needs = text_needs(s);
    if (!needs) return s;
    if (needs & TEXT_ESCAPED)
        s = p->qp && c->version == VCARD_21 ? unescape_quoted(arena, s) : vcard_unescape(arena, s, c->version);
    if (needs & TEXT_CR) s = with_lf(arena, s);
    if (needs & TEXT_MARKS) s = text_nfc(arena, s);
    return str_trim(s);
}

static struct str text_of(const struct reader *r, const struct property *p)
{
    return vcard_normal_text(r->arena, r->card, p, p->value);
}

/* -- composed values -- */

/* Puts the items of a list into scratch, each in normal form, and cuts empty ones off the end. */
static struct str compose(const struct reader *r, const struct property *p, struct str value, char sep)
{
    if (!value.n || !memchr(value.p, sep, value.n)) return vcard_normal_text(r->arena, r->card, p, value);
    const struct str *items;
    size_t n = vcard_split(r->arena, value, sep, &items);
    buf_reset(r->scratch);
    for (size_t i = 0; i < n; i++) {
        if (i) buf_addc(r->scratch, PART_SEPARATOR);
        buf_addstr(r->scratch, vcard_normal_text(r->arena, r->card, p, items[i]));
    }
    size_t end = r->scratch->len;
    while (end && r->scratch->data[end - 1] == PART_SEPARATOR) end--;
    return end ? arena_str(r->arena, (struct str){r->scratch->data, end}) : STR_NONE;
}

struct str value_items(const struct reader *r, const struct property *p, struct str component)
{
    return compose(r, p, component, ',');
}

static struct str gender_value(const struct reader *r, const struct property *p)
{
    struct str v = compose(r, p, p->value, ';');
    if (str_eq_nocase(v, STR("male"))) return STR("M"); /* X-GENDER */
    if (str_eq_nocase(v, STR("female"))) return STR("F");
    if (v.n && v.p[0] >= 'a' && v.p[0] <= 'z' && (v.n == 1 || v.p[1] == PART_SEPARATOR)) {
        char *copy = arena_strdup(r->arena, v);
        copy[0] = (char)(copy[0] - 32);
        return (struct str){copy, v.n};
    }
    return v;
}

static struct str parts_value(const struct reader *r, const struct property_row *row, const struct property *p)
{
    return row->field == FIELD_GENDER ? gender_value(r, p) : compose(r, p, p->value, ';');
}

/* -- addresses of all kinds -- */

size_t uri_scheme(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i], lower = (char)(c | 0x20);
        if (c == ':') return i ? i + 1 : 0;
        bool letter = lower >= 'a' && lower <= 'z';
        bool other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
        if (!letter && !(i && other)) return 0;
    }
    return 0;
}

/* In URIs "\:" and "\," are habits of 3.0 writers in every version (vcard 4). */
static struct str uri_text(const struct reader *r, const struct property *p)
{
    struct str s = str_trim(p->value);
    unsigned needs = text_needs(s);
    if (needs & TEXT_ESCAPED) s = vcard_unescape(r->arena, s, VCARD_30);
    if (needs & TEXT_CR) s = with_lf(r->arena, s);
    if (needs & TEXT_MARKS) s = text_nfc(r->arena, s);
    return str_trim(s);
}

/* Scheme and host in lower case; what follows the host is exact. */
static struct str uri_value(const struct reader *r, const struct property *p)
{
    struct str s = uri_text(r, p);
    size_t scheme = uri_scheme(s);
    if (!scheme) return s;
    size_t end = scheme;
    if (str_starts(rest_of(s, scheme), STR("//")))
        for (end += 2; end < s.n && s.p[end] != '/' && s.p[end] != '?' && s.p[end] != '#'; end++) {
            if (s.p[end] == '@') return s; /* user:password@host: leave it exact */
        }
    struct str head = {s.p, end}, lower = ascii_lower(r->arena, head);
    if (lower.p == head.p) return s;
    char *copy = arena_strdup(r->arena, s);
    memcpy(copy, lower.p, end);
    return (struct str){copy, s.n};
}

static struct str email_value(const struct reader *r, const struct property *p)
{
    struct str s = uri_text(r, p);
    if (str_starts_nocase(s, STR("mailto:"))) s = str_trim(rest_of(s, 7));
    const char *at = s.n ? memrchr(s.p, '@', s.n) : NULL;
    if (!at) return s;
    struct str domain = rest_of(s, (size_t)(at - s.p)), lower = ascii_lower(r->arena, domain);
    if (lower.p == domain.p) return s;
    char *copy = arena_strdup(r->arena, s);
    memcpy(copy + (at - s.p), lower.p, lower.n);
    return (struct str){copy, s.n};
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

static struct str percent_decode(struct arena *arena, struct str s)
{
    if (!s.n || !memchr(s.p, '%', s.n)) return s;
    char *out = arena_alloc(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool escape = s.p[i] == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0;
        out[n++] = escape ? (char)(hex(s.p[i + 1]) * 16 + hex(s.p[i + 2])) : s.p[i];
        if (escape) i += 2;
    }
    out[n] = '\0';
    struct str decoded = {out, n};
    return text_is_utf8(decoded) && !memchr(out, '\0', n) ? decoded : s;
}

static struct str phone_value(const struct reader *r, const struct property *p)
{
    struct str s = text_of(r, p);
    return str_starts_nocase(s, STR("tel:")) ? str_trim(percent_decode(r->arena, rest_of(s, 4))) : s;
}

static struct str handle_value(const struct reader *r, const struct property *p)
{
    struct str s = uri_text(r, p);
    return str_eq(p->name, STR("IMPP")) ? rest_of(s, uri_scheme(s)) : s;
}

static bool is_uuid(struct str s)
{
    if (s.n != 36) return false;
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? s.p[i] != '-' : hex(s.p[i]) < 0) return false;
    }
    return true;
}

struct str uid_normal(struct arena *arena, struct str uid)
{
    struct str s = str_trim(uid);
    if (str_starts_nocase(s, STR("urn:uuid:"))) s = rest_of(s, 9);
    return is_uuid(s) ? ascii_lower(arena, s) : s;
}

/* -- words, dates, numbers -- */

static struct str word_value(const struct reader *r, const struct property_row *row, const struct property *p)
{
    struct str s = text_of(r, p);
    if (row->field != FIELD_CLASS) return ascii_lower(r->arena, s);
    s = ascii_upper(r->arena, s);
    return str_eq(s, STR("PUBLIC")) ? STR_NONE : s;
}

static struct str kind_value(const struct reader *r, const struct property *p)
{
    struct str s = ascii_lower(r->arena, text_of(r, p));
    if (str_eq(s, STR("individual"))) return STR_NONE;
    return str_eq(s, STR("company")) ? STR("org") : s; /* X-ABSHOWAS:COMPANY */
}

static struct str date_value(const struct reader *r, const struct property *p)
{
    struct str s = text_of(r, p);
    if (!s.n) return s;
    buf_reset(r->scratch);
    if (!date_normal(s, r->scratch)) {
        buf_reset(r->scratch);
        buf_adds(r->scratch, "t:");
        buf_addstr(r->scratch, s);
        return arena_str(r->arena, buf_str(r->scratch));
    }
    /* Apple writes a date without year as this parameter plus that very year (vcard 6). */
    const struct param *omit = property_param(p, "X-APPLE-OMIT-YEAR");
    struct str date = buf_str(r->scratch);
    bool no_year = omit && omit->n_values && omit->values[0].n == 4 && str_starts(date, omit->values[0]);
    if (!no_year) return arena_str(r->arena, date);
    char *out = arena_strdup(r->arena, rest_of(date, 3));
    out[0] = '-';
    return (struct str){out, date.n - 3};
}

/* A decimal number in millionths, rounded; never strtod, which follows the locale. */
static bool take_millionths(struct str *s, long long *out)
{
    size_t i = 0, digits = 0;
    bool negative = s->n && s->p[0] == '-';
    if (s->n && (s->p[0] == '-' || s->p[0] == '+')) i++;
    long long v = 0;
    for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9' && digits < 4; i++, digits++) v = v * 10 + (s->p[i] - '0');
    if (!digits || digits > 3) return false;
    int decimals = 0;
    if (i < s->n && s->p[i] == '.')
        for (i++; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++, decimals++) {
            if (decimals < 6) v = v * 10 + (s->p[i] - '0');
            if (decimals == 6) v += s->p[i] >= '5';
        }
    for (; decimals < 6; decimals++) v *= 10;
    *out = negative ? -v : v;
    *s = str_trim(rest_of(*s, i));
    return true;
}

static void put_millionths(struct buf *out, long long v)
{
    unsigned long long u = v < 0 ? (unsigned long long)-v : (unsigned long long)v;
    buf_addf(out, "%s%llu.%06llu", v < 0 ? "-" : "", u / 1000000, u % 1000000);
}

/* "48.1;11.5" (2.1, 3.0), "48.1,11.5" (seen), "geo:48.1,11.5" (4.0) are one position. */
static struct str geo_value(const struct reader *r, const struct property *p)
{
    struct str s = uri_text(r, p), rest = str_starts_nocase(s, STR("geo:")) ? rest_of(s, 4) : s;
    long long latitude, longitude;
    if (!take_millionths(&rest, &latitude)) return s;
    if (!rest.n || (rest.p[0] != ',' && rest.p[0] != ';')) return s;
    rest = str_trim(rest_of(rest, 1));
    if (!take_millionths(&rest, &longitude) || rest.n) return s;
    buf_reset(r->scratch);
    put_millionths(r->scratch, latitude);
    buf_addc(r->scratch, ',');
    put_millionths(r->scratch, longitude);
    return arena_str(r->arena, buf_str(r->scratch));
}

/* -- binary -- */

/* "b:" size ":" digest of the decoded bytes; {NULL,0} if it is no base64 or empty. */
static struct str digest_value(const struct reader *r, struct str base64)
{
    buf_reset(r->scratch);
    if (!base64_decode(base64, r->scratch) || !r->scratch->len) return STR_NONE;
    struct digest d;
    digest_init(&d);
    digest_add(&d, r->scratch->data, r->scratch->len);
    char hexed[DIGEST_HEX_BYTES];
    digest_hex(&d, hexed);
    return str_of(arena_printf(r->arena, "b:%zu:%s", r->scratch->len, hexed));
}

/* The base64 part of "data:image/jpeg;base64,..."; {NULL,0} for anything else. */
static struct str data_uri(struct str s)
{
    if (!str_starts_nocase(s, STR("data:"))) return STR_NONE;
    const char *comma = memchr(s.p, ',', s.n);
    if (!comma) return STR_NONE;
    struct str head = {s.p, (size_t)(comma - s.p)};
    struct str mark = STR(";base64");
    if (head.n && head.p[head.n - 1] == '\\') head.n--;
    bool base64 = head.n > mark.n && str_eq_nocase(rest_of(head, head.n - mark.n), mark);
    return base64 ? rest_of(s, (size_t)(comma + 1 - s.p)) : STR_NONE;
}

static struct str marked(const struct reader *r, const char *mark, struct str s, bool white_space)
{
    buf_reset(r->scratch);
    buf_adds(r->scratch, mark);
    for (size_t i = 0; i < s.n; i++)
        if (white_space || !(s.p[i] == ' ' || (s.p[i] >= '\t' && s.p[i] <= '\r'))) buf_addc(r->scratch, s.p[i]);
    return arena_str(r->arena, buf_str(r->scratch));
}

/* Pictures and keys are the same if their decoded bytes are, whatever they were wrapped in (vcard 7). */
static struct str binary_value(const struct reader *r, const struct property_row *row, const struct property *p,
                               bool *unreadable)
{
    struct str value = str_trim(p->value);
    if (!value.n) return STR_NONE;
    struct str base64 = p->base64 ? value : data_uri(value);
    if (p->base64 && data_uri(value).p) base64 = data_uri(value);
    if (base64.p) {
        struct str digest = digest_value(r, base64);
        *unreadable = !digest.p && base64.n;
        return digest;
    }
    struct str s = uri_text(r, p);
    if (uri_scheme(s)) return marked(r, "u:", s, true);
    return marked(r, "t:", s, row->field != FIELD_KEY);
}

struct str value_raw(const struct reader *r, const struct property *p)
{
    struct str s = str_trim(p->value);
    if (p->base64) {
        struct str digest = digest_value(r, s);
        return digest.p ? digest : s;
    }
    if (!p->qp || !s.n || !(memchr(s.p, '\n', s.n) || memchr(s.p, '\r', s.n)))
        return text_needs(s) & TEXT_MARKS ? text_nfc(r->arena, s) : s;
    s = str_trim(with_lf(r->arena, s)); /* a line break that quoted-printable carried is what others write as "\n" */
    buf_reset(r->scratch);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\n')
            buf_adds(r->scratch, "\\n");
        else
            buf_addc(r->scratch, s.p[i]);
    }
    return text_nfc(r->arena, arena_str(r->arena, buf_str(r->scratch)));
}

struct str value_normal(const struct reader *r, const struct property_row *row, const struct property *p,
                        bool *unreadable)
{
    *unreadable = false;
    switch ((enum shape)row->shape) {
    case SHAPE_PARTS:
        return parts_value(r, row, p);
    case SHAPE_PHONE:
        return phone_value(r, p);
    case SHAPE_EMAIL:
        return email_value(r, p);
    case SHAPE_URI:
        return uri_value(r, p);
    case SHAPE_HANDLE:
        return handle_value(r, p);
    case SHAPE_DATE:
        return date_value(r, p);
    case SHAPE_BINARY:
        return binary_value(r, row, p, unreadable);
    case SHAPE_UID_REF:
        return uid_normal(r->arena, text_of(r, p));
    case SHAPE_WORD:
        return word_value(r, row, p);
    case SHAPE_KIND:
        return kind_value(r, p);
    case SHAPE_GEO:
        return geo_value(r, p);
    case SHAPE_RAW:
        return value_raw(r, p);
    case SHAPE_IGNORE:
        return STR_NONE;
    case SHAPE_TEXT:
    case SHAPE_NOTE:
    case SHAPE_NAME:
    case SHAPE_LIST:
        break;
    }
    return text_of(r, p);
}
