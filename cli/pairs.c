#include "cli/pairs.h"

#include "base/i18n.h"
#include "cli/out.h"

bool pairs_of_args(struct cli *cli, size_t first, struct config_pair **pairs, size_t *n)
{
    *n = cli->n_args - first;
    *pairs = arena_zalloc(&cli->arena, (*n + 1) * sizeof **pairs);
    for (size_t i = 0; i < *n; i++) {
        struct str value = str_of(cli->args[first + i]), key = str_split(&value, '=');
        if (!value.p) {
            cli_usage(cli, _("write KEY=VALUE"), _("\"%s\" sets nothing"), cli->args[first + i]);
            return false;
        }
        (*pairs)[i].key = arena_strdup(&cli->arena, str_trim(key));
        value = str_trim(value);
        (*pairs)[i].value = value.n ? arena_strdup(&cli->arena, value) : NULL;
    }
    return true;
}

bool pairs_may_change(struct cli *cli, const struct config_account *a)
{
    if (!config_is_built_in(a)) return true;
    if (config_is_store(a))
        cli_usage(cli, NULL, _("contactbox is the store itself and has no settings"));
    else
        cli_usage(cli, _("see \"abgleich directory set\""), _("directory stands for the phonebooks of this program"));
    return false;
}

static json_t *value_json(const struct config_key *key, const void *section)
{
    const void *at = (const char *)section + key->offset;
    struct buf text AUTO_BUF = BUF_INIT;
    switch (key->type) {
    case CONFIG_BOOL:
        return json_boolean(*(const bool *)at);
    case CONFIG_COUNT:
        return json_count(*(const int64_t *)at);
    default:
        return config_key_print(key, section, &text) ? json_text(buf_str(&text)) : json_null();
    }
}

void pairs_json(json_t *o, enum config_kind kind, const void *section)
{
    for (const struct config_key *k = config_keys(kind); k->name; k++)
        json_object_set_new(o, k->name, value_json(k, section));
}
