#include "mapping/record.h"

#include "base/mem.h"
#include "mapping/vcard_fields.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define CARD(version, lines) "BEGIN:VCARD\r\nVERSION:" version "\r\n" lines "END:VCARD\r\n"
#define V3(lines) CARD("3.0", lines)
#define V4(lines) CARD("4.0", lines)
#define V2(lines) CARD("2.1", lines)
#define LENGTH(a) (sizeof(a) / sizeof *(a))

static const struct hash_key key = {"a test's own key"};

static struct record *parse(struct arena *a, struct str bytes)
{
    struct fault why AUTO_FAULT = FAULT_INIT;
    struct record *r = record_parse(a, RECORD_CONTACT, bytes, &key, &why);
    if (!r) printf("unreadable: %s\n%.*s\n", why.what ? why.what : "?", STR_ARG(bytes));
    return r;
}

static void dump(const char *side, const struct element *e, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf("  %s: %.*s = \"%.*s\"\n", side, STR_ARG(e[i].key_text), STR_ARG(e[i].value_text));
}

static bool same_elements(struct str a, struct str b, bool show)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    const struct record *x = parse(&arena, a), *y = parse(&arena, b);
    cr_assert(x && y);
    size_t n, m;
    const struct element *e = record_elements(x, &n), *f = record_elements(y, &m);
    bool same = n == m;
    for (size_t i = 0; same && i < n; i++)
        same = e[i].key == f[i].key && e[i].value == f[i].value && str_eq(e[i].key_text, f[i].key_text) &&
               str_eq(e[i].value_text, f[i].value_text);
    if (same != show) return same;
    dump("a", e, n);
    dump("b", f, m);
    return same;
}

/* One row a spelling that means the same (protocols: vcard 9, 9.1). */
static const struct {
    const char *what, *a, *b;
} equal[] = {
    {"order of properties", V3("TEL:1\r\nEMAIL:a@b.de\r\n"), V3("EMAIL:a@b.de\r\nTEL:1\r\n")},
    {"folding", V3("NOTE:one two\r\n"), V3("NOTE:one\r\n  two\r\n")},
    {"line ends", V3("NOTE:x\r\n"), "BEGIN:VCARD\nVERSION:3.0\nNOTE:x\nEND:VCARD\n"},
    {"case of names", V3("TEL;TYPE=HOME:1\r\n"), V3("tel;type=home:1\r\n")},
    {"order of types", V3("TEL;TYPE=HOME,CELL:1\r\n"), V3("TEL;TYPE=CELL;TYPE=HOME:1\r\n")},
    {"types twice", V3("TEL;TYPE=HOME:1\r\n"), V3("TEL;TYPE=HOME,home:1\r\n")},
    {"bare types", V3("TEL;TYPE=HOME,FAX:1\r\n"), V2("TEL;FAX;HOME:1\r\n")},
    {"quoted type list", V3("TEL;TYPE=HOME,FAX:1\r\n"), V4("TEL;TYPE=\"fax,home\":1\r\n")},
    {"default types", V3("TEL;TYPE=HOME:1\r\nEMAIL:a@b.de\r\n"),
     V3("TEL;TYPE=HOME,VOICE:1\r\nEMAIL;TYPE=INTERNET,OTHER:a@b.de\r\n")},
    {"voice alone", V3("TEL:1\r\n"), V3("TEL;TYPE=VOICE:1\r\n")},
    {"default types of addresses", V3("ADR;TYPE=WORK:;;s\r\n"), V2("ADR;INTL;POSTAL;PARCEL;WORK:;;s;;;;\r\n")},
    {"X-null of Android", V3("TEL:1\r\n"), V3("TEL;TYPE=X-null:1\r\n")},
    {"MOBILE is CELL", V3("TEL;TYPE=CELL:1\r\n"), V3("TEL;TYPE=mobile:1\r\n")},
    {"forms of PREF", V3("TEL;TYPE=HOME,PREF:1\r\n"), V4("TEL;PREF=1;TYPE=home:1\r\n")},
    {"PREF added", V3("EMAIL:a@b.de\r\n"), V3("EMAIL;TYPE=pref:a@b.de\r\n")},
    {"group number", V3("item1.URL:http://a.de\r\nitem1.X-ABLabel:Verein\r\n"),
     V3("ITEM7.URL:http://a.de\r\nITEM7.X-ABLABEL:Verein\r\n")},
    {"group without label", V3("TEL:1\r\n"), V3("workPhone.TEL:1\r\n")},
    {"label before its property", V3("a.URL:u\r\na.X-ABLabel:L\r\n"), V3("b.X-ABLabel:L\r\nb.URL:u\r\n")},
    {"X-ABADR", V3("item1.ADR:;;s\r\n"), V3("item1.ADR:;;s\r\nitem1.X-ABADR:de\r\n")},
    {"bookkeeping", V3("FN:a\r\n"),
     V3("PRODID:-//x//y\r\nREV:2024-01-01T00:00:00Z\r\nFN:a\r\nREV:20250101T000000Z\r\nX-EVOLUTION-WEBDAV-ETAG:1\r\n")},
    {"UID is identity", V3("UID:1\r\nFN:a\r\n"), V3("UID:2\r\nFN:a\r\n")},
    {"version", V3("N:a;b\r\nTEL;TYPE=FAX:1\r\n"), V4("N:a;b;;;\r\nTEL;TYPE=fax:1\r\n")},
    {"version 2.1", V3("N:Müller;Jürgen;;;\r\n"),
     V2("N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=BCrgen\r\n")},
    {"label of a custom field", V3("a.X-HUB-NR:1\r\na.X-ABLabel:Nummer\r\n"), V3("X-Hub-Nr;TYPE=WORK:1\r\n")},
    {"character set", V3("FN:Jürgen\r\n"), V2("FN;CHARSET=ISO-8859-1:J\xfcrgen\r\n")},
    {"CHARSET and LANGUAGE", V3("FN:a\r\n"), V3("FN;CHARSET=UTF-8;LANGUAGE=de:a\r\n")},
    {"VALUE default", V4("TEL:+49 1\r\n"), V4("TEL;VALUE=text:+49 1\r\n")},
    {"tel URI", V3("TEL:+49-40-1\r\n"), V4("TEL;VALUE=uri:tel:+49-40-1\r\n")},
    {"tel URI with extension", V4("TEL:+4940;ext=5\r\n"), V4("TEL;VALUE=uri:tel:+4940;ext=5\r\n")},
    {"trailing empty parts", V3("N:a;b;;;\r\nORG:c;\r\nADR:;;s;;;;\r\n"), V3("N:a;b\r\nORG:c\r\nADR:;;s\r\n")},
    {"empty values", V3("FN:a\r\n"),
     V3("FN:a\r\nTEL:\r\nNOTE:\r\nADR:;;;;;;\r\nPHOTO:\r\nBDAY:\r\nN:;;;;\r\nORG:;\r\nCATEGORIES:,\r\n")},
    {"FN as built", V3("N:Özdemir;Lale;;;\r\n"), V3("N:Özdemir;Lale;;;\r\nFN:Lale Özdemir\r\n")},
    {"FN as built with all parts", V3("N:C;A;B;Dr.;MdB\r\n"), V3("N:C;A;B;Dr.;MdB\r\nFN:Dr. A B C MdB\r\n")},
    {"FN of a company", V3("N:;;;;\r\nORG:Stadtwerke;Netz\r\n"), V3("ORG:Stadtwerke;Netz\r\nFN:Stadtwerke\r\n")},
    {"doubled property", V3("TEL:1\r\n"), V3("TEL:1\r\nTEL:1\r\n")},
    {"two categories lines", V3("CATEGORIES:a,b\r\n"), V3("CATEGORIES:b\r\nCATEGORIES:a\r\n")},
    {"nickname spelling", V3("NICKNAME:a,b\r\n"), V2("X-NICKNAME:b,a\r\n")},
    {"birthday", V3("BDAY:1996-04-15\r\n"), V4("BDAY:19960415\r\n")},
    {"birthday with time", V3("BDAY:1996-04-15\r\n"), V3("BDAY;VALUE=date-time:1996-04-15T00:00:00Z\r\n")},
    {"birthday with zone", V3("BDAY:1996-04-15\r\n"), V3("BDAY:1996-04-15T23:10:00-06:00\r\n")},
    {"no year", V4("BDAY:--0415\r\n"), V3("BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-15\r\n")},
    {"no year, parameter lost", V4("BDAY:--0415\r\n"), V3("BDAY:1604-04-15\r\n")},
    {"no year, another placeholder", V4("BDAY:--0415\r\n"), V3("BDAY;X-APPLE-OMIT-YEAR=1885:1885-04-15\r\n")},
    {"anniversaries", V4("ANNIVERSARY:20010203\r\n"), V3("X-ANNIVERSARY:2001-02-03\r\n")},
    {"anniversary of Apple", V4("ANNIVERSARY:20010203\r\n"),
     V3("item1.X-ABDATE:2001-02-03\r\nitem1.X-ABLabel:_$!<Anniversary>!$_\r\n")},
    {"anniversary in both spellings", V4("ANNIVERSARY:20010203\r\n"),
     V3("X-ANNIVERSARY:2001-02-03\r\nitem1.X-ABDATE:2001-02-03\r\nitem1.X-ABLabel:_$!<Anniversary>!$_\r\n")},
    {"photo in 2.1 and 3.0", V2("PHOTO;BASE64;JPEG:/9j/4AAQSkZJRg==\r\n\r\n"),
     V3("PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRg==\r\n")},
    {"photo in 3.0 and 4.0", V3("PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRg==\r\n"),
     V4("PHOTO:data:image/jpeg;base64,/9j/4AAQSkZJRg==\r\n")},
    {"photo type and folds", V3("PHOTO;ENCODING=BASE64;TYPE=PNG:/9j/4AAQ\r\n SkZJRg\r\n"),
     V3("PHOTO;X-ABCROP-RECTANGLE=1&2;ENCODING=b:/9j/4AAQSkZJRg==\r\n")},
    {"key with white space", V4("KEY;VALUE=text:ab\\ncd\r\n"), V4("KEY;VALUE=text:abcd\r\n")},
    {"NFC", V3("FN:Zoë\r\n"), V3("FN:Zoe\xcc\x88\r\n")},
    {"NFC of an unknown property", V3("X-A:Zoë\r\n"), V3("X-A:Zoe\xcc\x88\r\n")},
    {"escape styles", V3("NOTE:a\\nb\\, c\r\n"), V3("NOTE:a\\Nb, c\r\n")},
    {"newline in quoted-printable", V3("NOTE:a\\nb\r\n"), V2("NOTE;ENCODING=QUOTED-PRINTABLE:a=0D=0Ab\r\n")},
    {"final newlines", V3("NOTE:a\r\n"), V3("NOTE:a\\n\\n\r\n")},
    {"notes joined", V3("NOTE:a\r\nNOTE:b\r\n"), V3("NOTE:a\\nb\r\n")},
    {"escaped colon in a URL", V3("URL:http://a.de/x\r\n"), V3("URL:http\\://a.de/x\r\n")},
    {"host in capitals", V3("URL:http://a.de/X\r\n"), V3("URL:HTTP://A.de/X\r\n")},
    {"mail domain", V3("EMAIL:Lale@Example.ORG\r\n"), V4("EMAIL:mailto:Lale@example.org\r\n")},
    {"messenger service", V3("IMPP;X-SERVICE-TYPE=Skype:skype:n\r\n"), V4("IMPP:skype:n\r\n")},
    {"kind of a company", V4("KIND:org\r\nFN:a\r\n"), V3("X-ABSHOWAS:COMPANY\r\nFN:a\r\n")},
    {"kind of a person", V4("FN:a\r\n"), V4("KIND:individual\r\nFN:a\r\n")},
    {"groups", V4("KIND:group\r\nFN:a\r\nMEMBER:urn:uuid:6F4A2C11-0000-4000-8000-000000000001\r\n"),
     V3("X-ADDRESSBOOKSERVER-KIND:group\r\nFN:a\r\nX-ADDRESSBOOKSERVER-MEMBER:urn:uuid:6f4a2c11-0000-4000-8000-"
        "000000000001\r\n")},
    {"gender", V4("GENDER:m\r\n"), V4("GENDER:M;\r\n")},
    {"position", V3("GEO:48.1;11.5\r\n"), V4("GEO:geo:48.100000,11.5000\r\n")},
    {"class", V3("FN:a\r\n"), V3("CLASS:public\r\nFN:a\r\n")},
    {"language tag", V4("LANG:de-DE\r\n"), V4("LANG:de-de\r\n")},
    {"sort name", V3("N:a;b\r\nSORT-STRING:x\r\n"), V4("N;SORT-AS=\"x\":a;b\r\n")},
    {"address label", V2("ADR;HOME:;;s;t\r\nLABEL;HOME:Frau X, s\r\n"),
     V4("ADR;TYPE=home;LABEL=\"Frau X, s\":;;s;t\r\n")},
    {"address label repeating", V3("ADR:;;Weg 1;Kiel;;24103;DE\r\n"),
     V3("ADR:;;Weg 1;Kiel;;24103;DE\r\nLABEL:Weg 1\\n24103 Kiel\\nDE\r\n")},
    {"agent", V3("AGENT:x\r\n"), V4("RELATED;TYPE=agent:x\r\n")},
    {"parameters of an unknown property", V3("X-A;B=1;C=2:x\r\n"), V3("x-a;c=2;b=\"1\":x\r\n")},
    {"unknown property by quoted-printable", V3("X-A:a\\nb\r\n"), V2("X-A;ENCODING=QUOTED-PRINTABLE:a=0D=0Ab\r\n")},
    {"X-MOZILLA-HTML off", V3("FN:a\r\n"), V3("FN:a\r\nX-MOZILLA-HTML:FALSE\r\n")},
    {"BOM", V3("FN:a\r\n"), "\xef\xbb\xbf" V3("FN:a\r\n")},
    {"white space at line ends", V3("FN:a\r\nTEL:1\r\n"), V3("FN:a  \r\nTEL: 1\t\r\n")},
};

Test(record, spellings_of_one_thing_are_equal)
{
    for (size_t i = 0; i < LENGTH(equal); i++)
        cr_expect(same_elements(str_of(equal[i].a), str_of(equal[i].b), false), "%s", equal[i].what);
}

/* What must never be normalised away. */
static const struct {
    const char *what, *a, *b;
} different[] = {
    {"name of a custom field", V3("X-HUB-NR:1\r\n"), V3("X-HUB-NO:1\r\n")},
    {"value of a custom field", V3("X-HUB-NR:1\r\n"), V3("X-HUB-NR:2\r\n")},
    {"a custom field and any other", V3("X-HUB-NR:1\r\n"), V3("X-HUBNR:1\r\n")},
    {"white space inside", V3("NOTE:a  b\r\n"), V3("NOTE:a b\r\n")},
    {"phone punctuation", V3("TEL:040 1\r\n"), V3("TEL:040-1\r\n")},
    {"case of text", V3("FN:Anna\r\n"), V3("FN:anna\r\n")},
    {"case of a local part", V3("EMAIL:A@b.de\r\n"), V3("EMAIL:a@b.de\r\n")},
    {"path of a URL", V3("URL:http://a.de/X\r\n"), V3("URL:http://a.de/x\r\n")},
    {"a final slash", V3("URL:http://a.de/\r\n"), V3("URL:http://a.de\r\n")},
    {"order of units", V3("ORG:a;b;c\r\n"), V3("ORG:a;c;b\r\n")},
    {"unit only", V3("ORG:a\r\n"), V3("ORG:;a\r\n")},
    {"unknown value", V3("X-A:a\\,b\r\n"), V3("X-A:a,b\r\n")},
    {"unknown name", V3("X-A:a\r\n"), V3("X-B:a\r\n")},
    {"unknown parameter", V3("X-A;P=1:a\r\n"), V3("X-A;P=2:a\r\n")},
    {"type", V3("TEL;TYPE=HOME:1\r\n"), V3("TEL;TYPE=WORK:1\r\n")},
    {"fax", V3("TEL;TYPE=WORK:1\r\n"), V3("TEL;TYPE=WORK,FAX:1\r\n")},
    {"label", V3("a.TEL:1\r\na.X-ABLabel:x\r\n"), V3("a.TEL:1\r\na.X-ABLabel:y\r\n")},
    {"label lost", V3("a.TEL:1\r\na.X-ABLabel:x\r\n"), V3("a.TEL:1\r\n")},
    {"label of the other number", V3("a.TEL:1\r\nb.TEL:2\r\na.X-ABLabel:x\r\n"),
     V3("a.TEL:1\r\nb.TEL:2\r\nb.X-ABLabel:x\r\n")},
    {"label without a partner", V3("FN:a\r\na.X-ABLabel:x\r\n"), V3("FN:a\r\n")},
    {"label of a name", V3("a.FN:a\r\na.X-ABLabel:x\r\n"), V3("a.FN:a\r\n")},
    {"second label", V3("a.TEL:1\r\na.X-ABLabel:x\r\na.X-ABLabel:y\r\n"), V3("a.TEL:1\r\na.X-ABLabel:x\r\n")},
    {"family and given name", V3("N:a;b\r\n"), V3("N:b;a\r\n")},
    {"list in a name", V3("N:a,b;c\r\n"), V3("N:a\\,b;c\r\n")},
    {"FN of one's own", V3("N:a;b\r\nFN:b a\r\n"), V3("N:a;b\r\nFN:B. a\r\n")},
    {"year or none", V3("BDAY:1996-04-15\r\n"), V4("BDAY:--0415\r\n")},
    {"birthday as text", V4("BDAY;VALUE=text:circa 1800\r\n"), V4("BDAY;VALUE=text:circa 1801\r\n")},
    {"birthday and anniversary", V4("BDAY:19960415\r\n"), V4("ANNIVERSARY:19960415\r\n")},
    {"photo", V3("PHOTO;ENCODING=b:AAAA\r\n"), V3("PHOTO;ENCODING=b:AAAB\r\n")},
    {"photo by URL", V3("PHOTO;VALUE=uri:https://a.de/1\r\n"), V3("PHOTO;VALUE=uri:https://a.de/2\r\n")},
    {"broken photo", V3("PHOTO;ENCODING=b:A:A\r\n"), V3("FN:x\r\n")},
    {"second photo", V3("PHOTO;ENCODING=b:AAAA\r\nPHOTO;ENCODING=b:BBBB\r\n"), V3("PHOTO;ENCODING=b:AAAA\r\n")},
    {"second FN", V4("FN:a\r\nFN:b\r\n"), V4("FN:a\r\n")},
    {"category with a comma", V3("CATEGORIES:a,b\r\n"), V3("CATEGORIES:a\\,b\r\n")},
    {"messenger spelling", V3("X-SKYPE:n\r\n"), V3("X-JABBER:n\r\n")},
    {"messenger scheme", V4("IMPP:xmpp:n\r\n"), V4("IMPP:sip:n\r\n")},
    {"backslash n in 2.1", V2("NOTE;ENCODING=QUOTED-PRINTABLE:C:=5Cnew\r\n"),
     V2("NOTE;ENCODING=QUOTED-PRINTABLE:C:=0D=0Aew\r\n")},
    {"trailing backslash", V3("NOTE:a\\\r\n"), V3("NOTE:a\r\n")},
    {"position", V4("GEO:geo:48.1,11.5\r\n"), V4("GEO:geo:48.1,-11.5\r\n")},
    {"agent in a card", V2("AGENT:\r\nBEGIN:VCARD\r\nFN:y\r\nEND:VCARD\r\n"),
     V2("AGENT:\r\nBEGIN:VCARD\r\nFN:z\r\nEND:VCARD\r\n")},
    {"address label of its own", V3("ADR:;;s\r\nLABEL:Hinterhaus\r\n"), V3("ADR:;;s\r\n")},
    {"class", V3("CLASS:PRIVATE\r\n"), V3("CLASS:CONFIDENTIAL\r\n")},
};

Test(record, what_means_something_differs)
{
    for (size_t i = 0; i < LENGTH(different); i++)
        cr_expect_not(same_elements(str_of(different[i].a), str_of(different[i].b), true), "%s", different[i].what);
}

/* Keys and values as they go into reports and journals: a change here needs another NORMALISER_VERSION. */
static const struct {
    const char *card, *key, *value, *label, *shown;
} forms[] = {
    {V3("N:Müller;Anna,Lisa;;;\r\n"), "name.given", "Anna\x1fLisa", "Given name", "Anna Lisa"},
    {V3("a.TEL;TYPE=work,cell,pref:+49 1\r\na.X-ABLabel:Zentrale\r\n"), "tel;CELL,WORK;Zentrale", "+49 1",
     "Phone (cell, work, Zentrale)", "+49 1"},
    {V3("a.TEL:1\r\na.X-ABLabel:_$!<Mobile>!$_\r\n"), "tel;;_$!<Mobile>!$_", "1", "Phone (cell)", "1"},
    {V3("TEL:1\r\n"), "tel", "1", "Phone", "1"},
    {V3("ADR;TYPE=HOME:;;Weg 1;Kiel;;24103;\r\n"), "adr;HOME",
     "\x1f\x1fWeg 1\x1fKiel\x1f\x1f"
     "24103",
     "Address (home)", "Weg 1, Kiel, 24103"},
    {V3("IMPP;X-SERVICE-TYPE=Skype;TYPE=HOME:skype:n\r\n"), "impp;IMPP:SKYPE;HOME", "n", "Messenger (SKYPE, home)",
     "n"},
    {V3("X-FOO;B=2;A=1:x\\,y\r\n"), "x;X-FOO;A=1&B=2", "x\\,y", "Other (X-FOO, A=1&B=2)", "x\\,y"},
    {V3("item1.X-HUB-KUNDENNUMMER;X-A=1:4711\r\nitem1.X-ABLabel:Kundennummer\r\n"), "custom;KUNDENNUMMER", "4711", "Own field (KUNDENNUMMER)",
     "4711"},
    {V3("BDAY:1996-04-15\r\n"), "bday", "1996-04-15", "Birthday", "1996-04-15"},
    {V3("BDAY:circa 1800\r\n"), "bday", "t:circa 1800", "Birthday", "circa 1800"},
    {V3("NOTE:a\\nb\r\n"), "note", "a\nb", "Note", "a / b"},
    {V3("NOTE:a\xe2\x80\xae"
        "b\r\n"),
     "note",
     "a\xe2\x80\xae"
     "b",
     "Note", "a<U+202E>b"},
    {V3("PHOTO;ENCODING=b:AAAA\r\n"), "photo", "b:3:ab29e6dc16755d0071eba349ebda225d15e4f910cb474549c47e95cb85ecc4d6",
     "Photo", "3 bytes"},
    {V3("PHOTO;VALUE=uri:https://a.de/1\r\n"), "photo", "u:https://a.de/1", "Photo", "https://a.de/1"},
    {V3("GEO:-0.0000016;11.9999995\r\n"), "geo", "-0.000002,12.000000", "Position", "-0.000002,12.000000"},
    {V4("RELATED;TYPE=friend:urn:uuid:6F4A2C11-0000-4000-8000-000000000001\r\n"), "related;FRIEND",
     "6f4a2c11-0000-4000-8000-000000000001", "Related person (friend)", "6f4a2c11-0000-4000-8000-000000000001"},
};

Test(record, normal_forms_and_what_people_see)
{
    for (size_t i = 0; i < LENGTH(forms); i++) {
        struct arena a AUTO_ARENA = ARENA_INIT;
        size_t n, at = 0;
        const struct element *e = record_elements(parse(&a, str_of(forms[i].card)), &n);
        while (at < n && !str_eq(e[at].key_text, str_of(forms[i].key))) at++;
        cr_expect(at < n, "no %s", forms[i].key);
        if (at == n) {
            dump("has", e, n);
            continue;
        }
        struct buf label AUTO_BUF = BUF_INIT, value AUTO_BUF = BUF_INIT;
        element_label(&e[at], &label);
        element_value(&e[at], &value);
        cr_expect(str_eq(e[at].value_text, str_of(forms[i].value)), "%s: value \"%.*s\"", forms[i].key,
                  STR_ARG(e[at].value_text));
        cr_expect_str_eq(buf_cstr(&label), forms[i].label);
        cr_expect_str_eq(buf_cstr(&value), forms[i].shown);
    }
}

static const struct {
    const char *card, *title;
} titles[] = {
    {V3("N:Özdemir;Lale;;;\r\nFN:Lale Özdemir\r\n"), "Özdemir, Lale"},
    {V3("N:Özdemir;;;;\r\n"), "Özdemir"},
    {V3("N:;Lale;;;\r\n"), "Lale"},
    {V3("N:;;;;\r\nFN:Lale\r\n"), "Lale"},
    {V3("N:Meier;Jo;;;\r\nORG:Stadtwerke;Netz\r\nX-ABShowAs:COMPANY\r\n"), "Stadtwerke"},
    {V3("ORG:;Einkauf\r\n"), "Einkauf"},
    {V3("EMAIL:a@b.de\r\n"), "a@b.de"},
    {V3("TEL:+49 1\r\n"), "+49 1"},
    {V3("UID:abc\r\n"), "abc"},
    {V3("NOTE:x\r\n"), "(no name)"},
    {V4("KIND:group\r\nN:Wehr;;;;\r\nFN:Wehr Nord\r\n"), "Wehr Nord"},
};

Test(record, titles)
{
    for (size_t i = 0; i < LENGTH(titles); i++) {
        struct arena a AUTO_ARENA = ARENA_INIT;
        struct str title = record_title(parse(&a, str_of(titles[i].card)));
        cr_expect(str_eq(title, str_of(titles[i].title)), "\"%.*s\" instead of \"%s\"", STR_ARG(title),
                  titles[i].title);
    }
}

static const struct {
    const char *line, *uid;
} uids[] = {
    {"UID:abc DEF\r\n", "abc DEF"},
    {"UID:urn:uuid:6F4A2C11-0000-4000-8000-00000000000A\r\n", "6f4a2c11-0000-4000-8000-00000000000a"},
    {"UID;VALUE=text:6F4A2C11-0000-4000-8000-00000000000A\r\n", "6f4a2c11-0000-4000-8000-00000000000a"},
    {"UID:6F4A2C11-0000-4000-8000-00000000000A:ABPerson\r\n", "6F4A2C11-0000-4000-8000-00000000000A:ABPerson"},
    {"UID:\r\nUID:second\r\n", "second"},
};

Test(record, uids)
{
    for (size_t i = 0; i < LENGTH(uids); i++) {
        struct arena a AUTO_ARENA = ARENA_INIT;
        struct buf card AUTO_BUF = BUF_INIT;
        buf_addf(&card, "BEGIN:VCARD\r\nVERSION:3.0\r\n%sEND:VCARD\r\n", uids[i].line);
        struct str uid = record_uid(parse(&a, buf_str(&card)));
        cr_expect(str_eq(uid, str_of(uids[i].uid)), "\"%.*s\" instead of \"%s\"", STR_ARG(uid), uids[i].uid);
    }
    struct arena a AUTO_ARENA = ARENA_INIT;
    cr_expect_null(record_uid(parse(&a, STR(V3("FN:a\r\n")))).p);
}

Test(record, facts_about_a_card)
{
    struct arena a AUTO_ARENA = ARENA_INIT;
    struct str text = STR(V4("KIND:GROUP\r\nFN:a\r\n"));
    const struct record *r = parse(&a, text);
    cr_expect(record_is_group(r) && record_version(r) == 40 && !record_is_cut(r) && !record_remark(r));
    cr_expect(record_bytes(r).p == text.p && record_bytes(r).n == text.n);
    cr_expect(record_is_group(parse(&a, STR(V3("X-ADDRESSBOOKSERVER-KIND:group\r\n")))));
    cr_expect_not(record_is_group(parse(&a, STR(V4("KIND:org\r\n")))));
    r = parse(&a, STR("BEGIN:VCARD\r\nVERSION:2.1\r\nFN:J\xfcrgen\r\n"));
    cr_expect(record_is_cut(r) && record_version(r) == 21);
    cr_expect_str_eq(record_remark(r), "the end is missing, the character set was guessed");
    struct fault why AUTO_FAULT = FAULT_INIT;
    cr_expect_null(record_parse(&a, RECORD_EVENT, text, &key, &why));
    cr_expect_eq(why.code, FAULT_UNREADABLE);
}

Test(record, table_of_fields)
{
    size_t n;
    const struct field *table = field_table(RECORD_CONTACT, &n);
    for (size_t i = 0; i < n; i++) {
        cr_expect(table[i].name && table[i].label, "row %zu", i);
        cr_expect_eq(field_by_id(RECORD_CONTACT, table[i].id), &table[i], "row %zu", i);
    }
    cr_expect_null(field_by_id(RECORD_CONTACT, 0));
    cr_expect_null(field_by_id(RECORD_CONTACT, (uint16_t)(n + 1)));
    cr_expect_null(field_by_id(RECORD_EVENT, 1));
}

/* -- matching -- */

enum { S_UID = 1, S_NAME = 2, S_ORG = 4, S_EMAIL = 8, S_PHONE = 16 };

static const struct {
    const char *what, *a, *b;
    unsigned agree;
} signal_rows[] = {
    {"umlauts and sharp s", V3("N:Müller-Weiß;Jürgen;;;\r\n"), V3("N:MUELLER WEISS;Juergen;;;\r\n"), S_NAME},
    {"other diacritics", V3("N:Lefèvre;Chloé;;;\r\n"), V3("N:Lefevre;Chloe;;;\r\n"), S_NAME},
    {"displayed name only", V3("N:Özdemir;Lale;;;\r\n"), V3("FN:Lale Özdemir\r\n"), S_NAME},
    {"displayed name turned", V3("N:Özdemir;Lale;;;\r\n"), V3("FN:Özdemir, Lale\r\n"), S_NAME},
    {"another given name", V3("N:Özdemir;Lale;;;\r\n"), V3("N:Özdemir;Leyla;;;\r\n"), 0},
    {"family and given are not swapped", V3("N:Paul;Anton;;;\r\n"), V3("N:Anton;Paul;;;\r\n"), 0},
    {"unnamed", V3("TEL:1\r\n"), V3("TEL:2\r\n"), 0},
    {"company", V3("ORG:Bäckerei Krüger GmbH\r\n"),
     V3("FN:Baeckerei Krueger GmbH\r\nORG:Baeckerei Krueger GmbH;Laden\r\n"), S_NAME | S_ORG},
    {"company of a person", V3("N:a;b\r\nORG:Krüger\r\n"), V3("N:c;d\r\nORG:krueger\r\n"), S_ORG},
    {"e-mail", V3("EMAIL:Lale@Example.org\r\n"), V4("EMAIL:mailto:lale@example.ORG\r\n"), S_EMAIL},
    {"e-mail with a name", V3("EMAIL:Lale <l@b.de>\r\n"), V3("EMAIL:l@b.de\r\n"), S_EMAIL},
    {"phone", V3("TEL:040 123456\r\n"), V4("TEL;VALUE=uri:tel:+49-40-123456\r\n"), S_PHONE},
    {"short codes are no signal", V3("TEL:112\r\n"), V3("TEL:112\r\n"), 0},
    {"uid", V3("UID:urn:uuid:6F4A2C11-0000-4000-8000-00000000000A\r\n"),
     V3("UID:6f4a2c11-0000-4000-8000-00000000000a\r\n"), S_UID},
    {"no uid", V3("FN:a\r\n"), V3("FN:b\r\n"), 0},
};

static bool shares(const uint64_t *x, size_t n, const uint64_t *y, size_t m)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < m; k++)
            if (x[i] == y[k]) return true;
    return false;
}

static unsigned agreement(const struct signals *x, const struct signals *y)
{
    return (x->uid && x->uid == y->uid ? S_UID : 0u) | (x->name && x->name == y->name ? S_NAME : 0u) |
           (x->org && x->org == y->org ? S_ORG : 0u) |
           (shares(x->emails, x->n_emails, y->emails, y->n_emails) ? S_EMAIL : 0u) |
           (shares(x->phones, x->n_phones, y->phones, y->n_phones) ? S_PHONE : 0u);
}

Test(record, signals)
{
    for (size_t i = 0; i < LENGTH(signal_rows); i++) {
        struct arena a AUTO_ARENA = ARENA_INIT;
        struct signals x, y;
        record_signals(parse(&a, str_of(signal_rows[i].a)), "DE", &a, &x);
        record_signals(parse(&a, str_of(signal_rows[i].b)), "DE", &a, &y);
        cr_expect_eq(agreement(&x, &y), signal_rows[i].agree, "%s: %u", signal_rows[i].what, agreement(&x, &y));
    }
}

Test(record, equivalents_only_touch_phones)
{
    struct arena a AUTO_ARENA = ARENA_INIT;
    const struct record *x = parse(&a, STR(V3("TEL:040 123456\r\n"))),
                        *y = parse(&a, STR(V3("TEL;TYPE=WORK:+49 (40) 123456\r\n")));
    size_t n, m;
    const struct element *e = record_elements(x, &n), *f = record_elements(y, &m);
    cr_assert(n == 1 && m == 1);
    cr_expect(e->same == e->value && e->same != f->same);
    record_equivalents(x, "DE");
    record_equivalents(y, "DE");
    cr_expect(e->same == f->same && e->value != f->value && e->key != f->key);
    uint64_t before = e->same;
    record_equivalents(x, "DE");
    cr_expect_eq(e->same, before, "not idempotent");
    const struct record *z = parse(&a, STR(V3("TEL:**620\r\nEMAIL:a@b.de\r\n")));
    record_equivalents(z, "DE");
    e = record_elements(z, &n);
    for (size_t i = 0; i < n; i++) cr_expect_eq(e[i].same, e[i].value);
}

/* -- limits -- */

static struct str many(struct buf *b, const char *start, const char *item, size_t n, const char *end)
{
    buf_adds(b, "BEGIN:VCARD\r\nVERSION:3.0\r\n");
    buf_adds(b, start);
    for (size_t i = 0; i < n; i++) buf_adds(b, item);
    buf_adds(b, end);
    buf_adds(b, "END:VCARD\r\n");
    return buf_str(b);
}

static const struct {
    const char *what, *start, *item, *end;
    size_t allowed, refused;
} limits[] = {
    {"properties", "", "TEL:1\r\n", "", 4998, 5001},
    {"values in a list", "CATEGORIES:", "a,", "b\r\n", 999, 1001},
    {"values in a name", "N:x;", "a,", "b\r\n", 900, 1001},
    {"parts of an address", "ADR:", ";", "b\r\n", 900, 1001},
    {"picture", "PHOTO;ENCODING=b:", "AAAAAAAAAAAAAAAA", "\r\n", 600000, 800000},
};

Test(record, limits)
{
    for (size_t i = 0; i < LENGTH(limits); i++) {
        struct arena a AUTO_ARENA = ARENA_INIT;
        struct buf in AUTO_BUF = BUF_INIT, over AUTO_BUF = BUF_INIT;
        struct fault why AUTO_FAULT = FAULT_INIT;
        size_t n;
        const struct record *r =
            parse(&a, many(&in, limits[i].start, limits[i].item, limits[i].allowed, limits[i].end));
        cr_expect(r && record_elements(r, &n) && n > 0, "%s", limits[i].what);
        struct str bytes = many(&over, limits[i].start, limits[i].item, limits[i].refused, limits[i].end);
        cr_expect_null(record_parse(&a, RECORD_CONTACT, bytes, &key, &why), "%s", limits[i].what);
        cr_expect_eq(why.code, FAULT_UNREADABLE, "%s", limits[i].what);
    }
}

Test(record, many_labels_and_groups_stay_quick)
{
    struct arena a AUTO_ARENA = ARENA_INIT;
    struct buf card AUTO_BUF = BUF_INIT;
    buf_adds(&card, "BEGIN:VCARD\r\nVERSION:3.0\r\n");
    for (int i = 0; i < 2400; i++) buf_addf(&card, "g%d.TEL:%d\r\nG%d.X-ABLabel:L%d\r\n", i, i, i, i);
    buf_adds(&card, "END:VCARD\r\n");
    size_t n;
    record_elements(parse(&a, buf_str(&card)), &n);
    cr_expect_eq(n, 2400);
}
