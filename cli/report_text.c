/* The report for a terminal: what happened on each side, then what needs a person, then every operation. */
#include "cli/report.h"

#include "base/i18n.h"
#include "base/mem.h"

static void print_counts(const struct report *r, FILE *out)
{
    size_t *shown AUTO_FREE = mem_calloc(report_n_columns, sizeof *shown), n = report_columns_shown(r, shown);
    struct table t AUTO_TABLE = table_of(n + 1, UINT64_MAX << 1);
    table_cell(&t, "");
    for (size_t i = 0; i < n; i++)
        table_cell(&t, report_column_text(r, shown[i], r->check_only));
    for (unsigned side = 0; side < 2; side++) {
        table_text(&t, report_side_name(r, side));
        for (size_t i = 0; i < n; i++) table_number(&t, report_count_at(r, side, shown[i]));
    }
    table_print(&t, "  ", out);
}

/* Who was found to be the same, and by what. */
static void print_matched(const struct report *r, FILE *out)
{
    static const char *const texts[RUN_MATCHES] = {N_("as you said"), N_("by UID"), N_("by name and e-mail"), N_("by name and phone"),
                                                   N_("by name and company"), N_("by the group's name")};
    const char *before = NULL;
    for (unsigned i = 0; r->matched && i < RUN_MATCHES; i++) {
        if (!r->matched[i]) continue;
        fprintf(out, "%s%s %lld", before ? before : _("\n  Found on both sides: "), _(texts[i]), (long long)r->matched[i]);
        before = ", ";
    }
    if (before) fputc('\n', out);
}

static void print_conflicts(const struct report *r, FILE *out)
{
    if (!r->n_conflicts) return;
    fprintf(out, _("\nChanged on both sides (%zu); the value marked > was kept, the other one is here:\n"),
            r->n_conflicts);
    struct table t AUTO_TABLE = table_of(5, 0);
    table_cell(&t, _("CONTACT"));
    table_cell(&t, _("FIELD"));
    table_text(&t, report_side_name(r, 0));
    table_text(&t, report_side_name(r, 1));
    table_cell(&t, _("RULE"));
    for (size_t i = 0; i < r->n_conflicts; i++) {
        const struct report_conflict *c = &r->run.conflicts[i];
        for (int column = 0; column < 5; column++) {
            struct buf cell AUTO_BUF = BUF_INIT;
            struct str values[] = {c->contact, c->field, c->a, c->b, c->rule.n ? str_of(_(c->rule.p)) : STR("")};
            bool value = column == 2 || column == 3;
            if (value && c->winner == (unsigned)(column == 3)) buf_adds(&cell, "> ");
            buf_addstr(&cell, value ? report_value(values[column]) : values[column]);
            table_text(&t, buf_str(&cell));
        }
    }
    table_print(&t, "  ", out);
    struct buf take AUTO_BUF = BUF_INIT;
    report_take(r, &r->run.conflicts[0], &take);
    if (take.len) fprintf(out, _("  To decide otherwise, for the first: %s\n"), buf_cstr(&take));
}

static size_t count_kind(const struct report *r, bool ambiguous)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_problems; i++) n += (r->run.problems[i].kind == PROBLEM_AMBIGUOUS) == ambiguous;
    return n;
}

static void print_quarantined(const struct report *r, FILE *out)
{
    size_t n = count_kind(r, false);
    if (!n) return;
    fprintf(out, _("\nLeft alone (%zu); everything else went on:\n"), n);
    struct table t AUTO_TABLE = table_of(3, 0);
    for (size_t i = 0; i < r->n_problems; i++) {
        const struct report_problem *p = &r->run.problems[i];
        if (p->kind == PROBLEM_AMBIGUOUS) continue;
        table_text(&t, p->title);
        table_text(&t, report_side_name(r, p->side));
        table_text(&t, p->reason);
    }
    table_print(&t, "  ", out);
}

static void print_ambiguous(const struct report *r, FILE *out)
{
    size_t n = count_kind(r, true);
    if (!n) return;
    fprintf(out, _("\nMaybe the same (%zu); nothing happens to them until you say so with \"abgleich review %.*s\":\n"),
            n, STR_ARG(r->run.link));
    struct table t AUTO_TABLE = table_of(3, 0);
    for (size_t i = 0; i < r->n_problems; i++) {
        const struct report_problem *p = &r->run.problems[i];
        if (p->kind != PROBLEM_AMBIGUOUS) continue;
        table_text(&t, p->title);
        table_text(&t, p->other);
        table_text(&t, p->reason);
    }
    table_print(&t, "  ", out);
}

static void print_held(const struct report *r, FILE *out)
{
    if (!r->run.held.n) return;
    fprintf(out, _("\nStopped: %.*s\n"), STR_ARG(r->run.held));
    fprintf(out, _("If this is what you want:\n  abgleich approve %.*s %.*s && abgleich sync %.*s\n"),
            STR_ARG(r->run.link), STR_ARG(r->run.plan), STR_ARG(r->run.link));
    fprintf(out, _("If not:\n  abgleich reject %.*s %.*s\n"), STR_ARG(r->run.link), STR_ARG(r->run.plan));
}

static void print_operations(const struct report *r, size_t most, FILE *out)
{
    if (!r->n_operations) return;
    bool would = r->check_only || r->run.held.n;
    fprintf(out, would ? _("\nWhat would be done (%zu):\n") : _("\nWhat was done (%zu):\n"), r->n_operations);
    struct table t AUTO_TABLE = table_of(3, 0);
    size_t n = most && r->n_operations > most ? most : r->n_operations;
    for (size_t i = 0; i < n; i++) {
        const struct report_operation *o = &r->run.operations[i];
        table_cell(&t, report_operation_text(r, o->op, would));
        table_text(&t, report_side_name(r, o->side));
        table_text(&t, o->title);
    }
    table_print(&t, "  ", out);
    if (n < r->n_operations) fprintf(out, _("  ... and %zu more; -v shows all\n"), r->n_operations - n);
}

static void print_head(const struct report *r, FILE *out)
{
    const struct run_report *run = &r->run;
    fprintf(out, "%.*s: %s", STR_ARG(run->link), report_status_text(run->status));
    if (r->stored) fprintf(out, _(" (run %lld)"), (long long)run->run);
    fputc('\n', out);
    if (run->started_ms) {
        struct buf time AUTO_BUF = BUF_INIT;
        time_text(run->started_ms, &time);
        fprintf(out, _("  started %s, %.1f s, %lld requests\n"), buf_cstr(&time),
                run->finished_ms ? (double)(run->finished_ms - run->started_ms) / 1000 : 0.0, (long long)run->requests);
    }
    if (run->fault.n) fprintf(out, "  %.*s\n", STR_ARG(run->fault));
}

void report_text(const struct report *r, size_t most, FILE *out)
{
    print_head(r, out);
    bool nothing_known = !r->run.counts[0].total && !r->run.counts[1].total && !r->n_problems;
    if (str_eq(r->run.status, STR("failed")) && nothing_known) return;
    print_counts(r, out);
    print_matched(r, out);
    print_conflicts(r, out);
    print_quarantined(r, out);
    print_ambiguous(r, out);
    print_held(r, out);
    print_operations(r, most, out);
}
