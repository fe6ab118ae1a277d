#include "mapping/phonebook_text.h"

#include "mapping/text.h"

#include <stdint.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/ustring.h>
#include <unicode/utext.h>
#include <unicode/utrans.h>

/* -- characters -- */

/* The character at the front, and its length in *n; negative for bytes that are none (one is taken off). */
static UChar32 character(struct str s, size_t *n)
{
    int32_t at = 0, left = s.n > 4 ? 4 : (int32_t)s.n;
    UChar32 c;
    U8_NEXT((const uint8_t *)s.p, at, left, c);
    *n = c < 0 ? 1 : (size_t)at;
    return c;
}

/* XML 1.0 (section 2.2) without the control characters it allows, and without those that stand for nothing. */
static bool is_text(UChar32 c)
{
    return c >= 0x20 && !(c >= 0x7f && c < 0xa0) && !U_IS_SURROGATE(c) && !U_IS_UNICODE_NONCHAR(c) && c != 0xfeff;
}

static bool is_blank(UChar32 c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0x2028 || c == 0x2029;
}

static struct str cleaned(struct arena *arena, struct str text)
{
    struct buf out AUTO_BUF = BUF_INIT;
    while (text.n) {
        size_t n;
        UChar32 c = character(text, &n);
        if (is_blank(c)) {
            if (out.len && out.data[out.len - 1] != ' ') buf_addc(&out, ' ');
        } else if (c >= 0 && is_text(c))
            buf_add(&out, text.p, n);
        text = (struct str){text.p + n, text.n - n};
    }
    return arena_str(arena, str_trim(buf_str(&out)));
}

/* -- letters -- */

static const struct {
    const char *word, *rules; /* of ICU; de-ASCII has ä = ae, which Latin-ASCII has not */
} letters[] = {
    {"all", NULL},
    {"latin1", "[^\\u0000-\\u00FF] Any-Latin; NFC; [^\\u0000-\\u00FF] Latin-ASCII; [^\\u0000-\\u00FF] Remove"},
    {"ascii", "Any-Latin; NFC; de-ASCII; Latin-ASCII; [^\\u0000-\\u007F] Remove"},
};

bool name_letters_parse(struct str word, enum name_letters *out)
{
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (str_eq(word, str_of(letters[i].word))) {
            *out = (enum name_letters)i;
            return true;
        }
    return false;
}

struct speller speller_open(enum name_letters wanted)
{
    struct speller s = {.letters = wanted};
    UChar id[128];
    UErrorCode error = U_ZERO_ERROR;
    if (!letters[wanted].rules) return s;
    u_uastrcpy(id, letters[wanted].rules);
    s.rules = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &error);
    return s;
}

void speller_close(struct speller *s)
{
    if (s->rules) utrans_close(s->rules);
    s->rules = NULL;
}

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] & 0x80) return false;
    return true;
}

static struct str transliterated(struct arena *arena, const struct speller *s, struct str text)
{
    UErrorCode error = U_ZERO_ERROR;
    int32_t n = 0, cap = (int32_t)text.n * 8 + 64, limit; /* no character becomes more than 8 */
    UChar *wide = arena_alloc(arena, (size_t)cap * sizeof *wide);
    u_strFromUTF8Lenient(wide, cap, &n, text.p, (int32_t)text.n, &error);
    limit = n;
    utrans_transUChars(s->rules, wide, &n, cap, 0, &limit, &error);
    char *out = arena_alloc(arena, (size_t)cap * 3);
    int32_t bytes = 0;
    if (U_SUCCESS(error)) u_strToUTF8(out, cap * 3, &bytes, wide, n, &error);
    return U_SUCCESS(error) ? (struct str){out, (size_t)bytes} : STR("");
}

/* -- cutting -- */

/* Bytes of the first max code points. */
static size_t prefix(struct str text, size_t max)
{
    size_t at = 0, n;
    for (size_t i = 0; i < max && at < text.n; i++) {
        character((struct str){text.p + at, text.n - at}, &n);
        at += n;
    }
    return at;
}

/* The last end of a grapheme at or before `at`; 0 = the first one is longer. */
static size_t boundary(struct str text, size_t at)
{
    UErrorCode error = U_ZERO_ERROR;
    UText *view = utext_openUTF8(NULL, text.p, (int64_t)text.n, &error);
    UBreakIterator *graphemes = ubrk_open(UBRK_CHARACTER, "", NULL, 0, &error);
    if (U_SUCCESS(error)) ubrk_setUText(graphemes, view, &error);
    int32_t end = (int32_t)at;
    if (U_SUCCESS(error) && !ubrk_isBoundary(graphemes, end)) end = ubrk_preceding(graphemes, (int32_t)at);
    if (graphemes) ubrk_close(graphemes);
    if (view) utext_close(view);
    return end == UBRK_DONE || end < 0 ? 0 : (size_t)end;
}

struct str text_cut(struct str text, size_t max)
{
    size_t at = max ? prefix(text, max) : text.n, whole;
    if (at >= text.n) return text;
    struct str front = {text.p, at};
    if (!is_ascii((struct str){text.p, at + 1})) {
        /* What comes long after cannot move the boundary: so much of it is looked at. */
        size_t window = text.n - at > 256 ? prefix(text, max + 64) : text.n;
        whole = boundary((struct str){text.p, window}, at);
        if (whole) front.n = whole;
    }
    return str_trim(front);
}

/* ICU's time grows with the square of a text in many scripts; no phone shows so much of a name. */
#define SPELLED_MAX 256

struct str text_spelled(struct arena *arena, const struct speller *s, struct str text)
{
    struct str clean = text_nfc(arena, cleaned(arena, text));
    if (!s->rules || is_ascii(clean)) return clean;
    return cleaned(arena, transliterated(arena, s, text_cut(clean, SPELLED_MAX)));
}

/* -- writing -- */

void xml_add(struct buf *out, struct str text)
{
    while (text.n) {
        size_t n;
        UChar32 c = character(text, &n);
        switch (c) {
        case '&':
            buf_adds(out, "&amp;");
            break;
        case '<':
            buf_adds(out, "&lt;");
            break;
        case '>':
            buf_adds(out, "&gt;");
            break;
        case '"':
            buf_adds(out, "&quot;");
            break;
        case '\'':
            buf_adds(out, "&#39;");
            break;
        default:
            if (is_blank(c))
                buf_addc(out, ' ');
            else if (c >= 0 && is_text(c))
                buf_add(out, text.p, n);
        }
        text = (struct str){text.p + n, text.n - n};
    }
}

void xml_element(struct buf *out, const char *tag, struct str text)
{
    buf_addf(out, "<%s>", tag);
    xml_add(out, text);
    buf_addf(out, "</%s>", tag);
}

void xml_attribute(struct buf *out, const char *name, struct str text)
{
    buf_addf(out, " %s=\"", name);
    xml_add(out, text);
    buf_addc(out, '"');
}

void url_add(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || (c && strchr("-._~", c)))
            buf_addc(out, (char)c);
        else
            buf_addf(out, "%%%02X", c);
    }
}
