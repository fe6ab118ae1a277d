/* How a phonebook's phones want it: its settings as mapping/phonebook_form.h takes them. Used by the Directory's
 * answers and by "directory lint", which must see the same. */
#ifndef ABGLEICH_DIRECTORY_PHONES_H
#define ABGLEICH_DIRECTORY_PHONES_H

#include "mapping/phonebook_form.h"
#include "state/directory.h"

/* region: where nothing else is set for the phonebook; borrowed. Other strings are in the arena. */
struct form_settings directory_form_settings(const struct directory *d, const char *region, struct arena *arena);

#endif
