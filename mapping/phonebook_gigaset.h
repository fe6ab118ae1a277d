/* What phonebook_gigaset*.c share. */
#ifndef ABGLEICH_PHONEBOOK_GIGASET_H
#define ABGLEICH_PHONEBOOK_GIGASET_H

#include "mapping/phonebook_form.h"

/* What a base asks for: the criteria of the online directory (protocols: directory 5.2), read once for all entries. */
struct gigaset_criteria;
struct gigaset_criteria *gigaset_criteria_of(const struct form_query *q, const struct form_settings *s,
                                             struct arena *arena);           /* in the arena */
bool gigaset_criteria_take(void *criteria, const struct phonebook_entry *e); /* an entry_filter */
/* The criterion because of which nothing was found; NULL = there was none. After all entries were looked at. */
const char *gigaset_criteria_failed(const struct gigaset_criteria *c);
/* The value of a parameter; NULL = not there, empty, or "*", which means the same. */
const char *gigaset_value(const struct form_query *q, const char *name);

#endif
