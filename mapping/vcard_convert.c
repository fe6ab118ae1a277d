#include "mapping/vcard_convert.h"
#include "mapping/record_impl.h"
#include "mapping/vcard_values.h"

#include <stdio.h>

/* Properties that 3.0 knows under an X- name, and 4.0 under its own. */
static const struct {
    struct str three, four;
} renamed[] = {
    {{"X-ANNIVERSARY", 13}, {"ANNIVERSARY", 11}},
    {{"X-ADDRESSBOOKSERVER-KIND", 24}, {"KIND", 4}},
    {{"X-ADDRESSBOOKSERVER-MEMBER", 26}, {"MEMBER", 6}},
    {{"X-GENDER", 8}, {"GENDER", 6}},
};

static const struct {
    struct str type, media;
} pictures[] = {
    {{"JPEG", 4}, {"image/jpeg", 10}}, {{"PNG", 3}, {"image/png", 9}},   {{"GIF", 3}, {"image/gif", 9}},
    {{"JPG", 3}, {"image/jpeg", 10}},  {{"WEBP", 4}, {"image/webp", 10}}, {{"BMP", 3}, {"image/bmp", 9}},
};

bool vcard_keeps_raw(const struct vcard *from, const struct property *p, enum vcard_version to)
{
    if (from->version != to || (p->flags & (PROPERTY_GUESSED | PROPERTY_REPAIRED))) return false;
    return !property_param(p, "CHARSET");
}

/* -- lines -- */

static void add_end(const struct line_form *form, struct buf *out)
{
    buf_adds(out, form->crlf ? "\r\n" : "\n");
}

/* Quoted-printable can carry line ends; written plainly, what follows one would be a property of its own. */
static void add_one_line(struct str s, const char *line_end, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n') continue;
        if (s.p[i] == '\n' || s.p[i] == '\r') buf_adds(out, line_end);
        else if (s.p[i])
            buf_addc(out, s.p[i]);
    }
}

void vcard_add_line(struct str header, struct str value, const struct line_form *form, struct buf *out)
{
    struct buf line AUTO_BUF = BUF_INIT;
    add_one_line(header, " ", &line);
    buf_addc(&line, ':');
    add_one_line(value, "\\n", &line);
    /* A fold of 2.1 keeps its white space, so that only base64 can be folded anywhere (vcard 2). */
    bool foldable = form->version != VCARD_21 || str_find(header, STR(";ENCODING=BASE64")) != (size_t)-1;
    if (foldable) vcard_fold(out, buf_str(&line), form->crlf);
    else
        buf_addstr(out, buf_str(&line));
    if (!out->len || out->data[out->len - 1] != '\n') add_end(form, out);
}

/* Raw lines keep their folds; their ends become those of the card. */
static void add_raw(struct str raw, const struct line_form *form, struct buf *out)
{
    while (raw.n) {
        size_t n = 0;
        while (n < raw.n && raw.p[n] != '\n' && raw.p[n] != '\r') n++;
        buf_add(out, raw.p, n);
        add_end(form, out);
        if (n < raw.n && raw.p[n] == '\r' && n + 1 < raw.n && raw.p[n + 1] == '\n') n++;
        if (n < raw.n) n++;
        raw = (struct str){raw.p + n, raw.n - n};
    }
}

/* The raw bytes from the name on; {NULL,0} where the group is not plainly in front of it (a fold, blanks). */
static struct str raw_without_group(const struct property *p)
{
    struct str raw = p->raw;
    while (raw.n && strchr(" \t\r\n", *raw.p) && *raw.p) raw = (struct str){raw.p + 1, raw.n - 1}; /* empty lines before it */
    if (p->flags & PROPERTY_FOREIGN) return raw;
    size_t prefix = p->group.p ? p->group.n + 1 : 0;
    bool plain = str_starts(raw, p->group) && (!prefix || (raw.n > prefix && raw.p[prefix - 1] == '.'));
    if (plain) raw = (struct str){raw.p + prefix, raw.n - prefix};
    return plain && str_starts_nocase(raw, p->name) ? raw : STR_NONE;
}

static void add_raw_in_group(struct str raw, struct str group, const struct line_form *form, struct buf *out)
{
    if (group.p) buf_addf(out, "%.*s.", STR_ARG(group));
    add_raw(raw, form, out);
}

/* -- values -- */

static struct str name_in(struct str name, enum vcard_version to)
{
    for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++) {
        if (to == VCARD_40 && str_eq(name, renamed[i].three)) return renamed[i].four;
        if (to != VCARD_40 && str_eq(name, renamed[i].four)) return renamed[i].three;
    }
    return name;
}

static bool is_data_uri(const struct property *p)
{
    return str_starts_nocase(str_trim(p->value), STR("data:"));
}

/* What is no base64 is no picture: it is carried like a property nobody knows. */
static enum shape shape_of(const struct property *p)
{
    enum shape shape = (enum shape)property_row(p->name)->shape;
    if (shape != SHAPE_BINARY || !(p->base64 || is_data_uri(p))) return shape;
    struct buf bytes AUTO_BUF = BUF_INIT;
    struct str value = str_trim(p->value);
    if (is_data_uri(p)) str_split(&value, ',');
    return base64_decode(value, &bytes) ? shape : SHAPE_RAW;
}

static bool is_image(const struct property *p)
{
    return str_eq(p->name, STR("PHOTO")) || str_eq(p->name, STR("LOGO"));
}

static bool is_media_type(struct str type)
{
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++)
        if (str_eq_nocase(type, pictures[i].type)) return true;
    return false;
}

static struct str media_of(const struct property *p)
{
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++)
        for (size_t k = 0; k < p->n_params; k++)
            for (size_t v = 0; str_eq(p->params[k].name, STR("TYPE")) && v < p->params[k].n_values; v++)
                if (str_eq_nocase(p->params[k].values[v], pictures[i].type)) return pictures[i].media;
    return is_image(p) ? STR("image/jpeg") : STR("application/octet-stream");
}

static struct str type_of_uri(struct str uri)
{
    struct str head = str_split(&uri, ',');
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++)
        if (str_find(head, pictures[i].media) != (size_t)-1) return pictures[i].type;
    return STR_NONE;
}

static void add_without_space(struct str s, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++)
        if (!strchr(" \t\r\n", s.p[i]) || !s.p[i]) buf_addc(out, s.p[i]);
}

static void add_binary(const struct property *p, enum vcard_version to, struct buf *out)
{
    struct str value = str_trim(p->value);
    if (p->base64 && to == VCARD_40) {
        buf_adds(out, "data:");
        buf_addstr(out, media_of(p));
        buf_adds(out, ";base64,");
        add_without_space(value, out);
    } else if (is_data_uri(p) && to != VCARD_40) {
        str_split(&value, ',');
        add_without_space(value, out);
    } else if (p->base64)
        add_without_space(value, out);
    else
        buf_addstr(out, value);
}

/* "1985-4-12" with "-" for what is not there, as date_normal writes it. */
static bool add_date(const struct property *p, enum vcard_version to, struct buf *out)
{
    struct buf normal AUTO_BUF = BUF_INIT;
    int year = 0, month, day;
    if (!date_normal(p->value, &normal)) return false;
    const struct param *omit = property_param(p, "X-APPLE-OMIT-YEAR");
    if (sscanf(buf_cstr(&normal), "--%d-%d", &month, &day) == 2) year = 0;
    else if (sscanf(buf_cstr(&normal), "%d-%d-%d", &year, &month, &day) != 3)
        return false;
    if (omit || year == 1604) year = 0;
    if (to == VCARD_40) year ? buf_addf(out, "%04d%02d%02d", year, month, day) : buf_addf(out, "--%02d%02d", month, day);
    else
        buf_addf(out, "%04d-%02d-%02d", year ? year : 1604, month, day);
    return true;
}

/* One text, without separators of a list. The escapes stay as they are wherever they mean the same there: "\:" is one in 3.0 only,
 * and in quoted-printable "\n" is none. */
void vcard_add_text(struct arena *arena, const struct vcard *from, const struct property *p, struct str text, enum vcard_version to,
                    struct buf *out)
{
    if (p->qp && from->version == VCARD_21) vcard_escape(out, vcard_normal_text(arena, from, p, text), to);
    else if (from->version == to)
        buf_addstr(out, text);
    else
        vcard_escape(out, vcard_unescape(arena, text, from->version), to);
}

static void add_items(struct arena *arena, const struct vcard *from, const struct property *p, struct str value, enum vcard_version to,
                      struct buf *out)
{
    const struct str *items;
    size_t n = vcard_split(arena, value, ',', &items);
    for (size_t i = 0; i < n; i++) {
        if (i) buf_addc(out, ',');
        vcard_add_text(arena, from, p, items[i], to, out);
    }
}

void vcard_add_part(struct arena *arena, const struct vcard *from, const struct property *p, struct str part, enum vcard_version to,
                    struct buf *out)
{
    add_items(arena, from, p, part, to, out);
}

/* Parts, each with a list of items: N and ADR. A comma in ORG is a comma of the text (vcard 4). */
static void add_parts(struct arena *arena, const struct vcard *from, const struct property *p, enum vcard_version to, struct buf *out)
{
    const struct str *parts;
    size_t n = vcard_split(arena, p->value, ';', &parts);
    bool lists = !str_eq(p->name, STR("ORG"));
    for (size_t i = 0; i < n; i++) {
        if (i) buf_addc(out, ';');
        if (lists) add_items(arena, from, p, parts[i], to, out);
        else
            vcard_add_text(arena, from, p, parts[i], to, out);
    }
}

/* "48.1;11.5" became a URI in 4.0. */
static void add_position(const struct property *p, enum vcard_version to, struct buf *out)
{
    struct str value = str_trim(p->value);
    bool uri = str_starts_nocase(value, STR("geo:"));
    size_t sep = str_find(value, uri ? STR(",") : STR(";"));
    if (uri == (to == VCARD_40) || sep == (size_t)-1) {
        buf_addstr(out, value);
        return;
    }
    size_t from = uri ? 4 : 0;
    buf_addf(out, "%s%.*s%c%.*s", uri ? "" : "geo:", (int)(sep - from), value.p + from, uri ? ';' : ',', (int)(value.n - sep - 1),
             value.p + sep + 1);
}

static bool add_gender(const struct property *p, enum vcard_version to, struct buf *out)
{
    bool male = str_eq_nocase(str_trim(p->value), STR("male")), female = str_eq_nocase(str_trim(p->value), STR("female"));
    if (to != VCARD_40 || (!male && !female)) return false;
    buf_addc(out, male ? 'M' : 'F');
    return true;
}

/* A card inside a card (2.1) is escaped text in 3.0 (RFC 2426 3.5.4). */
static bool add_agent(const struct property *p, enum vcard_version to, struct buf *out)
{
    const char *colon = p->raw.n ? memchr(p->raw.p, ':', p->raw.n) : NULL;
    if (!str_eq(p->name, STR("AGENT")) || str_trim(p->value).n || !colon) return false;
    vcard_escape(out, str_trim((struct str){colon + 1, (size_t)(p->raw.p + p->raw.n - colon - 1)}), to);
    return true;
}

void vcard_add_value(struct arena *arena, const struct vcard *from, const struct property *p, enum vcard_version to, struct buf *out)
{
    if (from->version == VCARD_21 && add_agent(p, to, out)) return;
    switch (shape_of(p)) {
    case SHAPE_BINARY: add_binary(p, to, out); return;
    case SHAPE_DATE:
        if (from->version == to || !add_date(p, to, out)) buf_addstr(out, p->value);
        return;
    case SHAPE_GEO: add_position(p, to, out); return;
    case SHAPE_NAME:
    case SHAPE_PARTS:
        if (property_row(p->name)->field != FIELD_GENDER || !add_gender(p, to, out)) add_parts(arena, from, p, to, out);
        return;
    case SHAPE_TEXT:
    case SHAPE_NOTE: vcard_add_text(arena, from, p, p->value, to, out); return;
    case SHAPE_LIST: add_items(arena, from, p, p->value, to, out); return;
    default: buf_addstr(out, p->value); return;
    }
}

/* -- headers -- */

static bool is_plain_param(const struct param *q)
{
    static const char *const handled[] = {"TYPE", "PREF", "ENCODING", "CHARSET", "VALUE", "X-APPLE-OMIT-YEAR", "MEDIATYPE"};
    for (size_t i = 0; i < sizeof handled / sizeof *handled; i++)
        if (str_eq(q->name, str_of(handled[i]))) return false;
    return true;
}

static void add_types(const struct property *p, enum vcard_version to, bool picture, struct buf *out)
{
    bool preferred = false;
    for (size_t k = 0; k < p->n_params; k++) {
        const struct param *q = &p->params[k];
        preferred |= str_eq(q->name, STR("PREF"));
        if (!str_eq(q->name, STR("TYPE"))) continue;
        for (size_t v = 0; v < q->n_values; v++) {
            if (str_eq_nocase(q->values[v], STR("PREF"))) preferred = true;
            else if (!(picture && is_media_type(q->values[v])) && q->values[v].n)
                buf_addf(out, ";TYPE=%.*s", STR_ARG(q->values[v]));
        }
    }
    if (preferred) buf_adds(out, to == VCARD_40 ? ";PREF=1" : ";TYPE=PREF");
}

static void add_encoding(const struct property *p, enum vcard_version to, struct buf *out)
{
    bool inline_data = p->base64 || is_data_uri(p);
    const struct param *value = property_param(p, "VALUE");
    struct str type = type_of_uri(is_data_uri(p) ? p->value : media_of(p));
    if (inline_data && to != VCARD_40) {
        buf_addf(out, ";ENCODING=%s", to == VCARD_30 ? "b" : "BASE64");
        if (type.n || is_image(p)) buf_addf(out, ";TYPE=%.*s", STR_ARG(type.n ? type : STR("JPEG")));
    } else if (!inline_data && value)
        buf_addf(out, ";%.*s", STR_ARG(value->raw));
    else if (!inline_data && to == VCARD_30 && uri_scheme(str_trim(p->value)))
        buf_adds(out, ";VALUE=uri");
}

static void add_other_params(const struct property *p, struct buf *out)
{
    for (size_t k = 0; k < p->n_params; k++)
        if (is_plain_param(&p->params[k])) buf_addf(out, ";%.*s", STR_ARG(p->params[k].raw));
}

static void add_header(const struct property *p, struct str group, enum vcard_version to, struct buf *out)
{
    enum shape shape = shape_of(p);
    struct buf date AUTO_BUF = BUF_INIT;
    if (group.p) buf_addf(out, "%.*s.", STR_ARG(group));
    buf_addstr(out, name_in(p->name, to));
    add_types(p, to, shape == SHAPE_BINARY && (p->base64 || is_data_uri(p)), out);
    if (shape == SHAPE_BINARY) add_encoding(p, to, out);
    else if (p->base64) /* an unknown property: no other way to carry bytes is defined */
        buf_addf(out, ";ENCODING=%s", to == VCARD_21 ? "BASE64" : "b");
    else if (shape == SHAPE_DATE) {
        bool converted = add_date(p, to, &date);
        if (converted && to != VCARD_40 && str_starts(buf_str(&date), STR("1604"))) buf_adds(out, ";X-APPLE-OMIT-YEAR=1604");
        if (!converted && to == VCARD_40) buf_adds(out, ";VALUE=text");
    } else if (property_param(p, "VALUE"))
        buf_addf(out, ";%.*s", STR_ARG(property_param(p, "VALUE")->raw));
    add_other_params(p, out);
}

void vcard_add_property(struct arena *arena, const struct vcard *from, const struct property *p, struct str group,
                        const struct line_form *form, struct buf *out)
{
    struct str raw = (p->flags & PROPERTY_FOREIGN) || vcard_keeps_raw(from, p, form->version) ? raw_without_group(p) : STR_NONE;
    if (raw.p) {
        add_raw_in_group(raw, group, form, out);
        if (form->version == VCARD_21 && p->base64) add_end(form, out); /* 2.1: an empty line ends it */
        return;
    }
    struct buf header AUTO_BUF = BUF_INIT;
    struct buf value AUTO_BUF = BUF_INIT;
    add_header(p, group, form->version, &header);
    vcard_add_value(arena, from, p, form->version, &value);
    vcard_add_line(buf_str(&header), buf_str(&value), form, out);
}

void vcard_add_text_line(const char *header, struct str text, const struct line_form *form, struct buf *out)
{
    struct buf value AUTO_BUF = BUF_INIT;
    vcard_escape(&value, text, form->version);
    vcard_add_line(str_of(header), buf_str(&value), form, out);
}

bool vcard_takes_bare_line(const struct property *p)
{
    return p->base64 || property_row(p->name)->shape == SHAPE_BINARY || str_starts(p->name, STR("NOTE")) || str_starts(p->name, STR("LABEL")) || str_starts(p->name, STR("ADR"));
}

bool vcard_is_bare(const struct property *p)
{
    struct str raw = str_trim(p->raw);
    for (size_t i = 0; i < raw.n && raw.p[i] != '\n' && raw.p[i] != '\r'; i++)
        if (raw.p[i] == ':' || raw.p[i] == ';') return false;
    return true;
}

size_t vcard_find(const struct vcard *c, const char *name)
{
    for (size_t i = 0; i < c->n_props; i++)
        if (str_eq(c->props[i].name, str_of(name))) return i;
    return SIZE_MAX;
}
