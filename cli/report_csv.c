/* The report as CSV (RFC 4180): one line an event. */
#include "cli/report.h"

#include "base/i18n.h"

static void csv_line(struct buf *out, const struct str *cells, size_t n)
{
    for (size_t i = 0; i < n; i++) csv_cell(out, cells[i].p ? cells[i] : STR(""));
    csv_end(out);
}

void report_csv(const struct report *r, FILE *out)
{
    static const char *const ops[] = {"create", "update", "delete"};
    const struct run_report *run = &r->run;
    struct buf text AUTO_BUF = BUF_INIT;
    const struct str names[] = {STR("what"), STR("side"), STR("contact"), STR("field"),
                                STR("a"),    STR("b"),    STR("winner"),  STR("note")};
    csv_line(&text, names, 8);
    for (size_t i = 0; i < r->n_operations; i++) {
        const struct report_operation *o = &run->operations[i];
        const struct str cells[8] = {str_of(o->op > WRITE_DELETE ? "?" : ops[o->op]),
                                     o->side ? STR("b") : STR("a"),
                                     o->title.n ? o->title : o->id,
                                     STR(""),
                                     STR(""),
                                     STR(""),
                                     STR(""),
                                     str_of(o->rule.n ? _(o->rule.p) : "")};
        csv_line(&text, cells, 8);
    }
    for (size_t i = 0; i < r->n_conflicts; i++) {
        const struct report_conflict *c = &run->conflicts[i];
        const struct str cells[8] = {STR("conflict"),
                                     STR(""),
                                     c->contact,
                                     c->field,
                                     c->a,
                                     c->b,
                                     c->winner ? STR("b") : STR("a"),
                                     str_of(c->rule.n ? _(c->rule.p) : "")};
        csv_line(&text, cells, 8);
    }
    for (size_t i = 0; i < r->n_problems; i++) {
        const struct report_problem *p = &run->problems[i];
        bool ambiguous = p->kind == PROBLEM_AMBIGUOUS;
        const struct str cells[8] = {ambiguous ? STR("ambiguous") : STR("quarantined"),
                                     p->side ? STR("b") : STR("a"),
                                     p->title,
                                     STR(""),
                                     STR(""),
                                     p->other,
                                     STR(""),
                                     p->reason};
        csv_line(&text, cells, 8);
    }
    fwrite(text.data, 1, text.len, out);
}
