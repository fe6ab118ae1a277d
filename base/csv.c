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

static bool ends_cell(const struct csv *c, size_t i)
{
    return i >= c->rest.n || c->rest.p[i] == c->delimiter || c->rest.p[i] == '\n' || c->rest.p[i] == '\r';
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
static bool read_cell(struct csv *c, struct arena *arena, struct str *out)
{
    struct buf quoted AUTO_BUF = BUF_INIT;
    if (c->rest.n && c->rest.p[0] == '"') read_quoted(c, &quoted);
    size_t i = 0;
    while (!ends_cell(c, i)) i++;
    *out = (struct str){c->rest.p, i};
    if (quoted.data) {
        buf_addstr(&quoted, *out);
        *out = arena_str(arena, buf_str(&quoted));
    }
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
            *cells = grow(arena, *cells, *n);
            more = read_cell(c, arena, &(*cells)[*n]);
            any |= str_trim((*cells)[*n]).n > 0;
        }
        if (any) return true;
    }
    return false;
}
