/* The store's book as a remote: nothing of it joins the engine's transactions, answers get lost, people write to it in
 * the middle of a run, a run may die around every call. With it both sides of a link are remote, and neither is the
 * Contactbox. */
#include "tests/sim/sim.h"

#include "connectors/registry.h"

#include <stdlib.h>

struct session {
    struct world *w;
    struct account inside;
    struct session *book;
};

static void boundary(struct session *s, const char *where)
{
    s->w->env.boundary(&s->w->env, where);
}

static void users_meanwhile(struct session *s)
{
    struct world *w = s->w;
    if (!w->calm && w->habits.users_in_runs && !w->taken_over && !db_in_transaction(w->db) && chance(w, 40)) user_acts(w, true);
}

static bool goes_wrong(struct session *s)
{
    return !s->w->calm && chance(s->w, s->w->habits.faults);
}

static enum fault_code far_open(const struct account *account, struct traits *traits, struct env *env,
                                struct session **out, struct fault *f)
{
    struct session *s = mem_calloc(1, sizeof *s);
    s->w = account->state;
    s->inside = *account;
    s->inside.state = s->w->db;
    enum fault_code code = connector_contactbox.open(&s->inside, traits, env, &s->book, f);
    if (code)
        free(s);
    else
        *out = s;
    return code;
}

static void far_close(struct session *s)
{
    connector_contactbox.close(s->book);
    free(s);
}

static enum fault_code far_discover(struct session *s, struct collections *out, struct fault *f)
{
    return connector_contactbox.discover(s->book, out, f);
}

static enum fault_code far_select(struct session *s, const char *path, const struct collection **about,
                                  struct buf *identity, struct fault *f)
{
    return connector_contactbox.select(s->book, path, about, identity, f);
}

static enum fault_code far_changes(struct session *s, const char *token, bool list, const struct sink *sink,
                                   struct changes *out, struct fault *f)
{
    boundary(s, "list A");
    users_meanwhile(s);
    if (goes_wrong(s)) return fault_set(f, FAULT_UNREACHABLE, NULL, "simulated");
    enum fault_code code = connector_contactbox.changes(s->book, token, list, sink, out, f);
    boundary(s, "listed A");
    return code;
}

static enum fault_code far_fetch(struct session *s, const struct str *ids, size_t n, const struct sink *sink,
                                 struct fault *f)
{
    boundary(s, "fetch A");
    users_meanwhile(s);
    if (goes_wrong(s)) return fault_set(f, FAULT_UNREACHABLE, NULL, "simulated");
    return connector_contactbox.fetch(s->book, ids, n, sink, f);
}

static char *far_new_id(struct session *s)
{
    return connector_contactbox.new_id(s->book);
}

static void lose_answer(struct write *w)
{
    write_clear(w);
    w->code = FAULT_UNKNOWN;
}

static enum fault_code write_one(struct session *s, struct write *w, struct fault *f)
{
    char *body AUTO_FREE = mem_strndup(w->body.p ? w->body.p : "", w->body.n);
    int person = person_of(s->w, body);
    boundary(s, "write A");
    users_meanwhile(s);
    bool wrong = goes_wrong(s), arrives = !wrong || pick(s->w, 2);
    if (person >= 0) s->w->persons[person].unsure = true; /* before: it may die in there, with its effect */
    enum fault_code code = arrives ? connector_contactbox.write(s->book, w, 1, NULL, NULL, f) : FAULT_NONE;
    note(s->w, "book: write %d of %.*s -> %s%s", w->kind, STR_ARG(w->id), arrives ? fault_name(w->code) : "lost",
         wrong ? ", no answer" : "");
    if (code) return code;
    if (wrong) lose_answer(w);
    w->kept &= s->w->habits.tells_put_version;
    boundary(s, "written A");
    users_meanwhile(s);
    return FAULT_NONE;
}

static enum fault_code far_write(struct session *s, struct write *writes, size_t n,
                                 void (*done)(void *ctx, struct write *w), void *ctx, struct fault *f)
{
    for (size_t i = 0; i < n; i++) writes[i].code = FAULT_CANCELLED;
    for (size_t i = 0; i < n; i++) {
        enum fault_code code = write_one(s, &writes[i], f);
        if (code) return code;
        if (done) done(ctx, &writes[i]);
    }
    return FAULT_NONE;
}

const struct connector connector_far_book = {
    .name = "farbook",
    .capabilities = CAN_TOKEN | CAN_CONDITION,
    .open = far_open,
    .close = far_close,
    .discover = far_discover,
    .select = far_select,
    .changes = far_changes,
    .fetch = far_fetch,
    .new_id = far_new_id,
    .write = far_write,
};
