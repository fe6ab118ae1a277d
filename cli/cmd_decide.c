/* What a person decides: held plans, and contacts that may be the same. */
#include "cli/command.h"
#include "cli/out.h"

#include "base/i18n.h"
#include "state/pending.h"

/* -- held, approve, reject -- */

static json_t *held_json(const struct held *h)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:I,s:o,s:b}", "name", json_text(h->link), "link", json_text(h->link), "plan",
                     json_text(h->plan), "reason", json_text(h->reason), "run", (json_int_t)h->run, "time",
                     json_time(h->time_ms), "approved", h->approved);
}

static void print_held(const struct held *h)
{
    struct buf time AUTO_BUF = BUF_INIT;
    time_text(h->time_ms, &time);
    printf("%.*s  %.*s  %s%s\n  %.*s\n", STR_ARG(h->link), STR_ARG(h->plan), buf_cstr(&time),
           h->approved ? _("  approved") : "", STR_ARG(h->reason));
    if (h->approved)
        printf("  abgleich sync %.*s\n", STR_ARG(h->link));
    else
        printf("  abgleich report %lld\n  abgleich approve %.*s %.*s\n  abgleich reject %.*s %.*s\n", (long long)h->run,
               STR_ARG(h->link), STR_ARG(h->plan), STR_ARG(h->link), STR_ARG(h->plan));
}

int command_held(struct cli *cli)
{
    struct held *list;
    if (!cli_db(cli)) return cli_fail(cli);
    size_t n = held_list(cli->db, &cli->arena, &list);
    if (db_check(cli->db, &cli->fault)) return cli_fail(cli);
    json_t *all = json_array();
    for (size_t i = 0; i < n; i++)
        if (cli->json)
            json_array_append_new(all, held_json(&list[i]));
        else
            print_held(&list[i]);
    if (cli->json) json_print(json_incref(all), stdout);
    if (!cli->json && !n) cli_say(cli, _("Nothing is held.\n"));
    json_decref(all);
    return EXIT_DONE;
}

/* The stopped plan of exactly that link and hash. */
static bool find_held(struct cli *cli, struct held *h)
{
    const char *link = cli->args[0], *plan = cli->args[1];
    if (!cli_db(cli)) return false;
    if (!held_get(cli->db, link, &cli->arena, h)) {
        if (db_check(cli->db, &cli->fault)) return false;
        if (!config_link_must(cli->config, link, &cli->fault)) return false;
        cli_usage(cli, _("\"abgleich held\" shows what is"), _("link \"%s\" has no stopped plan"), link);
        return false;
    }
    if (str_eq(h->plan, str_of(plan))) return true;
    cli_usage(cli, _("look at it first: \"abgleich held\""), _("link \"%s\" holds another plan: %.*s"), link,
              STR_ARG(h->plan));
    return false;
}

int command_approve(struct cli *cli)
{
    struct held h;
    if (!find_held(cli, &h) || held_approve(cli->db, cli->args[0], cli->args[1], &cli->fault)) return cli_fail(cli);
    cli_say(cli, _("Approved. The next run carries it out: \"abgleich sync %s\".\n"), cli->args[0]);
    return EXIT_DONE;
}

int command_reject(struct cli *cli)
{
    struct held h;
    if (!find_held(cli, &h) || held_clear(cli->db, cli->args[0], &cli->fault)) return cli_fail(cli);
    cli_say(cli, _("Forgotten. The next run plans anew, and is stopped again if nothing has changed.\n"));
    return EXIT_DONE;
}

/* -- review -- */

struct reviews {
    struct arena *arena;
    struct review *list;
    size_t n, cap;
};

static void collect(void *ctx, const struct review *r)
{
    struct reviews *all = ctx;
    if (all->n == all->cap) {
        size_t cap = all->cap ? all->cap * 2 : 32;
        struct review *bigger = arena_alloc(all->arena, cap * sizeof *bigger);
        if (all->n) memcpy(bigger, all->list, all->n * sizeof *bigger);
        all->list = bigger;
        all->cap = cap;
    }
    all->list[all->n++] = (struct review){.id_a = arena_str(all->arena, r->id_a),
                                          .id_b = arena_str(all->arena, r->id_b),
                                          .title_a = arena_str(all->arena, r->title_a),
                                          .title_b = arena_str(all->arena, r->title_b),
                                          .reason = arena_str(all->arena, r->reason),
                                          .time_ms = r->time_ms};
}

static json_t *review_json(const struct review *r)
{
    return json_pack("{s:{s:o,s:o},s:{s:o,s:o},s:o,s:o}", "a", "id", json_text(r->id_a), "contact",
                     json_text(r->title_a), "b", "id", json_text(r->id_b), "contact", json_text(r->title_b), "reason",
                     json_text(r->reason), "time", json_time(r->time_ms));
}

static int print_reviews(const struct cli *cli, const struct reviews *all, const char *link)
{
    if (cli->json) {
        json_t *list = json_array();
        for (size_t i = 0; i < all->n; i++) json_array_append_new(list, review_json(&all->list[i]));
        json_print(list, stdout);
    }
    for (size_t i = 0; i < all->n && !cli->json; i++) {
        const struct review *r = &all->list[i];
        struct table t AUTO_TABLE = table_of(3, 0);
        table_cell(&t, "A");
        table_text(&t, r->title_a);
        table_text(&t, r->id_a);
        table_cell(&t, "B");
        table_text(&t, r->title_b);
        table_text(&t, r->id_b);
        table_print(&t, "", stdout);
        printf("  %.*s\n", STR_ARG(r->reason));
        printf("  abgleich review %s --same %.*s %.*s\n", link, STR_ARG(r->id_a), STR_ARG(r->id_b));
        printf("  abgleich review %s --different %.*s %.*s\n\n", link, STR_ARG(r->id_a), STR_ARG(r->id_b));
    }
    if (!all->n) cli_say(cli, _("Nothing to decide.\n"));
    return all->n ? EXIT_WAITING : EXIT_DONE;
}

static const struct review *find_review(const struct reviews *all, struct str x, struct str y)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct review *r = &all->list[i];
        if ((str_eq(r->id_a, x) && str_eq(r->id_b, y)) || (str_eq(r->id_a, y) && str_eq(r->id_b, x))) return r;
    }
    return NULL;
}

static int decide(struct cli *cli, const struct reviews *all, const struct given *g, enum decision d)
{
    const char *link = cli->args[0];
    const struct review *r = find_review(all, str_of(g->value[0]), str_of(g->value[1]));
    if (!r)
        return cli_usage(cli, arena_printf(&cli->arena, _("\"abgleich review %s\" shows the pairs"), link),
                         _("these two are not waiting for a decision"));
    if (db_begin(cli->db, &cli->fault)) return cli_fail(cli);
    decision_put(cli->db, link, r->id_a, r->id_b, d, &cli->fault);
    review_remove(cli->db, link, r->id_a, r->id_b, &cli->fault);
    if (db_commit(cli->db, &cli->fault)) return cli_fail(cli);
    cli_say(cli, _("Remembered; the next run goes by it.\n"));
    return EXIT_DONE;
}

int command_review(struct cli *cli)
{
    const char *link = cli->args[0];
    const struct given *same = cli_given(cli, "same", 0), *different = cli_given(cli, "different", 0);
    struct reviews all = {.arena = &cli->arena};
    if (!cli_db(cli) || !config_link_must(cli->config, link, &cli->fault)) return cli_fail(cli);
    if (review_each(cli->db, link, collect, &all, &cli->fault)) return cli_fail(cli);
    if (same && different) return cli_usage(cli, NULL, _("one decision at a time"));
    if (same) return decide(cli, &all, same, DECISION_SAME);
    if (different) return decide(cli, &all, different, DECISION_DIFFERENT);
    return print_reviews(cli, &all, link);
}
