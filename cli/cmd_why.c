/* why: for each value of a contact, where it came from, in which run, by which rule, and what it replaced. */
#include "cli/command.h"
#include "cli/contact.h"
#include "cli/custom_field.h"
#include "cli/out.h"
#include "cli/report.h"

#include "base/i18n.h"
#include "mapping/fingerprint.h"
#include "state/archive.h"
#include "state/journal.h"
#include "state/provenance.h"
#include "state/runs.h"

enum came {
    CAME_HERE,
    CAME_HERE_NEW,
    CAME_BEFORE,
    CAME_SYNCED
}; /* entered here; no run has seen it yet; before any link; by a run */

struct asked {
    struct cli *cli;
    struct store_record r;
    struct record *record;
    struct run_report *runs; /* those that concern it, newest first */
    size_t n_runs;
    struct str *links;
    size_t n_links;
};

struct reason {
    enum came came;
    const struct run_report *run; /* NULL where no run is known */
    const struct report_operation *operation;
    const struct report_conflict *conflict; /* that it won; NULL = none */
    struct str replaced;                    /* {NULL,0} = nothing, or not kept */
};

/* -- runs -- */

static const struct run_report *run_of(const struct asked *a, int64_t run)
{
    for (size_t i = 0; i < a->n_runs; i++)
        if (a->runs[i].run == run) return &a->runs[i];
    return NULL;
}

static const struct report_operation *operation_of(const struct run_report *run, unsigned side)
{
    for (int64_t i = 0; run && i < run->n_operations; i++)
        if (run->operations[i].side == side) return &run->operations[i];
    return NULL;
}

/* The newest create on a side: it brought all that no update brought. */
static bool find_create(const struct asked *a, struct str link, unsigned side, struct reason *out)
{
    for (size_t i = 0; i < a->n_runs; i++) {
        const struct report_operation *o = operation_of(&a->runs[i], side);
        if (!o || o->op != WRITE_CREATE || !str_eq(a->runs[i].link, link)) continue;
        out->run = &a->runs[i];
        out->operation = o;
        return true;
    }
    return false;
}

/* -- one link -- */

struct place { /* an element on both sides of a link, as the journal has it */
    bool known, there;
    struct str id[2];
    unsigned here;
    uint64_t key[2], value[2];
};

static struct place place_of(struct asked *a, const char *link, const struct element *e, struct arena *arena)
{
    struct place p = {0};
    struct journal_row row = {0};
    for (unsigned side = 0; side < 2 && !p.known; side++) {
        int64_t no = journal_find(a->cli->db, link, side, a->r.id);
        p.known = no && journal_get(a->cli->db, link, no, arena, &row);
        p.here = side;
    }
    if (!p.known) return p;
    uint16_t pair = PRINT_UNPAIRED;
    const struct fingerprint *base = row.base;
    for (int s = 0; s < 2; s++) {
        unsigned side = s ? !p.here : p.here;
        p.id[side] = row.id[side];
        for (uint32_t i = 0; i < base[side].n; i++) {
            const struct print *print = &base[side].prints[i];
            if (s ? pair == PRINT_UNPAIRED || print->pair != pair : print->key != e->key || print->value != e->value)
                continue;
            p.key[side] = print->key;
            p.value[side] = print->value;
            p.there |= !s;
            pair = print->pair;
            break;
        }
    }
    return p;
}

/* False: this link says nothing of it. */
static bool reason_of_link(struct asked *a, struct str link_name, const struct element *e, struct reason *out)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    const char *link = arena_strdup(&arena, link_name);
    struct place p = place_of(a, link, e, &arena);
    if (!p.known) return false;
    *out = (struct reason){.came = CAME_HERE_NEW};
    if (!p.there) return true;
    unsigned there = !p.here;
    int64_t brought = provenance_get(a->cli->db, link, p.here, p.id[p.here], e->key, e->value);
    int64_t sent = p.id[there].p && p.key[there]
                       ? provenance_get(a->cli->db, link, there, p.id[there], p.key[there], p.value[there])
                       : 0;
    if (brought || sent) {
        out->came = brought >= sent ? CAME_SYNCED : CAME_HERE;
        out->run = run_of(a, brought >= sent ? brought : sent);
        out->operation = operation_of(out->run, brought >= sent ? p.here : there);
        return true;
    }
    if (find_create(a, link_name, p.here, out))
        out->came = CAME_SYNCED;
    else
        out->came = find_create(a, link_name, there, out) ? CAME_HERE : CAME_BEFORE;
    return true;
}

/* -- what it replaced, and by which conflict -- */

static bool is_current(const struct record *r, const struct element *e)
{
    size_t n;
    const struct element *all = record_elements(r, &n);
    for (size_t i = 0; i < n; i++)
        if (all[i].key == e->key && all[i].value == e->value) return true;
    return false;
}

static void find_replaced(struct asked *a, const struct element *e, struct reason *out)
{
    struct archived old;
    struct cli *cli = a->cli;
    struct fault why AUTO_FAULT = FAULT_INIT;
    int64_t no = out->came == CAME_SYNCED && out->operation ? out->operation->archived : 0;
    if (!no || !archive_get(cli->db, no, &cli->arena, &old) || !old.body.p) return;
    struct record *r = contact_parse(cli, &cli->arena, a->r.kind, old.body, &why);
    size_t n;
    const struct element *all = r ? record_elements(r, &n) : NULL;
    for (size_t i = 0; all && i < n; i++) {
        if (all[i].key != e->key || is_current(a->record, &all[i])) continue;
        struct buf text AUTO_BUF = BUF_INIT;
        element_value(&all[i], &text);
        out->replaced = arena_str(&cli->arena, buf_str(&text));
        return;
    }
}

static void find_conflict(const struct element *e, struct reason *out)
{
    struct buf value AUTO_BUF = BUF_INIT, label AUTO_BUF = BUF_INIT;
    element_value(e, &value);
    element_label(e, &label);
    for (int64_t i = 0; out->run && i < out->run->n_conflicts; i++) {
        const struct report_conflict *c = &out->run->conflicts[i];
        if (str_eq(c->field, buf_str(&label)) && str_eq(c->winner ? c->b : c->a, buf_str(&value))) out->conflict = c;
    }
    if (out->conflict && !out->replaced.n) out->replaced = out->conflict->winner ? out->conflict->a : out->conflict->b;
}

/* A value won against another in the newest run that says so, even where this side did not have to be written. */
static void find_conflict_anywhere(const struct asked *a, const struct element *e, struct reason *out)
{
    if (out->came == CAME_HERE_NEW) return;
    find_conflict(e, out);
    for (size_t i = 0; i < a->n_runs && !out->conflict && out->came == CAME_HERE; i++) {
        struct reason other = {.run = &a->runs[i]};
        find_conflict(e, &other);
        if (!other.conflict) continue;
        out->run = other.run;
        out->conflict = other.conflict;
        out->replaced = other.replaced;
    }
}

/* Of several links the one whose run is the newest tells. */
static struct reason reason_of(struct asked *a, const struct element *e)
{
    struct reason best = {.came = CAME_BEFORE};
    bool any = false;
    for (size_t i = 0; i < a->n_links; i++) {
        struct reason r;
        if (!reason_of_link(a, a->links[i], e, &r)) continue;
        bool newer = r.run && (!best.run || r.run->run > best.run->run);
        if (!any || newer || (best.came == CAME_HERE_NEW && r.came != CAME_HERE_NEW)) best = r;
        any = true;
    }
    if (!any) best.came = CAME_HERE;
    find_replaced(a, e, &best);
    find_conflict_anywhere(a, e, &best);
    return best;
}

/* -- telling -- */

static const char *rule_of(const struct reason *why)
{
    struct str rule = why->conflict ? why->conflict->rule : why->operation ? why->operation->rule : STR_NONE;
    return rule.n ? _(rule.p) : NULL;
}

/* The side it came from: "srv:kunden", or who wrote here last. */
static struct str source_of(const struct asked *a, const struct reason *why)
{
    if (why->came != CAME_SYNCED) return why->came == CAME_HERE_NEW ? a->r.origin : STR_NONE;
    if (!why->run) return STR_NONE;
    return why->operation && why->operation->side == 1 ? why->run->name_a : why->run->name_b;
}

static void came_text(const struct asked *a, const struct reason *why, struct buf *out)
{
    struct buf time AUTO_BUF = BUF_INIT;
    struct str from = source_of(a, why);
    if (why->run) time_text(why->run->started_ms, &time);
    long long run = why->run ? (long long)why->run->run : 0;
    switch (why->came) {
    case CAME_HERE_NEW:
        if (from.n)
            buf_addf(out, _("entered here by %.*s; no run has carried it over yet"), STR_ARG(from));
        else
            buf_adds(out, _("entered here; no run has carried it over yet"));
        break;
    case CAME_BEFORE:
        buf_adds(out, _("both sides had it when they first met"));
        break;
    case CAME_HERE:
        if (run)
            buf_addf(out, _("entered here; carried over in run %lld, %s"), run, buf_cstr(&time));
        else
            buf_adds(out, _("entered here"));
        break;
    case CAME_SYNCED:
        if (run)
            buf_addf(out, _("from %.*s in run %lld, %s"), STR_ARG(from), run, buf_cstr(&time));
        else
            buf_adds(out, _("from the other side, in a run whose report is not kept any more"));
    }
}

static void print_reason(const struct asked *a, const struct element *e, const struct reason *why)
{
    struct buf label AUTO_BUF = BUF_INIT, value AUTO_BUF = BUF_INIT, came AUTO_BUF = BUF_INIT;
    custom_field_label(a->cli->config, e, &label);
    element_value(e, &value);
    came_text(a, why, &came);
    printf("%s: %s\n  %s\n", buf_cstr(&label), buf_cstr(&value), buf_cstr(&came));
    if (rule_of(why)) printf("  %s\n", rule_of(why));
    if (why->replaced.n) printf(_("  It replaced: %.*s\n"), STR_ARG(why->replaced));
}

static json_t *reason_json(const struct asked *a, const struct element *e, const struct reason *why)
{
    static const char *const names[] = {"here", "here_not_synced", "before", "synced"};
    struct buf label AUTO_BUF = BUF_INIT, value AUTO_BUF = BUF_INIT;
    custom_field_label(a->cli->config, e, &label);
    element_value(e, &value);
    struct str from = source_of(a, why);
    return json_pack("{s:s,s:o,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o}", "field", e->field->name, "label",
                     json_text(buf_str(&label)), "value", json_text(buf_str(&value)), "came", names[why->came], "from",
                     json_text(from), "run", why->run ? json_count(why->run->run) : json_null(), "time",
                     json_time(why->run ? why->run->started_ms : 0), "link",
                     why->run ? json_text(why->run->link) : json_null(), "rule", json_cstr(rule_of(why)), "replaced",
                     json_text(why->replaced));
}

/* By its name ("tel") or what people call it ("Phone"). */
static bool is_wanted(struct cli *cli, const struct element *e)
{
    if (cli->n_args < 2) return true;
    struct str wanted = str_of(cli->args[1]);
    struct buf label AUTO_BUF = BUF_INIT;
    custom_field_label(cli->config, e, &label);
    return str_starts(str_of(e->field->name), wanted) || str_starts(buf_str(&label), wanted);
}

static bool load(struct cli *cli, struct asked *a)
{
    *a = (struct asked){.cli = cli};
    if (!contact_find(cli, cli->args[0], false, &a->r)) return false;
    a->record = contact_parse(cli, &cli->arena, a->r.kind, a->r.body, &cli->fault);
    if (!a->record) return false;
    a->n_runs = runs_of_record(cli->db, a->r.id, &cli->arena, &a->runs);
    a->n_links = journal_links(cli->db, &cli->arena, &a->links);
    return !db_check(cli->db, &cli->fault);
}

int command_why(struct cli *cli)
{
    struct asked a;
    size_t n, shown = 0;
    if (!load(cli, &a)) return cli_fail(cli);
    const struct element **e = contact_elements(a.record, &cli->arena, &n);
    json_t *all = json_array();
    for (size_t i = 0; i < n; i++) {
        if (!is_wanted(cli, e[i])) continue;
        struct reason why = reason_of(&a, e[i]);
        if (cli->json)
            json_array_append_new(all, reason_json(&a, e[i], &why));
        else
            print_reason(&a, e[i], &why);
        shown++;
    }
    if (cli->json) json_print(json_incref(all), stdout);
    json_decref(all);
    if (!shown && cli->n_args > 1)
        return cli_usage(cli, _("\"abgleich contact show\" shows those there are"),
                         _("the contact has no field \"%s\""), cli->args[1]);
    return db_check(cli->db, &cli->fault) ? cli_fail(cli) : EXIT_DONE;
}
