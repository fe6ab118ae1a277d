#include "mapping/fingerprint.h"

#include "base/mem.h"
#include "mapping/vcard_fields.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define V3(lines) "BEGIN:VCARD\r\nVERSION:3.0\r\n" lines "END:VCARD\r\n"
#define LENGTH(a) (sizeof(a) / sizeof *(a))

static const struct hash_key key = {"a test's own key"};

static struct record *parse(struct arena *a, struct str bytes)
{
    struct fault why AUTO_FAULT = FAULT_INIT;
    struct record *r = record_parse(a, RECORD_CONTACT, bytes, &key, &why);
    cr_assert_not_null(r, "%s\n%.*s", why.what ? why.what : "?", STR_ARG(bytes));
    return r;
}

/* -- pairing: each row says which elements of the two sides stand for each other, by value: "a=b c=d", "-" for nobody
 * -- */

static const struct {
    const char *what, *a, *b, *pairs;
} pairings[] = {
    {"equal", V3("TEL:1\r\nEMAIL:a@b.de\r\n"), V3("TEL:1\r\nEMAIL:a@b.de\r\n"), "1=1 a@b.de=a@b.de"},
    {"another type, same value", V3("TEL;TYPE=WORK,FAX:1\r\nTEL;TYPE=WORK:2\r\n"),
     V3("TEL;TYPE=WORK:1\r\nTEL;TYPE=WORK:2\r\n"), "1=1 2=2"},
    {"value goes before key", V3("TEL;TYPE=HOME:1\r\nTEL;TYPE=WORK:2\r\n"),
     V3("TEL;TYPE=WORK:1\r\nTEL;TYPE=HOME:2\r\n"), "1=1 2=2"},
    {"same number goes before key", V3("TEL;TYPE=HOME:040 123456\r\nTEL;TYPE=WORK:040 999999\r\n"),
     V3("TEL;TYPE=WORK:+49 40 123456\r\nTEL;TYPE=HOME:+49 40 999999\r\n"),
     "040 123456=+49 40 123456 040 999999=+49 40 999999"},
    {"key goes before the rest", V3("TEL;TYPE=HOME:1\r\nTEL;TYPE=WORK:2\r\n"),
     V3("TEL;TYPE=WORK:3\r\nTEL;TYPE=HOME:4\r\n"), "1=4 2=3"},
    {"leftovers of a field", V3("TEL;TYPE=HOME:1\r\n"), V3("TEL;TYPE=WORK:3\r\n"), "1=3"},
    {"never across fields", V3("TITLE:x\r\n"), V3("ROLE:x\r\n"), "-=x x=-"},
    {"never across unknown names", V3("X-A:x\r\n"), V3("X-B:x\r\n"), "-=x x=-"},
    {"unknown property with another parameter", V3("X-A;P=1:x\r\n"), V3("X-A:x\r\n"), "x=x"},
    {"that side cannot hold it", V3("TEL:1\r\nTZ:+01:00\r\n"), V3("TEL:1\r\n"), "+01:00=- 1=1"},
    {"one too many", V3("TEL:1\r\nTEL:2\r\n"), V3("TEL:2\r\n"), "1=- 2=2"},
    {"nothing at all", V3("REV:1\r\n"), V3("TEL:2\r\n"), "-=2"},
};

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t partner(const struct fingerprint *fp, uint16_t pair)
{
    for (uint32_t i = 0; i < fp->n; i++)
        if (fp->prints[i].pair == pair && pair != PRINT_UNPAIRED) return i;
    return SIZE_MAX;
}

/* "value=value" of every element of a and of those of b that have no partner, sorted. */
static void say_pairs(struct arena *arena, const struct record *a, const struct record *b, struct buf *out)
{
    struct fingerprint fa, fb;
    fingerprint_both(arena, a, b, &fa, &fb);
    size_t n, m, count = 0;
    const struct element *e = record_elements(a, &n), *f = record_elements(b, &m);
    cr_assert(fa.n == n && fb.n == m);
    char **words = arena_alloc(arena, (n + m + 1) * sizeof *words);
    for (size_t i = 0; i < n; i++) {
        size_t k = partner(&fb, fa.prints[i].pair);
        words[count++] = arena_printf(arena, "%.*s=%.*s", STR_ARG(e[i].value_text),
                                      STR_ARG(k == SIZE_MAX ? STR("-") : f[k].value_text));
    }
    for (size_t i = 0; i < m; i++)
        if (fb.prints[i].pair == PRINT_UNPAIRED)
            words[count++] = arena_printf(arena, "-=%.*s", STR_ARG(f[i].value_text));
    qsort(words, count, sizeof *words, by_text);
    for (size_t i = 0; i < count; i++) buf_addf(out, "%s%s", i ? " " : "", words[i]);
}

Test(fingerprint, pairs)
{
    for (size_t i = 0; i < LENGTH(pairings); i++) {
        struct arena a AUTO_ARENA = ARENA_INIT;
        const struct record *x = parse(&a, str_of(pairings[i].a)), *y = parse(&a, str_of(pairings[i].b));
        record_equivalents(x, "DE");
        record_equivalents(y, "DE");
        struct buf said AUTO_BUF = BUF_INIT;
        say_pairs(&a, x, y, &said);
        cr_expect_str_eq(buf_cstr(&said), pairings[i].pairs, "%s: %s", pairings[i].what, buf_cstr(&said));
    }
}

Test(fingerprint, matches_the_record_it_was_made_of)
{
    struct arena a AUTO_ARENA = ARENA_INIT;
    const struct record *x = parse(&a, STR(V3("TEL:1\r\nFN:a\r\n"))),
                        *same = parse(&a, STR(V3("FN:a\r\nREV:1\r\ntel;type=voice:1\r\n")));
    const struct record *other = parse(&a, STR(V3("TEL:2\r\nFN:a\r\n"))), *less = parse(&a, STR(V3("FN:a\r\n")));
    struct fingerprint fp = fingerprint_of(&a, x), fsame = fingerprint_of(&a, same), fother = fingerprint_of(&a, other);
    struct fingerprint paired, unused;
    fingerprint_both(&a, x, less, &paired, &unused);
    cr_expect(fp.version == NORMALISER_VERSION && fp.n == 2);
    cr_expect(fingerprint_matches(&fp, x) && fingerprint_matches(&fp, same) && fingerprint_matches(&paired, same));
    cr_expect(!fingerprint_matches(&fp, other) && !fingerprint_matches(&fp, less));
    cr_expect(fingerprint_equal(&fp, &fsame) && fingerprint_equal(&fp, &paired) && !fingerprint_equal(&fp, &fother));
    cr_expect(fingerprint_hash(&fp) == fingerprint_hash(&fsame) && fingerprint_hash(&fp) == fingerprint_hash(&paired));
    cr_expect(fingerprint_hash(&fp) != fingerprint_hash(&fother));
}

Test(fingerprint, journal_form)
{
    struct arena a AUTO_ARENA = ARENA_INIT;
    const struct record *x = parse(&a, STR(V3("N:a;b\r\nTEL:1\r\nEMAIL:a@b.de\r\nX-A:1\r\n"))),
                        *y = parse(&a, STR(V3("N:a;b\r\nTEL:2\r\n")));
    struct fingerprint fx, fy, back;
    fingerprint_both(&a, x, y, &fx, &fy);
    struct buf blob AUTO_BUF = BUF_INIT, again AUTO_BUF = BUF_INIT;
    fingerprint_encode(&fx, &blob);
    cr_assert(fingerprint_decode(&a, buf_str(&blob), &back));
    cr_expect(fingerprint_equal(&fx, &back));
    for (uint32_t i = 0; i < fx.n; i++)
        cr_expect(fx.prints[i].pair == back.prints[i].pair && fx.prints[i].field == back.prints[i].field);
    fingerprint_encode(&back, &again);
    cr_expect(str_eq(buf_str(&blob), buf_str(&again)));
    for (size_t n = 0; n < blob.len; n++)
        cr_expect_not(fingerprint_decode(&a, (struct str){blob.data, n}, &back), "cut at %zu", n);
    buf_addc(&blob, 0);
    cr_expect_not(fingerprint_decode(&a, buf_str(&blob), &back), "longer");
    struct fingerprint none = {NORMALISER_VERSION, 0, NULL};
    buf_reset(&blob);
    fingerprint_encode(&none, &blob);
    cr_expect(fingerprint_decode(&a, buf_str(&blob), &back) && back.n == 0);
    struct str longer_zero = {"\x01\x01\x80\x00", 4}; /* no prints, the number not in its shortest form */
    cr_expect_not(fingerprint_decode(&a, longer_zero, &back));
}

/* What decodes must encode to the same bytes again: there is one form of each fingerprint. */
Test(fingerprint, decode_takes_only_what_encode_writes)
{
    struct arena a AUTO_ARENA = ARENA_INIT;
    struct fingerprint fp = fingerprint_of(&a, parse(&a, STR(V3("N:a;b\r\nTEL:1\r\n")))), back;
    struct buf blob AUTO_BUF = BUF_INIT;
    fingerprint_encode(&fp, &blob);
    for (size_t at = 0; at < blob.len; at++) {
        for (int bit = 0; bit < 8; bit++) {
            blob.data[at] = (char)(blob.data[at] ^ 1 << bit);
            struct buf again AUTO_BUF = BUF_INIT;
            if (fingerprint_decode(&a, buf_str(&blob), &back)) {
                fingerprint_encode(&back, &again);
                cr_expect(str_eq(buf_str(&blob), buf_str(&again)), "byte %zu bit %d", at, bit);
            }
            blob.data[at] = (char)(blob.data[at] ^ 1 << bit);
        }
    }
}

Test(fingerprint, very_many_elements_are_cut)
{
    struct arena a AUTO_ARENA = ARENA_INIT;
    struct buf card AUTO_BUF = BUF_INIT;
    buf_adds(&card, "BEGIN:VCARD\r\nVERSION:3.0\r\n");
    for (int i = 0; i < 70; i++) {
        buf_adds(&card, "CATEGORIES:");
        for (int k = 0; k < 950; k++) buf_addf(&card, "c%d.%d,", i, k);
        buf_adds(&card, "z\r\n");
    }
    buf_adds(&card, "END:VCARD\r\n");
    const struct record *r = parse(&a, buf_str(&card));
    struct fingerprint fa, fb;
    fingerprint_both(&a, r, r, &fa, &fb);
    cr_expect(fa.n == UINT16_MAX - 1 && fingerprint_equal(&fa, &fb) && fingerprint_matches(&fa, r));
    cr_expect_eq(fa.prints[fa.n - 1].pair, fb.prints[fb.n - 1].pair);
}

/* -- random cards, and servers that write them in their own way -- */

static uint64_t state;

static unsigned random_below(unsigned n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % n;
}

static const char *const values[] = {
    "x",
    "Müller",
    "Zoe\xcc\x88",
    "a\\, b",
    "c\\;d",
    "line\\nnext",
    "back\\\\slash",
    "two  spaces",
    "日本語",
    "https://A.de/P?q=1",
    "+49 40 123",
    "a@B.de",
    "1996-04-15",
    "a;b;c;d;e",
    "Weg 1\\, Hof;Kiel;;24103;",
    "a,b,c",
    "",
    "=?x",
    "ends with colon:",
    "ſ ﬁ",
};
static const char *const names[] = {
    "N",    "FN",      "TEL",   "EMAIL",   "ADR", "ORG",   "TITLE", "NOTE", "URL", "CATEGORIES", "NICKNAME", "BDAY",
    "IMPP", "X-SKYPE", "X-FOO", "RELATED", "GEO", "LABEL", "ROLE",  "LANG", "TZ",  "X-ABDATE",   "X-BAR",    "REV",
};
static const char *const types[] = {"HOME", "WORK", "CELL", "FAX", "PREF", "VOICE", "X-Own", "INTERNET"};

struct line {
    int group; /* 0 = none */
    const char *name, *value;
    unsigned types; /* bit set */
    const char *param;
};

enum { LINES_MAX = 24 };

static size_t random_card(struct line *lines)
{
    size_t n = 1 + random_below(LINES_MAX - 1);
    for (size_t i = 0; i < n; i++) {
        lines[i] = (struct line){0, names[random_below(LENGTH(names))], values[random_below(LENGTH(values))], 0, NULL};
        if (random_below(2)) lines[i].types = random_below(256);
        if (!random_below(4)) lines[i].param = random_below(2) ? "X-P=one" : "X-Q=\"a;b\"";
        if (!random_below(5)) lines[i].group = 1 + (int)random_below(4);
        if (lines[i].group && random_below(2)) lines[i].name = "X-ABLabel";
    }
    return n;
}

enum style {
    STYLE_PLAIN,
    STYLE_SPLIT = 1,
    STYLE_LOWER = 2,
    STYLE_REFOLD = 4,
    STYLE_RENUMBER = 8,
    STYLE_LF = 16,
    STYLE_QUOTE = 32,
    STYLE_NOISE = 64,
    STYLE_ALL = 127
};

static void put_name(struct buf *out, const char *name, unsigned style)
{
    for (; *name; name++)
        buf_addc(out, style & STYLE_LOWER && *name >= 'A' && *name <= 'Z' ? (char)(*name + 32) : *name);
}

/* TYPE=A,B as one list, as one parameter each in reverse order, or quoted. */
static void put_types(struct buf *out, unsigned set, unsigned style)
{
    bool split = style & STYLE_SPLIT, first = true;
    for (int i = 0; i < 8; i++) {
        int at = split ? 7 - i : i;
        if (!(set & 1u << at)) continue;
        if (split || first) put_name(out, ";TYPE=", style);
        if (!split && !first) buf_addc(out, ',');
        if (style & STYLE_QUOTE) buf_addc(out, '"');
        put_name(out, types[at], style);
        if (style & STYLE_QUOTE) buf_addc(out, '"');
        first = false;
    }
}

/* Folds values only, anywhere in them, even inside a character. */
static void put_folded(struct buf *out, struct str line, size_t header_bytes, unsigned style)
{
    const char *end = style & STYLE_LF ? "\n" : "\r\n";
    size_t width = style & STYLE_REFOLD ? 1 + random_below(40) : 75;
    for (size_t i = 0; i < line.n; i++) {
        if (i > header_bytes && i % width == 0) {
            buf_adds(out, end);
            buf_addc(out, ' ');
        }
        buf_addc(out, line.p[i]);
    }
    buf_adds(out, end);
}

static void put_line(struct buf *out, const struct line *l, unsigned style)
{
    struct buf line AUTO_BUF = BUF_INIT;
    if (l->group)
        buf_addf(&line, style & STYLE_RENUMBER ? "ITEM%d." : "item%d.", l->group + (style & STYLE_RENUMBER ? 20 : 0));
    put_name(&line, l->name, style);
    if (l->param && style & STYLE_SPLIT) buf_addf(&line, ";%s", l->param);
    put_types(&line, l->types, style);
    if (l->param && !(style & STYLE_SPLIT)) buf_addf(&line, ";%s", l->param);
    if (style & STYLE_NOISE) buf_adds(&line, ";CHARSET=UTF-8");
    size_t header_bytes = line.len;
    buf_addf(&line, ":%s", l->value);
    put_folded(out, buf_str(&line), header_bytes, style);
}

static void write_card(struct buf *out, const struct line *lines, size_t n, unsigned style)
{
    const char *end = style & STYLE_LF ? "\n" : "\r\n";
    buf_addf(out, "BEGIN:VCARD%sVERSION:3.0%s", end, end);
    if (style & STYLE_NOISE) buf_addf(out, "PRODID:-//server//EN%s", end);
    for (size_t i = 0; i < n; i++) put_line(out, &lines[i], style);
    if (style & STYLE_NOISE) buf_addf(out, "REV:20260101T000000Z%sX-RADICALE-NAME:x%s", end, end);
    buf_addf(out, "END:VCARD%s", end);
}

static void expect_equal(const char *what, unsigned seed, struct str a, struct str b)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    const struct record *x = parse(&arena, a), *y = parse(&arena, b);
    struct fingerprint fx = fingerprint_of(&arena, x), fy = fingerprint_of(&arena, y);
    cr_expect(fingerprint_equal(&fx, &fy), "seed %u, %s:\n%.*s\n%.*s", seed, what, STR_ARG(a), STR_ARG(b));
    size_t n;
    const struct element *e = record_elements(x, &n);
    for (size_t i = 0; i + 1 < n; i++)
        cr_expect(e[i].key < e[i + 1].key || (e[i].key == e[i + 1].key && e[i].value < e[i + 1].value),
                  "seed %u: not sorted", seed);
}

/* Whole properties change places, with what their order means left alone: which of several once-only ones comes first,
 * how notes follow each other, and which label of a group is the first. */
static void shuffle(struct line *lines, size_t n)
{
    for (size_t tries = 0; tries < n * 3 && n > 1; tries++) {
        size_t i = random_below((unsigned)n - 1);
        struct line *a = &lines[i], *b = &lines[i + 1];
        bool labels =
            a->group && a->group == b->group && !strcmp(a->name, "X-ABLabel") && !strcmp(b->name, "X-ABLabel");
        bool dates = strstr("BDAY X-ABDATE", a->name) && strstr("BDAY X-ABDATE", b->name);
        if (labels || dates || !strcmp(a->name, b->name)) continue;
        struct line swap = *a;
        *a = *b;
        *b = swap;
    }
}

Test(fingerprint, rewritten_cards_are_unchanged)
{
    enum { SEEDS = 2000 };
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        state = seed;
        struct line lines[LINES_MAX];
        size_t n = random_card(lines);
        struct buf plain AUTO_BUF = BUF_INIT, styled AUTO_BUF = BUF_INIT, moved AUTO_BUF = BUF_INIT;
        write_card(&plain, lines, n, STYLE_PLAIN);
        write_card(&styled, lines, n, random_below(STYLE_ALL + 1));
        expect_equal("another style", seed, buf_str(&plain), buf_str(&styled));
        shuffle(lines, n);
        write_card(&moved, lines, n, STYLE_PLAIN);
        expect_equal("another order", seed, buf_str(&plain), buf_str(&moved));
    }
}

/* The other half of the promise: a character more in a value that counts is seen. */
Test(fingerprint, every_edit_is_seen)
{
    enum { SEEDS = 1000 };
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        state = seed;
        struct line lines[LINES_MAX];
        size_t n = random_card(lines);
        lines[n - 1] = (struct line){0, seed % 2 ? "TEL" : "X-FOO", "before", 0, NULL};
        struct buf plain AUTO_BUF = BUF_INIT, edited AUTO_BUF = BUF_INIT;
        write_card(&plain, lines, n, STYLE_PLAIN);
        lines[n - 1].value = "before!";
        write_card(&edited, lines, n, STYLE_PLAIN);
        struct arena a AUTO_ARENA = ARENA_INIT;
        struct fingerprint x = fingerprint_of(&a, parse(&a, buf_str(&plain))),
                           y = fingerprint_of(&a, parse(&a, buf_str(&edited)));
        cr_expect(!fingerprint_equal(&x, &y) && fingerprint_hash(&x) != fingerprint_hash(&y), "seed %u:\n%s", seed,
                  buf_cstr(&edited));
    }
}
