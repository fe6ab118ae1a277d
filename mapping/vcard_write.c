/* Writing cards (protocols: vcard 6-8): new ones as they are wherever the receiver allows, edited ones line by line. What no edit
 * concerns is copied byte for byte. */
#include "mapping/record_impl.h"
#include "mapping/vcard_convert.h"
#include "mapping/vcard_lines.h"

#include "base/i18n.h"
#include "base/mem.h"

#include <stdio.h>

enum fate { FATE_KEEP, FATE_DROP, FATE_TEXT };

struct writer {
    struct arena *arena;
    const struct record *record;
    const struct vcard *card;
    struct line_form form;
    uint8_t *fate;            /* per property */
    const char **without;     /* per property: a parameter that goes */
    bool *lost;               /* per property: its parameters are no longer written */
    struct str *text;         /* per property: lines in its place */
    const struct edit *edits;
    size_t n_edits;
    bool names_edited;        /* N or ORG: an FN built from them follows */
    bool fn_edited;
    struct str name_part[5];  /* new components of N, escaped; {NULL,0} = as it is */
    struct buf added;         /* lines before END */
    unsigned next_group;
};

static bool same_value(const struct element *a, const struct element *b)
{
    return a->key == b->key && a->value == b->value;
}

/* -- groups: itemN -- */

static unsigned highest_group(const struct vcard *c)
{
    unsigned highest = 0;
    for (size_t i = 0; i < c->n_props; i++) {
        struct str g = c->props[i].group;
        long long n;
        if (!str_starts_nocase(g, STR("item")) || !str_to_int64((struct str){g.p + 4, g.n - 4}, &n) || n < 0 || n > 1000000) continue;
        if ((unsigned)n > highest) highest = (unsigned)n;
    }
    return highest;
}

static struct str fresh_group(struct writer *w)
{
    return str_of(arena_printf(w->arena, "item%u", ++w->next_group));
}

/* Does another property than i, label lines aside, use the group? */
static bool group_is_shared(const struct writer *w, size_t i)
{
    const struct property *p = &w->card->props[i];
    for (size_t k = 0; p->group.p && k < w->card->n_props; k++) {
        const struct property *q = &w->card->props[k];
        bool extra = str_eq(q->name, STR("X-ABLABEL")) || str_eq(q->name, STR("X-ABADR"));
        if (k != i && !extra && w->fate[k] != FATE_DROP && str_eq_nocase(q->group, p->group)) return true;
    }
    return false;
}

/* Is k a line about property i alone: its label, a repetition of it, or the country of its layout? Further labels of the group are
 * elements of their own. */
static bool is_extra_of(const struct vcard *c, size_t i, size_t k)
{
    const struct property *p = &c->props[i], *q = &c->props[k];
    if (!p->group.p || !str_eq_nocase(q->group, p->group)) return false;
    if (str_eq(q->name, STR("X-ABADR"))) return true;
    size_t label = str_eq(q->name, STR("X-ABLABEL")) ? vcard_label(c, i) : SIZE_MAX;
    return label != SIZE_MAX && str_eq(str_trim(q->value), str_trim(c->props[label].value));
}

static void drop(struct writer *w, size_t i)
{
    w->fate[i] = FATE_DROP;
    w->lost[i] = true;
    if (group_is_shared(w, i)) return;
    for (size_t k = 0; k < w->card->n_props; k++)
        if (k != i && is_extra_of(w->card, i, k)) w->fate[k] = FATE_DROP;
}

/* Does the group hold labels that stay when the property and its own label go? */
static bool has_other_labels(const struct writer *w, size_t i)
{
    const struct vcard *c = w->card;
    for (size_t k = 0; k < c->n_props; k++)
        if (str_eq(c->props[k].name, STR("X-ABLABEL")) && str_eq_nocase(c->props[k].group, c->props[i].group) && !is_extra_of(c, i, k)) return true;
    return false;
}

static void put_text(struct writer *w, size_t i, const struct buf *text)
{
    w->fate[i] = FATE_TEXT;
    w->text[i] = arena_str(w->arena, buf_str(text));
}

/* -- whole properties -- */

static const char *name_of_param(const struct element *e)
{
    return e->field->id == FIELD_SORT ? "SORT-AS" : "LABEL";
}

/* Is the parameter of that property, an element of its own, among what is to come from that record? */
static bool brings_param(const struct writer *w, const struct record *from, size_t prop)
{
    for (size_t i = 0; i < w->n_edits; i++) {
        const struct edit *e = &w->edits[i];
        if (e->source && e->source_record == from && e->source->item == ITEM_PARAM && e->source->prop == prop) return true;
    }
    return false;
}

/* Does another edit write that property of the source as a whole, its parameter with it? */
static bool comes_with_property(const struct writer *w, const struct edit *param)
{
    for (size_t i = 0; i < w->n_edits; i++) {
        const struct edit *e = &w->edits[i];
        if (e->source && e->source_record == param->source_record && e->source->prop == param->source->prop &&
            e->source->field->id == FIELD_ADR)
            return true;
    }
    return false;
}

/* The property without parameters of that name; its raw bytes no longer say the same. */
static struct property stripped(const struct writer *w, const struct property *p, const char *name)
{
    struct property q = *p;
    struct param *params = arena_alloc(w->arena, (p->n_params + 1) * sizeof *params);
    q.n_params = 0;
    for (size_t i = 0; i < p->n_params; i++)
        if (!str_eq(p->params[i].name, str_of(name))) params[q.n_params++] = p->params[i];
    q.params = params;
    q.flags |= PROPERTY_REPAIRED;
    return q;
}

/* A label that labels nothing is an element, and only in a group is it a label. */
static bool is_lone_label(const struct record *r, const struct element *e)
{
    return str_eq(r->card->props[e->prop].name, STR("X-ABLABEL"));
}

/* The property of another card, with its label line if it has one. */
static void add_from(struct writer *w, const struct edit *e, struct str group, bool with_label, struct buf *out)
{
    const struct vcard *from = e->source_record->card;
    size_t label = vcard_label(from, e->source->prop);
    struct property p = from->props[e->source->prop];
    if (property_param(&p, "LABEL") && !brings_param(w, e->source_record, e->source->prop)) p = stripped(w, &p, "LABEL");
    vcard_add_property(w->arena, from, &p, group, &w->form, out);
    if (with_label && label != SIZE_MAX) vcard_add_property(w->arena, from, &from->props[label], group, &w->form, out);
}

/* Parameters that belong to the way the value is written: then header and value go together. */
static bool is_bound_to_value(const struct property *p)
{
    return p->base64 || p->qp || property_param(p, "VALUE") || property_param(p, "ENCODING") || property_param(p, "CHARSET") ||
           property_param(p, "X-APPLE-OMIT-YEAR") || property_param(p, "LABEL");
}

/* "item1.Tel;TYPE=CELL" as this card spells it, without what only says how the old value was encoded. */
static void add_own_header(const struct writer *w, size_t i, struct buf *out)
{
    const struct property *p = &w->card->props[i];
    size_t prefix = p->group.p ? p->group.n + 1 : 0;
    if (p->group.p) buf_addf(out, "%.*s.", STR_ARG(p->group));
    bool plain = p->raw.n >= prefix + p->name.n && str_eq_nocase((struct str){p->raw.p + prefix, p->name.n}, p->name);
    buf_add(out, plain ? p->raw.p + prefix : p->name.p, p->name.n);
    for (size_t k = 0; k < p->n_params; k++) {
        struct str name = p->params[k].name;
        bool encoding = str_eq(name, STR("ENCODING")) || str_eq(name, STR("CHARSET"));
        if (!encoding && !(w->without[i] && str_eq(name, str_of(w->without[i])))) buf_addf(out, ";%.*s", STR_ARG(p->params[k].raw));
    }
}

/* The same property with another value. */
static void put_value(struct writer *w, size_t i, struct str value)
{
    struct buf header AUTO_BUF = BUF_INIT;
    struct buf line AUTO_BUF = BUF_INIT;
    add_own_header(w, i, &header);
    vcard_add_line(buf_str(&header), value, &w->form, &line);
    put_text(w, i, &line);
}

/* The property again, without that parameter. */
static void without_param(struct writer *w, size_t prop, const char *name)
{
    struct buf value AUTO_BUF = BUF_INIT;
    w->without[prop] = name;
    if (w->fate[prop] != FATE_KEEP) return;
    vcard_add_value(w->arena, w->card, &w->card->props[prop], w->form.version, &value);
    put_value(w, prop, buf_str(&value));
}

/* Only the value changes: group, parameters and their order stay as this card has them. */
static bool set_value_only(struct writer *w, const struct edit *e)
{
    const struct property *p = &w->card->props[e->target->prop];
    const struct vcard *from = e->source_record->card;
    const struct property *q = &from->props[e->source->prop];
    if (e->source->key != e->target->key || !str_eq(p->name, q->name) || is_bound_to_value(p) || is_bound_to_value(q)) return false;
    if ((p->flags | q->flags) & (PROPERTY_GUESSED | PROPERTY_REPAIRED)) return false;
    struct buf value AUTO_BUF = BUF_INIT;
    vcard_add_value(w->arena, from, q, w->form.version, &value);
    put_value(w, e->target->prop, buf_str(&value));
    return true;
}

static void add_property(struct writer *w, const struct edit *e)
{
    bool label = is_lone_label(e->source_record, e->source) || vcard_label(e->source_record->card, e->source->prop) != SIZE_MAX;
    add_from(w, e, label ? fresh_group(w) : STR_NONE, label, &w->added);
}

static void set_property(struct writer *w, const struct edit *e)
{
    size_t i = e->target->prop;
    const struct property *p = &w->card->props[i];
    if (set_value_only(w, e)) return;
    if (is_lone_label(w->record, e->target) || is_lone_label(e->source_record, e->source)) {
        drop(w, i);
        add_property(w, e);
        return;
    }
    w->lost[i] = true;
    bool source_label = vcard_label(e->source_record->card, e->source->prop) != SIZE_MAX;
    size_t own_label = vcard_label(w->card, i);
    bool shared = group_is_shared(w, i);
    struct buf text AUTO_BUF = BUF_INIT;
    if (source_label && own_label != SIZE_MAX && !shared && !has_other_labels(w, i)) {
        drop(w, i);
        add_from(w, e, p->group, true, &text);
    } else if (source_label) {
        drop(w, i);
        add_from(w, e, fresh_group(w), true, &text);
    }
    else if (own_label != SIZE_MAX) {
        drop(w, i);
        add_from(w, e, STR_NONE, false, &text);
    } else
        add_from(w, e, p->group, false, &text);
    put_text(w, i, &text);
}

/* -- once-only fields: an edit concerns all properties of the field -- */

static bool is_once(const struct element *e)
{
    return e->field->arity == ARITY_ONE || e->field->id == FIELD_NOTE;
}

/* The field a whole property is of. Apple's anniversary is a date with that label. */
static uint16_t field_of(const struct writer *w, size_t i)
{
    const struct property *p = &w->card->props[i];
    const struct property_row *row = property_row(p->name);
    if (p->flags & PROPERTY_FOREIGN || row->shape == SHAPE_NAME || row->shape == SHAPE_IGNORE) return 0;
    size_t label = row->field == FIELD_DATE ? vcard_label(w->card, i) : SIZE_MAX;
    bool anniversary = label != SIZE_MAX && str_eq_nocase(str_trim(w->card->props[label].value), STR("_$!<Anniversary>!$_"));
    return anniversary ? FIELD_ANNIVERSARY : row->field;
}

/* A second FN or PHOTO is an element of its own (record_impl.h). */
static void drop_others(struct writer *w, const struct element *e)
{
    uint16_t field = e->field->id;
    for (size_t i = 0; i < w->card->n_props; i++) {
        if (field == FIELD_SORT && i != e->prop && property_param(&w->card->props[i], "SORT-AS")) without_param(w, i, "SORT-AS");
        if (i != e->prop && field_of(w, i) == field && field != FIELD_PHOTO && field != FIELD_FN) drop(w, i);
    }
}

/* -- N -- */

static bool is_name_part(const struct element *e)
{
    return e->field->id >= FIELD_NAME_FAMILY && e->field->id <= FIELD_NAME_SUFFIX;
}

/* The component as the card to be written spells it. */
static struct str part_of_source(struct writer *w, const struct edit *e)
{
    const struct vcard *from = e->source_record->card;
    const struct str *parts;
    struct buf out AUTO_BUF = BUF_INIT;
    size_t n = vcard_split(w->arena, from->props[e->source->prop].value, ';', &parts);
    struct str part = e->source->item < n ? parts[e->source->item] : STR("");
    vcard_add_part(w->arena, from, &from->props[e->source->prop], part, w->form.version, &out);
    return arena_str(w->arena, buf_str(&out));
}

static void edit_name(struct writer *w, const struct edit *e)
{
    const struct element *any = e->target ? e->target : e->source;
    w->names_edited = true;
    w->name_part[any->field->id - FIELD_NAME_FAMILY] = e->kind == EDIT_REMOVE ? STR("") : part_of_source(w, e);
}

/* The N the elements come from: the first that says anything. */
static size_t find_name(const struct vcard *c)
{
    size_t first = vcard_find(c, "N");
    for (size_t i = first; i < c->n_props; i++) {
        struct str value = c->props[i].value;
        if (!str_eq(c->props[i].name, STR("N"))) continue;
        for (size_t k = 0; k < value.n; k++)
            if (value.p[k] != ';' && value.p[k] != ' ' && value.p[k] != ',') return i;
    }
    return first;
}

static void write_name(struct writer *w)
{
    bool any = false;
    for (int i = 0; i < 5; i++) any |= w->name_part[i].p != NULL;
    if (!any) return;
    size_t at = find_name(w->card);
    const struct str *old = NULL;
    size_t n_old = at != SIZE_MAX ? vcard_split(w->arena, w->card->props[at].value, ';', &old) : 0;
    struct buf value AUTO_BUF = BUF_INIT;
    for (size_t i = 0; i < 5; i++) {
        if (i) buf_addc(&value, ';');
        if (w->name_part[i].p) buf_addstr(&value, w->name_part[i]);
        else if (i < n_old)
            vcard_add_part(w->arena, w->card, &w->card->props[at], old[i], w->form.version, &value);
    }
    if (at != SIZE_MAX) put_value(w, at, buf_str(&value));
    else
        vcard_add_line(STR("N"), buf_str(&value), &w->form, &w->added);
    for (size_t i = 0; i < w->card->n_props; i++)
        if (i != at && str_eq(w->card->props[i].name, STR("N"))) drop(w, i);
}

/* -- lists: one property, several elements -- */

static bool is_list(const struct element *e)
{
    return e->field->id == FIELD_CATEGORY || e->field->id == FIELD_NICKNAME;
}

static struct str item_of_source(struct writer *w, const struct edit *e)
{
    const struct vcard *from = e->source_record->card;
    const struct str *items;
    size_t n = vcard_split(w->arena, from->props[e->source->prop].value, ',', &items);
    struct str item = e->source->item < n ? str_trim(items[e->source->item]) : STR("");
    struct buf out AUTO_BUF = BUF_INIT;
    vcard_add_text(w->arena, from, &from->props[e->source->prop], item, w->form.version, &out);
    return arena_str(w->arena, buf_str(&out));
}

static const struct edit *edit_at(const struct writer *w, size_t prop, uint32_t item, bool *first)
{
    const struct element *here = NULL;
    size_t n;
    const struct element *all = record_occurrences(w->record, &n);
    for (size_t i = 0; i < n && !here; i++)
        if (all[i].prop == prop && all[i].item == item && is_list(&all[i])) here = &all[i];
    for (size_t i = 0; here && i < w->n_edits; i++) {
        const struct element *t = w->edits[i].target;
        if (!t || t->key != here->key || t->value != here->value) continue;
        *first = t->prop == prop && t->item == item;
        return &w->edits[i];
    }
    return NULL;
}

static void join_item(struct buf *value, struct str item)
{
    if (!item.n) return;
    if (value->len) buf_addc(value, ',');
    buf_addstr(value, item);
}

static void join_own_item(struct writer *w, const struct property *p, struct str item, struct buf *value)
{
    struct buf text AUTO_BUF = BUF_INIT;
    vcard_add_text(w->arena, w->card, p, item, w->form.version, &text);
    join_item(value, buf_str(&text));
}

/* Rewrites one list property; `extra` are items to be added to it. True if it is still there. */
static void write_list(struct writer *w, size_t prop, struct str extra)
{
    const struct property *p = &w->card->props[prop];
    const struct str *items;
    size_t n = vcard_split(w->arena, p->value, ',', &items);
    struct buf value AUTO_BUF = BUF_INIT;
    bool changed = extra.n > 0;
    for (size_t i = 0; i < n; i++) {
        bool first = false;
        const struct edit *e = edit_at(w, prop, (uint32_t)i, &first);
        changed |= e != NULL;
        if (!e) join_own_item(w, p, items[i], &value);
        else if (e->kind == EDIT_SET && first)
            join_item(&value, item_of_source(w, e));
    }
    if (!changed) return;
    join_item(&value, extra);
    if (!value.len) {
        drop(w, prop);
        return;
    }
    put_value(w, prop, buf_str(&value));
}

static void write_lists_of(struct writer *w, uint16_t field, const char *name)
{
    struct buf extra AUTO_BUF = BUF_INIT;
    for (size_t i = 0; i < w->n_edits; i++)
        if (w->edits[i].kind == EDIT_ADD && w->edits[i].source->field->id == field) join_item(&extra, item_of_source(w, &w->edits[i]));
    size_t home = SIZE_MAX;
    for (size_t i = 0; i < w->card->n_props && home == SIZE_MAX; i++)
        if (property_row(w->card->props[i].name)->field == field && property_row(w->card->props[i].name)->shape == SHAPE_LIST) home = i;
    for (size_t i = home; i < w->card->n_props; i++)
        if (property_row(w->card->props[i].name)->field == field && property_row(w->card->props[i].name)->shape == SHAPE_LIST)
            write_list(w, i, i == home ? buf_str(&extra) : STR_NONE);
    if (home == SIZE_MAX && extra.len) vcard_add_line(str_of(name), buf_str(&extra), &w->form, &w->added);
}

/* -- values that are parameters: LABEL of an ADR, SORT-AS of an N -- */

/* In place where the card has the property, else as a new line. */
static void put_or_add_text(struct writer *w, size_t at, const char *name, struct str text)
{
    struct buf value AUTO_BUF = BUF_INIT;
    if (at == SIZE_MAX) {
        vcard_add_text_line(name, text, &w->form, &w->added);
        return;
    }
    vcard_escape(&value, text, w->form.version);
    put_value(w, at, buf_str(&value));
}

/* Types of "adrlabel;HOME,WORK" as parameters. */
static void label_header(const struct element *e, struct buf *out)
{
    struct str rest = e->key_text;
    buf_adds(out, "LABEL");
    str_split(&rest, ';');
    struct str types = str_split(&rest, ';');
    while (types.n) {
        struct str type = str_split(&types, ',');
        buf_addf(out, ";TYPE=%.*s", STR_ARG(type));
    }
}

static void add_param_element(struct writer *w, const struct element *e, struct buf *out)
{
    struct buf header AUTO_BUF = BUF_INIT;
    if (e->field->id == FIELD_SORT) buf_adds(&header, "SORT-STRING");
    else
        label_header(e, &header);
    vcard_add_text_line(buf_cstr(&header), e->value_text, &w->form, out);
}

static void edit_param(struct writer *w, const struct edit *e)
{
    if (e->target && e->target->item == ITEM_PARAM)
        without_param(w, e->target->prop, name_of_param(e->target));
    else if (e->target)
        drop(w, e->target->prop);
    if (e->source && !(e->source->item == ITEM_PARAM && comes_with_property(w, e))) add_param_element(w, e->source, &w->added);
}

static bool is_edited(const struct writer *w, const struct element *e)
{
    for (size_t i = 0; i < w->n_edits; i++)
        if (w->edits[i].target && same_value(w->edits[i].target, e)) return true;
    return false;
}

/* An address went or was replaced, its label was not: the label becomes a line of its own. */
static void keep_params(struct writer *w)
{
    size_t n;
    const struct element *all = record_occurrences(w->record, &n);
    for (size_t i = 0; i < n; i++)
        if (all[i].item == ITEM_PARAM && all[i].field->id == FIELD_ADRLABEL && w->lost[all[i].prop] && !is_edited(w, &all[i]))
            add_param_element(w, &all[i], &w->added);
}

/* -- FN -- */

static size_t find_fn(const struct record *r)
{
    size_t n;
    const struct element *e = record_occurrences(r, &n);
    for (size_t i = 0; i < n; i++)
        if (e[i].field->id == FIELD_FN) return e[i].prop;
    for (size_t i = 0; i < r->card->n_props; i++)
        if (str_eq(r->card->props[i].name, STR("FN")) && str_trim(r->card->props[i].value).n) return i;
    return vcard_find(r->card, "FN");
}

static void put_fn(struct writer *w, struct str text)
{
    put_or_add_text(w, find_fn(w->record), "FN", text);
}

static void edit_fn(struct writer *w, const struct edit *e)
{
    w->fn_edited = true;
    if (e->kind != EDIT_REMOVE) put_fn(w, e->source->value_text);
    else
        w->names_edited = true, w->fn_edited = false; /* the built one takes its place */
}

static bool fn_is_element(const struct record *r)
{
    size_t n;
    const struct element *e = record_elements(r, &n);
    for (size_t i = 0; i < n; i++)
        if (e[i].field->id == FIELD_FN) return true;
    return false;
}

/* -- putting it together -- */

/* A bare line may stay where it is only behind what it always stood behind. A property is written anew; a line that is none goes on
 * to the next place where it stays one. */
static void add_bare(const struct writer *w, const struct property *p, struct buf *out, struct buf *held)
{
    if (p->flags & PROPERTY_FOREIGN) {
        buf_addstr(held, p->raw);
        return;
    }
    struct property q = *p;
    q.flags |= PROPERTY_REPAIRED;
    vcard_add_property(w->arena, w->card, &q, p->group, &w->form, out);
}

static void add_properties(const struct writer *w, struct buf *out)
{
    const struct vcard *c = w->card;
    bool open_end = false; /* what stands last could take a bare line; what an edit wrote may be anything */
    struct buf held AUTO_BUF = BUF_INIT;
    for (size_t i = 0; i < c->n_props; i++) {
        const struct property *p = &c->props[i];
        if (w->fate[i] == FATE_DROP) continue;
        if (open_end && w->fate[i - 1] != FATE_KEEP && w->fate[i] == FATE_KEEP && vcard_is_bare(p)) add_bare(w, p, out, &held);
        else
            buf_addstr(out, w->fate[i] == FATE_KEEP ? p->raw : w->text[i]);
        if (!(p->flags & PROPERTY_FOREIGN)) open_end = w->fate[i] == FATE_TEXT || vcard_takes_bare_line(p);
        if (!held.len || open_end) continue;
        buf_addstr(out, buf_str(&held));
        buf_reset(&held);
    }
}

static void assemble(const struct writer *w, struct buf *out)
{
    buf_addstr(out, w->card->begin_raw);
    add_properties(w, out);
    if (w->added.len && out->len && out->data[out->len - 1] != '\n' && out->data[out->len - 1] != '\r')
        buf_adds(out, w->form.crlf ? "\r\n" : "\n");
    buf_addstr(out, buf_str(&w->added));
    buf_addstr(out, w->card->end_raw);
}

/* An element that stands in the card several times is edited where the edit points; its other places go. */
static void drop_occurrences(struct writer *w, const struct edit *e)
{
    size_t n;
    const struct element *all = record_occurrences(w->record, &n);
    for (size_t i = 0; i < n; i++) {
        if (!same_value(&all[i], e->target) || all[i].prop == e->target->prop) continue;
        if (all[i].item == ITEM_PARAM) without_param(w, all[i].prop, name_of_param(&all[i]));
        else
            drop(w, all[i].prop);
    }
}

static bool is_param_element(const struct edit *e)
{
    return (e->target && e->target->item == ITEM_PARAM) || (e->source && e->source->item == ITEM_PARAM) ||
           (e->target && e->target->field->id == FIELD_ADRLABEL);
}

static void apply_edit(struct writer *w, const struct edit *e)
{
    const struct element *any = e->target ? e->target : e->source;
    if (any->field->id == FIELD_ORG) w->names_edited = true;
    if (is_name_part(any)) {
        edit_name(w, e);
        return;
    }
    if (is_list(any)) return; /* write_lists_of */
    if (e->target) drop_occurrences(w, e);
    if (e->target && is_once(e->target)) drop_others(w, e->target);
    if (any->field->id == FIELD_FN) edit_fn(w, e);
    else if (is_param_element(e))
        edit_param(w, e);
    else if (any->field->id == FIELD_NOTE && e->kind != EDIT_REMOVE) {
        put_or_add_text(w, e->target ? e->target->prop : SIZE_MAX, "NOTE", e->source->value_text);
    } else if (e->kind == EDIT_REMOVE)
        drop(w, e->target->prop);
    else if (e->kind == EDIT_SET)
        set_property(w, e);
    else
        add_property(w, e);
}

static void writer_init(struct writer *w, struct arena *arena, const struct record *r, const struct edit *edits, size_t n)
{
    *w = (struct writer){.arena = arena, .record = r, .card = r->card, .edits = edits, .n_edits = n, .added = BUF_INIT};
    w->form = (struct line_form){r->card->version, r->card->crlf};
    w->fate = arena_zalloc(arena, r->card->n_props + 1);
    w->text = arena_zalloc(arena, (r->card->n_props + 1) * sizeof *w->text);
    w->without = arena_zalloc(arena, (r->card->n_props + 1) * sizeof *w->without);
    w->lost = arena_zalloc(arena, (r->card->n_props + 1) * sizeof *w->lost);
    w->next_group = highest_group(r->card);
}

/* Removes first: what they free (a group, a label) must not be taken from what is set after them. */
static void apply_all(struct writer *w)
{
    for (int removes = 1; removes >= 0; removes--)
        for (size_t i = 0; i < w->n_edits; i++)
            if ((w->edits[i].kind == EDIT_REMOVE) == removes) apply_edit(w, &w->edits[i]);
    keep_params(w);
    write_name(w);
    write_lists_of(w, FIELD_CATEGORY, "CATEGORIES");
    write_lists_of(w, FIELD_NICKNAME, "NICKNAME");
}

static enum fault_code no_longer_readable(struct fault *f)
{
    return fault_set(f, FAULT_REFUSED, _("please report this"), _("the changes cannot be written into this card"));
}

/* XML takes the CR off a card on its way here; a server gets it back as the format wants it (RFC 6350 3.2). */
static void add_with_crlf(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n' && (!i || text.p[i - 1] != '\r')) buf_addc(out, '\r');
        buf_addc(out, text.p[i]);
    }
}

/* The side has this card already: its version and the lines no edit concerns stay. */
enum fault_code record_write_edited(const struct record *r, const struct edit *edits, size_t n, const struct write_form *form,
                                    struct buf *out, struct fault *f)
{
    if (!n) {
        buf_addstr(out, r->bytes);
        return FAULT_NONE;
    }
    struct writer w;
    struct buf text AUTO_BUF = BUF_INIT;
    writer_init(&w, r->arena, r, edits, n);
    apply_all(&w);
    assemble(&w, &text);
    if (w.names_edited && !w.fn_edited) {
        bool follows = !fn_is_element(r);
        for (size_t i = 0; i < n; i++) follows |= edits[i].kind == EDIT_REMOVE && edits[i].target->field->id == FIELD_FN;
        struct fault why AUTO_FAULT = FAULT_INIT;
        struct record *draft = follows ? record_parse(r->arena, r->kind, arena_str(r->arena, buf_str(&text)), &r->key, &why) : NULL;
        struct str built = draft ? vcard_built_name(r->arena, draft->card) : STR_NONE;
        if (follows && find_fn(r) != SIZE_MAX) {
            put_fn(&w, built.p ? built : STR(""));
            buf_reset(&text);
            assemble(&w, &text);
        }
    }
    buf_free(&w.added);
    struct fault why AUTO_FAULT = FAULT_INIT;
    struct arena check AUTO_ARENA = ARENA_INIT;
    if (!record_parse(&check, r->kind, buf_str(&text), &r->key, &why)) return no_longer_readable(f);
    if (form->strict) add_with_crlf(buf_str(&text), out);
    else
        buf_addstr(out, buf_str(&text));
    return FAULT_NONE;
}
