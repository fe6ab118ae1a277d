/* The connectors of this program. Called by core/run.c and cli/ through connector_by_name and connector_at (connector.h); a new
 * remote adds its name here and in registry.c. */
#ifndef ABGLEICH_REGISTRY_H
#define ABGLEICH_REGISTRY_H

#include "connectors/connector.h"

extern const struct connector connector_contactbox, connector_carddav, connector_people, connector_graph, connector_fe2,
    connector_directory, connector_phonebook;

#endif
