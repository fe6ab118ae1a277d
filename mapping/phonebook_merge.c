/* Makes one of what several parts of a phonebook say of the same person (directory 2.4). Within one part nothing is
 * doubled by name or mail: who keeps two entries there wants two. */
#include "mapping/phonebook.h"

#include "base/mem.h"
#include "mapping/text.h"
#include "mapping/vcard_values.h"

#include <stdlib.h>

static struct str number_key(const struct phonebook_number *n)
{
    return n->e164.n ? n->e164 : n->text;
}

static bool share_number(const struct phonebook_entry *a, const struct phonebook_entry *b)
{
    for (size_t i = 0; i < a->n_numbers; i++)
        for (size_t k = 0; k < b->n_numbers; k++)
            if (str_eq(number_key(&a->numbers[i]), number_key(&b->numbers[k]))) return true;
    return false;
}

/* What an entry is known by; {NULL,0} = not by that. */
struct known {
    struct str mail, name; /* name: both parts of a person's, or a company's that has no person */
};

static struct known known_of(struct arena *arena, const struct phonebook_entry *e)
{
    struct known k = {STR_NONE, STR_NONE};
    if (e->email.n) k.mail = ascii_lower(arena, e->email);
    if (e->family.n && e->given.n)
        k.name = text_fold(arena, str_of(arena_printf(arena, "%.*s %.*s", STR_ARG(e->family), STR_ARG(e->given))));
    else if (!e->family.n && !e->given.n && e->company.n)
        k.name = str_of(arena_printf(arena, "\n%.*s", STR_ARG(text_fold(arena, e->company))));
    return k;
}

/* Two persons of one name, each with another mail address and without a number in common, are two. */
static bool names_agree(const struct phonebook_entry *a, const struct phonebook_entry *b, const struct known *ka,
                        const struct known *kb)
{
    if (!ka->name.n || !str_eq(ka->name, kb->name)) return false;
    return !ka->mail.n || !kb->mail.n || str_eq(ka->mail, kb->mail) || share_number(a, b);
}

static void unite(struct phonebook *p, struct phonebook_entry *into, const struct phonebook_entry *from)
{
    struct phonebook_number *all = arena_zalloc(&p->arena, (into->n_numbers + from->n_numbers + 1) * sizeof *all);
    struct str *const have[] = {&into->family,   &into->given, &into->company, &into->department,
                                &into->position, &into->email, &into->birthday};
    const struct str add[] = {from->family,   from->given, from->company, from->department,
                              from->position, from->email, from->birthday};
    if (into->n_numbers) memcpy(all, into->numbers, into->n_numbers * sizeof *all);
    for (size_t i = 0; i < from->n_numbers; i++) {
        bool known = false;
        for (size_t k = 0; k < into->n_numbers && !known; k++)
            known = str_eq(number_key(&all[k]), number_key(&from->numbers[i]));
        if (!known) all[into->n_numbers++] = from->numbers[i];
    }
    into->numbers = all;
    for (size_t i = 0; i < sizeof add / sizeof *add; i++)
        if (!have[i]->n) *have[i] = add[i];
}

/* Entries by what they are known by: the first of a name, and chained to it the others. */
struct index {
    struct map64 first;
    uint32_t *next; /* by entry; UINT32_MAX = the last */
};

static void index_add(struct index *x, const struct hash_key *key, struct str text, uint32_t at)
{
    uint32_t first;
    if (!text.n) return;
    uint64_t hash = hash_str(key, text);
    x->next[at] = UINT32_MAX;
    if (!map64_get(&x->first, hash, &first)) {
        map64_put(&x->first, hash, at);
        return;
    }
    x->next[at] = x->next[first];
    x->next[first] = at;
}

struct merging {
    struct phonebook *p;
    struct arena scratch;
    struct known *known;
    struct index by_mail, by_name;
    phonebook_merged_fn *fn;
    void *ctx;
};

#define CHAIN_MAX 64 /* a name that more have is no name to go by */

/* Somebody of another part who is known by the same, if `agree` says so; better: both. */
static bool find(struct merging *m, const struct index *x, struct str text, size_t i, const struct known *k,
                 bool by_name, uint32_t *out)
{
    uint32_t at;
    bool found = false;
    if (!text.n || !map64_get(&x->first, hash_str(&m->p->key, text), &at)) return false;
    for (int n = 0; at != UINT32_MAX && n < CHAIN_MAX; n++, at = x->next[at]) {
        const struct phonebook_entry *a = &m->p->entries[at], *b = &m->p->entries[i];
        bool both = names_agree(a, b, &m->known[at], k);
        if (a->source == b->source || !(by_name ? both : str_eq(m->known[at].mail, text))) continue;
        if (!found || both) *out = at;
        found = true;
        if (both) return true;
    }
    return found;
}

static void take(struct merging *m, size_t i, size_t *kept)
{
    struct phonebook *p = m->p;
    struct phonebook_entry e = p->entries[i];
    struct known k = known_of(&m->scratch, &e);
    uint32_t at = 0;
    bool mail = find(m, &m->by_mail, k.mail, i, &k, false, &at);
    if (mail || find(m, &m->by_name, k.name, i, &k, true, &at)) {
        if (m->fn) m->fn(m->ctx, &p->entries[at], &e, mail);
        unite(p, &p->entries[at], &e);
        if (m->known[at].mail.n || !k.mail.n) return;
        m->known[at].mail = k.mail;
        index_add(&m->by_mail, &p->key, k.mail, at);
        return;
    }
    at = (uint32_t)(*kept)++;
    p->entries[at] = e;
    m->known[at] = k;
    index_add(&m->by_mail, &p->key, k.mail, at);
    index_add(&m->by_name, &p->key, k.name, at);
}

size_t phonebook_merge(struct phonebook *p, phonebook_merged_fn *fn, void *ctx)
{
    struct merging m = {.p = p, .scratch = ARENA_INIT, .fn = fn, .ctx = ctx};
    size_t kept = 0, before = p->n;
    m.known = arena_zalloc(&m.scratch, (before + 1) * sizeof *m.known);
    m.by_mail.next = arena_zalloc(&m.scratch, (before + 1) * sizeof *m.by_mail.next);
    m.by_name.next = arena_zalloc(&m.scratch, (before + 1) * sizeof *m.by_name.next);
    map64_init(&m.by_mail.first, before + 1);
    map64_init(&m.by_name.first, before + 1);
    for (size_t i = 0; i < before; i++) take(&m, i, &kept);
    map64_free(&m.by_mail.first);
    map64_free(&m.by_name.first);
    arena_free(&m.scratch);
    p->n = kept;
    return before - kept;
}
