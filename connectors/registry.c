#include "connectors/registry.h"

#include <string.h>

static const struct connector *const connectors[] = {
    &connector_contactbox,
    &connector_carddav,
    &connector_people,
    &connector_graph,
    &connector_fe2,
    &connector_directory,
    &connector_phonebook,
};

const struct connector *connector_at(size_t i)
{
    return i < sizeof connectors / sizeof *connectors ? connectors[i] : NULL;
}

const struct connector *connector_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof connectors / sizeof *connectors; i++)
        if (strcmp(connectors[i]->name, name) == 0) return connectors[i];
    return NULL;
}
