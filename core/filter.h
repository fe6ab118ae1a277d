/* Which records a link is about (design.md 2, "Filters"): by category, by a field that must be there, by having a phone
 * number. Pure; called by core/run.c's steps and by the configuration, which makes them.
 *
 * A filter decides about the side records come from: A of a one-way link, B of an import, both of a two-way link. There
 * it decides only what comes in; what is linked stays in sync. A record that leaves the filter of a one-way link or an
 * import has vanished for it. */
#ifndef ABGLEICH_FILTER_H
#define ABGLEICH_FILTER_H

#include "mapping/record.h"

struct filter {             /* all that is set must hold; strings borrowed */
    const char *categories; /* "Kunden, Presse": one of them, case and accents aside; NULL = any */
    const char *fields;     /* "email, org": each of them is there; NULL = any */
    bool phone;             /* at least one phone number */
};

bool filter_is_set(const struct filter *f);
/* key: any; elements are made on the way. */
bool filter_passes(const struct filter *f, const struct record *r);
/* Are all names in the list fields of contacts ("tel", "name.family")? */
bool filter_fields_ok(struct str fields);

#endif
