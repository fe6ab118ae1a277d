/* The report as one self-contained page: no script, no outside assets, fit for mail and for printing. And as CSV: one
 * line an event. */
#include "cli/report.h"

#include "base/i18n.h"

#include <inttypes.h>

static const char style[] =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222}"
    "h1{font-size:1.4em}h2{font-size:1.1em;margin-top:2em}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.3em .6em;border-bottom:1px solid #ddd;vertical-align:top}"
    "td.n,th.n{text-align:right}td.won{font-weight:600}.held{border-left:4px solid #c60;padding-left:1em}";

static const char *side_name(const struct report *r, unsigned side)
{
    const char *name = side ? r->name_b : r->name_a;
    return name ? name : side ? "B" : "A";
}

static void cell(struct buf *out, const char *tag, const char *class_name, struct str text)
{
    buf_addf(out, "<%s%s%s%s>", tag, class_name ? " class=\"" : "", class_name ? class_name : "",
             class_name ? "\"" : "");
    html_text(text, out);
    buf_addf(out, "</%s>", tag);
}

static void cell_number(struct buf *out, int64_t n)
{
    buf_addf(out, "<td class=\"n\">%" PRId64 "</td>", n);
}

static void heads(struct buf *out, const char *const *names, size_t n)
{
    buf_adds(out, "<table><tr>");
    for (size_t i = 0; i < n; i++) cell(out, "th", NULL, str_of(*names[i] ? _(names[i]) : ""));
    buf_adds(out, "</tr>\n");
}

static void counts(const struct report *r, struct buf *out)
{
    static const char *const names[] = {"",
                                        N_("there"),
                                        N_("new"),
                                        N_("edited"),
                                        N_("added"),
                                        N_("changed"),
                                        N_("deleted"),
                                        N_("unchanged"),
                                        N_("deleted here, skipped"),
                                        N_("not readable")};
    heads(out, names, sizeof names / sizeof names[0]);
    for (unsigned side = 0; side < 2; side++) {
        const struct report_counts *c = &r->run.counts[side];
        const int64_t numbers[] = {c->total,   c->fresh,     c->changed,         c->created, c->updated,
                                   c->deleted, c->unchanged, c->skipped_deleted, c->invalid};
        buf_adds(out, "<tr>");
        cell(out, "td", NULL, str_of(side_name(r, side)));
        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) cell_number(out, numbers[i]);
        buf_adds(out, "</tr>\n");
    }
    buf_adds(out, "</table>\n");
}

static void title(struct buf *out, const char *text)
{
    buf_adds(out, "<h2>");
    html_text(str_of(text), out);
    buf_adds(out, "</h2>\n");
}

static void conflicts(const struct report *r, struct buf *out)
{
    if (!r->n_conflicts) return;
    static const char *const names[] = {N_("Contact"), N_("Field"), "A", "B", N_("Rule")};
    title(out, _("Changed on both sides (bold: kept)"));
    heads(out, names, 5);
    for (size_t i = 0; i < r->n_conflicts; i++) {
        const struct report_conflict *c = &r->run.conflicts[i];
        struct str removed = str_of(_("(removed)"));
        buf_adds(out, "<tr>");
        cell(out, "td", NULL, c->contact);
        cell(out, "td", NULL, c->field);
        cell(out, "td", c->winner == 0 ? "won" : NULL, c->a.n ? c->a : removed);
        cell(out, "td", c->winner == 1 ? "won" : NULL, c->b.n ? c->b : removed);
        cell(out, "td", NULL, str_of(c->rule.n ? _(c->rule.p) : ""));
        buf_adds(out, "</tr>\n");
    }
    buf_adds(out, "</table>\n");
}

static void problems(const struct report *r, bool ambiguous, const char *text, struct buf *out)
{
    static const char *const names[] = {N_("Contact"), N_("Side"), N_("Reason")};
    size_t n = 0;
    for (size_t i = 0; i < r->n_problems; i++) {
        const struct report_problem *p = &r->run.problems[i];
        if ((p->kind == PROBLEM_AMBIGUOUS) != ambiguous) continue;
        if (n++ == 0) {
            title(out, text);
            heads(out, names, 3);
        }
        buf_adds(out, "<tr>");
        cell(out, "td", NULL, p->title);
        cell(out, "td", NULL, ambiguous ? p->other : str_of(side_name(r, p->side)));
        cell(out, "td", NULL, p->reason);
        buf_adds(out, "</tr>\n");
    }
    if (n) buf_adds(out, "</table>\n");
}

static void operations(const struct report *r, struct buf *out)
{
    if (!r->n_operations) return;
    static const char *const names[] = {N_("What"), N_("Side"), N_("Contact")};
    bool would = r->run.held.n != 0;
    title(out, would ? _("What would be done") : _("What was done"));
    heads(out, names, 3);
    for (size_t i = 0; i < r->n_operations; i++) {
        const struct report_operation *o = &r->run.operations[i];
        buf_adds(out, "<tr>");
        cell(out, "td", NULL, str_of(report_operation_text(o->op, would)));
        cell(out, "td", NULL, str_of(side_name(r, o->side)));
        cell(out, "td", NULL, o->title);
        buf_adds(out, "</tr>\n");
    }
    buf_adds(out, "</table>\n");
}

static void head(const struct report *r, struct buf *out)
{
    struct buf time AUTO_BUF = BUF_INIT;
    time_text(r->run.started_ms, &time);
    buf_addf(out, "<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"><title>", _("en"));
    html_text(r->run.link, out);
    buf_addf(out, " %" PRId64 "</title><style>%s</style></head><body>\n<h1>", r->run.run, style);
    html_text(r->run.link, out);
    buf_addf(out, ": %s</h1>\n<p>", report_status_text(r->run.status));
    buf_addf(out, _("Run %lld, %s, %.1f s"), (long long)r->run.run, buf_cstr(&time),
             r->run.finished_ms ? (double)(r->run.finished_ms - r->run.started_ms) / 1000 : 0.0);
    buf_adds(out, "</p>\n");
    struct str notes[] = {r->run.fault, r->run.held};
    for (size_t i = 0; i < 2; i++) {
        if (!notes[i].n) continue;
        cell(out, "p", "held", notes[i]);
        buf_addc(out, '\n');
    }
}

void report_html(const struct report *r, FILE *out)
{
    struct buf page AUTO_BUF = BUF_INIT;
    head(r, &page);
    counts(r, &page);
    conflicts(r, &page);
    problems(r, false, _("Left alone"), &page);
    problems(r, true, _("Maybe the same"), &page);
    operations(r, &page);
    buf_adds(&page, "</body></html>\n");
    fwrite(page.data, 1, page.len, out);
}

/* -- CSV -- */

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
        const struct str cells[8] = {str_of(o->op > WRITE_DELETE ? "?" : ops[o->op]), o->side ? STR("b") : STR("a"),
                                     o->title};
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
