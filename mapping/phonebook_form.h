/* A phonebook in the form a family of phones reads (protocols: directory 3-5, 8). Pure: entries in, bytes out. One row
 * a family. */
#ifndef ABGLEICH_PHONEBOOK_FORM_H
#define ABGLEICH_PHONEBOOK_FORM_H

#include "mapping/phonebook.h"

/* What is asked: the parameters of the address, decoded. */
struct form_query {
    const char *(*get)(void *ctx, const char *name); /* NULL = not there */
    void *ctx;
    const char *file; /* what follows the family's path: "tbook.xml"; "" = nothing */
    const char *url;  /* of the family's path, for links to further pages; the phones carry it anyway */
};

struct form_settings {
    const char *title;     /* the phonebook's name */
    enum number_form form; /* NUMBER_STORED: the family's own default */
    bool form_is_set;
    const char *line, *region;
};

/* The sorted phonebook in a family's form. False: this family has no such file. *type: content type, static. */
typedef bool form_writer(const struct phonebook *p, const struct form_settings *settings,
                         const struct form_query *query, struct buf *out, const char **type);

struct phone_family {
    const char *path; /* "yealink/v1" */
    const char *name; /* for people */
    bool posts;       /* asks with POST, too: answered as GET */
    enum number_form form;
    size_t name_max, number_max, entries_max; /* characters; 0 = not known */
    form_writer *write;
};
const struct phone_family *phone_family_at(size_t i); /* NULL at the end */
/* The family of "yealink/v1" or "yealink/v1/phonebook.xml"; *file is what follows. NULL = none. */
const struct phone_family *phone_family_of(const char *path, const char **file);

form_writer yealink_write, snom_write, gigaset_write;

/* -- for the writers -- */
/* Text of an element or attribute: escaped, without what XML 1.0 forbids, line breaks as blanks; at most `max`
 * characters (0 = all), cut at a character. */
void xml_add(struct buf *out, struct str text, size_t max);
/* "Özdemir, Lale": family name first; companies by their name. */
void entry_name(const struct phonebook_entry *e, struct buf *out);
/* How a number of the entry is dialled on this family; false = not at all. */
bool entry_dial(const struct phonebook_number *n, const struct form_settings *s, enum number_form family, size_t max,
                struct buf *out);
/* Is it the first of the entry that is dialled so? Phones slow down with doubles. */
bool entry_is_first(const struct phonebook_entry *e, size_t at, const struct form_settings *s, enum number_form family,
                    size_t max);
/* Does one number at least reach a phone? */
bool entry_is_dialled(const struct phonebook_entry *e, const struct form_settings *s, enum number_form family,
                      size_t max);
/* Is the folded text found in name or company? Empty: everything. */
bool entry_matches(const struct phonebook_entry *e, struct str folded);
int64_t query_number(const struct form_query *q, const char *name, int64_t otherwise);
#define XML_HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define XML_TYPE "text/xml; charset=utf-8"

#endif
