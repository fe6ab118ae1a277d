/* What is due first: a binary heap whose items lie inside the caller's structs, so that any of them can be taken out or
 * moved in O(log n). Equal times leave in the order they came. Used by core/scheduler.c and core/gate.c; not locked. */
#ifndef ABGLEICH_DUE_QUEUE_H
#define ABGLEICH_DUE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

struct due_queue;
struct due { /* one item; zeroed = in no queue */
    int64_t due_ms;
    uint64_t turn;        /* the queue's: among equals who came first */
    struct due_queue *in; /* NULL = in none */
    size_t at;
};
struct due_queue { /* zeroed = empty */
    struct due **list;
    size_t n, cap;
    uint64_t turns;
};

/* due: borrowed until taken; must be in no queue. Its due_ms stays as it is while it is in. */
void due_queue_put(struct due_queue *q, struct due *due);
struct due *due_queue_first(const struct due_queue *q); /* NULL = empty */
/* Out of whichever queue it is in; nothing if in none. */
void due_queue_take(struct due *due);
void due_queue_free(struct due_queue *q); /* what is in it stays the caller's */

#endif
