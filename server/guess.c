#include "base/mem.h"
#include "server/guess.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEERS_MAX 1024
#define PEER_BYTES 48
#define GUESSES_MAX 20
#define WINDOW_MS (60 * (int64_t)1000)

struct guesses {
    pthread_mutex_t mutex;
    struct guesser {
        char peer[PEER_BYTES];
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

/* Who has an IPv6 address has 2^64 of them (RFC 6177): they count as one. */
static void name_of(const char *peer, char out[PEER_BYTES])
{
    struct in6_addr six;
    if (inet_pton(AF_INET6, peer, &six) == 1 && !IN6_IS_ADDR_V4MAPPED(&six))
        memset(six.s6_addr + 8, 0, 8);
    else {
        snprintf(out, PEER_BYTES, "%s", peer);
        return;
    }
    inet_ntop(AF_INET6, &six, out, PEER_BYTES);
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
    char name[PEER_BYTES];
    name_of(peer, name);
    pthread_mutex_lock(&g->mutex);
    struct guesser *one = find(g, name, now_ms);
    bool many = one && one->n >= GUESSES_MAX;
    pthread_mutex_unlock(&g->mutex);
    return many;
}

void guesses_add(struct guesses *g, const char *peer, int64_t now_ms)
{
    char name[PEER_BYTES];
    name_of(peer, name);
    pthread_mutex_lock(&g->mutex);
    struct guesser *one = find(g, name, now_ms);
    if (!one) {
        one = &g->list[g->next++ % PEERS_MAX];
        *one = (struct guesser){.n = 0};
        memcpy(one->peer, name, sizeof one->peer);
    }
    if (!one->n) one->since_ms = now_ms;
    one->n++;
    pthread_mutex_unlock(&g->mutex);
}
