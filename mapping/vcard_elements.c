#include "mapping/record_impl.h"
#include "mapping/vcard_keys.h"

#include "base/i18n.h"
#include "base/mem.h"

#include <stdlib.h>

/* What a pass over the card needs. */
struct maker {
    const struct record *record;
    const struct vcard *card;
    struct reader reader;
    struct record_view *view;
    struct element *list; /* in order of the card */
    size_t n, cap;
    uint64_t plain_keys[FIELD_COUNT]; /* of keys that are a bare field name; 0 = not made yet */
    bool seen[FIELD_COUNT];           /* once-only fields that have their element */
    struct label *labels;             /* by group, then place */
    size_t n_labels;
    struct str built_name;
    size_t first_fn;
};

struct label {
    struct str group, text;
    size_t prop;
    bool used;
};

/* -- labels: itemN.X-ABLABEL says something about itemN.TEL -- */

static bool is_label(const struct property *p)
{
    return p->group.p && str_eq(p->name, STR("X-ABLABEL"));
}

static int group_order(struct str a, struct str b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        unsigned char x = (unsigned char)a.p[i], y = (unsigned char)b.p[i];
        if (x >= 'a' && x <= 'z') x = (unsigned char)(x - 32);
        if (y >= 'a' && y <= 'z') y = (unsigned char)(y - 32);
        if (x != y) return x < y ? -1 : 1;
    }
    return (a.n > b.n) - (a.n < b.n);
}

static int by_group(const void *a, const void *b)
{
    const struct label *x = a, *y = b;
    int order = group_order(x->group, y->group);
    return order ? order : (x->prop > y->prop) - (x->prop < y->prop);
}

static void collect_labels(struct maker *m)
{
    const struct vcard *c = m->card;
    size_t n = 0;
    for (size_t i = 0; i < c->n_props; i++) n += is_label(&c->props[i]);
    if (!n) return;
    m->labels = arena_alloc(m->record->arena, n * sizeof *m->labels);
    for (size_t i = 0; i < c->n_props; i++) {
        const struct property *p = &c->props[i];
        if (!is_label(p)) continue;
        struct str text = vcard_normal_text(m->record->arena, c, p, p->value);
        m->labels[m->n_labels++] = (struct label){p->group, text, i, !text.n};
    }
    qsort(m->labels, n, sizeof *m->labels, by_group);
}

/* The first label of a property's group, or NULL. */
static struct label *label_of(const struct maker *m, const struct property *p)
{
    if (!p->group.p || !m->n_labels) return NULL;
    size_t low = 0, high = m->n_labels;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (group_order(m->labels[mid].group, p->group) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low < m->n_labels && !group_order(m->labels[low].group, p->group) ? &m->labels[low] : NULL;
}

size_t vcard_label(const struct vcard *c, size_t prop)
{
    struct str group = c->props[prop].group;
    if (!group.p || is_label(&c->props[prop])) return SIZE_MAX;
    for (size_t i = 0; i < c->n_props; i++)
        if (is_label(&c->props[i]) && str_eq_nocase(c->props[i].group, group)) return i;
    return SIZE_MAX;
}

/* -- emitting -- */

/* The hash of a key covers the field's id, so that no two fields can ever share one. */
static uint64_t key_hash(struct maker *m, uint16_t field, struct str text)
{
    bool plain = text.p == contact_fields[field].name;
    if (plain && m->plain_keys[field]) return m->plain_keys[field];
    struct buf *b = m->reader.scratch;
    buf_reset(b);
    buf_addc(b, (char)(field & 0xff));
    buf_addc(b, (char)(field >> 8));
    buf_addstr(b, text);
    uint64_t h = hash_str(&m->record->key, buf_str(b));
    if (plain) m->plain_keys[field] = h;
    return h;
}

static void emit(struct maker *m, uint16_t field, struct str key, struct str value, size_t prop, uint32_t item)
{
    if (!value.n) return;
    uint64_t h = hash_str(&m->record->key, value);
    if (m->n == m->cap) {
        m->cap *= 2;
        m->list = mem_realloc(m->list, m->cap * sizeof *m->list);
    }
    m->list[m->n++] = (struct element){
        .field = &contact_fields[field],
        .key_text = key,
        .value_text = value,
        .key = key_hash(m, field, key),
        .value = h,
        .same = h,
        .prop = (uint32_t)prop,
        .item = item,
    };
}

static void emit_unknown(struct maker *m, const struct property *p, struct str value, size_t prop, struct str label)
{
    if (value.n) emit(m, FIELD_X, key_text_unknown(&m->reader, p, label), value, prop, 0);
}

static bool is_once(uint16_t field)
{
    return contact_fields[field].arity == ARITY_ONE;
}

/* -- the shapes that are more than one element, or depend on other properties -- */

static void make_name(struct maker *m, const struct property *p, size_t prop)
{
    const struct param *sort = property_param(p, "SORT-AS");
    if (sort && sort->n_values && !m->seen[FIELD_SORT]) {
        struct str text = vcard_normal_text(m->record->arena, m->card, p, sort->values[0]);
        emit(m, FIELD_SORT, str_of(contact_fields[FIELD_SORT].name), text, prop, ITEM_PARAM);
        m->seen[FIELD_SORT] = text.n > 0;
    }
    if (m->seen[FIELD_NAME_FAMILY]) return;
    const struct str *parts;
    size_t n = vcard_split(m->record->arena, p->value, ';', &parts), before = m->n;
    for (size_t i = 0; i < n && i < 5; i++) {
        uint16_t field = (uint16_t)(FIELD_NAME_FAMILY + i);
        emit(m, field, str_of(contact_fields[field].name), value_items(&m->reader, p, parts[i]), prop, (uint32_t)i);
    }
    m->seen[FIELD_NAME_FAMILY] = m->n > before;
}

static void make_list(struct maker *m, const struct property_row *row, const struct property *p, size_t prop)
{
    struct str key = str_of(contact_fields[row->field].name);
    const struct str *items;
    size_t n = vcard_split(m->record->arena, p->value, ',', &items);
    for (size_t i = 0; i < n; i++)
        emit(m, row->field, key, vcard_normal_text(m->record->arena, m->card, p, items[i]), prop, (uint32_t)i);
}

/* All notes are one text: servers join them or keep the first (vcard 5). */
static void make_note(struct maker *m, size_t prop)
{
    if (m->seen[FIELD_NOTE]) return;
    struct arena *arena = m->record->arena;
    struct str whole = STR_NONE;
    struct buf joined AUTO_BUF = BUF_INIT;
    size_t n = 0;
    for (size_t i = prop; i < m->card->n_props; i++) {
        const struct property *p = &m->card->props[i];
        if (!str_eq(p->name, STR("NOTE"))) continue;
        struct str text = vcard_normal_text(arena, m->card, p, p->value);
        if (!text.n) continue;
        if (!n++) {
            whole = text;
            prop = i;
            continue;
        }
        if (n == 2) buf_addstr(&joined, whole);
        buf_addc(&joined, '\n');
        buf_addstr(&joined, text);
    }
    if (n > 1) whole = arena_str(arena, buf_str(&joined));
    emit(m, FIELD_NOTE, str_of(contact_fields[FIELD_NOTE].name), whole, prop, 0);
    m->seen[FIELD_NOTE] = true;
}

static int preference(const struct property *p)
{
    const struct param *pref = property_param(p, "PREF");
    long long n;
    return pref && pref->n_values && str_to_int64(pref->values[0], &n) && n >= 1 && n <= 100 ? (int)n : 101;
}

/* The FN that counts: in 4.0 there may be several, the preferred one first. */
static size_t find_first_fn(const struct vcard *c)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < c->n_props; i++) {
        const struct property *p = &c->props[i];
        if (!str_eq(p->name, STR("FN")) || !str_trim(p->value).n) continue;
        if (best == SIZE_MAX || preference(p) < preference(&c->props[best])) best = i;
    }
    return best;
}

static void make_fn(struct maker *m, const struct property *p, size_t prop)
{
    struct str text = vcard_normal_text(m->record->arena, m->card, p, p->value);
    if (prop != m->first_fn)
        emit_unknown(m, p, text, prop, STR_NONE);
    else if (!str_eq(text, m->built_name))
        emit(m, FIELD_FN, str_of(contact_fields[FIELD_FN].name), text, prop, 0);
}

/* -- address labels: text that repeats an address is no element of its own -- */

/* Compares two texts by letters and digits alone. */
static bool same_letters(struct str a, struct str b)
{
    size_t i = 0, k = 0;
    for (;;) {
        while (i < a.n && (unsigned char)a.p[i] < 0x80 && !((a.p[i] | 32) >= 'a' && (a.p[i] | 32) <= 'z') &&
               !(a.p[i] >= '0' && a.p[i] <= '9'))
            i++;
        while (k < b.n && (unsigned char)b.p[k] < 0x80 && !((b.p[k] | 32) >= 'a' && (b.p[k] | 32) <= 'z') &&
               !(b.p[k] >= '0' && b.p[k] <= '9'))
            k++;
        if (i == a.n || k == b.n) return i == a.n && k == b.n;
        if (a.p[i++] != b.p[k++]) return false;
    }
}

/* Orders in which writers put the seven parts on lines: code before the town, or region and code behind it. */
static const char line_orders[][8] = {"0125346", "0123456", "1025346", "1023456"};

static bool repeats_address(const struct maker *m, struct str label, const struct property *adr)
{
    const struct str *parts;
    size_t n = vcard_split(m->record->arena, adr->value, ';', &parts);
    struct buf lines AUTO_BUF = BUF_INIT;
    for (size_t i = 0; i < sizeof line_orders / sizeof *line_orders; i++) {
        buf_reset(&lines);
        for (const char *at = line_orders[i]; *at; at++) {
            size_t part = (size_t)(*at - '0');
            if (part >= n) continue;
            buf_addstr(&lines, vcard_normal_text(m->record->arena, m->card, adr, parts[part]));
            buf_addc(&lines, '\n');
        }
        if (same_letters(label, buf_str(&lines))) return true;
    }
    return false;
}

enum { ADDRESSES_COMPARED_MAX = 16 }; /* keeps a card of thousands of labels linear */

static bool repeats_any_address(const struct maker *m, struct str label)
{
    size_t compared = 0;
    for (size_t i = 0; i < m->card->n_props && compared < ADDRESSES_COMPARED_MAX; i++) {
        if (!str_eq(m->card->props[i].name, STR("ADR"))) continue;
        compared++;
        if (repeats_address(m, label, &m->card->props[i])) return true;
    }
    return false;
}

static void make_address_label(struct maker *m, const struct property *p, size_t prop)
{
    struct str text = vcard_normal_text(m->record->arena, m->card, p, p->value);
    if (text.n && !repeats_any_address(m, text))
        emit(m, FIELD_ADRLABEL, key_text_of_param(&m->reader, FIELD_ADRLABEL, p), text, prop, 0);
}

/* In 4.0 (and in some 3.0 cards) the label is a parameter of its address. Backslash escapes are not defined there, but
 * seen. */
static void make_label_param(struct maker *m, const struct property *p, size_t prop)
{
    const struct param *label = property_param(p, "LABEL");
    if (!label || !label->n_values) return;
    struct buf all AUTO_BUF = BUF_INIT;
    for (size_t i = 0; i < label->n_values; i++) {
        if (i) buf_addc(&all, ',');
        buf_addstr(&all, label->values[i]);
    }
    struct str text = vcard_normal_text(m->record->arena, m->card, p, arena_str(m->record->arena, buf_str(&all)));
    if (text.n && !repeats_address(m, text, p))
        emit(m, FIELD_ADRLABEL, key_text_of_param(&m->reader, FIELD_ADRLABEL, p), text, prop, ITEM_PARAM);
}

/* -- one property -- */

static bool is_apple_anniversary(const struct property_row *row, const struct label *label)
{
    return row->field == FIELD_DATE && label && str_eq_nocase(label->text, STR("_$!<Anniversary>!$_"));
}

/* A property that is one element. */
static void make_single(struct maker *m, const struct property_row *row, const struct property *p, size_t prop)
{
    struct label *label = row->flags & (ROW_TYPES | ROW_LABEL) ? label_of(m, p) : NULL;
    struct str label_text = label ? label->text : STR_NONE;
    struct property_row anniversary = *row;
    if (is_apple_anniversary(row, label)) {
        anniversary.field = FIELD_ANNIVERSARY;
        anniversary.flags = 0;
        row = &anniversary;
    }
    bool unreadable;
    struct str value = value_normal(&m->reader, row, p, &unreadable);
    if (label && (value.n || unreadable)) label->used = true;
    bool second = is_once(row->field) && m->seen[row->field];
    if (unreadable || (second && row->field == FIELD_PHOTO))
        emit_unknown(m, p, unreadable ? str_trim(p->value) : value, prop, label_text);
    else if (!second && value.n) {
        emit(m, row->field, key_text(&m->reader, row, p, label_text), value, prop, 0);
        m->seen[row->field] = true;
    }
}

/* A card inside a card (2.1): only its raw bytes are known. */
static void make_agent(struct maker *m, const struct property_row *row, const struct property *p, size_t prop)
{
    const char *colon = p->raw.n ? memchr(p->raw.p, ':', p->raw.n) : NULL;
    if (str_trim(p->value).n || !colon)
        make_single(m, row, p, prop);
    else
        emit_unknown(m, p, str_trim((struct str){colon + 1, (size_t)(p->raw.p + p->raw.n - colon - 1)}), prop,
                     STR_NONE);
}

static bool is_absent(const struct property *p)
{
    return str_eq(p->name, STR("X-MOZILLA-HTML")) && str_eq_nocase(str_trim(p->value), STR("FALSE"));
}

static void make_property(struct maker *m, const struct property *p, size_t prop)
{
    if ((p->flags & PROPERTY_FOREIGN) || is_absent(p)) return;
    const struct property_row *row = property_row(p->name);
    switch (row->shape) {
    case SHAPE_IGNORE:
        return;
    case SHAPE_NAME:
        make_name(m, p, prop);
        return;
    case SHAPE_LIST:
        make_list(m, row, p, prop);
        return;
    case SHAPE_NOTE:
        make_note(m, prop);
        return;
    default:
        break;
    }
    if (row->field == FIELD_FN)
        make_fn(m, p, prop);
    else if (row->field == FIELD_ADRLABEL)
        make_address_label(m, p, prop);
    else if (row->field == FIELD_RELATED && str_eq(p->name, STR("AGENT")))
        make_agent(m, row, p, prop);
    else
        make_single(m, row, p, prop);
    if (row->field == FIELD_ADR && p->n_params) make_label_param(m, p, prop);
}

/* A label whose group has no property it could belong to stays as it is (vcard 5). */
static void make_lone_labels(struct maker *m)
{
    for (size_t i = 0; i < m->n_labels; i++) {
        const struct label *l = &m->labels[i];
        bool repeats = i && !group_order(l->group, m->labels[i - 1].group) && str_eq(l->text, m->labels[i - 1].text);
        if (!l->used && !repeats) emit_unknown(m, &m->card->props[l->prop], l->text, l->prop, STR_NONE);
    }
}

/* -- the whole -- */

static size_t count_char(struct str s, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) n += s.p[i] == c;
    return n;
}

static int element_order(const struct element *a, const struct element *b)
{
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    return (a->value > b->value) - (a->value < b->value);
}

static int by_key_and_value(const void *a, const void *b)
{
    const struct element *x = *(const struct element *const *)a, *y = *(const struct element *const *)b;
    int order = element_order(x, y);
    return order ? order : (x > y) - (x < y);
}

enum { SHORT_LIST = 48 }; /* up to here insertion is quicker than qsort */

static void sort_elements(const struct element **list, size_t n)
{
    if (n > SHORT_LIST) {
        qsort(list, n, sizeof *list, by_key_and_value);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        const struct element *e = list[i];
        size_t at = i;
        for (; at && element_order(list[at - 1], e) > 0; at--) list[at] = list[at - 1];
        list[at] = e;
    }
}

/* Sorted occurrences go to the arena; a second array is needed only where one element occurs twice. */
static void sort_and_collapse(struct maker *m)
{
    struct arena *arena = m->record->arena;
    struct record_view *v = m->view;
    AUTO_FREE const struct element **order = mem_alloc((m->n + 1) * sizeof *order);
    for (size_t i = 0; i < m->n; i++) order[i] = &m->list[i];
    sort_elements(order, m->n);
    v->all = v->elements = arena_alloc(arena, (m->n + 1) * sizeof *v->all);
    for (size_t i = 0; i < m->n; i++) {
        v->n_elements += !i || element_order(order[i - 1], order[i]);
        v->all[v->n_all++] = *order[i];
    }
    if (v->n_elements == v->n_all) return;
    v->elements = arena_alloc(arena, (v->n_elements + 1) * sizeof *v->elements);
    size_t kept = 0;
    for (size_t i = 0; i < v->n_all; i++)
        if (!i || element_order(&v->all[i - 1], &v->all[i])) v->elements[kept++] = v->all[i];
}

void vcard_make_elements(const struct record *r)
{
    struct buf scratch AUTO_BUF = BUF_INIT;
    struct maker m = {.record = r, .card = r->card, .reader = {r->arena, r->card, &scratch}, .view = r->view};
    buf_reserve(&scratch, 255);
    m.cap = r->card->n_props + 8;
    m.list = mem_alloc(m.cap * sizeof *m.list);
    m.first_fn = find_first_fn(r->card);
    if (m.first_fn != SIZE_MAX) m.built_name = vcard_built_name(r->arena, r->card);
    collect_labels(&m);
    for (size_t i = 0; i < r->card->n_props; i++) make_property(&m, &r->card->props[i], i);
    make_lone_labels(&m);
    sort_and_collapse(&m);
    free(m.list);
}

enum fault_code vcard_check_limits(const struct vcard *c, struct fault *why)
{
    enum { MAX_BASE64_BYTES = (8 << 20) / 3 * 4 + (1 << 18) }; /* 8 MiB decoded, and line breaks */
    for (size_t i = 0; i < c->n_props; i++) {
        const struct property *p = &c->props[i];
        if (p->value.n <= VCARD_MAX_LIST) continue; /* cannot hold more values than bytes */
        const struct property_row *row = property_row(p->name);
        bool list = row->shape == SHAPE_LIST || row->shape == SHAPE_NAME || row->shape == SHAPE_PARTS;
        if (list && count_char(p->value, ',') + count_char(p->value, ';') > VCARD_MAX_LIST)
            return fault_set(why, FAULT_UNREADABLE, NULL, _("line %u: more than %d values in one property"), p->line,
                             VCARD_MAX_LIST);
        if (row->shape == SHAPE_BINARY && p->value.n > MAX_BASE64_BYTES)
            return fault_set(why, FAULT_UNREADABLE, NULL, _("line %u: a picture or key larger than 8 MiB"), p->line);
    }
    return FAULT_NONE;
}
