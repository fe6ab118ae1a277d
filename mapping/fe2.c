#include "mapping/fe2.h"

#include "base/i18n.h"
#include "mapping/phone.h"
#include "mapping/record_impl.h"
#include "mapping/text.h"
#include "mapping/vcard_fields.h"
#include "mapping/vcard_values.h"

#include <jansson.h>
#include <stdlib.h>

/* What one person is made of. */
struct making {
    const struct fe2_rules *rules;
    const struct record *r;
    struct arena *arena;
    json_t *before; /* NULL = new */
    struct buf warning;
    bool stops, has_pager;
};

static void warn(struct making *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void warn(struct making *m, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (m->warning.len) buf_adds(&m->warning, "; ");
    buf_vaddf(&m->warning, fmt, ap);
    va_end(ap);
}

/* -- reading the card -- */

static bool is_preferred(const struct record *r, const struct element *e)
{
    const struct property *p = &r->card->props[e->prop];
    const struct param *pref = property_param(p, "PREF");
    return property_has_type(p, "PREF") || (pref && pref->n_values && str_eq(pref->values[0], STR("1")));
}

/* The preferred element of a field, else the first of the card. word: a TYPE it must have; is_usable: what its value
 * must be; NULL = any. */
static const struct element *best(const struct making *m, uint16_t field, const char *word,
                                  bool (*is_usable)(const struct making *m, struct str value))
{
    size_t n;
    const struct element *e = record_elements(m->r, &n), *found = NULL;
    bool preferred = false;
    for (size_t i = 0; i < n; i++) {
        if (e[i].field->id != field || (word && !property_has_type(&m->r->card->props[e[i].prop], word))) continue;
        if (is_usable && !is_usable(m, e[i].value_text)) continue;
        bool is = is_preferred(m->r, &e[i]);
        if (found && (preferred > is || (preferred == is && found->prop < e[i].prop))) continue;
        found = &e[i];
        preferred = is;
    }
    return found;
}

static struct str text_of(const struct making *m, uint16_t field)
{
    const struct element *e = best(m, field, NULL, NULL);
    return e ? e->value_text : STR_NONE;
}

/* A field somebody keeps for FE2: X-APAGER, or the store's own field of that name. */
static struct str own_field(const struct making *m, const char *name)
{
    struct buf all AUTO_BUF = BUF_INIT;
    for (size_t i = 0; i < m->r->card->n_props; i++) {
        const struct property *p = &m->r->card->props[i];
        struct str rest = p->name;
        if (str_starts(rest, STR(CUSTOM_PREFIX)))
            rest = (struct str){rest.p + strlen(CUSTOM_PREFIX), rest.n - strlen(CUSTOM_PREFIX)};
        else if (str_starts(rest, STR("X-")))
            rest = (struct str){rest.p + 2, rest.n - 2};
        if (!str_eq_nocase(rest, str_of(name))) continue;
        struct str value = str_trim(vcard_unescape(m->arena, p->value, m->r->card->version));
        if (value.n && all.len) buf_addc(&all, ';');
        buf_addstr(&all, value);
    }
    return arena_str(m->arena, buf_str(&all));
}

/* -- numbers -- */

bool fe2_phone(struct str number, const char *region, struct buf *out)
{
    struct buf key AUTO_BUF = BUF_INIT;
    phone_key(number, region, &key);
    struct str e164 = buf_str(&key);
    size_t digits = 0;
    while (digits + 1 < e164.n && e164.p[digits + 1] >= '0' && e164.p[digits + 1] <= '9') digits++;
    /* ^00[1-9][0-9]{6,13}$ */
    if (!str_starts(e164, STR("+")) || digits + 1 != e164.n || digits < 7 || digits > 14 || e164.p[1] == '0')
        return false;
    buf_adds(out, "00");
    buf_add(out, e164.p + 1, e164.n - 1);
    return true;
}

static bool is_phone(const struct making *m, struct str value)
{
    struct buf number AUTO_BUF = BUF_INIT;
    return fe2_phone(value, m->rules->region, &number);
}

/* One address and nothing beside it: no name, no second one. */
static bool is_mail(const struct making *m, struct str value)
{
    size_t at = 0;
    (void)m;
    for (size_t i = 0; i < value.n; i++) {
        if ((unsigned char)value.p[i] <= ' ' || strchr("<>,;:\"", value.p[i])) return false;
        at += value.p[i] == '@';
    }
    return at == 1 && value.p[0] != '@' && value.p[value.n - 1] != '@';
}

/* -- the fields, in the order of FE2's own sample -- */

static json_t *json_of(struct str s)
{
    json_t *text = json_stringn(s.p ? s.p : "", s.n);
    return text ? text : json_string(""); /* what is no UTF-8 never comes out of a record */
}

static json_t *first_name(struct making *m)
{
    return json_of(text_of(m, FIELD_NAME_GIVEN));
}

static json_t *last_name(struct making *m)
{
    struct str family = text_of(m, FIELD_NAME_FAMILY);
    if (!family.n && !text_of(m, FIELD_NAME_GIVEN).n) family = text_of(m, FIELD_FN);
    return json_of(family);
}

static json_t *note(struct making *m)
{
    return json_of(m->rules->send_note ? text_of(m, FIELD_NOTE) : STR_NONE);
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

struct names {
    struct str *list;
    size_t n, cap;
};

static void add_name(struct making *m, struct names *names, struct str name)
{
    if (!name.n) return;
    for (size_t i = 0; i < names->n; i++)
        if (str_eq(names->list[i], name)) return;
    if (names->n == names->cap) {
        size_t cap = names->cap ? names->cap * 2 : 8;
        struct str *more = arena_alloc(m->arena, cap * sizeof *more);
        if (names->n) memcpy(more, names->list, names->n * sizeof *more);
        names->list = more;
        names->cap = cap;
    }
    names->list[names->n++] = name;
}

/* "F:AGT" says itself what it means; other categories mean what the tables say. */
static void add_category(struct making *m, enum fe2_table table, struct str category, struct names *names)
{
    static const char *const prefixes[FE2_TABLES] = {"F:", "G:", "A:"};
    if (str_starts_nocase(category, str_of(prefixes[table])))
        add_name(m, names, str_trim((struct str){category.p + 2, category.n - 2}));
    for (size_t i = 0; i < m->rules->n_rules; i++) {
        const struct fe2_rule *rule = &m->rules->rules[i];
        if (rule->table != table || !str_eq_nocase(str_of(rule->category), category)) continue;
        for (struct str rest = str_of(rule->names); rest.p;) add_name(m, names, str_trim(str_split(&rest, ',')));
    }
}

static json_t *names_of(struct making *m, enum fe2_table table)
{
    size_t n;
    struct names names = {NULL, 0, 0};
    const struct element *e = record_elements(m->r, &n);
    for (size_t i = 0; i < n; i++)
        if (e[i].field->id == FIELD_CATEGORY) add_category(m, table, e[i].value_text, &names);
    if (names.n) qsort(names.list, names.n, sizeof *names.list, by_text);
    json_t *list = json_array();
    for (size_t i = 0; i < names.n; i++) json_array_append_new(list, json_of(names.list[i]));
    return list;
}

static json_t *functions(struct making *m)
{
    return names_of(m, FE2_FUNCTIONS);
}

static json_t *groups(struct making *m)
{
    return names_of(m, FE2_GROUPS);
}

static json_t *alarm_groups(struct making *m)
{
    json_t *list = names_of(m, FE2_ALARM);
    if (!json_array_size(list)) warn(m, "%s", _("in no alarm group"));
    return list;
}

static bool is_digits(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return s.n > 0;
}

static json_t *issi(struct making *m)
{
    struct buf all AUTO_BUF = BUF_INIT;
    for (struct str rest = own_field(m, "ISSI"); rest.p && rest.n;) {
        struct str several = str_split(&rest, ';');
        while (several.p && several.n) {
            struct str one = str_trim(str_split(&several, ','));
            if (one.n && !is_digits(one)) warn(m, _("the ISSI \"%.*s\" is no number and is left out"), STR_ARG(one));
            if (!is_digits(one)) continue;
            if (all.len) buf_addc(&all, ';');
            buf_addstr(&all, one);
        }
    }
    return json_of(arena_str(m->arena, buf_str(&all)));
}

/* Which service an IMPP is for stands in its key (mapping/vcard_keys.c). */
static bool is_xmpp(const struct element *e)
{
    struct str rest = e->key_text;
    str_split(&rest, ';');
    struct str spelling = str_split(&rest, ';');
    return e->field->id == FIELD_IMPP && (str_eq(spelling, STR("IMPP:XMPP")) || str_eq(spelling, STR("IMPP:JABBER")) ||
                                          str_eq(spelling, STR("X-JABBER")));
}

/* "xmpp:anna@example.org?message" is an address and what to do with it. */
static json_t *xmpp(struct making *m)
{
    size_t n;
    const struct element *e = record_elements(m->r, &n);
    for (size_t i = 0; i < n; i++) {
        struct str rest = e[i].value_text;
        if (is_xmpp(&e[i])) return json_of(str_split(&rest, '?'));
    }
    return json_of(STR_NONE);
}

/* -- the pager: a mode that is given once and for good (fe2 2) -- */

static const char *mode_before(const struct making *m)
{
    const char *mode = m->before ? json_string_value(json_object_get(m->before, "aPagerProFieldMode")) : NULL;
    return mode && *mode ? mode : NULL;
}

static struct str pager_address(struct making *m)
{
    struct str address = own_field(m, "APAGER");
    if (!address.n && m->rules->pager_from_email) address = text_of(m, FIELD_EMAIL);
    return address;
}

static bool uses_token(struct making *m)
{
    const char *mode = mode_before(m);
    if (m->rules->version < FE2_MODES_SINCE) return false;
    if (!mode && m->before) return false; /* made when there were no tokens */
    return mode ? strcmp(mode, "TOKEN") == 0 : !pager_address(m).n;
}

static json_t *pager(struct making *m)
{
    struct str address = pager_address(m);
    struct buf number AUTO_BUF = BUF_INIT;
    m->has_pager = uses_token(m);
    if (m->has_pager) {
        if (address.n)
            warn(
                m, "%s",
                _("is paged by a token there and has a pager address here: to use it, delete the person in FE2 first"));
        return json_of(STR_NONE);
    }
    if (!address.n) return json_of(STR_NONE);
    bool mail = is_mail(m, address);
    if (!mail && !fe2_phone(address, m->rules->region, &number)) {
        warn(m, _("the pager address \"%.*s\" is no number FE2 takes and no mail address"), STR_ARG(address));
        m->stops = true;
        return json_of(STR_NONE);
    }
    m->has_pager = true;
    return json_of(mail ? address : buf_str(&number));
}

static json_t *email(struct making *m)
{
    const struct element *e = best(m, FIELD_EMAIL, NULL, is_mail);
    struct str first = text_of(m, FIELD_EMAIL);
    if (!e && first.n) warn(m, _("\"%.*s\" is no mail address and is left out"), STR_ARG(first));
    return json_of(e ? e->value_text : STR_NONE);
}

static json_t *mobile(struct making *m)
{
    const struct element *cell = best(m, FIELD_TEL, "CELL", is_phone);
    struct buf number AUTO_BUF = BUF_INIT;
    if (!cell) cell = best(m, FIELD_TEL, "CELL", NULL);
    if (cell && !fe2_phone(cell->value_text, m->rules->region, &number))
        warn(m, _("the mobile number \"%.*s\" is none FE2 takes and is left out"), STR_ARG(cell->value_text));
    return json_of(buf_str(&number));
}

/* Older versions do not know the field. */
static json_t *pager_mode(struct making *m)
{
    if (m->rules->version < FE2_MODES_SINCE) return NULL;
    return json_string(mode_before(m) ? mode_before(m) : uses_token(m) ? "TOKEN" : "LEGACY");
}

static const struct {
    const char *name;
    json_t *(*make)(struct making *m); /* NULL: the id */
    const char *from;
} fields[] = {
    {"externalDbId", NULL, N_("the contact's own id; never changes")},
    {"firstName", first_name, N_("given name")},
    {"lastName", last_name, N_("family name; a contact without parts: its whole name")},
    {"note", note, N_("the note, only with fe2.send_note = yes")},
    {"osFunctions", functions, N_("categories \"F:...\" and those of [fe2.functions]")},
    {"osGroups", groups, N_("categories \"G:...\" and those of [fe2.groups]")},
    {"alarmGroups", alarm_groups, N_("categories \"A:...\" and those of [fe2.alarm]")},
    {"issi", issi, N_("the field X-ISSI, several with ; between them")},
    {"xmpp", xmpp, N_("the first XMPP address")},
    {"aPagerPro", pager,
     N_("the field X-APAGER; with fe2.apager_from_email = yes the mail address; empty where tokens are used")},
    {"email", email, N_("the preferred mail address, else the first")},
    {"mobil", mobile, N_("the preferred mobile number, else the first, as 0049...")},
    {"aPagerProFieldMode", pager_mode, N_("from FE2 2.29: LEGACY with a pager address, else TOKEN; kept for good")},
};

const char *fe2_field_at(size_t i, const char **from)
{
    if (i >= sizeof fields / sizeof *fields) return NULL;
    *from = fields[i].from;
    return fields[i].name;
}

/* -- the whole -- */

static struct str who_of(struct making *m, const json_t *person)
{
    struct buf who AUTO_BUF = BUF_INIT;
    struct str mail = str_of(json_string_value(json_object_get(person, "email")));
    const char *name = arena_printf(m->arena, "%s %s", json_string_value(json_object_get(person, "lastName")),
                                    json_string_value(json_object_get(person, "firstName")));
    buf_addstr(&who, text_fold(m->arena, str_of(name)));
    buf_addc(&who, '\n');
    buf_addstr(&who, ascii_lower(m->arena, mail));
    return arena_str(m->arena, buf_str(&who));
}

static json_t *object_of(struct str text)
{
    return text.n ? json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL) : NULL;
}

enum fault_code fe2_person(const struct fe2_rules *rules, const struct record *r, struct str id, struct str before,
                           struct arena *arena, struct fe2_person *out, struct fault *f)
{
    struct making m = {.rules = rules, .r = r, .arena = arena, .before = object_of(before), .warning = BUF_INIT};
    json_t *person = json_object();
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        json_t *value = fields[i].make ? fields[i].make(&m) : json_of(id);
        if (value) json_object_set_new(person, fields[i].name, value);
    }
    *out = (struct fe2_person){.title = arena_str(arena, record_title(r)),
                               .who = who_of(&m, person),
                               .has_pager = m.has_pager,
                               .in_groups = json_array_size(json_object_get(person, "alarmGroups")) > 0,
                               .stops = m.stops};
    char *text = json_dumps(person, JSON_COMPACT | JSON_PRESERVE_ORDER);
    out->body = arena_str(arena, str_of(text));
    bool named = json_string_length(json_object_get(person, "lastName")) ||
                 json_string_length(json_object_get(person, "firstName"));
    free(text);
    json_decref(person);
    json_decref(m.before);
    out->warning = m.warning.len ? buf_detach(&m.warning) : NULL;
    buf_free(&m.warning);
    if (named) return FAULT_NONE;
    free(out->warning);
    out->warning = NULL;
    return fault_set(f, FAULT_REFUSED,
                     _("give the contact a name, or take it out by the link's filter; nothing was sent"),
                     _("a person without any name cannot be sent"));
}

/* -- what is lost -- */

static bool holds(const json_t *list, const char *name)
{
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry) if (strcmp(json_string_value(entry), name) == 0) return true;
    return false;
}

static void lost_groups(const json_t *before, const json_t *now, struct buf *out)
{
    struct buf names AUTO_BUF = BUF_INIT;
    const json_t *had = json_object_get(before, "alarmGroups"), *has = json_object_get(now, "alarmGroups");
    size_t i;
    json_t *entry;
    json_array_foreach(had, i, entry)
    {
        const char *name = json_string_value(entry);
        if (!name || holds(has, name)) continue;
        buf_addf(&names, "%s%s", names.len ? ", " : "", name);
    }
    if (names.len) buf_addf(out, _("is no longer in the alarm groups: %s"), buf_cstr(&names));
}

void fe2_lost(struct str before, struct str now, struct buf *out)
{
    json_t *old = object_of(before), *new = object_of(now);
    if (old && new) {
        lost_groups(old, new, out);
        bool had = json_string_length(json_object_get(old, "aPagerPro")) > 0,
             has = json_string_length(json_object_get(new, "aPagerPro")) > 0;
        if (had && !has) buf_addf(out, "%s%s", out->len ? "; " : "", _("has no pager address any more"));
    }
    json_decref(old);
    json_decref(new);
}

bool fe2_version_parse(struct str text, int *out)
{
    struct str rest = text, major = str_split(&rest, '.');
    long long a, b;
    if (!rest.p || !str_to_int64(major, &a) || !str_to_int64(rest, &b) || a < 1 || a > 99 || b < 0 || b > 99)
        return false;
    *out = FE2_VERSION((int)a, (int)b);
    return true;
}
