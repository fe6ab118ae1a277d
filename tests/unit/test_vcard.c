#include "mapping/vcard.h"

#include "mapping/phone.h"
#include "mapping/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define CARD(version, lines) "BEGIN:VCARD\r\nVERSION:" version "\r\n" lines "END:VCARD\r\n"

static struct vcard *parse(struct arena *a, struct str bytes)
{
    struct vcard *c = NULL;
    struct fault why AUTO_FAULT = FAULT_INIT;
    return vcard_parse(a, bytes, &c, &why) ? NULL : c;
}

static const struct property *find(const struct vcard *c, const char *name)
{
    for (size_t i = 0; i < c->n_props; i++)
        if (str_eq(c->props[i].name, str_of(name))) return &c->props[i];
    return NULL;
}

/* One row a trap of the page: what stands in the card, and what must be read. */
static const struct {
    const char *what, *card, *property, *value;
} traps[] = {
    {"fold takes one space", CARD("3.0", "NOTE:one\r\n  two\r\n"), "NOTE", "one two"},
    {"fold takes one tab", CARD("3.0", "NOTE:on\r\n\te\r\n"), "NOTE", "one"},
    {"LF only", "BEGIN:VCARD\nVERSION:3.0\nFN:a\nEND:VCARD\n", "FN", "a"},
    {"CR only", "BEGIN:VCARD\rVERSION:3.0\rFN:a\rEND:VCARD\r", "FN", "a"},
    {"CR CR LF", "BEGIN:VCARD\r\r\nVERSION:3.0\r\r\nFN:a\r\r\nEND:VCARD\r\r\n", "FN", "a"},
    {"2.1 fold keeps white space", CARD("2.1", "NOTE:one\r\n two\r\n"), "NOTE", "one two"},
    {"fold inside a character", CARD("3.0", "FN:J\xc3\r\n \xbcrgen\r\n"), "FN", "Jürgen"},
    {"fold inside the name", CARD("3.0", "NO\r\n TE:x\r\n"), "NOTE", "x"},
    {"quoted-printable", CARD("2.1", "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=BCrgen\r\n"), "FN", "Jürgen"},
    {"bare quoted-printable", CARD("2.1", "FN;CHARSET=UTF-8;QUOTED-PRINTABLE:J=C3=BCrgen\r\n"), "FN", "Jürgen"},
    {"soft break", CARD("2.1", "NOTE;ENCODING=QUOTED-PRINTABLE:one=\r\ntwo\r\n"), "NOTE", "onetwo"},
    {"soft break and fold", CARD("2.1", "NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=\r\n =BCrgen\r\n"), "NOTE", "Jürgen"},
    {"without QP a trailing = is data", CARD("3.0", "NOTE:1+1=\r\nFN:x\r\n"), "NOTE", "1+1="},
    {"broken QP escape stays", CARD("2.1", "NOTE;ENCODING=QUOTED-PRINTABLE:=0 =XY =41\r\n"), "NOTE", "=0 =XY A"},
    {"Latin-1 named", CARD("2.1", "FN;CHARSET=ISO-8859-1:J\xfcrgen\r\n"), "FN", "Jürgen"},
    {"Latin-1 not named", CARD("3.0", "FN:J\xfcrgen\r\n"), "FN", "Jürgen"},
    {"Shift_JIS backslash byte", CARD("2.1", "FN;CHARSET=SHIFT_JIS:\x95\x5c\r\n"), "FN", "表"},
    {"colon inside quotes", CARD("3.0", "ADR;LABEL=\"a:b;c\":;;x\r\n"), "ADR", ";;x"},
    {"quote never closes", CARD("3.0", "ADR;LABEL=\"a:;;x\r\n"), "ADR", ";;x"},
    {"base64 closed by a blank line", CARD("2.1", "PHOTO;ENCODING=BASE64:AAAA\r\n BBBB\r\n\r\n"), "PHOTO", "AAAABBBB"},
    {"base64 not indented", CARD("2.1", "PHOTO;BASE64:AAAA\r\nBBBB\r\nFN:x\r\n"), "PHOTO", "AAAABBBB"},
    {"note not indented", CARD("2.1", "NOTE:one\r\ntwo\r\n"), "NOTE", "one\\ntwo"},
    {"note before a folded header", CARD("3.0", "NOTE:one\r\nPHOTO;X-CROP=1;ENCO\r\n DING=b:AAAA\r\n"), "NOTE", "one"},
    {"name in lower case", CARD("3.0", "fn:x\r\n"), "FN", "x"},
    {"group", CARD("3.0", "item1.TEL:1\r\n"), "TEL", "1"},
    {"odd names", CARD("3.0", "X-MESSAGING/aim-All:n\r\n"), "X-MESSAGING/AIM-ALL", "n"},
    {"blank lines between", CARD("3.0", "\r\n  \r\nFN:x\r\n"), "FN", "x"},
    {"BOM", "\xef\xbb\xbf" CARD("3.0", "FN:x\r\n"), "FN", "x"},
    {"END missing", "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:x\r\n", "FN", "x"},
    {"a card as text", CARD("3.0", "NOTE:\\nBEGIN:VCARD\\n\r\n"), "NOTE", "\\nBEGIN:VCARD\\n"},
    {"agent", CARD("2.1", "AGENT:\r\nBEGIN:VCARD\r\nFN:y\r\nEND:VCARD\r\nFN:x\r\n"), "FN", "x"},
};

Test(vcard, traps_are_read_and_written_back)
{
    for (size_t i = 0; i < sizeof traps / sizeof *traps; i++) {
        struct arena a AUTO_ARENA = ARENA_INIT;
        struct vcard *c = parse(&a, str_of(traps[i].card));
        cr_expect_not_null(c, "%s: unreadable", traps[i].what);
        if (!c) continue;
        const struct property *p = find(c, traps[i].property);
        cr_expect_not_null(p, "%s: no %s", traps[i].what, traps[i].property);
        if (p) cr_expect(str_eq(p->value, str_of(traps[i].value)), "%s: read \"%.*s\"", traps[i].what, STR_ARG(p->value));
        struct buf out AUTO_BUF = BUF_INIT;
        vcard_write_raw(c, &out);
        cr_expect(str_eq(buf_str(&out), str_of(traps[i].card)), "%s: written back differently", traps[i].what);
    }
}

static const struct {
    const char *what, *card;
} unreadable[] = {
    {"empty", ""},
    {"only white space", "\r\n \r\n"},
    {"an HTML page", "<html><body>BEGIN:VCARD</body></html>"},
    {"a calendar", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"},
    {"two cards", CARD("3.0", "FN:a\r\n") CARD("3.0", "FN:b\r\n")},
    {"a card inside a card", CARD("3.0", "FN:a\r\nBEGIN:VCARD\r\nEND:VCARD\r\n")},
};

Test(vcard, refuses_what_is_no_single_card)
{
    for (size_t i = 0; i < sizeof unreadable / sizeof *unreadable; i++) {
        struct arena a AUTO_ARENA = ARENA_INIT;
        cr_expect_null(parse(&a, str_of(unreadable[i].card)), "%s", unreadable[i].what);
    }
    struct arena a AUTO_ARENA = ARENA_INIT;
    cr_expect_null(parse(&a, STR("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:a\0b\r\nEND:VCARD\r\n")), "NUL");
}

Test(vcard, parameters_in_all_spellings)
{
    static const char *const cards[] = {
        CARD("3.0", "TEL;TYPE=HOME,CELL:1\r\n"),         CARD("3.0", "TEL;type=home;type=cell:1\r\n"),
        CARD("2.1", "TEL;HOME;CELL:1\r\n"),              CARD("4.0", "TEL;TYPE=\"home,cell\":1\r\n"),
        CARD("3.0", "TEL;TYPE=HOME\\,CELL:1\r\n"),       CARD("3.0", "TEL;;TYPE=HOME,,CELL;:1\r\n"),
    };
    for (size_t i = 0; i < sizeof cards / sizeof *cards; i++) {
        struct arena a AUTO_ARENA = ARENA_INIT;
        struct vcard *c = parse(&a, str_of(cards[i]));
        const struct property *p = c ? find(c, "TEL") : NULL;
        cr_assert_not_null(p, "row %zu", i);
        cr_expect(property_has_type(p, "HOME") && property_has_type(p, "CELL"), "row %zu", i);
    }
}

Test(vcard, utf16_is_read)
{
    const char *text = CARD("3.0", "FN:Müller\r\n");
    struct buf wide AUTO_BUF = BUF_INIT;
    buf_add(&wide, "\xff\xfe", 2);
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == 0xc3) { /* ü */
            buf_add(&wide, "\xfc\0", 2);
            p++;
            continue;
        }
        buf_addc(&wide, (char)*p);
        buf_addc(&wide, '\0');
    }
    struct arena a AUTO_ARENA = ARENA_INIT;
    struct vcard *c = parse(&a, buf_str(&wide));
    cr_assert_not_null(c);
    cr_assert(str_eq(find(c, "FN")->value, STR("Müller")));
    cr_assert(c->flags & VCARD_CONVERTED);
}

/* Whatever is accepted is written back byte for byte: seeded mutations of the cards above. */
Test(vcard, any_accepted_input_comes_back)
{
    unsigned seed = 20261123;
    printf("seed %u\n", seed);
    for (int round = 0; round < 20000; round++) {
        struct buf card AUTO_BUF = BUF_INIT;
        buf_adds(&card, traps[rand_r(&seed) % (sizeof traps / sizeof *traps)].card);
        for (int k = rand_r(&seed) % 4; k > 0; k--) {
            size_t at = (size_t)rand_r(&seed) % card.len;
            card.data[at] = "\r\n :;=\"\\AZ,."[rand_r(&seed) % 12];
        }
        struct arena a AUTO_ARENA = ARENA_INIT;
        struct vcard *c = parse(&a, buf_str(&card));
        if (!c) continue;
        struct buf out AUTO_BUF = BUF_INIT;
        vcard_write_raw(c, &out);
        cr_assert(str_eq(buf_str(&out), buf_str(&card)), "round %d:\n%s", round, card.data);
    }
}

Test(vcard, folding_is_undone_by_parsing)
{
    unsigned seed = 7;
    static const char *const pieces[] = {"a", "ü", "\\n", "\\,", "表", "e\xcc\x81", " ", "😀", "^n", "xyz"};
    for (int round = 0; round < 2000; round++) {
        struct buf line AUTO_BUF = BUF_INIT, card AUTO_BUF = BUF_INIT;
        buf_adds(&line, "NOTE:");
        for (int k = rand_r(&seed) % 300; k > 0; k--) buf_adds(&line, pieces[rand_r(&seed) % 10]);
        buf_adds(&card, "BEGIN:VCARD\r\nVERSION:3.0\r\n");
        vcard_fold(&card, buf_str(&line), true);
        buf_adds(&card, "END:VCARD\r\n");
        for (struct str rest = buf_str(&card); rest.p;) {
            struct str physical = str_split(&rest, '\n');
            cr_assert_leq(physical.n, 76u); /* 75 and the CR */
            cr_assert(text_is_utf8(physical));
        }
        struct arena a AUTO_ARENA = ARENA_INIT;
        struct vcard *c = parse(&a, buf_str(&card));
        cr_assert_not_null(c);
        struct str value = {line.data + 5, line.len - 5};
        cr_assert(str_eq(find(c, "NOTE")->value, value), "round %d", round);
    }
}

Test(vcard, hostile_sizes_stay_linear)
{
    struct buf card AUTO_BUF = BUF_INIT;
    buf_adds(&card, "BEGIN:VCARD\rVERSION:3.0\rNOTE:");
    for (int i = 0; i < 1000000; i++) buf_adds(&card, "\r x");
    buf_adds(&card, "\rTEL;TYPE=\"");
    for (int i = 0; i < 1000000; i++) buf_addc(&card, ',');
    buf_adds(&card, ":1\rEND:VCARD\r");
    struct arena a AUTO_ARENA = ARENA_INIT;
    cr_assert_null(parse(&a, buf_str(&card))); /* the list is over its limit; the time limit of the run is the test */
}

Test(text, folds_as_a_phone_book)
{
    static const char *const rows[][2] = {{"Müller-Lüdenscheidt ", "mueller luedenscheidt"}, {"MUELLER", "mueller"}, {"Weiß", "weiss"},
                                          {"Åkesson", "akesson"}, {"Nguyễn", "nguyen"}, {"Yılmaz", "yilmaz"}, {"  ", ""},
                                          {"O'Brien", "o brien"}, {"山田", "山田"}, {"Lefe\xcc\x80vre", "lefevre"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena a AUTO_ARENA = ARENA_INIT;
        struct str folded = text_fold(&a, str_of(rows[i][0]));
        cr_expect(str_eq(folded, str_of(rows[i][1])), "%s: %.*s", rows[i][0], STR_ARG(folded));
    }
}

Test(phone, keys)
{
    static const char *const rows[][2] = {
        {"0171 1234567", "+491711234567"}, {"+49 (171) 123-4567", "+491711234567"}, {"**620", "raw:**620"}, {"112", "raw:112"},
        {"0800-FLOWERS", "raw:0800-FLOWERS"}, {"+4940 31000101;ext=5", "+494031000101;ext=5"}, {"", "raw:"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf key AUTO_BUF = BUF_INIT;
        phone_key(str_of(rows[i][0]), "DE", &key);
        cr_expect_str_eq(buf_cstr(&key), rows[i][1], "%s", rows[i][0]);
    }
}

Test(base64, both_ways)
{
    static const char *const rows[][2] = {{"", ""}, {"Zg==", "f"}, {"Zg", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"}, {"Zm 9v\r\n", "foo"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out AUTO_BUF = BUF_INIT;
        cr_expect(base64_decode(str_of(rows[i][0]), &out), "row %zu", i);
        cr_expect_str_eq(buf_cstr(&out), rows[i][1]);
    }
    struct buf out AUTO_BUF = BUF_INIT;
    cr_expect_not(base64_decode(STR("Zm:9v"), &out));
    cr_expect_not(base64_decode(STR("Zm9vZ"), &out));
}
