#include "cli/out.h"

#include "base/mem.h"
#include "mapping/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#define CELL_MAX_COLUMNS 60
#define GAP 2

/* -- width -- */

/* Length of the UTF-8 sequence and its code point; broken bytes count one each. */
static size_t next_char(struct str s, uint32_t *c)
{
    unsigned char first = (unsigned char)s.p[0];
    size_t n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    if (n > s.n) n = 1;
    *c = n == 1 ? first : first & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) *c = (*c << 6) | ((unsigned char)s.p[i] & 0x3fu);
    return n;
}

static size_t char_width(uint32_t c)
{
    bool combining = (c >= 0x300 && c < 0x370) || (c >= 0x200b && c <= 0x200f) || (c >= 0xfe00 && c <= 0xfe0f);
    bool wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) ||
                (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
                (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd);
    return combining ? 0 : wide ? 2 : 1;
}

size_t text_width(struct str s)
{
    size_t width = 0;
    while (s.n) {
        uint32_t c;
        size_t n = next_char(s, &c);
        width += char_width(c);
        s = (struct str){s.p + n, s.n - n};
    }
    return width;
}

/* As much of s as fits. */
static struct str cut(struct str s, size_t columns)
{
    size_t width = 0;
    struct str rest = s;
    while (rest.n) {
        uint32_t c;
        size_t n = next_char(rest, &c);
        width += char_width(c);
        if (width > columns) break;
        rest = (struct str){rest.p + n, rest.n - n};
    }
    return (struct str){s.p, s.n - rest.n};
}

/* -- tables -- */

struct table table_of(size_t columns, uint64_t right)
{
    return (struct table){.arena = ARENA_INIT, .columns = columns, .right = right};
}

void table_free(struct table *t)
{
    free(t->cells);
    arena_free(&t->arena);
}

static void add_cell(struct table *t, const char *text)
{
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 64;
        t->cells = mem_realloc(t->cells, t->cap * sizeof *t->cells);
    }
    t->cells[t->n++] = text;
}

void table_text(struct table *t, struct str s)
{
    struct buf line AUTO_BUF = BUF_INIT, shown AUTO_BUF = BUF_INIT;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '\r') buf_addc(&line, s.p[i] == '\n' || s.p[i] == '\t' ? ' ' : s.p[i]);
    text_printable(buf_str(&line), &shown);
    struct str all = buf_str(&shown);
    bool last = t->n % t->columns + 1 == t->columns; /* pushes nothing aside */
    struct str part = !last && text_width(all) > CELL_MAX_COLUMNS ? cut(all, CELL_MAX_COLUMNS - 1) : all;
    add_cell(t, part.n < all.n ? arena_printf(&t->arena, "%.*s\xe2\x80\xa6", STR_ARG(part))
                               : arena_strdup(&t->arena, part));
}

void table_cell(struct table *t, const char *s)
{
    table_text(t, str_of(s ? s : ""));
}

void table_number(struct table *t, int64_t n)
{
    add_cell(t, arena_printf(&t->arena, "%" PRId64, n));
}

void table_time(struct table *t, int64_t unix_ms)
{
    struct buf text AUTO_BUF = BUF_INIT;
    if (unix_ms) time_text(unix_ms, &text);
    table_text(t, buf_str(&text));
}

static void print_cell(const struct table *t, size_t i, size_t column, size_t width, FILE *out)
{
    const char *cell = t->cells[i];
    size_t used = text_width(str_of(cell));
    int space = (int)(width > used ? width - used : 0);
    bool last = column + 1 == t->columns;
    if (t->right >> column & 1)
        fprintf(out, "%*s%s%s", space, "", cell, last ? "" : "  ");
    else
        fprintf(out, "%s%*s", cell, last ? 0 : space + GAP, "");
}

void table_print(const struct table *t, const char *indent, FILE *out)
{
    size_t *width = mem_calloc(t->columns, sizeof *width);
    for (size_t i = 0; i < t->n; i++) {
        size_t w = text_width(str_of(t->cells[i]));
        if (w > width[i % t->columns]) width[i % t->columns] = w;
    }
    for (size_t i = 0; i < t->n; i++) {
        size_t column = i % t->columns;
        if (column == 0) fputs(indent, out);
        print_cell(t, i, column, width[column], out);
        if (column + 1 == t->columns) fputc('\n', out);
    }
    free(width);
}

/* -- JSON -- */

json_t *json_text(struct str s)
{
    if (!s.p) return json_null();
    json_t *value = json_stringn(s.p, s.n);
    if (value) return value;
    struct buf shown AUTO_BUF = BUF_INIT;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x80)
            buf_addc(&shown, (char)c);
        else
            buf_addf(&shown, "<%02X>", c);
    }
    return json_stringn(shown.data, shown.len);
}

json_t *json_cstr(const char *s)
{
    return json_text(str_of(s));
}

json_t *json_count(int64_t n)
{
    return json_integer(n);
}

json_t *json_time(int64_t unix_ms)
{
    if (!unix_ms) return json_null();
    struct buf text AUTO_BUF = BUF_INIT;
    time_utc(unix_ms, &text);
    return json_text(buf_str(&text));
}

void json_print(json_t *value, FILE *out)
{
    json_dumpf(value, out, JSON_INDENT(2) | JSON_ENCODE_ANY);
    fputc('\n', out);
    json_decref(value);
}

/* -- CSV, HTML, times -- */

void csv_cell(struct buf *line, struct str s)
{
    if (line->len && line->data[line->len - 1] != '\n') buf_addc(line, ',');
    bool quote = s.n == 0 || memchr(s.p, '"', s.n) || memchr(s.p, ',', s.n) || memchr(s.p, ';', s.n) ||
                 memchr(s.p, '\n', s.n) || memchr(s.p, '\r', s.n) || strchr("=+-@ \t", s.p[0]) || s.p[s.n - 1] == ' ';
    if (!quote) {
        buf_addstr(line, s);
        return;
    }
    buf_addc(line, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"') buf_addc(line, '"');
        buf_addc(line, s.p[i]);
    }
    buf_addc(line, '"');
}

void csv_end(struct buf *line)
{
    buf_adds(line, "\r\n");
}

void time_text(int64_t unix_ms, struct buf *out)
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm parts;
    char text[64];
    if (localtime_r(&seconds, &parts)) buf_add(out, text, strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts));
}

void time_utc(int64_t unix_ms, struct buf *out)
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm parts;
    char text[64];
    if (gmtime_r(&seconds, &parts)) buf_add(out, text, strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts));
}

void html_text(struct str s, struct buf *out)
{
    struct buf shown AUTO_BUF = BUF_INIT;
    text_printable(s, &shown);
    for (size_t i = 0; i < shown.len; i++) {
        char c = shown.data[i];
        const char *entity = c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : c == '"' ? "&quot;" : NULL;
        if (entity)
            buf_adds(out, entity);
        else
            buf_addc(out, c);
    }
}
