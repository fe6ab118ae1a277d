#include "mapping/vcard_fields.h"

#include "base/i18n.h"

#define ROW(id, name, label, arity, flags) [id] = {id, name, label, arity, flags}

const struct field contact_fields[FIELD_COUNT] = {
    ROW(FIELD_NAME_FAMILY, "name.family", N_("Family name"), ARITY_ONE, 0),
    ROW(FIELD_NAME_GIVEN, "name.given", N_("Given name"), ARITY_ONE, 0),
    ROW(FIELD_NAME_ADDITIONAL, "name.additional", N_("Further given names"), ARITY_ONE, 0),
    ROW(FIELD_NAME_PREFIX, "name.prefix", N_("Name prefix"), ARITY_ONE, 0),
    ROW(FIELD_NAME_SUFFIX, "name.suffix", N_("Name suffix"), ARITY_ONE, 0),
    ROW(FIELD_FN, "fn", N_("Displayed name"), ARITY_ONE, FIELD_DERIVED),
    ROW(FIELD_NICKNAME, "nickname", N_("Nickname"), ARITY_SET, 0),
    ROW(FIELD_ORG, "org", N_("Company"), ARITY_SET, 0),
    ROW(FIELD_TITLE, "title", N_("Job title"), ARITY_SET, 0),
    ROW(FIELD_ROLE, "role", N_("Role"), ARITY_SET, 0),
    ROW(FIELD_TEL, "tel", N_("Phone"), ARITY_SET, FIELD_PHONE),
    ROW(FIELD_EMAIL, "email", N_("E-mail"), ARITY_SET, 0),
    ROW(FIELD_ADR, "adr", N_("Address"), ARITY_SET, 0),
    ROW(FIELD_ADRLABEL, "adrlabel", N_("Address label"), ARITY_SET, 0),
    ROW(FIELD_URL, "url", N_("Web page"), ARITY_SET, 0),
    ROW(FIELD_IMPP, "impp", N_("Messenger"), ARITY_SET, 0),
    ROW(FIELD_BDAY, "bday", N_("Birthday"), ARITY_ONE, 0),
    ROW(FIELD_ANNIVERSARY, "anniversary", N_("Anniversary"), ARITY_ONE, 0),
    ROW(FIELD_DEATHDATE, "deathdate", N_("Date of death"), ARITY_ONE, 0),
    ROW(FIELD_DATE, "date", N_("Date"), ARITY_SET, 0),
    ROW(FIELD_NOTE, "note", N_("Note"), ARITY_TEXT, 0),
    ROW(FIELD_CATEGORY, "category", N_("Category"), ARITY_SET, 0),
    ROW(FIELD_PHOTO, "photo", N_("Photo"), ARITY_ONE, FIELD_BINARY),
    ROW(FIELD_LOGO, "logo", N_("Logo"), ARITY_SET, FIELD_BINARY),
    ROW(FIELD_SOUND, "sound", N_("Sound"), ARITY_SET, FIELD_BINARY),
    ROW(FIELD_KEY, "key", N_("Key"), ARITY_SET, FIELD_BINARY),
    ROW(FIELD_RELATED, "related", N_("Related person"), ARITY_SET, 0),
    ROW(FIELD_KIND, "kind", N_("Kind"), ARITY_ONE, 0),
    ROW(FIELD_MEMBER, "member", N_("Member"), ARITY_SET, 0),
    ROW(FIELD_GENDER, "gender", N_("Gender"), ARITY_ONE, 0),
    ROW(FIELD_LANG, "lang", N_("Language"), ARITY_SET, 0),
    ROW(FIELD_TZ, "tz", N_("Time zone"), ARITY_ONE, 0),
    ROW(FIELD_GEO, "geo", N_("Position"), ARITY_ONE, 0),
    ROW(FIELD_SORT, "sort", N_("Sort name"), ARITY_ONE, 0),
    ROW(FIELD_PHONETIC_GIVEN, "phonetic.given", N_("Given name (phonetic)"), ARITY_ONE, 0),
    ROW(FIELD_PHONETIC_MIDDLE, "phonetic.middle", N_("Further names (phonetic)"), ARITY_ONE, 0),
    ROW(FIELD_PHONETIC_FAMILY, "phonetic.family", N_("Family name (phonetic)"), ARITY_ONE, 0),
    ROW(FIELD_CLASS, "class", N_("Confidentiality"), ARITY_ONE, 0),
    ROW(FIELD_X, "x", N_("Other"), ARITY_SET, 0),
    ROW(FIELD_CUSTOM, "custom", N_("Own field"), ARITY_KEYED, FIELD_HUB_ONLY),
};

#define P(name, field, shape, flags) {{name, sizeof name - 1}, field, shape, flags}

/* Sorted by name, for the binary search. */
static const struct property_row rows[] = {
    P("ADR", FIELD_ADR, SHAPE_PARTS, ROW_TYPES),
    P("AGENT", FIELD_RELATED, SHAPE_UID_REF, ROW_TYPES),
    P("ANNIVERSARY", FIELD_ANNIVERSARY, SHAPE_DATE, 0),
    P("BDAY", FIELD_BDAY, SHAPE_DATE, 0),
    P("CATEGORIES", FIELD_CATEGORY, SHAPE_LIST, 0),
    P("CLASS", FIELD_CLASS, SHAPE_WORD, 0),
    P("CLIENTPIDMAP", 0, SHAPE_IGNORE, 0),
    P("CREATED", 0, SHAPE_IGNORE, 0),
    P("DEATHDATE", FIELD_DEATHDATE, SHAPE_DATE, 0),
    P("EMAIL", FIELD_EMAIL, SHAPE_EMAIL, ROW_TYPES),
    P("FN", FIELD_FN, SHAPE_TEXT, 0),
    P("GENDER", FIELD_GENDER, SHAPE_PARTS, 0),
    P("GEO", FIELD_GEO, SHAPE_GEO, 0),
    P("IMPP", FIELD_IMPP, SHAPE_HANDLE, ROW_TYPES | ROW_NAME),
    P("KEY", FIELD_KEY, SHAPE_BINARY, 0),
    P("KIND", FIELD_KIND, SHAPE_KIND, 0),
    P("LABEL", FIELD_ADRLABEL, SHAPE_TEXT, ROW_TYPES),
    P("LANG", FIELD_LANG, SHAPE_WORD, 0),
    P("LOGO", FIELD_LOGO, SHAPE_BINARY, 0),
    P("MEMBER", FIELD_MEMBER, SHAPE_UID_REF, 0),
    P("N", FIELD_NAME_FAMILY, SHAPE_NAME, 0),
    P("NICKNAME", FIELD_NICKNAME, SHAPE_LIST, 0),
    P("NOTE", FIELD_NOTE, SHAPE_NOTE, 0),
    P("ORG", FIELD_ORG, SHAPE_PARTS, 0),
    P("PHOTO", FIELD_PHOTO, SHAPE_BINARY, 0),
    P("PRODID", 0, SHAPE_IGNORE, 0),
    P("PROFILE", 0, SHAPE_IGNORE, 0),
    P("RELATED", FIELD_RELATED, SHAPE_UID_REF, ROW_TYPES),
    P("REV", 0, SHAPE_IGNORE, 0),
    P("ROLE", FIELD_ROLE, SHAPE_TEXT, 0),
    P("SORT-STRING", FIELD_SORT, SHAPE_TEXT, 0),
    P("SOUND", FIELD_SOUND, SHAPE_BINARY, 0),
    P("SOURCE", 0, SHAPE_IGNORE, 0),
    P("TEL", FIELD_TEL, SHAPE_PHONE, ROW_TYPES),
    P("TITLE", FIELD_TITLE, SHAPE_TEXT, 0),
    P("TZ", FIELD_TZ, SHAPE_TEXT, 0),
    P("UID", 0, SHAPE_IGNORE, 0),
    P("URL", FIELD_URL, SHAPE_URI, ROW_TYPES),
    P("VERSION", 0, SHAPE_IGNORE, 0),
    P("X-ABADR", 0, SHAPE_IGNORE, 0),
    P("X-ABDATE", FIELD_DATE, SHAPE_DATE, ROW_LABEL),
    P("X-ABLABEL", 0, SHAPE_IGNORE, 0),
    P("X-ABRELATEDNAMES", FIELD_RELATED, SHAPE_UID_REF, ROW_TYPES),
    P("X-ABSHOWAS", FIELD_KIND, SHAPE_KIND, 0),
    P("X-ABUID", 0, SHAPE_IGNORE, 0),
    P("X-ADDRESSBOOKSERVER-KIND", FIELD_KIND, SHAPE_KIND, 0),
    P("X-ADDRESSBOOKSERVER-MEMBER", FIELD_MEMBER, SHAPE_UID_REF, 0),
    P("X-AIM", FIELD_IMPP, SHAPE_HANDLE, ROW_TYPES | ROW_NAME),
    P("X-ANNIVERSARY", FIELD_ANNIVERSARY, SHAPE_DATE, 0),
    P("X-COUCHDB-UUID", 0, SHAPE_IGNORE, 0),
    P("X-EVOLUTION-E164", 0, SHAPE_IGNORE, 0),
    P("X-EVOLUTION-WEBDAV-ETAG", 0, SHAPE_IGNORE, 0),
    P("X-GENDER", FIELD_GENDER, SHAPE_PARTS, 0),
    P("X-GOOGLE-TALK", FIELD_IMPP, SHAPE_HANDLE, ROW_TYPES | ROW_NAME),
    P("X-GTALK", FIELD_IMPP, SHAPE_HANDLE, ROW_TYPES | ROW_NAME),
    P("X-ICQ", FIELD_IMPP, SHAPE_HANDLE, ROW_TYPES | ROW_NAME),
    P("X-IMAGEHASH", 0, SHAPE_IGNORE, 0),
    P("X-IMAGETYPE", 0, SHAPE_IGNORE, 0),
    P("X-JABBER", FIELD_IMPP, SHAPE_HANDLE, ROW_TYPES | ROW_NAME),
    P("X-MATRIX", FIELD_IMPP, SHAPE_HANDLE, ROW_TYPES | ROW_NAME),
    P("X-MSN", FIELD_IMPP, SHAPE_HANDLE, ROW_TYPES | ROW_NAME),
    P("X-NICKNAME", FIELD_NICKNAME, SHAPE_LIST, 0),
    P("X-PHONETIC-FIRST-NAME", FIELD_PHONETIC_GIVEN, SHAPE_TEXT, 0),
    P("X-PHONETIC-LAST-NAME", FIELD_PHONETIC_FAMILY, SHAPE_TEXT, 0),
    P("X-PHONETIC-MIDDLE-NAME", FIELD_PHONETIC_MIDDLE, SHAPE_TEXT, 0),
    P("X-PRODID", 0, SHAPE_IGNORE, 0),
    P("X-QQ", FIELD_IMPP, SHAPE_HANDLE, ROW_TYPES | ROW_NAME),
    P("X-RADICALE-NAME", 0, SHAPE_IGNORE, 0),
    P("X-SKYPE", FIELD_IMPP, SHAPE_HANDLE, ROW_TYPES | ROW_NAME),
    P("X-SKYPE-USERNAME", FIELD_IMPP, SHAPE_HANDLE, ROW_TYPES | ROW_NAME),
    P("X-YAHOO", FIELD_IMPP, SHAPE_HANDLE, ROW_TYPES | ROW_NAME),
};

static const struct property_row unknown = {{"", 0}, FIELD_X, SHAPE_RAW, ROW_LABEL};
static const struct property_row custom = {{"", 0}, FIELD_CUSTOM, SHAPE_TEXT, ROW_LABEL};

const struct property_row *property_row(struct str name)
{
    if (str_starts(name, STR(CUSTOM_PREFIX)) && name.n > strlen(CUSTOM_PREFIX)) return &custom;
    size_t low = 0, high = sizeof rows / sizeof *rows;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = str_cmp(name, rows[mid].name);
        if (!order) return &rows[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return &unknown;
}
