/* snom (protocols: directory 4): the directory of the mini browser with pages, its menu, both tbook forms, and the file
 * of DECT bases. */
#include "base/i18n.h"
#include "mapping/phonebook_form.h"
#include "mapping/text.h"

#define PAGE 25
#define PAGE_MAX 100 /* speed select reaches so far */
#define DECT_NAME_MAX 23
#define DECT_NUMBER_MAX 21

static const char *kind_word(enum phone_kind kind)
{
    static const char *const words[PHONE_KINDS] = {N_("Work"), N_("Home"), "", N_("Mobile"), "", N_("Other")};
    return _(words[kind]);
}

/* -- the browser: one line a number -- */

struct page {
    const struct form_settings *s;
    struct str search;
    int64_t offset, limit, at;
    struct buf *out;
    bool menu;
};

static void add_text(struct buf *out, const char *tag, struct str text)
{
    buf_addf(out, "<%s>", tag);
    xml_add(out, text, 0);
    buf_addf(out, "</%s>", tag);
}

static void add_line(struct page *g, const struct phonebook_entry *e, size_t i, struct str number)
{
    struct buf name AUTO_BUF = BUF_INIT;
    entry_name(e, &name);
    if (!g->menu) {
        buf_addf(&name, " (%s)", kind_word((enum phone_kind)e->numbers[i].kind));
        buf_adds(g->out, "  <DirectoryEntry>");
        add_text(g->out, "Name", buf_str(&name));
        add_text(g->out, "Telephone", number);
        buf_adds(g->out, "</DirectoryEntry>\n");
        return;
    }
    struct buf url AUTO_BUF = BUF_INIT;
    buf_adds(g->out, "  <MenuItem>");
    add_text(g->out, "Name", buf_str(&name));
    add_text(g->out, "ExtraText", number);
    buf_addf(&url, "snom://mb_nop#numberdial=%.*s", STR_ARG(number));
    add_text(g->out, "URL", buf_str(&url));
    buf_adds(g->out, "</MenuItem>\n");
}

/* Lines of the page; returns how many there are in all. */
static int64_t add_lines(struct page *g, const struct phonebook *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct phonebook_entry *e = &p->entries[i];
        if (g->search.n && !entry_matches(e, g->search)) continue;
        for (size_t k = 0; k < e->n_numbers; k++) {
            struct buf number AUTO_BUF = BUF_INIT;
            if (!entry_is_first(e, k, g->s, NUMBER_E164, 0) ||
                !entry_dial(&e->numbers[k], g->s, NUMBER_E164, 0, &number))
                continue;
            if (g->at >= g->offset && g->at < g->offset + g->limit) add_line(g, e, k, buf_str(&number));
            g->at++;
        }
    }
    return g->at;
}

static void add_key(struct buf *out, const char *key, const char *label, const struct form_query *q, const char *search,
                    int64_t offset, int64_t limit)
{
    struct buf url AUTO_BUF = BUF_INIT;
    buf_addf(&url, "%s?offset=%lld&limit=%lld", q->url, (long long)offset, (long long)limit);
    for (const char *c = search ? search : ""; *c; c++) {
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        if (c == search) buf_adds(&url, "&q=");
        if (plain)
            buf_addc(&url, *c);
        else
            buf_addf(&url, "%%%02X", (unsigned char)*c);
    }
    buf_addf(out, "  <SoftKeyItem><Name>%s</Name><Label>%s</Label>", key, label);
    add_text(out, "URL", buf_str(&url));
    buf_adds(out, "</SoftKeyItem>\n");
}

static void write_browser(const struct phonebook *p, const struct form_settings *s, const struct form_query *q,
                          bool menu, struct buf *out)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct buf lines AUTO_BUF = BUF_INIT, title AUTO_BUF = BUF_INIT;
    const char *search = q->get(q->ctx, "q"), *root = menu ? "SnomIPPhoneMenu" : "SnomIPPhoneDirectory";
    int64_t offset = query_number(q, "offset", 0), limit = query_number(q, "limit", PAGE);
    if (offset < 0) offset = 0;
    if (limit < 1 || limit > PAGE_MAX) limit = limit < 1 ? PAGE : PAGE_MAX;
    struct page g = {.s = s, .offset = offset, .limit = limit, .out = &lines, .menu = menu};
    if (search) g.search = text_fold(&scratch, str_of(search));
    int64_t total = add_lines(&g, p), last = offset + limit < total ? offset + limit : total;
    buf_addf(&title, "%s", s->title);
    if (total > limit && offset < total)
        buf_addf(&title, " (%lld-%lld / %lld)", (long long)offset + 1, (long long)last, (long long)total);
    buf_addf(out, XML_HEAD "<%s>\n  ", root);
    add_text(out, "Title", buf_str(&title));
    buf_adds(out, "\n");
    if (!menu) buf_addf(out, "  <Prompt>%s</Prompt>\n", _("Dial"));
    buf_addstr(out, buf_str(&lines));
    if (offset > 0) add_key(out, "F2", _("Back"), q, search, offset > limit ? offset - limit : 0, limit);
    if (last < total) add_key(out, "F4", _("Next"), q, search, last, limit);
    buf_addf(out, "</%s>\n", root);
}

static void write_search(const struct form_settings *s, const struct form_query *q, struct buf *out)
{
    struct buf url AUTO_BUF = BUF_INIT;
    buf_adds(out, XML_HEAD "<SnomIPPhoneInput>\n  ");
    add_text(out, "Title", str_of(s->title));
    buf_addf(out, "\n  <Prompt>%s</Prompt>\n  ", _("Search"));
    buf_addf(&url, "%s?q=__Q__", q->url);
    add_text(out, "URL", buf_str(&url));
    buf_addf(out,
             "\n  <InputItem><DisplayName>%s</DisplayName><InputToken>__Q__</InputToken><DefaultValue></DefaultValue>"
             "<InputFlags>a</InputFlags></InputItem>\n</SnomIPPhoneInput>\n",
             _("Name"));
}

/* -- tbook -- */

static const char *tbook_type(enum phone_kind kind)
{
    static const char *const types[PHONE_KINDS] = {"business", "home", "", "mobile", "", "fixed"};
    return types[kind];
}

static void add_names(const struct phonebook_entry *e, struct buf *out)
{
    bool person = e->family.n || e->given.n;
    add_text(out, "first_name", person ? e->given : STR_NONE);
    add_text(out, "last_name", person ? e->family : e->display);
}

static void add_rest(const struct phonebook_entry *e, struct buf *out)
{
    if (e->position.n) add_text(out, "title", e->position);
    if (e->company.n) add_text(out, "organization", e->company);
    if (e->email.n) add_text(out, "email", e->email);
}

static void write_tbook(const struct phonebook *p, const struct form_settings *s, bool two, struct buf *out)
{
    size_t index = 0;
    /* complete: whoever is not in the file goes from the phone; e: characters above 255 */
    buf_addf(out, XML_HEAD "<tbook e=\"2\"%s complete=\"true\">\n", two ? " version=\"2.0\"" : "");
    for (size_t i = 0; i < p->n; i++) {
        const struct phonebook_entry *e = &p->entries[i];
        if (!entry_is_dialled(e, s, NUMBER_E164, 0)) continue;
        if (two) {
            buf_adds(out, "  <contact fav=\"false\" vip=\"false\" blocked=\"false\">");
            add_names(e, out);
            add_rest(e, out);
            buf_adds(out, "<numbers>");
        }
        for (size_t k = 0, no = 0; k < e->n_numbers; k++) {
            struct buf number AUTO_BUF = BUF_INIT;
            if (!entry_is_first(e, k, s, NUMBER_E164, 0) || !entry_dial(&e->numbers[k], s, NUMBER_E164, 0, &number))
                continue;
            const char *kind = tbook_type((enum phone_kind)e->numbers[k].kind);
            if (two) {
                buf_addf(out, "<number no=\"");
                xml_add(out, buf_str(&number), 0);
                buf_addf(out, "\" type=\"%s\" outgoing_id=\"0\"/>", kind);
                no++;
                continue;
            }
            buf_addf(out, "  <item context=\"\" type=\"none\" index=\"%zu\" fav=\"false\" mod=\"true\">", index++);
            add_names(e, out);
            add_text(out, "number", buf_str(&number));
            add_text(out, "number_type", str_of(kind));
            add_rest(e, out);
            buf_adds(out, "</item>\n");
        }
        if (two) buf_adds(out, "</numbers></contact>\n");
    }
    buf_adds(out, "</tbook>\n");
}

/* -- DECT bases: three places, all of them there, in this order; an empty one with both tags -- */

static void add_dect(struct buf *out, struct str name, const struct str numbers[3])
{
    static const char *const tags[] = {"Telephone", "Office", "Mobile"};
    buf_adds(out, "  <DirectoryEntry><Name>");
    xml_add(out, name, DECT_NAME_MAX);
    buf_adds(out, "</Name>");
    for (int i = 0; i < 3; i++) add_text(out, tags[i], numbers[i]);
    buf_adds(out, "</DirectoryEntry>\n");
}

static int dect_place(enum phone_kind kind)
{
    return kind == PHONE_WORK ? 1 : kind == PHONE_MOBILE ? 2 : 0;
}

/* What finds its place taken begins another line under the same name. */
static void write_dect(const struct phonebook *p, const struct form_settings *s, struct buf *out)
{
    buf_adds(out, XML_HEAD "<IPPhoneDirectory>\n");
    for (size_t i = 0; i < p->n; i++) {
        const struct phonebook_entry *e = &p->entries[i];
        struct arena scratch AUTO_ARENA = ARENA_INIT;
        struct buf name AUTO_BUF = BUF_INIT;
        struct str places[3] = {STR_NONE, STR_NONE, STR_NONE};
        bool any = false;
        entry_name(e, &name);
        for (size_t k = 0; k < e->n_numbers; k++) {
            struct buf number AUTO_BUF = BUF_INIT;
            int place = dect_place((enum phone_kind)e->numbers[k].kind);
            if (!entry_is_first(e, k, s, NUMBER_E164, DECT_NUMBER_MAX) ||
                !entry_dial(&e->numbers[k], s, NUMBER_E164, DECT_NUMBER_MAX, &number))
                continue;
            for (int free = 0; places[place].n && free < 3; free++)
                if (!places[free].n) place = free;
            if (places[place].n) {
                add_dect(out, buf_str(&name), places);
                places[0] = places[1] = places[2] = STR_NONE;
            }
            places[place] = arena_str(&scratch, buf_str(&number));
            any = true;
        }
        if (any) add_dect(out, buf_str(&name), places);
    }
    buf_adds(out, "</IPPhoneDirectory>\n");
}

bool snom_write(const struct phonebook *p, const struct form_settings *s, const struct form_query *q, struct buf *out,
                const char **type)
{
    const char *format = q->get(q->ctx, "format");
    struct str f = str_of(format                                  ? format
                          : strcmp(q->file, "tbook.xml") == 0     ? "tbook"
                          : strcmp(q->file, "directory.xml") == 0 ? "dect"
                          : strcmp(q->file, "search") == 0        ? "search"
                                                                  : "");
    if (*q->file && !f.n) return false;
    *type = XML_TYPE;
    if (str_eq(f, STR("tbook")))
        write_tbook(p, s, true, out);
    else if (str_eq(f, STR("tbook1")))
        write_tbook(p, s, false, out);
    else if (str_eq(f, STR("dect")))
        write_dect(p, s, out);
    else if (str_eq(f, STR("search")))
        write_search(s, q, out);
    else
        write_browser(p, s, q, str_eq(f, STR("menu")), out);
    return true;
}
