#include "cli/custom_field.h"

#include "base/date.h"
#include "base/i18n.h"

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool custom_field_name_ok(struct str name)
{
    if (!name.n || name.n > CONFIG_NAME_MAX_BYTES || !is_letter_or_digit(name.p[0])) return false;
    for (size_t i = 0; i < name.n; i++)
        if (!is_letter_or_digit(name.p[i]) && name.p[i] != '-') return false;
    size_t n;
    const struct field *table = field_table(RECORD_CONTACT, &n);
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(name, str_of(table[i].name))) return false;
    return true;
}

const struct config_field *custom_field(const struct config *c, struct str name)
{
    for (size_t i = 0; i < c->n_fields; i++)
        if (str_eq_nocase(name, str_of(c->fields[i].name))) return &c->fields[i];
    return NULL;
}

const struct config_field *custom_field_of(const struct config *c, const struct element *e)
{
    if (!(e->field->flags & FIELD_HUB_ONLY)) return NULL;
    struct str name = e->key_text;
    str_split(&name, ';');
    return custom_field(c, name);
}

void custom_field_key(const struct config_field *field, struct buf *out)
{
    buf_adds(out, "custom;");
    for (const char *p = field->name; *p; p++) buf_addc(out, *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p);
    buf_addf(out, ";%s", field->label);
}

void custom_field_label(const struct config *c, const struct element *e, struct buf *out)
{
    const struct config_field *field = custom_field_of(c, e);
    if (field)
        buf_adds(out, field->label);
    else
        element_label(e, out);
}

/* -- values -- */

/* "1234", "-5", "3,50", "3.50": kept as typed. */
static bool is_number(struct str s)
{
    size_t digits = 0, marks = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool digit = s.p[i] >= '0' && s.p[i] <= '9', mark = s.p[i] == '.' || s.p[i] == ',',
             sign = i == 0 && (s.p[i] == '-' || s.p[i] == '+');
        if (!digit && !mark && !sign) return false;
        digits += digit;
        marks += mark;
    }
    return digits && marks <= 1;
}

static bool take_choice(const char *choices, struct str value, struct buf *out)
{
    for (struct str rest = str_of(choices); rest.p;) {
        struct str choice = str_trim(str_split(&rest, ','));
        if (!choice.n || !str_eq_nocase(choice, value)) continue;
        buf_addstr(out, choice);
        return true;
    }
    return false;
}

static bool take_value(const struct config_field *field, struct str value, struct buf *out)
{
    char day[DATE_BYTES];
    switch (field->kind) {
    case CUSTOM_TEXT:
        buf_addstr(out, value);
        return true;
    case CUSTOM_NUMBER:
        buf_addstr(out, value);
        return is_number(value);
    case CUSTOM_DATE:
        if (!date_parse(value, day)) return false;
        buf_adds(out, day);
        return true;
    case CUSTOM_CHOICE:
        return take_choice(field->choices, value, out);
    }
    return false;
}

static void explain(const struct config_field *field, struct buf *out)
{
    static const char *const expected[] = {
        [CUSTOM_NUMBER] = N_("write a number like 4711 or 3,50"), [CUSTOM_DATE] = N_("write a day as 2026-12-01")};
    if (field->kind == CUSTOM_CHOICE)
        buf_addf(out, _("there are: %s"), field->choices);
    else if (field->kind != CUSTOM_TEXT)
        buf_adds(out, _(expected[field->kind]));
}

enum fault_code custom_field_value(const struct config_field *field, struct str value, struct buf *out, struct fault *f)
{
    if (take_value(field, str_trim(value), out)) return FAULT_NONE;
    struct buf advice AUTO_BUF = BUF_INIT;
    explain(field, &advice);
    return fault_set(f, FAULT_USAGE, buf_cstr(&advice), _("%s: \"%.*s\" does not fit"), field->label, STR_ARG(value));
}
