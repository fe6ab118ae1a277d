#include "core/match.h"

#include "base/buf.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { ROUNDS = 3000, SEED = 20260531, MOST = 14, LISTS = 3 };

struct world {
    uint64_t seed;
    struct match_record records[2][MOST];
    uint64_t emails[2][MOST][LISTS], phones[2][MOST][LISTS];
    struct match_remembered same[3], different[3];
    struct match_input in;
};

static unsigned dice(struct world *w, unsigned limit)
{
    uint64_t z = (w->seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (unsigned)((z ^ (z >> 31)) % limit);
}

static size_t some(struct world *w, uint64_t *list, uint64_t base, unsigned kinds)
{
    size_t n = dice(w, LISTS + 1);
    for (size_t i = 0; i < n; i++) list[i] = base + dice(w, kinds);
    return n;
}

/* 0 = not there, in one of three. */
static uint64_t maybe(struct world *w, uint64_t base, unsigned kinds)
{
    return dice(w, 3) ? base + dice(w, kinds) : 0;
}

static void world_make(struct world *w, unsigned round)
{
    memset(w, 0, sizeof *w);
    w->seed = SEED + round;
    unsigned kinds = 3 + dice(w, 20);
    for (int s = 0; s < 2; s++) {
        w->in.n[s] = dice(w, MOST + 1);
        w->in.records[s] = w->records[s];
        for (size_t i = 0; i < w->in.n[s]; i++) {
            struct signals *g = &w->records[s][i].signals;
            *g =
                (struct signals){.uid = maybe(w, 1000, kinds), .name = maybe(w, 2000, kinds), .org = maybe(w, 3000, 3)};
            g->n_emails = some(w, w->emails[s][i], 4000, kinds);
            g->n_phones = some(w, w->phones[s][i], 5000, kinds);
            g->emails = w->emails[s][i];
            g->phones = w->phones[s][i];
            w->records[s][i].is_group = dice(w, 8) == 0;
        }
    }
    w->in.same = w->same;
    w->in.different = w->different;
    if (!w->in.n[0] || !w->in.n[1]) return;
    w->in.n_same = dice(w, 3);
    w->in.n_different = dice(w, 4);
    for (size_t i = 0; i < 3; i++) {
        w->same[i] = (struct match_remembered){dice(w, (unsigned)w->in.n[0]), dice(w, (unsigned)w->in.n[1])};
        w->different[i] = (struct match_remembered){dice(w, (unsigned)w->in.n[0]), dice(w, (unsigned)w->in.n[1])};
    }
}

static bool share(const uint64_t *x, size_t n, const uint64_t *y, size_t m)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < m; k++)
            if (x[i] == y[k]) return true;
    return false;
}

static bool said(const struct match_remembered *list, size_t n, uint32_t a, uint32_t b)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].a == a && list[i].b == b) return true;
    return false;
}

static void check_pair(const struct world *w, const struct match_pair *p, unsigned round)
{
    const struct match_record *x = &w->records[0][p->a], *y = &w->records[1][p->b];
    const struct signals *g = &x->signals, *h = &y->signals;
    cr_assert_not(said(w->different, w->in.n_different, p->a, p->b), "round %u: said to be different", round);
    if (p->rule == MATCH_REMEMBERED) {
        cr_assert(said(w->same, w->in.n_same, p->a, p->b), "round %u", round);
        return;
    }
    cr_assert_eq(x->is_group, y->is_group, "round %u", round);
    bool name = g->name && g->name == h->name;
    bool holds[] = {[MATCH_UID] = g->uid && g->uid == h->uid,
                    [MATCH_NAME_EMAIL] = name && share(g->emails, g->n_emails, h->emails, h->n_emails),
                    [MATCH_NAME_PHONE] = name && share(g->phones, g->n_phones, h->phones, h->n_phones),
                    [MATCH_NAME_ORG] = name && g->org && g->org == h->org,
                    [MATCH_GROUP_NAME] = name && x->is_group};
    cr_assert(holds[p->rule], "round %u: rule %d does not hold", round, p->rule);
}

static bool is_listed(const struct match_result *r, uint32_t a, uint32_t b, bool mirrored, unsigned reasons)
{
    for (size_t i = 0; i < r->n_ambiguous; i++) {
        const struct match_ambiguous *m = &r->ambiguous[i];
        if ((mirrored ? m->b : m->a) == a && (mirrored ? m->a : m->b) == b && m->reasons == reasons) return true;
    }
    return false;
}

static bool is_paired(const struct match_result *r, uint32_t a, uint32_t b, enum match_rule rule)
{
    for (size_t i = 0; i < r->n_pairs; i++)
        if (r->pairs[i].a == a && r->pairs[i].b == b && r->pairs[i].rule == rule) return true;
    return false;
}

static void check_form(const struct world *w, const struct match_result *r, unsigned round)
{
    bool taken[2][MOST] = {{false}};
    for (size_t i = 0; i < r->n_pairs; i++) {
        const struct match_pair *p = &r->pairs[i];
        cr_assert(i == 0 || r->pairs[i - 1].a < p->a, "round %u: order", round);
        cr_assert_not(taken[0][p->a] || taken[1][p->b], "round %u: a record in two pairs", round);
        cr_assert_not(r->waits[0][p->a] || r->waits[1][p->b], "round %u: a pair waits", round);
        taken[0][p->a] = taken[1][p->b] = true;
        check_pair(w, p, round);
    }
    for (size_t i = 0; i < r->n_ambiguous; i++) {
        const struct match_ambiguous *m = &r->ambiguous[i];
        cr_assert_not(taken[0][m->a] || taken[1][m->b], "round %u: a candidate has a partner", round);
        cr_assert(r->waits[0][m->a] && r->waits[1][m->b], "round %u: a candidate does not wait", round);
        cr_assert_not(said(w->different, w->in.n_different, m->a, m->b), "round %u: said to be different", round);
    }
}

/* Two records alike in UID, or in name and one thing more, are never both free to be created: no twins (P2). */
static void check_no_twins(const struct world *w, const struct match_result *r, unsigned round)
{
    bool taken[2][MOST] = {{false}};
    for (size_t i = 0; i < r->n_pairs; i++) taken[0][r->pairs[i].a] = taken[1][r->pairs[i].b] = true;
    for (uint32_t a = 0; a < w->in.n[0]; a++) {
        for (uint32_t b = 0; b < w->in.n[1]; b++) {
            const struct match_record *x = &w->records[0][a], *y = &w->records[1][b];
            bool uid = x->signals.uid && x->signals.uid == y->signals.uid && x->is_group == y->is_group;
            if (!uid || said(w->different, w->in.n_different, a, b)) continue;
            bool settled = taken[0][a] || taken[1][b] || (r->waits[0][a] && r->waits[1][b]);
            cr_assert(settled, "round %u: %u and %u would be doubled", round, a, b);
        }
    }
}

Test(match, keeps_its_rules)
{
    fprintf(stderr, "seed %d\n", SEED);
    struct world w;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct match_result r;
        world_make(&w, round);
        match_records(&arena, &w.in, &r);
        check_form(&w, &r, round);
        check_no_twins(&w, &r, round);
    }
}

Test(match, is_symmetric)
{
    struct world w;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct match_result r, q;
        world_make(&w, round);
        match_records(&arena, &w.in, &r);
        struct match_remembered same[3], different[3];
        for (int i = 0; i < 3; i++) {
            same[i] = (struct match_remembered){w.same[i].b, w.same[i].a};
            different[i] = (struct match_remembered){w.different[i].b, w.different[i].a};
        }
        struct match_input mirrored = {.records = {w.in.records[1], w.in.records[0]},
                                       .n = {w.in.n[1], w.in.n[0]},
                                       .same = same,
                                       .different = different,
                                       .n_same = w.in.n_same,
                                       .n_different = w.in.n_different};
        match_records(&arena, &mirrored, &q);
        cr_assert_eq(r.n_pairs, q.n_pairs, "round %u", round);
        for (size_t i = 0; i < r.n_pairs; i++)
            cr_assert(is_paired(&q, r.pairs[i].b, r.pairs[i].a, r.pairs[i].rule), "round %u", round);
        for (int s = 0; s < 2; s++)
            for (size_t i = 0; i < w.in.n[s]; i++) cr_assert_eq(r.waits[s][i], q.waits[!s][i], "round %u", round);
        /* The list is cut for each record of A, which is another cut seen from B. */
        if (w.in.n[0] > MATCH_LISTED_PER_RECORD || w.in.n[1] > MATCH_LISTED_PER_RECORD) continue;
        cr_assert_eq(r.n_ambiguous, q.n_ambiguous, "round %u", round);
        for (size_t i = 0; i < r.n_ambiguous; i++)
            cr_assert(is_listed(&q, r.ambiguous[i].a, r.ambiguous[i].b, true, r.ambiguous[i].reasons), "round %u",
                      round);
    }
}
