/* Cards new to a side (protocols: vcard 6-8): the very bytes wherever the receiver allows, else line by line. */
#include "mapping/record_impl.h"
#include "mapping/vcard_convert.h"
#include "mapping/vcard_lines.h"

static bool is_clean_text(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    for (size_t i = 0; i < s.n; i++) {
        if (p[i] == '\n' && (!i || p[i - 1] != '\r')) return false;
        if (p[i] == '\r' && (i + 1 == s.n || p[i + 1] != '\n')) return false;
        if ((p[i] < 0x20 && p[i] != '\t' && p[i] != '\r' && p[i] != '\n') || p[i] == 0x7f) return false;
    }
    return true;
}

static bool is_utf8(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    for (size_t i = 0; i < s.n;) {
        if (p[i] < 0x80) {
            i++;
            continue;
        }
        size_t more = p[i] >= 0xf0 && p[i] < 0xf5 ? 3 : p[i] >= 0xe0 ? 2 : p[i] >= 0xc2 ? 1 : 0;
        if (!more || p[i] >= 0xf5 || i + more >= s.n) return false;
        for (size_t k = 1; k <= more; k++)
            if ((p[i + k] & 0xc0) != 0x80) return false;
        i += more + 1;
    }
    return true;
}

static bool takes_version(const struct write_form *form, enum vcard_version v)
{
    if (!form->versions) return true;
    return (v == VCARD_30 && (form->versions & WRITE_V30)) || (v == VCARD_40 && (form->versions & WRITE_V40));
}

/* Servers refuse a card that has one of these twice (vcard 5 "Once-only properties"): the first is kept, of REV and PRODID the last. */
static const struct {
    struct str name;
    bool last;
} bookkeeping[] = {{{"VERSION", 7}, false}, {{"UID", 3}, false}, {{"REV", 3}, true}, {{"PRODID", 6}, true}};

static bool is_superfluous(const struct vcard *c, size_t i)
{
    for (size_t b = 0; b < sizeof bookkeeping / sizeof *bookkeeping; b++) {
        if (!str_eq(c->props[i].name, bookkeeping[b].name)) continue;
        size_t from = bookkeeping[b].last ? i + 1 : 0, to = bookkeeping[b].last ? c->n_props : i;
        for (size_t k = from; k < to; k++)
            if (str_eq(c->props[k].name, bookkeeping[b].name)) return true;
    }
    return false;
}

static bool is_fit(const struct record *r, const struct write_form *form)
{
    const struct vcard *c = r->card;
    if (!takes_version(form, c->version)) return false;
    if (!form->strict) return true;
    if (c->flags & (VCARD_CUT | VCARD_CONVERTED | VCARD_NO_VERSION)) return false;
    if (vcard_find(c, "UID") == SIZE_MAX || vcard_find(c, "FN") == SIZE_MAX) return false;
    if (c->version != VCARD_40 && vcard_find(c, "N") == SIZE_MAX) return false;
    for (size_t i = 0; i < c->n_props; i++)
        if ((c->props[i].flags & (PROPERTY_FOREIGN | PROPERTY_REPAIRED | PROPERTY_GUESSED)) || is_superfluous(c, i)) return false;
    return is_clean_text(r->bytes) && is_utf8(r->bytes);
}

static enum vcard_version version_for(const struct record *r, const struct write_form *form)
{
    if (takes_version(form, r->card->version)) return r->card->version;
    return form->versions & WRITE_V30 ? VCARD_30 : VCARD_40;
}

static bool is_version_line(const struct property *p)
{
    return str_eq(p->name, STR("VERSION"));
}

/* What strict servers ask for and the card lacks. */
static void add_missing(const struct record *r, const struct write_form *wanted, const struct line_form *form, struct buf *out)
{
    if (!wanted->strict) return;
    if (vcard_find(r->card, "UID") == SIZE_MAX && wanted->uid.n) vcard_add_line(STR("UID"), wanted->uid, form, out);
    if (vcard_find(r->card, "FN") == SIZE_MAX) vcard_add_text_line("FN", record_title(r), form, out);
    if (vcard_find(r->card, "N") == SIZE_MAX && form->version != VCARD_40) vcard_add_line(STR("N"), STR(";;;;"), form, out);
}

static bool is_fit_line(const struct property *p, const struct write_form *form)
{
    if (is_version_line(p)) return false;
    return !form->strict || (!(p->flags & PROPERTY_FOREIGN) && is_utf8(p->raw));
}

static bool is_marker(struct str line)
{
    size_t colon = header_end(line);
    return (colon == 5 && str_starts_nocase(line, STR("BEGIN"))) || (colon == 3 && str_starts_nocase(line, STR("END")));
}

static bool holds_marker(struct str text)
{
    for (size_t i = 0, start = 0; i <= text.n; i++) {
        if (i < text.n && text.p[i] != '\n' && text.p[i] != '\r') continue;
        if (is_marker((struct str){text.p + start, i - start})) return true;
        start = i + 1;
    }
    return false;
}

/* A property without control characters. "BEGIN:V^ZCARD" was one like any other until that: it is left out. */
static void add_clean(const struct property *p, struct str text, struct buf *out)
{
    size_t start = out->len;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char ch = (unsigned char)text.p[i];
        if ((ch >= 0x20 && ch != 0x7f) || ch == '\t' || ch == '\r' || ch == '\n') buf_addc(out, text.p[i]);
    }
    bool nests = str_eq(p->name, STR("AGENT")); /* a whole card */
    if (!nests && holds_marker((struct str){out->data + start, out->len - start})) buf_truncate(out, start);
}

/* Line by line, each as it is where it can stay. */
static void rewrite(const struct record *r, const struct write_form *wanted, const struct line_form *form, struct buf *out)
{
    const struct vcard *c = r->card;
    struct buf text AUTO_BUF = BUF_INIT;
    vcard_add_line(STR("BEGIN"), STR("VCARD"), form, out);
    vcard_add_line(STR("VERSION"), form->version == VCARD_40 ? STR("4.0") : form->version == VCARD_30 ? STR("3.0") : STR("2.1"), form, out);
    bool open_end = false;
    for (size_t i = 0; i < c->n_props; i++) {
        struct property p = c->props[i];
        if (open_end && (p.flags & PROPERTY_FOREIGN)) continue;
        if (vcard_is_bare(&p)) p.flags |= PROPERTY_REPAIRED;
        open_end = vcard_takes_bare_line(&p);
        if (!is_fit_line(&p, wanted) && !is_version_line(&p) && !(p.flags & PROPERTY_FOREIGN)) p.flags |= PROPERTY_GUESSED; /* not as raw bytes */
        if (is_version_line(&p) || (wanted->strict && ((p.flags & PROPERTY_FOREIGN) || is_superfluous(c, i)))) continue;
        buf_reset(&text);
        vcard_add_property(r->arena, c, &p, p.group, form, &text);
        add_clean(&p, buf_str(&text), out);
    }
    add_missing(r, wanted, form, out);
    vcard_add_line(STR("END"), STR("VCARD"), form, out);
}

enum fault_code record_write_new(const struct record *r, const struct write_form *form, struct buf *out, struct fault *f)
{
    (void)f;
    if (is_fit(r, form)) {
        buf_addstr(out, r->bytes);
        return FAULT_NONE;
    }
    rewrite(r, form, &(struct line_form){version_for(r, form), form->strict || r->card->crlf}, out);
    return FAULT_NONE;
}
