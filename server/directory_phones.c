#include "server/directory_phones.h"

struct form_settings directory_form_settings(const struct directory *d, const char *region, struct arena *arena)
{
    struct form_settings s = {.title = arena_strdup(arena, d->name), .region = region};
    if (d->number_form.n) form_setting_take(&s, STR("number"), arena_strdup(arena, d->number_form));
    if (d->line.n) form_setting_take(&s, STR("line"), arena_strdup(arena, d->line));
    return s;
}
