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
    if (!read || year < 1000 || year > 9999 || month < 1 || month > 12 || day < 1 || day > (unsigned)date_days_in((int)year, (int)month))
        return false;
    snprintf(out, DATE_BYTES, "%04u-%02u-%02u", year % 10000, month % 100, day % 100);
    return true;
}
