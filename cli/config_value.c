#include "cli/config.h"

#include <inttypes.h>

struct unit {
    char letter;
    int64_t factor;
};
/* Largest first; 0 ends. */
static const struct unit durations[] = {
    {'w', 7 * CONFIG_DAY_MS}, {'d', CONFIG_DAY_MS}, {'h', 3600000}, {'m', 60000}, {'s', 1000}, {0, 0}};
static const struct unit sizes[] = {{'G', 1 << 30}, {'M', 1 << 20}, {'K', 1 << 10}, {0, 0}};

static char letter_of(struct str s)
{
    return s.n ? s.p[s.n - 1] : '\0';
}

/* A number with one of the units behind it; without, it counts `plain`. */
static bool parse_units(struct str s, const struct unit *units, int64_t plain, int64_t *out)
{
    int64_t factor = plain;
    for (const struct unit *u = units; u->letter; u++)
        if (letter_of(s) == u->letter || letter_of(s) == (u->letter ^ 0x20)) {
            factor = u->factor;
            s = str_trim((struct str){s.p, s.n - 1});
            break;
        }
    long long number;
    if (!str_to_int64(s, &number) || number < 0 || (number > 0 && !factor)) return false;
    if (factor && number > INT64_MAX / 2 / factor) return false;
    *out = number * factor;
    return true;
}

bool config_parse_duration(struct str s, int64_t *ms)
{
    return parse_units(s, durations, 0, ms);
}

bool config_parse_size(struct str s, int64_t *bytes)
{
    return parse_units(s, sizes, 1, bytes);
}

bool config_parse_bool(struct str s, bool *out)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"yes", true},    {"no", false}, {"on", true}, {"off", false}, {"true", true},
                 {"false", false}, {"1", true},   {"0", false}, {"ja", true},   {"nein", false}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_eq_nocase(s, str_of(words[i].word))) {
            *out = words[i].value;
            return true;
        }
    return false;
}

static void print_units(int64_t value, const struct unit *units, struct buf *out)
{
    for (const struct unit *u = units; u->letter && value; u++)
        if (value % u->factor == 0) {
            buf_addf(out, "%" PRId64 "%c", value / u->factor, u->letter);
            return;
        }
    buf_addf(out, "%" PRId64, value);
}

void config_print_duration(int64_t ms, struct buf *out)
{
    print_units(ms, durations, out);
}

void config_print_size(int64_t bytes, struct buf *out)
{
    print_units(bytes, sizes, out);
}

bool config_parse_custom_kind(struct str s, enum custom_kind *out)
{
    static const char *const words[] = {[CUSTOM_TEXT] = "text", [CUSTOM_NUMBER] = "number", [CUSTOM_DATE] = "date", [CUSTOM_CHOICE] = "choice"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_eq(s, str_of(words[i]))) {
            *out = (enum custom_kind)i;
            return true;
        }
    return false;
}
