#include "server/http_guests.h"

#include "base/mem.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define WELL_BYTES_PER_S ((uint64_t)64 * 1024) /* a body that comes so fast is nobody's siege */

/* IPv4 as it is, of IPv6 the network: whoever has a /64 has all addresses in it. */
static void address_of(const struct sockaddr *a, unsigned char out[16])
{
    memset(out, 0, 16);
    if (a && a->sa_family == AF_INET) {
        out[0] = 4;
        memcpy(out + 1, &((const struct sockaddr_in *)(const void *)a)->sin_addr, 4);
    } else if (a && a->sa_family == AF_INET6) {
        const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
        out[0] = IN6_IS_ADDR_V4MAPPED(six) ? 4 : 6;
        if (out[0] == 4)
            memcpy(out + 1, &six->s6_addr[12], 4);
        else
            memcpy(out + 1, six->s6_addr, 8);
    }
}

static bool is_same_address(const struct guest *a, const struct guest *b)
{
    return memcmp(a->address, b->address, sizeof a->address) == 0;
}

static uint64_t rate_of(const struct guest *one, uint64_t now_ms)
{
    return one->body_bytes * 1000 / (now_ms - one->since_ms + 1);
}

/* -- who has to go -- */

/* The lower, the less it is missed. */
static unsigned rank_of(const struct guest *one, uint64_t now_ms)
{
    bool idle = one->does == GUEST_WAITS && !one->served;
    bool trickles = one->does == GUEST_SENDS && rate_of(one, now_ms) < WELL_BYTES_PER_S;
    return idle || trickles ? 0 : 1;
}

/* By address; whoever can choose among enough addresses to find ones that meet has those addresses anyway. */
static uint16_t *count_of(struct guests *g, const struct guest *one)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < sizeof one->address; i++) h = (h ^ one->address[i]) * 16777619u;
    return &g->of_one[(h ^ h >> 16) % GUEST_PLACES];
}

static void come(struct guests *g, const struct guest *one)
{
    g->n++;
    ++*count_of(g, one);
}

static void go(struct guests *g, const struct guest *one)
{
    g->n--;
    --*count_of(g, one);
}

void guests_cut(struct guests *g, struct guest *one)
{
    if (one->cut) return;
    one->cut = true;
    go(g, one);
    g->cut(g->ctx, one);
}

/* The first who came among those that are missed least; only of the newcomer's address, or of all. NULL = nobody. */
static struct guest *to_go(struct guests *g, const struct guest *newcomer, bool of_its_address, uint64_t now_ms)
{
    struct guest *other = NULL;
    for (struct guest *one = g->first; one; one = one->after) {
        if (one->cut || one == newcomer || one->does == GUEST_IS_DONE ||
            (of_its_address && !is_same_address(one, newcomer)))
            continue;
        if (rank_of(one, now_ms) == 0) return one;
        if (!other) other = one;
    }
    return other;
}

static void make_room(struct guests *g, struct guest *newcomer, uint64_t now_ms)
{
    bool greedy = *count_of(g, newcomer) > g->limits.share;
    if (!greedy && g->n <= g->limits.room) return;
    struct guest *goes = to_go(g, newcomer, greedy, now_ms);
    guests_cut(g, goes ? goes : newcomer);
}

/* -- coming, going, being slow -- */

struct guest *guests_arrived(struct guests *g, const struct sockaddr *address, int fd, uint64_t now_ms)
{
    struct guest *one = mem_calloc(1, sizeof *one);
    *one = (struct guest){.fd = fd, .before = g->last};
    address_of(address, one->address);
    guest_begins(g, one, GUEST_WAITS, now_ms);
    *(g->last ? &g->last->after : &g->first) = one;
    g->last = one;
    come(g, one);
    make_room(g, one, now_ms);
    return one;
}

void guests_left(struct guests *g, struct guest *one)
{
    if (!one) return;
    if (!one->cut) go(g, one);
    *(one->before ? &one->before->after : &g->first) = one->after;
    *(one->after ? &one->after->before : &g->last) = one->before;
    free(one);
}

void guest_begins(struct guests *g, struct guest *one, enum guest_does does, uint64_t now_ms)
{
    if (!one) return;
    if (does == GUEST_WAITS) one->deadline_ms = now_ms + g->limits.header_ms;
    if (does == GUEST_SENDS) one->deadline_ms = now_ms + g->limits.request_ms;
    one->does = does;
    one->since_ms = now_ms;
    one->body_bytes = 0;
}

static bool is_dripping(const struct guests *g, const struct guest *one, uint64_t now_ms)
{
    if (one->does != GUEST_SENDS || now_ms < one->since_ms + g->limits.body_grace_ms) return false;
    uint64_t counted_ms = now_ms - one->since_ms - g->limits.body_grace_ms;
    return one->body_bytes < counted_ms * g->limits.body_bytes_per_s / 1000;
}

void guests_sweep(struct guests *g, uint64_t now_ms)
{
    for (struct guest *one = g->first, *after; one; one = after) {
        after = one->after;
        if (one->deadline_ms <= now_ms || is_dripping(g, one, now_ms)) guests_cut(g, one);
    }
}

struct guest *guests_slowest(const struct guests *g, const struct guest *than, bool (*counts)(const struct guest *one),
                             uint64_t now_ms)
{
    struct guest *slowest = NULL;
    uint64_t rate = rate_of(than, now_ms);
    for (struct guest *one = g->first; one; one = one->after) {
        if (one->cut || one == than || one->does != GUEST_SENDS || !counts(one) || rate_of(one, now_ms) >= rate)
            continue;
        rate = rate_of(one, now_ms);
        slowest = one;
    }
    return slowest;
}
