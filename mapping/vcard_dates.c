#include "mapping/vcard_fields.h"

/* Digits at the front of *s: exactly n of them, or false. */
static bool take_digits(struct str *s, size_t n, int *value)
{
    if (s->n < n) return false;
    *value = 0;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9') return false;
        *value = *value * 10 + (s->p[i] - '0');
    }
    s->p += n, s->n -= n;
    return true;
}

static bool take(struct str *s, const char *text)
{
    struct str t = str_of(text);
    if (!str_starts(*s, t)) return false;
    s->p += t.n, s->n -= t.n;
    return true;
}

struct date {
    int year, month, day; /* 0 = none */
};

/* RFC 6350 4.3.1, both basic and extended, whole or cut: 19960415, 1996-04-15, --0415, ---15, 1996-04, 1996. */
static bool parse_date(struct str s, struct date *d)
{
    *d = (struct date){0, 0, 0};
    if (take(&s, "---")) return take_digits(&s, 2, &d->day) && !s.n;
    if (take(&s, "--")) {
        if (!take_digits(&s, 2, &d->month)) return false;
        if (!s.n) return true;
        take(&s, "-");
        return take_digits(&s, 2, &d->day) && !s.n;
    }
    if (!take_digits(&s, 4, &d->year)) return false;
    if (!s.n) return true;
    take(&s, "-");
    if (!take_digits(&s, 2, &d->month)) return false;
    if (!s.n) return true;
    take(&s, "-");
    return take_digits(&s, 2, &d->day) && !s.n;
}

/* A time of day behind the date is dropped and no zone is applied: a birthday is a date (vcard 6). */
static struct str without_time(struct str s)
{
    for (size_t i = 4; i < s.n; i++)
        if (s.p[i] == 'T' || s.p[i] == 't' || s.p[i] == ' ') return (struct str){s.p, i};
    return s;
}

static void put_part(struct buf *out, int value, int width)
{
    if (value)
        buf_addf(out, "%0*d", width, value);
    else
        buf_addc(out, '-');
}

bool date_normal(struct str value, struct buf *out)
{
    struct date d;
    if (!parse_date(without_time(str_trim(value)), &d)) return false;
    if (d.month > 12 || d.day > 31) return false;
    if (d.year == 1604) d.year = 0;
    put_part(out, d.year, 4);
    buf_addc(out, '-');
    put_part(out, d.month, 2);
    buf_addc(out, '-');
    put_part(out, d.day, 2);
    return true;
}
