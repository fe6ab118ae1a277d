/* Custom fields as people name, see and fill them: [field kundennummer] of the configuration. The engine knows them by
 * their property's name alone (X-HUB-KUNDENNUMMER); what is here is for the command line and the servers. */
#ifndef ABGLEICH_CUSTOM_FIELD_H
#define ABGLEICH_CUSTOM_FIELD_H

#include "cli/config.h"
#include "mapping/record.h"

/* Can this be the name of a custom field: letters, digits and hyphens, and not the name of a field that every contact
 * has? */
bool custom_field_name_ok(struct str name);
/* The one of that name, ASCII case off; NULL if the configuration has none. */
const struct config_field *custom_field(const struct config *c, struct str name);
/* The one an element belongs to; NULL for every other element. */
const struct config_field *custom_field_of(const struct config *c, const struct element *e);
/* "custom;KUNDENNUMMER;Kundennummer", for record_from_pairs(). */
void custom_field_key(const struct config_field *field, struct buf *out);
/* The value as it is kept (dates as 2026-12-01, choices as the configuration writes them). FAULT_USAGE if it does not
 * fit the type. */
enum fault_code custom_field_value(const struct config_field *field, struct str value, struct buf *out,
                                   struct fault *f);
/* The label of any element: what the configuration says, else element_label(). */
void custom_field_label(const struct config *c, const struct element *e, struct buf *out);

#endif
