#include "base/mem.h"
#include "server/guess.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEERS_MAX 1024
#define GUESSES_MAX 20
#define WINDOW_MS (60 * (int64_t)1000)

struct guesses {
    pthread_mutex_t mutex;
    struct guesser {
        char peer[48];
        int64_t since_ms;
        unsigned n;
    } list[PEERS_MAX];
    size_t next;
};

struct guesses *guesses_new(void)
{
    struct guesses *g = mem_calloc(1, sizeof *g);
    pthread_mutex_init(&g->mutex, NULL);
    return g;
}

void guesses_free(struct guesses *g)
{
    if (g) pthread_mutex_destroy(&g->mutex);
    free(g);
}

static struct guesser *find(struct guesses *g, const char *peer, int64_t now_ms)
{
    for (size_t i = 0; i < PEERS_MAX; i++) {
        struct guesser *one = &g->list[i];
        if (one->n && strcmp(one->peer, peer) == 0) {
            if (now_ms - one->since_ms > WINDOW_MS || now_ms < one->since_ms) one->n = 0;
            return one;
        }
    }
    return NULL;
}

bool guesses_are_many(struct guesses *g, const char *peer, int64_t now_ms)
{
    pthread_mutex_lock(&g->mutex);
    struct guesser *one = find(g, peer, now_ms);
    bool many = one && one->n >= GUESSES_MAX;
    pthread_mutex_unlock(&g->mutex);
    return many;
}

void guesses_add(struct guesses *g, const char *peer, int64_t now_ms)
{
    pthread_mutex_lock(&g->mutex);
    struct guesser *one = find(g, peer, now_ms);
    if (!one) {
        one = &g->list[g->next++ % PEERS_MAX];
        *one = (struct guesser){.n = 0};
        snprintf(one->peer, sizeof one->peer, "%s", peer);
    }
    if (!one->n) one->since_ms = now_ms;
    one->n++;
    pthread_mutex_unlock(&g->mutex);
}
