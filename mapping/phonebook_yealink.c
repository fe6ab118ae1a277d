/* Yealink's remote phone book (protocols: directory 3.1): the directory, the older one-file book, a menu of letters,
 * and a search. */
#include "base/i18n.h"
#include "mapping/phonebook_sheet.h"
#include "mapping/text.h"

#define LETTERS 27 /* A to Z, and # for what is no letter */

/* The letter of the menu: of the name as it is sorted, so "Ä" stands under A. */
static size_t letter_of(const struct phonebook_entry *e)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct buf name AUTO_BUF = BUF_INIT;
    entry_name(e, &name);
    struct str folded = text_fold(&scratch, buf_str(&name));
    return folded.n && folded.p[0] >= 'a' && folded.p[0] <= 'z' ? (size_t)(folded.p[0] - 'a') : LETTERS - 1;
}

static char letter_char(size_t letter)
{
    return letter == LETTERS - 1 ? '#' : (char)('A' + (int)letter);
}

struct wanted {
    struct search search;
    char letter; /* 0 = all */
};

static bool is_wanted(void *ctx, const struct phonebook_entry *e)
{
    struct wanted *w = ctx;
    return search_takes(&w->search, e) && (!w->letter || letter_char(letter_of(e)) == w->letter);
}

static void add_entry(const struct sheet_line *line, struct buf *out)
{
    buf_adds(out, "  <DirectoryEntry>\n    ");
    xml_element(out, "Name", line->name);
    buf_adds(out, "\n");
    for (size_t i = 0; i < line->n; i++) {
        buf_adds(out, "    <Telephone");
        xml_attribute(out, "label", str_of(phone_kind_word(line->numbers[i].kind)));
        buf_addc(out, '>');
        xml_add(out, line->numbers[i].text);
        buf_adds(out, "</Telephone>\n");
    }
    buf_adds(out, "  </DirectoryEntry>\n");
}

/* An empty answer to a search says so; an empty book is just empty. */
static void write_directory(const struct phonebook *p, const struct form_settings *s, struct wanted *w, struct buf *out)
{
    struct sheet sheet AUTO_SHEET = sheet_of(p, FORM_YEALINK, s, is_wanted, w, NULL, NULL);
    buf_adds(out, XML_HEAD "<YealinkIPPhoneDirectory>\n");
    for (size_t i = 0; i < sheet.n; i++) add_entry(&sheet.lines[i], out);
    if (!sheet.n && w->search.is_asked) {
        buf_adds(out, "  <DirectoryEntry>\n    ");
        xml_element(out, "Name", str_of(_("No entries")));
        buf_adds(out, "\n    <Telephone></Telephone>\n  </DirectoryEntry>\n");
    }
    buf_adds(out, "</YealinkIPPhoneDirectory>\n");
}

static void add_item(const struct form_query *q, size_t letter, struct buf *out)
{
    struct buf link AUTO_BUF = BUF_INIT, more AUTO_BUF = BUF_INIT;
    char name = letter_char(letter);
    buf_adds(&more, "letter=");
    url_add(&more, (struct str){&name, 1});
    form_link(q, "", buf_cstr(&more), &link);
    buf_adds(out, "  <MenuItem>\n    ");
    xml_element(out, "Name", (struct str){&name, 1});
    buf_adds(out, "\n    ");
    xml_element(out, "URL", buf_str(&link));
    buf_adds(out, "\n  </MenuItem>\n");
}

static void write_letters(const struct phonebook *p, const struct form_settings *s, const struct form_query *q,
                          struct buf *out)
{
    struct sheet sheet AUTO_SHEET = sheet_of(p, FORM_YEALINK, s, NULL, NULL, NULL, NULL);
    bool there[LETTERS] = {false};
    for (size_t i = 0; i < sheet.n; i++) there[letter_of(sheet.lines[i].entry)] = true;
    buf_adds(out, XML_HEAD "<YealinkIPPhoneMenu>\n  ");
    xml_element(out, "Title", str_of(s->title));
    buf_adds(out, "\n");
    for (size_t i = 0; i < LETTERS; i++)
        if (there[i]) add_item(q, i, out);
    buf_adds(out, "</YealinkIPPhoneMenu>\n");
}

/* A unit has three places; one for each line of the sheet. */
static void write_book(const struct phonebook *p, const struct form_settings *s, struct buf *out)
{
    static const char *const places[] = {"Phone1", "Phone2", "Phone3"};
    struct sheet sheet AUTO_SHEET = sheet_of(p, FORM_YEALINK_BOOK, s, NULL, NULL, NULL, NULL);
    buf_adds(out, XML_HEAD "<YealinkIPPhoneBook>\n  ");
    xml_element(out, "Title", str_of(s->title));
    buf_adds(out, "\n  <Menu");
    xml_attribute(out, "Name", str_of(s->title));
    buf_adds(out, ">\n");
    for (size_t i = 0; i < sheet.n; i++) {
        buf_adds(out, "    <Unit");
        xml_attribute(out, "Name", sheet.lines[i].name);
        for (size_t k = 0; k < sheet.lines[i].n; k++) xml_attribute(out, places[k], sheet.lines[i].numbers[k].text);
        buf_adds(out, " default_photo=\"Resource:\"/>\n");
    }
    buf_adds(out, "  </Menu>\n</YealinkIPPhoneBook>\n");
}

bool yealink_write(const struct phonebook *p, const struct form_settings *s, const struct form_query *q,
                   struct buf *out, const char **type)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    const char *letter = q->get(q->ctx, "letter");
    struct wanted wanted = {search_of(q, &scratch), letter ? letter[0] : '\0'};
    if (*q->file && strcmp(q->file, "phonebook.xml") != 0) return false;
    *type = XML_TYPE;
    if (query_is(q, "format", "book"))
        write_book(p, s, out);
    else if (query_is(q, "menu", "letters"))
        write_letters(p, s, q, out);
    else
        write_directory(p, s, &wanted, out);
    return true;
}
