#include "mapping/text.h"

#include "base/buf.h"

#include <stdint.h>
#include <unicode/ucnv.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/uchar.h>

static bool is_ascii(struct str s)
{
    size_t i = 0;
    for (uint64_t word; i + 8 <= s.n; i += 8) {
        memcpy(&word, s.p + i, 8);
        if (word & 0x8080808080808080u) return false;
    }
    for (; i < s.n; i++)
        if (s.p[i] & 0x80) return false;
    return true;
}

bool text_is_utf8(struct str s)
{
    if (is_ascii(s)) return true;
    const uint8_t *p = (const uint8_t *)s.p;
    for (size_t i = 0; i < s.n;) {
        if (p[i] < 0x80) {
            i++;
            continue;
        }
        int32_t at = (int32_t)0;
        UChar32 c;
        int32_t left = s.n - i > 4 ? 4 : (int32_t)(s.n - i);
        U8_NEXT(p + i, at, left, c);
        if (c < 0) return false;
        i += (size_t)at;
    }
    return true;
}

/* UTF-8 to UTF-16 in the arena; invalid bytes become U+FFFD. */
static UChar *to_utf16(struct arena *arena, struct str s, int32_t *n)
{
    UChar *wide = arena_alloc(arena, (s.n + 1) * sizeof *wide);
    UErrorCode e = U_ZERO_ERROR;
    u_strFromUTF8WithSub(wide, (int32_t)s.n + 1, n, s.p, (int32_t)s.n, 0xfffd, NULL, &e);
    if (U_FAILURE(e)) *n = 0;
    return wide;
}

static struct str to_utf8(struct arena *arena, const UChar *wide, int32_t n)
{
    char *out = arena_alloc(arena, (size_t)n * 3 + 1);
    int32_t written = 0;
    UErrorCode e = U_ZERO_ERROR;
    u_strToUTF8WithSub(out, n * 3 + 1, &written, wide, n, 0xfffd, NULL, &e);
    return (struct str){out, U_FAILURE(e) ? 0 : (size_t)written};
}

static const UChar *normalize(struct arena *arena, const UNormalizer2 *how, const UChar *wide, int32_t *n)
{
    UErrorCode e = U_ZERO_ERROR;
    int32_t cap = *n * 3 + 16;
    for (int tries = 0; tries < 2; tries++) {
        UChar *out = arena_alloc(arena, (size_t)cap * sizeof *out);
        e = U_ZERO_ERROR;
        int32_t got = unorm2_normalize(how, wide, *n, out, cap, &e);
        if (U_SUCCESS(e)) {
            *n = got;
            return out;
        }
        cap = got + 1;
    }
    return wide;
}

struct str text_nfc(struct arena *arena, struct str s)
{
    if (is_ascii(s)) return s;
    UErrorCode e = U_ZERO_ERROR;
    const UNormalizer2 *nfc = unorm2_getNFCInstance(&e);
    int32_t n;
    UChar *wide = to_utf16(arena, s, &n);
    if (U_FAILURE(e) || unorm2_isNormalized(nfc, wide, n, &e)) return s;
    const UChar *normal = normalize(arena, nfc, wide, &n);
    return to_utf8(arena, normal, n);
}

/* DIN 5007 variant 2, as in a phone book. Applied after case folding, before marks are taken off. */
static const char *german(UChar32 c)
{
    switch (c) {
    case 0xe4: return "ae";
    case 0xf6: return "oe";
    case 0xfc: return "ue";
    case 0xdf: return "ss";
    case 0xe6: return "ae";
    case 0xf8: return "oe";
    case 0x142: return "l"; /* these have no decomposition */
    case 0x131: return "i";
    case 0x111: return "d";
    default: return NULL;
    }
}

static void fold_char(struct buf *out, UChar32 c, bool *space)
{
    if (u_getCombiningClass(c) || u_charType(c) == U_NON_SPACING_MARK) return;
    if (!u_isalnum(c)) {
        *space = out->len > 0;
        return;
    }
    if (*space) buf_addc(out, ' ');
    *space = false;
    char bytes[U8_MAX_LENGTH];
    int32_t n = 0;
    U8_APPEND_UNSAFE(bytes, n, c);
    buf_add(out, bytes, (size_t)n);
}

/* One folded character: German letters by table, others decomposed, so that fold_char drops their marks. */
static void fold_decomposed(struct buf *out, const UNormalizer2 *nfd, UChar32 c, bool *space)
{
    const char *letters = c < 0x80 ? NULL : german(c);
    if (letters) {
        for (; *letters; letters++) fold_char(out, *letters, space);
        return;
    }
    UChar parts[32];
    UErrorCode e = U_ZERO_ERROR;
    int32_t n = c < 0x80 ? -1 : unorm2_getDecomposition(nfd, c, parts, 32, &e);
    if (n < 0 || U_FAILURE(e)) {
        fold_char(out, c, space);
        return;
    }
    for (int32_t i = 0; i < n;) {
        UChar32 part;
        U16_NEXT(parts, i, n, part);
        fold_char(out, part, space);
    }
}

static struct str fold_ascii(struct arena *arena, struct str s)
{
    char *out = arena_alloc(arena, s.n + 1);
    size_t n = 0;
    bool space = false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c + 32);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) {
            space = n > 0;
            continue;
        }
        if (space) out[n++] = ' ';
        space = false;
        out[n++] = c;
    }
    out[n] = '\0';
    return (struct str){out, n};
}

struct str text_fold(struct arena *arena, struct str s)
{
    if (is_ascii(s)) return fold_ascii(arena, s);
    UErrorCode e = U_ZERO_ERROR;
    const UNormalizer2 *casefold = unorm2_getNFKCCasefoldInstance(&e);
    const UNormalizer2 *nfd = unorm2_getNFDInstance(&e);
    int32_t n;
    const UChar *wide = to_utf16(arena, s, &n);
    if (U_FAILURE(e)) return s;
    /* "ß" folds to "ss" by itself; the umlauts are still one character each afterwards */
    wide = normalize(arena, casefold, wide, &n);
    struct buf out AUTO_BUF = BUF_INIT;
    bool space = false;
    for (int32_t i = 0; i < n;) {
        UChar32 c;
        U16_NEXT(wide, i, n, c);
        fold_decomposed(&out, nfd, c, &space);
    }
    return arena_str(arena, buf_str(&out));
}

struct str text_casemap(struct arena *arena, struct str s)
{
    if (is_ascii(s)) {
        char *out = arena_alloc(arena, s.n + 1);
        for (size_t i = 0; i < s.n; i++) out[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
        out[s.n] = '\0';
        return (struct str){out, s.n};
    }
    UErrorCode e = U_ZERO_ERROR;
    const UNormalizer2 *casefold = unorm2_getNFKCCasefoldInstance(&e);
    int32_t n;
    const UChar *wide = to_utf16(arena, s, &n);
    if (U_FAILURE(e)) return s;
    wide = normalize(arena, casefold, wide, &n);
    return to_utf8(arena, wide, n);
}

bool text_from_charset(struct arena *arena, struct str s, const char *charset, struct str *out)
{
    UErrorCode e = U_ZERO_ERROR;
    UConverter *conv = ucnv_open(charset, &e);
    if (U_FAILURE(e)) return false;
    if (s.n >= 2 && strncmp(charset, "UTF-16", 6) == 0 &&
        (memcmp(s.p, "\xff\xfe", 2) == 0 || memcmp(s.p, "\xfe\xff", 2) == 0)) {
        s.p += 2, s.n -= 2; /* the byte order mark is no text */
    }
    UChar *wide = arena_alloc(arena, (s.n + 1) * 2 * sizeof *wide);
    int32_t n = ucnv_toUChars(conv, wide, (int32_t)(s.n + 1) * 2, s.p, (int32_t)s.n, &e);
    ucnv_close(conv);
    if (U_FAILURE(e)) return false;
    *out = to_utf8(arena, wide, n);
    return true;
}

static bool is_hidden(UChar32 c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x2069) || c == 0xfeff;
}

void text_printable(struct str s, struct buf *out)
{
    const uint8_t *p = (const uint8_t *)s.p;
    for (size_t i = 0; i < s.n;) {
        int32_t at = 0, left = s.n - i > 4 ? 4 : (int32_t)(s.n - i);
        UChar32 c;
        U8_NEXT(p + i, at, left, c);
        if (c < 0)
            buf_addf(out, "<%02X>", p[i]);
        else if (is_hidden(c))
            buf_addf(out, "<U+%04X>", (unsigned)c);
        else
            buf_add(out, p + i, (size_t)at);
        i += (size_t)at;
    }
}
