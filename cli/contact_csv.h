/* Contacts as a table: one row a contact, one column a field. What `contact export --format csv` writes, `contact
 * import` reads; a row that was not changed changes nothing, of one that was only the changed cells are taken.
 *
 * A column is headed as `contact edit` names the field ("tel;CELL", "name.family", "kundennummer"), or by the field's
 * label; "id" and "uid" say which contact a row is. A cell holds all values of that key, one a line; parts of addresses
 * and companies have ; between them. Pictures, and what `contact edit` cannot write, are in no column. Used by
 * cmd_contact_import.c and cmd_contact_export.c. */
#ifndef ABGLEICH_CONTACT_CSV_H
#define ABGLEICH_CONTACT_CSV_H

#include "base/csv.h"
#include "cli/contact.h"

enum column_kind { COLUMN_ID, COLUMN_UID, COLUMN_FIELD };
struct column {
    enum column_kind kind;
    struct str head; /* as it stands in the first row */
    struct str key;  /* element.key_text */
    const struct field *field;
    const struct config_field *custom; /* NULL = any other field */
};

struct contact_table { /* being read */
    struct csv csv;
    struct column *columns;
    size_t n_columns;
    struct str *cells; /* of the row under way */
    size_t n_cells;
};

/* Reads the first row. Text that is not UTF-8 is taken as windows-1252. False with cli->fault: a column nobody knows,
 * or one twice. */
bool contact_table_begin(struct cli *cli, unsigned kind, struct str text, struct contact_table *out);
/* The next row; cells in the arena. */
bool contact_table_next(struct contact_table *t, struct arena *arena);
/* The cell of that kind of column, {NULL,0} if there is none. */
struct str contact_table_name(const struct contact_table *t, enum column_kind kind);
/* The same row has the same one, another row another: the UID of a contact whose row names none. */
void contact_table_uid(const struct contact_table *t, char out[UUID_TEXT_BYTES]);
/* The row as a card: a new one with that uid, or `old` with the cells that differ. False with cli->fault. */
bool contact_table_write(struct cli *cli, unsigned kind, const struct contact_table *t, const struct record *old,
                         struct str uid, struct buf *out);

/* The columns a book needs, in the order of the field table; in the command's arena. */
struct column *contact_columns(struct cli *cli, const struct book *book, size_t *n);
/* The contact's cell. stored: may be NULL for columns of fields. */
void column_value(const struct column *c, const struct store_record *stored, const struct record *r, struct buf *out);

#endif
