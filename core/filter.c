#include "core/filter.h"

#include "mapping/text.h"

#define CATEGORY "category"
#define PHONE "tel"

bool filter_is_set(const struct filter *f)
{
    return f->categories || f->fields || f->phone;
}

static bool has_field(const struct record *r, struct str name)
{
    size_t n;
    const struct element *e = record_elements(r, &n);
    for (size_t i = 0; i < n; i++)
        if (e[i].value_text.n && str_eq_nocase(str_of(e[i].field->name), name)) return true;
    return false;
}

static bool has_category(const struct record *r, struct str name)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct str wanted = text_fold(&arena, name);
    size_t n;
    const struct element *e = record_elements(r, &n);
    for (size_t i = 0; i < n; i++)
        if (str_eq(str_of(e[i].field->name), STR(CATEGORY)) && str_eq(text_fold(&arena, e[i].value_text), wanted))
            return true;
    return false;
}

static bool has_one(const char *list, const struct record *r, bool (*has)(const struct record *, struct str))
{
    for (struct str rest = str_of(list); rest.p;) {
        struct str name = str_trim(str_split(&rest, ','));
        if (name.n && has(r, name)) return true;
    }
    return false;
}

static bool has_all(const char *list, const struct record *r, bool (*has)(const struct record *, struct str))
{
    for (struct str rest = str_of(list); rest.p;) {
        struct str name = str_trim(str_split(&rest, ','));
        if (name.n && !has(r, name)) return false;
    }
    return true;
}

bool filter_passes(const struct filter *f, const struct record *r)
{
    if (f->categories && !has_one(f->categories, r, has_category)) return false;
    if (f->fields && !has_all(f->fields, r, has_field)) return false;
    return !f->phone || has_field(r, STR(PHONE));
}

static bool is_field(struct str name)
{
    size_t n;
    const struct field *table = field_table(RECORD_CONTACT, &n);
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(str_of(table[i].name), name)) return true;
    return false;
}

bool filter_fields_ok(struct str fields)
{
    for (struct str rest = fields; rest.p;) {
        struct str name = str_trim(str_split(&rest, ','));
        if (!name.n || !is_field(name)) return false;
    }
    return true;
}
