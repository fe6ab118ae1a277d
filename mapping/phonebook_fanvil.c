/* Fanvil (protocols: directory 8): the remote directory, and with format=phonebook the file that the phone imports. The
 * kind of a number is the name of its tag. */
#include "mapping/phonebook_sheet.h"

bool fanvil_write(const struct phonebook *p, const struct form_settings *s, const struct form_query *q, struct buf *out,
                  const char **type)
{
    static const char *const tags[] = {"Telephone", "Mobile", "Other"};
    bool import = query_is(q, "format", "phonebook");
    const char *root = import ? "PhoneBook" : "FanvilIPPhoneDirectory";
    if (*q->file && strcmp(q->file, "phonebook.xml") != 0) return false;
    struct sheet sheet AUTO_SHEET = sheet_of(p, FORM_FANVIL, s, NULL, NULL, NULL, NULL);
    *type = XML_TYPE;
    buf_addf(out, XML_HEAD "<%s>\n", root);
    for (size_t i = 0; i < sheet.n; i++) {
        buf_adds(out, "  <DirectoryEntry>");
        xml_element(out, "Name", sheet.lines[i].name);
        for (size_t k = 0; k < sheet.lines[i].n; k++) xml_element(out, tags[k], sheet.lines[i].numbers[k].text);
        if (import) buf_adds(out, "<Ring></Ring><Group></Group>");
        buf_adds(out, "</DirectoryEntry>\n");
    }
    buf_addf(out, "</%s>\n", root);
    return true;
}
