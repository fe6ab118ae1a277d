#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>

struct session {
    struct world *w;
    struct env *env; /* the run's */
    struct collection about;
};

/* -- the cards -- */

struct card *server_find(struct world *w, const char *id)
{
    for (size_t i = 0; i < w->n_cards; i++)
        if (strcmp(w->cards[i].id, id) == 0) return &w->cards[i];
    return NULL;
}

/* Rewrites lines: the server keeps what a card means, or, where it drops X- properties, all it can hold. */
static void rewrite(struct world *w, const char *body, char out[CARD_BYTES])
{
    const char *lines[200];
    size_t n = 0, len = 0;
    char copy[CARD_BYTES];
    snprintf(copy, sizeof copy, "%s", body);
    for (char *p = copy, *end; *p && n < 200; p = end + 1) {
        end = strchr(p, '\n');
        if (!end) break;
        *end = '\0';
        if (end > p && end[-1] == '\r') end[-1] = '\0';
        lines[n++] = p;
    }
    bool reorder = w->habits.rewriting == REWRITE_ORDER;
    for (size_t i = 0; i < n; i++) {
        const char *line = lines[reorder && i > 1 && i + 1 < n ? n - i : i];
        if (w->habits.rewriting == REWRITE_DROPS_X && strncmp(line, "X-", 2) == 0) continue;
        if (w->habits.rewriting == REWRITE_PHONES && strncmp(line, "TEL", 3) == 0 && strstr(line, ":+49") && strlen(line) < 60) {
            const char *colon = strstr(line, ":+49");
            char digits[64];
            size_t d = 0;
            for (const char *p = colon + 4; *p && d < sizeof digits - 1; p++)
                if (*p != ' ') digits[d++] = *p;
            digits[d] = '\0';
            len += (size_t)snprintf(out + len, CARD_BYTES - len, "%.*s:+49 %.3s %s\r\n", (int)(colon - line), line, digits,
                                    d > 3 ? digits + 3 : "");
            continue;
        }
        len += (size_t)snprintf(out + len, CARD_BYTES - len, "%s\r\n", line);
    }
    out[len] = '\0';
}

void server_put(struct world *w, const char *id, const char *body)
{
    struct card *c = server_find(w, id);
    if (!c) {
        if (w->n_cards == CARDS_MAX) abort();
        c = &w->cards[w->n_cards++];
        snprintf(c->id, sizeof c->id, "%s", id);
    }
    if (w->habits.rewriting == REWRITE_NONE) snprintf(c->body, sizeof c->body, "%s", body);
    else if (w->habits.rewriting == REWRITE_CLOUD)
        lossy_rewrite(body, c->body);
    else
        rewrite(w, body, c->body);
    c->there = true;
    c->seq = ++w->seq;
}

void server_delete(struct world *w, struct card *c)
{
    c->there = false;
    c->seq = ++w->seq;
}

static const char *version_of(struct world *w, const struct card *c, char out[64])
{
    if (w->habits.etags == ETAG_MISSING) return NULL;
    unsigned long long churn = w->habits.etags == ETAG_CHURNING ? w->runs : 0;
    snprintf(out, 64, "\"%llu-%llu\"", (unsigned long long)c->seq, churn);
    return out;
}

/* What was created under that name, where the server named it itself; the last one. */
static struct card *find_asked(struct world *w, const char *asked)
{
    for (size_t i = w->n_cards; i-- > 0;)
        if (strcmp(w->cards[i].asked, asked) == 0) return &w->cards[i];
    return NULL;
}

/* -- faults -- */

static bool goes_wrong(struct world *w)
{
    return !w->calm && chance(w, w->habits.faults);
}

static void users_meanwhile(struct world *w)
{
    if (!w->calm && w->habits.users_in_runs && chance(w, 60)) user_acts(w, false);
}

/* Where nothing is on its way: another process may come. */
static void others_meanwhile(struct world *w)
{
    users_meanwhile(w);
    rival_meanwhile(w);
}

static enum fault_code wide_fault(struct world *w, struct fault *f)
{
    static const enum fault_code codes[] = {FAULT_UNREACHABLE, FAULT_RATE_LIMITED, FAULT_AUTH, FAULT_PROTOCOL};
    enum fault_code code = codes[pick(w, 4)];
    note(w, "server: %s", fault_name(code));
    return fault_set(f, code, NULL, "simulated %s", fault_name(code));
}

static void boundary(struct session *s, const char *where)
{
    s->w->env.boundary(&s->w->env, where);
}

/* -- the connector -- */

static enum fault_code sim_open(const struct account *account, struct traits *traits, struct env *env, struct session **out,
                                struct fault *f)
{
    (void)traits;
    (void)f;
    *out = mem_calloc(1, sizeof **out);
    (*out)->w = account->state;
    (*out)->env = env;
    (*out)->about = (struct collection){"kunden", "/kunden/", RECORD_CONTACT, false, -1, WRITE_V30, 0};
    return FAULT_NONE;
}

static void sim_close(struct session *s)
{
    free(s);
}

static enum fault_code sim_discover(struct session *s, struct collections *out, struct fault *f)
{
    boundary(s, "discover");
    if (goes_wrong(s->w)) return wide_fault(s->w, f);
    *out = (struct collections){mem_calloc(1, sizeof *out->items), 1};
    out->items[0] = s->about;
    out->items[0].name = mem_strdup(s->about.name);
    out->items[0].path = mem_strdup(s->about.path);
    return FAULT_NONE;
}

static enum fault_code sim_select(struct session *s, const char *path, const struct collection **about, struct buf *identity,
                                  struct fault *f)
{
    (void)f;
    *about = &s->about;
    buf_addf(identity, "sim:%s%s", path, s->w->moved_away ? "elsewhere" : "");
    return FAULT_NONE;
}

static enum fault_code give_as(struct session *s, const struct card *c, struct str asked, bool body, const struct sink *sink)
{
    char version[64];
    const struct card copy = *c; /* a user may act while the engine looks at it */
    struct entry e = {.id = asked.p ? asked : str_of(copy.id), .gone = !copy.there};
    if (copy.there && asked.p && !str_eq(asked, str_of(copy.id))) e.now = str_of(copy.id);
    const struct card *renamed = copy.there || asked.p ? NULL : find_asked(s->w, copy.id);
    if (renamed && renamed->there) e.now = str_of(renamed->id); /* as Google's previousResourceNames */
    if (copy.there) {
        e.version = str_of(version_of(s->w, &copy, version));
        if (body) e.body = str_of(copy.body);
    }
    return sink->entry(sink->ctx, &e);
}

static enum fault_code give(struct session *s, const struct card *c, bool body, const struct sink *sink)
{
    return give_as(s, c, STR_NONE, body, sink);
}

#define UNMOUNTED "unmounted-"

/* Who was deleted in the store just then is gone on both sides, for all the program can know: if the card is there again later, it is one
 * that a person deleted here, as if it had been moved. */
static void pretend_empty(struct world *w)
{
    w->lied_in_run = w->runs;
    for (size_t i = 0; i < w->n_cards; i++) {
        int person = w->cards[i].there ? person_of(w, w->cards[i].body) : -1;
        if (person >= 0 && w->persons[person].erased_here) w->persons[person].moved = true;
    }
}

static enum fault_code list(struct session *s, uint64_t since, bool full, const struct sink *sink, struct changes *out, struct fault *f)
{
    struct world *w = s->w;
    size_t stop = goes_wrong(w) ? pick(w, (uint32_t)w->n_cards + 1) : SIZE_MAX;
    /* (Empty, with a card under a name nobody has heard of: to create that again is all a program could do.) */
    uint64_t told = w->seq; /* up to there: what is late is told next time, with all that came after it */
    if (w->habits.late && !full && !w->calm) told -= pick(w, (uint32_t)(w->seq - since < 6 ? w->seq - since : 6) + 1);
    bool lies = full && !w->calm && w->synced && !w->move_untold && chance(w, w->habits.lies);
    size_t n = w->n_cards;
    if (lies) pretend_empty(w);
    if (lies) note(w, "server: pretends to be empty");
    enum fault_code code = sink->begin(sink->ctx, full);
    for (size_t i = 0; !code && i < n && !lies; i++) {
        if (i == stop && w->seed % 2) return fault_set(f, FAULT_INCOMPLETE, NULL, "simulated end of the answer");
        if (i == stop) { /* or just says so */
            *out = (struct changes){.full = full, .complete = false};
            return FAULT_NONE;
        }
        const struct card *c = &w->cards[i];
        if (full ? c->there : c->seq > since && c->seq <= told) code = give(s, c, w->habits.bodies_in_listing, sink);
    }
    out->full = full;
    out->complete = !code;
    struct buf token AUTO_BUF = BUF_INIT;
    /* What was lost for a while (a store not mounted) knows nothing of the tokens given out meanwhile. */
    buf_addf(&token, "%s%llu", lies ? UNMOUNTED : "", (unsigned long long)told);
    if (w->habits.tokens) out->token = buf_detach(&token);
    return code;
}

static enum fault_code sim_changes(struct session *s, const char *token, bool all, const struct sink *sink, struct changes *out,
                                   struct fault *f)
{
    boundary(s, "list");
    others_meanwhile(s->w);
    if (goes_wrong(s->w)) return wide_fault(s->w, f);
    bool dead = !s->w->calm && chance(s->w, 50);
    bool full = all || !token || dead || str_starts(str_of(token), STR(UNMOUNTED));
    enum fault_code code = list(s, full ? 0 : strtoull(token, NULL, 10), full, sink, out, f);
    boundary(s, "listed");
    others_meanwhile(s->w);
    return code;
}

static enum fault_code sim_fetch(struct session *s, const struct str *ids, size_t n, const struct sink *sink, struct fault *f)
{
    boundary(s, "fetch");
    others_meanwhile(s->w);
    if (goes_wrong(s->w)) return wide_fault(s->w, f);
    enum fault_code code = FAULT_NONE;
    for (size_t i = 0; !code && i < n; i++) {
        if (goes_wrong(s->w)) continue; /* no answer for this one */
        char *id AUTO_FREE = mem_strndup(ids[i].p, ids[i].n);
        struct card *c = server_find(s->w, id);
        struct card *made = c && c->there ? NULL : find_asked(s->w, id); /* also where what had that name came back */
        if (made) c = made;
        const struct entry gone = {.id = ids[i], .gone = true};
        code = c ? give_as(s, c, ids[i], true, sink) : sink->entry(sink->ctx, &gone);
    }
    boundary(s, "fetched");
    others_meanwhile(s->w);
    return code;
}

static char *sim_new_id(struct session *s)
{
    char uuid[UUID_TEXT_BYTES];
    env_uuid4(&s->w->env, uuid);
    return mem_strdup(uuid);
}

/* The name a new card gets: the one it was given, or one of the server's own, told in the answer. */
static const char *name_new(struct world *world, struct write *w, const char *asked, char own[64])
{
    if (!world->habits.names_itself || w->kind != WRITE_CREATE) return asked;
    snprintf(own, 64, "own-%zu", world->n_cards);
    w->new_id = mem_strdup(own);
    return own;
}

/* As Google does where an address has a profile: the record goes on under another name. */
static const char *rename_card(struct world *world, struct card *c, struct write *w, char own[64])
{
    char body[CARD_BYTES];
    memcpy(body, c->body, sizeof body);
    snprintf(own, 64, "renamed-%zu", world->n_cards);
    server_delete(world, c);
    server_put(world, own, body);
    c->seq = world->seq; /* one change, told as one */
    w->new_id = mem_strdup(own);
    return own;
}

static void carry_out(struct session *s, struct write *w, const char *asked)
{
    struct world *world = s->w;
    char own[64];
    const char *id = name_new(world, w, asked, own);
    struct card *c = server_find(world, id);
    bool there = c && c->there;
    char version[64];
    if (w->kind == WRITE_CREATE && there) w->code = FAULT_EXISTS;
    else if (w->kind != WRITE_CREATE && !there)
        w->code = FAULT_GONE;
    else if (w->kind != WRITE_CREATE && !world->habits.unconditional && w->version.p && !str_eq(w->version, str_of(version_of(world, c, version))))
        w->code = FAULT_CHANGED;
    else if (w->kind == WRITE_DELETE) {
        server_delete(world, c);
        w->code = FAULT_NONE;
    } else {
        char *body AUTO_FREE = mem_strndup(w->body.p, w->body.n);
        server_put(world, id, body);
        w->code = FAULT_NONE;
        if (w->kind == WRITE_UPDATE && world->habits.renames && chance(world, 150)) id = rename_card(world, c, w, own);
        if (id != asked) snprintf(server_find(world, id)->asked, sizeof own, "%s", asked);
        server_find(world, id)->made_in_run = world->runs;
        server_find(world, id)->unsure = true;
        if (world->habits.tells_put_version) w->new_version = mem_strdup(version_of(world, server_find(world, id), version));
    }
    note(world, "server: %s %s if %.*s -> %s", w->kind == WRITE_CREATE ? "create" : w->kind == WRITE_UPDATE ? "update" : "delete", id, STR_ARG(w->version),
         w->code ? fault_name(w->code) : "ok");
}

static enum fault_code write_one(struct session *s, struct write *w, struct fault *f)
{
    struct world *world = s->w;
    char *id AUTO_FREE = mem_strndup(w->id.p, w->id.n);
    boundary(s, "write");
    users_meanwhile(world);
    if (!goes_wrong(world)) {
        carry_out(s, w, id);
        boundary(s, "written");
        others_meanwhile(world);
        return FAULT_NONE;
    }
    switch (pick(world, 4)) {
    case 0: /* the answer is lost after the effect */
        carry_out(s, w, id);
        if (!w->code) server_find(world, w->new_id ? w->new_id : id)->unsure = true;
        free(w->new_version);
        free(w->new_id);
        w->new_version = w->new_id = NULL;
        w->code = FAULT_UNKNOWN;
        return FAULT_NONE;
    case 1: w->code = FAULT_UNKNOWN; return FAULT_NONE; /* lost before it */
    case 2: w->code = FAULT_LOCKED; return FAULT_NONE;
    default: return wide_fault(world, f);
    }
}

static enum fault_code sim_write(struct session *s, struct write *writes, size_t n, void (*done)(void *ctx, struct write *w), void *ctx,
                                 struct fault *f)
{
    for (size_t i = 0; i < n; i++) writes[i].code = FAULT_CANCELLED;
    for (size_t i = 0; i < n; i++) {
        if (s->env->cancelled(s->env)) return fault_set(f, FAULT_CANCELLED, NULL, "simulated stop");
        enum fault_code code = write_one(s, &writes[i], f);
        if (code) return code;
        if (done) done(ctx, &writes[i]);
    }
    return FAULT_NONE;
}

const struct connector connector_simcloud = {
    .name = "simcloud",
    .capabilities = CAN_TOKEN,
    .open = sim_open,
    .close = sim_close,
    .discover = sim_discover,
    .select = sim_select,
    .changes = sim_changes,
    .fetch = sim_fetch,
    .new_id = sim_new_id,
    .write = sim_write,
};

const struct connector connector_simserver = {
    .name = "simserver",
    .capabilities = CAN_TOKEN | CAN_CONDITION,
    .open = sim_open,
    .close = sim_close,
    .discover = sim_discover,
    .select = sim_select,
    .changes = sim_changes,
    .fetch = sim_fetch,
    .new_id = sim_new_id,
    .write = sim_write,
};
