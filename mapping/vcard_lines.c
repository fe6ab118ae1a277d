#include "mapping/vcard_lines.h"

#include <strings.h>

struct physical {
    struct str text, raw;
};

/* One physical line. Ends seen in the field: CRLF, LF, CR, CR CR LF, mixed within one file. */
static bool physical_next(struct lines *l, struct physical *out)
{
    if (l->at >= l->bytes.n) return false;
    const char *start = l->bytes.p + l->at, *stop = l->bytes.p + l->bytes.n;
    if (l->lf_at < l->at || (l->lf_at < l->bytes.n && l->bytes.p[l->lf_at] != '\n')) {
        const char *lf = memchr(start, '\n', (size_t)(stop - start));
        l->lf_at = lf ? (size_t)(lf - l->bytes.p) : l->bytes.n;
    }
    const char *end = l->lf_at < l->bytes.n ? l->bytes.p + l->lf_at : NULL;
    const char *cr = memchr(start, '\r', (size_t)((end ? end : stop) - start));
    const char *next;
    if (!cr) {
        next = end ? end + 1 : stop;
        end = end ? end : stop;
    } else {
        next = cr;
        while (next < stop && *next == '\r') next++;
        next = next < stop && *next == '\n' ? next + 1 : cr + 1;
        end = cr;
    }
    *out = (struct physical){{start, (size_t)(end - start)}, {start, (size_t)(next - start)}};
    return true;
}

static void consume(struct lines *l, const struct physical *p)
{
    l->at += p->raw.n;
    l->number++;
    size_t end_bytes = p->raw.n - p->text.n;
    if (end_bytes >= 2) l->crlf++;
    else if (end_bytes == 1) l->lf++;
}

static bool is_blank(struct str s)
{
    return str_trim(s).n == 0;
}

size_t header_end(struct str line)
{
    bool quoted = false;
    size_t first = (size_t)-1;
    for (size_t i = 0; i < line.n; i++) {
        if (line.p[i] == '"') quoted = !quoted;
        if (line.p[i] != ':') continue;
        if (!quoted) return i;
        if (first == (size_t)-1) first = i;
    }
    return first;
}

/* The parameters of a line: from the first ';' to the colon; empty where there are none, as in most lines. */
static struct str parameters(struct str line)
{
    size_t colon = header_end(line);
    const char *from = colon == (size_t)-1 ? NULL : memchr(line.p, ';', colon);
    return from ? (struct str){from, (size_t)(line.p + colon - from)} : (struct str){line.p, 0};
}

static bool has_word(struct str header, struct str word)
{
    for (size_t i = 0; i + word.n <= header.n; i++)
        if ((header.p[i] | 32) == (word.p[0] | 32) && strncasecmp(header.p + i, word.p, word.n) == 0) return true;
    return false;
}

/* "NAME:" or "NAME;": ends a base64 value that no empty line closes, for base64 has neither sign. */
static bool looks_like_property(struct str line)
{
    for (size_t i = 0; i < line.n; i++) {
        if (line.p[i] == ':' || line.p[i] == ';') return i > 0;
        if (line.p[i] == ' ' || line.p[i] == '\t') return false;
    }
    return false;
}

struct joiner {
    struct arena *arena;
    struct buf text;
    struct str only; /* while nothing was joined: the slice itself */
};

static void join(struct joiner *j, struct str more)
{
    if (j->only.p) {
        buf_addstr(&j->text, j->only);
        j->only = STR_NONE;
    }
    buf_addstr(&j->text, more);
}

static struct str joined_text(const struct joiner *j)
{
    return j->only.p ? j->only : buf_str(&j->text);
}

static bool ends_with_soft_break(struct str s)
{
    return s.n && s.p[s.n - 1] == '=';
}

/* A quoted-printable soft break: drop the '=' and take the next line whole. A writer that also folded put one space in front;
 * that space is dropped when it would cut an escape in two ("=C3=" + " BC"). */
static void join_soft_break(struct joiner *j, struct str next)
{
    struct str so_far = joined_text(j);
    if (j->only.p)
        j->only.n--;
    else
        buf_truncate(&j->text, so_far.n - 1);
    if (next.n > 1 && next.p[0] == ' ' && next.p[1] == '=') next.p++, next.n--;
    join(j, next);
}

static struct str without_fold(const struct lines *l, struct str line)
{
    if (l->keep_space) return line;
    return (struct str){line.p + 1, line.n - 1};
}

enum continuation { CONTINUE_NO, CONTINUE_FOLD, CONTINUE_SOFT, CONTINUE_BASE64, CONTINUE_BARE };

/* Properties whose text old phones broke over lines without indenting them. */
static bool is_broken_text(struct str line)
{
    return str_starts_nocase(line, STR("NOTE")) || str_starts_nocase(line, STR("LABEL")) || str_starts_nocase(line, STR("ADR"));
}

static enum continuation continues(struct str first, struct str so_far, struct str next, bool qp, bool base64)
{
    bool indented = next.n && (next.p[0] == ' ' || next.p[0] == '\t');
    if (qp && ends_with_soft_break(so_far)) return CONTINUE_SOFT;
    if (indented) return CONTINUE_FOLD;
    if (base64 && next.n && !looks_like_property(next)) return CONTINUE_BASE64;
    /* A property whose header is folded before its colon (Apple's PHOTO) is none of the text before it. */
    if (!base64 && next.n && next.p[0] != '#' && is_broken_text(first) && !looks_like_property(next) && header_end(next) == (size_t)-1)
        return CONTINUE_BARE;
    return CONTINUE_NO;
}

static void add_continuation(struct joiner *j, const struct lines *l, enum continuation how, struct str next, bool base64)
{
    switch (how) {
    case CONTINUE_SOFT: join_soft_break(j, next); break;
    case CONTINUE_FOLD: join(j, base64 ? str_trim(next) : without_fold(l, next)); break;
    case CONTINUE_BASE64: join(j, str_trim(next)); break;
    case CONTINUE_BARE:
        join(j, STR("\\n"));
        join(j, next);
        break;
    case CONTINUE_NO: break;
    }
}

bool logical_next(struct arena *arena, struct lines *l, struct logical *out, bool *too_long)
{
    struct physical p;
    size_t skipped_from = l->at;
    do {
        if (!physical_next(l, &p)) return false;
        consume(l, &p);
    } while (is_blank(p.text));
    *out = (struct logical){.line = l->number};
    struct str with = parameters(p.text);
    bool qp = has_word(with, STR("QUOTED-PRINTABLE"));
    bool base64 = !qp && (has_word(with, STR("BASE64")) || has_word(with, STR("ENCODING=B")));
    struct joiner j = {arena, BUF_INIT, p.text};
    struct str first = p.text;
    while (physical_next(l, &p)) {
        enum continuation how = continues(first, joined_text(&j), p.text, qp, base64);
        if (how == CONTINUE_NO) break;
        consume(l, &p);
        add_continuation(&j, l, how, p.text, base64);
        if (how == CONTINUE_BARE) out->joined = true;
        if (joined_text(&j).n > VCARD_MAX_LINE_BYTES) *too_long = true;
        if (!qp) { /* a folded header may show its encoding only now */
            qp = j.text.len < 4096 && has_word(parameters(joined_text(&j)), STR("QUOTED-PRINTABLE"));
        }
    }
    out->text = j.only.p ? j.only : arena_str(arena, buf_str(&j.text));
    out->base64 = base64;
    out->raw = (struct str){l->bytes.p + skipped_from, l->at - skipped_from};
    if (out->text.n > VCARD_MAX_LINE_BYTES) *too_long = true;
    buf_free(&j.text);
    return true;
}
