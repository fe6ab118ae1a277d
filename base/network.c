#include "base/network.h"

#include <arpa/inet.h>
#include <stdio.h>

struct network {
    unsigned char bytes[16]; /* IPv4: ::ffff:a.b.c.d */
    unsigned bits;
};

static bool read_address(struct str text, unsigned char out[16], unsigned *width)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr four;
    if (!text.n || text.n >= sizeof copy) return false;
    snprintf(copy, sizeof copy, "%.*s", STR_ARG(text));
    *width = 128;
    if (inet_pton(AF_INET6, copy, out) == 1) return true;
    *width = 32;
    if (inet_pton(AF_INET, copy, &four) != 1) return false;
    memset(out, 0, 10);
    memset(out + 10, 0xff, 2);
    memcpy(out + 12, &four, 4);
    return true;
}

static bool read_network(struct str text, struct network *out)
{
    unsigned width;
    long long bits;
    struct str address = str_trim(str_split(&text, '/'));
    if (!read_address(address, out->bytes, &width)) return false;
    bits = width;
    if (text.p && (!str_to_int64(str_trim(text), &bits) || bits < 0 || bits > width)) return false;
    out->bits = (unsigned)bits + 128 - width;
    return true;
}

bool network_list_ok(struct str list)
{
    struct network n;
    if (!str_trim(list).n) return false;
    for (struct str rest = list; rest.p;)
        if (!read_network(str_trim(str_split(&rest, ',')), &n)) return false;
    return true;
}

static bool is_in(const struct network *n, const unsigned char address[16])
{
    unsigned whole = n->bits / 8, left = n->bits % 8;
    if (memcmp(n->bytes, address, whole) != 0) return false;
    return !left || ((n->bytes[whole] ^ address[whole]) & (0xff << (8 - left)) & 0xff) == 0;
}

bool network_list_has(struct str list, const char *address)
{
    unsigned char bytes[16];
    unsigned width;
    struct network n;
    if (!read_address(str_of(address), bytes, &width)) return false;
    for (struct str rest = list; rest.p;)
        if (read_network(str_trim(str_split(&rest, ',')), &n) && is_in(&n, bytes)) return true;
    return false;
}
