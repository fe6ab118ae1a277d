/* A file of many cards into its pieces (import). Tolerant: what stands between cards is passed over, an unfinished card is a piece and
 * ends where the next one begins, a card inside a card (2.1 AGENT) stays inside. */
#include "mapping/record.h"

static struct str next_line(struct str file, size_t *at)
{
    size_t start = *at, n = start;
    while (n < file.n && file.p[n] != '\n' && file.p[n] != '\r') n++;
    struct str line = {file.p + start, n - start};
    if (n < file.n && file.p[n] == '\r' && n + 1 < file.n && file.p[n + 1] == '\n') n++;
    *at = n < file.n ? n + 1 : n;
    return line;
}

static bool is_mark(struct str line, const char *mark)
{
    struct str rest = str_trim(line), name = str_split(&rest, ':');
    return rest.p && str_eq_nocase(str_trim(name), str_of(mark)) && str_eq_nocase(str_trim(rest), STR("VCARD"));
}

/* UTF-16 is left whole: the parser converts it, and a file of several such cards is one it refuses by name. */
static bool is_wide(struct str file)
{
    return file.n > 2 && (((unsigned char)file.p[0] == 0xff && (unsigned char)file.p[1] == 0xfe) ||
                          ((unsigned char)file.p[0] == 0xfe && (unsigned char)file.p[1] == 0xff));
}

/* "AGENT:" with nothing behind it: the next line begins a card inside this one. */
static bool announces_card(struct str line)
{
    line = str_trim(line);
    return str_starts_nocase(line, STR("AGENT")) && line.p[line.n - 1] == ':';
}

bool records_split(enum record_kind kind, struct str file, bool (*fn)(void *ctx, struct str bytes), void *ctx)
{
    size_t at = 0, begin = 0;
    unsigned depth = 0;
    bool announced = false;
    (void)kind;
    if (is_wide(file)) return fn(ctx, file);
    if (str_starts(file, STR("\xef\xbb\xbf"))) at = 3;
    while (at < file.n) {
        size_t start = at;
        struct str line = next_line(file, &at);
        if (is_mark(line, "BEGIN")) {
            bool cut = depth && !announced;
            if (cut && !fn(ctx, (struct str){file.p + begin, start - begin})) return false;
            depth = cut ? 1 : depth + 1;
            if (depth == 1) begin = start;
        } else if (depth && is_mark(line, "END")) {
            if (!--depth && !fn(ctx, (struct str){file.p + begin, at - begin})) return false;
        }
        if (str_trim(line).n) announced = announces_card(line);
    }
    return !depth || fn(ctx, (struct str){file.p + begin, file.n - begin});
}
