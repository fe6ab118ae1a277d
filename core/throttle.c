#include "core/throttle.h"

#include "base/mem.h"

#include <stdlib.h>

struct throttle *throttle_of(struct throttle **table, const char *name)
{
    struct throttle *g;
    HASH_FIND_STR(*table, name, g);
    if (g) return g;
    g = mem_calloc(1, sizeof *g);
    g->name = mem_strdup(name);
    g->most = SIZE_MAX;
    HASH_ADD_KEYPTR(hh, *table, g->name, strlen(g->name), g);
    return g;
}

static void throttle_free(struct throttle *g)
{
    due_queue_free(&g->waiting);
    free(g->name);
    free(g);
}

void throttles_drop(struct throttle **table, bool all)
{
    struct throttle *g, *next;
    HASH_ITER(hh, *table, g, next)
    {
        if (!all && (g->links || g->running)) continue;
        HASH_DEL(*table, g);
        throttle_free(g);
    }
}

bool throttle_is_closed(const struct throttle *g, int64_t now_ms)
{
    return g->closed_until_ms > now_ms;
}

size_t throttle_room(const struct throttle *g)
{
    size_t most = g->failures ? 1 : g->most;
    return g->running < most ? most - g->running : 0;
}

void throttle_failed(struct throttle *g, enum fault_code code, int64_t started_ms, int64_t now_ms)
{
    g->code = code;
    if (g->failures && started_ms < g->failed_ms) return;
    g->failures++;
    g->failed_ms = now_ms;
}

void throttle_close(struct throttle *g, int64_t until_ms)
{
    if (until_ms > g->closed_until_ms) g->closed_until_ms = until_ms;
}

void throttle_open(struct throttle *g)
{
    g->failures = 0;
    g->code = FAULT_NONE;
    g->closed_until_ms = 0;
}
