#include "mapping/vcard.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "mapping/text.h"
#include "mapping/vcard_property.h"

#include <stdlib.h>

/* UTF-16 by its mark, or by a NUL in every second byte of the start (vcard 2). */
static const char *wide_charset(struct str s)
{
    if (s.n < 4) return NULL;
    if ((unsigned char)s.p[0] == 0xff && (unsigned char)s.p[1] == 0xfe) return "UTF-16LE";
    if ((unsigned char)s.p[0] == 0xfe && (unsigned char)s.p[1] == 0xff) return "UTF-16BE";
    if (!s.p[1] && !s.p[3] && s.p[0]) return "UTF-16LE";
    if (!s.p[0] && !s.p[2] && s.p[1]) return "UTF-16BE";
    return NULL;
}

static enum fault_code to_text(struct arena *arena, struct vcard *c, struct str *text, struct fault *why)
{
    const char *wide = wide_charset(*text);
    if (wide) {
        if (!text_from_charset(arena, *text, wide, text))
            return fault_set(why, FAULT_UNREADABLE, NULL, _("the card is neither UTF-8 nor valid UTF-16"));
        c->flags |= VCARD_CONVERTED;
        c->bytes = *text;
    }
    if (text->n && memchr(text->p, '\0', text->n))
        return fault_set(why, FAULT_UNREADABLE, NULL, _("the card holds NUL bytes"));
    return FAULT_NONE;
}

static bool is_marker(struct str line, struct str word)
{
    size_t colon = header_end(line);
    return colon == word.n && str_starts_nocase(line, word);
}

static bool is_vcard_marker(struct str line, struct str word)
{
    return is_marker(line, word) && str_eq_nocase(str_trim((struct str){line.p + word.n + 1, line.n - word.n - 1}), STR("VCARD"));
}

/* 2.1 folds at white space and keeps it, so the version must be known before lines are joined. A look at the text decides;
 * "VERSION" itself is never folded by anybody who writes 2.1. */
static unsigned version_label(struct str text)
{
    for (size_t from = 0;;) {
        struct str rest = {text.p + from, text.n - from};
        const char *at = rest.n ? memchr(rest.p, ':', rest.n) : NULL;
        if (!at) return 0;
        size_t colon = (size_t)(at - text.p);
        from = colon + 1;
        if (colon < 7 || !str_eq_nocase((struct str){text.p + colon - 7, 7}, STR("VERSION"))) continue;
        if (colon > 7 && text.p[colon - 8] != '\n' && text.p[colon - 8] != '\r') continue;
        struct str value = {text.p + from, text.n - from};
        while (value.n && *value.p == ' ') value.p++, value.n--;
        return str_starts(value, STR("2.1")) ? 21 : str_starts(value, STR("3.0")) ? 30 : str_starts(value, STR("4.0")) ? 40 : 0;
    }
}

/* No usable label: bare parameters or quoted-printable mean 2.1, else 3.0. */
static enum vcard_version version_guess(const struct vcard *c)
{
    for (size_t i = 0; i < c->n_props; i++) {
        if (c->props[i].qp) return VCARD_21;
        for (size_t k = 0; k < c->props[i].n_params; k++)
            if (!memchr(c->props[i].params[k].raw.p, '=', c->props[i].params[k].raw.n)) return VCARD_21;
    }
    return VCARD_30;
}

struct builder {
    struct vcard *card;
    struct property *props; /* grows; moved to the arena at the end */
    size_t cap;
    unsigned depth;         /* of a nested card in AGENT */
};

static enum fault_code add_property(struct arena *arena, struct builder *b, const struct logical *line, struct fault *why)
{
    struct vcard *c = b->card;
    if (c->n_props == VCARD_MAX_PROPERTIES)
        return fault_set(why, FAULT_UNREADABLE, NULL, _("line %u: more than %d properties"), line->line, VCARD_MAX_PROPERTIES);
    if (c->n_props == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 32;
        b->props = mem_realloc(b->props, b->cap * sizeof *b->props);
    }
    enum fault_code code = property_parse(arena, line, &b->props[c->n_props], why);
    if (!code) c->n_props++;
    return code;
}

/* A nested card (2.1 AGENT) belongs to the property before it, as raw text. */
static void extend_last(struct builder *b, const struct logical *line)
{
    if (!b->card->n_props) return;
    struct property *last = &b->props[b->card->n_props - 1];
    last->raw.n = (size_t)(line->raw.p + line->raw.n - last->raw.p);
}

static enum fault_code take_line(struct arena *arena, struct builder *b, const struct logical *line, bool *ended, struct fault *why)
{
    struct vcard *c = b->card;
    bool begins = is_vcard_marker(line->text, STR("BEGIN"));
    bool ends = is_vcard_marker(line->text, STR("END"));
    if (b->depth || begins) {
        bool in_agent = b->depth || (c->n_props && str_eq(b->props[c->n_props - 1].name, STR("AGENT")));
        if (!in_agent)
            return fault_set(why, FAULT_UNREADABLE, NULL, _("line %u: a second card begins before the first one ended"), line->line);
        if (begins && ++b->depth > 1)
            return fault_set(why, FAULT_UNREADABLE, NULL, _("line %u: cards nested too deep"), line->line);
        extend_last(b, line);
        if (ends) b->depth--;
        return FAULT_NONE;
    }
    if (!ends) return add_property(arena, b, line, why);
    c->end_raw = line->raw;
    *ended = true;
    return FAULT_NONE;
}

static enum fault_code read_begin(struct arena *arena, struct lines *l, struct vcard *c, struct fault *why)
{
    struct logical line;
    bool too_long = false;
    if (!logical_next(arena, l, &line, &too_long)) return fault_set(why, FAULT_UNREADABLE, NULL, _("the card is empty"));
    if (!is_vcard_marker(line.text, STR("BEGIN")))
        return fault_set(why, FAULT_UNREADABLE, NULL, _("line %u: not a vCard: it does not begin with BEGIN:VCARD"), line.line);
    c->begin_raw = (struct str){c->bytes.p, (size_t)(line.raw.p + line.raw.n - c->bytes.p)};
    return FAULT_NONE;
}

/* After END only white space may follow: CardDAV allows one card in a resource. It is kept with END for writing back. */
static enum fault_code read_rest(struct arena *arena, struct lines *l, struct vcard *c, struct fault *why)
{
    struct logical line;
    bool too_long = false;
    if (logical_next(arena, l, &line, &too_long))
        return fault_set(why, FAULT_UNREADABLE, NULL, _("line %u: something follows after END:VCARD"), line.line);
    c->end_raw.n = (size_t)(c->bytes.p + c->bytes.n - c->end_raw.p);
    return FAULT_NONE;
}

static enum fault_code read_body(struct arena *arena, struct lines *l, struct builder *b, struct fault *why)
{
    struct logical line;
    bool too_long = false, ended = false;
    size_t done = l->at;
    for (; !ended && logical_next(arena, l, &line, &too_long); done = l->at) {
        if (too_long) return fault_set(why, FAULT_UNREADABLE, NULL, _("line %u: longer than %d bytes"), line.line, VCARD_MAX_LINE_BYTES);
        enum fault_code code = take_line(arena, b, &line, &ended, why);
        if (code) return code;
    }
    if (ended) return read_rest(arena, l, b->card, why);
    b->card->flags |= VCARD_CUT;
    b->card->end_raw = (struct str){l->bytes.p + done, l->bytes.n - done};
    return FAULT_NONE;
}

static void close_props(struct arena *arena, struct builder *b)
{
    struct vcard *c = b->card;
    c->props = arena_alloc(arena, (c->n_props + 1) * sizeof *c->props);
    if (c->n_props) memcpy(c->props, b->props, c->n_props * sizeof *c->props);
    free(b->props);
}

enum fault_code vcard_parse(struct arena *arena, struct str bytes, struct vcard **out, struct fault *why)
{
    if (bytes.n > VCARD_MAX_BYTES)
        return fault_set(why, FAULT_UNREADABLE, NULL, _("larger than %d bytes"), VCARD_MAX_BYTES);
    struct vcard *c = arena_zalloc(arena, sizeof *c);
    c->bytes = bytes;
    struct str text = bytes;
    enum fault_code code = to_text(arena, c, &text, why);
    if (code) return code;
    if (str_starts(text, STR("\xef\xbb\xbf"))) text.p += 3, text.n -= 3;
    unsigned label = version_label(text);
    struct lines lines = {.bytes = text, .keep_space = label == VCARD_21};
    struct builder b = {.card = c};
    code = read_begin(arena, &lines, c, why);
    if (!code) code = read_body(arena, &lines, &b, why);
    close_props(arena, &b);
    if (code) return code;
    c->crlf = lines.crlf >= lines.lf;
    if (!label) c->flags |= VCARD_NO_VERSION;
    c->version = label ? (enum vcard_version)label : version_guess(c);
    *out = c;
    return FAULT_NONE;
}

void vcard_write_raw(const struct vcard *c, struct buf *out)
{
    buf_addstr(out, c->begin_raw);
    for (size_t i = 0; i < c->n_props; i++) buf_addstr(out, c->props[i].raw);
    buf_addstr(out, c->end_raw);
}
