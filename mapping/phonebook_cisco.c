/* Cisco's phone services (protocols: directory 8): a menu, a search, and a directory of at most 32 entries a document,
 * with soft keys between them. */
#include "base/i18n.h"
#include "mapping/phonebook_sheet.h"

#define PAGE 32
#define DIRECTORY "directory"
#define SEARCH "search"

static void add_item(const struct form_query *q, const char *name, const char *file, struct buf *out)
{
    struct buf url AUTO_BUF = BUF_INIT;
    form_link(q, file, NULL, &url);
    buf_adds(out, "  <MenuItem>");
    xml_element(out, "Name", str_of(name));
    xml_element(out, "URL", buf_str(&url));
    buf_adds(out, "</MenuItem>\n");
}

static void write_menu(const struct form_settings *s, const struct form_query *q, struct buf *out)
{
    buf_adds(out, XML_HEAD "<CiscoIPPhoneMenu>\n  ");
    xml_element(out, "Title", str_of(s->title));
    buf_adds(out, "\n  ");
    xml_element(out, "Prompt", str_of(_("Please choose")));
    buf_adds(out, "\n");
    add_item(q, _("Search"), SEARCH, out);
    add_item(q, _("All contacts"), DIRECTORY, out);
    buf_adds(out, "</CiscoIPPhoneMenu>\n");
}

/* The phone puts "?q=" and what is typed behind the address, "&q=" where it has a question mark. */
static void write_input(const struct form_settings *s, const struct form_query *q, struct buf *out)
{
    struct buf url AUTO_BUF = BUF_INIT;
    form_link(q, DIRECTORY, NULL, &url);
    buf_adds(out, XML_HEAD "<CiscoIPPhoneInput>\n  ");
    xml_element(out, "Title", str_of(s->title));
    buf_adds(out, "\n  ");
    xml_element(out, "Prompt", str_of(_("Search")));
    buf_adds(out, "\n  ");
    xml_element(out, "URL", buf_str(&url));
    buf_adds(out, "\n  <InputItem>");
    xml_element(out, "DisplayName", str_of(_("Name")));
    buf_adds(out, "<QueryStringParam>q</QueryStringParam><DefaultValue></DefaultValue><InputFlags>A</InputFlags>"
                  "</InputItem>\n</CiscoIPPhoneInput>\n");
}

static void add_key(const char *name, struct str url, int position, struct buf *out)
{
    buf_adds(out, "  <SoftKeyItem>");
    xml_element(out, "Name", str_of(name));
    xml_element(out, "URL", url);
    buf_addf(out, "<Position>%d</Position></SoftKeyItem>\n", position);
}

static void add_page_key(const struct form_query *q, const char *name, size_t offset, int position, struct buf *out)
{
    struct buf more AUTO_BUF = BUF_INIT, url AUTO_BUF = BUF_INIT;
    const char *search = q->get(q->ctx, "q");
    buf_addf(&more, "offset=%zu", offset);
    if (search) {
        buf_adds(&more, "&q=");
        url_add(&more, str_of(search));
    }
    form_link(q, DIRECTORY, buf_cstr(&more), &url);
    add_key(name, buf_str(&url), position, out);
}

/* One key of our own, and the phone leaves out those it has: so they are all named. */
static void add_keys(const struct form_query *q, size_t from, size_t to, size_t total, struct buf *out)
{
    add_key(_("Dial"), STR("SoftKey:Dial"), 1, out);
    if (to < total) add_page_key(q, _("Next"), to, 2, out);
    add_key(_("Exit"), STR("SoftKey:Exit"), 3, out);
    if (from) add_page_key(q, _("Back"), from > PAGE ? from - PAGE : 0, 4, out);
}

static void write_directory(const struct phonebook *p, const struct form_settings *s, const struct form_query *q,
                            struct buf *out)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct search search = search_of(q, &scratch);
    struct sheet sheet AUTO_SHEET = sheet_of(p, FORM_CISCO, s, search_takes, &search, NULL, NULL);
    int64_t offset = query_number(q, "offset", 0);
    size_t from = offset < 1 ? 0 : (uint64_t)offset > sheet.n ? sheet.n : (size_t)offset;
    size_t to = sheet.n - from > PAGE ? from + PAGE : sheet.n;
    struct buf prompt AUTO_BUF = BUF_INIT;
    if (sheet.n)
        buf_addf(&prompt, "%zu-%zu / %zu", from < to ? from + 1 : 0, to, sheet.n);
    else
        buf_adds(&prompt, _("No entries"));
    buf_adds(out, XML_HEAD "<CiscoIPPhoneDirectory>\n  ");
    xml_element(out, "Title", str_of(s->title));
    buf_adds(out, "\n  ");
    xml_element(out, "Prompt", buf_str(&prompt));
    buf_adds(out, "\n");
    for (size_t i = from; i < to; i++) {
        struct buf name AUTO_BUF = BUF_INIT;
        const struct sheet_number *number = &sheet.lines[i].numbers[0];
        buf_addf(&name, "%.*s (%s)", STR_ARG(sheet.lines[i].name), phone_kind_word(number->kind));
        buf_adds(out, "  <DirectoryEntry>");
        xml_element(out, "Name", buf_str(&name));
        xml_element(out, "Telephone", number->text);
        buf_adds(out, "</DirectoryEntry>\n");
    }
    add_keys(q, from, to, sheet.n, out);
    buf_adds(out, "</CiscoIPPhoneDirectory>\n");
}

bool cisco_write(const struct phonebook *p, const struct form_settings *s, const struct form_query *q, struct buf *out,
                 const char **type)
{
    *type = XML_TYPE;
    if (strcmp(q->file, DIRECTORY) == 0)
        write_directory(p, s, q, out);
    else if (strcmp(q->file, SEARCH) == 0)
        write_input(s, q, out);
    else if (!*q->file)
        write_menu(s, q, out);
    else
        return false;
    return true;
}
