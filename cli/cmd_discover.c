/* discover: what an account has, and what a first sync would bring, before anything is linked. */
#include "cli/command.h"
#include "cli/out.h"
#include "cli/remote.h"

#include "base/i18n.h"
#include "core/run.h"
#include "state/journal.h"
#include "state/store.h"

/* Cannot be a link's name: stands for the one that might be made. */
#define PROBE_NAME ".discover"

struct found { /* the numbers of one collection; -1 = unknown */
    int64_t remote, local, new_remote, new_local;
    const struct config_link *link;
};

static const struct config_link *link_of(const struct config *c, const char *account,
                                         const struct collection *collection)
{
    for (size_t i = 0; i < c->n_links; i++) {
        const struct config_link *l = &c->links[i];
        if (strcmp(l->account_b->name, account) == 0 && collection_is(collection, l->collection_b)) return l;
        if (strcmp(l->account_a->name, account) == 0 && collection_is(collection, l->collection_a)) return l;
    }
    return NULL;
}

/* A check tells all four numbers; its report is not stored. */
static bool check(struct cli *cli, const struct link *link, bool remote_is_a, struct found *out)
{
    struct run_result result = {.fault = FAULT_INIT};
    struct run_options options = {.check_only = true, .trigger = "discover"};
    run_link(cli->db, cli->env, link, &options, &result);
    bool known = result.status != RUN_FAILED;
    const struct side_counts *remote = remote_is_a ? &result.a : &result.b,
                             *local = remote_is_a ? &result.b : &result.a;
    if (known) *out = (struct found){remote->total, local->total, remote->fresh, local->fresh, out->link};
    if (!known) fault_copy(&cli->fault, &result.fault);
    run_result_free(&result);
    return known;
}

static bool check_link(struct cli *cli, const char *account, struct found *out)
{
    struct link link;
    bool remote_is_a = strcmp(out->link->account_a->name, account) == 0;
    bool known =
        config_link_open(out->link, cli->db, &link, &cli->fault) == FAULT_NONE && check(cli, &link, remote_is_a, out);
    config_link_wipe(&link);
    return known;
}

/* Not linked: against the book of the same name, as a link with it would. */
static bool check_book(struct cli *cli, const struct remote *r, const struct collection *c, const struct book *book,
                       struct found *out)
{
    struct link link = {.name = PROBE_NAME,
                        .b = r->account,
                        .collection_a = arena_strdup(&cli->arena, book->id),
                        .collection_b = c->path,
                        .policy = POLICY_INIT,
                        .settings_hash = ""};
    if (config_account_open(&cli->config->store, cli->db, &link.a, &cli->fault)) return false;
    bool known = check(cli, &link, false, out);
    journal_forget_link(cli->db, PROBE_NAME, NULL);
    return known;
}

static bool look(struct cli *cli, const struct remote *r, const struct collection *c, struct found *out)
{
    struct book book;
    *out = (struct found){-1, 0, -1, 0, link_of(cli->config, r->account.name, c)};
    if (r->account.state) { /* the store itself: here is there */
        out->local = out->remote = remote_count(cli, r, c);
        out->new_remote = 0;
        return out->remote >= 0;
    }
    if (out->link) return check_link(cli, r->account.name, out);
    if (book_find(cli->db, str_of(c->name), &cli->arena, &book)) return check_book(cli, r, c, &book, out);
    out->remote = out->new_remote = remote_count(cli, r, c);
    return out->remote >= 0;
}

static json_t *number(int64_t n)
{
    return n < 0 ? json_null() : json_count(n);
}

static json_t *found_json(const struct collection *c, const struct found *f)
{
    return json_pack("{s:o,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:b}", "name", json_cstr(c->name), "path", json_cstr(c->path),
                     "kind", collection_kind(c), "remote", number(f->remote), "local", number(f->local), "new_remote",
                     number(f->new_remote), "new_local", number(f->new_local), "link",
                     json_cstr(f->link ? f->link->name : NULL), "read_only", c->read_only);
}

static void table_maybe(struct table *t, int64_t n)
{
    if (n < 0)
        table_cell(t, "?");
    else
        table_number(t, n);
}

static void add_row(struct table *t, const struct collection *c, const struct found *f)
{
    table_cell(t, c->name);
    table_cell(t, c->kind == RECORD_EVENT ? _("events") : _("contacts"));
    table_maybe(t, f->remote);
    table_maybe(t, f->local);
    table_maybe(t, f->new_remote);
    table_maybe(t, f->new_local);
    table_cell(t, f->link ? f->link->name : "");
}

/* A collection that cannot be read does not hide the others; the first fault decides the exit code. */
static void print_all(struct cli *cli, const struct remote *r)
{
    struct fault first AUTO_FAULT = FAULT_INIT;
    json_t *all = json_array();
    struct table t AUTO_TABLE = table_of(7, 4 | 8 | 16 | 32);
    static const char *const heads[] = {N_("NAME"),      N_("KIND"),     N_("THERE"), N_("HERE"),
                                        N_("NEW THERE"), N_("NEW HERE"), N_("LINK")};
    for (size_t i = 0; i < 7; i++) table_cell(&t, _(heads[i]));
    for (size_t i = 0; i < r->collections.n && !cli->env->cancelled(cli->env); i++) {
        struct found f;
        if (!look(cli, r, &r->collections.items[i], &f)) {
            if (!first.code) fault_copy(&first, &cli->fault);
            fault_clear(&cli->fault);
        }
        json_array_append_new(all, found_json(&r->collections.items[i], &f));
        add_row(&t, &r->collections.items[i], &f);
    }
    if (cli->json)
        json_print(json_incref(all), stdout);
    else
        table_print(&t, "", stdout);
    json_decref(all);
    if (first.code) fault_copy(&cli->fault, &first);
}

int command_discover(struct cli *cli)
{
    if (!cli_config(cli)) return cli_fail(cli);
    const struct config_account *a = config_account_must(cli->config, cli->args[0], &cli->fault);
    struct remote r AUTO_REMOTE = REMOTE_INIT;
    if (!a || !remote_open(cli, a, &r)) return cli_fail(cli);
    print_all(cli, &r);
    return cli_fail(cli);
}
