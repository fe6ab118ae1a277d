/* A card as what Graph is asked to hold. It reads elements, so every spelling a card may use is one here. */
#include "base/i18n.h"
#include "mapping/graph_table.h"
#include "mapping/vcard_values.h"

struct reading {
    struct arena *arena;
    const struct record *record;
    json_t *wanted;
    bool carry;
    size_t n_work_pages;
};

static json_t *list_of(struct reading *r, const char *member)
{
    json_t *list = json_object_get(r->wanted, member);
    if (list) return list;
    list = json_array();
    json_object_set_new(r->wanted, member, list);
    return list;
}

/* Short texts: Outlook refuses the whole contact for one that is longer (2). A note may be long. */
#define TEXT_MAX 255

static bool fits(struct str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) n += ((unsigned char)text.p[i] & 0xc0) != 0x80;
    return n <= TEXT_MAX;
}

/* A candidate, once. */
static void add(struct reading *r, const char *member, struct str text)
{
    if (!text.n || (!fits(text) && strcmp(member, "personalNotes") != 0)) return;
    json_t *list = list_of(r, member), *value = json_stringn(text.p, text.n);
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!json_equal(json_array_get(list, i), value)) continue;
        json_decref(value);
        return;
    }
    json_array_append_new(list, value);
}

/* -- one element -- */

static void want_phone(struct reading *r, const struct graph_row *row, const struct element *e)
{
    if (row->form != FORM_TAG || r->carry)
        add(r, row->member, e->value_text);
    else if (row->spare)
        add(r, "spare", e->value_text);
}

/* Street, extension and post box apart: where they stand depends on what is there. */
static void want_address(struct reading *r, const struct graph_row *row, const struct element *e)
{
    static const char *const parts[7] = {"box",   "extension",  "street",         "city",
                                         "state", "postalCode", "countryOrRegion"};
    struct str rest = e->value_text;
    json_t *place = json_object();
    for (size_t i = 0; i < 7 && rest.p; i++) {
        struct str part = str_trim(str_split(&rest, PART_SEPARATOR));
        if (fits(part)) json_set_member(place, parts[i], part);
    }
    json_array_append_new(list_of(r, row->member), place);
}

static void want_company(struct reading *r, const struct graph_row *row, const struct element *e)
{
    struct str rest = e->value_text, name = str_split(&rest, PART_SEPARATOR);
    json_t *company = json_object();
    struct str department = element_joined(r->arena, rest, ", ");
    if (fits(name)) json_set_member(company, "companyName", name);
    if (fits(department)) json_set_member(company, "department", department);
    json_array_append_new(list_of(r, row->member), company);
}

/* "1980-03-05" of the normal form; a day without one of its parts cannot be told there. */
static void want_day(struct reading *r, const struct graph_row *row, struct str value)
{
    char day[GRAPH_DAY_BYTES];
    if (value.n != 10) return;
    graph_day(value, day);
    if (str_eq(value, str_of(day)) && !str_starts(value, STR("1604-"))) add(r, row->member, value);
}

static void want_category(struct reading *r, const struct graph_row *row, struct str name)
{
    if (name.n && !memchr(name.p, ',', name.n) && !memchr(name.p, ';', name.n)) add(r, row->member, name);
}

/* "impp;IMPP:SIP;HOME" */
static void want_handle(struct reading *r, const struct graph_row *row, const struct element *e)
{
    struct str spelling = element_key_part(e->key_text, 1), value = str_trim(e->value_text);
    bool sips = str_eq(spelling, STR("IMPP:SIPS")), sip = sips || str_eq(spelling, STR("IMPP:SIP"));
    if (sip && value.n)
        add(r, row->member, str_of(arena_printf(r->arena, "%s:%.*s", sips ? "sips" : "sip", STR_ARG(value))));
    else
        add(r, row->member, value);
}

/* The page of the company first. */
static void want_page(struct reading *r, const struct element *e)
{
    const struct graph_row *row = graph_row_of(FIELD_URL, e->key_text);
    bool work = element_has_words(element_key_part(e->key_text, 1), STR("WORK"));
    if (row->form == FORM_TAG && r->carry) {
        add(r, row->member, e->value_text);
        return;
    }
    if (!fits(e->value_text)) return;
    json_t *list = list_of(r, "businessHomePage"), *value = json_stringn(e->value_text.p, e->value_text.n);
    if (work)
        json_array_insert_new(list, r->n_work_pages++, value);
    else
        json_array_append_new(list, value);
}

static void want_own(struct reading *r, const struct graph_row *row, const struct element *e)
{
    const struct vcard *c = r->record->card;
    if (!str_eq(element_key_part(e->key_text, 1), STR(GRAPH_OWN_PROPERTY))) return;
    add(r, row->member, vcard_normal_text(r->arena, c, &c->props[e->prop], c->props[e->prop].value));
}

static void want_photo(struct reading *r, const struct element *e)
{
    struct buf base64 AUTO_BUF = BUF_INIT;
    struct buf bytes AUTO_BUF = BUF_INIT;
    if (!element_photo(r->record, e, &base64) || !base64_decode(buf_str(&base64), &bytes)) return;
    if (graph_takes_photo(buf_str(&bytes))) json_set_member(r->wanted, "photo", buf_str(&base64));
}

static void want(struct reading *r, const struct graph_row *row, const struct element *e)
{
    if (row->form == FORM_TAG && !r->carry && !row->spare) return;
    switch ((enum graph_kind)row->kind) {
    case GRAPH_NAME:
        add(r, row->member, element_joined(r->arena, e->value_text, " "));
        break;
    case GRAPH_FN:
    case GRAPH_SORT:
    case GRAPH_TEXT:
        add(r, row->member, e->value_text);
        break;
    case GRAPH_EMAIL:
        if (graph_is_mail_address(e->value_text)) add(r, row->member, e->value_text);
        break;
    case GRAPH_PHONE:
        want_phone(r, row, e);
        break;
    case GRAPH_ADDRESS:
        want_address(r, row, e);
        break;
    case GRAPH_COMPANY:
        want_company(r, row, e);
        break;
    case GRAPH_DAY:
        want_day(r, row, e->value_text);
        break;
    case GRAPH_CATEGORY:
        want_category(r, row, e->value_text);
        break;
    case GRAPH_HANDLE:
        want_handle(r, row, e);
        break;
    case GRAPH_URL:
        want_page(r, e);
        break;
    case GRAPH_PERSON:
        if (!element_is_reference(r->record, e)) add(r, row->member, e->value_text);
        break;
    case GRAPH_OWN:
        want_own(r, row, e);
        break;
    case GRAPH_PHOTO:
        want_photo(r, e);
        break;
    }
}

/* -- the whole -- */

/* The name as shown is told always: Graph builds its own where it is not (2). */
static void want_shown_name(struct reading *r)
{
    if (!json_object_get(r->wanted, "displayName")) add(r, "displayName", vcard_built_name(r->arena, r->record->card));
}

json_t *graph_wanted(struct str card, bool carry, struct fault *f)
{
    static const struct hash_key any = {{0}}; /* hashes are not kept */
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct record *record = record_parse(&arena, RECORD_CONTACT, card, &any, f);
    if (!record) return NULL;
    if (record_is_group(record)) {
        fault_set(f, FAULT_REFUSED, _("it stays on the other side alone"),
                  _("Microsoft Graph cannot make distribution lists"));
        return NULL;
    }
    size_t n;
    const struct placed *list = elements_placed(&arena, record, &n);
    struct reading r = {.arena = &arena, .record = record, .wanted = json_object(), .carry = carry};
    for (size_t i = 0; i < n; i++) {
        const struct graph_row *row = graph_row_of(list[i].e->field->id, list[i].e->key_text);
        if (row) want(&r, row, list[i].e);
    }
    want_shown_name(&r);
    return r.wanted;
}
