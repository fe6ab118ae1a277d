#include "core/gate.h"

#include "base/mem.h"

#include <stdlib.h>

struct gate *gate_of(struct gate **table, const char *name)
{
    struct gate *g;
    HASH_FIND_STR(*table, name, g);
    if (g) return g;
    g = mem_calloc(1, sizeof *g);
    g->name = mem_strdup(name);
    g->most = SIZE_MAX;
    HASH_ADD_KEYPTR(hh, *table, g->name, strlen(g->name), g);
    return g;
}

static void gate_free(struct gate *g)
{
    due_queue_free(&g->waiting);
    free(g->name);
    free(g);
}

void gates_drop(struct gate **table, bool all)
{
    struct gate *g, *next;
    HASH_ITER(hh, *table, g, next)
    {
        if (!all && (g->links || g->running)) continue;
        HASH_DEL(*table, g);
        gate_free(g);
    }
}

bool gate_is_closed(const struct gate *g, int64_t now_ms)
{
    return g->closed_until_ms > now_ms;
}

size_t gate_room(const struct gate *g)
{
    size_t most = g->failures ? 1 : g->most;
    return g->running < most ? most - g->running : 0;
}

void gate_failed(struct gate *g, enum fault_code code, int64_t started_ms, int64_t now_ms)
{
    g->code = code;
    if (g->failures && started_ms < g->failed_ms) return;
    g->failures++;
    g->failed_ms = now_ms;
}

void gate_close(struct gate *g, int64_t until_ms)
{
    if (until_ms > g->closed_until_ms) g->closed_until_ms = until_ms;
}

void gate_open(struct gate *g)
{
    g->failures = 0;
    g->code = FAULT_NONE;
    g->closed_until_ms = 0;
}
