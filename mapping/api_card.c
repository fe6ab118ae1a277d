#include "mapping/api_card.h"

#include "mapping/vcard_values.h"

#include <stdlib.h>

/* -- keys -- */

struct str element_key_part(struct str key, int part)
{
    struct str found = STR_NONE;
    for (int i = 0; i <= part; i++) {
        if (!key.p) return STR_NONE;
        found = str_split(&key, ';');
    }
    return found;
}

struct str element_key_rest(struct str key, int part)
{
    for (int i = 0; i < part && key.p; i++) str_split(&key, ';');
    return key;
}

static bool has_word(struct str words, struct str word)
{
    while (words.p)
        if (str_eq(str_split(&words, ','), word)) return true;
    return false;
}

bool element_has_words(struct str words, struct str wanted)
{
    while (wanted.p) {
        struct str word = str_split(&wanted, ',');
        if (word.n && !has_word(words, word)) return false;
    }
    return true;
}

/* -- values -- */

struct str element_joined(struct arena *arena, struct str value, const char *with)
{
    if (!value.n || !memchr(value.p, PART_SEPARATOR, value.n)) return value;
    struct buf out AUTO_BUF = BUF_INIT;
    struct str rest = value;
    while (rest.p) {
        struct str part = str_split(&rest, PART_SEPARATOR);
        if (part.n && out.len) buf_adds(&out, with);
        buf_addstr(&out, part);
    }
    return arena_str(arena, buf_str(&out));
}

static const struct property *property_of(const struct record *r, const struct element *e)
{
    return &r->card->props[e->prop];
}

bool element_is_reference(const struct record *r, const struct element *e)
{
    const struct property *p = property_of(r, e);
    const struct param *value = property_param(p, "VALUE");
    if (value && value->n_values && str_eq_nocase(value->values[0], STR("uri"))) return true;
    struct str raw = str_trim(p->value);
    return str_starts_nocase(raw, STR("urn:")) || str_find(raw, STR("://")) != (size_t)-1 ||
           str_starts_nocase(raw, STR("mailto:")) || str_starts_nocase(raw, STR("tel:"));
}

bool element_photo(const struct record *r, const struct element *e, struct buf *out)
{
    struct buf bytes AUTO_BUF = BUF_INIT;
    if (!str_starts(e->value_text, STR("b:"))) return false;
    struct str value = str_trim(property_of(r, e)->value);
    size_t comma = str_starts_nocase(value, STR("data:")) ? str_find(value, STR(",")) : (size_t)-1;
    if (comma != (size_t)-1) value = (struct str){value.p + comma + 1, value.n - comma - 1};
    if (!base64_decode(value, &bytes)) return false;
    base64_encode(buf_str(&bytes), out);
    return true;
}

static bool is_preferred(const struct record *r, const struct element *e)
{
    const struct property *p = property_of(r, e);
    const struct param *pref = property_param(p, "PREF");
    return property_has_type(p, "PREF") || (pref && pref->n_values && str_eq(pref->values[0], STR("1")));
}

static int by_place(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->preferred != y->preferred) return x->preferred ? -1 : 1;
    if (x->e->prop != y->e->prop) return x->e->prop < y->e->prop ? -1 : 1;
    return (x->e->item > y->e->item) - (x->e->item < y->e->item);
}

const struct placed *elements_placed(struct arena *arena, const struct record *r, size_t *n)
{
    const struct element *elements = record_elements(r, n);
    struct placed *list = arena_alloc(arena, (*n + 1) * sizeof *list);
    for (size_t i = 0; i < *n; i++) list[i] = (struct placed){&elements[i], is_preferred(r, &elements[i])};
    qsort(list, *n, sizeof *list, by_place);
    return list;
}

/* -- JSON -- */

struct str json_member(const json_t *object, const char *member)
{
    const json_t *text = json_object_get(object, member);
    size_t n = json_string_length(text);
    return n ? (struct str){json_string_value(text), n} : STR_NONE;
}

void json_set_member(json_t *object, const char *member, struct str text)
{
    if (text.n) json_object_set_new(object, member, json_stringn(text.p, text.n));
}

/* -- cards -- */

void card_line(struct arena *arena, struct buf *out, struct str line)
{
    char *clean = arena_strdup(arena, line);
    for (size_t i = 0; i < line.n; i++)
        if ((unsigned char)clean[i] < ' ' && clean[i] != '\t') clean[i] = ' ';
    vcard_fold(out, (struct str){clean, line.n}, true);
}

void card_text(struct arena *arena, struct buf *out, const char *property, struct str value)
{
    struct buf line AUTO_BUF = BUF_INIT;
    if (!value.n) return;
    buf_addf(&line, "%s:", property);
    vcard_escape(&line, value, VCARD_30);
    card_line(arena, out, buf_str(&line));
}

void card_add_uri(struct buf *line, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\') buf_addc(line, '\\');
        buf_addc(line, s.p[i]);
    }
}

void card_add_word(struct buf *line, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = (char)(s.p[i] | 0x20);
        bool plain = (c >= 'a' && c <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-' || (s.p[i] & 0x80);
        buf_addc(line, plain ? s.p[i] : '-');
    }
}

void card_photo(struct arena *arena, struct buf *out, struct str bytes)
{
    struct buf line AUTO_BUF = BUF_INIT;
    if (!bytes.n) return;
    const char *type = str_starts(bytes, STR("\x89PNG")) ? "PNG" : str_starts(bytes, STR("GIF8")) ? "GIF" : "JPEG";
    buf_addf(&line, "PHOTO;ENCODING=b;TYPE=%s:", type);
    base64_encode(bytes, &line);
    card_line(arena, out, buf_str(&line));
}
