/* Gigaset (protocols: directory 5): the online directory of the bases, and the central phone book as a file. */
#include "mapping/phonebook_form.h"
#include "mapping/text.h"

#define NAME_MAX_CHARACTERS 32
#define NUMBER_MAX 32
#define LIMIT_LEAST 1024
#define CENTRAL_ENTRIES_MAX 2000

/* -- the online directory -- */

struct asked {
    const struct phonebook *p;
    const struct form_settings *s;
    const struct form_query *q;
    const char *type, *reqid;
    struct arena *arena;
};

static const char *text_of(const struct form_query *q, const char *name)
{
    const char *text = q->get(q->ctx, name);
    return text && *text && strcmp(text, "*") != 0 ? text : NULL;
}

static void fail(const struct asked *a, int error, struct buf *out)
{
    buf_adds(out, XML_HEAD "<error response=\"get_list\" type=\"");
    xml_add(out, str_of(a->type), 8);
    buf_addf(out, "\"><errorid>%d</errorid><message></message></error>\n", error);
}

/* "Oez*" at the front of a name; without the star the whole of it. */
static bool name_fits(const struct asked *a, const char *wanted, struct str value)
{
    struct str w = str_of(wanted);
    bool prefix = w.n && w.p[w.n - 1] == '*';
    if (prefix) w.n--;
    struct str folded = text_fold(a->arena, w), is = text_fold(a->arena, value);
    return prefix ? str_starts(is, folded) : str_eq(is, folded);
}

/* Digits without what makes one number look like several: 0049, +49 and 0 at the front. */
static bool number_fits(const struct asked *a, const char *wanted, const struct phonebook_entry *e)
{
    struct phonebook asked = {.region = a->s->region};
    struct phonebook_entry one = {.display = STR("?"), .n_numbers = 1};
    struct phonebook_number number = {.text = str_of(wanted)};
    one.numbers = &number;
    const struct phonebook_number *w = &phonebook_add_entry(&asked, &one)->numbers[0];
    bool fits = false;
    for (size_t i = 0; i < e->n_numbers && !fits; i++) {
        const struct phonebook_number *n = &e->numbers[i];
        fits = w->e164.n && n->e164.n ? str_eq(w->e164, n->e164) : str_eq(w->text, n->text);
    }
    phonebook_free(&asked);
    return fits;
}

static const char *const name_criteria[] = {"ln", "fn", "nn", "co", "cpn"}, *const number_criteria[] = {
                                                                                "hm", "mb", "bp", "fx", "sip"};

/* The first criterion that does not fit; NULL = the entry does. Some devices ask for the last name only, whatever was
 * typed. */
static const char *misfit(const struct asked *a, const struct phonebook_entry *e)
{
    for (size_t i = 0; i < sizeof name_criteria / sizeof *name_criteria; i++) {
        const char *wanted = text_of(a->q, name_criteria[i]);
        if (wanted && !name_fits(a, wanted, e->family) && !name_fits(a, wanted, e->given) &&
            !name_fits(a, wanted, e->company) && !name_fits(a, wanted, e->display))
            return name_criteria[i];
    }
    for (size_t i = 0; i < sizeof number_criteria / sizeof *number_criteria; i++) {
        const char *wanted = text_of(a->q, number_criteria[i]);
        if (wanted && !number_fits(a, wanted, e)) return number_criteria[i];
    }
    return NULL;
}

static void add_element(struct buf *out, const char *tag, struct str text, size_t max)
{
    buf_addf(out, "<%s>", tag);
    xml_add(out, text, max);
    buf_addf(out, "</%s>", tag);
}

struct line { /* of one reply: a name and one number of each kind */
    const struct phonebook_entry *e;
    struct str hm, mb, bp;
};

static void add_line(const struct line *l, struct buf *out)
{
    bool person = l->e->family.n || l->e->given.n;
    buf_adds(out, "<entry id=\"");
    xml_add(out, l->e->id, 64);
    buf_adds(out, "\">");
    add_element(out, "ln", person ? l->e->family : l->e->display, NAME_MAX_CHARACTERS);
    add_element(out, "fn", person ? l->e->given : STR_NONE, NAME_MAX_CHARACTERS);
    if (l->hm.n) add_element(out, "hm", l->hm, 0);
    if (l->mb.n) add_element(out, "mb", l->mb, 0);
    if (l->bp.n) add_element(out, "bp", l->bp, 0);
    if (person && l->e->company.n) add_element(out, "cpn", l->e->company, NAME_MAX_CHARACTERS);
    buf_adds(out, "</entry>\n");
}

struct lines {
    struct line *list;
    size_t n, cap;
    struct arena *arena;
};

static void keep_line(struct lines *all, const struct line *l)
{
    if (all->n == all->cap) {
        size_t cap = all->cap ? all->cap * 2 : 64;
        struct line *more = arena_alloc(all->arena, cap * sizeof *more);
        if (all->n) memcpy(more, all->list, all->n * sizeof *more);
        all->list = more;
        all->cap = cap;
    }
    all->list[all->n++] = *l;
}

/* bp is not shown by all devices: the business number stands as hm where there is none at home. What finds its place
 * taken begins another line of the same name. */
static void lines_of(const struct asked *a, const struct phonebook_entry *e, struct lines *all)
{
    struct line l = {.e = e};
    for (size_t i = 0; i < e->n_numbers; i++) {
        struct buf number AUTO_BUF = BUF_INIT;
        if (!entry_is_first(e, i, a->s, NUMBER_IDD, NUMBER_MAX) ||
            !entry_dial(&e->numbers[i], a->s, NUMBER_IDD, NUMBER_MAX, &number))
            continue;
        struct str text = arena_str(a->arena, buf_str(&number));
        struct str *place = e->numbers[i].kind == PHONE_MOBILE ? &l.mb : &l.hm;
        if (place->n && e->numbers[i].kind == PHONE_WORK && !l.bp.n) place = &l.bp;
        if (place->n) {
            keep_line(all, &l);
            l = (struct line){.e = e};
            place = e->numbers[i].kind == PHONE_MOBILE ? &l.mb : &l.hm;
        }
        *place = text;
    }
    if (l.hm.n || l.mb.n || l.bp.n) keep_line(all, &l);
}

static const char *collect(const struct asked *a, struct lines *all)
{
    const char *failed = NULL;
    for (size_t i = 0; i < a->p->n; i++) {
        const char *why = misfit(a, &a->p->entries[i]);
        if (why)
            failed = why;
        else
            lines_of(a, &a->p->entries[i], all);
    }
    return failed;
}

static size_t first_at(const struct asked *a, const struct lines *all)
{
    const char *jump = text_of(a->q, "set_first");
    if (!jump) return 0;
    struct str w = str_of(jump);
    if (w.p[w.n - 1] == '*') w.n--;
    struct str wanted = text_fold(a->arena, w);
    for (size_t i = 0; i < all->n; i++) {
        struct buf name AUTO_BUF = BUF_INIT;
        entry_name(all->list[i].e, &name);
        if (str_cmp(text_fold(a->arena, buf_str(&name)), wanted) >= 0) return i;
    }
    return all->n ? all->n - 1 : 0;
}

static void add_head(const struct asked *a, size_t total, size_t first, size_t last, struct buf *out)
{
    buf_adds(out, XML_HEAD "<list response=\"get_list\" type=\"");
    xml_add(out, str_of(a->type), 8);
    buf_addf(out, "\" total=\"%zu\" first=\"%zu\" last=\"%zu\"", total, first, last);
    if (a->reqid) {
        buf_adds(out, " reqid=\"");
        xml_add(out, str_of(a->reqid), 64);
        buf_addc(out, '"');
    }
    buf_adds(out, ">\n");
}

static void write_online(struct asked *a, struct buf *out)
{
    struct lines all = {.arena = a->arena};
    const char *failed = collect(a, &all);
    int64_t first = query_number(a->q, "first", 0), last = query_number(a->q, "last", 0),
            count = query_number(a->q, "count", 0), limit = query_number(a->q, "limit", 0);
    if (first > 0 && last != 0) {
        fail(a, 4, out);
        return;
    }
    if (!all.n) {
        buf_adds(out, XML_HEAD "<list response=\"get_list\" type=\"");
        xml_add(out, str_of(a->type), 8);
        buf_addf(out, "\"%s%s%s total=\"0\"/>\n", failed ? " notfound=\"" : "", failed ? failed : "",
                 failed ? "\"" : "");
        return;
    }
    if (count < 1 || (uint64_t)count > all.n) count = (int64_t)all.n;
    size_t from = first > 0 ? (size_t)first - 1 : first_at(a, &all);
    if (last != 0) { /* backwards: the page that ends there */
        size_t end = last < 0 || (uint64_t)last > all.n ? all.n : (size_t)last;
        from = end > (size_t)count ? end - (size_t)count : 0;
        count = (int64_t)(end - from);
    }
    struct buf lines AUTO_BUF = BUF_INIT;
    size_t room = limit >= LIMIT_LEAST ? (size_t)limit : SIZE_MAX, at = from;
    for (; at < all.n && at - from < (size_t)count; at++) {
        struct buf one AUTO_BUF = BUF_INIT;
        add_line(&all.list[at], &one);
        if (at > from && lines.len + one.len + 256 > room) break; /* 256: the head and the end; one line always goes */
        buf_addstr(&lines, buf_str(&one));
    }
    add_head(a, all.n, at > from ? from + 1 : 0, at > from ? at : 0, out);
    buf_addstr(out, buf_str(&lines));
    buf_adds(out, "</list>\n");
}

/* -- the central phone book -- */

static void write_central(const struct phonebook *p, const struct form_settings *s, struct buf *out)
{
    static const char *const places[3][2] = {{"office1", "office2"}, {"mobile1", "mobile2"}, {"home1", "home2"}};
    size_t written = 0;
    buf_adds(out, XML_HEAD "<!DOCTYPE LocalDirectory>\n<list>\n");
    for (size_t i = 0; i < p->n && written < CENTRAL_ENTRIES_MAX; i++) {
        const struct phonebook_entry *e = &p->entries[i];
        struct arena scratch AUTO_ARENA = ARENA_INIT;
        struct str numbers[3][2] = {{STR_NONE}};
        bool person = e->family.n || e->given.n, any = false;
        for (size_t k = 0; k < e->n_numbers; k++) {
            struct buf number AUTO_BUF = BUF_INIT;
            if (!entry_is_first(e, k, s, NUMBER_IDD, NUMBER_MAX) ||
                !entry_dial(&e->numbers[k], s, NUMBER_IDD, NUMBER_MAX, &number))
                continue;
            int want = e->numbers[k].kind == PHONE_WORK ? 0 : e->numbers[k].kind == PHONE_MOBILE ? 1 : 2;
            struct str *place = NULL;
            for (int turn = 0; turn < 3 && !place; turn++) /* its own kind first, then any free one */
                for (int j = 0; j < 2 && !place; j++)
                    if (!numbers[(want + turn) % 3][j].n) place = &numbers[(want + turn) % 3][j];
            if (place) *place = arena_str(&scratch, buf_str(&number));
            any = true;
        }
        if (!any) continue;
        written++;
        buf_adds(out, "<entry surname=\"");
        xml_add(out, person ? e->family : e->display, NAME_MAX_CHARACTERS);
        buf_adds(out, "\" name=\"");
        xml_add(out, person ? e->given : STR_NONE, NAME_MAX_CHARACTERS);
        buf_addc(out, '"');
        for (int k = 0; k < 3; k++)
            for (int j = 0; j < 2; j++) {
                buf_addf(out, " %s=\"", places[k][j]);
                xml_add(out, numbers[k][j], 0);
                buf_addc(out, '"');
            }
        buf_adds(out, "/>\n");
    }
    buf_adds(out, "</list>\n");
}

bool gigaset_write(const struct phonebook *p, const struct form_settings *s, const struct form_query *q,
                   struct buf *out, const char **type)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    const char *command = q->get(q->ctx, "command"), *kind = q->get(q->ctx, "type");
    struct asked a = {p, s, q, kind ? kind : "pb", q->get(q->ctx, "reqid"), &arena};
    if (*q->file && strcmp(q->file, "phonebook.xml") != 0) return false;
    *type = XML_TYPE;
    if (!command)
        write_central(p, s, out);
    else if (strcmp(command, "get_list") == 0)
        write_online(&a, out);
    else
        fail(&a, 1, out);
    return true;
}
