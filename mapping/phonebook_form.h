/* A phonebook as families of phones ask for it (protocols: directory 3-8). Pure: entries in, bytes out. One row a
 * family; what a family's documents hold is laid out by phonebook_sheet.h, so that "directory lint" sees what the
 * phones see. */
#ifndef ABGLEICH_PHONEBOOK_FORM_H
#define ABGLEICH_PHONEBOOK_FORM_H

#include "mapping/phonebook.h"
#include "mapping/phonebook_text.h"

/* What is asked: the parameters of the address, decoded. */
struct form_query {
    const char *(*get)(void *ctx, const char *name); /* NULL = not there */
    void *ctx;
    const char *file; /* what follows the family's path: "tbook.xml"; "" = nothing */
    const char *url;  /* of the family's path, for links to further pages; the phones carry it anyway */
    const char *pass; /* goes with links as "pass", in place of the password, which phones leave behind; NULL = none */
};

/* How one phonebook is read. All zero but title: each family's own way. Strings are borrowed. */
struct form_settings {
    const char *title;     /* the phonebook's name */
    enum number_form form; /* if form_is_set */
    bool form_is_set;
    const char *line;   /* NULL = none */
    const char *region; /* "DE" */
    const char *area;   /* "40" or "040": for callers that are signalled without it; NULL = not known */
    bool fax;           /* fax and pager numbers, too, where the family has a place for them */
    bool company;       /* "Özdemir, Lale (Nordlicht GmbH)", where the name is one text */
    enum name_letters letters;
    size_t max; /* entries at most, in files that phones load whole; 0 = as many as the family takes */
};
/* What people may set for a phonebook: "number", "line", "area", "country", "include_fax", "names", "company". False:
 * no such key, or a value it does not have. The value is borrowed. */
bool form_setting_take(struct form_settings *s, struct str key, const char *value);

typedef bool form_writer(const struct phonebook *p, const struct form_settings *settings,
                         const struct form_query *query, struct buf *out, const char **type);

struct phone_family {
    const char *path; /* "yealink/v1" */
    const char *name; /* for people */
    bool posts;       /* asks with POST, too: answered as GET */
    form_writer *write;
    const char *parameters; /* it reads, with blanks between; no writer sees others */
};
const struct phone_family *phone_family_at(size_t i); /* NULL at the end */
/* The family of "yealink/v1" or "yealink/v1/phonebook.xml"; *file is what follows. NULL = none. */
const struct phone_family *phone_family_of(const char *path, const char **file);
/* The sorted phonebook as the query asks for it. False: this family has no such file. *type: content type, static. */
bool phone_family_write(const struct phone_family *family, const struct phonebook *p, const struct form_settings *own,
                        const struct form_query *query, struct buf *out, const char **type);
/* The parameters an answer of this family depends on, those that were given. */
void phone_family_each_parameter(const struct phone_family *family, const struct form_query *query,
                                 void (*fn)(void *ctx, const char *name, const char *value), void *ctx);
/* Appends every parameter that decides what is written, and its value: two queries with the same text have the same
 * answer. */
void phone_family_key(const struct phone_family *family, const struct form_query *query, struct buf *out);

form_writer yealink_write, snom_write, gigaset_write, grandstream_write, fritzbox_write, cisco_write, fanvil_write;

/* -- for the writers -- */
int64_t query_number(const struct form_query *q, const char *name, int64_t otherwise);
bool query_is(const struct form_query *q, const char *name, const char *value);
/* Appends the address of another document of the family: its file ("" = none), more parameters ("letter=A"; NULL =
 * none), and those that hold for all of them. Not escaped. */
void form_link(const struct form_query *q, const char *file, const char *more, struct buf *out);
/* What is searched with "q": folded; {NULL,0} = nothing is. A number is searched among the numbers. */
struct search {
    bool is_asked;
    struct str folded, digits;
    struct arena *arena;
};
struct search search_of(const struct form_query *q, struct arena *arena);
bool search_takes(void *search, const struct phonebook_entry *e); /* an entry_filter */
/* "Özdemir, Lale": family name first; companies by their name. */
void entry_name(const struct phonebook_entry *e, struct buf *out);
/* "Work", "Mobile": translated. */
const char *phone_kind_word(enum phone_kind kind);

#endif
