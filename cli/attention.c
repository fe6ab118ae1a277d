#include "cli/attention.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "cli/sign_in.h"
#include "state/journal.h"
#include "state/runs.h"

#include <inttypes.h>
#include <stdlib.h>

#define HOUR_MS ((int64_t)60 * 60 * 1000)
#define DAY_MS (24 * HOUR_MS)
#define PATIENCE_INTERVALS 3

struct list {
    const struct config *config;
    struct db *db;
    int64_t now_ms;
    struct arena *arena;
    struct attention *items;
    size_t n, cap;
};

static void add(struct list *l, struct attention a)
{
    if (l->n == l->cap) {
        struct attention *bigger = arena_zalloc(l->arena, (l->cap = l->cap ? 2 * l->cap : 16) * sizeof *bigger);
        if (l->n) memcpy(bigger, l->items, l->n * sizeof *bigger);
        l->items = bigger;
    }
    l->items[l->n++] = a;
}

const char *attention_name(enum attention_kind kind)
{
    static const char *const names[ATTENTION_KINDS] = {"sign_in",   "failing",    "held", "sign_in_ends",
                                                       "ambiguous", "left_alone", "conflicts"};
    return names[kind];
}

/* -- one link -- */

/* Something a person must mend, or only a remote that is away for a while? */
static bool passes_by_itself(unsigned code)
{
    return code == FAULT_UNREACHABLE || code == FAULT_RATE_LIMITED || code == FAULT_BUSY || code == FAULT_INCOMPLETE ||
           code == FAULT_CANCELLED || code == FAULT_LOCKED || code == FAULT_CHANGED;
}

static void look_at_last_run(struct list *l, const struct config_link *link, const struct run_report *last,
                             int64_t last_success_ms)
{
    unsigned code = last->fault_code;
    if (!str_eq(last->status, STR("failed")) || last->started_ms < last_success_ms || code == FAULT_HELD) return;
    int64_t patience_ms =
        PATIENCE_INTERVALS * link->interval_ms > HOUR_MS ? PATIENCE_INTERVALS * link->interval_ms : HOUR_MS;
    if (passes_by_itself(code) && l->now_ms - last_success_ms < patience_ms) return;
    struct attention a = {.kind = code == FAULT_AUTH ? ATTENTION_SIGN_IN : ATTENTION_FAILING, .link = link->name};
    a.text = last->fault.n ? arena_strdup(l->arena, last->fault) : _("the last run failed");
    const struct config_account *remote = config_link_remote(link);
    const struct account account = {.settings = remote->settings, .n_settings = remote->n_settings};
    const char *verb = oauth_is_used(&account) ? "login" : "account test";
    a.command = code == FAULT_AUTH ? arena_printf(l->arena, "abgleich %s %s", verb, remote->name)
                                   : arena_printf(l->arena, "abgleich report %" PRId64, last->run);
    a.key = arena_printf(l->arena, "%s %s %u", attention_name(a.kind), link->name, code);
    add(l, a);
}

static void look_at_held(struct list *l, const struct config_link *link)
{
    struct held held;
    if (!held_get(l->db, link->name, l->arena, &held) || held.approved) return;
    add(l, (struct attention){ATTENTION_HELD, link->name, arena_strdup(l->arena, held.reason),
                              arena_printf(l->arena, "abgleich approve %s %.*s", link->name, STR_ARG(held.plan)),
                              arena_printf(l->arena, "%s %s", attention_name(ATTENTION_HELD), link->name)});
}

/* mark: a new one makes it a new matter. */
static void add_counted(struct list *l, enum attention_kind kind, const char *link, int64_t n, int64_t mark,
                        const char *one, const char *many, const char *command)
{
    if (!n) return;
    struct buf text AUTO_BUF = BUF_INIT;
    buf_addf(&text, "%" PRId64 " ", n);
    buf_adds(&text, n == 1 ? _(one) : _(many));
    add(l, (struct attention){kind, link, arena_strdup(l->arena, buf_str(&text)),
                              arena_printf(l->arena, "abgleich %s %s", command, link),
                              arena_printf(l->arena, "%s %s %" PRId64, attention_name(kind), link, mark)});
}

static void look_at_conflicts(struct list *l, const char *link)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct report_conflict *unread;
    size_t n = runs_conflicts(l->db, link, true, &scratch, &unread);
    add_counted(l, ATTENTION_CONFLICTS, link, (int64_t)n, n ? unread[0].no : 0,
                N_("conflict was settled by the rule and not read yet"),
                N_("conflicts were settled by the rule and not read yet"), "conflicts");
}

static void look_at_link(struct list *l, const struct config_link *link)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct link_state state;
    struct run_report *last;
    if (link_state_load(l->db, link->name, &state, &f)) return;
    int64_t last_success_ms = state.last_run_ms;
    link_state_free(&state);
    if (runs_list(l->db, link->name, 1, l->arena, &last)) look_at_last_run(l, link, last, last_success_ms);
    look_at_held(l, link);
    int64_t reviews = review_count(l->db, link->name), pending = pending_count(l->db, link->name);
    add_counted(l, ATTENTION_AMBIGUOUS, link->name, reviews, 0, N_("contact may be the same as another one"),
                N_("contacts may be the same as others"), "review");
    add_counted(l, ATTENTION_LEFT_ALONE, link->name, pending, 0, N_("record was left alone"),
                N_("records were left alone"), "check");
    look_at_conflicts(l, link->name);
}

/* -- one account -- */

static const struct config_link *first_link_of(const struct config *c, const struct config_account *a)
{
    for (size_t i = 0; i < c->n_links; i++) {
        const struct config_link *l = &c->links[i];
        if (config_link_is_on(l) && (l->account_a == a || l->account_b == a)) return l;
    }
    return NULL;
}

static bool is_told(const struct list *l, const char *command)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->items[i].kind == ATTENTION_SIGN_IN && strcmp(l->items[i].command, command) == 0) return true;
    return false;
}

/* A run that failed for it has told it already; what will fail is told before. */
static void look_at_account(struct list *l, const struct config_account *a)
{
    struct oauth_report r;
    const struct config_link *link = a->enabled ? first_link_of(l->config, a) : NULL;
    const char *matter = link && sign_in_look(a, l->db, &r) ? sign_in_matter(a, &r, l->arena) : NULL;
    const char *command = arena_printf(l->arena, "abgleich login %s", a->name);
    if (!matter || is_told(l, command)) return;
    enum attention_kind kind = r.state == OAUTH_ENDS_SOON ? ATTENTION_SIGN_IN_ENDS : ATTENTION_SIGN_IN;
    const char *key = arena_printf(l->arena, "%s %s %" PRId64, attention_name(kind), a->name,
                                   r.state == OAUTH_ENDS_SOON ? r.ends_ms / DAY_MS : 0);
    add(l, (struct attention){kind, link->name, matter, command, key});
}

static int by_gravity(const void *a, const void *b)
{
    const struct attention *x = a, *y = b;
    return x->kind != y->kind ? (x->kind > y->kind) - (x->kind < y->kind) : strcmp(x->link, y->link);
}

size_t attention_list(const struct config *c, struct db *db, int64_t now_ms, struct arena *arena,
                      struct attention **out)
{
    struct list l = {c, db, now_ms, arena, NULL, 0, 0};
    for (size_t i = 0; i < c->n_links; i++)
        if (config_link_is_on(&c->links[i])) look_at_link(&l, &c->links[i]);
    for (size_t i = 0; i < c->n_accounts; i++) look_at_account(&l, &c->accounts[i]);
    if (l.n) qsort(l.items, l.n, sizeof *l.items, by_gravity);
    *out = l.items;
    return l.n;
}
