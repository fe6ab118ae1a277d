/* A contact as phones and scripts see it: names and numbers, nothing else (protocols: directory 2.3). Pure. Made from
 * records, merged from several books without doubles, sorted as a German phone book; written as CSV (directory_csv.h)
 * and in the forms phones read (phonebook_form.h). Used by server/directory*.c, connectors/directory.c and cli/. */
#ifndef ABGLEICH_PHONEBOOK_H
#define ABGLEICH_PHONEBOOK_H

#include "mapping/record.h"

enum phone_kind { PHONE_WORK, PHONE_HOME, PHONE_FAX, PHONE_MOBILE, PHONE_PAGER, PHONE_OTHER, PHONE_KINDS };
const char *phone_kind_name(enum phone_kind kind); /* "work": as in the CSV's column names */
/* May a person be called there? Not on a fax, not by a pager. */
static inline bool phone_is_voice(enum phone_kind kind)
{
    return kind != PHONE_FAX && kind != PHONE_PAGER;
}

struct phonebook_number {
    struct str text; /* as it was written */
    struct str e164; /* "+4940..."; {NULL,0}: a short number, a code, or nothing that can be dialled */
    uint8_t kind;    /* enum phone_kind */
};

struct phonebook_entry { /* strings in the phonebook's arena; {NULL,0} or empty = not there */
    struct str id;       /* stable: the record's */
    struct str display;  /* never empty */
    struct str family, given, company, department, position, email, birthday;
    struct phonebook_number *numbers;
    size_t n_numbers;
    unsigned source; /* which part of the phonebook it is from */
};

struct phonebook {
    struct arena arena;
    struct phonebook_entry *entries;
    size_t n, cap;
    const char *region;  /* for numbers: "DE"; borrowed */
    unsigned source;     /* of what is added from now on */
    bool as_written;     /* numbers are not looked at: e164 stays empty. For who only passes entries on */
    struct hash_key key; /* of the state: names and numbers come from strangers */
};
void phonebook_free(struct phonebook *p);
/* Text as it stands in an entry: one line, without control characters; runs of blanks are one. */
struct str phonebook_line(struct arena *arena, struct str s);
/* Adds what a contact is for phones; a card of a group, or without any name or number, is none. */
void phonebook_add(struct phonebook *p, const struct record *r, struct str id);
/* Adds a copy of what is there already, for making one book of several. */
struct phonebook_entry *phonebook_add_entry(struct phonebook *p, const struct phonebook_entry *e);

/* Makes doubles of different parts one (directory 2.4): the same mail address, or the same given and family name (or the
 * same company, of those without a person) with at most one mail address or a number in common. Earlier entries win
 * names; numbers are united. Returns how many were taken in; fn (NULL = nobody) hears of each before it is. */
typedef void phonebook_merged_fn(void *ctx, const struct phonebook_entry *into, const struct phonebook_entry *from,
                                 bool by_mail);
size_t phonebook_merge(struct phonebook *p, phonebook_merged_fn *fn, void *ctx);
/* By family name, given name, company, as DIN 5007 variant 2 (ä = ae), digits after letters; then by id, so that the
 * order never changes by itself (phonebook_sort.c). */
void phonebook_sort(struct phonebook *p);
/* Where in a sorted book names begin that stand at or after the text; p->n = nowhere. */
size_t phonebook_first_from(const struct phonebook *p, struct str text);

/* -- numbers as they are dialled (directory 6; phonebook_number.c) -- */
enum number_form {
    NUMBER_STORED,
    NUMBER_E164,     /* +4940... */
    NUMBER_IDD,      /* 004940... */
    NUMBER_NATIONAL, /* 040..., 0033... */
    NUMBER_PREFIX    /* the digit for a line outside, then as NUMBER_IDD */
};
bool number_form_parse(struct str word, enum number_form *out); /* "stored", "e164", "idd", "national", "prefix" */
const char *number_form_name(enum number_form form);
/* Appends what is to be dialled: digits, * and #, a + at the front, or "sip:user@host"; false, and nothing appended,
 * for what nobody can dial. line: put before what leaves the house ("0"); NULL = nothing. Not with NUMBER_E164, which
 * has no place for it. region: the country of "national". */
bool number_dial(const struct phonebook_number *n, enum number_form form, const char *line, const char *region,
                 struct buf *out);
/* As people write numbers: digits, * and #, a + at the front, and nothing else of it. False: there are letters, or no
 * digit. The extension after "x" or ";ext=" is left off; "(0)" after a country code, too. */
bool number_clean(struct str text, struct buf *out);

#endif
