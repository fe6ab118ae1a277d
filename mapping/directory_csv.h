/* contacts.csv of the Directory (protocols: directory 2): C4 written; C4, C1 and D1 read. Pure. */
#ifndef ABGLEICH_DIRECTORY_CSV_H
#define ABGLEICH_DIRECTORY_CSV_H

#include "mapping/phonebook.h"

/* What is not to be told from a file. */
struct directory_csv_options {
    const char *charset; /* of a file that is no UTF-8: "windows-1252"; NULL = it is refused */
    struct directory_csv_alias {
        struct str name, column; /* "Nachname" = "family_name" */
    } * aliases;
    size_t n_aliases;
};
/* "Nachname = family_name", a line each; # begins a remark. FAULT_CONFIG with the line. In the arena. */
enum fault_code directory_csv_aliases(struct str text, struct arena *arena, struct directory_csv_options *out,
                                      struct fault *f);

/* The bounds of what is read; each is refused with a sentence of its own. */
#define DIRECTORY_ROWS_MAX ((size_t)250000)
#define DIRECTORY_CELL_MAX ((size_t)4096)
#define DIRECTORY_WARNINGS_MAX ((size_t)50)

struct directory_report {
    size_t rows, stored, skipped, duplicates, n_warnings;
    struct buf warnings; /* a line each: "line 7: ..." */
};
/* Reads a file into the phonebook (which must be empty; its region is set). FAULT_UNREADABLE with the line: nothing may
 * be taken of it. options: NULL = none. The report is freed with buf_free(&report->warnings). */
enum fault_code directory_csv_read(struct str file, const struct directory_csv_options *options, struct phonebook *out,
                                   struct directory_report *report, struct fault *f);
/* C4: UTF-8, CRLF, commas. */
void directory_csv_write(const struct phonebook *p, struct buf *out);
/* One row of it. */
void directory_csv_head(struct buf *out);
void directory_csv_row(const struct phonebook_entry *e, struct buf *out);
/* A vCard 3.0 of an entry: how pushed contacts are kept. */
void directory_card(const struct phonebook_entry *e, struct buf *out);

#endif
