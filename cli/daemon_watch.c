#include "cli/daemon_watch.h"

#include "base/mem.h"
#include "state/request.h"
#include "state/store.h"

#include <stdlib.h>

#define PATIENCE 12 /* quiet times: who edits without a pause is synced in between */

struct seen_book {
    char *id, *name;
    int64_t seq;               /* as last looked at */
    int64_t told_seq;          /* as when its links were last told */
    int64_t first_ms, last_ms; /* monotonic: changes since then; 0 = none */
};

struct state_watch {
    struct db *db;
    struct state_watch_hooks hooks;
    struct seen_book *books;
    size_t n;
    int64_t commits; /* -1: look again */
    int64_t *passed; /* the requests passed on, by run */
    size_t n_passed;
};

static int64_t now_ms(const struct state_watch *w)
{
    return db_env(w->db)->monotonic_ms(db_env(w->db));
}

static struct seen_book *book_seen(struct state_watch *w, struct str id)
{
    for (size_t i = 0; i < w->n; i++)
        if (str_eq(str_of(w->books[i].id), id)) return &w->books[i];
    w->books = mem_realloc(w->books, (w->n + 1) * sizeof *w->books);
    w->books[w->n] = (struct seen_book){.id = mem_strndup(id.p, id.n)};
    return &w->books[w->n++];
}

static void look_at_books(struct state_watch *w, bool first)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct book *books;
    size_t n = book_list(w->db, &arena, &books);
    for (size_t i = 0; i < n; i++) {
        struct seen_book *b = book_seen(w, books[i].id);
        free(b->name);
        b->name = mem_strndup(books[i].name.p, books[i].name.n);
        if (first)
            b->told_seq = books[i].seq;
        else if (books[i].seq != b->seq) {
            b->last_ms = now_ms(w);
            if (!b->first_ms) b->first_ms = b->last_ms;
        }
        b->seq = books[i].seq;
    }
}

static bool is_passed(const struct state_watch *w, int64_t run)
{
    size_t i = 0;
    while (i < w->n_passed && w->passed[i] != run) i++;
    return i < w->n_passed;
}

static void look_at_requests(struct state_watch *w)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct request *requests;
    size_t n = request_list(w->db, &arena, &requests);
    int64_t *passed = mem_calloc(n + 1, sizeof *passed);
    size_t n_passed = 0;
    for (size_t i = 0; i < n; i++) {
        bool taken = is_passed(w, requests[i].run) || w->hooks.requested(w->hooks.ctx, requests[i].link.p);
        if (taken)
            passed[n_passed++] = requests[i].run;
        else
            w->commits = -1;
    }
    free(w->passed);
    w->passed = passed;
    w->n_passed = n_passed;
}

static bool is_side(const struct config_account *account, const char *collection, const struct seen_book *b)
{
    return config_is_store(account) && (strcmp(collection, b->name) == 0 || strcmp(collection, b->id) == 0);
}

static bool has_book(const struct config_link *l, const struct seen_book *b)
{
    return is_side(l->account_a, l->collection_a, b) || is_side(l->account_b, l->collection_b, b);
}

/* What a sync wrote into a book that one link only has came by that link: it knows. */
static void tell_links(struct state_watch *w, const struct config *c, struct seen_book *b)
{
    size_t links = 0;
    for (size_t i = 0; i < c->n_links; i++) links += has_book(&c->links[i], b) && config_link_is_on(&c->links[i]);
    bool worth = links > 1 || store_changed_by_person(w->db, str_of(b->id), b->told_seq);
    b->told_seq = b->seq;
    b->first_ms = b->last_ms = 0;
    for (size_t i = 0; worth && i < c->n_links; i++)
        if (has_book(&c->links[i], b)) w->hooks.changed(w->hooks.ctx, c->links[i].name);
}

struct state_watch *state_watch_new(struct db *db, const struct state_watch_hooks *hooks)
{
    struct state_watch *w = mem_calloc(1, sizeof *w);
    w->db = db;
    w->hooks = *hooks;
    w->commits = -1; /* the first look finds the requests that waited for us */
    look_at_books(w, true);
    return w;
}

void state_watch_look(struct state_watch *w, const struct config *config)
{
    struct fault ignored AUTO_FAULT = FAULT_INIT; /* a database that cannot be read is the runs' to report */
    int64_t commits = db_commits(w->db), now = now_ms(w);
    if (commits != w->commits) {
        w->commits = commits;
        look_at_books(w, false);
        look_at_requests(w);
    }
    for (size_t i = 0; i < w->n; i++) {
        struct seen_book *b = &w->books[i];
        bool quiet = now - b->last_ms >= config->quiet_ms || now - b->first_ms >= PATIENCE * config->quiet_ms;
        if (b->first_ms && quiet) tell_links(w, config, b);
    }
    db_check(w->db, &ignored);
}

void state_watch_free(struct state_watch *w)
{
    if (!w) return;
    for (size_t i = 0; i < w->n; i++) {
        free(w->books[i].id);
        free(w->books[i].name);
    }
    free(w->books);
    free(w->passed);
    free(w);
}
