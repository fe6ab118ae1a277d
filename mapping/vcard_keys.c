#include "mapping/vcard_keys.h"

#include "mapping/text.h"

#include <stdlib.h>

/* TYPE words that writers add and drop without meaning anything (vcard 5 "Default TYPEs"). field 0: of any field. */
static const struct {
    struct str word;
    uint16_t field;
} default_types[] = {
    {{"INTERNET", 8}, 0}, {{"INTL", 4}, 0}, {{"OTHER", 5}, 0},  {{"PARCEL", 6}, 0},
    {{"POSTAL", 6}, 0},   {{"PREF", 4}, 0}, {{"X-NULL", 6}, 0}, {{"VOICE", 5}, FIELD_TEL},
};

/* Parameters that say how a value is written, not what it is. */
static const struct str silent_params[] = {
    {"TYPE", 4}, {"PREF", 4}, {"ENCODING", 8}, {"CHARSET", 7}, {"X-EVOLUTION-UI-SLOT", 19}, {"X-COUCHDB-UUID", 14},
};

static bool is_default_type(struct str word, uint16_t field)
{
    for (size_t i = 0; i < sizeof default_types / sizeof *default_types; i++)
        if ((!default_types[i].field || default_types[i].field == field) && str_eq(word, default_types[i].word))
            return true;
    return false;
}

static bool is_silent(const struct param *p)
{
    for (size_t i = 0; i < sizeof silent_params / sizeof *silent_params; i++)
        if (str_eq(p->name, silent_params[i])) return true;
    return str_eq(p->name, STR("VALUE")) && p->n_values && str_eq_nocase(p->values[0], STR("TEXT"));
}

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static size_t sort_unique(struct str *list, size_t n)
{
    if (n < 2) return n;
    qsort(list, n, sizeof *list, by_bytes);
    size_t kept = 1;
    for (size_t i = 1; i < n; i++)
        if (!str_eq(list[i], list[kept - 1])) list[kept++] = list[i];
    return kept;
}

/* The canonical TYPE set: upper case, sorted, once each, without defaults. Returns how many. */
static size_t canonical_types(const struct reader *r, const struct property *p, uint16_t field, struct str **out)
{
    size_t cap = 1, n = 0; /* AGENT is RELATED;TYPE=agent (vcard 8) */
    for (size_t i = 0; i < p->n_params; i++) cap += p->params[i].n_values;
    struct str *types = arena_alloc(r->arena, cap * sizeof *types);
    for (size_t i = 0; i < p->n_params; i++) {
        const struct param *param = &p->params[i];
        if (!str_eq(param->name, STR("TYPE"))) continue;
        for (size_t k = 0; k < param->n_values; k++) {
            struct str word = ascii_upper(r->arena, param->values[k]);
            if (str_eq(word, STR("MOBILE"))) word = STR("CELL");
            if (!is_default_type(word, field)) types[n++] = word;
        }
    }
    if (str_eq(p->name, STR("AGENT"))) types[n++] = STR("AGENT");
    *out = types;
    return sort_unique(types, n);
}

static void add_list(struct buf *out, const struct str *list, size_t n, char sep)
{
    for (size_t i = 0; i < n; i++) {
        if (i) buf_addc(out, sep);
        buf_addstr(out, list[i]);
    }
}

/* "IMPP:SKYPE": the service is named by a parameter (Apple) or by the scheme. */
static void add_spelling(const struct reader *r, const struct property *p)
{
    buf_addstr(r->scratch, p->name);
    if (!str_eq(p->name, STR("IMPP"))) return;
    const struct param *service = property_param(p, "X-SERVICE-TYPE");
    if (!service) service = property_param(p, "SERVICE-TYPE");
    struct str value = str_trim(p->value);
    size_t scheme = uri_scheme(value);
    struct str name =
        service && service->n_values ? service->values[0] : (struct str){value.p, scheme ? scheme - 1 : 0};
    if (!name.n) return;
    buf_addc(r->scratch, ':');
    buf_addstr(r->scratch, ascii_upper(r->arena, name));
}

static struct str finish(const struct reader *r)
{
    struct buf *b = r->scratch;
    size_t end = b->len;
    while (end && b->data[end - 1] == ';') end--;
    return arena_str(r->arena, (struct str){b->data, end});
}

static struct str key_text_custom(const struct reader *r, const struct property *p)
{
    buf_reset(r->scratch);
    buf_addf(r->scratch, "custom;%.*s", (int)(p->name.n - strlen(CUSTOM_PREFIX)), p->name.p + strlen(CUSTOM_PREFIX));
    return arena_str(r->arena, buf_str(r->scratch));
}

struct str key_text(const struct reader *r, const struct property_row *row, const struct property *p, struct str label)
{
    struct str name = str_of(contact_fields[row->field].name);
    if (row->field == FIELD_X) return key_text_unknown(r, p, label);
    if (row->field == FIELD_CUSTOM) return key_text_custom(r, p);
    bool with_label = label.n && (row->flags & (ROW_TYPES | ROW_LABEL));
    bool with_types = (row->flags & ROW_TYPES) && (p->n_params || str_eq(p->name, STR("AGENT")));
    struct str *types = NULL;
    size_t n = with_types ? canonical_types(r, p, row->field, &types) : 0;
    if (!n && !with_label && !(row->flags & ROW_NAME)) return name;
    buf_reset(r->scratch);
    buf_addstr(r->scratch, name);
    buf_addc(r->scratch, ';');
    if (row->flags & ROW_NAME) {
        add_spelling(r, p);
        buf_addc(r->scratch, ';');
    }
    add_list(r->scratch, types, n, ',');
    buf_addc(r->scratch, ';');
    if (with_label) buf_addstr(r->scratch, label);
    return finish(r);
}

struct str key_text_of_param(const struct reader *r, uint16_t field, const struct property *p)
{
    const struct property_row row = {STR_NONE, field, SHAPE_TEXT, ROW_TYPES};
    return key_text(r, &row, p, STR_NONE);
}

static struct str param_text(const struct reader *r, const struct param *p)
{
    buf_reset(r->scratch);
    buf_addstr(r->scratch, p->name);
    buf_addc(r->scratch, '=');
    add_list(r->scratch, p->values, p->n_values, ',');
    return arena_str(r->arena, buf_str(r->scratch));
}

static struct str types_text(const struct reader *r, const struct property *p)
{
    struct str *types;
    size_t n = canonical_types(r, p, FIELD_X, &types);
    if (!n) return STR_NONE;
    buf_reset(r->scratch);
    buf_adds(r->scratch, "TYPE=");
    add_list(r->scratch, types, n, ',');
    return arena_str(r->arena, buf_str(r->scratch));
}

struct str key_text_unknown(const struct reader *r, const struct property *p, struct str label)
{
    struct str *params = arena_alloc(r->arena, (p->n_params + 1) * sizeof *params);
    size_t n = 0;
    if (p->n_params) {
        params[n] = types_text(r, p);
        n += params[n].n > 0;
    }
    for (size_t i = 0; i < p->n_params; i++)
        if (p->params[i].n_values && !is_silent(&p->params[i])) params[n++] = param_text(r, &p->params[i]);
    n = sort_unique(params, n);
    buf_reset(r->scratch);
    buf_adds(r->scratch, "x;");
    buf_addstr(r->scratch, p->name);
    buf_addc(r->scratch, ';');
    add_list(r->scratch, params, n, '&');
    buf_addc(r->scratch, ';');
    buf_addstr(r->scratch, label);
    return finish(r);
}
