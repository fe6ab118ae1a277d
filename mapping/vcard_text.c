#include "mapping/vcard.h"

static char escape_meaning(char c, enum vcard_version version)
{
    switch (c) {
    case 'n':
    case 'N': return '\n';
    case ',':
    case ';':
    case '\\': return c;
    case ':': return version == VCARD_40 ? 0 : ':'; /* no escape by any version, but common */
    default: return 0;
    }
}

struct str vcard_unescape(struct arena *arena, struct str s, enum vcard_version version)
{
    if (!s.n || !memchr(s.p, '\\', s.n)) return s;
    char *out = arena_alloc(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char meaning = s.p[i] == '\\' && i + 1 < s.n ? escape_meaning(s.p[i + 1], version) : 0;
        out[n++] = meaning ? meaning : s.p[i];
        i += meaning != 0;
    }
    out[n] = '\0';
    return (struct str){out, n};
}

/* Newlines become "\n" whatever they were, control characters vanish: text can never inject a property, and XML can carry it. */
static bool is_plain_text(unsigned char c)
{
    return (c >= 0x20 || c == '\t') && c != ',' && c != ';' && c != '\\';
}

void vcard_escape(struct buf *out, struct str s, enum vcard_version version)
{
    (void)version;
    for (size_t i = 0; i < s.n; i++) {
        size_t plain = i;
        while (plain < s.n && is_plain_text((unsigned char)s.p[plain])) plain++;
        buf_add(out, s.p + i, plain - i);
        if ((i = plain) == s.n) return;
        unsigned char c = (unsigned char)s.p[i];
        if (c == '\r' && i + 1 < s.n && s.p[i + 1] == '\n') continue;
        if (c == '\n' || c == '\r')
            buf_adds(out, "\\n");
        else if (c == ',' || c == ';' || c == '\\') {
            buf_addc(out, '\\');
            buf_addc(out, (char)c);
        }
    }
}

static size_t next_unescaped(struct str s, char sep)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == sep)
            return i;
    }
    return s.n;
}

size_t vcard_split(struct arena *arena, struct str value, char sep, const struct str **items)
{
    size_t cap = 1;
    for (size_t i = 0; i < value.n; i++) cap += value.p[i] == sep;
    struct str *list = arena_alloc(arena, cap * sizeof *list);
    size_t n = 0;
    for (struct str rest = value;;) {
        size_t end = next_unescaped(rest, sep);
        list[n++] = (struct str){rest.p, end};
        if (end >= rest.n) break;
        rest.p += end + 1, rest.n -= end + 1;
    }
    *items = list;
    return n;
}

static bool is_never_folded(struct str line)
{
    static const struct str names[] = {{"BEGIN:", 6}, {"VERSION:", 8}, {"PRODID:", 7}, {"UID:", 4}, {"UID;", 4}, {"END:", 4}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_starts_nocase(line, names[i])) return true;
    return false;
}

static bool is_combining(const char *p, size_t left)
{
    unsigned char a = (unsigned char)p[0], b = left > 1 ? (unsigned char)p[1] : 0;
    return (a == 0xcc && b >= 0x80) || (a == 0xcd && b <= 0xaf); /* U+0300..U+036F */
}

/* The largest cut <= max that splits no character, no escape, and leaves no combining mark alone. */
static size_t fold_point(struct str s, size_t max)
{
    if (s.n <= max) return s.n;
    for (size_t cut = max; cut > max / 2; cut--) {
        bool inside_char = ((unsigned char)s.p[cut] & 0xc0) == 0x80;
        size_t slashes = 0;
        while (slashes < cut && s.p[cut - 1 - slashes] == '\\') slashes++;
        bool caret = s.p[cut - 1] == '^';
        bool white = s.p[cut] == ' ' || s.p[cut] == '\t'; /* a reader that trims lines would lose it */
        if (!inside_char && slashes % 2 == 0 && !caret && !white && !is_combining(s.p + cut, s.n - cut)) return cut;
    }
    return max; /* forty combining marks in a row: no writer's text */
}

void vcard_fold(struct buf *out, struct str line, bool crlf)
{
    const char *end = crlf ? "\r\n" : "\n";
    size_t max = is_never_folded(line) ? line.n : 75;
    while (line.n > max) {
        size_t cut = fold_point(line, max);
        buf_add(out, line.p, cut);
        buf_adds(out, end);
        buf_addc(out, ' ');
        line.p += cut, line.n -= cut;
        max = 74;
    }
    buf_addstr(out, line);
    buf_adds(out, end);
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

bool base64_decode(struct str in, struct buf *out)
{
    unsigned bits = 0, have = 0;
    bool padding = false;
    buf_reserve(out, in.n / 4 * 3 + 3);
    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];
        if (c == ' ' || (c >= '\t' && c <= '\r')) continue;
        if (c == '=') {
            padding = true;
            continue;
        }
        int digit = base64_digit(c);
        if (digit < 0 || padding) return false;
        bits = bits << 6 | (unsigned)digit;
        have += 6;
        if (have < 8) continue;
        have -= 8;
        buf_addc(out, (char)(bits >> have & 0xff));
    }
    return have < 6; /* one digit alone is no byte */
}

void base64_encode(struct str in, struct buf *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)in.p;
    for (size_t i = 0; i < in.n; i += 3) {
        size_t left = in.n - i;
        unsigned v = (unsigned)p[i] << 16 | (left > 1 ? (unsigned)p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0);
        char quad[4] = {digits[v >> 18], digits[v >> 12 & 63], left > 1 ? digits[v >> 6 & 63] : '=', left > 2 ? digits[v & 63] : '='};
        buf_add(out, quad, 4);
    }
}
