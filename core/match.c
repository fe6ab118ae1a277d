#include "core/match.h"

#include "base/buf.h"
#include "base/i18n.h"
#include "base/mem.h"

#include <stdlib.h>

/* Each way of being alike is a stage: a hash join of one key. What two records have in common becomes an edge between
 * them; an edge that is strong enough and the only such one at both its ends makes a pair, all others are for a person
 * to look at. Weak stages look only at what is still without partner. */

#define NOBODY UINT32_MAX

enum source { FROM_UID, FROM_NAME, FROM_ORG, FROM_EMAILS, FROM_PHONES };
enum kinds { PEOPLE = 1, GROUPS = 2 };

struct stage {
    unsigned reasons;
    enum source source;
    bool with_name;   /* the key is the name and the source together */
    unsigned kinds;   /* of enum kinds */
    uint32_t holders; /* a key of more records of a side than this says nothing */
    bool of_all;      /* count holders among those that have a partner, too */
    bool crowd_waits; /* records of such a key wait: it should have named one */
};

static const struct stage uid_stages[] = {
    {MATCH_FOR_UID, FROM_UID, false, PEOPLE | GROUPS, MATCH_CANDIDATES_MAX, false, true},
};
static const struct stage strong_stages[] = {
    {MATCH_FOR_NAME, FROM_NAME, false, GROUPS, MATCH_CANDIDATES_MAX, false, false},
    {MATCH_FOR_NAME | MATCH_FOR_EMAIL, FROM_EMAILS, true, PEOPLE, MATCH_CANDIDATES_MAX, false, false},
    {MATCH_FOR_NAME | MATCH_FOR_PHONE, FROM_PHONES, true, PEOPLE, MATCH_CANDIDATES_MAX, false, false},
    {MATCH_FOR_NAME | MATCH_FOR_ORG, FROM_ORG, true, PEOPLE, MATCH_CANDIDATES_MAX, false, false},
};
/* An e-mail or phone several records share is a company's or a family's: alone it says nothing. */
static const struct stage weak_stages[] = {
    {MATCH_FOR_NAME, FROM_NAME, false, PEOPLE, MATCH_CANDIDATES_MAX, true, false},
    {MATCH_FOR_EMAIL, FROM_EMAILS, false, PEOPLE, 1, true, false},
    {MATCH_FOR_PHONE, FROM_PHONES, false, PEOPLE, 1, true, false},
};
#define COUNT(table) (sizeof(table) / sizeof *(table))

struct edge {
    uint32_t end[2]; /* indexed by enum side */
    uint32_t reasons;
};

struct match {
    const struct match_input *in;
    uint32_t *partner[2];
    uint8_t *rule; /* per record of A that has a partner */
    bool *waits[2];
    struct edge *edges, *spare; /* owned; both of cap */
    size_t n_edges, cap;
    uint64_t *different; /* owned; sorted */
};

/* ---- what a person said ---- */

static uint64_t couple(uint32_t a, uint32_t b)
{
    return (uint64_t)a << 32 | b;
}

static int couple_cmp(const void *px, const void *py)
{
    const uint64_t x = *(const uint64_t *)px, y = *(const uint64_t *)py;
    return x < y ? -1 : x > y;
}

static bool is_different(const struct match *m, uint32_t a, uint32_t b)
{
    uint64_t key = couple(a, b);
    size_t n = m->in->n_different;
    return n && bsearch(&key, m->different, n, sizeof key, couple_cmp);
}

static void pair_make(struct match *m, uint32_t a, uint32_t b, enum match_rule rule)
{
    m->partner[SIDE_A][a] = b;
    m->partner[SIDE_B][b] = a;
    m->rule[a] = (uint8_t)rule;
}

static void pair_remembered(struct match *m)
{
    const struct match_input *in = m->in;
    m->different = mem_calloc(in->n_different + 1, sizeof *m->different);
    for (size_t i = 0; i < in->n_different; i++) m->different[i] = couple(in->different[i].a, in->different[i].b);
    qsort(m->different, in->n_different, sizeof *m->different, couple_cmp);
    for (size_t i = 0; i < in->n_same; i++) {
        uint32_t a = in->same[i].a, b = in->same[i].b;
        if (a >= in->n[SIDE_A] || b >= in->n[SIDE_B] || is_different(m, a, b)) continue;
        if (m->partner[SIDE_A][a] == NOBODY && m->partner[SIDE_B][b] == NOBODY) pair_make(m, a, b, MATCH_REMEMBERED);
    }
}

/* ---- keys ---- */

static uint64_t mixed(uint64_t x, uint64_t y)
{
    uint64_t z = x * 0x9e3779b97f4a7c15u + (y ^ y >> 29) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 32) * 0x94d049bb133111ebu;
    z ^= z >> 29;
    return z ? z : 1;
}

static size_t keys_count(const struct stage *stage, const struct match_record *r)
{
    if (!(stage->kinds & (r->is_group ? GROUPS : PEOPLE))) return 0;
    if (stage->with_name && !r->signals.name) return 0;
    return stage->source == FROM_EMAILS ? r->signals.n_emails : stage->source == FROM_PHONES ? r->signals.n_phones : 1;
}

static uint64_t source_at(const struct stage *stage, const struct signals *s, size_t i)
{
    switch (stage->source) {
    case FROM_UID:
        return s->uid;
    case FROM_NAME:
        return s->name;
    case FROM_ORG:
        return s->org == s->name ? 0 : s->org; /* a company's card: one signal, not two */
    case FROM_EMAILS:
        return s->emails[i];
    case FROM_PHONES:
        return s->phones[i];
    }
    return 0;
}

/* 0 = none. Groups and people never have the same key. */
static uint64_t key_at(const struct stage *stage, const struct match_record *r, size_t i)
{
    uint64_t key = source_at(stage, &r->signals, i);
    if (key && stage->with_name) key = mixed(r->signals.name, key);
    return key && r->is_group ? mixed(key, GROUPS) : key;
}

/* ---- the hash join of one stage ---- */

struct cluster { /* the records of one key */
    uint64_t key;
    uint32_t first[2], count[2], last[2]; /* first: posting; last: record counted last, so that each counts once */
};
struct posting {
    uint32_t record, next;
};
struct join {
    struct cluster *clusters; /* open addressing, key 0 = empty */
    size_t mask;
    struct posting *postings;
    uint32_t n_postings;
};

static size_t keys_of_side(const struct match *m, const struct stage *stage, enum side s)
{
    size_t n = 0;
    for (size_t i = 0; i < m->in->n[s]; i++)
        if (m->partner[s][i] == NOBODY) n += keys_count(stage, &m->in->records[s][i]);
    return n;
}

static size_t cluster_place(const struct join *j, uint64_t key)
{
    return (key ^ key >> 32) & j->mask;
}

static struct cluster *cluster_find(const struct join *j, uint64_t key)
{
    size_t i = cluster_place(j, key);
    while (j->clusters[i].key && j->clusters[i].key != key) i = (i + 1) & j->mask;
    return &j->clusters[i];
}

static void cluster_note(struct join *j, struct cluster *c, uint32_t record, enum side s, bool lone)
{
    if (c->count[s] && c->last[s] == record) return;
    c->last[s] = record;
    c->count[s]++;
    if (!lone) return;
    j->postings[j->n_postings] = (struct posting){record, c->first[s]};
    c->first[s] = j->n_postings++;
}

/* The table is larger than the caches: what a record a little further on will touch is asked for early. */
static void join_foresee(const struct join *j, const struct match *m, const struct stage *stage, enum side s,
                         size_t record)
{
    enum { MOST = 4 };
    if (record >= m->in->n[s]) return;
    const struct match_record *r = &m->in->records[s][record];
    size_t n = keys_count(stage, r);
    for (size_t k = 0; k < n && k < MOST; k++)
        __builtin_prefetch(&j->clusters[cluster_place(j, key_at(stage, r, k))], 1);
}

/* Puts the records of a side in that have a partner (lone false) or none. grow: keys not seen yet are new clusters. */
static void join_side(struct join *j, const struct match *m, const struct stage *stage, enum side s, bool lone,
                      bool grow)
{
    enum { AHEAD = 8 };
    for (uint32_t i = 0; i < m->in->n[s]; i++) {
        join_foresee(j, m, stage, s, i + (size_t)AHEAD);
        if ((m->partner[s][i] == NOBODY) != lone) continue;
        const struct match_record *r = &m->in->records[s][i];
        size_t n = keys_count(stage, r);
        for (size_t k = 0; k < n; k++) {
            uint64_t key = key_at(stage, r, k);
            struct cluster *c = key ? cluster_find(j, key) : NULL;
            if (!c || (!c->key && !grow)) continue;
            if (!c->key) *c = (struct cluster){.key = key, .first = {NOBODY, NOBODY}};
            cluster_note(j, c, i, s, lone);
        }
    }
}

/* Built from the side with fewer keys, so memory is that of the smaller one. False: nothing to join. */
static bool join_make(struct join *j, const struct match *m, const struct stage *stage)
{
    size_t n[2] = {keys_of_side(m, stage, SIDE_A), keys_of_side(m, stage, SIDE_B)};
    *j = (struct join){NULL, 0, NULL, 0};
    if (n[SIDE_A] == 0 || n[SIDE_B] == 0) return false;
    enum side small = n[SIDE_A] <= n[SIDE_B] ? SIDE_A : SIDE_B;
    size_t cap = 16;
    while (cap < 2 * n[small]) cap *= 2;
    j->clusters = mem_calloc(cap, sizeof *j->clusters);
    j->mask = cap - 1;
    j->postings = mem_alloc((n[SIDE_A] + n[SIDE_B]) * sizeof *j->postings);
    join_side(j, m, stage, small, true, true);
    join_side(j, m, stage, side_other(small), true, false);
    if (!stage->of_all) return true;
    join_side(j, m, stage, SIDE_A, false, false);
    join_side(j, m, stage, SIDE_B, false, false);
    return true;
}

static void join_free(struct join *j)
{
    free(j->clusters);
    free(j->postings);
}

/* ---- edges ---- */

static void edge_add(struct match *m, uint32_t a, uint32_t b, unsigned reasons)
{
    if (is_different(m, a, b)) return;
    if (m->n_edges == m->cap) {
        m->cap = m->cap ? 2 * m->cap : 256;
        m->edges = mem_realloc(m->edges, m->cap * sizeof *m->edges);
        m->spare = mem_realloc(m->spare, m->cap * sizeof *m->spare);
    }
    m->edges[m->n_edges++] = (struct edge){{a, b}, reasons};
}

/* All of A with at most so many of B, and the other way round: linear, however many there are. */
static void cluster_crowd(struct match *m, const struct join *j, const struct cluster *c, unsigned reasons)
{
    for (int s = SIDE_A; s <= SIDE_B; s++)
        for (uint32_t i = c->first[s]; i != NOBODY; i = j->postings[i].next) m->waits[s][j->postings[i].record] = true;
    for (uint32_t i = c->first[SIDE_A]; i != NOBODY; i = j->postings[i].next) {
        uint32_t k = c->first[SIDE_B];
        for (int n = 0; k != NOBODY && n < MATCH_LISTED_PER_RECORD; n++, k = j->postings[k].next)
            edge_add(m, j->postings[i].record, j->postings[k].record, reasons);
    }
}

static void cluster_edges(struct match *m, const struct join *j, const struct cluster *c, const struct stage *stage)
{
    if (c->first[SIDE_A] == NOBODY || c->first[SIDE_B] == NOBODY) return;
    if (c->count[SIDE_A] > stage->holders || c->count[SIDE_B] > stage->holders) {
        if (stage->crowd_waits) cluster_crowd(m, j, c, stage->reasons);
        return;
    }
    for (uint32_t i = c->first[SIDE_A]; i != NOBODY; i = j->postings[i].next)
        for (uint32_t k = c->first[SIDE_B]; k != NOBODY; k = j->postings[k].next)
            edge_add(m, j->postings[i].record, j->postings[k].record, stage->reasons);
}

static void stages_run(struct match *m, const struct stage *stages, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct join j;
        if (!join_make(&j, m, &stages[i])) continue;
        for (size_t k = 0; k <= j.mask; k++)
            if (j.clusters[k].key) cluster_edges(m, &j, &j.clusters[k], &stages[i]);
        join_free(&j);
    }
}

/* A counting sort by one end. */
static void edges_sort_by(struct match *m, enum side s)
{
    uint32_t *start = mem_calloc(m->in->n[s] + 1, sizeof *start);
    for (size_t i = 0; i < m->n_edges; i++) start[m->edges[i].end[s] + 1]++;
    for (size_t i = 1; i <= m->in->n[s]; i++) start[i] += start[i - 1];
    for (size_t i = 0; i < m->n_edges; i++) m->spare[start[m->edges[i].end[s]]++] = m->edges[i];
    struct edge *sorted = m->spare;
    m->spare = m->edges;
    m->edges = sorted;
    free(start);
}

/* Sorted by (a, b), each couple once, without those that have a partner by now. */
static void edges_settle(struct match *m)
{
    if (m->n_edges == 0) return;
    edges_sort_by(m, SIDE_B);
    edges_sort_by(m, SIDE_A);
    size_t n = 0;
    for (size_t i = 0; i < m->n_edges; i++) {
        struct edge e = m->edges[i];
        if (m->partner[SIDE_A][e.end[SIDE_A]] != NOBODY || m->partner[SIDE_B][e.end[SIDE_B]] != NOBODY) continue;
        struct edge *before = n ? &m->edges[n - 1] : NULL;
        if (before && before->end[SIDE_A] == e.end[SIDE_A] && before->end[SIDE_B] == e.end[SIDE_B])
            before->reasons |= e.reasons;
        else
            m->edges[n++] = e;
    }
    m->n_edges = n;
}

/* How many edges end at each record, indexed by side; owned by the caller. */
static void edges_count(const struct match *m, uint32_t *degrees[2])
{
    for (int s = SIDE_A; s <= SIDE_B; s++) {
        degrees[s] = mem_calloc(m->in->n[s] + 1, sizeof *degrees[s]);
        for (size_t i = 0; i < m->n_edges; i++) degrees[s][m->edges[i].end[s]]++;
    }
}

static bool is_group(const struct match *m, const struct edge *e)
{
    return m->in->records[SIDE_A][e->end[SIDE_A]].is_group;
}

static enum match_rule rule_of(const struct match *m, const struct edge *e)
{
    if (e->reasons & MATCH_FOR_UID) return MATCH_UID;
    if (is_group(m, e)) return MATCH_GROUP_NAME;
    if (e->reasons & MATCH_FOR_EMAIL) return MATCH_NAME_EMAIL;
    return e->reasons & MATCH_FOR_PHONE ? MATCH_NAME_PHONE : MATCH_NAME_ORG;
}

/* All edges are strong here. */
static void edges_pair(struct match *m)
{
    edges_settle(m);
    uint32_t *degrees[2];
    edges_count(m, degrees);
    for (size_t i = 0; i < m->n_edges; i++) {
        const struct edge *e = &m->edges[i];
        uint32_t a = e->end[SIDE_A], b = e->end[SIDE_B];
        bool only = degrees[SIDE_A][a] == 1 && degrees[SIDE_B][b] == 1;
        if (only && !m->waits[SIDE_A][a] && !m->waits[SIDE_B][b]) pair_make(m, a, b, rule_of(m, e));
    }
    free(degrees[SIDE_A]);
    free(degrees[SIDE_B]);
    edges_settle(m);
}

/* ---- results ---- */

static void list_pairs(const struct match *m, struct arena *arena, struct match_result *out)
{
    size_t n = 0;
    for (size_t a = 0; a < m->in->n[SIDE_A]; a++) n += m->partner[SIDE_A][a] != NOBODY;
    out->pairs = arena_alloc(arena, n * sizeof *out->pairs + 1);
    out->n_pairs = 0;
    for (uint32_t a = 0; a < m->in->n[SIDE_A]; a++) {
        uint32_t b = m->partner[SIDE_A][a];
        if (b != NOBODY) out->pairs[out->n_pairs++] = (struct match_pair){a, b, (enum match_rule)m->rule[a]};
    }
}

static unsigned reasons_of(const struct match *m, const struct edge *e, uint32_t *const degrees[2])
{
    unsigned reasons = e->reasons;
    bool one = !(reasons & (reasons - 1)) && reasons != MATCH_FOR_UID && !is_group(m, e);
    bool several = degrees[SIDE_A][e->end[SIDE_A]] > 1 || degrees[SIDE_B][e->end[SIDE_B]] > 1;
    return reasons | (one ? MATCH_AGAINST_ONE_SIGNAL : 0) | (several ? MATCH_AGAINST_SEVERAL : 0);
}

static void list_ambiguous(struct match *m, struct arena *arena, struct match_result *out)
{
    uint32_t *degrees[2];
    edges_settle(m);
    edges_count(m, degrees);
    out->ambiguous = arena_alloc(arena, m->n_edges * sizeof *out->ambiguous + 1);
    out->n_ambiguous = 0;
    uint32_t listed = 0;
    for (size_t i = 0; i < m->n_edges; i++) {
        const struct edge *e = &m->edges[i];
        uint32_t a = e->end[SIDE_A], b = e->end[SIDE_B];
        listed = i && m->edges[i - 1].end[SIDE_A] == a ? listed + 1 : 1;
        if (listed <= MATCH_LISTED_PER_RECORD)
            out->ambiguous[out->n_ambiguous++] = (struct match_ambiguous){a, b, reasons_of(m, e, degrees)};
    }
    for (size_t i = 0; i < m->n_edges; i++)
        for (int s = SIDE_A; s <= SIDE_B; s++) m->waits[s][m->edges[i].end[s]] = true;
    free(degrees[SIDE_A]);
    free(degrees[SIDE_B]);
}

static void match_begin(struct match *m, struct arena *scratch, struct arena *arena)
{
    for (int s = SIDE_A; s <= SIDE_B; s++) {
        size_t n = m->in->n[s];
        m->waits[s] = arena_zalloc(arena, n + 1);
        m->partner[s] = arena_alloc(scratch, (n + 1) * sizeof *m->partner[s]);
        memset(m->partner[s], 0xff, n * sizeof *m->partner[s]);
    }
    m->rule = arena_zalloc(scratch, m->in->n[SIDE_A] + 1);
}

void match_records(struct arena *arena, const struct match_input *in, struct match_result *out)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct match m = {.in = in};
    match_begin(&m, &scratch, arena);
    pair_remembered(&m);
    stages_run(&m, uid_stages, COUNT(uid_stages));
    edges_pair(&m);
    stages_run(&m, strong_stages, COUNT(strong_stages));
    edges_pair(&m);
    stages_run(&m, weak_stages, COUNT(weak_stages));
    list_ambiguous(&m, arena, out);
    list_pairs(&m, arena, out);
    for (int s = SIDE_A; s <= SIDE_B; s++) out->waits[s] = m.waits[s];
    free(m.edges);
    free(m.spare);
    free(m.different);
}

/* ---- sentences ---- */

const char *match_rule_text(enum match_rule rule)
{
    static const char *const texts[] = {
        [MATCH_REMEMBERED] = N_("somebody said that they are the same"),
        [MATCH_UID] = N_("same UID"),
        [MATCH_NAME_EMAIL] = N_("same name and e-mail address"),
        [MATCH_NAME_PHONE] = N_("same name and phone number"),
        [MATCH_NAME_ORG] = N_("same name and company"),
        [MATCH_GROUP_NAME] = N_("groups of the same name"),
    };
    return texts[rule];
}

static void signals_text(unsigned reasons, struct buf *out)
{
    static const char *const texts[] = {N_("same UID"), N_("same name"), N_("same e-mail address"),
                                        N_("same phone number"), N_("same company")};
    const char *comma = "";
    for (unsigned i = 0; i < COUNT(texts); i++) {
        if (!(reasons & 1u << i)) continue;
        buf_addf(out, "%s%s", comma, _(texts[i]));
        comma = ", ";
    }
}

void match_reason_text(unsigned reasons, struct buf *out)
{
    struct buf signals AUTO_BUF = BUF_INIT;
    signals_text(reasons, &signals);
    const char *alike = buf_cstr(&signals);
    bool one = reasons & MATCH_AGAINST_ONE_SIGNAL, several = reasons & MATCH_AGAINST_SEVERAL;
    if (one && several)
        buf_addf(out, _("%s, but nothing else agrees, and more than one record could be meant"), alike);
    else if (one)
        buf_addf(out, _("%s, but nothing else agrees"), alike);
    else if (several)
        buf_addf(out, _("%s, but more than one record could be meant"), alike);
    else
        buf_addf(out, _("%s, but another name"), alike);
}
