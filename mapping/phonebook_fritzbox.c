/* The phone book that a FRITZ!Box imports (protocols: directory 8). Up to nine numbers a contact; the sheet makes
 * another contact of the others. */
#include "mapping/phonebook_sheet.h"

static const char *type_of(enum phone_kind kind)
{
    static const char *const types[PHONE_KINDS] = {"work", "home", "fax_work", "mobile", "home", "home"};
    return types[kind];
}

static size_t taken(const struct sheet_line *line)
{
    size_t n = 0;
    for (size_t i = 0; i < line->n; i++) n += line->numbers[i].text.n > 0;
    return n;
}

static void add_contact(struct sheet *sheet, size_t at, struct buf *out)
{
    const struct sheet_line *line = &sheet->lines[at];
    const struct phonebook_entry *e = line->entry;
    buf_adds(out, "    <contact>\n      <category>0</category>\n      <person>");
    xml_element(out, "realName", line->name);
    buf_addf(out, "</person>\n      <telephony nid=\"%zu\">\n", taken(line));
    for (size_t i = 0; i < line->n && line->numbers[i].text.n; i++) {
        buf_addf(out, "        <number type=\"%s\" prio=\"%d\" id=\"%zu\">", type_of(line->numbers[i].kind), i == 0, i);
        xml_add(out, line->numbers[i].text);
        buf_adds(out, "</number>\n");
    }
    buf_adds(out, "      </telephony>\n");
    if (e->email.n) {
        buf_adds(out, "      <services nid=\"1\"><email classifier=\"work\" id=\"0\">");
        xml_add(out, sheet_text(sheet, e->email, 0));
        buf_adds(out, "</email></services>\n");
    } else
        buf_adds(out, "      <services/>\n");
    buf_addf(out, "      <setup/>\n      <uniqueid>%zu</uniqueid>\n    </contact>\n", at + 1);
}

bool fritzbox_write(const struct phonebook *p, const struct form_settings *s, const struct form_query *q,
                    struct buf *out, const char **type)
{
    if (*q->file && strcmp(q->file, "phonebook.xml") != 0) return false;
    struct sheet sheet AUTO_SHEET = sheet_of(p, FORM_FRITZBOX, s, NULL, NULL, NULL, NULL);
    *type = XML_TYPE;
    buf_adds(out, XML_HEAD "<phonebooks>\n  <phonebook owner=\"0\"");
    xml_attribute(out, "name", str_of(s->title));
    buf_adds(out, ">\n");
    for (size_t i = 0; i < sheet.n; i++) add_contact(&sheet, i, out);
    buf_adds(out, "  </phonebook>\n</phonebooks>\n");
    return true;
}
