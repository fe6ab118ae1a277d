/* Gigaset (protocols: directory 5): the online directory of the bases, and the central phone book as a file. */
#include "mapping/phonebook_gigaset.h"
#include "mapping/phonebook_sheet.h"

#define LIMIT_LEAST 1024 /* bytes of an answer that every base takes */
#define NAME_MAX 32
#define ID_MAX 64 /* bytes; what is longer is left out, with its attribute */
#define COMMAND_MAX 16

enum { ERROR_NOT_ALLOWED = 1, ERROR_SYNTAX = 2, ERROR_INVALID = 4 };

/* -- the online directory -- */

struct asked {
    const struct phonebook *p;
    const struct form_settings *s;
    const struct form_query *q;
    const char *type, *reqid;
    struct arena *arena;
};

/* Parameters of a page. 0 = not asked. */
struct page {
    int64_t first, last, count, limit;
};

static void fail(const struct asked *a, const char *command, int error, struct buf *out)
{
    buf_adds(out, XML_HEAD "<error");
    xml_attribute(out, "response", text_cut(str_of(command), COMMAND_MAX));
    xml_attribute(out, "type", str_of(a->type));
    if (a->reqid) xml_attribute(out, "reqid", str_of(a->reqid));
    buf_addf(out, "><errorid>%d</errorid><message></message></error>\n", error);
}

/* False: there is something else than a number. */
static bool read_number(const struct asked *a, const char *name, int64_t *out)
{
    const char *text = gigaset_value(a->q, name);
    long long n = 0;
    bool right = !text || str_to_int64(str_of(text), &n);
    *out = n;
    return right;
}

/* 0 = all is in order, else the number of the error. */
static int read_page(const struct asked *a, struct page *g)
{
    if (!read_number(a, "first", &g->first) || !read_number(a, "last", &g->last) ||
        !read_number(a, "count", &g->count) || !read_number(a, "limit", &g->limit))
        return ERROR_SYNTAX;
    bool first = gigaset_value(a->q, "first"), last = gigaset_value(a->q, "last"), count = gigaset_value(a->q, "count"),
         limit = gigaset_value(a->q, "limit");
    if ((first && last) || (first && g->first < 1) || (last && g->last < -1) || (last && !g->last) ||
        (count && g->count < 1) || (limit && g->limit < 1))
        return ERROR_INVALID;
    if (limit && g->limit < LIMIT_LEAST) g->limit = LIMIT_LEAST;
    return 0;
}

/* bare: without what a base can do without, where a line is too long for an answer. */
static void add_line(struct sheet *sheet, const struct sheet_line *l, bool bare, struct buf *out)
{
    static const char *const tags[] = {"hm", "mb", "bp", "fx"};
    const struct phonebook_entry *e = l->entry;
    buf_adds(out, "<entry");
    if (!bare && e->id.n && e->id.n <= ID_MAX) xml_attribute(out, "id", e->id);
    buf_addc(out, '>');
    xml_element(out, "ln", l->family);
    xml_element(out, "fn", l->given);
    for (size_t i = 0; i < l->n; i++)
        if (l->numbers[i].text.n) xml_element(out, tags[i], l->numbers[i].text);
    if (!bare && e->company.n && (e->family.n || e->given.n))
        xml_element(out, "cpn", sheet_text(sheet, e->company, NAME_MAX));
    buf_adds(out, "</entry>\n");
}

static void add_head(const struct asked *a, size_t total, size_t first, size_t last, struct buf *out)
{
    buf_adds(out, XML_HEAD "<list response=\"get_list\"");
    xml_attribute(out, "type", str_of(a->type));
    buf_addf(out, " total=\"%zu\" first=\"%zu\" last=\"%zu\"", total, first, last);
    if (a->reqid) xml_attribute(out, "reqid", str_of(a->reqid));
    buf_adds(out, ">\n");
}

#define LIST_END "</list>\n"

/* What is left for lines when head and end have their place. */
static size_t room_of(const struct asked *a, int64_t limit, size_t total)
{
    struct buf head AUTO_BUF = BUF_INIT;
    add_head(a, total, total, total, &head); /* no number in it is longer than that of all */
    if (!limit) return SIZE_MAX;
    size_t rest = head.len + strlen(LIST_END);
    return (uint64_t)limit > rest ? (size_t)limit - rest : 0;
}

/* The line's text; the shorter one if it alone would not have its place. */
static struct str line_text(const struct asked *a, struct sheet *sheet, size_t at, size_t room)
{
    struct buf one AUTO_BUF = BUF_INIT;
    add_line(sheet, &sheet->lines[at], false, &one);
    if (one.len > room) {
        buf_reset(&one);
        add_line(sheet, &sheet->lines[at], true, &one);
    }
    return arena_str(a->arena, buf_str(&one));
}

/* Lines from `from` on, or (back) up to before `to`, as many as have their place; one always goes, or the base would
 * ask for it for ever. Sets *from and *to to what is there. */
static struct str *fill(const struct asked *a, struct sheet *sheet, bool back, size_t room, size_t *from, size_t *to)
{
    size_t n = *to - *from, used = 0, taken = 0;
    struct str *texts = arena_zalloc(a->arena, (n + 1) * sizeof *texts);
    for (; taken < n; taken++) {
        size_t at = back ? *to - 1 - taken : *from + taken;
        struct str text = line_text(a, sheet, at, room);
        if (taken && text.n > room - used) break;
        texts[at - *from] = text;
        used += text.n < room - used ? text.n : room - used;
    }
    if (back) {
        texts += n - taken;
        *from = *to - taken;
    } else
        *to = *from + taken;
    return texts;
}

/* The first line of the entries that stand at or after the text; the last one if none does. */
static size_t jump(const struct asked *a, const struct sheet *sheet, const char *text)
{
    struct str wanted = str_of(text);
    if (wanted.p[wanted.n - 1] == '*') wanted.n--;
    const struct phonebook_entry *from = a->p->entries + phonebook_first_from(a->p, wanted);
    for (size_t i = 0; i < sheet->n; i++)
        if (sheet->lines[i].entry >= from) return i;
    return sheet->n - 1;
}

static void bounds(const struct asked *a, const struct sheet *sheet, const struct page *g, size_t *from, size_t *to)
{
    const char *text = gigaset_value(a->q, "set_first");
    size_t count = !g->count || (uint64_t)g->count > sheet->n ? sheet->n : (size_t)g->count;
    if (g->last) { /* backwards: the page that ends there */
        *to = g->last < 0 || (uint64_t)g->last > sheet->n ? sheet->n : (size_t)g->last;
        *from = *to > count ? *to - count : 0;
        return;
    }
    *from = text ? jump(a, sheet, text) : g->first > 0 ? (size_t)g->first - 1 : 0;
    if (*from > sheet->n) *from = sheet->n;
    *to = sheet->n - *from > count ? *from + count : sheet->n;
}

static void add_nothing(const struct asked *a, const char *failed, struct buf *out)
{
    buf_adds(out, XML_HEAD "<list response=\"get_list\"");
    xml_attribute(out, "type", str_of(a->type));
    if (failed) xml_attribute(out, "notfound", str_of(failed));
    if (a->reqid) xml_attribute(out, "reqid", str_of(a->reqid));
    buf_adds(out, " total=\"0\"/>\n");
}

static void write_online(const struct asked *a, struct buf *out)
{
    struct page g;
    size_t from, to;
    int error = read_page(a, &g);
    if (error) {
        fail(a, "get_list", error, out);
        return;
    }
    struct gigaset_criteria *criteria = gigaset_criteria_of(a->q, a->s, a->arena);
    struct sheet sheet AUTO_SHEET = sheet_of(a->p, FORM_GIGASET, a->s, gigaset_criteria_take, criteria, NULL, NULL);
    if (!sheet.n) {
        add_nothing(a, gigaset_criteria_failed(criteria), out);
        return;
    }
    bounds(a, &sheet, &g, &from, &to);
    struct str *texts = fill(a, &sheet, g.last != 0, room_of(a, g.limit, sheet.n), &from, &to);
    add_head(a, sheet.n, to > from ? from + 1 : 0, to > from ? to : 0, out);
    for (size_t i = from; i < to; i++) buf_addstr(out, texts[i - from]);
    buf_adds(out, LIST_END);
}

/* Without a type it is the public book. */
static bool is_type(const char *type)
{
    static const char *const types[] = {"pb", "pr", "yp"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(type, types[i]) == 0) return true;
    return false;
}

static void answer(struct asked *a, const char *command, struct buf *out)
{
    bool known = is_type(a->type), echoed = !a->reqid || strlen(a->reqid) <= ID_MAX;
    if (!known) a->type = "pb";
    if (!echoed) a->reqid = NULL;
    if (strcmp(command, "get_list") != 0) /* chg_data, copy_data, add_data, del_data: nobody writes from a phone */
        fail(a, command, ERROR_NOT_ALLOWED, out);
    else if (!known || !echoed)
        fail(a, command, ERROR_INVALID, out);
    else
        write_online(a, out);
}

/* -- the central phone book -- */

static void write_central(const struct phonebook *p, const struct form_settings *s, struct buf *out)
{
    static const char *const places[] = {"office1", "office2", "mobile1", "mobile2", "home1", "home2"};
    struct sheet sheet AUTO_SHEET = sheet_of(p, FORM_GIGASET_BOOK, s, NULL, NULL, NULL, NULL);
    buf_adds(out, XML_HEAD "<!DOCTYPE LocalDirectory>\n<list>\n");
    for (size_t i = 0; i < sheet.n; i++) {
        buf_adds(out, "<entry");
        xml_attribute(out, "surname", sheet.lines[i].family);
        xml_attribute(out, "name", sheet.lines[i].given);
        for (size_t k = 0; k < sheet.lines[i].n; k++) xml_attribute(out, places[k], sheet.lines[i].numbers[k].text);
        buf_adds(out, "/>\n");
    }
    buf_adds(out, LIST_END);
}

bool gigaset_write(const struct phonebook *p, const struct form_settings *s, const struct form_query *q,
                   struct buf *out, const char **type)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    /* A base adds "?command=" to its address, which often ends in a question mark already. */
    const char *plain = q->get(q->ctx, "command"), *command = plain ? plain : q->get(q->ctx, "?command");
    const char *kind = gigaset_value(q, "type");
    struct asked a = {p, s, q, kind ? kind : "pb", q->get(q->ctx, "reqid"), &arena};
    bool file = strcmp(q->file, "phonebook.xml") == 0;
    if (*q->file && !file) return false;
    *type = XML_TYPE;
    if (file || !command)
        write_central(p, s, out);
    else
        answer(&a, command, out);
    return true;
}
