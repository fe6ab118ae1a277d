/* What commands print: aligned tables for people, JSON for programs, CSV. Text from records is made safe to show: a
 * contact's name cannot move the cursor or write an escape sequence. */
#ifndef ABGLEICH_OUT_H
#define ABGLEICH_OUT_H

#include "base/arena.h"
#include "base/buf.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/* -- tables: rows of cells, printed in columns as wide as they need -- */
struct table {
    struct arena arena;
    const char **cells;
    size_t n, cap, columns;
    uint64_t right; /* bit i: column i is flush right (numbers) */
};
#define AUTO_TABLE __attribute__((cleanup(table_free)))
struct table table_of(size_t columns, uint64_t right);
void table_free(struct table *t);
/* Cells are added from left to right, row after row; copied. Line breaks become spaces; cells longer than 60 columns
 * are cut, but in the last column.
 */
void table_text(struct table *t, struct str s);
void table_cell(struct table *t, const char *s); /* NULL = empty */
void table_number(struct table *t, int64_t n);
void table_time(struct table *t, int64_t unix_ms); /* local time; 0 = empty */
void table_print(const struct table *t, const char *indent, FILE *out);

/* Columns a text takes on a terminal (UTF-8). */
size_t text_width(struct str s);

/* -- JSON: values that cannot fail -- */
json_t *json_text(struct str s);    /* {NULL,0} = null; bytes that are no UTF-8 are shown as <XX> */
json_t *json_cstr(const char *s);   /* NULL = null */
json_t *json_time(int64_t unix_ms); /* "2026-11-23T18:50:29Z"; 0 = null */
json_t *json_count(int64_t n);
void json_print(json_t *value, FILE *out); /* takes it over; one value, a line end */

/* -- CSV (RFC 4180): adds the cell, with quotes where needed, and a comma before all but the first of a line -- */
void csv_cell(struct buf *line, struct str s);
void csv_end(struct buf *line);

void time_text(int64_t unix_ms, struct buf *out); /* 2026-11-23 18:50 local */
void time_utc(int64_t unix_ms, struct buf *out);  /* 2026-11-23T18:50:29Z */
void html_text(struct str s, struct buf *out);

#endif
