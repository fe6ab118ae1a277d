/* A small record made from what a person typed: "tel;CELL" = "+49 ...". Written as card text and read back, so that there is one way
 * into a record. */
#include "mapping/record_impl.h"

#include "base/i18n.h"

#include <stdlib.h>

/* The property each field is written as. */
static const struct {
    uint16_t field;
    const char *property;
} written[] = {
    {FIELD_FN, "FN"},           {FIELD_NICKNAME, "NICKNAME"}, {FIELD_ORG, "ORG"},     {FIELD_TITLE, "TITLE"},
    {FIELD_ROLE, "ROLE"},       {FIELD_TEL, "TEL"},           {FIELD_EMAIL, "EMAIL"}, {FIELD_ADR, "ADR"},
    {FIELD_ADRLABEL, "LABEL"},  {FIELD_URL, "URL"},           {FIELD_IMPP, "IMPP"},   {FIELD_BDAY, "BDAY"},
    {FIELD_ANNIVERSARY, "X-ANNIVERSARY"}, {FIELD_NOTE, "NOTE"}, {FIELD_CATEGORY, "CATEGORIES"}, {FIELD_KIND, "X-ADDRESSBOOKSERVER-KIND"},
    {FIELD_GENDER, "X-GENDER"}, {FIELD_TZ, "TZ"},             {FIELD_GEO, "GEO"},     {FIELD_SORT, "SORT-STRING"},
    {FIELD_PHONETIC_GIVEN, "X-PHONETIC-FIRST-NAME"},          {FIELD_PHONETIC_FAMILY, "X-PHONETIC-LAST-NAME"},
    {FIELD_PHONETIC_MIDDLE, "X-PHONETIC-MIDDLE-NAME"},        {FIELD_CLASS, "CLASS"}, {FIELD_RELATED, "X-ABRELATEDNAMES"},
    {FIELD_MEMBER, "X-ADDRESSBOOKSERVER-MEMBER"},             {FIELD_LANG, "LANG"},
};

static const struct field *field_named(struct str name)
{
    for (uint16_t id = 1; id < FIELD_COUNT; id++)
        if (contact_fields[id].name && str_eq_nocase(str_of(contact_fields[id].name), name)) return &contact_fields[id];
    return NULL;
}

static const char *property_for(uint16_t field)
{
    for (size_t i = 0; i < sizeof written / sizeof *written; i++)
        if (written[i].field == field) return written[i].property;
    return NULL;
}

/* "X-HUB-KUNDENNUMMER" for the name KUNDENNUMMER; NULL where that cannot be one (RFC 6350 3.3: letters, digits, hyphens). */
static const char *custom_property(struct arena *arena, struct str name)
{
    bool fits = name.n > 0;
    for (size_t i = 0; i < name.n; i++)
        fits &= (name.p[i] >= 'A' && name.p[i] <= 'Z') || (name.p[i] >= '0' && name.p[i] <= '9') || name.p[i] == '-';
    return fits ? arena_printf(arena, CUSTOM_PREFIX "%.*s", STR_ARG(name)) : NULL;
}

static enum fault_code unknown_field(struct str name, struct fault *f)
{
    struct buf advice AUTO_BUF = BUF_INIT;
    buf_adds(&advice, _("fields: name.family, name.given"));
    for (size_t i = 0; i < sizeof written / sizeof *written; i++) buf_addf(&advice, ", %s", contact_fields[written[i].field].name);
    return fault_set(f, FAULT_USAGE, buf_cstr(&advice), _("there is no field \"%.*s\""), STR_ARG(name));
}

/* Parts typed as "Street 1; Town" are parts of an address, else one text. */
static void add_value(const struct field *field, struct str value, struct buf *out)
{
    bool parts = field->id == FIELD_ADR || field->id == FIELD_ORG || field->id == FIELD_GEO;
    if (!parts) {
        vcard_escape(out, value, VCARD_30);
        return;
    }
    for (size_t i = 0; value.p; i++) {
        if (i) buf_addc(out, ';');
        vcard_escape(out, str_trim(str_split(&value, ';')), VCARD_30);
    }
}

static void add_types(struct str types, struct buf *out)
{
    while (types.n) {
        struct str type = str_trim(str_split(&types, ','));
        bool plain = type.n > 0;
        for (size_t i = 0; i < type.n; i++) plain &= strchr(";:,\"\r\n", type.p[i]) == NULL;
        if (plain) buf_addf(out, ";TYPE=%.*s", STR_ARG(type));
    }
}

static void add_labelled(unsigned group, const char *property, struct str types, struct str label, struct buf *out)
{
    if (label.n) {
        buf_addf(out, "item%u.X-ABLabel:", group);
        vcard_escape(out, label, VCARD_30);
        buf_addf(out, "\r\nitem%u.", group);
    }
    buf_adds(out, property);
    add_types(types, out);
    buf_addc(out, ':');
}

struct record *record_from_pairs(struct arena *arena, enum record_kind kind, const struct str (*pairs)[2], size_t n,
                                 const struct hash_key *key, struct fault *f)
{
    struct buf text AUTO_BUF = BUF_INIT;
    struct str name[5] = {{NULL, 0}};
    bool named = false;
    buf_adds(&text, "BEGIN:VCARD\r\nVERSION:3.0\r\n");
    for (size_t i = 0; i < n; i++) {
        struct str rest = pairs[i][0], word = str_split(&rest, ';'), types = str_split(&rest, ';'), label = rest;
        const struct field *field = field_named(word);
        if (!field) {
            unknown_field(word, f);
            return NULL;
        }
        bool custom = field->id == FIELD_CUSTOM;
        const char *property = custom ? custom_property(arena, types) : property_for(field->id);
        if (custom) types = STR_NONE;
        if (field->id <= FIELD_NAME_SUFFIX) name[field->id - FIELD_NAME_FAMILY] = pairs[i][1], named = true;
        else if (!property) {
            unknown_field(word, f);
            return NULL;
        } else {
            add_labelled((unsigned)i + 1, property, types, label, &text);
            add_value(field, pairs[i][1], &text);
            buf_adds(&text, "\r\n");
        }
    }
    for (int i = 0; named && i < 5; i++) {
        buf_adds(&text, i ? ";" : "N:");
        vcard_escape(&text, name[i].p ? name[i] : STR(""), VCARD_30);
    }
    if (named) buf_adds(&text, "\r\n");
    buf_adds(&text, "END:VCARD\r\n");
    return record_parse(arena, kind, arena_str(arena, buf_str(&text)), key, f);
}
