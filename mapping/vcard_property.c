#include "mapping/vcard_property.h"

#include "base/i18n.h"
#include "mapping/text.h"

/* Bare words of 2.1 ("TEL;WORK:") and what they stand for; any other word is a TYPE. */
static const struct {
    struct str word, name;
} bare_words[] = {
    {{"QUOTED-PRINTABLE", 16}, {"ENCODING", 8}}, {{"BASE64", 6}, {"ENCODING", 8}}, {{"8BIT", 4}, {"ENCODING", 8}},
    {{"7BIT", 4}, {"ENCODING", 8}},              {{"URL", 3}, {"VALUE", 5}},       {{"INLINE", 6}, {"VALUE", 5}},
    {{"CONTENT-ID", 10}, {"VALUE", 5}},
};

static struct str upper(struct arena *arena, struct str s)
{
    size_t i = 0;
    while (i < s.n && !(s.p[i] >= 'a' && s.p[i] <= 'z')) i++;
    if (i == s.n) return s;
    char *copy = arena_strdup(arena, s);
    for (; i < s.n; i++)
        if (copy[i] >= 'a' && copy[i] <= 'z') copy[i] = (char)(copy[i] - 32);
    return (struct str){copy, s.n};
}

static struct str bare_name(struct str word)
{
    for (size_t i = 0; i < sizeof bare_words / sizeof *bare_words; i++)
        if (str_eq_nocase(word, bare_words[i].word)) return bare_words[i].name;
    return STR("TYPE");
}

/* RFC 6868: ^n, ^' and ^^; any other caret stays. */
static struct str decode_carets(struct arena *arena, struct str s)
{
    if (!s.n || !memchr(s.p, '^', s.n)) return s;
    char *out = arena_alloc(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char next = i + 1 < s.n ? s.p[i + 1] : 0;
        const char *meaning = s.p[i] != '^' ? NULL : next == 'n' ? "\n" : next == '\'' ? "\"" : next == '^' ? "^" : NULL;
        out[n++] = meaning ? *meaning : s.p[i];
        i += meaning != NULL;
    }
    out[n] = '\0';
    return (struct str){out, n};
}

/* Offset of the first `sep` outside quotes, or s.n. Where a header's quotes do not pair up they are text (quotes = false): decided
 * once for the whole header, so that splitting stays linear. */
static size_t find_sep(struct str s, char sep, bool quotes)
{
    bool quoted = false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"') quoted = quotes && !quoted;
        if (s.p[i] == sep && !quoted) return i;
    }
    return s.n;
}

static bool quotes_pair_up(struct str header)
{
    size_t n = 0;
    for (size_t i = 0; i < header.n; i++) n += header.p[i] == '"';
    return n % 2 == 0;
}

/* "HOME\,VOICE" inside a parameter was written by one server: the backslash goes, the comma separates. */
static struct str trim_value(struct str v)
{
    v = str_trim(v);
    if (v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"') return (struct str){v.p + 1, v.n - 2};
    if (v.n && v.p[v.n - 1] == '\\') v.n--;
    return v;
}

static size_t count_values(struct str list, bool quotes)
{
    size_t n = 1;
    while (list.n) {
        size_t comma = find_sep(list, ',', quotes);
        if (comma == list.n) break;
        n++;
        list.p += comma + 1, list.n -= comma + 1;
    }
    return n;
}

/* A quoted TYPE="a,b" is a list as well (RFC 6350 5.6). */
static struct str unquote_list(struct str name, struct str list)
{
    struct str trimmed = str_trim(list);
    bool quoted = trimmed.n >= 2 && trimmed.p[0] == '"' && trimmed.p[trimmed.n - 1] == '"' &&
                  !memchr(trimmed.p + 1, '"', trimmed.n - 2);
    return quoted && str_eq(name, STR("TYPE")) ? (struct str){trimmed.p + 1, trimmed.n - 2} : list;
}

static bool split_values(struct arena *arena, struct param *p, struct str list, bool quotes)
{
    list = unquote_list(p->name, list);
    size_t cap = count_values(list, quotes);
    if (cap > VCARD_MAX_LIST) return false;
    struct str *values = arena_alloc(arena, cap * sizeof *values);
    for (;;) {
        size_t comma = find_sep(list, ',', quotes);
        struct str v = trim_value((struct str){list.p, comma});
        if (v.n) values[p->n_values++] = decode_carets(arena, v);
        if (comma >= list.n) break;
        list.p += comma + 1, list.n -= comma + 1;
    }
    p->values = values;
    return true;
}

static bool param_parse(struct arena *arena, struct str raw, bool quotes, struct param *out)
{
    *out = (struct param){.raw = raw};
    const char *eq = memchr(raw.p, '=', raw.n);
    struct str name = eq ? (struct str){raw.p, (size_t)(eq - raw.p)} : STR_NONE;
    struct str list = eq ? (struct str){eq + 1, raw.n - name.n - 1} : raw;
    out->name = eq ? upper(arena, str_trim(name)) : bare_name(str_trim(raw));
    return split_values(arena, out, list, quotes);
}

static bool params_parse(struct arena *arena, struct str rest, bool quotes, struct property *p)
{
    size_t cap = 0;
    for (size_t i = 0; i < rest.n; i++) cap += rest.p[i] == ';';
    if (!cap) return true;
    struct param *params = arena_alloc(arena, (cap > VCARD_MAX_PARAMS ? VCARD_MAX_PARAMS + 1 : cap) * sizeof *params);
    while (rest.n) { /* rest starts with ';' */
        rest.p++, rest.n--;
        size_t end = find_sep(rest, ';', quotes);
        struct str raw = {rest.p, end};
        rest.p += end, rest.n -= end;
        if (!str_trim(raw).n) continue;
        if (p->n_params == VCARD_MAX_PARAMS || !param_parse(arena, raw, quotes, &params[p->n_params])) return false;
        p->n_params++;
    }
    p->params = params;
    return true;
}

const struct param *property_param(const struct property *p, const char *name)
{
    struct str wanted = str_of(name);
    for (size_t i = 0; i < p->n_params; i++)
        if (str_eq(p->params[i].name, wanted)) return &p->params[i];
    return NULL;
}

static bool any_value(const struct property *p, struct str param, struct str value)
{
    for (size_t i = 0; i < p->n_params; i++) {
        if (!str_eq(p->params[i].name, param)) continue;
        for (size_t k = 0; k < p->params[i].n_values; k++)
            if (str_eq_nocase(p->params[i].values[k], value)) return true;
    }
    return false;
}

bool property_has_type(const struct property *p, const char *type)
{
    return any_value(p, STR("TYPE"), str_of(type));
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Quoted-printable (RFC 2045 6.7), tolerant: a broken escape stays as it is. */
static struct str qp_decode(struct arena *arena, struct str s)
{
    char *out = arena_alloc(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool escape = s.p[i] == '=' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0;
        if (escape) {
            out[n++] = (char)(hex(s.p[i + 1]) * 16 + hex(s.p[i + 2]));
            i += 2;
        } else if (s.p[i] != '=' || i + 1 < s.n)
            out[n++] = s.p[i];
    }
    out[n] = '\0';
    return (struct str){out, n};
}

/* Transfer encoding off, then to UTF-8, and only then may anybody look for separators: Shift_JIS has '\' as a second byte. */
static void decode_value(struct arena *arena, struct property *p)
{
    if (p->qp) p->value = qp_decode(arena, p->value);
    const struct param *charset = property_param(p, "CHARSET");
    bool named = charset && charset->n_values && !str_eq_nocase(charset->values[0], STR("UTF-8"));
    if (named && text_from_charset(arena, p->value, arena_strdup(arena, charset->values[0]), &p->value)) return;
    if (text_is_utf8(p->value)) return;
    p->flags |= PROPERTY_GUESSED;
    text_from_charset(arena, p->value, "windows-1252", &p->value);
}

static void split_group(struct str *name, struct str *group)
{
    const char *dot = memrchr(name->p, '.', name->n);
    if (!dot) return;
    *group = (struct str){name->p, (size_t)(dot - name->p)};
    *name = (struct str){dot + 1, name->n - group->n - 1};
}

enum fault_code property_parse(struct arena *arena, const struct logical *line, struct property *out, struct fault *why)
{
    *out = (struct property){.raw = line->raw, .line = line->line, .flags = line->joined ? PROPERTY_REPAIRED : 0};
    size_t colon = header_end(line->text);
    if (colon == (size_t)-1 || colon == 0 || line->text.p[0] == '#') {
        out->flags |= PROPERTY_FOREIGN;
        return FAULT_NONE;
    }
    struct str header = {line->text.p, colon};
    out->value = (struct str){line->text.p + colon + 1, line->text.n - colon - 1};
    bool quotes = quotes_pair_up(header);
    size_t semicolon = find_sep(header, ';', quotes);
    struct str name = str_trim((struct str){header.p, semicolon});
    split_group(&name, &out->group);
    out->name = upper(arena, str_trim(name));
    if (out->group.n > VCARD_MAX_GROUP_BYTES || !params_parse(arena, (struct str){header.p + semicolon, header.n - semicolon}, quotes, out))
        return fault_set(why, FAULT_UNREADABLE, NULL, _("line %u: too many parameters, or a group name of more than %d bytes"),
                         line->line, VCARD_MAX_GROUP_BYTES);
    if (!out->name.n) out->flags |= PROPERTY_FOREIGN;
    out->qp = any_value(out, STR("ENCODING"), STR("QUOTED-PRINTABLE"));
    out->base64 = any_value(out, STR("ENCODING"), STR("BASE64")) || any_value(out, STR("ENCODING"), STR("B"));
    if (!out->base64) decode_value(arena, out);
    return FAULT_NONE;
}
