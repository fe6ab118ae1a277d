/* vCard layer (c): which property is which field, and how its value looks in normal form (protocols: vcard 9.1). One row a property.
 * Used inside mapping/ only. */
#ifndef ABGLEICH_VCARD_FIELDS_H
#define ABGLEICH_VCARD_FIELDS_H

#include "mapping/record.h"
#include "mapping/vcard.h"

/* Ids are in the journal: never renumber within one NORMALISER_VERSION. */
enum contact_field {
    FIELD_NAME_FAMILY = 1, FIELD_NAME_GIVEN, FIELD_NAME_ADDITIONAL, FIELD_NAME_PREFIX, FIELD_NAME_SUFFIX,
    FIELD_FN, FIELD_NICKNAME, FIELD_ORG, FIELD_TITLE, FIELD_ROLE, FIELD_TEL, FIELD_EMAIL, FIELD_ADR, FIELD_ADRLABEL,
    FIELD_URL, FIELD_IMPP, FIELD_BDAY, FIELD_ANNIVERSARY, FIELD_DEATHDATE, FIELD_DATE, FIELD_NOTE, FIELD_CATEGORY,
    FIELD_PHOTO, FIELD_LOGO, FIELD_SOUND, FIELD_KEY, FIELD_RELATED, FIELD_KIND, FIELD_MEMBER, FIELD_GENDER, FIELD_LANG,
    FIELD_TZ, FIELD_GEO, FIELD_SORT, FIELD_PHONETIC_GIVEN, FIELD_PHONETIC_MIDDLE, FIELD_PHONETIC_FAMILY, FIELD_CLASS, FIELD_X,
    FIELD_CUSTOM, FIELD_COUNT
};
extern const struct field contact_fields[FIELD_COUNT];

enum shape {
    SHAPE_IGNORE,  /* identity or bookkeeping: never an element */
    SHAPE_NAME,    /* N: five components, one element each */
    SHAPE_TEXT,    /* one text */
    SHAPE_LIST,    /* comma separated, one element an item */
    SHAPE_PARTS,   /* semicolon separated, one element of all parts */
    SHAPE_PHONE, SHAPE_EMAIL, SHAPE_URI, SHAPE_HANDLE, SHAPE_DATE, SHAPE_NOTE, SHAPE_BINARY, SHAPE_UID_REF, SHAPE_WORD, SHAPE_KIND,
    SHAPE_GEO,
    SHAPE_RAW      /* unknown: raw value */
};

enum property_row_flag {
    ROW_TYPES = 1,  /* TYPE set and label are part of the key */
    ROW_LABEL = 2,  /* the label alone is */
    ROW_NAME = 4    /* the property's own spelling is */
};

struct property_row {
    struct str name;
    uint16_t field; /* enum contact_field */
    uint8_t shape;
    uint8_t flags;
};

/* A custom field of the store travels as X-HUB-NAME (contactbox 9): it is one by its name, whatever a configuration says. */
#define CUSTOM_PREFIX "X-HUB-"

/* The row of a property name in upper case; custom fields share one, unknown names get the row of FIELD_X. Static memory. */
const struct property_row *property_row(struct str name);

/* "(year or -)-(month or -)-(day or -)"; false where it is no date: then the text itself is carried. X-APPLE-OMIT-YEAR and the year
 * 1604 mean "no year" (vcard 6). */
bool date_normal(struct str value, struct buf *out);

#endif
