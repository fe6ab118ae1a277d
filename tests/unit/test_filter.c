/* Which records a link is about: one row a rule. */
#include "core/filter.h"

#include <criterion/criterion.h>

static const struct hash_key key = {"abgleich-tests.."};

#define CARD(lines) "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u\r\nFN:A B\r\nN:B;A;;;\r\n" lines "END:VCARD\r\n"

static const struct {
    const char *what, *card;
    struct filter filter;
    bool passes;
} rows[] = {
    {"no filter", CARD(""), {NULL, NULL, false}, true},
    {"a phone is wanted and there", CARD("TEL:+49301\r\n"), {NULL, NULL, true}, true},
    {"a phone is wanted, an empty one is none", CARD("TEL:\r\n"), {NULL, NULL, true}, false},
    {"one of several categories is enough", CARD("CATEGORIES:Presse,Rot\r\n"), {"Kunden, Presse", NULL, false}, true},
    {"case and umlauts do not matter", CARD("CATEGORIES:MÜNCHEN\r\n"), {"muenchen", NULL, false}, true},
    {"part of a category is not the category", CARD("CATEGORIES:Kundenkreis\r\n"), {"Kunden", NULL, false}, false},
    {"no category at all", CARD(""), {"Kunden", NULL, false}, false},
    {"a list of nothing lets nothing in", CARD("CATEGORIES:Kunden\r\n"), {" , ", NULL, false}, false},
    {"all fields are wanted", CARD("EMAIL:a@b.de\r\n"), {NULL, "email, org", false}, false},
    {"all fields are there", CARD("EMAIL:a@b.de\r\nORG:X\r\n"), {NULL, "email,ORG", false}, true},
    {"a part of the name", CARD(""), {NULL, "name.family", false}, true},
    {"everything at once", CARD("CATEGORIES:Kunden\r\nTEL:1\r\n"), {"Kunden", "tel", true}, true},
    {"everything at once, one is missing", CARD("CATEGORIES:Kunden\r\n"), {"Kunden", NULL, true}, false},
};

Test(filter, rows)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct fault why AUTO_FAULT = FAULT_INIT;
        const struct record *r = record_parse(&arena, RECORD_CONTACT, str_of(rows[i].card), &key, &why);
        cr_assert(r, "%s: %s", rows[i].what, why.what);
        cr_expect_eq(filter_passes(&rows[i].filter, r), rows[i].passes, "%s", rows[i].what);
    }
}

Test(filter, names_of_fields)
{
    static const struct {
        const char *text;
        bool ok;
    } names[] = {{"tel", true}, {"tel, EMAIL ,name.family", true}, {"telefon", false}, {"tel,", false}, {"", false}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        cr_expect_eq(filter_fields_ok(str_of(names[i].text)), names[i].ok, "%s", names[i].text);
}
