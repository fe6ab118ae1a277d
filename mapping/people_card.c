/* A person of the API as a vCard 3.0, which every program reads. The same person gives the same bytes. */
#include "mapping/api_card.h"
#include "mapping/people_table.h"
#include "mapping/vcard_values.h"

struct writing {
    struct buf *out;
    struct arena arena;
    const struct people_groups *groups;
    unsigned groups_made; /* itemN of labels */
};

/* -- lines -- */

/* The group says which label, or which company, belongs to it: "item3." */
static void begin(struct writing *w, struct buf *line, struct str label, const char *property)
{
    if (label.n) buf_addf(line, "item%u.", ++w->groups_made);
    buf_adds(line, property);
}

static void end(struct writing *w, struct buf *line, struct str label)
{
    card_line(&w->arena, w->out, buf_str(line));
    if (!label.n) return;
    struct buf text AUTO_BUF = BUF_INIT;
    buf_addf(&text, "item%u.X-ABLabel:", w->groups_made);
    vcard_escape(&text, label, VCARD_30);
    card_line(&w->arena, w->out, buf_str(&text));
}

/* -- types -- */

/* How the API spells words of its own that Apple's address book knows as well. */
static struct str label_of(struct str type)
{
    if (str_eq(type, STR("homePage"))) return STR("_$!<HomePage>!$_");
    if (str_eq(type, STR("anniversary"))) return STR("_$!<Anniversary>!$_");
    return type;
}

/* TYPE words of a type of this row; NULL: the type is free text and becomes a label. */
static const char *words_of(const struct people_row *row, struct str type)
{
    if (!type.n) return "";
    for (const struct people_type *t = row->types; t && t->words; t++)
        if (str_eq(type, str_of(t->type))) return t->words;
    return NULL;
}

/* Begins a line with property and TYPE; returns the label it needs. */
static struct str begin_typed(struct writing *w, struct buf *line, const struct people_row *row, const json_t *entry)
{
    struct str type = people_text(entry, "type");
    const char *words = words_of(row, type);
    struct str label = words ? STR_NONE : label_of(type);
    begin(w, line, label, row->property);
    if (words && *words) buf_addf(line, ";TYPE=%s", words);
    return label;
}

/* -- fields -- */

static void put_value(struct writing *w, const struct people_row *row, const json_t *entry)
{
    struct str value = people_text(entry, row->member);
    struct buf line AUTO_BUF = BUF_INIT;
    if (!value.n) return;
    struct str label = begin_typed(w, &line, row, entry);
    if (row->kind == PEOPLE_PERSON) buf_adds(&line, ";VALUE=text");
    buf_addc(&line, ':');
    if (row->field == FIELD_URL)
        card_add_uri(&line, value);
    else
        vcard_escape(&line, value, VCARD_30);
    end(w, &line, label);
}

static void put_address(struct writing *w, const struct people_row *row, const json_t *entry)
{
    struct buf line AUTO_BUF = BUF_INIT;
    bool any = false;
    for (size_t i = 0; i < 7; i++) any |= people_text(entry, people_address_members[i]).n > 0;
    if (!any) return;
    struct str label = begin_typed(w, &line, row, entry);
    for (size_t i = 0; i < 7; i++) {
        buf_addc(&line, i ? ';' : ':');
        vcard_escape(&line, people_text(entry, people_address_members[i]), VCARD_30);
    }
    end(w, &line, label);
}

static void put_name(struct writing *w, const json_t *name)
{
    static const char *const parts[] = {"familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix"};
    struct buf line AUTO_BUF = BUF_INIT;
    buf_addc(&line, 'N');
    for (size_t i = 0; i < 5; i++) {
        buf_addc(&line, i ? ';' : ':');
        vcard_escape(&line, people_text(name, parts[i]), VCARD_30);
    }
    card_line(&w->arena, w->out, buf_str(&line));
}

/* The name as shown, from the parts: what Google shows follows the language of the account. */
static void put_shown_name(struct writing *w, const json_t *person, const json_t *name)
{
    static const char *const parts[] = {"honorificPrefix", "givenName", "middleName", "familyName", "honorificSuffix"};
    struct buf shown AUTO_BUF = BUF_INIT;
    for (size_t i = 0; i < 5; i++) {
        struct str part = people_text(name, parts[i]);
        if (part.n && shown.len) buf_addc(&shown, ' ');
        buf_addstr(&shown, part);
    }
    if (!shown.len) buf_addstr(&shown, people_text(name, "unstructuredName"));
    const json_t *company = json_array_get(json_object_get(person, "organizations"), 0);
    if (!shown.len) buf_addstr(&shown, people_text(company, "name"));
    if (shown.len)
        card_text(&w->arena, w->out, "FN", buf_str(&shown));
    else
        buf_adds(w->out, "FN:\r\n");
}

static void put_names(struct writing *w, const json_t *person)
{
    const json_t *list = json_object_get(person, "names"), *name = NULL;
    for (size_t i = 0; !name && i < json_array_size(list); i++)
        if (people_is_own(json_array_get(list, i))) name = json_array_get(list, i);
    put_shown_name(w, person, name);
    put_name(w, name);
    for (size_t i = 0; i < people_rows_n; i++) {
        const struct people_row *row = &people_rows[i];
        if (row->kind == PEOPLE_NAME && *row->property == 'X')
            card_text(&w->arena, w->out, row->property, people_text(name, row->member));
    }
}

static void put_organization(struct writing *w, const json_t *entry, bool grouped)
{
    struct buf line AUTO_BUF = BUF_INIT;
    struct str name = people_text(entry, "name"), department = people_text(entry, "department");
    char group[32] = "";
    if (grouped) snprintf(group, sizeof group, "item%u.", ++w->groups_made);
    if (name.n || department.n) {
        buf_addf(&line, "%sORG:", group);
        vcard_escape(&line, name, VCARD_30);
        if (department.n) buf_addc(&line, ';');
        vcard_escape(&line, department, VCARD_30);
        card_line(&w->arena, w->out, buf_str(&line));
    }
    for (size_t i = 0; i < people_rows_n; i++) {
        const struct people_row *row = &people_rows[i];
        if (row->kind != PEOPLE_POSITION) continue;
        const char *property = arena_printf(&w->arena, "%s%s", group, row->property);
        card_text(&w->arena, w->out, property, people_text(entry, row->member));
    }
}

static int date_part(const json_t *date, const char *member, int max)
{
    json_int_t value = json_integer_value(json_object_get(date, member));
    return value > 0 && value <= max ? (int)value : 0;
}

/* ":1980-03-05"; without a year as Apple writes it, for 3.0 has no form of its own (vcard 6). False: no date. */
static bool add_date(struct buf *line, const json_t *date)
{
    int year = date_part(date, "year", 9999), month = date_part(date, "month", 12), day = date_part(date, "day", 31);
    if (month && day && !year)
        buf_addf(line, ";X-APPLE-OMIT-YEAR=1604:1604-%02d-%02d", month, day);
    else if (month && day)
        buf_addf(line, ":%04d-%02d-%02d", year, month, day);
    else if (year && month)
        buf_addf(line, ":%04d-%02d", year, month);
    else if (year && !day)
        buf_addf(line, ":%04d", year);
    else if (month && !day)
        buf_addf(line, ":--%02d", month);
    else
        return false;
    return true;
}

static void put_birthday(struct writing *w, const struct people_row *row, const json_t *entry)
{
    struct buf line AUTO_BUF = BUF_INIT;
    buf_adds(&line, row->property);
    if (add_date(&line, json_object_get(entry, "date")))
        card_line(&w->arena, w->out, buf_str(&line));
    else if (people_text(entry, "text").n) {
        buf_adds(&line, ";VALUE=text:");
        vcard_escape(&line, people_text(entry, "text"), VCARD_30);
        card_line(&w->arena, w->out, buf_str(&line));
    }
}

/* Both rows of events come here; each takes its own. */
static void put_event(struct writing *w, const struct people_row *row, const json_t *entry)
{
    struct buf line AUTO_BUF = BUF_INIT;
    struct str type = people_text(entry, "type");
    bool anniversary = str_eq(type, STR("anniversary"));
    if (anniversary != (row->field == FIELD_ANNIVERSARY)) return;
    struct str label = anniversary ? STR_NONE : type;
    begin(w, &line, label, row->property);
    if (add_date(&line, json_object_get(entry, "date")))
        end(w, &line, label);
    else if (label.n)
        w->groups_made--;
}

/* "IMPP:SKYPE" is written by its scheme, a service without one by Apple's parameter. */
static void put_handle(struct writing *w, const struct people_row *row, const json_t *entry)
{
    struct str user = people_text(entry, row->member), protocol = people_text(entry, "protocol");
    struct buf line AUTO_BUF = BUF_INIT;
    if (!user.n) return;
    struct str label = begin_typed(w, &line, row, entry), scheme = STR_NONE;
    for (const struct people_protocol *p = people_protocols; p->spelling && !scheme.n; p++)
        if (str_eq(protocol, str_of(p->protocol)) && !strncmp(p->spelling, "IMPP:", 5))
            scheme = str_of(p->spelling + 5);
    if (str_eq(protocol, STR("googleTalk")))
        buf_adds(&line, ";X-SERVICE-TYPE=GoogleTalk:xmpp:");
    else if (scheme.n)
        buf_addf(&line, ":%s:", ascii_lower(&w->arena, scheme).p);
    else if (protocol.n) {
        buf_adds(&line, ";X-SERVICE-TYPE=");
        card_add_word(&line, protocol);
        buf_adds(&line, ":x-apple:");
    } else
        buf_adds(&line, ":x-apple:");
    card_add_uri(&line, user);
    end(w, &line, label);
}

static void put_sip(struct writing *w, const struct people_row *row, const json_t *entry)
{
    struct str address = people_text(entry, row->member);
    struct buf line AUTO_BUF = BUF_INIT;
    if (!address.n) return;
    struct str label = begin_typed(w, &line, row, entry);
    bool whole = str_starts_nocase(address, STR("sip:")) || str_starts_nocase(address, STR("sips:"));
    buf_addf(&line, ":%s", whole ? "" : "sip:");
    card_add_uri(&line, address);
    end(w, &line, label);
}

/* A name in capitals is a custom field of the store, any other was given by a person there. */
static bool is_custom(struct str key)
{
    for (size_t i = 0; i < key.n; i++)
        if (!(key.p[i] >= 'A' && key.p[i] <= 'Z') && !(key.p[i] >= '0' && key.p[i] <= '9') && key.p[i] != '-')
            return false;
    return key.n > 0;
}

static void put_own(struct writing *w, const struct people_row *row, const json_t *entry)
{
    struct str key = people_text(entry, "key"), value = people_text(entry, "value");
    struct buf line AUTO_BUF = BUF_INIT;
    if (!key.n || !value.n || is_custom(key) != (row->kind == PEOPLE_CUSTOM)) return;
    struct str label = row->kind == PEOPLE_OWN ? key : STR_NONE;
    begin(w, &line, label, row->property);
    if (row->kind == PEOPLE_CUSTOM) buf_addstr(&line, key);
    buf_addc(&line, ':');
    vcard_escape(&line, value, VCARD_30);
    end(w, &line, label);
}

static void put_categories(struct writing *w, const json_t *list)
{
    struct buf line AUTO_BUF = BUF_INIT;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        struct str resource = people_text(json_object_get(entry, "contactGroupMembership"), "contactGroupResourceName");
        const char *name = resource.n && w->groups ? w->groups->name(w->groups->ctx, resource.p) : NULL;
        if (!name) continue;
        buf_adds(&line, line.len ? "," : "CATEGORIES:");
        vcard_escape(&line, str_of(name), VCARD_30);
    }
    if (line.len) card_line(&w->arena, w->out, buf_str(&line));
}

static size_t count_own(const json_t *list)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(list); i++) n += people_is_own(json_array_get(list, i));
    return n;
}

static void put_entry(struct writing *w, const struct people_row *row, const json_t *list, const json_t *entry)
{
    switch ((enum people_kind)row->kind) {
    case PEOPLE_VALUE:
    case PEOPLE_PERSON:
        put_value(w, row, entry);
        break;
    case PEOPLE_PARTS:
        put_address(w, row, entry);
        break;
    case PEOPLE_COMPANY:
        put_organization(w, entry, count_own(list) > 1);
        break;
    case PEOPLE_BIRTHDAY:
        put_birthday(w, row, entry);
        break;
    case PEOPLE_EVENT:
        put_event(w, row, entry);
        break;
    case PEOPLE_NOTE:
        card_text(&w->arena, w->out, row->property, people_text(entry, row->member));
        break;
    case PEOPLE_HANDLE:
        put_handle(w, row, entry);
        break;
    case PEOPLE_SIP:
        put_sip(w, row, entry);
        break;
    case PEOPLE_CUSTOM:
    case PEOPLE_OWN:
        put_own(w, row, entry);
        break;
    case PEOPLE_NAME:
    case PEOPLE_FN:
    case PEOPLE_POSITION:
    case PEOPLE_GROUP:
    case PEOPLE_PHOTO:
        break;
    }
}

/* Nicknames are items of one line: that is how the card's readers count them. */
static void put_rows(struct writing *w, const json_t *person)
{
    for (size_t i = 0; i < people_rows_n; i++) {
        const struct people_row *row = &people_rows[i];
        const json_t *list = json_object_get(person, row->list);
        for (size_t k = 0; k < json_array_size(list); k++)
            if (people_is_own(json_array_get(list, k))) put_entry(w, row, list, json_array_get(list, k));
    }
}

void people_card(const json_t *person, const struct people_groups *groups, struct str photo, struct buf *out)
{
    struct writing w = {.out = out, .arena = ARENA_INIT, .groups = groups};
    struct str uid = people_uid(person);
    buf_adds(out, "BEGIN:VCARD\r\nVERSION:3.0\r\n");
    card_text(&w.arena, out, "UID", uid.n ? uid : people_text(people_source(person), "id"));
    put_names(&w, person);
    put_rows(&w, person);
    put_categories(&w, json_object_get(person, "memberships"));
    card_photo(&w.arena, out, photo);
    buf_adds(out, "END:VCARD\r\n");
    arena_free(&w.arena);
}
