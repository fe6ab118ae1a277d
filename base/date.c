#include "base/date.h"

#include <stdio.h>
#include <time.h>

static bool digits(struct str s, size_t min, size_t max, unsigned *out)
{
    if (s.n < min || s.n > max) return false;
    *out = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return false;
        *out = *out * 10 + (unsigned)(s.p[i] - '0');
    }
    return true;
}

int64_t date_ms(const char day[DATE_BYTES])
{
    struct tm tm = {.tm_year = 0};
    if (sscanf(day, "%d-%d-%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday) != 3) return 0;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (int64_t)timegm(&tm) * 1000;
}

int date_days_in(int year, int month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

bool date_parse(struct str s, char out[DATE_BYTES])
{
    unsigned year, month, day;
    struct str rest = str_trim(s);
    bool dots = str_find(rest, STR(".")) != (size_t)-1;
    char sep = dots ? '.' : '-';
    struct str first = str_split(&rest, sep), second = str_split(&rest, sep);
    bool read = dots ? digits(first, 1, 2, &day) && digits(second, 1, 2, &month) && digits(rest, 4, 4, &year)
                     : digits(first, 4, 4, &year) && digits(second, 2, 2, &month) && digits(rest, 2, 2, &day);
    if (!read || year < 1000 || year > 9999 || month < 1 || month > 12 || day < 1 ||
        day > (unsigned)date_days_in((int)year, (int)month))
        return false;
    snprintf(out, DATE_BYTES, "%04u-%02u-%02u", year % 10000, month % 100, day % 100);
    return true;
}

/* -- HTTP -- */

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec", week[] = "SunMonTueWedThuFriSat";

void date_to_http(int64_t seconds, char out[DATE_HTTP_BYTES])
{
    time_t at = (time_t)seconds;
    struct tm tm;
    gmtime_r(&at, &tm);
    snprintf(out, DATE_HTTP_BYTES, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", week + 3 * (tm.tm_wday % 7),
             (unsigned)tm.tm_mday % 100, months + 3 * (tm.tm_mon % 12), (unsigned)(tm.tm_year + 1900) % 10000,
             (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

bool date_of_http(struct str s, int64_t *seconds)
{
    static const char form[] = "www, dd mmm dddd dd:dd:dd GMT";
    unsigned day, year, hour, minute, second, month = 0;
    if (s.n != sizeof form - 1) return false;
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("wmd", form[i]) && s.p[i] != form[i]) return false;
    bool read = digits((struct str){s.p + 5, 2}, 2, 2, &day) && digits((struct str){s.p + 12, 4}, 4, 4, &year) &&
                digits((struct str){s.p + 17, 2}, 2, 2, &hour) && digits((struct str){s.p + 20, 2}, 2, 2, &minute) &&
                digits((struct str){s.p + 23, 2}, 2, 2, &second);
    while (month < 12 && memcmp(months + 3 * month, s.p + 8, 3) != 0) month++;
    if (!read || month == 12 || year < 1970 || !day || day > 31 || hour > 23 || minute > 59 || second > 60)
        return false;
    struct tm tm = {.tm_year = (int)year - 1900,
                    .tm_mon = (int)month,
                    .tm_mday = (int)day,
                    .tm_hour = (int)hour,
                    .tm_min = (int)minute,
                    .tm_sec = (int)second};
    *seconds = (int64_t)timegm(&tm);
    return true;
}
