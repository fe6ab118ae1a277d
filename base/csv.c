#include "base/csv.h"

#include "base/buf.h"

static char delimiter_of(struct str text)
{
    static const char candidates[] = {',', ';', '\t', '|'};
    size_t count[sizeof candidates] = {0}, best = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.n && (quoted || (text.p[i] != '\n' && text.p[i] != '\r')); i++) {
        if (text.p[i] == '"') quoted = !quoted;
        for (size_t k = 0; k < sizeof candidates; k++) count[k] += !quoted && text.p[i] == candidates[k];
    }
    for (size_t k = 1; k < sizeof candidates; k++)
        if (count[k] > count[best]) best = k;
    return candidates[best];
}

void csv_begin(struct csv *c, struct str text)
{
    if (str_starts(text, STR("\xef\xbb\xbf"))) text.p += 3, text.n -= 3;
    *c = (struct csv){.rest = text, .delimiter = delimiter_of(text), .next_line = 1};
}

static void skip(struct csv *c, size_t n)
{
    for (size_t i = 0; i < n; i++) c->next_line += c->rest.p[i] == '\n';
    c->rest.p += n, c->rest.n -= n;
}

/* What stands between quotes, with "" for one; the quotes are read over. */
static void read_quoted(struct csv *c, struct buf *out)
{
    size_t i = 1;
    for (; i < c->rest.n; i++) {
        if (c->rest.p[i] == '"' && !(i + 1 < c->rest.n && c->rest.p[i + 1] == '"')) break;
        i += c->rest.p[i] == '"';
        buf_addc(out, c->rest.p[i]);
    }
    skip(c, i < c->rest.n ? i + 1 : c->rest.n);
}

/* One cell, and the delimiter or line end behind it; true if the row goes on. */
static bool read_cell(struct csv *c, struct buf *out)
{
    if (c->rest.n && c->rest.p[0] == '"') read_quoted(c, out);
    size_t i = 0;
    while (i < c->rest.n && c->rest.p[i] != c->delimiter && c->rest.p[i] != '\n' && c->rest.p[i] != '\r')
        buf_addc(out, c->rest.p[i++]);
    bool more = i < c->rest.n && c->rest.p[i] == c->delimiter;
    if (i + 1 < c->rest.n && c->rest.p[i] == '\r' && c->rest.p[i + 1] == '\n') i++;
    skip(c, i < c->rest.n ? i + 1 : i);
    return more;
}

static struct str *grow(struct arena *arena, struct str *cells, size_t n)
{
    if (n & (n - 1)) return cells; /* room for the next power of two */
    struct str *bigger = arena_alloc(arena, (n ? n * 2 : 1) * sizeof *bigger);
    if (n) memcpy(bigger, cells, n * sizeof *cells);
    return bigger;
}

bool csv_next(struct csv *c, struct arena *arena, struct str **cells, size_t *n)
{
    while (c->rest.n) {
        bool more = true, any = false;
        *cells = NULL;
        c->line = c->next_line;
        for (*n = 0; more; (*n)++) {
            struct buf cell AUTO_BUF = BUF_INIT;
            more = read_cell(c, &cell);
            *cells = grow(arena, *cells, *n);
            (*cells)[*n] = arena_str(arena, buf_str(&cell));
            any |= str_trim(buf_str(&cell)).n > 0;
        }
        if (any) return true;
    }
    return false;
}
