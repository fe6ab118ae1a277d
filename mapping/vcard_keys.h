/* vCard layer (c), the keys: canonical field name, TYPE set and label of a property as one text (protocols: vcard 9.1).
 *
 *     "note"                          fields without types
 *     "tel", "tel;CELL,WORK", "tel;WORK;Zentrale", "tel;;Zentrale"
 *     "impp;IMPP:SKYPE;HOME"          the spelling is part of the key
 *     "custom;KUNDENNUMMER"           X-HUB-KUNDENNUMMER: neither parameters nor label, which clients add, drop and translate
 *     "x;X-FOO;A=b;Label"             name and parameters of a property nobody knows
 *
 * Empty parts at the end are left off. Used by vcard_elements.c; element_text.c reads them back. */
#ifndef ABGLEICH_VCARD_KEYS_H
#define ABGLEICH_VCARD_KEYS_H

#include "mapping/vcard_values.h"

/* label: text of the group's X-ABLABEL, in normal form, or {NULL,0}. Static memory or in the arena. */
struct str key_text(const struct reader *r, const struct property_row *row, const struct property *p, struct str label);
/* Of a property kept as it is in field x, though its own field is another: "x;FN". */
struct str key_text_unknown(const struct reader *r, const struct property *p, struct str label);
/* "adrlabel;HOME" of the LABEL parameter of an ADR. */
struct str key_text_of_param(const struct reader *r, uint16_t field, const struct property *p);

#endif
