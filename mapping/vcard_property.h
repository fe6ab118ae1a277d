/* vCard layer (b): one logical line to a property (protocols: vcard 3, 4). Used by vcard_parse.c only. */
#ifndef ABGLEICH_VCARD_PROPERTY_H
#define ABGLEICH_VCARD_PROPERTY_H

#include "mapping/vcard_lines.h"

/* Everything in the arena or borrowed from the line. A line that is no property gets PROPERTY_FOREIGN. FAULT_UNREADABLE: a limit. */
enum fault_code property_parse(struct arena *arena, const struct logical *line, struct property *out, struct fault *why);

#endif
