/* Phonebooks by hand, and their documents as phones ask for them; what comes back must parse strictly and be what the family's
 * page says (tests/fixtures/phonebooks/phonebooks.rng). For unit and property tests and the fuzzer; run at the top of the tree. */
#ifndef ABGLEICH_TESTS_PHONEBOOK_ASK_H
#define ABGLEICH_TESTS_PHONEBOOK_ASK_H

#include "mapping/phonebook_sheet.h"

#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <stdio.h>
#include <stdlib.h>

/* -- books -- */

static inline struct phonebook ask_book(void)
{
    return (struct phonebook){.arena = ARENA_INIT, .region = "DE", .key = {{7}}};
}

/* numbers: "work +494031000101; mobile 0151 1"; "" = none. family and given empty: a company. */
static inline void ask_add(struct phonebook *p, const char *family, const char *given, const char *company, const char *numbers)
{
    struct phonebook_number list[64];
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct phonebook_entry e = {.family = str_of(family), .given = str_of(given), .company = str_of(company), .numbers = list};
    struct str rest = str_of(numbers);
    e.id = str_of(arena_printf(&scratch, "%zu", p->n + 1));
    e.display = *given ? str_of(arena_printf(&scratch, "%s %s", given, family)) : *family ? e.family : e.company;
    while (rest.n && e.n_numbers < 64) {
        struct str one = str_trim(str_split(&rest, ';')), kind = str_split(&one, ' ');
        enum phone_kind k = PHONE_OTHER;
        for (int i = 0; i < PHONE_KINDS; i++)
            if (str_eq(kind, str_of(phone_kind_name((enum phone_kind)i)))) k = (enum phone_kind)i;
        list[e.n_numbers++] = (struct phonebook_number){.text = one, .kind = (uint8_t)k};
    }
    phonebook_add_entry(p, &e);
}

/* -- asking -- */

struct ask_pair {
    const char *name, *value;
};
struct ask {
    struct arena arena;
    struct ask_pair list[40];
    size_t n;
};

static inline const char *ask_get(void *ctx, const char *name)
{
    const struct ask *a = ctx;
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->list[i].name, name) == 0) return a->list[i].value;
    return NULL;
}

static inline struct str ask_decoded(struct arena *arena, struct str s)
{
    char *out = arena_alloc(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '%' && i + 2 < s.n) {
            char hex[3] = {s.p[i + 1], s.p[i + 2], 0};
            out[n++] = (char)strtol(hex, NULL, 16);
            i += 2;
        } else
            out[n++] = s.p[i] == '+' ? ' ' : s.p[i];
    }
    out[n] = '\0';
    return (struct str){out, n};
}

/* address: what follows the key: "snom/v1/tbook.xml?num=idd". False: there is no such document. */
static inline bool ask_for(const struct phonebook *p, const struct form_settings *s, const char *address, struct buf *out)
{
    struct ask a = {.arena = ARENA_INIT};
    const char *file = NULL, *type = NULL;
    struct str rest = str_of(address), path = str_split(&rest, '?');
    const char *place = arena_strdup(&a.arena, path);
    while (rest.n && a.n < 40) {
        struct str one = str_split(&rest, '&'), name = str_split(&one, '=');
        if (!one.p) one = STR("");
        a.list[a.n].name = ask_decoded(&a.arena, name).p;
        a.list[a.n++].value = ask_decoded(&a.arena, one).p;
    }
    const struct phone_family *family = phone_family_of(place, &file);
    bool there = false;
    if (family) {
        const char *url = arena_printf(&a.arena, "https://dir.example/contacts/KEY/%s", family->path);
        const struct form_query q = {ask_get, &a, file, url, NULL};
        there = phone_family_write(family, p, s, &q, out, &type);
    }
    arena_free(&a.arena);
    return there;
}

/* Documents of all families, each in every form. */
static const char *const ask_addresses[] = {
    "yealink/v1", "yealink/v1/phonebook.xml?q=er", "yealink/v1?format=book", "yealink/v1?menu=letters", "yealink/v1?letter=A",
    "snom/v1", "snom/v1?offset=25&limit=100", "snom/v1?q=er", "snom/v1/menu", "snom/v1/search", "snom/v1/tbook.xml", "snom/v1?format=tbook1",
    "snom/v1/directory.xml", "snom/v1/directory.txt", "snom/v1/m100.xml",
    "gigaset/v1", "gigaset/v1/phonebook.xml?num=e164", "gigaset/v1?command=get_list&type=pb", "gigaset/v1?command=get_list&limit=1024&fax=1",
    "gigaset/v1?command=get_list&ln=a*&last=-1&count=3&limit=2048", "gigaset/v1?command=get_list&first=x", "gigaset/v1?command=add_data",
    "grandstream/v1/phonebook.xml", "grandstream/v1?format=old&fax=1", "fritzbox/v1", "fritzbox/v1?fax=1&num=idd",
    "cisco/v1", "cisco/v1/search", "cisco/v1/directory", "cisco/v1/directory?offset=32&q=a", "fanvil/v1", "fanvil/v1?format=phonebook",
};
#define ASK_ADDRESSES (sizeof ask_addresses / sizeof *ask_addresses)

/* -- checking -- */

static inline void ask_quiet(void *ctx, const char *message, ...)
{
    (void)ctx;
    (void)message;
}

static inline xmlRelaxNGPtr ask_schema(void)
{
    static xmlRelaxNGPtr schema;
    if (schema) return schema;
    xmlRelaxNGParserCtxtPtr c = xmlRelaxNGNewParserCtxt("tests/fixtures/phonebooks/phonebooks.rng");
    schema = xmlRelaxNGParse(c);
    xmlRelaxNGFreeParserCtxt(c);
    return schema;
}

/* Code points, or -1 for what is no UTF-8 or a control character. */
static inline long ask_length(struct str s)
{
    long n = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < 0x20 && c != '\n') || c == 0x7f || (c == 0xc2 && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xa0)) return -1;
        n += (c & 0xc0) != 0x80;
    }
    return n;
}

/* "Name,Number" of at most 23 and 21 characters (directory 4.4). */
static inline const char *ask_text_fault(struct str text)
{
    while (text.n) {
        struct str line = str_split(&text, '\n');
        if (!str_ends(line, STR("\r"))) return "a line without its end";
        line.n--;
        struct str name = str_split(&line, ',');
        if (!name.n || ask_length(name) < 1 || ask_length(name) > 23) return "the name";
        if (!line.n || line.n > 21) return "the number's length";
        for (size_t i = line.p[0] == '+'; i < line.n; i++)
            if (line.p[i] < '0' || line.p[i] > '9') return "the number";
    }
    return NULL;
}

/* What is wrong with a document; NULL = nothing. root: receives the name of its first element. */
static inline const char *ask_fault(const char *address, struct str document, char root[40])
{
    if (strstr(address, "directory.txt")) return ask_text_fault(document);
    if (ask_length(document) < 0) return "a control character";
    xmlSetGenericErrorFunc(NULL, ask_quiet);
    xmlDocPtr doc = xmlReadMemory(document.p, (int)document.n, "answer.xml", NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (!doc) return "it does not parse";
    xmlRelaxNGValidCtxtPtr c = xmlRelaxNGNewValidCtxt(ask_schema());
    xmlRelaxNGSetValidErrors(c, (xmlRelaxNGValidityErrorFunc)ask_quiet, (xmlRelaxNGValidityWarningFunc)ask_quiet, NULL);
    int wrong = xmlRelaxNGValidateDoc(c, doc);
    const char *encoding = (const char *)doc->encoding;
    bool utf8 = encoding && strcmp(encoding, "UTF-8") == 0;
    snprintf(root, 40, "%s", (const char *)xmlDocGetRootElement(doc)->name);
    xmlRelaxNGFreeValidCtxt(c);
    xmlFreeDoc(doc);
    return wrong ? "it is not what the schema says" : !utf8 ? "it does not say UTF-8" : NULL;
}

#endif
