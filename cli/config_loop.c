/* No way may lead back to where it began: contacts would go round, and each deletion with them (contactbox A12). */
#include "cli/config_loop.h"

#include "base/i18n.h"

struct walk {
    const struct config *config;
    const struct config_link *avoided;
    bool *visited; /* by link: it was gone along */
    struct buf *way;
};

static bool is_same_text(const char *a, const char *b)
{
    return str_eq_nocase(str_of(a ? a : ""), str_of(b ? b : ""));
}

/* An address without what does not matter: a slash at its end. */
static struct str address(const struct config_account *a)
{
    struct str url = str_of(a->url ? a->url : "");
    while (url.n && url.p[url.n - 1] == '/') url.n--;
    return url;
}

/* Two accounts at one address with one user are one. */
static bool is_same_place(const struct config_account *x, const char *collection_x, const struct config_account *y,
                          const char *collection_y)
{
    if (strcmp(collection_x, collection_y) != 0) return false;
    if (x == y) return true;
    if (config_is_built_in(x) || config_is_built_in(y)) return false;
    return str_eq_nocase(address(x), address(y)) && is_same_text(x->user, y->user);
}

static bool flows(const struct config_link *l, bool forward)
{
    return forward ? l->policy.mode >= MODE_ONE_WAY : l->policy.mode == MODE_TWO_WAY;
}

struct place {
    const struct config_account *account;
    const char *collection;
};

static struct place end_of(const struct config_link *l, bool b)
{
    return b ? (struct place){l->account_b, l->collection_b} : (struct place){l->account_a, l->collection_a};
}

static bool is_same(struct place x, struct place y)
{
    return is_same_place(x.account, x.collection, y.account, y.collection);
}

static bool reaches(struct walk *w, struct place from, struct place goal)
{
    for (size_t i = 0; i < w->config->n_links; i++) {
        const struct config_link *l = &w->config->links[i];
        if (l == w->avoided || w->visited[i]) continue;
        for (int forward = 0; forward < 2; forward++) {
            if (!flows(l, forward) || !is_same(end_of(l, !forward), from)) continue;
            w->visited[i] = true;
            size_t length = w->way->len;
            buf_addf(w->way, " -> %s", l->name);
            if (is_same(end_of(l, forward), goal) || reaches(w, end_of(l, forward), goal)) return true;
            buf_truncate(w->way, length);
        }
    }
    return false;
}

static bool is_twin(const struct config_link *l, const struct config_link *other)
{
    bool straight = is_same(end_of(l, false), end_of(other, false)) && is_same(end_of(l, true), end_of(other, true));
    bool crossed = is_same(end_of(l, false), end_of(other, true)) && is_same(end_of(l, true), end_of(other, false));
    return straight || crossed;
}

static enum fault_code refuse(const struct config_link *l, const char *advice, const char *what, const char *way,
                              struct fault *f)
{
    return fault_set(f, FAULT_CONFIG, advice, "%s:%u: [link %s]: %s%s", l->place.file ? l->place.file : "",
                     l->place.line, l->name, what, way);
}

static enum fault_code check_twins(const struct config *c, struct fault *f)
{
    for (size_t i = 0; i < c->n_links; i++)
        for (size_t k = 0; k < i; k++)
            if (is_twin(&c->links[i], &c->links[k]))
                return refuse(&c->links[i], _("one link between two collections is enough: change that one"),
                              _("they are linked already by "), c->links[k].name, f);
    return FAULT_NONE;
}

static enum fault_code check_way(struct config *c, const struct config_link *l, struct fault *f)
{
    if (l->policy.mode < MODE_ONE_WAY) return FAULT_NONE; /* an import is run by a person, once */
    struct buf way AUTO_BUF = BUF_INIT;
    struct walk w = {c, l, arena_zalloc(&c->arena, c->n_links * sizeof(bool) + 1), &way};
    buf_adds(&way, l->name);
    if (!reaches(&w, end_of(l, true), end_of(l, false))) return FAULT_NONE;
    return refuse(l, _("leave one of these links out"), _("this way leads back to where it began: "), buf_cstr(&way),
                  f);
}

enum fault_code config_check_loops(struct config *c, struct fault *f)
{
    enum fault_code code = check_twins(c, f);
    for (size_t i = 0; i < c->n_links && !code; i++) code = check_way(c, &c->links[i], f);
    return code;
}
