/* How many transfers may be in flight at once, for each host and over all jobs of a process. Made by the daemon, handed
 * to connectors by way of struct account, used by any number of threads. Who asked first for a host gets the next free
 * place there: a large job cannot starve a small one. */
#ifndef ABGLEICH_GATE_H
#define ABGLEICH_GATE_H

#include "base/str.h"

struct gate;

/* Someone who may have to wait. Owned by the caller, zeroed but for wake and ctx; must be forgotten before it goes
 * away. */
struct gate_visitor {
    void (*wake)(void *ctx); /* from any thread: a place may be free, ask again; must not call the gate */
    void *ctx;
    struct gate_visitor *next; /* the gate's own */
    char *host;
    bool apart;
};

/* per_host, over_all: at least 1. */
struct gate *gate_new(unsigned per_host, unsigned over_all);
void gate_free(struct gate *g); /* NULL is fine; nobody is inside or waits */

/* True: one place on `host` ("cloud.example.org:443", any spelling as long as it is the same) is taken, to be given
 * back by gate_leave. False: it is full, or somebody asked earlier; v is woken when that may have changed. Never
 * blocks. */
bool gate_enter(struct gate *g, struct str host, struct gate_visitor *v);
void gate_leave(struct gate *g, struct str host);
/* The same for places of another kind that a key names ("graph CLIENT"), which are no transfers: n of `most` at once, or
 * none; whoever asked first gets them, however many they are. n is at most `most`. */
bool gate_enter_many(struct gate *g, struct str key, unsigned n, unsigned most, struct gate_visitor *v);
void gate_leave_many(struct gate *g, struct str key, unsigned n);
/* v does not wait any more. */
void gate_forget(struct gate *g, struct gate_visitor *v);

#endif
