/* Who may stay at the listener: by a made clock, without sockets. */
#include "server/http_guests.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>

#define LIMITS ((struct guest_limits){1000, 60000, 500, 1000, 4, 3})

struct house {
    struct guests guests;
    int cut[16]; /* descriptors, in order */
    size_t n;
    uint64_t now;
};

static void note(void *ctx, struct guest *one)
{
    struct house *h = ctx;
    h->cut[h->n++] = one->fd;
}

static struct house *house(struct house *h)
{
    *h = (struct house){.now = 10000};
    h->guests = (struct guests){.limits = LIMITS, .cut = note, .ctx = h};
    return h;
}

static struct guest *comes(struct house *h, const char *from, int fd)
{
    struct sockaddr_in6 a = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};
    h->now++;
    if (inet_pton(AF_INET, from, &four.sin_addr) == 1)
        return guests_arrived(&h->guests, (const struct sockaddr *)&four, fd, h->now);
    cr_assert_eq(inet_pton(AF_INET6, from, &a.sin6_addr), 1);
    return guests_arrived(&h->guests, (const struct sockaddr *)&a, fd, h->now);
}

static void all_leave(struct house *h)
{
    while (h->guests.first) guests_left(&h->guests, h->guests.first);
    cr_expect_eq(h->guests.n, 0);
    for (size_t i = 0; i < GUEST_PLACES; i++) cr_assert_eq(h->guests.of_one[i], 0);
}

Test(http_guests, who_idled_longest_makes_room)
{
    struct house h;
    house(&h);
    for (int i = 0; i < 4; i++) comes(&h, i % 2 ? "192.0.2.1" : "192.0.2.2", i);
    cr_expect_eq(h.n, 0);
    comes(&h, "192.0.2.3", 4);
    comes(&h, "192.0.2.4", 5);
    cr_expect(h.n == 2 && h.cut[0] == 0 && h.cut[1] == 1 && h.guests.n == 4);
    all_leave(&h);
}

/* The share of one address is 3: a fourth costs one of its own, whoever idles longer elsewhere. */
Test(http_guests, one_address_uses_up_its_own_places)
{
    struct house h;
    house(&h);
    comes(&h, "192.0.2.9", 0);
    for (int i = 1; i < 4; i++) comes(&h, "192.0.2.1", i);
    comes(&h, "192.0.2.1", 4);
    cr_expect(h.n == 1 && h.cut[0] == 1);
    comes(&h, "::ffff:192.0.2.1", 5);
    cr_expect(h.n == 2 && h.cut[1] == 2, "the same address, written for IPv6");
    all_leave(&h);
}

Test(http_guests, a_network_of_ipv6_is_one_address)
{
    static const char *const from[] = {"2001:db8::1", "2001:db8::2:1", "2001:db8::ffff:0:0:3", "2001:db8::4"};
    struct house h;
    house(&h);
    for (int i = 0; i < 4; i++) comes(&h, from[i], i);
    cr_expect(h.n == 1 && h.cut[0] == 0);
    comes(&h, "2001:db8:0:1::1", 4);
    cr_expect_eq(h.n, 1, "another network, and room is left");
    all_leave(&h);
}

Test(http_guests, who_is_missed_least_goes_first)
{
    struct house h;
    struct guest *all[4];
    house(&h);
    for (int i = 0; i < 4; i++) all[i] = comes(&h, i % 2 ? "192.0.2.1" : "192.0.2.2", i);
    h.now++;
    guest_begins(&h.guests, all[0], GUEST_IS_DONE, h.now); /* worked for */
    guest_begins(&h.guests, all[1], GUEST_TAKES, h.now);
    guest_begins(&h.guests, all[2], GUEST_SENDS, h.now);
    all[3]->served = true;
    h.now += 100;
    all[2]->body_bytes = 1 << 20; /* 10 MB a second */
    struct guest *drips = comes(&h, "192.0.2.3", 4);
    cr_expect(h.n == 1 && h.cut[0] == 1, "of equals the one that came first");
    guest_begins(&h.guests, drips, GUEST_SENDS, h.now);
    drips->body_bytes = 10;
    h.now += 100;
    comes(&h, "192.0.2.4", 5);
    cr_expect(h.n == 2 && h.cut[1] == 4, "a body that trickles before one that comes well");
    comes(&h, "192.0.2.4", 6);
    cr_expect(h.n == 3 && h.cut[2] == 5, "an idle one before an answer under way");
    all_leave(&h);
}

Test(http_guests, who_is_worked_for_stays)
{
    struct house h;
    house(&h);
    for (int i = 0; i < 4; i++)
        guest_begins(&h.guests, comes(&h, i % 2 ? "192.0.2.1" : "192.0.2.2", i), GUEST_IS_DONE, h.now);
    comes(&h, "192.0.2.3", 4);
    cr_expect(h.n == 1 && h.cut[0] == 4, "the new one is turned away");
    all_leave(&h);
}

Test(http_guests, time_runs_out)
{
    struct house h;
    house(&h);
    struct guest *silent = comes(&h, "192.0.2.1", 1), *drips = comes(&h, "192.0.2.2", 2),
                 *sends = comes(&h, "192.0.2.3", 3);
    (void)silent;
    guest_begins(&h.guests, drips, GUEST_SENDS, h.now);
    guest_begins(&h.guests, sends, GUEST_SENDS, h.now);
    drips->body_bytes = 450;
    sends->body_bytes = 100000;
    guests_sweep(&h.guests, h.now + 900);
    cr_expect_eq(h.n, 0);
    guests_sweep(&h.guests, h.now + 1000);
    cr_expect_eq(h.n, 2, "the header is late, and 450 bytes in half a second are too few");
    guests_sweep(&h.guests, h.now + 50000);
    cr_expect_eq(h.n, 2);
    guests_sweep(&h.guests, h.now + 60000);
    cr_expect(h.n == 3 && h.cut[2] == 3, "a request has an end, too");
    all_leave(&h);
}

static bool counts(const struct guest *one)
{
    return one->fd != 2;
}

Test(http_guests, the_slowest_body)
{
    struct house h;
    struct guest *all[4];
    house(&h);
    for (int i = 0; i < 4; i++) {
        all[i] = comes(&h, i % 2 ? "192.0.2.1" : "192.0.2.2", i);
        guest_begins(&h.guests, all[i], GUEST_SENDS, 10000);
        all[i]->body_bytes = (uint64_t[]){500, 300, 100, 200}[i];
    }
    cr_expect_eq(guests_slowest(&h.guests, all[0], counts, 11000), all[3]);
    guests_cut(&h.guests, all[3]);
    cr_expect_eq(guests_slowest(&h.guests, all[0], counts, 11000), all[1]);
    cr_expect_null(guests_slowest(&h.guests, all[1], counts, 11000), "nobody is slower");
    all_leave(&h);
}
