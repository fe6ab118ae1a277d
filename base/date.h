/* Days as people write them: no time of day, no time zone. Everybody may use it. */
#ifndef ABGLEICH_DATE_H
#define ABGLEICH_DATE_H

#include "base/str.h"

#include <stdint.h>

#define DATE_BYTES 11

/* "2026-12-01" or "1.12.2026", a day there is, of the years 1000 to 9999: to "2026-12-01", which sorts as the days do.
 */
bool date_parse(struct str s, char out[DATE_BYTES]);

/* Its beginning in UTC as Unix time in milliseconds; the day as date_parse wrote it. */
int64_t date_ms(const char day[DATE_BYTES]);
/* Days of a month of the Gregorian calendar; month from 1 to 12. */
int date_days_in(int year, int month);

#endif
