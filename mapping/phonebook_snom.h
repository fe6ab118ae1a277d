/* What phonebook_snom*.c share. */
#ifndef ABGLEICH_PHONEBOOK_SNOM_H
#define ABGLEICH_PHONEBOOK_SNOM_H

#include "mapping/phonebook_form.h"

typedef void snom_file(const struct phonebook *p, const struct form_settings *s, const struct form_query *q,
                       struct buf *out);
snom_file snom_tbook, snom_tbook1, snom_dect, snom_dect_text, snom_m100;

#endif
