#include "mapping/people_table.h"

#include "mapping/api_card.h"

static const struct people_type phone_types[] = {
    {"CELL,WORK", "workMobile"},
    {"FAX,HOME", "homeFax"},
    {"FAX,WORK", "workFax"},
    {"PAGER,WORK", "workPager"},
    {"FAX", "otherFax"},
    {"PAGER", "pager"},
    {"CELL", "mobile"},
    {"MAIN", "main"},
    {"HOME", "home"},
    {"WORK", "work"},
    {"", "other"},
    {NULL, NULL},
};

static const struct people_type place_types[] = {
    {"HOME", "home"},
    {"WORK", "work"},
    {"", "other"},
    {NULL, NULL},
};

static const struct people_type relation_types[] = {
    {"SPOUSE", "spouse"},
    {"CHILD", "child"},
    {"MOTHER", "mother"},
    {"FATHER", "father"},
    {"PARENT", "parent"},
    {"BROTHER", "brother"},
    {"SISTER", "sister"},
    {"FRIEND", "friend"},
    {"KIN", "relative"},
    {"PARTNER", "partner"},
    {"DOMESTICPARTNER", "domesticPartner"},
    {"MANAGER", "manager"},
    {"ASSISTANT", "assistant"},
    {"AGENT", "assistant"},
    {"REFERREDBY", "referredBy"},
    {NULL, NULL},
};

const char *const people_address_members[7] = {"poBox",  "extendedAddress", "streetAddress", "city",
                                               "region", "postalCode",      "country"};

/* The first row of a protocol is how it is written. */
const struct people_protocol people_protocols[] = {
    {"IMPP:SKYPE", "skype"},
    {"X-SKYPE", "skype"},
    {"X-SKYPE-USERNAME", "skype"},
    {"IMPP:XMPP", "jabber"},
    {"IMPP:JABBER", "jabber"},
    {"X-JABBER", "jabber"},
    {"IMPP:GOOGLETALK", "googleTalk"},
    {"X-GOOGLE-TALK", "googleTalk"},
    {"X-GTALK", "googleTalk"},
    {"IMPP:AIM", "aim"},
    {"X-AIM", "aim"},
    {"IMPP:ICQ", "icq"},
    {"X-ICQ", "icq"},
    {"IMPP:MSN", "msn"},
    {"X-MSN", "msn"},
    {"IMPP:YMSGR", "yahoo"},
    {"IMPP:YAHOO", "yahoo"},
    {"X-YAHOO", "yahoo"},
    {"IMPP:QQ", "qq"},
    {"X-QQ", "qq"},
    {"X-MATRIX", "matrix"},
    {NULL, NULL},
};

#define LOST_TYPES "several TYPE words at once beyond those Google knows; PREF beyond the order; a TYPE beside a label"

const struct people_row people_rows[] = {
    {FIELD_NAME_FAMILY, PEOPLE_NAME, "names", "familyName", NULL, "N", "several values are joined by a space"},
    {FIELD_NAME_GIVEN, PEOPLE_NAME, "names", "givenName", NULL, "N", "several values are joined by a space"},
    {FIELD_NAME_ADDITIONAL, PEOPLE_NAME, "names", "middleName", NULL, "N", "several values are joined by a space"},
    {FIELD_NAME_PREFIX, PEOPLE_NAME, "names", "honorificPrefix", NULL, "N", "several values are joined by a space"},
    {FIELD_NAME_SUFFIX, PEOPLE_NAME, "names", "honorificSuffix", NULL, "N", "several values are joined by a space"},
    {FIELD_PHONETIC_GIVEN, PEOPLE_NAME, "names", "phoneticGivenName", NULL, "X-PHONETIC-FIRST-NAME", NULL},
    {FIELD_PHONETIC_MIDDLE, PEOPLE_NAME, "names", "phoneticMiddleName", NULL, "X-PHONETIC-MIDDLE-NAME", NULL},
    {FIELD_PHONETIC_FAMILY, PEOPLE_NAME, "names", "phoneticFamilyName", NULL, "X-PHONETIC-LAST-NAME", NULL},
    {FIELD_FN, PEOPLE_FN, "names", "unstructuredName", NULL, "FN",
     "beside parts of a name: an FN that differs from them"},
    {FIELD_NICKNAME, PEOPLE_VALUE, "nicknames", "value", NULL, "NICKNAME", NULL},
    {FIELD_EMAIL, PEOPLE_VALUE, "emailAddresses", "value", place_types, "EMAIL", LOST_TYPES},
    {FIELD_TEL, PEOPLE_VALUE, "phoneNumbers", "value", phone_types, "TEL", LOST_TYPES},
    {FIELD_ADR, PEOPLE_PARTS, "addresses", NULL, place_types, "ADR", LOST_TYPES},
    {FIELD_ORG, PEOPLE_COMPANY, "organizations", "name", NULL, "ORG", "units beyond the first are joined by a comma"},
    {FIELD_TITLE, PEOPLE_POSITION, "organizations", "title", NULL, "TITLE", NULL},
    {FIELD_ROLE, PEOPLE_POSITION, "organizations", "jobDescription", NULL, "ROLE", NULL},
    {FIELD_BDAY, PEOPLE_BIRTHDAY, "birthdays", "date", NULL, "BDAY", "the time of day; a day without a month"},
    {FIELD_ANNIVERSARY, PEOPLE_EVENT, "events", "date", NULL, "ANNIVERSARY", "what is no date"},
    {FIELD_DATE, PEOPLE_EVENT, "events", "date", NULL, "X-ABDATE", "what is no date"},
    {FIELD_NOTE, PEOPLE_NOTE, "biographies", "value", NULL, "NOTE", NULL},
    {FIELD_URL, PEOPLE_VALUE, "urls", "value", place_types, "URL", LOST_TYPES},
    {FIELD_IMPP, PEOPLE_HANDLE, "imClients", "username", place_types, "IMPP", LOST_TYPES},
    {FIELD_IMPP, PEOPLE_SIP, "sipAddresses", "value", place_types, "IMPP", LOST_TYPES},
    {FIELD_RELATED, PEOPLE_PERSON, "relations", "person", relation_types, "RELATED", "a person told by UID or address"},
    {FIELD_CUSTOM, PEOPLE_CUSTOM, "userDefined", "value", NULL, "X-HUB-", NULL},
    {FIELD_X, PEOPLE_OWN, "userDefined", "value", NULL, PEOPLE_OWN_FIELD, "every other unknown property"},
    {FIELD_CATEGORY, PEOPLE_GROUP, "memberships", "contactGroupMembership", NULL, "CATEGORIES", NULL},
    {FIELD_PHOTO, PEOPLE_PHOTO, "photos", "url", NULL, "PHOTO",
     "a picture told by its address; size and format are Google's"},
};
const size_t people_rows_n = sizeof people_rows / sizeof *people_rows;

const struct people_row *people_row_at(size_t i)
{
    return i < people_rows_n ? &people_rows[i] : NULL;
}

void people_row_text(const struct people_row *row, struct buf *vcard, struct buf *api, const char **lost)
{
    buf_adds(vcard, row->property);
    if (row->kind == PEOPLE_NAME || row->kind == PEOPLE_COMPANY || row->kind == PEOPLE_CUSTOM)
        buf_addf(vcard, " (%s)", contact_fields[row->field].name);
    buf_adds(api, row->list);
    if (row->member) buf_addf(api, ".%s", row->member);
    if (row->kind == PEOPLE_COMPANY) buf_adds(api, ", .department");
    if (row->kind == PEOPLE_HANDLE) buf_adds(api, ", .protocol");
    if (row->kind == PEOPLE_PARTS) buf_adds(api, ".streetAddress, .city, ...");
    if (row->types || row->kind == PEOPLE_EVENT) buf_adds(api, ", .type");
    *lost = row->lost;
}

void people_base64(struct str bytes, struct buf *out)
{
    base64_encode(bytes, out);
}

void people_fields(struct buf *out)
{
    const char *last = "";
    for (size_t i = 0; i < people_rows_n; i++) {
        if (strcmp(people_rows[i].list, last) == 0) continue;
        last = people_rows[i].list;
        buf_addf(out, "%s%s", i ? "," : "", last);
    }
    buf_adds(out, ",clientData,externalIds,metadata");
}

/* -- entries -- */

bool people_is_output_only(const char *member)
{
    static const char *const members[] = {"metadata",      "formattedType",        "formattedProtocol",
                                          "canonicalForm", "displayNameLastFirst", "contactGroupId"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp(member, members[i]) == 0) return true;
    return false;
}

bool people_is_own(const json_t *entry)
{
    const char *type =
        json_string_value(json_object_get(json_object_get(json_object_get(entry, "metadata"), "source"), "type"));
    return json_is_object(entry) && (!type || strcmp(type, "CONTACT") == 0);
}

struct str people_text(const json_t *entry, const char *member)
{
    return json_member(entry, member);
}

const json_t *people_source(const json_t *person)
{
    const json_t *sources = json_object_get(json_object_get(person, "metadata"), "sources");
    for (size_t i = 0; i < json_array_size(sources); i++)
        if (str_eq(people_text(json_array_get(sources, i), "type"), STR("CONTACT"))) return json_array_get(sources, i);
    return NULL;
}

const char *people_client_data(const json_t *person, const char *key)
{
    const json_t *list = json_object_get(person, "clientData");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (str_eq(people_text(json_array_get(list, i), "key"), str_of(key)))
            return json_string_value(json_object_get(json_array_get(list, i), "value"));
    return NULL;
}

struct str people_uid(const json_t *person)
{
    const char *hidden = people_client_data(person, PEOPLE_KEY_UID);
    const json_t *list = json_object_get(person, "externalIds");
    if (hidden) return str_of(hidden);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (str_eq(people_text(json_array_get(list, i), "type"), STR(PEOPLE_UID_TYPE)))
            return people_text(json_array_get(list, i), "value");
    return STR_NONE;
}

const char *people_photo_url(const json_t *person)
{
    const json_t *list = json_object_get(person, "photos");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *photo = json_array_get(list, i);
        if (people_is_own(photo) && !json_is_true(json_object_get(photo, "default")) && people_text(photo, "url").n)
            return json_string_value(json_object_get(photo, "url"));
    }
    return NULL;
}
