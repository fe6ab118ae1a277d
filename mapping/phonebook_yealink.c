/* Yealink's remote phone book (protocols: directory 3.1): the directory, the older one-file book, a menu of letters,
 * and a search. */
#include "base/i18n.h"
#include "mapping/phonebook_form.h"
#include "mapping/text.h"

#define NUMBER_MAX 32

static const char *label_of(enum phone_kind kind)
{
    static const char *const labels[PHONE_KINDS] = {N_("Work"), N_("Home"), "", N_("Mobile"), "", N_("Other")};
    return _(labels[kind]);
}

/* The letter of the menu: of the name as it is sorted, so "Ä" stands under A; "#" for what is no letter. */
static char letter_of(const struct phonebook_entry *e)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct buf name AUTO_BUF = BUF_INIT;
    entry_name(e, &name);
    struct str folded = text_fold(&scratch, buf_str(&name));
    return folded.n && folded.p[0] >= 'a' && folded.p[0] <= 'z' ? (char)(folded.p[0] - 32) : '#';
}

static void add_entry(const struct phonebook_entry *e, const struct form_settings *s, struct buf *out)
{
    struct buf name AUTO_BUF = BUF_INIT;
    entry_name(e, &name);
    buf_adds(out, "  <DirectoryEntry>\n    <Name>");
    xml_add(out, buf_str(&name), 0);
    buf_adds(out, "</Name>\n");
    for (size_t i = 0; i < e->n_numbers; i++) {
        struct buf number AUTO_BUF = BUF_INIT;
        if (!entry_is_first(e, i, s, NUMBER_E164, NUMBER_MAX) ||
            !entry_dial(&e->numbers[i], s, NUMBER_E164, NUMBER_MAX, &number))
            continue;
        buf_addf(out, "    <Telephone label=\"%s\">", label_of((enum phone_kind)e->numbers[i].kind));
        xml_add(out, buf_str(&number), 0);
        buf_adds(out, "</Telephone>\n");
    }
    buf_adds(out, "  </DirectoryEntry>\n");
}

/* letter: 0 = all. */
static void write_directory(const struct phonebook *p, const struct form_settings *s, struct str search, bool searched,
                            char letter, struct buf *out)
{
    size_t n = 0;
    buf_adds(out, XML_HEAD "<YealinkIPPhoneDirectory>\n");
    for (size_t i = 0; i < p->n; i++) {
        const struct phonebook_entry *e = &p->entries[i];
        if (!entry_is_dialled(e, s, NUMBER_E164, NUMBER_MAX) || !entry_matches(e, search) ||
            (letter && letter_of(e) != letter))
            continue;
        add_entry(e, s, out);
        n++;
    }
    if (!n && searched)
        buf_addf(out, "  <DirectoryEntry>\n    <Name>%s</Name>\n    <Telephone></Telephone>\n  </DirectoryEntry>\n",
                 _("No entries"));
    buf_adds(out, "</YealinkIPPhoneDirectory>\n");
}

static void write_letters(const struct phonebook *p, const struct form_settings *s, const struct form_query *q,
                          struct buf *out)
{
    bool there[27] = {false};
    for (size_t i = 0; i < p->n; i++) {
        char letter = letter_of(&p->entries[i]);
        if (entry_is_dialled(&p->entries[i], s, NUMBER_E164, NUMBER_MAX))
            there[letter == '#' ? 26 : letter - 'A'] = true;
    }
    buf_adds(out, XML_HEAD "<YealinkIPPhoneMenu>\n  <Title>");
    xml_add(out, str_of(s->title), 0);
    buf_adds(out, "</Title>\n");
    for (int i = 0; i < 27; i++) {
        if (!there[i]) continue;
        buf_addf(out, "  <MenuItem>\n    <Name>%c</Name>\n    <URL>", i == 26 ? '#' : 'A' + i);
        xml_add(out, str_of(q->url), 0);
        buf_addf(out, "?letter=%s</URL>\n  </MenuItem>\n", i == 26 ? "%23" : (char[]){(char)('A' + i), 0});
    }
    buf_adds(out, "</YealinkIPPhoneMenu>\n");
}

static void write_book(const struct phonebook *p, const struct form_settings *s, struct buf *out)
{
    buf_adds(out, XML_HEAD "<YealinkIPPhoneBook>\n  <Title>");
    xml_add(out, str_of(s->title), 0);
    buf_adds(out, "</Title>\n  <Menu Name=\"");
    xml_add(out, str_of(s->title), 0);
    buf_adds(out, "\">\n");
    for (size_t i = 0; i < p->n; i++) {
        const struct phonebook_entry *e = &p->entries[i];
        struct buf name AUTO_BUF = BUF_INIT;
        size_t n = 0;
        entry_name(e, &name);
        for (size_t k = 0; k < e->n_numbers; k++) {
            struct buf number AUTO_BUF = BUF_INIT;
            if (!entry_is_first(e, k, s, NUMBER_E164, NUMBER_MAX) ||
                !entry_dial(&e->numbers[k], s, NUMBER_E164, NUMBER_MAX, &number))
                continue;
            if (n % 3 == 0) { /* a unit has three places: what is left begins another one */
                if (n) buf_adds(out, " default_photo=\"Resource:\"/>\n");
                buf_adds(out, "    <Unit Name=\"");
                xml_add(out, buf_str(&name), 0);
                buf_addc(out, '"');
            }
            buf_addf(out, " Phone%zu=\"", n++ % 3 + 1);
            xml_add(out, buf_str(&number), 0);
            buf_addc(out, '"');
        }
        for (; n && n % 3; n++) buf_addf(out, " Phone%zu=\"\"", n % 3 + 1);
        if (n) buf_adds(out, " default_photo=\"Resource:\"/>\n");
    }
    buf_adds(out, "  </Menu>\n</YealinkIPPhoneBook>\n");
}

bool yealink_write(const struct phonebook *p, const struct form_settings *s, const struct form_query *q,
                   struct buf *out, const char **type)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    const char *format = q->get(q->ctx, "format"), *menu = q->get(q->ctx, "menu"), *search = q->get(q->ctx, "q"),
               *letter = q->get(q->ctx, "letter");
    if (*q->file && strcmp(q->file, "phonebook.xml") != 0) return false;
    *type = XML_TYPE;
    if (format && strcmp(format, "book") == 0)
        write_book(p, s, out);
    else if (menu && strcmp(menu, "letters") == 0)
        write_letters(p, s, q, out);
    else /* "#SEARCH" came as it stands: the phone put nothing in */
        write_directory(p, s, search && strcmp(search, "#SEARCH") != 0 ? text_fold(&scratch, str_of(search)) : STR_NONE,
                        search != NULL, letter ? letter[0] : 0, out);
    return true;
}
