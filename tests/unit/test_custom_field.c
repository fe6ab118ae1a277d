/* Custom fields as people fill and see them. */
#include "cli/custom_field.h"

#include <criterion/criterion.h>

static struct config_field fields[] = {
    {.name = "kundennummer", .label = "Kundennummer", .kind = CUSTOM_NUMBER},
    {.name = "Seit", .label = "Kunde seit", .kind = CUSTOM_DATE},
    {.name = "klasse", .label = "Klasse", .kind = CUSTOM_CHOICE, .choices = "Gold, Silber ,Sehr gut"},
    {.name = "bemerkung", .label = "Bemerkung"},
};
static const struct config config = {.fields = fields, .n_fields = sizeof fields / sizeof *fields};

Test(custom_field, values_by_type)
{
    static const struct {
        const char *field, *value, *kept; /* NULL = refused */
    } rows[] = {
        {"kundennummer", "4711", "4711"}, {"kundennummer", " -3,50 ", "-3,50"}, {"kundennummer", "1.000,5", NULL}, {"kundennummer", "", NULL},
        {"kundennummer", "47-11", NULL},  {"kundennummer", "+", NULL},          {"seit", "1.2.2020", "2020-02-01"}, {"SEIT", "2020-02-30", NULL},
        {"klasse", "gold", "Gold"},       {"klasse", "sehr gut", "Sehr gut"},   {"klasse", "Platin", NULL},         {"klasse", "", NULL},
        {"bemerkung", "a; b, c", "a; b, c"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fault f AUTO_FAULT = FAULT_INIT;
        struct buf out AUTO_BUF = BUF_INIT;
        const struct config_field *field = custom_field(&config, str_of(rows[i].field));
        cr_assert(field, "%s", rows[i].field);
        enum fault_code code = custom_field_value(field, str_of(rows[i].value), &out, &f);
        cr_expect_eq(code, rows[i].kept ? FAULT_NONE : FAULT_USAGE, "%s=%s", rows[i].field, rows[i].value);
        if (rows[i].kept) cr_expect_str_eq(buf_cstr(&out), rows[i].kept, "%s=%s", rows[i].field, rows[i].value);
        else
            cr_expect(f.what && strstr(f.what, field->label) && f.advice && *f.advice, "%s: %s, %s", rows[i].field, f.what, f.advice);
    }
}

Test(custom_field, names_keys_and_labels)
{
    static const struct {
        const char *name;
        bool ok;
    } rows[] = {{"kundennummer", true}, {"K2-x", true}, {"2", true}, {"", false}, {"-a", false}, {"a_b", false}, {"a b", false}, {"tel", false},
                {"FN", false}, {"custom", false}, {"x", false}, {"gr\xc3\xb6\xc3\x9f" "e", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(custom_field_name_ok(str_of(rows[i].name)), rows[i].ok, "%s", rows[i].name);
    static const struct hash_key hash_key = {"a test's own key"};
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct buf key AUTO_BUF = BUF_INIT, label AUTO_BUF = BUF_INIT;
    custom_field_key(&fields[1], &key);
    cr_expect_str_eq(buf_cstr(&key), "custom;SEIT;Kunde seit");
    const struct str pairs[2][2] = {{buf_str(&key), STR("2020-02-01")}, {STR("custom;ALT"), STR("x")}};
    size_t n;
    const struct element *e = record_elements(record_from_pairs(&arena, RECORD_CONTACT, pairs, 2, &hash_key, &f), &n);
    cr_assert_eq(n, 2);
    const struct element *seit = str_eq(e[0].key_text, STR("custom;SEIT")) ? &e[0] : &e[1], *alt = seit == e ? &e[1] : &e[0];
    cr_expect_eq(custom_field_of(&config, seit), &fields[1]);
    cr_expect_null(custom_field_of(&config, alt));
    custom_field_label(&config, seit, &label);
    buf_adds(&label, "|");
    custom_field_label(&config, alt, &label);
    cr_expect_str_eq(buf_cstr(&label), "Kunde seit|Own field (ALT)");
}
