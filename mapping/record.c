#include "mapping/record_impl.h"

#include "mapping/phone.h"

#include "base/i18n.h"

const struct field *field_table(enum record_kind kind, size_t *n)
{
    *n = kind == RECORD_CONTACT ? FIELD_COUNT - 1 : 0;
    return kind == RECORD_CONTACT ? contact_fields + 1 : NULL; /* ids begin with 1 */
}

const struct field *field_by_id(enum record_kind kind, uint16_t id)
{
    size_t n;
    const struct field *table = field_table(kind, &n);
    return id >= 1 && id <= n ? &table[id - 1] : NULL;
}

struct record *record_new(struct arena *arena, enum record_kind kind, struct str bytes, const struct hash_key *key)
{
    struct record *r = arena_zalloc(arena, sizeof *r);
    *r = (struct record){.arena = arena, .kind = kind, .bytes = bytes, .key = *key};
    r->view = arena_zalloc(arena, sizeof *r->view);
    return r;
}

struct record *record_parse(struct arena *arena, enum record_kind kind, struct str bytes, const struct hash_key *key,
                            struct fault *why)
{
    if (kind != RECORD_CONTACT) {
        fault_set(why, FAULT_UNREADABLE, NULL, _("calendar events cannot be read yet"));
        return NULL;
    }
    struct record *r = record_new(arena, kind, bytes, key);
    if (vcard_parse(arena, bytes, &r->card, why) || vcard_check_limits(r->card, why)) return NULL;
    return r;
}

bool record_is_plain(enum record_kind kind, struct str bytes)
{
    return kind == RECORD_CONTACT && vcard_is_plain(bytes);
}

struct str record_guess_title(struct arena *arena, enum record_kind kind, struct str bytes)
{
    return kind == RECORD_CONTACT ? vcard_guess_title(arena, bytes) : STR_NONE;
}

static const struct record_view *view_of(const struct record *r)
{
    if (!r->view->made) {
        vcard_make_elements(r);
        r->view->made = true;
    }
    return r->view;
}

const struct element *record_elements(const struct record *r, size_t *n)
{
    const struct record_view *v = view_of(r);
    *n = v->n_elements;
    return v->elements;
}

const struct element *record_occurrences(const struct record *r, size_t *n)
{
    const struct record_view *v = view_of(r);
    *n = v->n_all;
    return v->all;
}

/* What is no public number keeps its own spelling as what it is. */
void record_equivalents(const struct record *r, const char *region)
{
    view_of(r);
    struct buf key AUTO_BUF = BUF_INIT;
    for (size_t i = 0; i < r->view->n_elements; i++) {
        struct element *e = &r->view->elements[i];
        if (!(e->field->flags & FIELD_PHONE) || e->same != e->value) continue;
        buf_reset(&key);
        phone_key(e->value_text, region, &key);
        if (!str_starts(buf_str(&key), STR("raw:"))) e->same = hash_str(&r->key, buf_str(&key));
    }
}

struct str record_title(const struct record *r)
{
    return vcard_title(r);
}

struct str record_uid(const struct record *r)
{
    return vcard_uid(r);
}

bool record_is_group(const struct record *r)
{
    return vcard_is_group(r->card);
}

struct str record_bytes(const struct record *r)
{
    return r->bytes;
}

unsigned record_version(const struct record *r)
{
    return r->card->version;
}

bool record_is_cut(const struct record *r)
{
    return r->card->flags & VCARD_CUT;
}

const char *record_remark(const struct record *r)
{
    unsigned flags = 0;
    for (size_t i = 0; i < r->card->n_props; i++) flags |= r->card->props[i].flags;
    const char *const remarks[] = {
        record_is_cut(r) ? _("the end is missing") : NULL,
        flags & PROPERTY_REPAIRED ? _("broken lines were joined") : NULL,
        flags & PROPERTY_GUESSED ? _("the character set was guessed") : NULL,
        r->card->flags & VCARD_CONVERTED ? _("converted from UTF-16") : NULL,
    };
    struct buf text AUTO_BUF = BUF_INIT;
    for (size_t i = 0; i < sizeof remarks / sizeof *remarks; i++) {
        if (!remarks[i]) continue;
        if (text.len) buf_adds(&text, ", ");
        buf_adds(&text, remarks[i]);
    }
    return text.len ? arena_strdup(r->arena, buf_str(&text)) : NULL;
}

void record_signals(const struct record *r, const char *region, struct arena *arena, struct signals *out)
{
    vcard_signals(r, region, arena, out);
}

bool record_each_property(const struct record *r, const char *name,
                          bool (*fn)(void *ctx, const struct record_property *p), void *ctx)
{
    for (size_t i = 0; i < r->card->n_props; i++) {
        const struct property *p = &r->card->props[i];
        if (!str_eq_nocase(p->name, str_of(name))) continue;
        const struct record_property seen = {p->group, vcard_unescape(r->arena, p->value, r->card->version), p};
        if (!fn(ctx, &seen)) return false;
    }
    return true;
}

bool record_each_param(const struct record_property *p, const char *name, bool (*fn)(void *ctx, struct str value),
                       void *ctx)
{
    for (size_t i = 0; i < p->of->n_params; i++) {
        const struct param *one = &p->of->params[i];
        if (!str_eq_nocase(one->name, str_of(name))) continue;
        for (size_t k = 0; k < one->n_values; k++)
            if (!fn(ctx, one->values[k])) return false;
    }
    return true;
}
