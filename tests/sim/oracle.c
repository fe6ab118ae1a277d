/* What must be true, said without knowing how the engine works (promises 1). */
#include "tests/sim/sim.h"

#include "state/runs.h"
#include "state/settings.h"
#include "state/store.h"

#include <stdio.h>
#include <stdlib.h>

/* Folded lines joined, blanks out. */
static char *squeezed(const char *body)
{
    char *out = mem_alloc(strlen(body) + 1), *to = out;
    for (const char *p = body; *p; p++) {
        if ((p[0] == '\n' || p[0] == '\r') && (p[1] == ' ' || (p[0] == '\r' && p[1] == '\n' && p[2] == ' '))) continue;
        if (*p != ' ') *to++ = *p;
    }
    *to = '\0';
    return out;
}

bool body_has(const char *body, const char *token)
{
    char *text AUTO_FREE = squeezed(body);
    return strstr(text, token) != NULL;
}

int person_of(struct world *w, const char *body)
{
    const char *uid = strstr(body, "UID:");
    if (!uid) return -1;
    uid += 4;
    size_t n = strcspn(uid, "\r\n");
    for (size_t i = 0; i < w->n_persons; i++)
        if (strlen(w->persons[i].uid) == n && strncmp(w->persons[i].uid, uid, n) == 0) return (int)i;
    return -1;
}

size_t text_tokens_superseded(struct world *w, const char *body, int person)
{
    char *text AUTO_FREE = squeezed(body);
    size_t n = 0;
    for (size_t i = 0; i < w->n_tokens; i++) {
        struct token *t = &w->tokens[i];
        if (t->record != person || t->fate != TOKEN_LIVE || !strstr(text, t->text)) continue;
        t->fate = TOKEN_SUPERSEDED;
        note(w, "      takes %s away from %s", t->text, w->persons[person].uid);
        n++;
    }
    return n;
}

/* -- both sides by person -- */

struct sides {
    char *body[2][RECORDS_MAX];
    int count[2][RECORDS_MAX];
    size_t total[2];
    struct world *w;
};

static void add(struct sides *s, int side, struct str body)
{
    char *text = mem_strndup(body.p, body.n);
    int person = person_of(s->w, text);
    s->total[side]++;
    if (person < 0) {
        violation(s->w, "a card without a known UID on %c: %s", 'A' + side, text);
        free(text);
        return;
    }
    s->count[side][person]++;
    free(s->body[side][person]);
    s->body[side][person] = text;
}

static bool add_stored(void *ctx, const struct store_record *r)
{
    add(ctx, 0, r->body);
    return true;
}

static struct sides *sides_of(struct world *w)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct sides *s = mem_calloc(1, sizeof *s);
    s->w = w;
    store_each(w->db, str_of(w->book), add_stored, s, &f);
    for (size_t i = 0; i < w->n_cards; i++)
        if (w->cards[i].there) add(s, 1, str_of(w->cards[i].body));
    return s;
}

static void sides_free(struct sides *s)
{
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < RECORDS_MAX; i++) free(s->body[side][i]);
    free(s);
}

/* P2: nobody is doubled, at any time. (Two users who make the same person on both sides make one on each.) */
static void check_doubles(struct world *w, const struct sides *s)
{
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < w->n_persons; i++)
            if (s->count[side][i] > 1) violation(w, "P2: %s is there %d times on %c", w->persons[i].uid, s->count[side][i], 'A' + side);
}

/* With -v and SIM_UID=uid-7 in the environment: how that record looks on both sides. */
static void show_watched(struct world *w, const struct sides *s)
{
    const char *uid = w->verbose ? getenv("SIM_UID") : NULL;
    for (size_t i = 0; uid && i < w->n_persons; i++)
        if (strcmp(w->persons[i].uid, uid) == 0)
            for (int side = 0; side < 2; side++) note(w, "%c: %s", 'A' + side, s->body[side][i] ? s->body[side][i] : "-");
}

void oracle_always(struct world *w)
{
    struct sides *s = sides_of(w);
    show_watched(w, s);
    check_doubles(w, s);
    sides_free(s);
}

/* -- when all is quiet -- */

struct reported {
    char **texts;
    size_t n;
};

static struct reported reported_of(struct world *w, struct arena *arena)
{
    struct report_conflict *list;
    struct reported r = {0};
    size_t n = runs_conflicts(w->db, NULL, false, arena, &list);
    r.texts = arena_alloc(arena, (n + 1) * sizeof *r.texts);
    for (size_t i = 0; i < n; i++) {
        char *text = arena_printf(arena, "%.*s|%.*s", STR_ARG(list[i].a), STR_ARG(list[i].b));
        char *flat AUTO_FREE = squeezed(text);
        r.texts[r.n++] = arena_strdup(arena, str_of(flat));
    }
    return r;
}

static bool is_reported(const struct reported *r, const struct token *t)
{
    for (size_t i = 0; i < r->n; i++)
        if (strstr(r->texts[i], t->text)) return true;
    return t->reported;
}

static bool is_odd(const struct person *p)
{
    return p->moved && p->erased_here;
}

/* P1: what a user wrote, and nobody who saw it took away, is on both sides or in a report. */
static void check_updates(struct world *w, const struct sides *s, const struct reported *reported)
{
    for (size_t i = 0; i < w->n_tokens; i++) {
        const struct token *t = &w->tokens[i];
        if (t->fate != TOKEN_LIVE || is_reported(reported, t) || is_odd(&w->persons[t->record])) continue;
        bool cloud = w->habits.rewriting == REWRITE_CLOUD;
        bool dropped = t->droppable && (cloud || w->habits.rewriting == REWRITE_DROPS_X);
        if (cloud && t->untaken) continue;
        for (int side = 0; side < 2; side++) {
            const char *body = s->body[side][t->record];
            if (dropped && side == 1) continue;
            if (dropped && !s->body[0][t->record]) continue; /* the only one who had it was the server, which drops it */
            if (!body || !body_has(body, t->text)) {
                if (dropped && body && !cloud) continue; /* written on B, where it was dropped at once */
                violation(w, "P1: %s of %s is lost on %c%s", t->text, w->persons[t->record].uid, 'A' + side, body ? "" : " (no record)");
            }
        }
    }
}

/* P3: what was deleted, and not edited elsewhere, stays away. */
static void check_deleted(struct world *w, const struct sides *s)
{
    for (size_t i = 0; i < w->n_persons; i++)
        for (int side = 0; side < 2; side++)
            if (w->persons[i].deleted && !is_odd(&w->persons[i]) && s->count[side][i]) violation(w, "P3: %s came back on %c", w->persons[i].uid, 'A' + side);
}

/* P5: both sides have the same people, and a value taken away is gone from both. */
static void check_same(struct world *w, const struct sides *s, const struct reported *reported)
{
    for (size_t i = 0; i < w->n_persons; i++)
        if (s->count[0][i] != s->count[1][i] && !is_odd(&w->persons[i]))
            violation(w, "P5: %s is there %d times on A and %d times on B", w->persons[i].uid, s->count[0][i], s->count[1][i]);
    for (size_t i = 0; i < w->n_tokens; i++) {
        const struct token *t = &w->tokens[i];
        const char *a = s->body[0][t->record], *b = s->body[1][t->record];
        if (!a || !b || t->droppable || is_reported(reported, t)) continue;
        if (body_has(a, t->text) != body_has(b, t->text))
            violation(w, "P5: %s of %s is on %s only", t->text, w->persons[t->record].uid, body_has(a, t->text) ? "A" : "B");
    }
}

void oracle_settled(struct world *w)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct sides *s = sides_of(w);
    struct reported reported = reported_of(w, &arena);
    check_doubles(w, s);
    check_updates(w, s, &reported);
    check_deleted(w, s);
    check_same(w, s, &reported);
    sides_free(s);
}
