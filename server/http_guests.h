/* Who is connected to the listener, how long each may take for what, and who has to go when there is no room. Knows no
 * HTTP and owns no socket: the listener (its only caller, on the loop's thread) says what each one does, and ends a
 * connection when cut() asks for it.
 *
 * There is room for so many, and one address has a share of it. Who comes when it is used up takes the place of the one
 * that is missed least: first those that have not said a whole request yet, or whose body only trickles, then those
 * that were served before, send well, or take an answer; of each kind the one that came first. Who is being
 * worked for is never cut. So ten thousand idle connections cost their owner their own places, and somebody who
 * connects and asks at once is served. */
#ifndef ABGLEICH_HTTP_GUESTS_H
#define ABGLEICH_HTTP_GUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct guest_limits {
    uint64_t header_ms;  /* from the connection or the end of the last request to the end of the next header */
    uint64_t request_ms; /* from there to the end of the answer */
    uint64_t body_grace_ms, body_bytes_per_s; /* after the grace a body has to have come at that rate on average */
    size_t room, share;                       /* connections in all, and of one address (IPv6: of one /64) */
};

enum guest_does {
    GUEST_WAITS,   /* is to say a header */
    GUEST_SENDS,   /* a body */
    GUEST_IS_DONE, /* said all; it is our turn */
    GUEST_TAKES    /* an answer */
};

struct guest {
    unsigned char address[16];
    int fd;
    void *own; /* the listener's */
    enum guest_does does;
    uint64_t since_ms, deadline_ms, body_bytes;
    bool served; /* got an answer that was no refusal */
    bool cut;
    struct guest *before, *after; /* in the order they came */
};

#define GUEST_PLACES 4096

struct guests {
    struct guest_limits limits;
    void (*cut)(void *ctx, struct guest *guest); /* called once for each; guests_left() follows later */
    void *ctx;
    struct guest *first, *last;
    size_t n;                      /* that are not cut */
    uint16_t of_one[GUEST_PLACES]; /* of these by address; two addresses may share a place, and its share */
};

/* The new one is owned by guests until guests_left(). Cuts another one, or the new one, where there is no room. */
struct guest *guests_arrived(struct guests *g, const struct sockaddr *address, int fd, uint64_t now_ms);
void guests_left(struct guests *g, struct guest *one); /* NULL is fine */
void guest_begins(struct guests *g, struct guest *one, enum guest_does does, uint64_t now_ms);
/* Cuts whom time has run out for. */
void guests_sweep(struct guests *g, uint64_t now_ms);
/* Of those that send a body the slowest, if it is slower than `than` and `counts` says that it matters. NULL = none. */
struct guest *guests_slowest(const struct guests *g, const struct guest *than, bool (*counts)(const struct guest *one),
                             uint64_t now_ms);
void guests_cut(struct guests *g, struct guest *one);

#endif
