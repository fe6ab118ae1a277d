/* The field table of Microsoft Graph: one row says which element of a card is which member of a contact. Private to
 * mapping/graph*.c. */
#ifndef ABGLEICH_GRAPH_TABLE_H
#define ABGLEICH_GRAPH_TABLE_H

#include "mapping/api_card.h"
#include "mapping/graph.h"

enum graph_kind {
    GRAPH_NAME,     /* a part of N */
    GRAPH_FN,       /* the name as shown */
    GRAPH_SORT,     /* the name as filed, where somebody chose it */
    GRAPH_TEXT,     /* one text */
    GRAPH_EMAIL,    /* an address, with the name beside it */
    GRAPH_PHONE,    /* a number of the row's TYPE words */
    GRAPH_ADDRESS,  /* an address of the row's TYPE words: five members */
    GRAPH_COMPANY,  /* ORG: company and department */
    GRAPH_DAY,      /* a day as an instant */
    GRAPH_CATEGORY, /* one of a list */
    GRAPH_HANDLE,   /* messenger: the name there */
    GRAPH_URL,      /* web page of the row's TYPE words */
    GRAPH_PERSON,   /* related person of the row's TYPE word */
    GRAPH_OWN,      /* a property that cards have no field for */
    GRAPH_PHOTO     /* requests of its own */
};

/* How the member looks in JSON. */
enum graph_form {
    FORM_ONE,     /* a text */
    FORM_LIST,    /* texts */
    FORM_MAILS,   /* objects with name and address */
    FORM_PLACE,   /* an object of five members */
    FORM_COMPANY, /* two texts: companyName and department */
    FORM_TAG,     /* an extended property, whose id is the row's member */
    FORM_NONE     /* no member */
};

struct graph_row {
    uint16_t field; /* enum contact_field */
    uint8_t kind;   /* enum graph_kind */
    uint8_t form;   /* enum graph_form */
    uint8_t most;   /* so many of a list; 0 = any number */
    bool spare;     /* FORM_TAG: a number to speak to, which without `carry` takes a free place elsewhere */
    const char *member;
    const char *words;    /* TYPE as the normal form has it: "FAX,HOME"; "" = none, NULL = not asked */
    const char *property; /* as written in cards */
    const char *lost;
};
extern const struct graph_row graph_rows[];
extern const size_t graph_rows_n;

/* The operation id's property: one GUID of ours for ever. */
#define GRAPH_OPERATION "String {a7d6c1f2-5b3e-4f0a-9c84-2e1b7d90c6aa} Name abgleich"
/* The birthday as a day, beside the instant (7): read and written with `carry`. */
#define GRAPH_LOCAL_BIRTHDAY "SystemTime {00062004-0000-0000-C000-000000000046} Id 0x80DE"
#define GRAPH_OWN_PROPERTY "X-PHONETIC-ORG"

/* Members of an address, in the order of the parts street to country of ADR. */
extern const char *const graph_place_members[5];

/* The row of a kind and field whose words an element's key has: the first that fits. NULL = none. */
const struct graph_row *graph_row_of(uint16_t field, struct str key);
/* The value of an extended property; {NULL,0} where it is not there. */
struct str graph_tag(const json_t *contact, const char *id);
/* Text that Outlook would show as an address of a person: not those it keeps for colleagues or could not read (2). */
bool graph_is_mail_address(struct str address);

#endif
