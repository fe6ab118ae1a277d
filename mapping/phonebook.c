#include "mapping/phonebook.h"

#include "base/mem.h"
#include "mapping/phone.h"
#include "mapping/record_impl.h"
#include "mapping/text.h"
#include "mapping/vcard_fields.h"
#include "mapping/vcard_values.h"

#include <stdlib.h>

const char *phone_kind_name(enum phone_kind kind)
{
    static const char *const names[PHONE_KINDS] = {"work", "home", "fax", "mobile", "pager", "other"};
    return names[kind];
}

void phonebook_free(struct phonebook *p)
{
    free(p->entries);
    arena_free(&p->arena);
    p->entries = NULL;
    p->n = p->cap = 0;
}

static struct phonebook_entry *room(struct phonebook *p)
{
    if (p->n == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 64;
        p->entries = mem_realloc(p->entries, p->cap * sizeof *p->entries);
    }
    p->entries[p->n] = (struct phonebook_entry){.source = p->source};
    return &p->entries[p->n++];
}

/* -- from a record -- */

static enum phone_kind kind_of(const struct property *p)
{
    static const struct {
        const char *type;
        enum phone_kind kind;
    } rows[] = {
        {"FAX", PHONE_FAX}, {"PAGER", PHONE_PAGER}, {"CELL", PHONE_MOBILE}, {"HOME", PHONE_HOME}, {"WORK", PHONE_WORK}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (property_has_type(p, rows[i].type)) return rows[i].kind;
    return PHONE_OTHER;
}

static struct str first_part(struct str value)
{
    return str_split(&value, PART_SEPARATOR);
}

/* The value of the first element of a field in the card. */
static struct str first_of(const struct record *r, uint16_t field)
{
    size_t n;
    const struct element *e = record_elements(r, &n), *found = NULL;
    for (size_t i = 0; i < n; i++)
        if (e[i].field->id == field && (!found || e[i].prop < found->prop)) found = &e[i];
    return found ? found->value_text : STR_NONE;
}

struct str phonebook_line(struct arena *arena, struct str s)
{
    struct buf out AUTO_BUF = BUF_INIT;
    for (size_t i = 0; i < s.n; i++) {
        bool blank = (unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f; /* and so PART_SEPARATOR */
        if (!blank)
            buf_addc(&out, s.p[i]);
        else if (out.len && out.data[out.len - 1] != ' ')
            buf_addc(&out, ' ');
    }
    return arena_str(arena, str_trim(buf_str(&out)));
}

/* What is no number of its country may lose a zero each time it is normalised ("+4900115..."): that is none. Looked at
 * only where a zero follows what may be the country's code, because it takes as long as the first time. */
static bool is_stable(struct str e164, const char *region)
{
    struct buf again AUTO_BUF = BUF_INIT;
    if (e164.n < 5 || !memchr(e164.p + 2, '0', 3)) return true;
    phone_key(e164, region, &again);
    return str_eq(e164, buf_str(&again));
}

static void set_e164(struct phonebook *p, struct phonebook_number *n)
{
    struct buf key AUTO_BUF = BUF_INIT, clean AUTO_BUF = BUF_INIT;
    if (p->as_written || !number_clean(n->text, &clean)) return;
    phone_key(buf_str(&clean), p->region, &key);
    if (!str_starts(buf_str(&key), STR("+"))) return;
    struct str e164 = buf_str(&key);
    if (is_stable(e164, p->region)) n->e164 = arena_str(&p->arena, e164);
}

static int by_place(const void *a, const void *b)
{
    const struct element *x = *(const struct element *const *)a, *y = *(const struct element *const *)b;
    return (x->prop > y->prop) - (x->prop < y->prop);
}

static void take_numbers(struct phonebook *p, const struct record *r, struct phonebook_entry *out)
{
    size_t n, m = 0;
    const struct element *e = record_elements(r, &n);
    const struct element **list AUTO_FREE = mem_alloc((n + 1) * sizeof *list);
    for (size_t i = 0; i < n; i++)
        if (e[i].field->id == FIELD_TEL) list[m++] = &e[i];
    if (m) qsort(list, m, sizeof *list, by_place);
    out->numbers = arena_zalloc(&p->arena, (m + 1) * sizeof *out->numbers);
    for (size_t i = 0; i < m; i++) {
        struct phonebook_number *number = &out->numbers[out->n_numbers++];
        *number = (struct phonebook_number){.text = phonebook_line(&p->arena, list[i]->value_text),
                                            .kind = (uint8_t)kind_of(&r->card->props[list[i]->prop])};
        set_e164(p, number);
    }
}

/* "2000-05-17" of "2000-05-17" in normal form; a date without year is none here. */
static struct str birthday_of(struct str date)
{
    return date.n == 10 && date.p[0] != '-' ? date : STR_NONE;
}

/* FN as it stands there: as an element it is left out where it only repeats the name. */
static struct str shown_name(const struct record *r)
{
    for (size_t i = 0; i < r->card->n_props; i++) {
        const struct property *p = &r->card->props[i];
        if (str_eq(p->name, STR("FN")) && str_trim(p->value).n)
            return vcard_normal_text(r->arena, r->card, p, p->value);
    }
    return STR_NONE;
}

void phonebook_add(struct phonebook *p, const struct record *r, struct str id)
{
    if (record_is_group(r)) return;
    struct phonebook_entry *e = room(p);
    struct str org = first_of(r, FIELD_ORG), rest = org;
    str_split(&rest, PART_SEPARATOR);
    e->id = arena_str(&p->arena, id);
    e->family = phonebook_line(&p->arena, first_of(r, FIELD_NAME_FAMILY));
    e->given = phonebook_line(&p->arena, first_of(r, FIELD_NAME_GIVEN));
    e->company = phonebook_line(&p->arena, first_part(org));
    e->department = phonebook_line(&p->arena, first_part(rest));
    e->position = phonebook_line(&p->arena, first_of(r, FIELD_TITLE));
    e->email = phonebook_line(&p->arena, first_of(r, FIELD_EMAIL));
    e->birthday = arena_str(&p->arena, birthday_of(first_of(r, FIELD_BDAY)));
    e->display = phonebook_line(&p->arena, shown_name(r));
    if (!e->display.n) e->display = phonebook_line(&p->arena, record_title(r));
    take_numbers(p, r, e);
    if (!e->display.n) p->n--;
}

struct phonebook_entry *phonebook_add_entry(struct phonebook *p, const struct phonebook_entry *from)
{
    struct phonebook_entry *e = room(p);
    struct str *const to[] = {&e->id,         &e->display,  &e->family, &e->given,   &e->company,
                              &e->department, &e->position, &e->email,  &e->birthday};
    const struct str of[] = {from->id,         from->display,  from->family, from->given,   from->company,
                             from->department, from->position, from->email,  from->birthday};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) *to[i] = arena_str(&p->arena, of[i]);
    e->numbers = arena_zalloc(&p->arena, (from->n_numbers + 1) * sizeof *e->numbers);
    for (size_t i = 0; i < from->n_numbers; i++) {
        struct phonebook_number *n = &e->numbers[e->n_numbers++];
        *n = (struct phonebook_number){.text = arena_str(&p->arena, from->numbers[i].text),
                                       .kind = from->numbers[i].kind};
        set_e164(p, n);
    }
    return e;
}
