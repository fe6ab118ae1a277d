/* The field table of the People API: one row says which element of a card is which member of which list. Private to
 * mapping/people*.c. */
#ifndef ABGLEICH_PEOPLE_TABLE_H
#define ABGLEICH_PEOPLE_TABLE_H

#include "mapping/people.h"
#include "mapping/record_impl.h"

enum people_kind {
    PEOPLE_NAME,     /* a member of the one name */
    PEOPLE_FN,       /* the whole name, where there are no parts */
    PEOPLE_VALUE,    /* one entry an element, with a type where the row has types */
    PEOPLE_PARTS,    /* an address: seven members */
    PEOPLE_COMPANY,  /* name and department of an organisation */
    PEOPLE_POSITION, /* another member of an organisation */
    PEOPLE_BIRTHDAY, /* the one birthday: date or text */
    PEOPLE_EVENT,    /* date and type */
    PEOPLE_NOTE,     /* the one biography */
    PEOPLE_HANDLE,   /* messenger: user name and protocol */
    PEOPLE_SIP,      /* messenger whose protocol is SIP: a list of its own */
    PEOPLE_PERSON,   /* a related person by name */
    PEOPLE_CUSTOM,   /* a custom field of the store: X-HUB-NAME */
    PEOPLE_OWN,      /* a field somebody named there: X-GOOGLE-FIELD with a label */
    PEOPLE_GROUP,    /* category: group membership */
    PEOPLE_PHOTO     /* a call of its own */
};

/* TYPE words as the normal form has them (upper case, sorted) and the API's type. The first row that fits counts. */
struct people_type {
    const char *words, *type;
};

struct people_row {
    uint16_t field; /* enum contact_field */
    uint8_t kind;   /* enum people_kind */
    const char *list, *member;
    const struct people_type *types; /* NULL = none */
    const char *property;            /* as written in cards */
    const char *lost;
};
extern const struct people_row people_rows[];
extern const size_t people_rows_n;

/* Members of an address in the order of ADR. */
extern const char *const people_address_members[7];

/* Protocols of messengers: the scheme or X-name in the key of an element, and the API's word. NULL ends. */
struct people_protocol {
    const char *spelling, *protocol;
};
extern const struct people_protocol people_protocols[];

#define PEOPLE_OWN_FIELD "X-GOOGLE-FIELD"

/* Members of entries that only the API writes. */
bool people_is_output_only(const char *member);
/* Is an entry of this list the contact's own, not its profile's? */
bool people_is_own(const json_t *entry);
/* A text member; {NULL,0} where it is missing, empty or no text. */
struct str people_text(const json_t *entry, const char *member);

#endif
