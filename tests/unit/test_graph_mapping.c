/* The field table of Microsoft Graph: what it holds comes back the same, what it cannot hold is declared, an update carries what
 * changed and nothing else, and what is there stays in its place. */
#include "mapping/graph_table.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static const struct hash_key key = {{7}};

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

static json_t *wanted_of(const char *lines, bool carry)
{
    struct fault why AUTO_FAULT = FAULT_INIT;
    struct buf card AUTO_BUF = BUF_INIT;
    make_card(lines, &card);
    json_t *wanted = graph_wanted(buf_str(&card), carry, &why);
    cr_assert_not_null(wanted, "%s: %s", lines, why.what);
    return wanted;
}

/* The contact Graph would have after a create: without our operation id. */
static json_t *contact_of(const json_t *wanted, bool carry)
{
    json_t *body = graph_create_body(wanted, carry, STR("00000000-0000-4000-8000-000000000000"));
    json_t *tags = json_object_get(body, "singleValueExtendedProperties");
    size_t last = json_array_size(tags) - 1;
    cr_assert_str_eq(json_string_value(json_object_get(json_array_get(tags, last), "id")), GRAPH_OPERATION);
    json_array_remove(tags, last);
    if (!last) json_object_del(body, "singleValueExtendedProperties");
    return body;
}

static void card_of(const json_t *wanted, bool carry, struct buf *out)
{
    struct buf photo AUTO_BUF = BUF_INIT;
    json_t *contact = contact_of(wanted, carry);
    const char *base64 = json_string_value(json_object_get(wanted, "photo"));
    if (base64) cr_assert(base64_decode(str_of(base64), &photo));
    graph_card(contact, carry, buf_str(&photo), out);
    json_decref(contact);
}

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* -- what is held -- */

static const struct {
    bool carry;
    const char *lines, *api; /* api: the body of a create, keys sorted, without displayName where it is empty */
} held[] = {
    {false, "FN:Dr. Anna B. Meier jun.|N:Meier;Anna;B.;Dr.;jun.",
     "{\"displayName\":\"Dr. Anna B. Meier jun.\",\"generation\":\"jun.\",\"givenName\":\"Anna\",\"middleName\":\"B.\",\"surname\":\"Meier\",\"title\":\"Dr.\"}"},
    {false, "FN:Feuerwehr Musterstadt|N:;;;;", "{\"displayName\":\"Feuerwehr Musterstadt\"}"},
    {false, "FN:Die Chefin|N:Meier;Anna;;;", "{\"displayName\":\"Die Chefin\",\"givenName\":\"Anna\",\"surname\":\"Meier\"}"},
    {false, "FN:A M|N:M;A;;;|X-PHONETIC-FIRST-NAME:Anna|X-PHONETIC-LAST-NAME:Maier|X-PHONETIC-ORG:Firma\\, die|SORT-STRING:Zentrale",
     "{\"displayName\":\"A M\",\"fileAs\":\"Zentrale\",\"givenName\":\"A\",\"surname\":\"M\",\"yomiCompanyName\":\"Firma, die\",\"yomiGivenName\":\"Anna\",\"yomiSurname\":\"Maier\"}"},
    {false, "FN:|N:;;;;|NICKNAME:Anni", "{\"nickName\":\"Anni\"}"},
    {false, "FN:A|N:;A;;;|EMAIL:a@example.org|EMAIL;TYPE=PREF:b@example.org|EMAIL:c@example.org",
     "{\"displayName\":\"A\",\"emailAddresses\":[{\"address\":\"b@example.org\",\"name\":\"A\"},{\"address\":\"a@example.org\",\"name\":\"A\"},"
     "{\"address\":\"c@example.org\",\"name\":\"A\"}],\"givenName\":\"A\"}"},
    {false, "FN:|N:;;;;|EMAIL:a@example.org", "{\"emailAddresses\":[{\"address\":\"a@example.org\",\"name\":\"a@example.org\"}]}"},
    {false, "FN:|N:;;;;|TEL;TYPE=WORK:1|TEL;TYPE=WORK,PREF:2|TEL;TYPE=HOME:3|TEL;TYPE=HOME:4|TEL;TYPE=CELL:5",
     "{\"businessPhones\":[\"2\",\"1\"],\"homePhones\":[\"3\",\"4\"],\"mobilePhone\":\"5\"}"},
    {true, "FN:|N:;;;;|TEL;TYPE=FAX,HOME:1|TEL;TYPE=FAX,WORK:2|TEL;TYPE=FAX:3|TEL;TYPE=PAGER:4|TEL;TYPE=CAR:5|TEL:6|TEL;TYPE=MAIN:7|"
           "TEL;TYPE=X-ASSISTANT:8|TEL;TYPE=X-CALLBACK:9|URL;TYPE=HOME:https://h.example.org|ANNIVERSARY:2001-05-06",
     "{\"singleValueExtendedProperties\":[{\"id\":\"String 0x3A50\",\"value\":\"https://h.example.org\"},"
     "{\"id\":\"SystemTime 0x3A41\",\"value\":\"2001-05-06T12:00:00Z\"},{\"id\":\"String 0x3A1F\",\"value\":\"6\"},"
     "{\"id\":\"String 0x3A57\",\"value\":\"7\"},{\"id\":\"String 0x3A1E\",\"value\":\"5\"},{\"id\":\"String 0x3A02\",\"value\":\"9\"},"
     "{\"id\":\"String 0x3A2E\",\"value\":\"8\"},{\"id\":\"String 0x3A21\",\"value\":\"4\"},{\"id\":\"String 0x3A23\",\"value\":\"3\"},"
     "{\"id\":\"String 0x3A24\",\"value\":\"2\"},{\"id\":\"String 0x3A25\",\"value\":\"1\"}]}"},
    {false, "FN:|N:;;;;|ADR;TYPE=WORK:;;Am Markt 1\\, Haus 2\\nHof;Ulm;BW;89073;Deutschland|ADR;TYPE=HOME:;;Weg 3;;;;|ADR:;;;Bonn;;;",
     "{\"businessAddress\":{\"city\":\"Ulm\",\"countryOrRegion\":\"Deutschland\",\"postalCode\":\"89073\",\"state\":\"BW\","
     "\"street\":\"Am Markt 1, Haus 2\\r\\nHof\"},\"homeAddress\":{\"street\":\"Weg 3\"},\"otherAddress\":{\"city\":\"Bonn\"}}"},
    {false, "FN:Firma\\; GmbH|N:;;;;|ORG:Firma\\; GmbH;Einkauf|TITLE:Chef|ROLE:Führt",
     "{\"companyName\":\"Firma; GmbH\",\"department\":\"Einkauf\",\"displayName\":\"Firma; GmbH\",\"jobTitle\":\"Chef\",\"profession\":\"Führt\"}"},
    {false, "FN:|N:;;;;|BDAY:1980-03-05", "{\"birthday\":\"1980-03-05T12:00:00Z\"}"},
    {true, "FN:|N:;;;;|BDAY:1980-03-05",
     "{\"birthday\":\"1980-03-05T12:00:00Z\",\"singleValueExtendedProperties\":[{\"id\":\"SystemTime {00062004-0000-0000-C000-000000000046} Id 0x80DE\","
     "\"value\":\"1980-03-05T00:00:00Z\"}]}"},
    {false, "FN:|N:;;;;|NOTE:eins\\nzwei\\, drei\\; \\\\ vier", "{\"personalNotes\":\"eins\\r\\nzwei, drei; \\\\ vier\"}"},
    {false, "FN:|N:;;;;|URL:https://example.org/a\\,b?c=1;d", "{\"businessHomePage\":\"https://example.org/a,b?c=1;d\"}"},
    {false, "FN:|N:;;;;|IMPP:sip:anna@example.org|IMPP:x-apple:anna", "{\"imAddresses\":[\"sip:anna@example.org\",\"anna\"]}"},
    {false, "FN:|N:;;;;|RELATED;TYPE=SPOUSE;VALUE=text:Lale|RELATED;TYPE=CHILD;VALUE=text:Max|RELATED;TYPE=CHILD;VALUE=text:Eva|"
            "RELATED;TYPE=MANAGER;VALUE=text:Chef|RELATED;TYPE=ASSISTANT;VALUE=text:Uwe",
     "{\"assistantName\":\"Uwe\",\"children\":[\"Max\",\"Eva\"],\"manager\":\"Chef\",\"spouseName\":\"Lale\"}"},
    {false, "FN:|N:;;;;|CATEGORIES:Vorstand,Presse", "{\"categories\":[\"Vorstand\",\"Presse\"]}"},
    {false, "FN:|N:;;;;|PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ", "{}"},
};

Test(graph_mapping, what_is_held_comes_back)
{
    bool seen[COUNT(held) + 64] = {false};
    for (size_t i = 0; i < COUNT(held); i++) {
        struct buf card AUTO_BUF = BUF_INIT;
        struct buf back AUTO_BUF = BUF_INIT;
        struct buf before AUTO_BUF = BUF_INIT;
        struct buf after AUTO_BUF = BUF_INIT;
        json_t *wanted = wanted_of(held[i].lines, held[i].carry), *contact = contact_of(wanted, held[i].carry);
        char *text = json_dumps(contact, JSON_COMPACT | JSON_SORT_KEYS);
        cr_expect_str_eq(text, held[i].api, "row %zu\n%s\n%s", i, text, held[i].api);
        make_card(held[i].lines, &card);
        card_of(wanted, held[i].carry, &back);
        elements_text(buf_str(&card), &before);
        elements_text(buf_str(&back), &after);
        cr_expect_str_eq(buf_cstr(&before), buf_cstr(&after), "row %zu\n%s---\n%s---\n%s", i, buf_cstr(&before), buf_cstr(&after),
                         buf_cstr(&back));
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct record *r = record_parse(&arena, RECORD_CONTACT, buf_str(&card), &key, NULL);
        size_t n;
        const struct element *e = record_elements(r, &n);
        for (size_t k = 0; k < n; k++) {
            const struct graph_row *row = graph_row_of(e[k].field->id, e[k].key_text);
            if (row && (row->form != FORM_TAG || held[i].carry)) seen[row - graph_rows] = true;
        }
        free(text);
        json_decref(contact);
        json_decref(wanted);
    }
    for (size_t i = 0; i < graph_rows_n; i++) cr_expect(seen[i], "no test row has %s", graph_rows[i].member);
}

/* -- what is lost, and how it then looks -- */

static const struct {
    const char *lines, *back;
} lost[] = {
    {"FN:Anna Maria Meier|N:Meier;Anna,Maria;;;", "FN:Anna Maria Meier|N:Meier;Anna Maria;;;"},
    {"FN:|N:;;;;|EMAIL:a@x.org|EMAIL:b@x.org|EMAIL:c@x.org|EMAIL:d@x.org", "FN:|N:;;;;|EMAIL:a@x.org|EMAIL:b@x.org|EMAIL:c@x.org"},
    {"FN:|N:;;;;|EMAIL;TYPE=HOME:a@x.org|item1.EMAIL:b@x.org|item1.X-ABLabel:Tor|EMAIL:keine|EMAIL:a\\,b@x.org", "FN:|N:;;;;|EMAIL:a@x.org|EMAIL:b@x.org"},
    {"FN:|N:;;;;|TEL;TYPE=WORK:1|TEL;TYPE=WORK:2|TEL;TYPE=WORK:3", "FN:|N:;;;;|TEL;TYPE=WORK:1|TEL;TYPE=WORK:2"},
    {"FN:|N:;;;;|TEL;TYPE=CELL:1|TEL;TYPE=CELL,WORK:2", "FN:|N:;;;;|TEL;TYPE=CELL:1"},
    {"FN:|N:;;;;|TEL;TYPE=CELL:1|TEL;TYPE=CELL,PREF:2", "FN:|N:;;;;|TEL;TYPE=CELL:2"},
    {"FN:|N:;;;;|TEL;TYPE=FAX,WORK:1|TEL;TYPE=PAGER:2|TEL;TYPE=X-ASSISTANT:3", "FN:|N:;;;;"},
    /* numbers of no kind take what is free, WORK first */
    {"FN:|N:;;;;|TEL:1|item1.TEL:2|item1.X-ABLabel:Zentrale|TEL;TYPE=MAIN:3|TEL;TYPE=WORK:4|TEL;TYPE=HOME:5|TEL:6",
     "FN:|N:;;;;|TEL;TYPE=WORK:4|TEL;TYPE=WORK:1|TEL;TYPE=HOME:5|TEL;TYPE=HOME:2"},
    {"FN:|N:;;;;|ADR;TYPE=WORK:Pf 1;Hof;Weg 3;Ulm;;;|ADR;TYPE=WORK:;;Weg 4;;;;", "FN:|N:;;;;|ADR;TYPE=WORK:;;Weg 3\\nHof\\nPf 1;Ulm;;;"},
    {"FN:A|N:;;;;|ORG:A;B;C", "FN:A|N:;;;;|ORG:A;B\\, C"},
    {"FN:A|N:;;;;|ORG:A|ORG:B|TITLE:x|TITLE:y|ROLE:x|ROLE:y", "FN:A|N:;;;;|ORG:A|TITLE:x|ROLE:x"},
    {"FN:|N:;;;;|NICKNAME:a,b", "FN:|N:;;;;|NICKNAME:a"},
    {"FN:A M|N:M;A;;;|SORT-STRING:M\\, A", "FN:A M|N:M;A;;;"},
    {"FN:|N:;;;;|GENDER:F|TZ:+01:00|GEO:1;2|CLASS:PRIVATE|DEATHDATE:2020-01-01|LANG:de|X-ANDERES:1|X-HUB-KUNDE:1|X-PHONETIC-MIDDLE-NAME:x|"
     "X-ABDATE:2020-01-01|ANNIVERSARY:2001-01-02", "FN:|N:;;;;"},
    {"FN:|N:;;;;|BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29", "FN:|N:;;;;"},
    {"FN:|N:;;;;|BDAY:1980-03", "FN:|N:;;;;"},
    {"FN:|N:;;;;|BDAY;VALUE=text:bald", "FN:|N:;;;;"},
    {"FN:|N:;;;;|BDAY:1500-01-01", "FN:|N:;;;;"},
    {"FN:|N:;;;;|BDAY:1980-03-05T23:30:00Z", "FN:|N:;;;;|BDAY:1980-03-05"},
    {"FN:|N:;;;;|NOTE:eins|NOTE:zwei", "FN:|N:;;;;|NOTE:eins\\nzwei"},
    {"FN:|N:;;;;|CATEGORIES:a\\,b,c\\;d,e", "FN:|N:;;;;|CATEGORIES:e"},
    {"FN:|N:;;;;|URL;TYPE=HOME:https://h.org|URL;TYPE=WORK:https://w.org", "FN:|N:;;;;|URL:https://w.org"},
    {"FN:|N:;;;;|URL;TYPE=HOME:https://h.org", "FN:|N:;;;;|URL:https://h.org"},
    {"FN:|N:;;;;|IMPP:skype:a|X-JABBER;TYPE=HOME:b|IMPP:aim:c|IMPP:icq:4", "FN:|N:;;;;|IMPP:x-apple:a|IMPP:x-apple:b|IMPP:x-apple:c"},
    {"FN:|N:;;;;|RELATED;TYPE=FRIEND;VALUE=text:F|RELATED;TYPE=SPOUSE:urn:uuid:00000000-0000-4000-8000-000000000000|RELATED;TYPE=AGENT;VALUE=text:U",
     "FN:|N:;;;;|RELATED;TYPE=ASSISTANT;VALUE=text:U"},
    {"FN:|N:;;;;|PHOTO;VALUE=uri:https://example.org/x.jpg", "FN:|N:;;;;"},
    {"FN:|N:;;;;|PHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgo=", "FN:|N:;;;;"},
};

Test(graph_mapping, what_is_lost_is_known)
{
    for (size_t i = 0; i < COUNT(lost); i++) {
        struct buf card AUTO_BUF = BUF_INIT;
        struct buf back AUTO_BUF = BUF_INIT;
        struct buf expected AUTO_BUF = BUF_INIT;
        struct buf after AUTO_BUF = BUF_INIT;
        json_t *wanted = wanted_of(lost[i].lines, false);
        card_of(wanted, false, &back);
        make_card(lost[i].back, &card);
        elements_text(buf_str(&card), &expected);
        elements_text(buf_str(&back), &after);
        cr_expect_str_eq(buf_cstr(&after), buf_cstr(&expected), "row %zu\n%s---\n%s", i, buf_cstr(&after), buf_cstr(&expected));
        json_decref(wanted);
    }
}

/* -- updates -- */

static const struct {
    bool carry;
    const char *contact, *lines, *body; /* as it is; the card as it is to be; what is sent */
} updates[] = {
    /* nothing changed, whatever Outlook adds */
    {false, "{\"displayName\":\"Anna Meier\",\"givenName\":\"Anna\",\"surname\":\"Meier\",\"fileAs\":\"Meier, Anna\",\"initials\":\"AM\",\"officeLocation\":\"3.14\","
            "\"personalNotes\":\"eins\\r\\nzwei\",\"birthday\":\"1980-03-04T23:00:00Z\",\"businessPhones\":[\" 1 \"],\"emailAddresses\":[{\"address\":\"A@X.ORG\",\"name\":\"A (A@X.ORG)\"}]}",
     "FN:Anna Meier|N:Meier;Anna;;;|NOTE:eins\\nzwei|BDAY:1980-03-05|TEL;TYPE=WORK:1|EMAIL:A@x.org", "{}"},
    /* what Graph cannot hold is no change */
    {false, "{\"givenName\":\"Anna\",\"mobilePhone\":\"1\"}", "FN:Anna|N:;Anna;;;|TZ:+01:00|TEL;TYPE=CELL:1|TEL;TYPE=CELL,PREF:2|TEL;TYPE=FAX:3", "{}"},
    /* a place is kept, also when a preferred one comes; what was taken away makes room where it was */
    {false, "{\"homePhones\":[\"1\",\"2\"]}", "FN:|N:;;;;|TEL;TYPE=HOME,PREF:3|TEL;TYPE=HOME:2", "{\"homePhones\":[\"3\",\"2\"]}"},
    {false, "{\"homePhones\":[\"1\",\"2\"]}", "FN:|N:;;;;|TEL;TYPE=HOME,PREF:3|TEL;TYPE=HOME:1|TEL;TYPE=HOME:2", "{}"},
    {false, "{\"homePhones\":[\"1\",\"2\"]}", "FN:|N:;;;;|TEL;TYPE=HOME:1", "{\"homePhones\":[\"1\"]}"},
    {false, "{\"businessPhones\":[\"1\"]}", "FN:|N:;;;;|TEL;TYPE=WORK,PREF:2|TEL;TYPE=WORK:1", "{\"businessPhones\":[\"1\",\"2\"]}"},
    {false, "{\"businessPhones\":[\"1\",\"2\"],\"homePhones\":[]}", "FN:|N:;;;;|TEL;TYPE=WORK:1|TEL;TYPE=WORK:2|TEL:3", "{\"homePhones\":[\"3\"]}"},
    {false, "{\"mobilePhone\":\"1\"}", "FN:|N:;;;;|TEL;TYPE=CELL,PREF:2|TEL;TYPE=CELL:1", "{}"},
    {false, "{\"mobilePhone\":\"1\"}", "FN:|N:;;;;|TEL;TYPE=CELL:2", "{\"mobilePhone\":\"2\"}"},
    /* addresses of colleagues and odd ones go back as they came */
    {false, "{\"displayName\":\"A\",\"emailAddresses\":[{\"address\":\"/O=FIRMA/CN=ANNA\",\"name\":\"Anna\"},{\"name\":\"a,b@x.org\"},{\"address\":\"c@x.org\",\"name\":\"C\"}]}",
     "FN:A|N:;;;;|EMAIL:d@x.org", "{\"emailAddresses\":[{\"address\":\"/O=FIRMA/CN=ANNA\",\"name\":\"Anna\"},{\"name\":\"a,b@x.org\"},{\"address\":\"d@x.org\",\"name\":\"A\"}]}"},
    {false, "{\"emailAddresses\":[{\"address\":\"a@x.org\",\"name\":\"A (a@x.org)\"},{\"address\":\"b@x.org\",\"name\":\"B\"}]}", "FN:|N:;;;;|EMAIL:a@x.org|EMAIL:c@x.org|EMAIL:b@x.org",
     "{\"emailAddresses\":[{\"address\":\"a@x.org\",\"name\":\"A (a@x.org)\"},{\"address\":\"b@x.org\",\"name\":\"B\"},{\"address\":\"c@x.org\",\"name\":\"c@x.org\"}]}"},
    /* what the person cleared is cleared */
    {false, "{\"givenName\":\"A\",\"displayName\":\"A\",\"personalNotes\":\"alt\",\"nickName\":\"N\",\"birthday\":\"1980-01-01T12:00:00Z\",\"categories\":[\"x\"],\"companyName\":\"F\","
            "\"department\":\"D\",\"homeAddress\":{\"city\":\"Ulm\"},\"children\":[\"E\"]}",
     "FN:A|N:;A;;;", "{\"birthday\":null,\"categories\":[],\"children\":[],\"companyName\":null,\"department\":null,\"displayName\":\"A\","
     "\"homeAddress\":{\"city\":null,\"countryOrRegion\":null,\"postalCode\":null,\"state\":null,\"street\":null},\"nickName\":null,\"personalNotes\":null}"},
    /* another name takes what is built from it along, so that it is not built anew */
    {false, "{\"givenName\":\"A\",\"surname\":\"M\",\"displayName\":\"Die Chefin\",\"fileAs\":\"Zentrale\"}", "FN:Die Chefin|N:M;B;;;|SORT-STRING:Zentrale",
     "{\"displayName\":\"Die Chefin\",\"fileAs\":\"Zentrale\",\"givenName\":\"B\"}"},
    {false, "{\"companyName\":\"F\",\"department\":\"D\"}", "FN:F|N:;;;;|ORG:F;E", "{\"department\":\"E\"}"},
    /* parts that were joined stay joined while they do not change */
    {false, "{\"givenName\":\"Anna Maria\",\"displayName\":\"Anna Maria\"}", "FN:Anna Maria|N:;Anna,Maria;;;", "{}"},
    /* extension and box: in the street if we put them there, else not */
    {false, "{\"homeAddress\":{\"street\":\"Weg 3\\r\\nHof\\r\\nPf 1\",\"city\":\"Ulm\"}}", "FN:|N:;;;;|ADR;TYPE=HOME:Pf 1;Hof;Weg 3;Ulm;;;", "{}"},
    {false, "{\"homeAddress\":{\"street\":\"Weg 3\\r\\nHof\\r\\nPf 1\",\"city\":\"Ulm\"}}", "FN:|N:;;;;|ADR;TYPE=HOME:Pf 1;Hof;Weg 4;Ulm;;;",
     "{\"homeAddress\":{\"city\":\"Ulm\",\"countryOrRegion\":null,\"postalCode\":null,\"state\":null,\"street\":\"Weg 4\\r\\nHof\\r\\nPf 1\"}}"},
    {false, "{\"homeAddress\":{\"street\":\"Weg 3\",\"city\":\"Ulm\"}}", "FN:|N:;;;;|ADR;TYPE=HOME:Pf 1;Hof;Weg 3;Ulm;;;", "{}"},
    {false, "{\"homeAddress\":{\"street\":\"Weg 3\",\"city\":\"Ulm\"}}", "FN:|N:;;;;|ADR;TYPE=HOME:Pf 1;;Weg 3;Bonn;;;",
     "{\"homeAddress\":{\"city\":\"Bonn\",\"countryOrRegion\":null,\"postalCode\":null,\"state\":null,\"street\":\"Weg 3\"}}"},
    {false, "{\"homeAddress\":{\"city\":\"Ulm\"}}", "FN:|N:;;;;|ADR;TYPE=HOME:;;;Bonn;;;|ADR;TYPE=HOME:;;;Ulm;;;", "{}"},
    /* a birthday is written when its day changes, and only then; a year-less one cannot be told */
    {false, "{\"birthday\":\"1980-03-04T22:00:00Z\"}", "FN:|N:;;;;|BDAY:1980-03-06", "{\"birthday\":\"1980-03-06T12:00:00Z\"}"},
    {false, "{\"birthday\":\"1604-03-05T12:00:00Z\"}", "FN:|N:;;;;|BDAY;X-APPLE-OMIT-YEAR=1604:1604-03-05", "{}"},
    {true, "{\"birthday\":\"1980-03-04T22:00:00Z\",\"singleValueExtendedProperties\":[{\"id\":\"SystemTime {00062004-0000-0000-c000-000000000046} Id 0x80de\",\"value\":\"1980-03-05T00:00:00Z\"}]}",
     "FN:|N:;;;;|BDAY:1980-03-05", "{}"},
    /* extended properties: only those that change, null clears */
    {true, "{\"singleValueExtendedProperties\":[{\"id\":\"String 0x3a24\",\"value\":\"1\"},{\"id\":\"String 0x3a21\",\"value\":\"2\"}]}", "FN:|N:;;;;|TEL;TYPE=FAX,WORK:1|TEL:3",
     "{\"singleValueExtendedProperties\":[{\"id\":\"String 0x3A1F\",\"value\":\"3\"},{\"id\":\"String 0x3A21\",\"value\":null}]}"},
    /* without carry they are not looked at */
    {false, "{\"singleValueExtendedProperties\":[{\"id\":\"String 0x3a24\",\"value\":\"1\"}]}", "FN:|N:;;;;|TEL;TYPE=FAX,WORK:2", "{}"},
    /* the service of a messenger is not known there */
    {false, "{\"imAddresses\":[\"xmpp:a@x.org\",\"b\"]}", "FN:|N:;;;;|IMPP:skype:b|IMPP:x-apple:xmpp:a@x.org|IMPP:skype:c", "{\"imAddresses\":[\"xmpp:a@x.org\",\"b\",\"c\"]}"},
    {false, "{\"categories\":[\"alt\",\"a,b\"]}", "FN:|N:;;;;|CATEGORIES:neu", "{\"categories\":[\"neu\",\"a,b\"]}"},
};

Test(graph_mapping, updates_carry_what_changed)
{
    for (size_t i = 0; i < COUNT(updates); i++) {
        json_t *contact = json_loads(updates[i].contact, 0, NULL), *wanted = wanted_of(updates[i].lines, updates[i].carry);
        cr_assert_not_null(contact, "row %zu", i);
        json_t *body = graph_update_body(contact, wanted, updates[i].carry);
        char *text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
        cr_expect_str_eq(text, updates[i].body, "row %zu\n%s\n%s", i, text, updates[i].body);
        free(text);
        json_decref(body);
        json_decref(contact);
        json_decref(wanted);
    }
}

/* Day by day of section 7: who wrote it does not matter. */
Test(graph_mapping, birthdays)
{
    static const struct {
        const char *instant, *day;
    } rows[] = {
        {"1980-03-05T00:00:00Z", "1980-03-05"},     {"1980-03-05T11:59:00Z", "1980-03-05"}, {"1980-03-05T12:00:00Z", "1980-03-05"},
        {"1980-03-05T12:59:59Z", "1980-03-05"},     {"1980-03-04T22:00:00Z", "1980-03-05"}, {"1980-03-04T23:00:00Z", "1980-03-05"},
        {"1980-03-04T13:00:00Z", "1980-03-05"},     {"1980-03-04T18:30:00Z", "1980-03-05"}, {"1980-03-05T22:01:00Z", "1980-03-05"},
        {"1980-03-05T13:59:00Z", "1980-03-05"},     {"1980-03-05T23:00:01Z", "1980-03-05"}, {"1980-02-28T23:00:00Z", "1980-02-29"},
        {"1981-02-28T23:00:00Z", "1981-03-01"},     {"1980-12-31T22:00:00Z", "1981-01-01"}, {"1980-03-05T00:00:00.0000000Z", "1980-03-05"},
        {"1980-03-05T00:00:00+01:00", "1980-03-05"}, {"1980-03-04T18:00:00-06:00", "1980-03-05"}, {"1980-03-05", "1980-03-05"},
        {"2000-01-01T00:00:00+02:00", "2000-01-01"}, {"1604-03-05T12:00:00Z", "1604-03-05"},
        {"4501-01-01T00:00:00Z", ""},                {"0001-01-01T00:00:00Z", ""},           {"1980-02-30T12:00:00Z", ""},
        {"1980-13-01T12:00:00Z", ""},                {"", ""},                                {"gestern", ""},
        {"1980-03-05T", ""},                         {"1980-03-05 12:00", ""},                {"1980-03-05T12:00:00X", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char day[GRAPH_DAY_BYTES];
        graph_day(str_of(rows[i].instant), day);
        cr_expect_str_eq(day, rows[i].day, "%s: %s", rows[i].instant, day);
    }
}

Test(graph_mapping, the_local_birthday_wins_with_carry)
{
    json_t *contact = json_loads("{\"birthday\":\"1980-03-03T17:15:00Z\",\"singleValueExtendedProperties\":[{\"id\":\"SystemTime "
                                 "{00062004-0000-0000-c000-000000000046} Id 0x80de\",\"value\":\"1980-03-05T00:00:00Z\"}]}", 0, NULL);
    for (int carry = 0; carry < 2; carry++) {
        struct buf card AUTO_BUF = BUF_INIT;
        graph_card(contact, carry, STR_NONE, &card);
        cr_expect(strstr(buf_cstr(&card), carry ? "BDAY:1980-03-05\r\n" : "BDAY:1980-03-03\r\n"), "%s", buf_cstr(&card));
    }
    json_decref(contact);
}

Test(graph_mapping, a_part_is_not_the_whole)
{
    struct buf fields AUTO_BUF = BUF_INIT;
    json_t *contact = json_object();
    graph_fields(&fields);
    struct str rest = buf_str(&fields);
    while (rest.p) {
        char *name = strndup(rest.p, str_find(rest, STR(",")) == (size_t)-1 ? rest.n : str_find(rest, STR(",")));
        str_split(&rest, ',');
        json_object_set_new(contact, name, json_null());
        free(name);
    }
    cr_expect(graph_is_whole(contact));
    const char *member;
    json_t *value, *all = json_deep_copy(contact);
    json_object_foreach(all, member, value)
    {
        if (!strcmp(member, "id") || !strcmp(member, "parentFolderId")) continue;
        json_object_del(contact, member);
        cr_expect(!graph_is_whole(contact), "without %s", member);
        json_object_set_new(contact, member, json_null());
    }
    json_decref(all);
    json_decref(contact);
}

Test(graph_mapping, a_group_card_is_no_contact)
{
    struct fault why AUTO_FAULT = FAULT_INIT;
    struct buf card AUTO_BUF = BUF_INIT;
    make_card("FN:Alle|N:;;;;|X-ADDRESSBOOKSERVER-KIND:group", &card);
    cr_assert_null(graph_wanted(buf_str(&card), false, &why));
    cr_assert_eq(why.code, FAULT_REFUSED);
}

/* Answers of any shape make a card that can be read. */
Test(graph_mapping, odd_contacts_make_readable_cards)
{
    static const char *const contacts[] = {
        "{}", "{\"surname\":7}", "{\"emailAddresses\":{}}", "{\"emailAddresses\":[1,null,\"x\",[],{\"address\":5}]}",
        "{\"businessPhones\":[7,null,\"\",\"1\\r\\nX:y\"]}", "{\"businessHomePage\":\"x\\r\\nEND:VCARD\"}", "{\"imAddresses\":[\"x\\ny\",\":\",\"a:\"]}",
        "{\"birthday\":5}", "{\"homeAddress\":\"x\"}", "{\"homeAddress\":{\"street\":\"a\\u0001b\\r\\nX:y\"}}", "{\"categories\":\"x\"}",
        "{\"id\":\"a\\nb\"}", "{\"personalNotes\":\"a\\u0000b\"}", "{\"singleValueExtendedProperties\":[{\"id\":5},{}]}", "{\"fileAs\":\", ()\"}",
        "{\"imAddresses\":[\"\\u0000?\",\"\\u0001N:\",\"D:D:a\"]}", "{\"fileAs\":\"(\\b\"}",
    };
    for (size_t i = 0; i < COUNT(contacts); i++) {
        struct fault why AUTO_FAULT = FAULT_INIT;
        struct buf card AUTO_BUF = BUF_INIT;
        struct buf all AUTO_BUF = BUF_INIT;
        json_t *contact = json_loads(contacts[i], JSON_ALLOW_NUL, NULL);
        cr_assert_not_null(contact, "row %zu", i);
        graph_card(contact, true, STR_NONE, &card);
        json_t *wanted = graph_wanted(buf_str(&card), true, &why);
        cr_expect_not_null(wanted, "row %zu: %s\n%s", i, why.what, buf_cstr(&card));
        elements_text(buf_str(&card), &all);
        cr_expect(str_find(buf_str(&all), STR("x;X=")) == (size_t)-1, "row %zu: a line of its own: %s", i, buf_cstr(&card));
        json_t *body = graph_update_body(contact, wanted, true);
        cr_expect_eq(json_object_size(body), 0, "row %zu: %s", i, json_dumps(body, 0));
        json_decref(body);
        struct buf back AUTO_BUF = BUF_INIT;
        json_t *made = contact_of(wanted, true);
        graph_card(made, true, STR_NONE, &back);
        json_t *wanted_back = graph_wanted(buf_str(&back), true, &why), *again = contact_of(wanted_back, true);
        cr_expect(json_equal(made, again), "row %zu does not come back: %s", i, buf_cstr(&back));
        json_decref(made);
        json_decref(wanted_back);
        json_decref(again);
        json_decref(wanted);
        json_decref(contact);
    }
}

/* An answer that was cut is no answer: at no byte does a part of one look like a contact. */
Test(graph_mapping, a_cut_answer_is_none)
{
    static const char whole[] = "{\"id\":\"a\",\"givenName\":\"An\\u0061\",\"emailAddresses\":[{\"address\":\"a@x.org\",\"name\":\"\xc3\xa4\"}],\"homeAddress\":{\"city\":null}}";
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        json_t *cut = json_loadb(whole, n, JSON_ALLOW_NUL, NULL);
        cr_expect_null(cut, "cut at %zu", n);
        json_decref(cut);
    }
    json_t *contact = json_loadb(whole, sizeof whole - 1, JSON_ALLOW_NUL, NULL);
    cr_assert_not_null(contact);
    cr_expect(!graph_is_whole(contact), "what names some of its fields is a part");
    json_decref(contact);
}

Test(graph_mapping, texts_that_are_too_long_stay)
{
    struct buf lines AUTO_BUF = BUF_INIT;
    buf_adds(&lines, "FN:A|N:;A;;;|NOTE:");
    for (int i = 0; i < 300; i++) buf_adds(&lines, "n");
    for (int field = 0; field < 2; field++) {
        buf_adds(&lines, field ? "|ROLE:" : "|TITLE:");
        for (int i = 0; i < 255 + field; i++) buf_adds(&lines, "\xc3\xa4");
    }
    json_t *wanted = wanted_of(buf_cstr(&lines), false);
    cr_expect_not_null(json_object_get(wanted, "personalNotes"));
    cr_expect_not_null(json_object_get(wanted, "jobTitle"), "255 characters fit");
    cr_expect_null(json_object_get(wanted, "profession"), "256 do not");
    json_decref(wanted);
}

Test(graph_mapping, pictures_are_jpeg)
{
    struct buf big AUTO_BUF = BUF_INIT;
    buf_adds(&big, "\xff\xd8\xff");
    cr_expect(graph_takes_photo(buf_str(&big)));
    cr_expect(!graph_takes_photo(STR("\x89PNG")));
    cr_expect(!graph_takes_photo(STR("")));
    buf_reserve(&big, 5u << 20);
    memset(big.data + 3, 0, 5u << 20);
    big.len = 4u << 20;
    cr_expect(graph_takes_photo(buf_str(&big)));
    big.len++;
    cr_expect(!graph_takes_photo(buf_str(&big)));
    big.len = 0;
}

/* The table of docs/MICROSOFT.md is the one of the program. */
Test(graph_mapping, manual_has_the_table)
{
    struct buf table AUTO_BUF = BUF_INIT;
    for (size_t i = 0; graph_row_at(i); i++) {
        struct buf vcard AUTO_BUF = BUF_INIT;
        struct buf api AUTO_BUF = BUF_INIT;
        const char *not_held;
        graph_row_text(graph_row_at(i), &vcard, &api, &not_held);
        buf_addf(&table, "| %s | %s | %s |\n", buf_cstr(&vcard), buf_cstr(&api), not_held ? not_held : "");
    }
    FILE *f = fopen("docs/MICROSOFT.md", "r");
    cr_assert_not_null(f, "docs/MICROSOFT.md; run in the tree's root");
    struct buf manual AUTO_BUF = BUF_INIT;
    for (int c; (c = getc(f)) != EOF;) buf_addc(&manual, (char)c);
    fclose(f);
    cr_assert(str_find(buf_str(&manual), buf_str(&table)) != (size_t)-1, "docs/MICROSOFT.md lacks this table:\n%s", buf_cstr(&table));
}
