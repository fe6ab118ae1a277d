/* What phones read: a table of golden documents per family, numbers, names, searches, pages, and what lint is told. */
#include "tests/phonebook_ask.h"

#include <criterion/criterion.h>

static const struct form_settings plain = {.title = "Firma", .region = "DE"};

static struct phonebook two(void)
{
    struct phonebook p = ask_book();
    ask_add(&p, "Özdemir", "Lale", "Nordlicht GmbH", "work 040/31000-101; work +49 (0) 40 31000102; mobile 0151 00000017; fax 040 9");
    ask_add(&p, "", "", "Pforte & Co.", "work 040 31000100");
    phonebook_sort(&p);
    return p;
}

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

Test(phonebook, golden)
{
    static const struct {
        const char *address, *document;
    } rows[] = {
        {"yealink/v1", HEAD "<YealinkIPPhoneDirectory>\n"
                            "  <DirectoryEntry>\n"
                            "    <Name>Özdemir, Lale</Name>\n"
                            "    <Telephone label=\"Work\">+494031000101</Telephone>\n"
                            "    <Telephone label=\"Work\">+494031000102</Telephone>\n"
                            "    <Telephone label=\"Mobile\">+4915100000017</Telephone>\n"
                            "  </DirectoryEntry>\n"
                            "  <DirectoryEntry>\n"
                            "    <Name>Pforte &amp; Co.</Name>\n"
                            "    <Telephone label=\"Work\">+494031000100</Telephone>\n"
                            "  </DirectoryEntry>\n"
                            "</YealinkIPPhoneDirectory>\n"},
        {"yealink/v1?q=niemand", HEAD "<YealinkIPPhoneDirectory>\n"
                                      "  <DirectoryEntry>\n"
                                      "    <Name>No entries</Name>\n"
                                      "    <Telephone></Telephone>\n"
                                      "  </DirectoryEntry>\n"
                                      "</YealinkIPPhoneDirectory>\n"},
        {"yealink/v1?letter=X", HEAD "<YealinkIPPhoneDirectory>\n</YealinkIPPhoneDirectory>\n"},
        {"yealink/v1?menu=letters&num=idd", HEAD "<YealinkIPPhoneMenu>\n"
                                                 "  <Title>Firma</Title>\n"
                                                 "  <MenuItem>\n"
                                                 "    <Name>O</Name>\n"
                                                 "    <URL>https://dir.example/contacts/KEY/yealink/v1?letter=O&amp;num=idd</URL>\n"
                                                 "  </MenuItem>\n"
                                                 "  <MenuItem>\n"
                                                 "    <Name>P</Name>\n"
                                                 "    <URL>https://dir.example/contacts/KEY/yealink/v1?letter=P&amp;num=idd</URL>\n"
                                                 "  </MenuItem>\n"
                                                 "</YealinkIPPhoneMenu>\n"},
        {"yealink/v1?format=book&num=national",
         HEAD "<YealinkIPPhoneBook>\n"
              "  <Title>Firma</Title>\n"
              "  <Menu Name=\"Firma\">\n"
              "    <Unit Name=\"Özdemir, Lale\" Phone1=\"04031000101\" Phone2=\"04031000102\" Phone3=\"015100000017\""
              " default_photo=\"Resource:\"/>\n"
              "    <Unit Name=\"Pforte &amp; Co.\" Phone1=\"04031000100\" Phone2=\"\" Phone3=\"\" default_photo=\"Resource:\"/>\n"
              "  </Menu>\n"
              "</YealinkIPPhoneBook>\n"},
        {"snom/v1?limit=3", HEAD "<SnomIPPhoneDirectory>\n"
                                 "  <Title>Firma (1-3 / 4)</Title>\n"
                                 "  <Prompt>Dial</Prompt>\n"
                                 "  <DirectoryEntry><Name>Özdemir, Lale (Work)</Name><Telephone>+494031000101</Telephone></DirectoryEntry>\n"
                                 "  <DirectoryEntry><Name>Özdemir, Lale (Work)</Name><Telephone>+494031000102</Telephone></DirectoryEntry>\n"
                                 "  <DirectoryEntry><Name>Özdemir, Lale (Mobile)</Name><Telephone>+4915100000017</Telephone></DirectoryEntry>\n"
                                 "  <SoftKeyItem><Name>F4</Name><Label>Next</Label>"
                                 "<URL>https://dir.example/contacts/KEY/snom/v1?offset=3&amp;limit=3</URL></SoftKeyItem>\n"
                                 "</SnomIPPhoneDirectory>\n"},
        {"snom/v1/menu?q=pforte&offset=0", HEAD "<SnomIPPhoneMenu>\n"
                                                "  <Title>Firma</Title>\n"
                                                "  <MenuItem><Name>Pforte &amp; Co.</Name><ExtraText>+494031000100</ExtraText>"
                                                "<URL>snom://mb_nop#numberdial=+494031000100</URL></MenuItem>\n"
                                                "</SnomIPPhoneMenu>\n"},
        {"snom/v1/search", HEAD "<SnomIPPhoneInput>\n"
                                "  <Title>Firma</Title>\n"
                                "  <Prompt>Search</Prompt>\n"
                                "  <URL>https://dir.example/contacts/KEY/snom/v1?q=__Q__</URL>\n"
                                "  <InputItem><DisplayName>Name</DisplayName><InputToken>__Q__</InputToken>"
                                "<DefaultValue></DefaultValue><InputFlags>a</InputFlags></InputItem>\n"
                                "</SnomIPPhoneInput>\n"},
        {"snom/v1/tbook.xml",
         HEAD "<tbook e=\"2\" version=\"2.0\" complete=\"true\">\n"
              "  <contact fav=\"false\" vip=\"false\" blocked=\"false\"><first_name>Lale</first_name><last_name>Özdemir</last_name>"
              "<organization>Nordlicht GmbH</organization><numbers><number no=\"+494031000101\" type=\"business\" outgoing_id=\"0\"/>"
              "<number no=\"+494031000102\" type=\"business\" outgoing_id=\"0\"/>"
              "<number no=\"+4915100000017\" type=\"mobile\" outgoing_id=\"0\"/></numbers></contact>\n"
              "  <contact fav=\"false\" vip=\"false\" blocked=\"false\"><first_name></first_name><last_name>Pforte &amp; Co.</last_name>"
              "<organization>Pforte &amp; Co.</organization><numbers><number no=\"+494031000100\" type=\"business\" outgoing_id=\"0\"/>"
              "</numbers></contact>\n"
              "</tbook>\n"},
        {"snom/v1/directory.xml", HEAD "<IPPhoneDirectory>\n"
                                       "  <DirectoryEntry><Name>Özdemir, Lale</Name><Telephone>00494031000102</Telephone>"
                                       "<Office>00494031000101</Office><Mobile>004915100000017</Mobile></DirectoryEntry>\n"
                                       "  <DirectoryEntry><Name>Pforte &amp; Co.</Name><Telephone></Telephone>"
                                       "<Office>00494031000100</Office><Mobile></Mobile></DirectoryEntry>\n"
                                       "</IPPhoneDirectory>\n"},
        {"snom/v1/directory.txt", "Özdemir Lale,+494031000101\r\nÖzdemir Lale,+494031000102\r\nÖzdemir Lale,+4915100000017\r\n"
                                  "Pforte & Co.,+494031000100\r\n"},
        {"gigaset/v1?command=get_list&type=pr&count=1&reqid=a%26b",
         HEAD "<list response=\"get_list\" type=\"pr\" total=\"3\" first=\"1\" last=\"1\" reqid=\"a&amp;b\">\n"
              "<entry id=\"1\"><ln>Özdemir</ln><fn>Lale</fn><hm>00494031000101</hm><mb>004915100000017</mb><cpn>Nordlicht GmbH</cpn></entry>\n"
              "</list>\n"},
        {"gigaset/v1?command=get_list&ln=x*&reqid=7", HEAD "<list response=\"get_list\" type=\"pb\" notfound=\"ln\" reqid=\"7\" total=\"0\"/>\n"},
        {"gigaset/v1?command=get_list&ln=oez*&fn=niemand",
         HEAD "<list response=\"get_list\" type=\"pb\" notfound=\"fn\" total=\"0\"/>\n"},
        {"gigaset/v1?command=chg_data",
         HEAD "<error response=\"chg_data\" type=\"pb\"><errorid>1</errorid><message></message></error>\n"},
        {"gigaset/v1", HEAD "<!DOCTYPE LocalDirectory>\n<list>\n"
                            "<entry surname=\"Özdemir\" name=\"Lale\" office1=\"00494031000101\" office2=\"00494031000102\""
                            " mobile1=\"004915100000017\" mobile2=\"\" home1=\"\" home2=\"\"/>\n"
                            "<entry surname=\"Pforte &amp; Co.\" name=\"\" office1=\"00494031000100\" office2=\"\" mobile1=\"\" mobile2=\"\""
                            " home1=\"\" home2=\"\"/>\n"
                            "</list>\n"},
        {"grandstream/v1/phonebook.xml?max=1",
         HEAD "<AddressBook>\n  <version>1</version>\n  <pbgroup><id>1</id><name>Firma</name></pbgroup>\n"
              "  <Contact>\n    <FirstName>Lale</FirstName>\n    <LastName>Özdemir</LastName>\n    <Frequent>0</Frequent>\n"
              "    <Phone type=\"Work\"><phonenumber>+494031000101</phonenumber><accountindex>0</accountindex></Phone>\n"
              "    <Phone type=\"Work\"><phonenumber>+494031000102</phonenumber><accountindex>0</accountindex></Phone>\n"
              "    <Phone type=\"Mobile\"><phonenumber>+4915100000017</phonenumber><accountindex>0</accountindex></Phone>\n"
              "    <Group>1</Group>\n  </Contact>\n</AddressBook>\n"},
        {"grandstream/v1?format=old&max=1&num=national",
         HEAD "<AddressBook>\n  <version>1</version>\n  <pbgroup><id>0</id><name>Firma</name></pbgroup>\n"
              "  <Contact>\n    <FirstName>Lale</FirstName>\n    <LastName>Özdemir</LastName>\n    <Frequent>0</Frequent>\n"
              "    <Phone type=\"Work\"><phonenumber>04031000101</phonenumber><accountindex>1</accountindex></Phone>\n"
              "    <Phone type=\"Work\"><phonenumber>04031000102</phonenumber><accountindex>1</accountindex></Phone>\n"
              "    <Phone type=\"Cell\"><phonenumber>015100000017</phonenumber><accountindex>1</accountindex></Phone>\n"
              "    <Groups><groupid>0</groupid></Groups>\n  </Contact>\n</AddressBook>\n"},
        {"fritzbox/v1?fax=1&max=1",
         HEAD "<phonebooks>\n  <phonebook owner=\"0\" name=\"Firma\">\n"
              "    <contact>\n      <category>0</category>\n      <person><realName>Özdemir, Lale</realName></person>\n"
              "      <telephony nid=\"4\">\n        <number type=\"work\" prio=\"1\" id=\"0\">04031000101</number>\n"
              "        <number type=\"work\" prio=\"0\" id=\"1\">04031000102</number>\n"
              "        <number type=\"mobile\" prio=\"0\" id=\"2\">015100000017</number>\n"
              "        <number type=\"fax_work\" prio=\"0\" id=\"3\">0409</number>\n      </telephony>\n      <services/>\n      <setup/>\n"
              "      <uniqueid>1</uniqueid>\n    </contact>\n  </phonebook>\n</phonebooks>\n"},
        {"cisco/v1", HEAD "<CiscoIPPhoneMenu>\n  <Title>Firma</Title>\n  <Prompt>Please choose</Prompt>\n"
                          "  <MenuItem><Name>Search</Name><URL>https://dir.example/contacts/KEY/cisco/v1/search</URL></MenuItem>\n"
                          "  <MenuItem><Name>All contacts</Name><URL>https://dir.example/contacts/KEY/cisco/v1/directory</URL></MenuItem>\n"
                          "</CiscoIPPhoneMenu>\n"},
        {"cisco/v1/directory?q=40%2031000100&num=idd",
         HEAD "<CiscoIPPhoneDirectory>\n  <Title>Firma</Title>\n  <Prompt>1-1 / 1</Prompt>\n"
              "  <DirectoryEntry><Name>Pforte &amp; Co. (Work)</Name><Telephone>00494031000100</Telephone></DirectoryEntry>\n"
              "  <SoftKeyItem><Name>Dial</Name><URL>SoftKey:Dial</URL><Position>1</Position></SoftKeyItem>\n"
              "  <SoftKeyItem><Name>Exit</Name><URL>SoftKey:Exit</URL><Position>3</Position></SoftKeyItem>\n"
              "</CiscoIPPhoneDirectory>\n"},
        {"fanvil/v1", HEAD "<FanvilIPPhoneDirectory>\n"
                           "  <DirectoryEntry><Name>Özdemir, Lale</Name><Telephone>+494031000101</Telephone><Mobile>+4915100000017</Mobile>"
                           "<Other>+494031000102</Other></DirectoryEntry>\n"
                           "  <DirectoryEntry><Name>Pforte &amp; Co.</Name><Telephone>+494031000100</Telephone><Mobile></Mobile><Other></Other>"
                           "</DirectoryEntry>\n"
                           "</FanvilIPPhoneDirectory>\n"},
    };
    struct phonebook p = two();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out AUTO_BUF = BUF_INIT;
        char root[40] = "";
        cr_assert(ask_for(&p, &plain, rows[i].address, &out), "%s", rows[i].address);
        cr_expect(strcmp(buf_cstr(&out), rows[i].document) == 0, "%s:\n%s", rows[i].address, buf_cstr(&out));
        const char *fault = ask_fault(rows[i].address, buf_str(&out), root);
        cr_expect(!fault, "%s: %s", rows[i].address, fault);
    }
    phonebook_free(&p);
}

/* Each document is one of those in the schema, and the one that was asked for. */
Test(phonebook, every_document_is_right)
{
    struct phonebook p = two(), none = ask_book();
    for (size_t i = 0; i < ASK_ADDRESSES; i++)
        for (int k = 0; k < 2; k++) {
            struct buf out AUTO_BUF = BUF_INIT;
            char root[40] = "";
            cr_assert(ask_for(k ? &none : &p, &plain, ask_addresses[i], &out), "%s", ask_addresses[i]);
            const char *fault = ask_fault(ask_addresses[i], buf_str(&out), root);
            cr_expect(!fault, "%s: %s\n%s", ask_addresses[i], fault, buf_cstr(&out));
        }
    phonebook_free(&p);
    phonebook_free(&none);
}

Test(phonebook, files_nobody_has)
{
    static const char *const rows[] = {"yealink/v1/other.xml", "snom/v1/other.xml", "gigaset/v1/x", "grandstream/v1/gs.xml",
                                       "fritzbox/v1/x",        "cisco/v1/x",        "fanvil/v1/x",  "yealink/v2",
                                       "yealink",              "aastra/v1"};
    struct phonebook p = two();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out AUTO_BUF = BUF_INIT;
        cr_expect(!ask_for(&p, &plain, rows[i], &out), "%s", rows[i]);
    }
    phonebook_free(&p);
}

/* -- numbers (directory 6) -- */

Test(phonebook, numbers)
{
    static const struct {
        const char *text, *stored, *e164, *idd, *national, *prefix; /* NULL: nobody can dial it */
    } rows[] = {
        {"+494031000101", "+494031000101", "+494031000101", "00494031000101", "04031000101", "000494031000101"},
        {"+49 (0) 40 / 31000-101", "+494031000101", "+494031000101", "00494031000101", "04031000101", "000494031000101"},
        {"tel:+49-40-31000101", "+494031000101", "+494031000101", "00494031000101", "04031000101", "000494031000101"},
        {"040\xc2\xa0" "31000101", "04031000101", "+494031000101", "00494031000101", "04031000101", "000494031000101"},
        {"040 31000101 x12", "04031000101", "+494031000101", "00494031000101", "04031000101", "000494031000101"},
        {"+494031000101;ext=12", "+494031000101", "+494031000101", "00494031000101", "04031000101", "000494031000101"},
        {"+33 1 23456789", "+33123456789", "+33123456789", "0033123456789", "0033123456789", "00033123456789"},
        {"12", "12", "12", "12", "12", "12"},
        {"112", "112", "112", "112", "112", "112"},
        {"**620", "**620", "**620", "**620", "**620", "**620"},
        {"*21*0401#", "*21*0401#", "*21*0401#", "*21*0401#", "*21*0401#", "*21*0401#"},
        {"sip:lale@example.org", "sip:lale@example.org", "sip:lale@example.org", "sip:lale@example.org", "sip:lale@example.org",
         "sip:lale@example.org"},
        {"lale@example.org", "sip:lale@example.org", "sip:lale@example.org", "sip:lale@example.org", "sip:lale@example.org",
         "sip:lale@example.org"},
        {"0800 PIZZA", NULL, NULL, NULL, NULL, NULL},
        {"040 310 Durchwahl", NULL, NULL, NULL, NULL, NULL},
        {"", NULL, NULL, NULL, NULL, NULL},
        {"+", NULL, NULL, NULL, NULL, NULL},
        {"040+31", NULL, NULL, NULL, NULL, NULL},
        {"a b@c", NULL, NULL, NULL, NULL, NULL},
        {"@", NULL, NULL, NULL, NULL, NULL},
        {"040 \xd9\xa1\xd9\xa2", NULL, NULL, NULL, NULL, NULL}, /* digits that no phone has */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct phonebook p = ask_book();
        struct phonebook_number list[] = {{.text = str_of(rows[i].text), .kind = PHONE_WORK}};
        const struct phonebook_entry e = {.display = STR("x"), .numbers = list, .n_numbers = 1};
        const struct phonebook_number *n = &phonebook_add_entry(&p, &e)->numbers[0];
        const char *const wanted[] = {rows[i].stored, rows[i].e164, rows[i].idd, rows[i].national, rows[i].prefix};
        for (int form = NUMBER_STORED; form <= NUMBER_PREFIX; form++) {
            struct buf out AUTO_BUF = BUF_INIT;
            bool dialled = number_dial(n, (enum number_form)form, NULL, "DE", &out);
            cr_expect(dialled ? wanted[form] && strcmp(buf_cstr(&out), wanted[form]) == 0 : !wanted[form] && !out.len, "\"%s\" as %s: \"%s\"",
                      rows[i].text, number_form_name((enum number_form)form), buf_cstr(&out));
        }
        phonebook_free(&p);
    }
}

Test(phonebook, lines_and_countries)
{
    static const struct {
        const char *text, *line, *region;
        enum number_form form;
        const char *dialled;
    } rows[] = {
        {"+494031000101", "0", "DE", NUMBER_NATIONAL, "004031000101"},
        {"+494031000101", "9", "DE", NUMBER_IDD, "900494031000101"},
        {"+494031000101", "9", "DE", NUMBER_PREFIX, "900494031000101"},
        {"+494031000101", "0", "DE", NUMBER_STORED, "000494031000101"}, /* 0+49 is nothing */
        {"040 31000101", "0", "DE", NUMBER_STORED, "004031000101"},
        {"+494031000101", "0", "DE", NUMBER_E164, "+494031000101"}, /* has no place for it */
        {"112", "0", "DE", NUMBER_IDD, "112"},                      /* stays in the house */
        {"+494031000101", NULL, "AT", NUMBER_NATIONAL, "00494031000101"},
        {"+4316334567", NULL, "AT", NUMBER_NATIONAL, "016334567"},
        {"+390612345678", NULL, "IT", NUMBER_NATIONAL, "0612345678"}, /* the zero belongs to the number there */
        {"+35226123456", NULL, "LU", NUMBER_NATIONAL, "26123456"},    /* no digit before */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct phonebook p = ask_book();
        struct buf out AUTO_BUF = BUF_INIT;
        struct phonebook_number list[] = {{.text = str_of(rows[i].text), .kind = PHONE_WORK}};
        const struct phonebook_entry e = {.display = STR("x"), .numbers = list, .n_numbers = 1};
        number_dial(&phonebook_add_entry(&p, &e)->numbers[0], rows[i].form, rows[i].line, rows[i].region, &out);
        cr_expect(strcmp(buf_cstr(&out), rows[i].dialled) == 0, "row %zu: %s", i, buf_cstr(&out));
        phonebook_free(&p);
    }
}

/* What of a number is left on each form's phones; "" = it is not there. */
Test(phonebook, numbers_by_family)
{
    static const struct {
        enum phone_form_id form;
        const char *number, *there;
        bool line;
    } rows[] = {
        {FORM_YEALINK, "**620", "**620", false},
        {FORM_YEALINK, "sip:a@b.example", "", false},
        {FORM_YEALINK, "040 31000101", "000494031000101", true},
        {FORM_YEALINK, "123456789012345678901234567890123", "", false},
        {FORM_SNOM, "sip:a@b.example", "sip:a@b.example", false},
        {FORM_SNOM_DECT, "040 31000101", "00494031000101", false},
        {FORM_SNOM_DECT, "*21#", "", false},
        {FORM_SNOM_DECT, "1234567890123456789012", "", false},
        {FORM_SNOM_DECT, "123456789012345678901", "123456789012345678901", false},
        {FORM_SNOM_DECT_TEXT, "040 31000101", "+494031000101", false},
        {FORM_GIGASET, "040 31000101", "00494031000101", false},
        {FORM_FRITZBOX, "+33 123456789", "0033123456789", false},
        {FORM_FRITZBOX, "**620", "**620", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct phonebook p = ask_book();
        struct buf numbers AUTO_BUF = BUF_INIT;
        struct form_settings s = plain;
        if (rows[i].line) s.line = "0";
        buf_addf(&numbers, "work %s", rows[i].number);
        ask_add(&p, "A", "B", "", buf_cstr(&numbers));
        struct sheet sheet AUTO_SHEET = sheet_of(&p, rows[i].form, &s, NULL, NULL, NULL, NULL);
        struct str there = STR_NONE;
        for (size_t k = 0; sheet.n && k < sheet.lines[0].n; k++)
            if (sheet.lines[0].numbers[k].text.n) there = sheet.lines[0].numbers[k].text;
        cr_expect(str_eq(there, str_of(rows[i].there)), "%s %s: \"%.*s\"", phone_form_of(rows[i].form)->name, rows[i].number, STR_ARG(there));
        phonebook_free(&p);
    }
}

/* -- names -- */

Test(phonebook, names_are_cut_between_graphemes)
{
    static const struct {
        const char *text;
        size_t max;
        const char *cut;
    } rows[] = {
        {"Özdemir", 3, "Özd"},
        {"Özdemir", 7, "Özdemir"},
        {"Özdemir", 0, "Özdemir"},
        {"ab cd", 3, "ab"},
        {"abe\xcc\x81x", 3, "ab"},                                                                  /* e and its accent */
        {"ab\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80x", 4, "ab"},                               /* a woman in a rocket, 3 code points */
        {"ab\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80x", 5, "ab\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80"},
        {"a\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa", 2, "a"},                                              /* a flag */
        {"a\xcc\x81\xcc\x81\xcc\x81", 2, "a\xcc\x81"},                                              /* longer than what there is room for */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str cut = text_cut(str_of(rows[i].text), rows[i].max);
        cr_expect(str_eq(cut, str_of(rows[i].cut)), "row %zu: \"%.*s\"", i, STR_ARG(cut));
    }
}

Test(phonebook, names_are_spelled)
{
    static const struct {
        enum name_letters letters;
        const char *text, *spelled;
    } rows[] = {
        {LETTERS_ALL, "a\nb\tc", "a b c"},
        {LETTERS_ALL, "  a \xe2\x80\xa8 b ", "a b"},
        {LETTERS_ALL, "a\x01\x7f\xc2\x85" "b\xef\xbf\xbf", "a b"},
        {LETTERS_ALL, "a\xed\xa0\x80" "b\xff\xc3", "ab"},
        {LETTERS_ALL, "o\xcc\x88", "ö"},
        {LETTERS_ALL, "Жанна", "Жанна"},
        {LETTERS_LATIN1, "Özdemir Ğül", "Özdemir Gül"},
        {LETTERS_LATIN1, "Жанна", "Zanna"},
        {LETTERS_LATIN1, "Łukasz – €", "Lukasz -"},
        {LETTERS_ASCII, "Özdemir & Weiß, René", "Oezdemir & Weiss, Rene"},
        {LETTERS_ASCII, "a\xf0\x9f\x98\x80", "a"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct speller s AUTO_SPELLER = speller_open(rows[i].letters);
        struct str got = text_spelled(&arena, &s, str_of(rows[i].text));
        cr_expect(str_eq(got, str_of(rows[i].spelled)), "row %zu: \"%.*s\"", i, STR_ARG(got));
    }
}

/* The order of a German phone book, digits last; jumping to a letter goes where it would stand. */
Test(phonebook, order)
{
    static const char *const names[] = {"4711 GmbH", "Zebra", "Ärger", "Affe", "Adler", "Özdemir", "Offen", "Weiß", "Weissmann"},
                             *const sorted[] = {"Adler", "Ärger", "Affe", "Özdemir", "Offen", "Weiß", "Weissmann", "Zebra", "4711 GmbH"};
    static const struct {
        const char *text;
        size_t at;
    } jumps[] = {{"a", 0}, {"AD", 0}, {"ar", 3}, {"ae", 1}, {"b", 3}, {"oe", 3}, {"ö", 3}, {"w", 5}, {"zz", 8}, {"4", 8}, {"9", 9}};
    struct phonebook p = ask_book();
    for (size_t i = 0; i < 9; i++) ask_add(&p, names[i], "", "", "work 1");
    phonebook_sort(&p);
    for (size_t i = 0; i < 9; i++) cr_expect(str_eq(p.entries[i].family, str_of(sorted[i])), "%zu: %.*s", i, STR_ARG(p.entries[i].family));
    for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++)
        cr_expect_eq(phonebook_first_from(&p, str_of(jumps[i].text)), jumps[i].at, "%s: %zu", jumps[i].text,
                     phonebook_first_from(&p, str_of(jumps[i].text)));
    phonebook_free(&p);
}
