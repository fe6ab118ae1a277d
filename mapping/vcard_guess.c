/* What a card that cannot be read is probably about, so that a report can name somebody and not an address on a server.
 */
#include "mapping/text.h"
#include "mapping/vcard.h"

#define TITLE_MAX_BYTES 200

/* The value of the first line of that name, without its parameters. */
static struct str line_of(struct str bytes, struct str name)
{
    for (struct str rest = bytes; rest.p;) {
        struct str line = str_trim(str_split(&rest, '\n'));
        if (line.n <= name.n || !str_starts_nocase(line, name) || (line.p[name.n] != ':' && line.p[name.n] != ';'))
            continue;
        const char *colon = memchr(line.p, ':', line.n);
        if (!colon) continue;
        struct str value = str_trim((struct str){colon + 1, line.n - (size_t)(colon + 1 - line.p)});
        if (value.n && value.n <= TITLE_MAX_BYTES && text_is_utf8(value) && !memchr(value.p, '\0', value.n))
            return value;
    }
    return STR_NONE;
}

/* "Özdemir;Lale;;;" as people read it. */
static struct str without_separators(struct arena *arena, struct str value)
{
    char *copy = arena_strdup(arena, value);
    size_t n = 0;
    for (size_t i = 0; i < value.n; i++) {
        char c = copy[i] == ';' ? ' ' : copy[i];
        if (c == ' ' && (!n || copy[n - 1] == ' ')) continue;
        copy[n++] = c;
    }
    return str_trim((struct str){copy, n});
}

struct str vcard_guess_title(struct arena *arena, struct str bytes)
{
    static const char *const names[] = {"FN", "N", "ORG", "NICKNAME", "EMAIL", "TEL"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct str value = line_of(bytes, str_of(names[i]));
        if (value.n) value = without_separators(arena, value);
        if (value.n) return value;
    }
    return STR_NONE;
}
