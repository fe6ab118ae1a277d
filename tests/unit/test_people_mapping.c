/* The field table of the People API: what it holds comes back the same, what it cannot hold is declared, and an update neither wipes
 * what a card cannot show nor keeps what the person cleared. */
#include "mapping/people_table.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static const struct hash_key key = {{7}};

static const char *group_name(void *ctx, const char *resource)
{
    (void)ctx;
    return strncmp(resource, "contactGroups/g-", 16) ? NULL : resource + 16;
}

static const char *group_resource(void *ctx, const char *name, struct fault *f)
{
    char **last = ctx;
    (void)f;
    free(*last);
    if (asprintf(last, "contactGroups/g-%s", name) < 0) abort();
    return *last;
}

static char *last_group;
static const struct people_groups groups = {&last_group, group_name, group_resource};

static void make_card(const char *lines, struct buf *out)
{
    buf_adds(out, "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u1\r\n");
    for (const char *c = lines; *c; c++) buf_adds(out, *c == '|' ? "\r\n" : (char[]){*c, '\0'});
    buf_adds(out, "\r\nEND:VCARD\r\n");
}

/* "key=value" of all elements, sorted, one a line. */
static void elements_text(struct str card, struct buf *out)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct fault why AUTO_FAULT = FAULT_INIT;
    struct record *r = record_parse(&arena, RECORD_CONTACT, card, &key, &why);
    size_t n;
    cr_assert_not_null(r, "%s: %.*s", why.what, STR_ARG(card));
    const struct element *e = record_elements(r, &n);
    for (size_t i = 0; i < n; i++) {
        buf_addf(out, "%.*s=", STR_ARG(e[i].key_text));
        for (size_t k = 0; k < e[i].value_text.n; k++) buf_addc(out, e[i].value_text.p[k] == '\x1f' ? '^' : e[i].value_text.p[k]);
        buf_addc(out, '\n');
    }
}

/* -- what is held -- */

static const struct {
    const char *lines, *api; /* api: people_wanted, keys sorted */
} held[] = {
    {"FN:Dr. Anna B. Meier jun.|N:Meier;Anna;B.;Dr.;jun.",
     "{\"names\":[{\"familyName\":\"Meier\",\"givenName\":\"Anna\",\"honorificPrefix\":\"Dr.\",\"honorificSuffix\":\"jun.\",\"middleName\":\"B.\"}]}"},
    {"FN:Feuerwehr Musterstadt|N:;;;;", "{\"names\":[{\"unstructuredName\":\"Feuerwehr Musterstadt\"}]}"},
    {"FN:A M|N:M;A;;;|X-PHONETIC-FIRST-NAME:Anna|X-PHONETIC-MIDDLE-NAME:Be|X-PHONETIC-LAST-NAME:Maier",
     "{\"names\":[{\"familyName\":\"M\",\"givenName\":\"A\",\"phoneticFamilyName\":\"Maier\",\"phoneticGivenName\":\"Anna\","
     "\"phoneticMiddleName\":\"Be\"}]}"},
    {"FN:|N:;;;;|NICKNAME:Anni", "{\"nicknames\":[{\"value\":\"Anni\"}]}"},
    {"FN:|N:;;;;|EMAIL;TYPE=HOME:a@example.org|EMAIL;TYPE=WORK:b@example.org|EMAIL:c@example.org|item1.EMAIL:d@example.org|item1.X-ABLabel:Büro",
     "{\"emailAddresses\":[{\"type\":\"home\",\"value\":\"a@example.org\"},{\"type\":\"work\",\"value\":\"b@example.org\"},"
     "{\"value\":\"c@example.org\"},{\"type\":\"Büro\",\"value\":\"d@example.org\"}]}"},
    {"FN:|N:;;;;|TEL;TYPE=HOME:1|TEL;TYPE=WORK:2|TEL;TYPE=CELL:3|TEL;TYPE=FAX,HOME:4|TEL;TYPE=FAX,WORK:5|TEL;TYPE=FAX:6|TEL;TYPE=PAGER:7|"
     "TEL;TYPE=CELL,WORK:8|TEL;TYPE=PAGER,WORK:9|TEL;TYPE=MAIN:10|TEL:11|item1.TEL:12|item1.X-ABLabel:Zentrale",
     "{\"phoneNumbers\":[{\"type\":\"home\",\"value\":\"1\"},{\"type\":\"work\",\"value\":\"2\"},{\"type\":\"mobile\",\"value\":\"3\"},"
     "{\"type\":\"homeFax\",\"value\":\"4\"},{\"type\":\"workFax\",\"value\":\"5\"},{\"type\":\"otherFax\",\"value\":\"6\"},"
     "{\"type\":\"pager\",\"value\":\"7\"},{\"type\":\"workMobile\",\"value\":\"8\"},{\"type\":\"workPager\",\"value\":\"9\"},"
     "{\"type\":\"main\",\"value\":\"10\"},{\"value\":\"11\"},{\"type\":\"Zentrale\",\"value\":\"12\"}]}"},
    {"FN:|N:;;;;|ADR;TYPE=WORK:Pf 1;Hof;Am Markt 1\\, Haus 2;Ulm;BW;89073;Deutschland|ADR;TYPE=HOME:;;Weg 3;;;;",
     "{\"addresses\":[{\"city\":\"Ulm\",\"country\":\"Deutschland\",\"extendedAddress\":\"Hof\",\"poBox\":\"Pf 1\",\"postalCode\":\"89073\","
     "\"region\":\"BW\",\"streetAddress\":\"Am Markt 1, Haus 2\",\"type\":\"work\"},{\"streetAddress\":\"Weg 3\",\"type\":\"home\"}]}"},
    {"FN:Firma\\; GmbH|N:;;;;|ORG:Firma\\; GmbH;Einkauf|TITLE:Chef|ROLE:Führt",
     "{\"organizations\":[{\"department\":\"Einkauf\",\"jobDescription\":\"Führt\",\"name\":\"Firma; GmbH\",\"title\":\"Chef\"}]}"},
    {"FN:Eins|N:;;;;|item1.ORG:Eins|item2.ORG:Zwei|item2.TITLE:Chef",
     "{\"organizations\":[{\"name\":\"Eins\"},{\"name\":\"Zwei\",\"title\":\"Chef\"}]}"},
    {"FN:|N:;;;;|BDAY:1980-03-05", "{\"birthdays\":[{\"date\":{\"day\":5,\"month\":3,\"year\":1980}}]}"},
    {"FN:|N:;;;;|BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29", "{\"birthdays\":[{\"date\":{\"day\":29,\"month\":2}}]}"},
    {"FN:|N:;;;;|BDAY:1980-03", "{\"birthdays\":[{\"date\":{\"month\":3,\"year\":1980}}]}"},
    {"FN:|N:;;;;|BDAY:1980", "{\"birthdays\":[{\"date\":{\"year\":1980}}]}"},
    {"FN:|N:;;;;|BDAY;VALUE=text:im Herbst\\, etwa 1980", "{\"birthdays\":[{\"text\":\"im Herbst, etwa 1980\"}]}"},
    {"FN:|N:;;;;|ANNIVERSARY:2001-05-06|item1.X-ABDATE:2019-01-02|item1.X-ABLabel:Eintritt|X-ABDATE:2020-01-02",
     "{\"events\":[{\"date\":{\"day\":6,\"month\":5,\"year\":2001},\"type\":\"anniversary\"},{\"date\":{\"day\":2,\"month\":1,\"year\":2019},"
     "\"type\":\"Eintritt\"},{\"date\":{\"day\":2,\"month\":1,\"year\":2020}}]}"},
    {"FN:|N:;;;;|NOTE:eins\\nzwei\\, drei\\; \\\\ vier", "{\"biographies\":[{\"value\":\"eins\\nzwei, drei; \\\\ vier\"}]}"},
    {"FN:|N:;;;;|URL:https://example.org/a\\,b|URL;TYPE=WORK:https://w.example.org/?a=1;b=2|item1.URL:https://h.example.org|"
     "item1.X-ABLabel:_$!<HomePage>!$_|item2.URL:https://b.example.org|item2.X-ABLabel:blog",
     "{\"urls\":[{\"value\":\"https://example.org/a,b\"},{\"type\":\"work\",\"value\":\"https://w.example.org/?a=1;b=2\"},"
     "{\"type\":\"homePage\",\"value\":\"https://h.example.org\"},{\"type\":\"blog\",\"value\":\"https://b.example.org\"}]}"},
    {"FN:|N:;;;;|IMPP:skype:anna|IMPP;TYPE=WORK:xmpp:a@example.org|IMPP;X-SERVICE-TYPE=GoogleTalk:xmpp:g@example.org|"
     "IMPP;X-SERVICE-TYPE=Signal:x-apple:+4917|IMPP:aim:an|IMPP:icq:12",
     "{\"imClients\":[{\"protocol\":\"skype\",\"username\":\"anna\"},{\"protocol\":\"jabber\",\"type\":\"work\",\"username\":\"a@example.org\"},"
     "{\"protocol\":\"googleTalk\",\"username\":\"g@example.org\"},{\"protocol\":\"signal\",\"username\":\"+4917\"},"
     "{\"protocol\":\"aim\",\"username\":\"an\"},{\"protocol\":\"icq\",\"username\":\"12\"}]}"},
    {"FN:|N:;;;;|IMPP;TYPE=WORK:sip:a@example.org", "{\"sipAddresses\":[{\"type\":\"work\",\"value\":\"sip:a@example.org\"}]}"},
    {"FN:|N:;;;;|RELATED;TYPE=SPOUSE;VALUE=text:Lale|RELATED;TYPE=DOMESTICPARTNER;VALUE=text:Max|item1.RELATED;VALUE=text:Eva|item1.X-ABLabel:Nichte",
     "{\"relations\":[{\"person\":\"Lale\",\"type\":\"spouse\"},{\"person\":\"Max\",\"type\":\"domesticPartner\"},"
     "{\"person\":\"Eva\",\"type\":\"Nichte\"}]}"},
    {"FN:|N:;;;;|X-HUB-KUNDE:4711|item1.X-GOOGLE-FIELD:blau\\, hell|item1.X-ABLabel:Farbe (Auto)",
     "{\"userDefined\":[{\"key\":\"KUNDE\",\"value\":\"4711\"},{\"key\":\"Farbe (Auto)\",\"value\":\"blau, hell\"}]}"},
    {"FN:|N:;;;;|CATEGORIES:Vorstand,a\\,b", "{\"memberships\":[{\"category\":\"Vorstand\"},{\"category\":\"a,b\"}]}"},
    {"FN:|N:;;;;|PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ", "{\"photo\":\"/9j/4AAQ\"}"},
};
#define COUNT(list) (sizeof(list) / sizeof *(list))

static json_t *wanted_of(const char *lines)
{
    struct fault why AUTO_FAULT = FAULT_INIT;
    struct buf card AUTO_BUF = BUF_INIT;
    make_card(lines, &card);
    json_t *wanted = people_wanted(buf_str(&card), &why);
    cr_assert_not_null(wanted, "%s: %s", lines, why.what);
    return wanted;
}

/* What the API then says of the person: groups by resource. */
static json_t *as_person(const json_t *wanted)
{
    struct fault why AUTO_FAULT = FAULT_INIT;
    json_t *body = people_create_body(wanted, STR("op-1"), STR("u1"), &groups, &why);
    cr_assert_not_null(body);
    return body;
}

static void card_of(const json_t *wanted, struct buf *out)
{
    struct buf photo AUTO_BUF = BUF_INIT;
    json_t *person = as_person(wanted);
    const char *base64 = json_string_value(json_object_get(wanted, "photo"));
    if (base64) cr_assert(base64_decode(str_of(base64), &photo));
    people_card(person, &groups, buf_str(&photo), out);
    json_decref(person);
}

Test(people_mapping, what_is_held_comes_back)
{
    bool seen[FIELD_COUNT] = {false};
    for (size_t i = 0; i < COUNT(held); i++) {
        struct buf card AUTO_BUF = BUF_INIT;
        struct buf back AUTO_BUF = BUF_INIT;
        struct buf before AUTO_BUF = BUF_INIT;
        struct buf after AUTO_BUF = BUF_INIT;
        json_t *wanted = wanted_of(held[i].lines);
        char *text = json_dumps(wanted, JSON_COMPACT | JSON_SORT_KEYS);
        cr_expect_str_eq(text, held[i].api, "row %zu\n%s\n%s", i, text, held[i].api);
        make_card(held[i].lines, &card);
        card_of(wanted, &back);
        elements_text(buf_str(&card), &before);
        elements_text(buf_str(&back), &after);
        cr_expect_str_eq(buf_cstr(&before), buf_cstr(&after), "row %zu\n%s---\n%s---\n%s", i, buf_cstr(&before), buf_cstr(&after),
                         buf_cstr(&back));
        json_t *again = people_wanted(buf_str(&back), NULL);
        cr_expect(json_equal(again, wanted), "row %zu is not stable", i);
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct record *r = record_parse(&arena, RECORD_CONTACT, buf_str(&card), &key, NULL);
        size_t n;
        const struct element *e = record_elements(r, &n);
        for (size_t k = 0; k < n; k++) seen[e[k].field->id] = true;
        free(text);
        json_decref(again);
        json_decref(wanted);
    }
    for (size_t i = 0; i < people_rows_n; i++)
        cr_expect(seen[people_rows[i].field], "no test row has %s", contact_fields[people_rows[i].field].name);
}

/* -- what is lost, and how it then looks -- */

static const struct {
    const char *lines, *back;
} lost[] = {
    {"FN:Anna Maria Meier|N:Meier;Anna,Maria;;;", "FN:Anna Maria Meier|N:Meier;Anna Maria;;;"},
    {"FN:Anders|N:Meier;Anna;;;", "FN:Anna Meier|N:Meier;Anna;;;"},
    {"FN:|N:;;;;|TEL;TYPE=HOME,CELL:1", "FN:|N:;;;;|TEL;TYPE=CELL:1"},
    {"FN:|N:;;;;|item1.TEL;TYPE=WORK:1|item1.X-ABLabel:Tor", "FN:|N:;;;;|item1.TEL:1|item1.X-ABLabel:Tor"},
    {"FN:A|N:;;;;|ORG:A;B;C", "FN:A|N:;;;;|ORG:A;B\\, C"},
    {"FN:|N:;;;;|NICKNAME:a,b|SORT-STRING:m|GENDER:F|TZ:+01:00|GEO:1;2|CLASS:PRIVATE|DEATHDATE:2020-01-01|LANG:de|X-ANDERES:1",
     "FN:|N:;;;;|NICKNAME:a,b"},
    {"FN:|N:;;;;|RELATED:urn:uuid:00000000-0000-4000-8000-000000000000|RELATED;VALUE=uri:https://example.org/x.vcf", "FN:|N:;;;;"},
    {"FN:|N:;;;;|PHOTO;VALUE=uri:https://example.org/x.jpg", "FN:|N:;;;;"},
    {"FN:|N:;;;;|X-ABDATE:irgendwann|ANNIVERSARY:bald|BDAY:---15", "FN:|N:;;;;"},
    {"FN:|N:;;;;|X-SKYPE:anna|X-JABBER;TYPE=HOME:j", "FN:|N:;;;;|IMPP:skype:anna|IMPP;TYPE=HOME:xmpp:j"},
    {"FN:|N:;;;;|NOTE:eins|NOTE:zwei", "FN:|N:;;;;|NOTE:eins\\nzwei"},
};

Test(people_mapping, what_is_lost_is_known)
{
    for (size_t i = 0; i < COUNT(lost); i++) {
        struct buf card AUTO_BUF = BUF_INIT;
        struct buf back AUTO_BUF = BUF_INIT;
        struct buf expected AUTO_BUF = BUF_INIT;
        struct buf after AUTO_BUF = BUF_INIT;
        json_t *wanted = wanted_of(lost[i].lines);
        card_of(wanted, &back);
        make_card(lost[i].back, &card);
        elements_text(buf_str(&card), &expected);
        elements_text(buf_str(&back), &after);
        cr_expect_str_eq(buf_cstr(&after), buf_cstr(&expected), "row %zu\n%s---\n%s", i, buf_cstr(&after), buf_cstr(&expected));
        json_decref(wanted);
    }
}

/* -- updates -- */

static const struct {
    const char *person, *lines; /* as it is; the card as it is to be */
    const char *mask, *body;
} updates[] = {
    /* nothing changed, whatever the server adds */
    {"{\"names\":[{\"displayName\":\"Anna Meier\",\"unstructuredName\":\"Anna Meier\",\"givenName\":\"Anna\",\"familyName\":\"Meier\"}],"
     "\"phoneNumbers\":[{\"value\":\"1\",\"type\":\"other\",\"canonicalForm\":\"+1\",\"formattedType\":\"Andere\"}]}",
     "FN:Anna Meier|N:Meier;Anna;;;|TEL:1", "", "{}"},
    /* what Google cannot hold is no change */
    {"{\"names\":[{\"givenName\":\"Anna\",\"familyName\":\"Meier\"}]}", "FN:Anna Meier|N:Meier;Anna;;;|TZ:+01:00|X-ANDERES:1", "", "{}"},
    /* one number changes: the others go back as they came, with what a card cannot show */
    {"{\"emailAddresses\":[{\"value\":\"a@x.org\",\"type\":\"home\",\"displayName\":\"Anna\",\"metadata\":{\"primary\":true}},"
     "{\"value\":\"b@x.org\",\"type\":\"sonst\",\"formattedType\":\"Sonst\"}]}",
     "FN:|N:;;;;|EMAIL;TYPE=HOME:a@x.org|item1.EMAIL:c@x.org|item1.X-ABLabel:sonst", "emailAddresses",
     "{\"emailAddresses\":[{\"displayName\":\"Anna\",\"type\":\"home\",\"value\":\"a@x.org\"},{\"type\":\"sonst\",\"value\":\"c@x.org\"}]}"},
    /* a changed title leaves the rest of the organisation */
    {"{\"organizations\":[{\"name\":\"F\",\"title\":\"alt\",\"location\":\"Ulm\",\"symbol\":\"F\",\"current\":true}]}", "FN:F|N:;;;;|ORG:F|TITLE:neu",
     "organizations", "{\"organizations\":[{\"current\":true,\"location\":\"Ulm\",\"name\":\"F\",\"symbol\":\"F\",\"title\":\"neu\"}]}"},
    /* what a changed address is built to does not stay */
    {"{\"addresses\":[{\"streetAddress\":\"Weg 1\",\"city\":\"Ulm\",\"formattedValue\":\"Weg 1\\nUlm\",\"countryCode\":\"DE\"}]}",
     "FN:|N:;;;;|ADR:;;Weg 2;Ulm;;;", "addresses", "{\"addresses\":[{\"city\":\"Ulm\",\"streetAddress\":\"Weg 2\"}]}"},
    /* what the person cleared is cleared */
    {"{\"names\":[{\"givenName\":\"A\"}],\"biographies\":[{\"value\":\"alt\",\"contentType\":\"TEXT_PLAIN\"}],\"nicknames\":[{\"value\":\"N\"}]}",
     "FN:A|N:;A;;;", "biographies,nicknames", "{\"biographies\":[],\"nicknames\":[]}"},
    /* parts of a name that no card has stay with it */
    {"{\"names\":[{\"givenName\":\"A\",\"familyName\":\"M\",\"phoneticFullName\":\"Em\",\"displayName\":\"A M\"}]}", "FN:B M|N:M;B;;;", "names",
     "{\"names\":[{\"familyName\":\"M\",\"givenName\":\"B\",\"phoneticFullName\":\"Em\"}]}"},
    /* an entry that no card shows goes back as it came */
    {"{\"events\":[{\"date\":{\"day\":3},\"type\":\"odd\"},{\"date\":{\"month\":1,\"day\":2},\"type\":\"anniversary\"}]}", "FN:|N:;;;;|ANNIVERSARY:2001-01-02",
     "events", "{\"events\":[{\"date\":{\"day\":2,\"month\":1,\"year\":2001},\"type\":\"anniversary\"},{\"date\":{\"day\":3},\"type\":\"odd\"}]}"},
    /* system groups stay, the list is never empty */
    {"{\"memberships\":[{\"contactGroupMembership\":{\"contactGroupResourceName\":\"contactGroups/starred\",\"contactGroupId\":\"starred\"}},"
     "{\"contactGroupMembership\":{\"contactGroupResourceName\":\"contactGroups/g-Alt\"}}]}",
     "FN:|N:;;;;|CATEGORIES:Neu", "memberships",
     "{\"memberships\":[{\"contactGroupMembership\":{\"contactGroupResourceName\":\"contactGroups/starred\"}},"
     "{\"contactGroupMembership\":{\"contactGroupResourceName\":\"contactGroups/g-Neu\"}}]}"},
    {"{\"memberships\":[{\"contactGroupMembership\":{\"contactGroupResourceName\":\"contactGroups/g-Alt\"}}]}", "FN:|N:;;;;", "memberships",
     "{\"memberships\":[{\"contactGroupMembership\":{\"contactGroupResourceName\":\"contactGroups/myContacts\"}}]}"},
    /* a profile's entries are not ours, neither shown nor sent */
    {"{\"emailAddresses\":[{\"value\":\"p@x.org\",\"metadata\":{\"source\":{\"type\":\"PROFILE\"}}}]}", "FN:|N:;;;;|EMAIL:n@x.org", "emailAddresses",
     "{\"emailAddresses\":[{\"value\":\"n@x.org\"}]}"},
    /* a birthday by text becomes a date */
    {"{\"birthdays\":[{\"text\":\"bald\"}]}", "FN:|N:;;;;|BDAY:1980-01-02", "birthdays",
     "{\"birthdays\":[{\"date\":{\"day\":2,\"month\":1,\"year\":1980}}]}"},
};

Test(people_mapping, updates_name_what_changed_and_keep_the_rest)
{
    for (size_t i = 0; i < COUNT(updates); i++) {
        struct fault why AUTO_FAULT = FAULT_INIT;
        struct buf mask AUTO_BUF = BUF_INIT;
        json_t *person = json_loads(updates[i].person, 0, NULL), *wanted = wanted_of(updates[i].lines);
        cr_assert_not_null(person, "row %zu", i);
        json_t *body = people_update_body(person, wanted, &groups, &mask, &why);
        char *text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
        cr_expect_str_eq(buf_cstr(&mask), updates[i].mask, "row %zu: mask %s", i, buf_cstr(&mask));
        cr_expect_str_eq(text, updates[i].body, "row %zu\n%s\n%s", i, text, updates[i].body);
        free(text);
        json_decref(body);
        json_decref(person);
        json_decref(wanted);
    }
}

Test(people_mapping, a_group_card_is_no_contact)
{
    struct fault why AUTO_FAULT = FAULT_INIT;
    struct buf card AUTO_BUF = BUF_INIT;
    make_card("FN:Alle|N:;;;;|X-ADDRESSBOOKSERVER-KIND:group", &card);
    cr_assert_null(people_wanted(buf_str(&card), &why));
    cr_assert_eq(why.code, FAULT_REFUSED);
}

/* Answers of any shape make a card that can be read. */
Test(people_mapping, odd_persons_make_readable_cards)
{
    static const char *const persons[] = {
        "{}", "{\"names\":{}}", "{\"names\":[]}", "{\"names\":[1,null,\"x\",[]]}", "{\"phoneNumbers\":[{\"value\":7}]}",
        "{\"phoneNumbers\":[{\"value\":\"1\",\"type\":\"a\\nb;c,d:e\"}]}", "{\"urls\":[{\"value\":\"x\\r\\nEND:VCARD\"}]}",
        "{\"imClients\":[{\"username\":\"x\\ny\",\"protocol\":\"a\\\"b\\nc\"}]}", "{\"birthdays\":[{\"date\":{\"year\":-1,\"month\":99,\"day\":\"x\"}}]}",
        "{\"userDefined\":[{\"key\":\"\\u0001\",\"value\":\"v\"}]}", "{\"metadata\":{\"sources\":[{\"type\":\"CONTACT\",\"id\":\"a\\nb\"}]}}",
        "{\"sipAddresses\":[{\"value\":\"sip:a\\nX:y\"}]}", "{\"memberships\":[{}]}", "{\"clientData\":[{\"key\":\"abgleich-uid\",\"value\":5}]}",
    };
    for (size_t i = 0; i < COUNT(persons); i++) {
        struct fault why AUTO_FAULT = FAULT_INIT;
        struct buf card AUTO_BUF = BUF_INIT;
        struct buf all AUTO_BUF = BUF_INIT;
        json_t *person = json_loads(persons[i], JSON_ALLOW_NUL, NULL);
        cr_assert_not_null(person, "row %zu", i);
        people_card(person, &groups, STR_NONE, &card);
        json_t *wanted = people_wanted(buf_str(&card), &why);
        cr_expect_not_null(wanted, "row %zu: %s\n%s", i, why.what, buf_cstr(&card));
        elements_text(buf_str(&card), &all);
        cr_expect(str_find(buf_str(&all), STR("x;X=")) == (size_t)-1, "row %zu: a line of its own: %s", i, buf_cstr(&card));
        json_decref(wanted);
        json_decref(person);
    }
}

/* The table of docs/GOOGLE.md is the one of the program. */
Test(people_mapping, manual_has_the_table)
{
    struct buf table AUTO_BUF = BUF_INIT;
    for (size_t i = 0; people_row_at(i); i++) {
        struct buf vcard AUTO_BUF = BUF_INIT;
        struct buf api AUTO_BUF = BUF_INIT;
        const char *not_held;
        people_row_text(people_row_at(i), &vcard, &api, &not_held);
        buf_addf(&table, "| %s | %s | %s |\n", buf_cstr(&vcard), buf_cstr(&api), not_held ? not_held : "");
    }
    FILE *f = fopen("docs/GOOGLE.md", "r");
    cr_assert_not_null(f, "docs/GOOGLE.md; run in the tree's root");
    struct buf manual AUTO_BUF = BUF_INIT;
    for (int c; (c = getc(f)) != EOF;) buf_addc(&manual, (char)c);
    fclose(f);
    cr_assert(str_find(buf_str(&manual), buf_str(&table)) != (size_t)-1, "docs/GOOGLE.md lacks this table:\n%s", buf_cstr(&table));
}
