#include "cli/suggest.h"

/* Longer words are no typing mistakes of ours. */
#define WORD_MAX 64

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static size_t least(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

size_t edit_distance(struct str a, struct str b)
{
    if (a.n > WORD_MAX || b.n > WORD_MAX) return a.n > b.n ? a.n : b.n;
    size_t d[3][WORD_MAX + 1]; /* the rows i-2, i-1 and i of the table */
    size_t *before = d[0], *above = d[1], *row = d[2];
    for (size_t j = 0; j <= b.n; j++) above[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            bool same = lower(a.p[i - 1]) == lower(b.p[j - 1]);
            row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + !same);
            bool swapped =
                i > 1 && j > 1 && lower(a.p[i - 1]) == lower(b.p[j - 2]) && lower(a.p[i - 2]) == lower(b.p[j - 1]);
            if (swapped && before[j - 2] + 1 < row[j]) row[j] = before[j - 2] + 1;
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[b.n];
}

void suggest_word(struct suggestion *s, const char *word)
{
    struct str w = str_of(word);
    size_t distance = edit_distance(s->wanted, w);
    bool begins = s->wanted.n >= 3 && str_starts_nocase(w, s->wanted);
    size_t allowed = 1 + s->wanted.n / 4;
    if (begins && distance > 1) distance = 1;
    if (distance > allowed || (s->best && distance >= s->distance)) return;
    s->best = word;
    s->distance = distance;
}
