/* One run for people and programs: text, JSON, HTML, CSV, from the state database or fresh from run_link. */
#ifndef ABGLEICH_REPORT_H
#define ABGLEICH_REPORT_H

#include "cli/out.h"
#include "core/run.h"
#include "state/runs.h"

struct report {
    struct run_report run;
    size_t n_operations, n_conflicts, n_problems; /* of the arrays in run */
    const int64_t *matched;                       /* of run_result; NULL = not known any more */
    bool check_only;                              /* what would be done */
    bool stored;                                  /* it is in the database under run.run */
};

/* What a run just said; borrows from result and link, arrays in the arena. */
struct report report_of_result(const struct run_result *result, const struct link *link, bool check_only,
                               struct arena *arena);
/* One that runs_load filled. */
struct report report_of_stored(const struct run_report *run);

/* most: how many operations are shown; 0 = all. */
void report_text(const struct report *r, size_t most, FILE *out);
void report_html(const struct report *r, FILE *out);
void report_csv(const struct report *r, FILE *out);
json_t *report_json(const struct report *r); /* design.md 4, "what a script may rely on" */
json_t *report_counts_json(const struct report_counts *c);
json_t *report_conflict_json(const struct report_conflict *c);

/* The columns of the counts, in the order a person asks. */
struct report_column {
    const char *label, *would; /* msgids: done, and what would be */
    size_t offset;             /* in struct report_counts */
    bool always;               /* shown even where all are 0 */
};
extern const struct report_column report_columns[];
extern const size_t report_n_columns;
/* The ones to be shown for this report, as indexes into report_columns; room for all. Returns their number. */
size_t report_columns_shown(const struct report *r, size_t *shown);
int64_t report_count_at(const struct report *r, unsigned side, size_t column);

/* "contactbox:Kunden", or A or B where nobody said. */
struct str report_side_name(const struct report *r, unsigned side);
/* The sides of a conflict for people: the value, or "(removed)". */
struct str report_value(struct str value);
/* How to decide a conflict otherwise: "abgleich conflicts take 17 b"; empty where it is not stored. */
void report_take(const struct report *r, const struct report_conflict *c, struct buf *out);
/* "nothing to do", "done", "held": the status for people. */
const char *report_status_text(struct str status);
/* "added", "to be added" ...; of a list that cannot be read back: "sent as new" (fe2 2.1: accepted is not arrived). */
const char *report_operation_text(const struct report *r, unsigned op, bool would);
/* The heading of a column of the counts. */
const char *report_column_text(const struct report *r, size_t column, bool would);

#endif
