#include "server/directory_phones.h"

struct form_settings directory_form_settings(const struct directory *d, const char *region, struct arena *arena)
{
    struct form_settings s = {.title = arena_strdup(arena, d->name), .region = region};
    const struct {
        const char *key;
        struct str value;
    } rows[] = {{"number", d->number_form}, {"line", d->line},
                {"area", d->area},          {"country", d->country},
                {"names", d->names},        {"company", d->company},
                {"include_fax", d->include_fax}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].value.n) form_setting_take(&s, str_of(rows[i].key), arena_strdup(arena, rows[i].value));
    return s;
}
