/* What an edit makes of a card, byte by byte; files into cards; typed fields into records. */
#include "mapping/record_impl.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define CARD(version, lines) "BEGIN:VCARD\r\nVERSION:" version "\r\n" lines "END:VCARD\r\n"
#define V2(lines) CARD("2.1", lines)
#define V3(lines) CARD("3.0", lines)
#define V4(lines) CARD("4.0", lines)
#define LENGTH(a) (sizeof(a) / sizeof *(a))

static const struct hash_key key = {"a test's own key"};
static const struct write_form keep = {0};

static struct record *parse(struct arena *arena, const char *text)
{
    struct fault why AUTO_FAULT = FAULT_INIT;
    struct record *r = record_parse(arena, RECORD_CONTACT, str_of(text), &key, &why);
    cr_assert(r, "%s in\n%s", why.what ? why.what : "?", text);
    return r;
}

/* "tel;CELL=1": the element of that key and value, or the first of that key where no value is named. */
static const struct element *find(const struct record *r, const char *wanted)
{
    if (!wanted) return NULL;
    size_t n;
    const struct element *e = record_elements(r, &n);
    struct str value = str_of(wanted), name = str_split(&value, '=');
    for (size_t i = 0; i < n; i++)
        if (str_eq(e[i].key_text, name) && (!value.p || str_eq(e[i].value_text, value))) return &e[i];
    cr_assert_fail("no element %s in\n%.*s", wanted, STR_ARG(r->bytes));
    return NULL;
}

/* target and source name the elements of one edit; NULL = none: an addition, a removal. */
static const struct {
    const char *what, *card, *target, *from, *source, *wanted;
} edited[] = {
    {"a value, in place", V3("TEL;TYPE=CELL;X-A=1:1\r\nFN:x\r\n"), "tel;CELL", V3("TEL;TYPE=CELL:2\r\n"), "tel;CELL",
     V3("TEL;TYPE=CELL;X-A=1:2\r\nFN:x\r\n")},
    {"group and spelling stay", V3("Item7.tel;type=Home:1\r\nItem7.X-ABLabel:L\r\n"), "tel;HOME;L", V3("a.TEL;TYPE=HOME:2\r\na.X-ABLABEL:L\r\n"),
     "tel;HOME;L", V3("Item7.tel;type=Home:2\r\nItem7.X-ABLabel:L\r\n")},
    {"line ends of the card", "BEGIN:VCARD\nVERSION:3.0\nTEL:1\nEND:VCARD\n", "tel", V3("TEL:2\r\n"), "tel",
     "BEGIN:VCARD\nVERSION:3.0\nTEL:2\nEND:VCARD\n"},
    {"another key: parameters of the source", V3("TEL;TYPE=HOME:1\r\n"), "tel;HOME", V3("TEL;TYPE=WORK;X-B=2:1\r\n"), "tel;WORK",
     V3("TEL;TYPE=WORK;X-B=2:1\r\n")},
    {"a label goes with its property", V3("item1.URL:u\r\nitem1.X-ABLabel:L\r\nFN:x\r\n"), "url;;L", NULL, NULL, V3("FN:x\r\n")},
    {"a shared label stays", V3("a.URL:u\r\na.TEL:1\r\na.X-ABLabel:L\r\n"), "url;;L", NULL, NULL, V3("a.TEL:1\r\na.X-ABLabel:L\r\n")},
    {"a label comes with its property", V3("item1.TEL:1\r\n"), NULL, V3("item1.URL:u\r\nitem1.X-ABLabel:L\r\n"), "url;;L",
     V3("item1.TEL:1\r\nitem2.URL:u\r\nitem2.X-ABLabel:L\r\n")},
    {"a custom field: its label stays", V3("item1.X-HUB-NR:1\r\nitem1.X-ABLabel:Nummer\r\n"), "custom;NR", V3("item1.X-ABLabel:Nr.\r\nitem1.X-HUB-NR:2\r\n"),
     "custom;NR", V3("item1.X-HUB-NR:2\r\nitem1.X-ABLabel:Nummer\r\n")},
    {"a custom field goes with its label", V3("item1.X-HUB-NR:1\r\nitem1.X-ABLabel:Nummer\r\nFN:x\r\n"), "custom;NR", NULL, NULL, V3("FN:x\r\n")},
    {"all occurrences go", V3("TEL:1\r\nFN:x\r\nTEL:1\r\n"), "tel", NULL, NULL, V3("FN:x\r\n")},
    {"all birthdays go", V3("BDAY:1980-01-02\r\nBDAY:1980-03-04\r\n"), "bday", NULL, NULL, V3("")},
    {"all anniversaries go", V3("X-ANNIVERSARY:2001-02-03\r\na.X-ABDATE:2002-02-03\r\na.X-ABLabel:_$!<Anniversary>!$_\r\n"), "anniversary", NULL, NULL,
     V3("")},
    {"notes become one", V3("NOTE:a\r\nFN:x\r\nNOTE:b\r\n"), "note", V3("NOTE:c\r\n"), "note", V3("NOTE:c\r\nFN:x\r\n")},
    {"one component of N", V3("N;LANGUAGE=de:A;B;C;;\r\nFN:Chefin\r\n"), "name.given", V3("N:X;Y\r\n"), "name.given",
     V3("N;LANGUAGE=de:A;Y;C;;\r\nFN:Chefin\r\n")},
    {"FN follows N", V3("N:A;B;;;\r\nFN:B A\r\n"), "name.family", V3("N:X;Y\r\n"), "name.family", V3("N:X;B;;;\r\nFN:B X\r\n")},
    {"FN falls back to N", V3("N:A;B;;;\r\nFN:Chefin\r\n"), "fn", NULL, NULL, V3("N:A;B;;;\r\nFN:B A\r\n")},
    {"one item of a list", V3("CATEGORIES:a,b\\,c,d\r\nCATEGORIES:e\r\n"), "category=b,c", V3("CATEGORIES:x,y\r\n"), "category=y",
     V3("CATEGORIES:a,y,d\r\nCATEGORIES:e\r\n")},
    {"an item less", V3("CATEGORIES:a,b\r\n"), "category=a", NULL, NULL, V3("CATEGORIES:b\r\n")},
    {"an item more", V3("CATEGORIES:a\r\n"), NULL, V3("CATEGORIES:b,c\r\n"), "category=c", V3("CATEGORIES:a,c\r\n")},
    {"the last item", V3("CATEGORIES:a\r\n"), "category", NULL, NULL, V3("")},
    {"unknown properties are raw", V3("X-A:1\r\n"), "x;X-A", V3("X-A:a\\,b;c\r\n"), "x;X-A", V3("X-A:a\\,b;c\r\n")},
    {"no address, but its label", V4("ADR;LABEL=\"im Hof\":;;s\r\n"), "adr", NULL, NULL, V4("LABEL:im Hof\r\n")},
    {"from 4.0 to 3.0", V3("FN:x\r\n"), NULL, V4("BDAY:--0412\r\n"), "bday", V3("FN:x\r\nBDAY;X-APPLE-OMIT-YEAR=1604:1604-04-12\r\n")},
    {"from 3.0 to 4.0", V4("FN:x\r\n"), NULL, V3("PHOTO;ENCODING=b;TYPE=PNG:AAAA\r\n"), "photo", V4("FN:x\r\nPHOTO:data:image/png;base64,AAAA\r\n")},
    {"position to 4.0", V4("FN:x\r\n"), NULL, V3("GEO:1.5;2.5\r\n"), "geo", V4("FN:x\r\nGEO:geo:1.5,2.5\r\n")},
    {"position to 3.0", V3("FN:x\r\n"), NULL, V4("GEO:geo:1.5,2.5\r\n"), "geo", V3("FN:x\r\nGEO:1.5;2.5\r\n")},
    {"preference to 4.0", V4("FN:x\r\n"), NULL, V3("TEL;TYPE=CELL,PREF:1\r\n"), "tel;CELL", V4("FN:x\r\nTEL;TYPE=CELL;PREF=1:1\r\n")},
    {"quoted-printable brings no lines", V3("FN:x\r\n"), NULL, V2("TITLE;ENCODING=QUOTED-PRINTABLE:a=0D=0ATEL:666\r\n"), "title",
     V3("FN:x\r\nTITLE:a\\nTEL:666\r\n")},
    {"nor does an unknown property", V3("FN:x\r\n"), NULL, V2("X-A;ENCODING=QUOTED-PRINTABLE:a=0D=0AEND:VCARD\r\n"), "x;X-A",
     V3("FN:x\r\nX-A:a\\nEND:VCARD\r\n")},
    {"nor does a phone", V3("FN:x\r\n"), NULL, V2("TEL;ENCODING=QUOTED-PRINTABLE:1=0ATEL:666\r\n"), "tel", V3("FN:x\r\nTEL:1\\nTEL:666\r\n")},
    {"a path of Windows", V3("FN:x\r\n"), NULL, V2("NOTE;ENCODING=QUOTED-PRINTABLE:C:\\neu\r\n"), "note", V3("FN:x\r\nNOTE:C:\\\\neu\r\n")},
};

Test(vcard_write, what_an_edit_makes)
{
    for (size_t i = 0; i < LENGTH(edited); i++) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct buf out AUTO_BUF = BUF_INIT;
        struct fault f AUTO_FAULT = FAULT_INIT;
        const struct record *r = parse(&arena, edited[i].card), *from = edited[i].from ? parse(&arena, edited[i].from) : NULL;
        struct edit e = {.target = find(r, edited[i].target), .source = from ? find(from, edited[i].source) : NULL, .source_record = from};
        e.kind = !e.target ? EDIT_ADD : e.source ? EDIT_SET : EDIT_REMOVE;
        enum fault_code code = record_write_edited(r, &e, 1, &keep, &out, &f);
        cr_expect(!code && !strcmp(buf_cstr(&out), edited[i].wanted), "%s:\n%s", edited[i].what, buf_cstr(&out));
    }
}

Test(vcard_write, address_and_label_travel_together)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct buf out AUTO_BUF = BUF_INIT;
    const struct record *r = parse(&arena, V4("FN:x\r\n")), *from = parse(&arena, V4("ADR;LABEL=\"im Hof\":;;s\r\n"));
    const struct edit both[] = {{EDIT_ADD, NULL, find(from, "adr"), from}, {EDIT_ADD, NULL, find(from, "adrlabel"), from}};
    record_write_edited(r, both, 2, &keep, &out, NULL);
    cr_expect_str_eq(buf_cstr(&out), V4("FN:x\r\nADR;LABEL=\"im Hof\":;;s\r\n"));
    buf_reset(&out);
    record_write_edited(r, both, 1, &keep, &out, NULL);
    cr_expect_str_eq(buf_cstr(&out), V4("FN:x\r\nADR:;;s\r\n"), "the label was not asked for");
}

static const struct {
    const char *what, *card, *wanted;
    unsigned versions;
} fitted[] = {
    {"nothing to do", V3("UID:u\r\nN:a;;;;\r\nFN:a\r\n"), V3("UID:u\r\nN:a;;;;\r\nFN:a\r\n"), WRITE_V30},
    {"4.0 needs no N", V4("UID:u\r\nFN:a\r\n"), V4("UID:u\r\nFN:a\r\n"), WRITE_V30 | WRITE_V40},
    {"control characters", V3("UID:u\r\nN:a;;;;\r\nFN:a\x01" "b\r\n"), V3("UID:u\r\nN:a;;;;\r\nFN:ab\r\n"), WRITE_V30},
    {"bookkeeping twice", V3("REV:1\r\nUID:u\r\nVERSION:3.0\r\nPRODID:a\r\nN:a;;;;\r\nFN:a\r\nREV:2\r\nPRODID:b\r\nUID:v\r\n"),
     V3("UID:u\r\nN:a;;;;\r\nFN:a\r\nREV:2\r\nPRODID:b\r\n"), WRITE_V30},
    {"lines that are no properties", V3("UID:u\r\nN:a;;;;\r\nFN:a\r\nkein Feld\r\n"), V3("UID:u\r\nN:a;;;;\r\nFN:a\r\n"), WRITE_V30},
    {"lists of 2.1", V2("UID:u\r\nN:a;b,c;;;\r\nFN:a\r\nCATEGORIES:d,e\r\n"), V3("UID:u\r\nN:a;b,c;;;\r\nFN:a\r\nCATEGORIES:d,e\r\n"), WRITE_V30},
    {"a card in a card", V2("UID:u\r\nN:a\r\nFN:a\r\nAGENT:\r\nBEGIN:VCARD\r\nN:b;c\r\nEND:VCARD\r\n"),
     V3("UID:u\r\nN:a\r\nFN:a\r\nAGENT:BEGIN:VCARD\\nN:b\\;c\\nEND:VCARD\r\n"), WRITE_V30},
    {"bytes nobody knows", V3("UID:u\r\nFN:a\r\nX-B;ENCODING=b:AAAA\r\n"), V4("UID:u\r\nFN:a\r\nX-B;ENCODING=b:AAAA\r\n"), WRITE_V40},
};

Test(vcard_write, what_a_strict_server_gets)
{
    for (size_t i = 0; i < LENGTH(fitted); i++) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct buf out AUTO_BUF = BUF_INIT;
        const struct write_form form = {.versions = fitted[i].versions, .strict = true};
        enum fault_code code = record_write_new(parse(&arena, fitted[i].card), &form, &out, NULL);
        cr_expect(!code && !strcmp(buf_cstr(&out), fitted[i].wanted), "%s:\n%s", fitted[i].what, buf_cstr(&out));
    }
}

/* -- files -- */

struct pieces {
    struct buf text;
    unsigned n, most;
};

static bool take_piece(void *ctx, struct str bytes)
{
    struct pieces *p = ctx;
    buf_addf(&p->text, "[%.*s]", STR_ARG(bytes));
    return ++p->n < p->most;
}

#define C(name) "BEGIN:VCARD\nFN:" name "\nEND:VCARD\n"
static const struct {
    const char *what, *file, *wanted;
    unsigned most;
} files[] = {
    {"nothing", "", "", 9},
    {"two cards", C("a") C("b"), "[" C("a") "][" C("b") "]", 9},
    {"what stands between", "# x\n" C("a") "\n\njunk\n" C("b") "tail", "[" C("a") "][" C("b") "]", 9},
    {"BOM, case and white space", "\xef\xbb\xbf" "begin:vcard \nFN:a\nEnd : VCard\n", "[begin:vcard \nFN:a\nEnd : VCard\n]", 9},
    {"a card inside a card", "BEGIN:VCARD\nAGENT:\n" C("i") "FN:a\nEND:VCARD\n" C("b"), "[BEGIN:VCARD\nAGENT:\n" C("i") "FN:a\nEND:VCARD\n][" C("b") "]", 9},
    {"an end that is missing", C("a") "BEGIN:VCARD\nFN:b\n", "[" C("a") "][BEGIN:VCARD\nFN:b\n]", 9},
    {"stopped", C("a") C("b"), "[" C("a") "]", 1},
};

Test(records_split, files)
{
    for (size_t i = 0; i < LENGTH(files); i++) {
        struct pieces p = {.text = BUF_INIT, .most = files[i].most};
        bool whole = records_split(RECORD_CONTACT, str_of(files[i].file), take_piece, &p);
        cr_expect(!strcmp(buf_cstr(&p.text), files[i].wanted) && whole == (files[i].most > 1), "%s: %s", files[i].what, buf_cstr(&p.text));
        buf_free(&p.text);
    }
}

Test(records_split, one_card_without_its_end_does_not_swallow_the_rest)
{
    struct pieces p = {.text = BUF_INIT, .most = 9};
    records_split(RECORD_CONTACT, str_of("BEGIN:VCARD\nFN:a\n" C("b") C("c")), take_piece, &p);
    cr_expect_str_eq(buf_cstr(&p.text), "[BEGIN:VCARD\nFN:a\n][" C("b") "][" C("c") "]");
    buf_free(&p.text);
}

/* -- typed fields -- */

static const struct {
    const char *field, *value, *key, *wanted;
} typed[] = {
    {"tel;CELL", "+49 171 1", "tel;CELL", "+49 171 1"},
    {"tel;cell,work;Zentrale", "1", "tel;CELL,WORK;Zentrale", "1"},
    {"note", "a\nb; c, d", "note", "a\nb; c, d"},
    {"name.family", "Groß; Klein", "name.family", "Groß; Klein"},
    {"org", "Firma; Abteilung", "org", "Firma\x1f" "Abteilung"},
    {"adr;HOME", ";;Weg 1;Kiel", "adr;HOME", "\x1f\x1fWeg 1\x1fKiel"},
    {"bday", "1980-01-02", "bday", "1980-01-02"},
    {"category", "rot, blau", "category", "rot, blau"},
    {"title", "a\r\nEND:VCARD", "title", "a\nEND:VCARD"},
    {"fn", "Lale", "fn", "Lale"},
    {"custom;KUNDENNUMMER;Kundennummer", "47;11", "custom;KUNDENNUMMER", "47;11"},
    {"url", "http://a.de/?a,b;c", "url", "http://a.de/?a,b;c"},
};

Test(record_from_pairs, typed)
{
    for (size_t i = 0; i < LENGTH(typed); i++) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct fault f AUTO_FAULT = FAULT_INIT;
        const struct str pair[1][2] = {{str_of(typed[i].field), str_of(typed[i].value)}};
        struct record *r = record_from_pairs(&arena, RECORD_CONTACT, pair, 1, &key, &f);
        cr_assert(r, "%s: %s", typed[i].field, f.what ? f.what : "?");
        size_t n;
        const struct element *e = record_elements(r, &n);
        cr_expect(n == 1 && str_eq(e->key_text, str_of(typed[i].key)) && str_eq(e->value_text, str_of(typed[i].wanted)), "%s: %zu, %.*s = %.*s",
                  typed[i].field, n, n ? (int)e->key_text.n : 0, n ? e->key_text.p : "", n ? (int)e->value_text.n : 0, n ? e->value_text.p : "");
    }
}

Test(record_from_pairs, unknown_field)
{
    static const char *const unknown[] = {"telefon", "custom", "custom;", "custom;A B", "custom;A:1", "custom;\xc3\x9c"};
    for (size_t i = 0; i < LENGTH(unknown); i++) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct fault f AUTO_FAULT = FAULT_INIT;
        const struct str pair[1][2] = {{str_of(unknown[i]), STR("1")}};
        cr_expect_null(record_from_pairs(&arena, RECORD_CONTACT, pair, 1, &key, &f), "%s", unknown[i]);
        cr_expect_eq(f.code, FAULT_USAGE, "%s", unknown[i]);
    }
}

/* What a card of somebody who knows no custom fields becomes when it replaces one that has them. */
static const struct {
    const char *what, *old, *card, *wanted;
} kept[] = {
    {"nothing to keep: the very bytes", V3("TEL:1\r\n"), "BEGIN:VCARD\nVERSION:3.0\nTEL:2\nEND:VCARD\n",
     "BEGIN:VCARD\nVERSION:3.0\nTEL:2\nEND:VCARD\n"},
    {"a field with its label", V3("item1.X-HUB-NR:47\\;11\r\nitem1.X-ABLabel:Nummer\r\nTEL:1\r\n"), V3("item1.URL:u\r\nitem1.X-ABLabel:L\r\n"),
     V3("item1.URL:u\r\nitem1.X-ABLabel:L\r\nitem2.X-HUB-NR:47\\;11\r\nitem2.X-ABLabel:Nummer\r\n")},
    {"one of two", V3("X-HUB-A:1\r\nX-HUB-B:2\r\n"), V3("X-HUB-A:3\r\n"), V3("X-HUB-A:3\r\nX-HUB-B:2\r\n")},
    {"into another version", V3("X-HUB-A:1\r\n"), V4("FN:x\r\n"), V4("FN:x\r\nX-HUB-A:1\r\n")},
};

Test(vcard_write, custom_fields_survive_who_does_not_know_them)
{
    for (size_t i = 0; i < LENGTH(kept); i++) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct fault f AUTO_FAULT = FAULT_INIT;
        struct buf out AUTO_BUF = BUF_INIT;
        cr_expect_eq(record_write_keeping(parse(&arena, kept[i].card), parse(&arena, kept[i].old), &out, &f), FAULT_NONE);
        cr_expect_str_eq(buf_cstr(&out), kept[i].wanted, "%s:\n%s", kept[i].what, buf_cstr(&out));
    }
}

Test(record_from_pairs, unknown_field_is_named)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct fault f AUTO_FAULT = FAULT_INIT;
    const struct str pair[1][2] = {{STR("telefon"), STR("1")}};
    cr_assert_null(record_from_pairs(&arena, RECORD_CONTACT, pair, 1, &key, &f));
    cr_expect_eq(f.code, FAULT_USAGE);
}
