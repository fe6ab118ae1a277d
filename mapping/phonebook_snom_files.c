/* Files that snom phones and bases load (protocols: directory 4.3, 4.4): both forms of tbook, the DECT bases' XML and
 * text, and the M100's. */
#include "mapping/phonebook_sheet.h"
#include "mapping/phonebook_snom.h"

/* -- tbook -- */

static const char *tbook_type(enum phone_kind kind)
{
    static const char *const types[PHONE_KINDS] = {"business", "home", "fixed", "mobile", "fixed", "fixed"};
    return types[kind];
}

static void add_names(const struct sheet_line *line, struct buf *out)
{
    xml_element(out, "first_name", line->given);
    xml_element(out, "last_name", line->family);
}

static void add_rest(struct sheet *sheet, const struct phonebook_entry *e, struct buf *out)
{
    if (e->position.n) xml_element(out, "title", sheet_text(sheet, e->position, 0));
    if (e->company.n) xml_element(out, "organization", sheet_text(sheet, e->company, 0));
    if (e->email.n) xml_element(out, "email", sheet_text(sheet, e->email, 0));
}

static void add_contact(struct sheet *sheet, const struct sheet_line *line, struct buf *out)
{
    buf_adds(out, "  <contact fav=\"false\" vip=\"false\" blocked=\"false\">");
    add_names(line, out);
    add_rest(sheet, line->entry, out);
    buf_adds(out, "<numbers>");
    for (size_t i = 0; i < line->n; i++) {
        buf_adds(out, "<number");
        xml_attribute(out, "no", line->numbers[i].text);
        buf_addf(out, " type=\"%s\" outgoing_id=\"0\"/>", tbook_type(line->numbers[i].kind));
    }
    buf_adds(out, "</numbers></contact>\n");
}

/* complete: whoever is not in the file goes from the phone; e: characters above 255 */
void snom_tbook(const struct phonebook *p, const struct form_settings *s, const struct form_query *q, struct buf *out)
{
    struct sheet sheet AUTO_SHEET = sheet_of(p, FORM_SNOM_TBOOK, s, NULL, NULL, NULL, NULL);
    (void)q;
    buf_adds(out, XML_HEAD "<tbook e=\"2\" version=\"2.0\" complete=\"true\">\n");
    for (size_t i = 0; i < sheet.n; i++) add_contact(&sheet, &sheet.lines[i], out);
    buf_adds(out, "</tbook>\n");
}

/* The index is unique: without one, old firmware takes entries with the same number for one. */
void snom_tbook1(const struct phonebook *p, const struct form_settings *s, const struct form_query *q, struct buf *out)
{
    struct sheet sheet AUTO_SHEET = sheet_of(p, FORM_SNOM_TBOOK1, s, NULL, NULL, NULL, NULL);
    (void)q;
    buf_adds(out, XML_HEAD "<tbook e=\"2\" complete=\"true\">\n");
    for (size_t i = 0; i < sheet.n; i++) {
        const struct sheet_line *line = &sheet.lines[i];
        buf_addf(out, "  <item context=\"\" type=\"none\" index=\"%zu\" fav=\"false\" mod=\"true\">", i);
        add_names(line, out);
        xml_element(out, "number", line->numbers[0].text);
        xml_element(out, "number_type", str_of(tbook_type(line->numbers[0].kind)));
        add_rest(&sheet, line->entry, out);
        buf_adds(out, "</item>\n");
    }
    buf_adds(out, "</tbook>\n");
}

/* -- DECT bases -- */

/* Three places, all of them there, in this order; an empty one with both tags. */
void snom_dect(const struct phonebook *p, const struct form_settings *s, const struct form_query *q, struct buf *out)
{
    static const char *const tags[] = {"Telephone", "Office", "Mobile"};
    struct sheet sheet AUTO_SHEET = sheet_of(p, FORM_SNOM_DECT, s, NULL, NULL, NULL, NULL);
    (void)q;
    buf_adds(out, XML_HEAD "<IPPhoneDirectory>\n");
    for (size_t i = 0; i < sheet.n; i++) {
        buf_adds(out, "  <DirectoryEntry>");
        xml_element(out, "Name", sheet.lines[i].name);
        for (size_t k = 0; k < sheet.lines[i].n; k++) xml_element(out, tags[k], sheet.lines[i].numbers[k].text);
        buf_adds(out, "</DirectoryEntry>\n");
    }
    buf_adds(out, "</IPPhoneDirectory>\n");
}

static void add_without_commas(struct str name, struct buf *out)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] != ',') buf_addc(out, name.p[i]);
}

/* A line a number, with the one comma between: "Özdemir, Lale" loses hers. */
void snom_dect_text(const struct phonebook *p, const struct form_settings *s, const struct form_query *q,
                    struct buf *out)
{
    struct sheet sheet AUTO_SHEET = sheet_of(p, FORM_SNOM_DECT_TEXT, s, NULL, NULL, NULL, NULL);
    (void)q;
    for (size_t i = 0; i < sheet.n; i++) {
        struct str number = sheet.lines[i].numbers[0].text;
        size_t before = out->len;
        add_without_commas(sheet.lines[i].name, out);
        if (out->len == before) buf_addstr(out, number);
        buf_addf(out, ",%.*s\r\n", STR_ARG(number));
    }
}

/* -- M100, M500 -- */

void snom_m100(const struct phonebook *p, const struct form_settings *s, const struct form_query *q, struct buf *out)
{
    static const char *const tags[] = {"DIR_ENTRY_NUMBER_HOME", "DIR_ENTRY_NUMBER_WORK", "DIR_ENTRY_NUMBER_MOBILE"};
    struct sheet sheet AUTO_SHEET = sheet_of(p, FORM_SNOM_M100, s, NULL, NULL, NULL, NULL);
    (void)q;
    buf_adds(out, XML_HEAD "<directory>\n<DIR_GROUP>\n");
    for (size_t i = 0; i < sheet.n; i++) {
        const struct sheet_line *line = &sheet.lines[i];
        buf_adds(out, "  <DIR_ENTRY>");
        xml_element(out, "DIR_ENTRY_NAME_FIRST", line->given);
        xml_element(out, "DIR_ENTRY_NAME_LAST", line->family);
        for (size_t k = 0; k < line->n; k++)
            if (line->numbers[k].text.n) xml_element(out, tags[k], line->numbers[k].text);
        buf_adds(
            out,
            "<DIR_ENTRY_LINE_NUMBER>1</DIR_ENTRY_LINE_NUMBER><DIR_ENTRY_RINGER>0</DIR_ENTRY_RINGER></DIR_ENTRY>\n");
    }
    buf_adds(out, "</DIR_GROUP>\n</directory>\n");
}
