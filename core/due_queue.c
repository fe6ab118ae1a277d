#include "core/due_queue.h"

#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>

#define FIRST_CAP 16

static bool is_before(const struct due *a, const struct due *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->turn < b->turn;
}

static void place(struct due_queue *q, size_t at, struct due *due)
{
    q->list[at] = due;
    due->at = at;
}

static void rise(struct due_queue *q, size_t at)
{
    struct due *due = q->list[at];
    for (; at > 0 && is_before(due, q->list[(at - 1) / 2]); at = (at - 1) / 2) place(q, at, q->list[(at - 1) / 2]);
    place(q, at, due);
}

static void sink(struct due_queue *q, size_t at)
{
    struct due *due = q->list[at];
    for (size_t child; (child = 2 * at + 1) < q->n; at = child) {
        if (child + 1 < q->n && is_before(q->list[child + 1], q->list[child])) child++;
        if (!is_before(q->list[child], due)) break;
        place(q, at, q->list[child]);
    }
    place(q, at, due);
}

void due_queue_put(struct due_queue *q, struct due *due)
{
    if (q->n == q->cap) {
        q->cap = q->cap ? 2 * q->cap : FIRST_CAP;
        q->list = mem_realloc(q->list, q->cap * sizeof(struct due *));
    }
    due->in = q;
    due->turn = q->turns++;
    place(q, q->n, due);
    rise(q, q->n++);
}

struct due *due_queue_first(const struct due_queue *q)
{
    return q->n ? q->list[0] : NULL;
}

void due_queue_take(struct due *due)
{
    struct due_queue *q = due->in;
    if (!q) return;
    due->in = NULL;
    struct due *last = q->list[--q->n];
    if (last == due) return;
    place(q, due->at, last);
    sink(q, last->at);
    rise(q, last->at);
}

void due_queue_free(struct due_queue *q)
{
    for (size_t i = 0; i < q->n; i++) q->list[i]->in = NULL;
    free(q->list);
    *q = (struct due_queue){0};
}
