/* Grandstream's XML phone book (protocols: directory 8): the form of newer firmware, and with format=old the one
 * before. */
#include "mapping/phonebook_sheet.h"

static const char *type_of(enum phone_kind kind, bool old)
{
    static const char *const types[PHONE_KINDS] = {"Work", "Home", "Fax", "Mobile", "Other", "Other"};
    return old && kind == PHONE_MOBILE ? "Cell" : types[kind];
}

/* Accounts are counted from 0, and from 1 in the older form. */
static void add_contact(const struct sheet_line *line, bool old, struct buf *out)
{
    buf_adds(out, "  <Contact>\n    ");
    xml_element(out, "FirstName", line->given);
    buf_adds(out, "\n    ");
    xml_element(out, "LastName", line->family);
    buf_adds(out, "\n    <Frequent>0</Frequent>\n");
    for (size_t i = 0; i < line->n; i++) {
        buf_adds(out, "    <Phone");
        xml_attribute(out, "type", str_of(type_of(line->numbers[i].kind, old)));
        buf_addc(out, '>');
        xml_element(out, "phonenumber", line->numbers[i].text);
        buf_addf(out, "<accountindex>%d</accountindex></Phone>\n", old);
    }
    buf_addf(out, "    %s\n  </Contact>\n", old ? "<Groups><groupid>0</groupid></Groups>" : "<Group>1</Group>");
}

bool grandstream_write(const struct phonebook *p, const struct form_settings *s, const struct form_query *q,
                       struct buf *out, const char **type)
{
    bool old = query_is(q, "format", "old");
    if (*q->file && strcmp(q->file, "phonebook.xml") != 0) return false;
    struct sheet sheet AUTO_SHEET = sheet_of(p, FORM_GRANDSTREAM, s, NULL, NULL, NULL, NULL);
    *type = XML_TYPE;
    buf_addf(out, XML_HEAD "<AddressBook>\n  <version>1</version>\n  <pbgroup><id>%d</id>", !old);
    xml_element(out, "name", str_of(s->title));
    buf_adds(out, "</pbgroup>\n");
    for (size_t i = 0; i < sheet.n; i++) add_contact(&sheet.lines[i], old, out);
    buf_adds(out, "</AddressBook>\n");
    return true;
}
