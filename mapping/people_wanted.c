/* A card as what the API is asked to hold. It reads elements, so every spelling a card may use is one here. */
#include "base/i18n.h"
#include "mapping/api_card.h"
#include "mapping/people_table.h"
#include "mapping/vcard_values.h"

struct reading {
    struct arena *arena;
    const struct record *record;
    json_t *person;
};

static json_t *list_of(json_t *person, const char *name)
{
    json_t *list = json_object_get(person, name);
    if (list) return list;
    list = json_array();
    json_object_set_new(person, name, list);
    return list;
}

static json_t *add_entry(json_t *person, const char *name)
{
    json_t *entry = json_object();
    json_array_append_new(list_of(person, name), entry);
    return entry;
}

/* The one entry of names, birthdays, biographies: two are refused. */
static json_t *only_entry(json_t *person, const char *name)
{
    json_t *entry = json_array_get(list_of(person, name), 0);
    return entry ? entry : add_entry(person, name);
}

/* -- types -- */

/* "_$!<HomePage>!$_" is Apple's spelling of a word every program translates: "homePage". */
static struct str plain_label(struct arena *arena, struct str label)
{
    if (!str_starts(label, STR("_$!<")) || !str_ends(label, STR(">!$_")) || label.n < 9) return label;
    char *word = arena_strdup(arena, (struct str){label.p + 4, label.n - 8});
    if (word[0] >= 'A' && word[0] <= 'Z') word[0] = (char)(word[0] + 32);
    return str_of(word);
}

static struct str type_of(struct reading *r, const struct people_row *row, struct str words, struct str label)
{
    if (label.n) return plain_label(r->arena, label);
    for (const struct people_type *t = row->types; t && t->words && words.n; t++)
        if (*t->words && element_has_words(words, str_of(t->words))) return str_of(t->type);
    return STR_NONE;
}

static void set_type(struct reading *r, const struct people_row *row, json_t *entry, struct str words, struct str label)
{
    json_set_member(entry, "type", type_of(r, row, words, label));
}

/* -- one element -- */

static void want_value(struct reading *r, const struct people_row *row, const struct element *e)
{
    json_t *entry = add_entry(r->person, row->list);
    json_set_member(entry, row->member, e->value_text);
    set_type(r, row, entry, element_key_part(e->key_text, 1), element_key_rest(e->key_text, 2));
}

static void want_address(struct reading *r, const struct people_row *row, const struct element *e)
{
    struct str rest = e->value_text;
    json_t *entry = add_entry(r->person, row->list);
    for (size_t i = 0; i < 7 && rest.p; i++)
        json_set_member(entry, people_address_members[i], str_split(&rest, PART_SEPARATOR));
    set_type(r, row, entry, element_key_part(e->key_text, 1), element_key_rest(e->key_text, 2));
}

static struct str group_of(const struct reading *r, const struct element *e)
{
    return r->record->card->props[e->prop].group;
}

/* A title belongs to the company of its group, else to the first that has none. "group" is only for this. */
static json_t *organization_for(struct reading *r, const char *member, struct str group)
{
    json_t *list = list_of(r->person, "organizations");
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *entry = json_array_get(list, i);
        bool same = str_eq_nocase(people_text(entry, "group"), group);
        if ((!group.n || same) && !json_object_get(entry, member)) return entry;
    }
    json_t *entry = add_entry(r->person, "organizations");
    json_set_member(entry, "group", group);
    return entry;
}

static void want_company(struct reading *r, const struct people_row *row, const struct element *e)
{
    struct str rest = e->value_text, name = str_split(&rest, PART_SEPARATOR);
    json_t *entry = add_entry(r->person, row->list);
    json_set_member(entry, "group", group_of(r, e));
    json_set_member(entry, "name", name);
    json_set_member(entry, "department", element_joined(r->arena, rest, ", "));
}

static void want_position(struct reading *r, const struct people_row *row, const struct element *e)
{
    json_set_member(organization_for(r, row->member, group_of(r, e)), row->member, e->value_text);
}

/* "1980-03-05" with '-' for each part that is not there, as date_normal makes it. False: no date the API can hold. */
static bool set_date(json_t *entry, struct str value)
{
    static const char *const members[] = {"year", "month", "day"};
    static const size_t widths[] = {4, 2, 2};
    long long parts[3] = {0, 0, 0};
    if (str_starts(value, STR("t:"))) return false;
    for (size_t i = 0; i < 3; i++) {
        size_t n = value.n && value.p[0] == '-' ? 1 : widths[i];
        if (value.n < n || (n > 1 && !str_to_int64((struct str){value.p, n}, &parts[i]))) return false;
        value.p += n, value.n -= n;
        if (i < 2 && value.n) value.p++, value.n--;
    }
    if (!parts[1] && (parts[2] || !parts[0])) return false;
    json_t *date = json_object();
    for (size_t i = 0; i < 3; i++)
        if (parts[i]) json_object_set_new(date, members[i], json_integer(parts[i]));
    json_object_set_new(entry, "date", date);
    return true;
}

static void want_birthday(struct reading *r, const struct element *e)
{
    json_t *entry = json_object();
    if (str_starts(e->value_text, STR("t:")))
        json_set_member(entry, "text", (struct str){e->value_text.p + 2, e->value_text.n - 2});
    else
        set_date(entry, e->value_text);
    if (json_object_size(entry)) json_array_append(list_of(r->person, "birthdays"), entry);
    json_decref(entry);
}

static void want_event(struct reading *r, const struct people_row *row, const struct element *e)
{
    json_t *entry = json_object();
    bool anniversary = row->field == FIELD_ANNIVERSARY;
    if (set_date(entry, e->value_text)) {
        json_set_member(entry, "type", anniversary ? STR("anniversary") : plain_label(r->arena, element_key_rest(e->key_text, 2)));
        json_array_append(list_of(r->person, "events"), entry);
    }
    json_decref(entry);
}

static struct str protocol_of(struct reading *r, struct str spelling)
{
    for (const struct people_protocol *p = people_protocols; p->spelling; p++)
        if (str_eq(spelling, str_of(p->spelling))) return str_of(p->protocol);
    size_t prefix = str_starts(spelling, STR("IMPP:")) ? 5 : 0;
    return prefix ? ascii_lower(r->arena, (struct str){spelling.p + prefix, spelling.n - prefix}) : STR_NONE;
}

/* "impp;IMPP:SKYPE;HOME;label" */
static bool is_sip(const struct element *e)
{
    struct str spelling = element_key_part(e->key_text, 1);
    return str_eq(spelling, STR("IMPP:SIP")) || str_eq(spelling, STR("IMPP:SIPS"));
}

static void want_handle(struct reading *r, const struct people_row *row, const struct element *e)
{
    if (is_sip(e)) return;
    json_t *entry = add_entry(r->person, row->list);
    json_set_member(entry, row->member, e->value_text);
    json_set_member(entry, "protocol", protocol_of(r, element_key_part(e->key_text, 1)));
    set_type(r, row, entry, element_key_part(e->key_text, 2), element_key_rest(e->key_text, 3));
}

static void want_sip(struct reading *r, const struct people_row *row, const struct element *e)
{
    if (!is_sip(e)) return;
    json_t *entry = add_entry(r->person, row->list);
    json_set_member(entry, row->member, str_of(arena_printf(r->arena, "sip:%.*s", STR_ARG(e->value_text))));
    set_type(r, row, entry, element_key_part(e->key_text, 2), element_key_rest(e->key_text, 3));
}

static void want_person(struct reading *r, const struct people_row *row, const struct element *e)
{
    if (!element_is_reference(r->record, e)) want_value(r, row, e);
}

static void want_own(struct reading *r, const struct people_row *row, struct str name, struct str value)
{
    if (!name.n) return;
    json_t *entry = add_entry(r->person, row->list);
    json_set_member(entry, "key", name);
    json_set_member(entry, "value", value);
}

static struct str own_text(const struct reading *r, const struct element *e)
{
    const struct vcard *c = r->record->card;
    return vcard_normal_text(r->arena, c, &c->props[e->prop], c->props[e->prop].value);
}

static void want_photo(struct reading *r, const struct element *e)
{
    struct buf base64 AUTO_BUF = BUF_INIT;
    if (element_photo(r->record, e, &base64)) json_set_member(r->person, "photo", buf_str(&base64));
}

static void want(struct reading *r, const struct people_row *row, const struct element *e)
{
    switch ((enum people_kind)row->kind) {
    case PEOPLE_NAME:
        json_set_member(only_entry(r->person, row->list), row->member, element_joined(r->arena, e->value_text, " "));
        break;
    case PEOPLE_FN:
        break; /* want_whole_name */
    case PEOPLE_VALUE:
        want_value(r, row, e);
        break;
    case PEOPLE_PARTS:
        want_address(r, row, e);
        break;
    case PEOPLE_COMPANY:
        want_company(r, row, e);
        break;
    case PEOPLE_POSITION:
        want_position(r, row, e);
        break;
    case PEOPLE_BIRTHDAY:
        want_birthday(r, e);
        break;
    case PEOPLE_EVENT:
        want_event(r, row, e);
        break;
    case PEOPLE_NOTE:
        json_set_member(only_entry(r->person, row->list), row->member, e->value_text);
        break;
    case PEOPLE_HANDLE:
        want_handle(r, row, e);
        break;
    case PEOPLE_SIP:
        want_sip(r, row, e);
        break;
    case PEOPLE_PERSON:
        want_person(r, row, e);
        break;
    case PEOPLE_CUSTOM:
        want_own(r, row, element_key_rest(e->key_text, 1), e->value_text);
        break;
    case PEOPLE_OWN:
        if (str_eq(element_key_part(e->key_text, 1), STR(PEOPLE_OWN_FIELD)))
            want_own(r, row, element_key_rest(e->key_text, 3), own_text(r, e));
        break;
    case PEOPLE_GROUP:
        json_set_member(add_entry(r->person, row->list), "category", e->value_text);
        break;
    case PEOPLE_PHOTO:
        want_photo(r, e);
        break;
    }
}

/* -- the whole -- */

static void want_all(struct reading *r, const struct people_row *row, const struct placed *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].e->field->id == row->field) want(r, row, list[i].e);
}

/* Without parts the FN is the name, unless it only repeats the company or stands for having none. */
static void want_whole_name(struct reading *r, const struct placed *list, size_t n)
{
    static const char *const parts[] = {"familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix"};
    const json_t *name = json_array_get(json_object_get(r->person, "names"), 0);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (json_object_get(name, parts[i])) return;
    for (size_t i = 0; i < n; i++) {
        const struct element *e = list[i].e;
        if (e->field->id == FIELD_FN) json_set_member(only_entry(r->person, "names"), "unstructuredName", e->value_text);
    }
}

static void drop_marks(json_t *person)
{
    json_t *list = json_object_get(person, "organizations");
    for (size_t i = 0; i < json_array_size(list); i++) json_object_del(json_array_get(list, i), "group");
}

json_t *people_wanted(struct str card, struct fault *f)
{
    static const struct hash_key any = {{0}}; /* hashes are not kept */
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct record *record = record_parse(&arena, RECORD_CONTACT, card, &any, f);
    if (!record) return NULL;
    if (record_is_group(record)) {
        fault_set(f, FAULT_REFUSED, _("it stays on the other side alone"), _("Google has no distribution lists"));
        return NULL;
    }
    size_t n;
    const struct placed *list = elements_placed(&arena, record, &n);
    struct reading r = {&arena, record, json_object()};
    for (size_t i = 0; i < people_rows_n; i++) want_all(&r, &people_rows[i], list, n);
    want_whole_name(&r, list, n);
    drop_marks(r.person);
    return r.person;
}
