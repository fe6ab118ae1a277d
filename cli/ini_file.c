#include "cli/ini_file.h"

#include "base/i18n.h"
#include "cli/file.h"

#include <ini.h>

/* inih asks for one line at a time and gets it in pieces that fit its buffer: the second and later ones look to it like
 * continuation lines, which it reports under the same key. The value is put together again before it is delivered. */
struct reader {
    const char *path;
    struct str rest;  /* of the file */
    struct str piece; /* what is left of the line being handed out */
    unsigned line;
    bool awaits; /* the line must become a value */
    bool named;  /* it did: key and value are set */
    bool done;
    struct buf key, value;
    const struct ini_sink *sink;
    struct fault *fault;
    enum fault_code code;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void complain(struct reader *r, const char *what)
{
    r->code = fault_set(r->fault, FAULT_CONFIG, _("write \"key = value\" or \"[section]\""), "%s:%u: %s", r->path,
                        r->line, what);
}

/* The line before was complete: to the sink with it. */
static void deliver(struct reader *r)
{
    if (r->named)
        r->code = r->sink->value(r->sink->ctx, buf_str(&r->key), str_trim(buf_str(&r->value)), r->line, r->fault);
    else if (r->awaits)
        complain(r, _("this line is not understood"));
    r->awaits = r->named = false;
}

/* Cuts a comment off that begins with a semicolon after white space. */
static struct str without_comment(struct str line)
{
    for (size_t i = 1; i < line.n; i++)
        if (line.p[i] == ';' && is_blank(line.p[i - 1])) return str_trim((struct str){line.p, i});
    return line;
}

static void begin_section(struct reader *r, struct str line)
{
    size_t end = str_find(line, STR("]"));
    if (end == (size_t)-1) {
        complain(r, _("the ] of this section is missing"));
        return;
    }
    struct str name = str_trim((struct str){line.p + 1, end - 1});
    r->code = r->sink->section(r->sink->ctx, name, r->line, r->fault);
    r->piece = STR("[s]"); /* inih's own copy of the name would be cut; it is not needed */
}

/* Takes the next line that says something; false at the end. */
static bool next_line(struct reader *r)
{
    while (r->rest.n && !r->code) {
        struct str line = str_split(&r->rest, '\n');
        r->line++;
        if (r->line == 1 && str_starts(line, STR("\xef\xbb\xbf"))) line = (struct str){line.p + 3, line.n - 3};
        line = str_trim(line);
        if (!line.n || line.p[0] == ';' || line.p[0] == '#') continue;
        r->piece = without_comment(line);
        r->awaits = line.p[0] != '[';
        if (!r->awaits) begin_section(r, line);
        buf_reset(&r->key);
        buf_reset(&r->value);
        return !r->code;
    }
    return false;
}

/* Where a piece of at most `max` bytes may end: white space at either border would be lost, and a comment sign must not
 * come first. 0 = nowhere. */
static size_t cut_at(struct str s, size_t max)
{
    if (s.n <= max) return s.n;
    for (size_t k = max; k > 0; k--)
        if (!is_blank(s.p[k - 1]) && !is_blank(s.p[k]) && !strchr(";#", s.p[k])) return k;
    return 0;
}

static char *read_piece(char *out, int size, void *stream)
{
    struct reader *r = stream;
    size_t at = 0;
    if (r->piece.n) {
        out[at++] = ' ';
    } else {
        deliver(r);
        if (r->code || !next_line(r)) return NULL;
    }
    size_t n = cut_at(r->piece, (size_t)size - 2 - at);
    if (!n) {
        complain(r, _("this line is too long"));
        return NULL;
    }
    memcpy(out + at, r->piece.p, n);
    out[at + n] = '\0';
    r->piece = (struct str){r->piece.p + n, r->piece.n - n};
    return out;
}

static int take_value(void *user, const char *section, const char *name, const char *value)
{
    (void)section;
    struct reader *r = user;
    if (!r->named) buf_adds(&r->key, name);
    buf_adds(&r->value, value);
    r->named = true;
    return 1;
}

/* inih gives its reader and its handler one pointer each: both are the reader here. */
static void parse(struct reader *r)
{
    ini_parse_stream(read_piece, r, take_value, r);
    if (!r->code) deliver(r);
}

enum fault_code ini_file_read(const char *path, const struct ini_sink *sink, struct fault *f)
{
    struct buf text AUTO_BUF = BUF_LIMIT(INI_FILE_MAX_BYTES);
    enum fault_code code = file_read(path, &text, f);
    if (code) return code;
    struct str all = buf_str(&text);
    if (all.n && memchr(all.p, '\0', all.n))
        return fault_set(f, FAULT_CONFIG, NULL, _("%s: this is not a text file"), path);
    struct reader r = {.path = path, .rest = all, .sink = sink, .fault = f, .key = BUF_INIT, .value = BUF_INIT};
    parse(&r);
    buf_free(&r.key);
    buf_free(&r.value);
    return r.code;
}
