#include "connectors/connector.h"

#include <stdlib.h>
#include <string.h>

void collections_free(struct collections *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->items[i].name);
        free(c->items[i].path);
    }
    free(c->items);
    *c = (struct collections){NULL, 0};
}

const char *account_setting(const struct account *account, const char *key)
{
    for (size_t i = 0; i < account->n_settings; i++)
        if (!account->settings[i].name && strcmp(account->settings[i].key, key) == 0) return account->settings[i].value;
    return NULL;
}

const struct setting_kind *connector_setting(const struct connector *c, struct str key)
{
    const struct setting_kind *const lists[] = {c->settings, c->shared_settings};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (const struct setting_kind *k = lists[i]; k && k->key; k++)
            if (str_eq(key, str_of(k->key))) return k;
    return NULL;
}

void write_clear(struct write *w)
{
    fault_clear(&w->fault);
    free(w->new_id);
    free(w->new_version);
    w->new_id = w->new_version = NULL;
    w->code = FAULT_NONE;
    w->kept = w->nothing_sent = false;
}
