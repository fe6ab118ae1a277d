/* The report as one self-contained page: no script, no outside assets, fit for mail and for printing. In the order of
 * the text: counts, then what needs a person, then every operation. */
#include "cli/report.h"

#include "base/i18n.h"
#include "base/mem.h"

#include <inttypes.h>

static const char style[] =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:72em;margin:2em auto;padding:0 1em;color:#222;background:#fff}"
    "h1{font-size:1.4em;margin-bottom:0}h2{font-size:1.1em;margin-top:2em}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.3em .6em;border-bottom:1px solid #ddd;vertical-align:top;overflow-wrap:anywhere}"
    "td.n,th.n{text-align:right;overflow-wrap:normal}td.won{font-weight:600}p.about{color:#555;margin-top:.2em}"
    "code{font:13px/1.4 ui-monospace,monospace}.held{border-left:4px solid #c60;padding-left:1em}"
    "@media "
    "print{body{font-size:10pt;margin:0;max-width:none}h2{break-after:avoid}tr{break-inside:avoid}thead{display:table-"
    "header-group}"
    "@page{margin:1.5cm}}";

struct column {
    const char *name, *class_name; /* name: msgid; class NULL = none */
};

static void cell(struct buf *out, const char *tag, const char *class_name, struct str text)
{
    if (class_name)
        buf_addf(out, "<%s class=\"%s\">", tag, class_name);
    else
        buf_addf(out, "<%s>", tag);
    html_text(text, out);
    buf_addf(out, "</%s>", tag);
}

static void code(struct buf *out, struct str text)
{
    buf_adds(out, "<td><code>");
    html_text(text, out);
    buf_adds(out, "</code></td>");
}

static void title(struct buf *out, const char *text, size_t n)
{
    buf_adds(out, "<h2>");
    html_text(str_of(text), out);
    if (n) buf_addf(out, " (%zu)", n);
    buf_adds(out, "</h2>\n");
}

static void begin_table(struct buf *out, const struct column *columns, size_t n)
{
    buf_adds(out, "<table><thead><tr>");
    for (size_t i = 0; i < n; i++)
        cell(out, "th", columns[i].class_name, str_of(*columns[i].name ? _(columns[i].name) : ""));
    buf_adds(out, "</tr></thead><tbody>\n");
}

static void end_table(struct buf *out)
{
    buf_adds(out, "</tbody></table>\n");
}

static void counts(const struct report *r, struct buf *out)
{
    size_t *shown AUTO_FREE = mem_calloc(report_n_columns, sizeof *shown), n = report_columns_shown(r, shown);
    struct column *columns AUTO_FREE = mem_calloc(n + 1, sizeof *columns);
    columns[0].name = "";
    for (size_t i = 0; i < n; i++) columns[i + 1] = (struct column){report_column_text(r, shown[i], false), "n"};
    begin_table(out, columns, n + 1);
    for (unsigned side = 0; side < 2; side++) {
        buf_adds(out, "<tr>");
        cell(out, "td", NULL, report_side_name(r, side));
        for (size_t i = 0; i < n; i++) buf_addf(out, "<td class=\"n\">%" PRId64 "</td>", report_count_at(r, side, shown[i]));
        buf_adds(out, "</tr>\n");
    }
    end_table(out);
}

static void conflict_row(const struct report *r, const struct report_conflict *c, struct buf *out)
{
    struct buf take AUTO_BUF = BUF_INIT;
    report_take(r, c, &take);
    buf_adds(out, "<tr>");
    cell(out, "td", NULL, c->contact);
    cell(out, "td", NULL, c->field);
    cell(out, "td", c->winner == 0 ? "won" : NULL, report_value(c->a));
    cell(out, "td", c->winner == 1 ? "won" : NULL, report_value(c->b));
    cell(out, "td", NULL, str_of(c->rule.n ? _(c->rule.p) : ""));
    code(out, buf_str(&take));
    buf_adds(out, "</tr>\n");
}

static void conflicts(const struct report *r, struct buf *out)
{
    if (!r->n_conflicts) return;
    struct buf names[2] = {BUF_INIT, BUF_INIT};
    for (unsigned side = 0; side < 2; side++) buf_addstr(&names[side], report_side_name(r, side));
    const struct column columns[] = {{N_("Contact"), NULL},       {N_("Field"), NULL},
                                     {buf_cstr(&names[0]), NULL}, {buf_cstr(&names[1]), NULL},
                                     {N_("Rule"), NULL},          {N_("To decide otherwise"), NULL}};
    title(out, _("Changed on both sides; the bold value was kept"), r->n_conflicts);
    begin_table(out, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < r->n_conflicts; i++) conflict_row(r, &r->run.conflicts[i], out);
    end_table(out);
    for (unsigned side = 0; side < 2; side++) buf_free(&names[side]);
}

static size_t count_kind(const struct report *r, bool ambiguous)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_problems; i++) n += (r->run.problems[i].kind == PROBLEM_AMBIGUOUS) == ambiguous;
    return n;
}

static void problems(const struct report *r, bool ambiguous, const char *text, const struct column columns[3],
                     struct buf *out)
{
    size_t n = count_kind(r, ambiguous);
    if (!n) return;
    title(out, text, n);
    begin_table(out, columns, 3);
    for (size_t i = 0; i < r->n_problems; i++) {
        const struct report_problem *p = &r->run.problems[i];
        if ((p->kind == PROBLEM_AMBIGUOUS) != ambiguous) continue;
        buf_adds(out, "<tr>");
        cell(out, "td", NULL, p->title);
        cell(out, "td", NULL, ambiguous ? p->other : report_side_name(r, p->side));
        cell(out, "td", NULL, p->reason);
        buf_adds(out, "</tr>\n");
    }
    end_table(out);
}

static void held(const struct report *r, struct buf *out)
{
    if (!r->run.held.n) return;
    title(out, _("Stopped by a guard; nothing was changed"), 0);
    buf_adds(out, "<p class=\"held\">");
    html_text(r->run.held, out);
    buf_adds(out, "<br><code>abgleich approve ");
    html_text(r->run.link, out);
    buf_addc(out, ' ');
    html_text(r->run.plan, out);
    buf_adds(out, "</code></p>\n");
}

static void operations(const struct report *r, struct buf *out)
{
    static const struct column columns[] = {
        {N_("What"), NULL}, {N_("Side"), NULL}, {N_("Contact"), NULL}, {N_("Why"), NULL}};
    if (!r->n_operations) return;
    bool would = r->check_only || r->run.held.n;
    title(out, would ? _("What would be done") : _("What was done"), r->n_operations);
    begin_table(out, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < r->n_operations; i++) {
        const struct report_operation *o = &r->run.operations[i];
        buf_adds(out, "<tr>");
        cell(out, "td", NULL, str_of(report_operation_text(r, o->op, would)));
        cell(out, "td", NULL, report_side_name(r, o->side));
        cell(out, "td", NULL, o->title.n ? o->title : o->id);
        cell(out, "td", NULL, str_of(o->rule.n ? _(o->rule.p) : ""));
        buf_adds(out, "</tr>\n");
    }
    end_table(out);
}

static void head(const struct report *r, struct buf *out)
{
    const struct run_report *run = &r->run;
    struct buf time AUTO_BUF = BUF_INIT;
    time_text(run->started_ms, &time);
    buf_addf(out, "<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"><title>", _("en"));
    html_text(run->link, out);
    buf_addf(out, " %" PRId64 "</title><style>%s</style></head><body>\n<h1>", run->run, style);
    html_text(run->link, out);
    buf_addf(out, ": %s</h1>\n<p class=\"about\">", report_status_text(run->status));
    html_text(report_side_name(r, 0), out);
    buf_adds(out, " \xe2\x86\x94 ");
    html_text(report_side_name(r, 1), out);
    buf_adds(out, "<br>");
    buf_addf(out, _("Run %lld, %s, %.1f s, %lld requests"), (long long)run->run, buf_cstr(&time),
             run->finished_ms ? (double)(run->finished_ms - run->started_ms) / 1000 : 0.0, (long long)run->requests);
    buf_adds(out, "</p>\n");
    if (run->fault.n) cell(out, "p", "held", run->fault);
}

void report_html(const struct report *r, FILE *out)
{
    static const struct column left_alone[] = {{N_("Contact"), NULL}, {N_("Side"), NULL}, {N_("Reason"), NULL}},
                               ambiguous[] = {
                                   {N_("Contact"), NULL}, {N_("Maybe the same as"), NULL}, {N_("Reason"), NULL}};
    struct buf page AUTO_BUF = BUF_INIT;
    head(r, &page);
    counts(r, &page);
    conflicts(r, &page);
    problems(r, false, _("Left alone; everything else went on"), left_alone, &page);
    problems(r, true, _("Maybe the same; nothing happens to them until somebody says so"), ambiguous, &page);
    held(r, &page);
    operations(r, &page);
    buf_adds(&page, "</body></html>\n");
    fwrite(page.data, 1, page.len, out);
}
