/* Days as people write them: no time of day, no time zone. Everybody may use it. */
#ifndef ABGLEICH_DATE_H
#define ABGLEICH_DATE_H

#include "base/str.h"

#include <stdint.h>

#define DATE_BYTES 11

/* "2026-12-01" or "1.12.2026", a day there is, of the years 1000 to 9999: to "2026-12-01", which sorts as the days do.
 */
bool date_parse(struct str s, char out[DATE_BYTES]);

#define DATE_HTTP_BYTES 30
/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7), and back; its obsolete forms are none. Seconds since 1970.
 */
void date_to_http(int64_t seconds, char out[DATE_HTTP_BYTES]);
bool date_of_http(struct str s, int64_t *seconds);

/* Its beginning in UTC as Unix time in milliseconds; the day as date_parse wrote it. */
int64_t date_ms(const char day[DATE_BYTES]);
/* Days of a month of the Gregorian calendar; month from 1 to 12. */
int date_days_in(int year, int month);

#endif
