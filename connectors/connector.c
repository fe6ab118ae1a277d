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

void write_clear(struct write *w)
{
    fault_clear(&w->fault);
    free(w->new_id);
    free(w->new_version);
    w->new_id = w->new_version = NULL;
    w->code = FAULT_NONE;
    w->kept = w->nothing_sent = false;
}
