#include "mapping/phonebook.h"

#include "base/mem.h"
#include "mapping/phone.h"
#include "mapping/record_impl.h"
#include "mapping/text.h"
#include "mapping/vcard_fields.h"
#include "mapping/vcard_values.h"

#include <stdlib.h>
#include <unicode/ucol.h>
#include <unicode/ustring.h>

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
    struct buf key AUTO_BUF = BUF_INIT;
    if (p->as_written) return;
    phone_key(n->text, p->region, &key);
    if (!str_starts(buf_str(&key), STR("+"))) return;
    struct str e164 = buf_str(&key);
    size_t extension = str_find(e164, STR(";"));
    if (extension != (size_t)-1) e164.n = extension;
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

/* -- order -- */

struct placed {
    struct phonebook_entry entry;
    struct str key;
};

static int by_key(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    int order = str_cmp(x->key, y->key);
    return order ? order : str_cmp(x->entry.id, y->entry.id);
}

static struct str collation_key(struct arena *arena, UCollator *collator, const struct phonebook_entry *e)
{
    bool person = e->family.n || e->given.n;
    struct str text = str_of(
        person ? arena_printf(arena, "%.*s\x1f%.*s", STR_ARG(e->family.n ? e->family : e->given), STR_ARG(e->given))
               : arena_printf(arena, "%.*s", STR_ARG(e->display)));
    UErrorCode error = U_ZERO_ERROR;
    int32_t n = 0, cap = (int32_t)text.n + 1;
    UChar *wide = arena_alloc(arena, (size_t)cap * sizeof *wide);
    u_strFromUTF8Lenient(wide, cap, &n, text.p, (int32_t)text.n, &error);
    int32_t size = ucol_getSortKey(collator, wide, n, NULL, 0);
    uint8_t *key = arena_alloc(arena, (size_t)size + 1);
    ucol_getSortKey(collator, wide, n, key, size);
    return (struct str){(const char *)key, (size_t)size};
}

void phonebook_sort(struct phonebook *p)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    UErrorCode error = U_ZERO_ERROR;
    UCollator *collator = ucol_open("de@collation=phonebook", &error);
    if (U_FAILURE(error)) return;
    struct placed *list AUTO_FREE = mem_alloc((p->n + 1) * sizeof *list);
    for (size_t i = 0; i < p->n; i++)
        list[i] = (struct placed){p->entries[i], collation_key(&scratch, collator, &p->entries[i])};
    if (p->n) qsort(list, p->n, sizeof *list, by_key);
    for (size_t i = 0; i < p->n; i++) p->entries[i] = list[i].entry;
    ucol_close(collator);
}

/* -- dialling -- */

static const char *const form_names[] = {"stored", "e164", "idd", "national"};

bool number_form_parse(struct str word, enum number_form *out)
{
    for (size_t i = 0; i < sizeof form_names / sizeof *form_names; i++)
        if (str_eq(word, str_of(form_names[i]))) {
            *out = (enum number_form)i;
            return true;
        }
    return false;
}

const char *number_form_name(enum number_form form)
{
    return form_names[form];
}

/* Digits, + at the front, * and #: what is left when what people write between them is taken out. False: letters. */
static bool clean(struct str text, struct buf *out)
{
    size_t digits = 0;
    if (str_starts_nocase(text, STR("tel:"))) text = (struct str){text.p + 4, text.n - 4};
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if ((c >= '0' && c <= '9') || c == '*' || c == '#' || (c == '+' && !out->len)) {
            buf_addc(out, c);
            digits++;
        } else if (((c | 32) >= 'a' && (c | 32) <= 'z') || c == '@' || c == ';')
            return false;
    }
    return digits > 0;
}

static void national(struct str e164, const char *region, struct buf *out)
{
    static const struct {
        const char *region, *code;
    } own[] = {{"DE", "+49"},  {"AT", "+43"}, {"CH", "+41"}, {"LI", "+423"},
               {"LU", "+352"}, {"FR", "+33"}, {"NL", "+31"}, {"BE", "+32"}};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        struct str code = str_of(own[i].code);
        if (strcmp(own[i].region, region ? region : "DE") != 0 || !str_starts(e164, code)) continue;
        buf_addc(out, '0');
        buf_add(out, e164.p + code.n, e164.n - code.n);
        return;
    }
    buf_adds(out, "00");
    buf_add(out, e164.p + 1, e164.n - 1);
}

bool number_dial(const struct phonebook_number *n, enum number_form form, const char *line, const char *region,
                 struct buf *out)
{
    struct buf made AUTO_BUF = BUF_INIT;
    if (!n->e164.n || form == NUMBER_STORED) {
        if (!clean(n->text, &made)) return false;
    } else if (form == NUMBER_E164)
        buf_addstr(&made, n->e164);
    else if (form == NUMBER_IDD) {
        buf_adds(&made, "00");
        buf_add(&made, n->e164.p + 1, n->e164.n - 1);
    } else
        national(n->e164, region, &made);
    if (line && n->e164.n && form != NUMBER_E164) buf_adds(out, line); /* an inner number needs no line */
    buf_addstr(out, buf_str(&made));
    return true;
}
