/* Reads CSV as programs and people write it: RFC 4180, with commas, semicolons or tabs, with LF or CRLF, quoted or not.
 */
#ifndef ABGLEICH_CSV_H
#define ABGLEICH_CSV_H

#include "base/arena.h"

struct csv {
    struct str rest; /* what is not read yet */
    char delimiter;
    size_t line; /* of the row read last, from 1 */
    size_t next_line;
};

/* Begins with the first row: its byte order mark goes, and it tells the delimiter (what it holds most of, quotes aside;
 * a comma where it holds none). text is borrowed. */
void csv_begin(struct csv *c, struct str text);
/* The next row that holds anything; false at the end. Cells are slices of the text or, where they stood in quotes, in the
 * arena without them; a quote that never ends takes the rest of the text. */
bool csv_next(struct csv *c, struct arena *arena, struct str **cells, size_t *n);

#endif
