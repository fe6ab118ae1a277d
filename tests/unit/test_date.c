/* Days as people write them. */
#include "base/date.h"

#include <criterion/criterion.h>

Test(date, days_there_are_and_days_there_are_not)
{
    static const struct {
        const char *text, *day; /* NULL = no day */
    } rows[] = {
        {"2026-12-01", "2026-12-01"}, {" 2026-12-01 ", "2026-12-01"}, {"1.12.2026", "2026-12-01"}, {"01.12.2026", "2026-12-01"},
        {"2024-02-29", "2024-02-29"}, {"2000-02-29", "2000-02-29"},   {"2026-02-29", NULL},        {"1900-02-29", NULL},
        {"2026-13-01", NULL},         {"2026-00-01", NULL},           {"2026-04-31", NULL},        {"2026-1-1", NULL},
        {"0999-01-01", NULL},         {"26-12-01", NULL},             {"1.12.26", NULL},           {"2026-12-01T10:00", NULL},
        {"12/01/2026", NULL},         {"", NULL},                     {"morgen", NULL},            {"2026-12", NULL},
        {"1.12.2026.", NULL},         {"+026-12-01", NULL},           {"31.4.2026", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[DATE_BYTES] = "";
        bool ok = date_parse(str_of(rows[i].text), out);
        cr_expect_eq(ok, rows[i].day != NULL, "%s", rows[i].text);
        if (ok && rows[i].day) cr_expect_str_eq(out, rows[i].day, "%s", rows[i].text);
    }
}
