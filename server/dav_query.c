/* The filter of addressbook-query (RFC 6352 section 10.5): does a card fit? */
#include "server/dav_impl.h"

#include "mapping/record.h"
#include "mapping/text.h"

/* -- text-match -- */

static struct str ascii_case(struct arena *arena, struct str s)
{
    char *copy = arena_strdup(arena, s.p ? s : STR(""));
    for (size_t i = 0; i < s.n; i++)
        if (copy[i] >= 'A' && copy[i] <= 'Z') copy[i] = (char)(copy[i] + 32);
    return (struct str){copy, s.n};
}

static struct str collated(struct arena *arena, enum dav_collation collation, struct str s)
{
    if (collation == COLLATION_OCTET) return s;
    return collation == COLLATION_ASCII ? ascii_case(arena, s) : text_casemap(arena, s);
}

static bool matches(const struct dav_match *m, struct str value, struct arena *arena)
{
    struct str is = collated(arena, m->collation, value), wanted = collated(arena, m->collation, str_of(m->text));
    bool found = !wanted.n;
    switch (m->type) {
    case MATCH_EQUALS:
        found = str_eq(is, wanted);
        break;
    case MATCH_STARTS:
        found |= str_starts(is, wanted);
        break;
    case MATCH_ENDS:
        found |= str_ends(is, wanted);
        break;
    case MATCH_CONTAINS:
        found |= str_find(is, wanted) != (size_t)-1;
        break;
    }
    return found != m->negate;
}

/* -- one property of the card -- */

struct trying {
    const struct dav_filter *filter;
    const struct dav_match *match;
    struct arena *arena;
    const struct record *record;
    bool there, found;
};

static bool try_param_value(void *ctx, struct str value)
{
    struct trying *t = ctx;
    t->there = true;
    t->found |= t->match && matches(t->match, value, t->arena);
    return true;
}

static bool param_fits(const struct trying *of, const struct record_property *p, const struct dav_param_filter *f)
{
    struct trying t = {.match = f->has_match ? &f->match : NULL, .arena = of->arena};
    record_each_param(p, f->param, try_param_value, &t);
    if (f->not_defined) return !t.there;
    return f->has_match ? t.found : t.there;
}

static bool try_property(void *ctx, const struct record_property *p)
{
    struct trying *t = ctx;
    const struct dav_filter *f = t->filter;
    size_t fits = 0, all = f->n_matches + f->n_params;
    if (f->group && !str_eq_nocase(p->group, str_of(f->group))) return true;
    t->there = true;
    for (size_t i = 0; i < f->n_matches; i++) fits += matches(&f->matches[i], p->value, t->arena);
    for (size_t i = 0; i < f->n_params; i++) fits += param_fits(t, p, &f->params[i]);
    t->found = f->all ? fits == all : fits > 0 || !all;
    return !t->found;
}

static bool filter_fits(const struct record *record, const struct dav_filter *f, struct arena *arena)
{
    struct trying t = {.filter = f, .arena = arena, .record = record};
    record_each_property(record, f->property, try_property, &t);
    return f->not_defined ? !t.there : t.found;
}

/* -- the card -- */

bool dav_query_fits(struct dav *d, const struct dav_card *card)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct fault unreadable AUTO_FAULT = FAULT_INIT;
    const struct dav_request *q = &d->request;
    size_t n = 0;
    if (!q->n_filters) return true;
    struct record *record = record_parse(&scratch, RECORD_CONTACT, card->body, dav_key(d), &unreadable);
    if (!record) return false;
    for (size_t i = 0; i < q->n_filters; i++) n += filter_fits(record, &q->filters[i], &scratch);
    return q->filter_all ? n == q->n_filters : n > 0;
}
