#include "base/gate.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>

struct place { /* one host somebody is on; few at a time, so a list will do */
    struct place *next;
    unsigned inside;
    char *host;
};

struct gate {
    pthread_mutex_t lock;
    unsigned per_host, over_all, inside;
    struct place *places;
    struct gate_visitor *waiting; /* in the order of asking */
};

struct gate *gate_new(unsigned per_host, unsigned over_all)
{
    struct gate *g = mem_calloc(1, sizeof *g);
    pthread_mutex_init(&g->lock, NULL);
    g->per_host = per_host ? per_host : 1;
    g->over_all = over_all ? over_all : 1;
    return g;
}

void gate_free(struct gate *g)
{
    if (!g) return;
    pthread_mutex_destroy(&g->lock);
    free(g);
}

/* -- with the lock held -- */

static struct place **find_place(struct gate *g, struct str host)
{
    struct place **p = &g->places;
    while (*p && !str_eq(str_of((*p)->host), host)) p = &(*p)->next;
    return p;
}

static unsigned inside_of(struct gate *g, struct str host)
{
    struct place *p = *find_place(g, host);
    return p ? p->inside : 0;
}

/* Does somebody else wait for that host who asked before v? Those who wait for a host that is full stand in nobody's
 * way. */
static bool is_behind(const struct gate *g, struct str host, const struct gate_visitor *v)
{
    for (const struct gate_visitor *w = g->waiting; w && w != v; w = w->next)
        if (str_eq(str_of(w->host), host)) return true;
    return false;
}

/* With the whole gate full, the order is that of all: else a host with much to do would take every place that gets
 * free. */
static bool is_behind_others(struct gate *g, const struct gate_visitor *v)
{
    for (const struct gate_visitor *w = g->waiting; w && w != v; w = w->next)
        if (!w->apart && inside_of(g, str_of(w->host)) < g->per_host) return true;
    return false;
}

static void remove_visitor(struct gate *g, struct gate_visitor *v)
{
    struct gate_visitor **at = &g->waiting;
    while (*at && *at != v) at = &(*at)->next;
    if (*at) *at = v->next;
    free(v->host);
    v->host = NULL;
    v->next = NULL;
}

static void queue_visitor(struct gate *g, struct str host, struct gate_visitor *v)
{
    if (v->host && str_eq(str_of(v->host), host)) return; /* keeps its turn */
    if (v->host) remove_visitor(g, v);
    v->host = mem_strndup(host.p, host.n);
    struct gate_visitor **end = &g->waiting;
    while (*end) end = &(*end)->next;
    *end = v;
}

static void take_places(struct gate *g, struct str host, unsigned n)
{
    struct place **p = find_place(g, host);
    if (!*p) {
        *p = mem_calloc(1, sizeof **p);
        (*p)->host = mem_strndup(host.p, host.n);
    }
    (*p)->inside += n;
}

static bool give_places(struct gate *g, struct str host, unsigned n)
{
    struct place **at = find_place(g, host), *p = *at;
    if (!p) return false;
    p->inside -= n;
    if (p->inside) return true;
    *at = p->next;
    free(p->host);
    free(p);
    return true;
}

static void wake_all(struct gate *g)
{
    for (struct gate_visitor *w = g->waiting; w; w = w->next) w->wake(w->ctx);
}

/* -- the interface -- */

bool gate_enter(struct gate *g, struct str host, struct gate_visitor *v)
{
    pthread_mutex_lock(&g->lock);
    bool free_place = g->inside < g->over_all && inside_of(g, host) < g->per_host;
    bool enters = free_place && !is_behind(g, host, v) && !is_behind_others(g, v);
    if (enters) {
        if (v->host) remove_visitor(g, v);
        take_places(g, host, 1);
        g->inside++;
    } else
        queue_visitor(g, host, v);
    pthread_mutex_unlock(&g->lock);
    return enters;
}

void gate_leave(struct gate *g, struct str host)
{
    pthread_mutex_lock(&g->lock);
    if (give_places(g, host, 1)) g->inside--;
    wake_all(g);
    pthread_mutex_unlock(&g->lock);
}

bool gate_enter_many(struct gate *g, struct str key, unsigned n, unsigned most, struct gate_visitor *v)
{
    pthread_mutex_lock(&g->lock);
    v->apart = true;
    bool enters = inside_of(g, key) + n <= most && !is_behind(g, key, v);
    if (enters) {
        if (v->host) remove_visitor(g, v);
        take_places(g, key, n);
    } else
        queue_visitor(g, key, v);
    pthread_mutex_unlock(&g->lock);
    return enters;
}

void gate_leave_many(struct gate *g, struct str key, unsigned n)
{
    pthread_mutex_lock(&g->lock);
    give_places(g, key, n);
    wake_all(g);
    pthread_mutex_unlock(&g->lock);
}

void gate_forget(struct gate *g, struct gate_visitor *v)
{
    pthread_mutex_lock(&g->lock);
    if (v->host) {
        remove_visitor(g, v);
        wake_all(g);
    }
    pthread_mutex_unlock(&g->lock);
}
