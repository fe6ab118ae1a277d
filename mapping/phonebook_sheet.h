/* What phones of a form get, line by line, before it is written: which numbers in which place, how they are dialled,
 * under which name; and what was left out, and why. The writers print its lines, "directory lint" its losses, from the
 * same rows: what a writer does not print, lint names (protocols: directory 2.3, 6, 9.1). Pure. */
#ifndef ABGLEICH_PHONEBOOK_SHEET_H
#define ABGLEICH_PHONEBOOK_SHEET_H

#include "mapping/phonebook_form.h"

/* The documents of the families. Each has one row in phonebook_rows.c. */
enum phone_form_id {
    FORM_YEALINK,
    FORM_YEALINK_BOOK,
    FORM_SNOM, /* the browser's directory and menu */
    FORM_SNOM_TBOOK,
    FORM_SNOM_TBOOK1,
    FORM_SNOM_DECT,
    FORM_SNOM_DECT_TEXT,
    FORM_SNOM_M100,
    FORM_GIGASET,
    FORM_GIGASET_BOOK,
    FORM_GRANDSTREAM,
    FORM_FRITZBOX,
    FORM_CISCO,
    FORM_FANVIL,
    PHONE_FORMS
};

enum { /* what may be dialled but digits */
       TAKES_PLUS = 1,
       TAKES_CODES = 2, /* * and # */
       TAKES_SIP = 4,   /* sip:user@host */
       TAKES_FAX = 8    /* has a place for fax numbers */
};

struct phone_form {
    const char *name;    /* "snom-dect" */
    const char *address; /* after the key: "snom/v1/directory.xml" */
    const char *title;   /* for people, to be translated */
    enum number_form number;
    unsigned takes;
    unsigned name_max, number_max; /* characters; 0 = not known */
    unsigned entries_max;          /* is not written beyond; 0 = no limit */
    unsigned entries_held;         /* is written, but phones are known to hold no more; 0 = not known */
    bool parts;                    /* family and given name apart, each of name_max */
    /* One line of the document has so many places for numbers; 0 = as many as there are. Each kind has its own, `width`
     * side by side; where they are taken, a number goes to any free one (shares), or to another line of the same name.
     */
    unsigned places, width;
    bool shares;
    bool home_first; /* numbers at work stand in the place of those at home where there are none */
    unsigned char place[PHONE_KINDS];
};
const struct phone_form *phone_form_of(enum phone_form_id id);

enum loss_kind {
    LOSS_NAME_CUT,
    LOSS_NAME_SPELLED, /* in other letters, or without what no phone shows */
    LOSS_FAX,          /* fax or pager: not for people */
    LOSS_UNDIALABLE,   /* letters, or no digit */
    LOSS_CHARACTERS,   /* a code or an address that this family cannot dial */
    LOSS_TOO_LONG,
    LOSS_DOUBLE,     /* the contact has it once already */
    LOSS_NO_NUMBER,  /* and so the contact is not there */
    LOSS_OVER_LIMIT, /* not written */
    LOSS_PHONE_FULL, /* written, but the phones hold less */
    LOSS_KINDS
};
const char *loss_word(enum loss_kind kind); /* "name-cut": for programs */
/* Does somebody miss it? A fax left out and a number twice nobody does. */
bool loss_counts(enum loss_kind kind);

struct loss { /* strings: until the sink returns */
    enum loss_kind kind;
    const struct phone_form *form;
    const struct phonebook_entry *entry;
    const struct phonebook_number *number; /* NULL: it is about the name, or the whole contact */
    struct str was, is;                    /* of names, and of numbers that are too long */
};
typedef void loss_sink(void *ctx, const struct loss *loss);
typedef bool entry_filter(void *ctx, const struct phonebook_entry *e);

struct sheet_number {
    struct str text; /* {NULL,0}: the place is free */
    enum phone_kind kind;
};
struct sheet_line {
    const struct phonebook_entry *entry;
    struct str name, family, given; /* name, or with `parts` the other two */
    struct sheet_number *numbers;   /* `places` of them, or n */
    size_t n;
};
struct sheet {
    struct arena arena;
    struct speller speller;
    const struct phone_form *form;
    struct sheet_line *lines;
    size_t n, cap, contacts, numbers;
};
#define AUTO_SHEET __attribute__((cleanup(sheet_free)))
void sheet_free(struct sheet *s);
/* takes: NULL = all entries. lost: NULL = nobody wants to know. */
struct sheet sheet_of(const struct phonebook *p, enum phone_form_id form, const struct form_settings *settings,
                      entry_filter *takes, void *takes_ctx, loss_sink *lost, void *lost_ctx);
/* Other text of a contact for this sheet's phones. */
struct str sheet_text(struct sheet *s, struct str text, size_t max);

#endif
