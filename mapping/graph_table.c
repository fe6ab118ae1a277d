#include "mapping/graph_table.h"

#include "base/date.h"

#include <stdio.h>

const char *const graph_place_members[5] = {"street", "city", "state", "postalCode", "countryOrRegion"};

#define JOINED "several values are joined by a space"
#define LOST_PHONE "a label and further TYPE words"
#define LOST_PLACE                                                                                                     \
    "a second one; post box and extension stand in the street; a label, a position and further TYPE words"
#define CARRY "the row counts only with carry = yes; "

/* Of rows of one field the first whose words fit is the element's. */
const struct graph_row graph_rows[] = {
    {FIELD_NAME_FAMILY, GRAPH_NAME, FORM_ONE, 1, false, "surname", NULL, "N", JOINED},
    {FIELD_NAME_GIVEN, GRAPH_NAME, FORM_ONE, 1, false, "givenName", NULL, "N", JOINED},
    {FIELD_NAME_ADDITIONAL, GRAPH_NAME, FORM_ONE, 1, false, "middleName", NULL, "N", JOINED},
    {FIELD_NAME_PREFIX, GRAPH_NAME, FORM_ONE, 1, false, "title", NULL, "N", JOINED},
    {FIELD_NAME_SUFFIX, GRAPH_NAME, FORM_ONE, 1, false, "generation", NULL, "N", JOINED},
    {FIELD_FN, GRAPH_FN, FORM_ONE, 1, false, "displayName", NULL, "FN", NULL},
    {FIELD_SORT, GRAPH_SORT, FORM_ONE, 1, false, "fileAs", NULL, "SORT-STRING", "one made of words of the name"},
    {FIELD_PHONETIC_GIVEN, GRAPH_TEXT, FORM_ONE, 1, false, "yomiGivenName", NULL, "X-PHONETIC-FIRST-NAME", NULL},
    {FIELD_PHONETIC_FAMILY, GRAPH_TEXT, FORM_ONE, 1, false, "yomiSurname", NULL, "X-PHONETIC-LAST-NAME", NULL},
    {FIELD_X, GRAPH_OWN, FORM_ONE, 1, false, "yomiCompanyName", NULL, GRAPH_OWN_PROPERTY, NULL},
    {FIELD_NICKNAME, GRAPH_TEXT, FORM_ONE, 1, false, "nickName", NULL, "NICKNAME", "a second one"},
    {FIELD_EMAIL, GRAPH_EMAIL, FORM_MAILS, 3, false, "emailAddresses", NULL, "EMAIL",
     "the fourth and on; TYPE words and labels; what is no address (a comma, a blank, no @)"},
    {FIELD_TEL, GRAPH_PHONE, FORM_TAG, 1, false, "String 0x3A25", "FAX,HOME", "TEL", CARRY LOST_PHONE},
    {FIELD_TEL, GRAPH_PHONE, FORM_TAG, 1, false, "String 0x3A24", "FAX,WORK", "TEL", CARRY LOST_PHONE},
    {FIELD_TEL, GRAPH_PHONE, FORM_TAG, 1, false, "String 0x3A23", "FAX", "TEL", CARRY LOST_PHONE},
    {FIELD_TEL, GRAPH_PHONE, FORM_TAG, 1, false, "String 0x3A21", "PAGER", "TEL", CARRY LOST_PHONE},
    {FIELD_TEL, GRAPH_PHONE, FORM_TAG, 1, false, "String 0x3A2E", "X-ASSISTANT", "TEL", CARRY LOST_PHONE},
    {FIELD_TEL, GRAPH_PHONE, FORM_TAG, 1, true, "String 0x3A02", "X-CALLBACK", "TEL", CARRY LOST_PHONE},
    {FIELD_TEL, GRAPH_PHONE, FORM_TAG, 1, true, "String 0x3A1E", "CAR", "TEL", CARRY LOST_PHONE},
    {FIELD_TEL, GRAPH_PHONE, FORM_TAG, 1, true, "String 0x3A57", "MAIN", "TEL", CARRY LOST_PHONE},
    {FIELD_TEL, GRAPH_PHONE, FORM_ONE, 1, false, "mobilePhone", "CELL", "TEL", "a second one; " LOST_PHONE},
    {FIELD_TEL, GRAPH_PHONE, FORM_LIST, 2, false, "homePhones", "HOME", "TEL", "the third and on; " LOST_PHONE},
    {FIELD_TEL, GRAPH_PHONE, FORM_LIST, 2, false, "businessPhones", "WORK", "TEL", "the third and on; " LOST_PHONE},
    {FIELD_TEL, GRAPH_PHONE, FORM_TAG, 1, true, "String 0x3A1F", "", "TEL",
     "without carry = yes it takes a free place of WORK, else of HOME; " LOST_PHONE},
    {FIELD_ADR, GRAPH_ADDRESS, FORM_PLACE, 1, false, "homeAddress", "HOME", "ADR", LOST_PLACE},
    {FIELD_ADR, GRAPH_ADDRESS, FORM_PLACE, 1, false, "businessAddress", "WORK", "ADR", LOST_PLACE},
    {FIELD_ADR, GRAPH_ADDRESS, FORM_PLACE, 1, false, "otherAddress", "", "ADR", LOST_PLACE},
    {FIELD_ORG, GRAPH_COMPANY, FORM_COMPANY, 1, false, "companyName", NULL, "ORG",
     "a second company; units beyond the first are joined by a comma"},
    {FIELD_TITLE, GRAPH_TEXT, FORM_ONE, 1, false, "jobTitle", NULL, "TITLE", "a second one"},
    {FIELD_ROLE, GRAPH_TEXT, FORM_ONE, 1, false, "profession", NULL, "ROLE", "a second one"},
    {FIELD_BDAY, GRAPH_DAY, FORM_ONE, 1, false, "birthday", NULL, "BDAY",
     "a day without year, month or day, or before 1601; the time of day"},
    {FIELD_ANNIVERSARY, GRAPH_DAY, FORM_TAG, 1, false, "SystemTime 0x3A41", NULL, "ANNIVERSARY",
     CARRY "a day without year, month or day, or before 1601"},
    {FIELD_NOTE, GRAPH_TEXT, FORM_ONE, 1, false, "personalNotes", NULL, "NOTE", NULL},
    {FIELD_CATEGORY, GRAPH_CATEGORY, FORM_LIST, 0, false, "categories", NULL, "CATEGORIES",
     "one with a comma or a semicolon in it"},
    {FIELD_IMPP, GRAPH_HANDLE, FORM_LIST, 3, false, "imAddresses", NULL, "IMPP",
     "the fourth and on; the service (but for SIP), TYPE words and labels"},
    {FIELD_URL, GRAPH_URL, FORM_TAG, 1, true, "String 0x3A50", "HOME", "URL",
     "the row counts only with carry = yes; else as below"},
    {FIELD_URL, GRAPH_URL, FORM_ONE, 1, false, "businessHomePage", "", "URL",
     "a second one (WORK comes first); TYPE words and labels"},
    {FIELD_RELATED, GRAPH_PERSON, FORM_ONE, 1, false, "spouseName", "SPOUSE", "RELATED",
     "a second one; a person told by UID or address"},
    {FIELD_RELATED, GRAPH_PERSON, FORM_LIST, 0, false, "children", "CHILD", "RELATED",
     "a person told by UID or address"},
    {FIELD_RELATED, GRAPH_PERSON, FORM_ONE, 1, false, "manager", "MANAGER", "RELATED",
     "a second one; a person told by UID or address"},
    {FIELD_RELATED, GRAPH_PERSON, FORM_ONE, 1, false, "assistantName", "ASSISTANT", "RELATED",
     "a second one; a person told by UID or address; all other relations"},
    {FIELD_PHOTO, GRAPH_PHOTO, FORM_NONE, 1, false, "photo", NULL, "PHOTO",
     "what is no JPEG, is larger than 4 MB or told by its address; that it was taken away; size and quality are "
     "Outlook's"},
};
const size_t graph_rows_n = sizeof graph_rows / sizeof *graph_rows;

const struct graph_row *graph_row_at(size_t i)
{
    return i < graph_rows_n ? &graph_rows[i] : NULL;
}

void graph_row_text(const struct graph_row *row, struct buf *vcard, struct buf *api, const char **lost)
{
    buf_adds(vcard, row->property);
    if (row->words && *row->words) buf_addf(vcard, ";TYPE=%s", row->words);
    if (row->kind == GRAPH_NAME || row->kind == GRAPH_COMPANY)
        buf_addf(vcard, " (%s)", contact_fields[row->field].name);
    buf_adds(api, row->member);
    if (row->kind == GRAPH_COMPANY) buf_adds(api, ", department");
    if (row->kind == GRAPH_EMAIL) buf_adds(api, ".address");
    if (row->kind == GRAPH_ADDRESS) buf_adds(api, ".street, .city, ...");
    if (row->form == FORM_LIST || row->form == FORM_MAILS) {
        if (row->most)
            buf_addf(api, " (%u)", row->most);
        else
            buf_adds(api, " (any number)");
    }
    *lost = row->lost;
}

/* -- which row -- */

const struct graph_row *graph_row_of(uint16_t field, struct str key)
{
    struct str words = element_key_part(key, 1);
    if (field == FIELD_RELATED && element_has_words(words, STR("AGENT"))) words = STR("ASSISTANT"); /* vcard 8 */
    for (size_t i = 0; i < graph_rows_n; i++) {
        const struct graph_row *row = &graph_rows[i];
        if (row->field != field) continue;
        if (!row->words || (*row->words ? words.n && element_has_words(words, str_of(row->words)) : true)) return row;
    }
    return NULL;
}

/* -- requests -- */

void graph_fields(struct buf *out)
{
    buf_adds(out, "id,parentFolderId");
    for (size_t i = 0; i < graph_rows_n; i++) {
        const struct graph_row *row = &graph_rows[i];
        if (row->form == FORM_TAG || row->form == FORM_NONE) continue;
        buf_addf(out, ",%s", row->member);
        if (row->form == FORM_COMPANY) buf_adds(out, ",department");
    }
}

bool graph_is_whole(const json_t *contact)
{
    for (size_t i = 0; i < graph_rows_n; i++) {
        const struct graph_row *row = &graph_rows[i];
        if (row->form == FORM_TAG || row->form == FORM_NONE) continue;
        if (!json_object_get(contact, row->member)) return false;
    }
    return json_object_get(contact, "department") != NULL;
}

void graph_tags(struct buf *out)
{
    for (size_t i = 0; i < graph_rows_n; i++)
        if (graph_rows[i].form == FORM_TAG) buf_addf(out, "id eq '%s' or ", graph_rows[i].member);
    buf_adds(out, "id eq '" GRAPH_LOCAL_BIRTHDAY "'");
}

void graph_operation_tag(struct buf *out)
{
    buf_adds(out, "id eq '" GRAPH_OPERATION "'");
}

void graph_operation_filter(struct str operation, struct buf *out)
{
    buf_addf(out, "singleValueExtendedProperties/Any(ep: ep/id eq '" GRAPH_OPERATION "' and ep/value eq '%.*s')",
             STR_ARG(operation));
}

/* -- what is there -- */

/* Ids come back in another case ("String 0x3a24"). */
struct str graph_tag(const json_t *contact, const char *id)
{
    const json_t *list = json_object_get(contact, "singleValueExtendedProperties");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        if (str_eq_nocase(json_member(entry, "id"), str_of(id))) return json_member(entry, "value");
    }
    return STR_NONE;
}

bool graph_is_mail_address(struct str address)
{
    bool at = false;
    if (str_starts_nocase(address, STR("/o="))) return false; /* X.500: a colleague in the same house */
    for (size_t i = 0; i < address.n; i++) {
        unsigned char c = (unsigned char)address.p[i];
        if (c <= ' ' || c == ',' || c == ';' || c == 0x7f) return false;
        at |= c == '@' && i;
    }
    return at;
}

#define PHOTO_MAX_BYTES (4u << 20)

bool graph_takes_photo(struct str bytes)
{
    return str_starts(bytes, STR("\xff\xd8\xff")) && bytes.n <= PHOTO_MAX_BYTES;
}

/* -- days -- */

static bool digits(struct str *s, size_t n, int *out)
{
    if (s->n < n) return false;
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9') return false;
        *out = *out * 10 + (s->p[i] - '0');
    }
    s->p += n, s->n -= n;
    return true;
}

static bool mark(struct str *s, char c)
{
    if (!s->n || s->p[0] != c) return false;
    s->p++, s->n--;
    return true;
}

struct instant {
    int year, month, day, minutes,
        seconds; /* minutes since midnight, UTC: beyond a day after an offset was taken off */
};

static bool read_offset(struct str s, int *minutes)
{
    int hours = 0, rest = 0;
    *minutes = 0;
    if (!s.n || s.p[0] == 'Z' || s.p[0] == 'z') return true;
    bool behind = s.p[0] == '-';
    if (!behind && s.p[0] != '+') return false;
    s.p++, s.n--;
    if (!digits(&s, 2, &hours)) return false;
    mark(&s, ':');
    if (s.n && !digits(&s, 2, &rest)) return false;
    *minutes = (behind ? -1 : 1) * (hours * 60 + rest);
    return true;
}

static bool read_instant(struct str s, struct instant *out)
{
    int hour = 0, minute = 0, offset = 0;
    *out = (struct instant){0};
    if (!digits(&s, 4, &out->year) || !mark(&s, '-') || !digits(&s, 2, &out->month) || !mark(&s, '-') ||
        !digits(&s, 2, &out->day) || out->month < 1 || out->month > 12 || out->day < 1 ||
        out->day > date_days_in(out->year, out->month))
        return false;
    if (!s.n) return true;
    if (!mark(&s, 'T') || !digits(&s, 2, &hour) || !mark(&s, ':') || !digits(&s, 2, &minute)) return false;
    if (mark(&s, ':') && !digits(&s, 2, &out->seconds)) return false;
    if (mark(&s, '.'))
        while (s.n && s.p[0] >= '0' && s.p[0] <= '9') s.p++, s.n--;
    if (!read_offset(s, &offset)) return false;
    out->minutes = hour * 60 + minute - offset;
    return true;
}

static void next_day(struct instant *t)
{
    if (++t->day <= date_days_in(t->year, t->month)) return;
    t->day = 1;
    if (++t->month <= 12) return;
    t->month = 1;
    t->year++;
}

static void day_before(struct instant *t)
{
    if (--t->day >= 1) return;
    if (--t->month < 1) {
        t->month = 12;
        t->year--;
    }
    t->day = date_days_in(t->year, t->month);
}

/* Programs store midnight or noon of their own time zone. Up to 12:59 UTC it is that day; from 13:00 on, where it is a
 * whole or half hour as zones have them, midnight of the day that begins then somewhere in the east. */
#define AFTERNOON (13 * 60)
#define DAY_MINUTES (24 * 60)

void graph_day(struct str instant, char out[GRAPH_DAY_BYTES])
{
    struct instant t;
    out[0] = '\0';
    if (!read_instant(instant, &t)) return;
    if (t.minutes < 0) day_before(&t), t.minutes += DAY_MINUTES;
    if (t.minutes >= DAY_MINUTES) next_day(&t), t.minutes -= DAY_MINUTES;
    if (t.minutes >= AFTERNOON && t.minutes % 30 == 0 && !t.seconds) next_day(&t);
    if (t.year < 1601 || t.year > 4500) return; /* below: no time of Windows; 4501: Outlook's "none" */
    snprintf(out, GRAPH_DAY_BYTES, "%04u-%02u-%02u", (unsigned)t.year % 10000, (unsigned)t.month % 100,
             (unsigned)t.day % 100);
}
