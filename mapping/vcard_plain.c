/* A look at the bytes of a card that is cheaper than reading it: does it surely parse? Whatever is unusual says no, and
 * then the parser decides. What it relies on, limit by limit of vcard_parse: a header that ends within GROUP bytes can
 * hold neither too long a group nor too many parameters; a card without that many separators no list that is too long;
 * a card this small nothing else that is too large. */
#include "mapping/vcard.h"

#define BEGIN "BEGIN:VCARD"
#define END "END:VCARD"
#define PLAIN_MAX_BYTES (1 << 20)

_Static_assert(VCARD_MAX_GROUP_BYTES / 2 < VCARD_MAX_PARAMS, "a header of that many bytes holds fewer parameters");
_Static_assert(PLAIN_MAX_BYTES < VCARD_MAX_LINE_BYTES && PLAIN_MAX_BYTES < VCARD_MAX_BYTES,
               "no line of it is too long");

/* The line of a property, or a fold of one; nothing that could begin or end a card. */
static bool is_plain_line(struct str line)
{
    if (!line.n) return false;
    if (line.p[0] == ' ' || line.p[0] == '\t') return true;
    size_t head = line.n < VCARD_MAX_GROUP_BYTES ? line.n : VCARD_MAX_GROUP_BYTES;
    const char *colon = memchr(line.p, ':', head);
    if (!colon || memchr(line.p, '"', (size_t)(colon - line.p))) return false;
    char first = (char)(line.p[0] | 32);
    return first != 'b' && first != 'e'
               ? true
               : !str_starts_nocase(line, STR("BEGIN")) && !str_starts_nocase(line, STR("END"));
}

static bool has_few_separators(struct str bytes)
{
    size_t n = 0;
    for (size_t i = 0; i < bytes.n; i++) n += (bytes.p[i] == ',') + (bytes.p[i] == ';');
    return n <= VCARD_MAX_LIST;
}

/* The next line without its end; false where the end is none of LF and CRLF. */
static bool next_line(struct str *rest, struct str *line)
{
    const char *end = memchr(rest->p, '\n', rest->n);
    if (!end) return false;
    *line = (struct str){rest->p, (size_t)(end - rest->p)};
    *rest = (struct str){end + 1, rest->n - line->n - 1};
    if (line->n && line->p[line->n - 1] == '\r') line->n--;
    return !memchr(line->p, '\r', line->n);
}

bool vcard_is_plain(struct str bytes)
{
    struct str rest = bytes, line;
    if (bytes.n > PLAIN_MAX_BYTES || memchr(bytes.p, '\0', bytes.n)) return false;
    if (!next_line(&rest, &line) || !str_eq(line, STR(BEGIN))) return false;
    if (!rest.n || rest.p[0] == ' ' || rest.p[0] == '\t') return false;
    unsigned lines = 0;
    size_t longest = 0, length = 0; /* of a property with its folds */
    while (next_line(&rest, &line)) {
        if (str_eq(line, STR(END))) return !rest.n && (longest <= VCARD_MAX_LIST || has_few_separators(bytes));
        if (++lines > VCARD_MAX_PROPERTIES || !is_plain_line(line)) return false;
        length = line.p[0] == ' ' || line.p[0] == '\t' ? length + line.n : line.n;
        if (length > longest) longest = length;
    }
    return false;
}
