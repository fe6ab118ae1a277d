/* Criteria of Gigaset's online directory (protocols: directory 5.2): "*" is none, a star at the end a prefix. */
#include "mapping/phone.h"
#include "mapping/phonebook_gigaset.h"
#include "mapping/text.h"

enum what { BY_NAME, BY_NUMBER, BY_MAIL, BY_BIRTHDAY, BY_ID, BY_NOTHING /* not kept: nobody has it */ };

static const struct {
    const char *name;
    enum what what;
} rows[] = {
    {"ln", BY_NAME},     {"fn", BY_NAME},     {"nn", BY_NAME},    {"cpn", BY_NAME},    {"co", BY_NAME},
    {"hm", BY_NUMBER},   {"mb", BY_NUMBER},   {"bp", BY_NUMBER},  {"fx", BY_NUMBER},   {"sip", BY_NUMBER},
    {"em", BY_MAIL},     {"bi", BY_BIRTHDAY}, {"id", BY_ID},      {"ct", BY_NOTHING},  {"zc", BY_NOTHING},
    {"st", BY_NOTHING},  {"nr", BY_NOTHING},  {"in", BY_NOTHING}, {"cat", BY_NOTHING}, {"wh", BY_NOTHING},
    {"jid", BY_NOTHING},
};
#define ROWS (sizeof rows / sizeof *rows)
#define READINGS 4

struct criterion {
    struct str text; /* as typed, without the star; {NULL,0} = not asked */
    bool prefix;
    struct str folded;         /* names */
    struct str e164[READINGS]; /* numbers: what the caller's number may be, in full or as its beginning */
    struct str digits;         /* and as it is dialled */
    size_t n_e164;
    bool found;
};

struct gigaset_criteria {
    struct criterion list[ROWS];
    struct arena *arena;
};

const char *gigaset_value(const struct form_query *q, const char *name)
{
    const char *text = q->get(q->ctx, name);
    return text && *text && strcmp(text, "*") != 0 ? text : NULL;
}

/* -- numbers: bases send them as the network signalled them, some without area code -- */

static void add_reading(struct criterion *c, struct arena *arena, const char *region, const char *number)
{
    struct buf key AUTO_BUF = BUF_INIT, code AUTO_BUF = BUF_INIT, trunk AUTO_BUF = BUF_INIT;
    struct str n = str_of(number);
    if (c->n_e164 == READINGS) return;
    if (!c->prefix)
        phone_key(n, region, &key);
    else if (str_starts(n, STR("+")))
        buf_addstr(&key, n);
    else if (str_starts(n, STR("00")))
        buf_addf(&key, "+%s", number + 2);
    else if (str_starts(n, STR("0")) && phone_country(region, &code, &trunk))
        buf_addf(&key, "+%s%s", buf_cstr(&code), number + 1);
    struct str e164 = buf_str(&key);
    size_t extension = str_find(e164, STR(";"));
    if (extension != (size_t)-1) e164.n = extension;
    if (str_starts(e164, STR("+"))) c->e164[c->n_e164++] = arena_str(arena, e164);
}

/* " 4940" is what becomes of "+4940" in an address that nobody encoded. */
static void read_number(struct criterion *c, const struct form_settings *s, struct arena *arena)
{
    struct buf clean AUTO_BUF = BUF_INIT;
    const char *region = s->region ? s->region : "DE";
    struct str text = c->text.n && c->text.p[0] == ' ' ? str_of(arena_printf(arena, "+%s", c->text.p + 1)) : c->text;
    if (!number_clean(text, &clean)) return;
    const char *number = arena_strdup(arena, buf_str(&clean));
    c->digits = str_of(number);
    add_reading(c, arena, region, number);
    if (s->line && str_starts(c->digits, str_of(s->line))) add_reading(c, arena, region, number + strlen(s->line));
    if (s->area && number[0] != '0' && number[0] != '+')
        add_reading(c, arena, region, arena_printf(arena, "%s%s%s", s->area[0] == '0' ? "" : "0", s->area, number));
}

static bool begins(const struct criterion *c, struct str value, struct str wanted)
{
    return c->prefix ? str_starts(value, wanted) : str_eq(value, wanted);
}

/* Whatever the criterion is called: the caller's number goes only into hm, and any of the contact's may be it. */
static bool number_fits(const struct criterion *c, const struct phonebook_number *n)
{
    struct buf stored AUTO_BUF = BUF_INIT;
    for (size_t i = 0; n->e164.n && i < c->n_e164; i++)
        if (begins(c, n->e164, c->e164[i])) return true;
    if (n->e164.n) return false; /* an inner number, a code or an address has none */
    if (!c->digits.n) return str_eq_nocase(c->text, n->text);
    return number_clean(n->text, &stored) && begins(c, buf_str(&stored), c->digits);
}

/* -- all of them -- */

static struct criterion criterion_of(const char *value, size_t row, const struct form_settings *s, struct arena *arena)
{
    struct criterion c = {.text = str_of(value)};
    c.prefix = c.text.p[c.text.n - 1] == '*';
    if (c.prefix) c.text = arena_str(arena, (struct str){c.text.p, c.text.n - 1});
    if (rows[row].what == BY_NUMBER) read_number(&c, s, arena);
    if (rows[row].what == BY_NAME) c.folded = text_fold(arena, c.text);
    return c;
}

struct gigaset_criteria *gigaset_criteria_of(const struct form_query *q, const struct form_settings *s,
                                             struct arena *arena)
{
    struct gigaset_criteria *all = arena_zalloc(arena, sizeof *all);
    all->arena = arena;
    for (size_t i = 0; i < ROWS; i++) {
        const char *value = gigaset_value(q, rows[i].name);
        if (value) all->list[i] = criterion_of(value, i, s, arena);
    }
    return all;
}

/* Some devices ask for the last name only, whatever was typed: any of the names will do. */
static bool name_fits(const struct criterion *c, const struct phonebook_entry *e)
{
    const struct str names[] = {e->family, e->given, e->company, e->display};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct arena scratch AUTO_ARENA = ARENA_INIT;
        if (names[i].n && begins(c, text_fold(&scratch, names[i]), c->folded)) return true;
    }
    return false;
}

static bool text_fits(const struct criterion *c, struct str value)
{
    return c->prefix ? str_starts_nocase(value, c->text) : str_eq_nocase(value, c->text);
}

static bool fits(const struct criterion *c, enum what what, const struct phonebook_entry *e)
{
    if (what == BY_NAME) return name_fits(c, e);
    if (what == BY_MAIL) return e->email.n && text_fits(c, e->email);
    if (what == BY_BIRTHDAY) return e->birthday.n && text_fits(c, e->birthday);
    if (what == BY_ID) return text_fits(c, e->id);
    for (size_t i = 0; what == BY_NUMBER && i < e->n_numbers; i++)
        if (number_fits(c, &e->numbers[i])) return true;
    return false;
}

bool gigaset_criteria_take(void *criteria, const struct phonebook_entry *e)
{
    struct gigaset_criteria *all = criteria;
    bool takes = true;
    for (size_t i = 0; i < ROWS; i++) {
        struct criterion *c = &all->list[i];
        if (!c->text.p) continue;
        bool here = fits(c, rows[i].what, e);
        c->found |= here;
        takes &= here;
    }
    return takes;
}

const char *gigaset_criteria_failed(const struct gigaset_criteria *c)
{
    const char *asked = NULL;
    for (size_t i = 0; i < ROWS; i++) {
        if (!c->list[i].text.p) continue;
        if (!c->list[i].found) return rows[i].name;
        if (!asked) asked = rows[i].name; /* each was found, but never together */
    }
    return asked;
}
