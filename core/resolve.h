/* Finds the collection a link names: by display name, last path segment or whole path. Called by run.c and cli/. */
#ifndef ABGLEICH_RESOLVE_H
#define ABGLEICH_RESOLVE_H

#include "connectors/connector.h"

/* The one that `name` means, NULL and *f where none or several fit (FAULT_NO_COLLECTION, FAULT_CONFIG; the advice lists what is
 * there). A path beats a display name, a display name beats a segment. */
const struct collection *collection_find(const struct collections *all, struct str name, struct fault *f);

/* Selects it in the session. A remote is asked only where its traits do not know the name yet, so that a run that finds nothing
 * to do stays at one request. */
enum fault_code collection_select(const struct connector *connector, struct session *session, struct traits *traits,
                                  const char *name, const struct collection **about, struct buf *identity, struct fault *f);

#endif
