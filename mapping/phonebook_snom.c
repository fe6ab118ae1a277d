/* snom's mini browser (protocols: directory 4.2): the directory with pages, its menu, and a search. The files that
 * phones and bases load are in phonebook_snom_files.c. */
#include "base/i18n.h"
#include "mapping/phonebook_snom.h"
#include "mapping/phonebook_sheet.h"

#define PAGE 25
#define PAGE_MAX 100 /* speed select reaches so far */

/* White space in a number would become %20 in the SIP address; the sheet's numbers have none. */
static void add_entry(const struct sheet_line *line, struct buf *out)
{
    struct buf name AUTO_BUF = BUF_INIT;
    buf_addf(&name, "%.*s (%s)", STR_ARG(line->name), phone_kind_word(line->numbers[0].kind));
    buf_adds(out, "  <DirectoryEntry>");
    xml_element(out, "Name", buf_str(&name));
    xml_element(out, "Telephone", line->numbers[0].text);
    buf_adds(out, "</DirectoryEntry>\n");
}

static void add_item(const struct sheet_line *line, struct buf *out)
{
    struct buf url AUTO_BUF = BUF_INIT;
    struct str number = line->numbers[0].text;
    buf_adds(&url, "snom://mb_nop#numberdial=");
    for (size_t i = 0; i < number.n; i++) /* the one that would end the address */
        if (number.p[i] == '#')
            buf_adds(&url, "%23");
        else
            buf_addc(&url, number.p[i]);
    buf_adds(out, "  <MenuItem>");
    xml_element(out, "Name", line->name);
    xml_element(out, "ExtraText", number);
    xml_element(out, "URL", buf_str(&url));
    buf_adds(out, "</MenuItem>\n");
}

struct page {
    const struct form_query *q;
    const char *format, *search; /* as asked, for the links; NULL = not */
    size_t from, limit, total;
};

static size_t page_end(const struct page *g)
{
    return g->total - g->from < g->limit ? g->total : g->from + g->limit;
}

static void add_key(const struct page *g, const char *key, const char *label, size_t offset, struct buf *out)
{
    struct buf more AUTO_BUF = BUF_INIT, url AUTO_BUF = BUF_INIT;
    buf_addf(&more, "offset=%zu&limit=%zu", offset, g->limit);
    if (g->format) buf_addf(&more, "&format=%s", g->format);
    if (g->search) {
        buf_adds(&more, "&q=");
        url_add(&more, str_of(g->search));
    }
    form_link(g->q, "", buf_cstr(&more), &url);
    buf_addf(out, "  <SoftKeyItem><Name>%s</Name>", key);
    xml_element(out, "Label", str_of(label));
    xml_element(out, "URL", buf_str(&url));
    buf_adds(out, "</SoftKeyItem>\n");
}

static struct page page_of(const struct form_query *q, const char *format, size_t total)
{
    int64_t offset = query_number(q, "offset", 0), limit = query_number(q, "limit", PAGE);
    struct page g = {.q = q, .format = format, .search = q->get(q->ctx, "q"), .total = total};
    g.limit = limit < 1 ? PAGE : limit > PAGE_MAX ? PAGE_MAX : (size_t)limit;
    g.from = offset < 1 ? 0 : (uint64_t)offset > total ? total : (size_t)offset;
    return g;
}

static void add_title(const struct page *g, const struct form_settings *s, struct buf *out)
{
    struct buf title AUTO_BUF = BUF_INIT;
    buf_adds(&title, s->title);
    if (g->total > g->limit && g->from < g->total)
        buf_addf(&title, " (%zu-%zu / %zu)", g->from + 1, page_end(g), g->total);
    xml_element(out, "Title", buf_str(&title));
    buf_adds(out, "\n");
}

static void write_browser(const struct phonebook *p, const struct form_settings *s, const struct form_query *q,
                          bool menu, struct buf *out)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct search search = search_of(q, &scratch);
    struct sheet sheet AUTO_SHEET = sheet_of(p, FORM_SNOM, s, search_takes, &search, NULL, NULL);
    struct page g = page_of(q, menu ? "menu" : NULL, sheet.n);
    const char *root = menu ? "SnomIPPhoneMenu" : "SnomIPPhoneDirectory";
    buf_addf(out, XML_HEAD "<%s>\n  ", root);
    add_title(&g, s, out);
    if (!menu) {
        buf_adds(out, "  ");
        xml_element(out, "Prompt", str_of(sheet.n ? _("Dial") : _("No entries")));
        buf_adds(out, "\n");
    }
    for (size_t i = g.from; i < page_end(&g); i++)
        if (menu)
            add_item(&sheet.lines[i], out);
        else
            add_entry(&sheet.lines[i], out);
    if (g.from) add_key(&g, "F2", _("Back"), g.from > g.limit ? g.from - g.limit : 0, out);
    if (page_end(&g) < g.total) add_key(&g, "F4", _("Next"), page_end(&g), out);
    buf_addf(out, "</%s>\n", root);
}

/* The phone puts what is typed in the place of the token. */
static void write_search(const struct form_settings *s, const struct form_query *q, struct buf *out)
{
    struct buf url AUTO_BUF = BUF_INIT;
    form_link(q, "", "q=__Q__", &url);
    buf_adds(out, XML_HEAD "<SnomIPPhoneInput>\n  ");
    xml_element(out, "Title", str_of(s->title));
    buf_adds(out, "\n  ");
    xml_element(out, "Prompt", str_of(_("Search")));
    buf_adds(out, "\n  ");
    xml_element(out, "URL", buf_str(&url));
    buf_adds(out, "\n  <InputItem>");
    xml_element(out, "DisplayName", str_of(_("Name")));
    buf_adds(out, "<InputToken>__Q__</InputToken><DefaultValue></DefaultValue><InputFlags>a</InputFlags></InputItem>\n"
                  "</SnomIPPhoneInput>\n");
}

static void write_directory(const struct phonebook *p, const struct form_settings *s, const struct form_query *q,
                            struct buf *out)
{
    write_browser(p, s, q, false, out);
}

static void write_menu(const struct phonebook *p, const struct form_settings *s, const struct form_query *q,
                       struct buf *out)
{
    write_browser(p, s, q, true, out);
}

static void write_input(const struct phonebook *p, const struct form_settings *s, const struct form_query *q,
                        struct buf *out)
{
    (void)p;
    write_search(s, q, out);
}

static const struct {
    const char *format, *file; /* "" = none */
    void (*write)(const struct phonebook *p, const struct form_settings *s, const struct form_query *q,
                  struct buf *out);
    const char *type;
} documents[] = {
    {"tbook", "tbook.xml", snom_tbook, XML_TYPE},
    {"tbook1", "tbook1.xml", snom_tbook1, XML_TYPE},
    {"dect", "directory.xml", snom_dect, XML_TYPE},
    {"dect-text", "directory.txt", snom_dect_text, "text/plain; charset=utf-8"},
    {"m100", "m100.xml", snom_m100, XML_TYPE},
    {"search", "search", write_input, XML_TYPE},
    {"menu", "menu", write_menu, XML_TYPE},
    {"directory", "", write_directory, XML_TYPE},
};

/* A format is asked for by file or by "format"; without either, and with one nobody knows, it is the directory. */
bool snom_write(const struct phonebook *p, const struct form_settings *s, const struct form_query *q, struct buf *out,
                const char **type)
{
    const char *format = q->get(q->ctx, "format");
    size_t n = sizeof documents / sizeof *documents, at = n;
    for (size_t i = 0; i < n && at == n; i++)
        if (*q->file ? strcmp(q->file, documents[i].file) == 0 : format && strcmp(format, documents[i].format) == 0)
            at = i;
    if (at == n && *q->file) return false;
    if (at == n) at = n - 1;
    *type = documents[at].type;
    documents[at].write(p, s, q, out);
    return true;
}
