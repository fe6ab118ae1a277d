/* Against a name server in this process, on a port of loopback. */
#include "connectors/dns.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <resolv.h>
#include <stdio.h>
#include <unistd.h>

struct row {
    const char *name;
    struct {
        unsigned priority, weight, port;
        const char *host;
    } services[3];
    const char *text, *found; /* TXT; NULL = none */
};

static const struct row rows[] = {
    {"the usual port is left out", {{0, 1, 443, "dav.example.org"}}, NULL, "https://dav.example.org/"},
    {"another port, and a path", {{0, 1, 8443, "dav.example.org"}}, "path=/dav/", "https://dav.example.org:8443/dav/"},
    {"the lowest priority",
     {{10, 9, 443, "b.example.org"}, {5, 1, 443, "a.example.org"}},
     NULL,
     "https://a.example.org/"},
    {"the highest weight of these",
     {{5, 1, 443, "b.example.org"}, {5, 9, 443, "a.example.org"}, {6, 99, 443, "c.example.org"}},
     NULL,
     "https://a.example.org/"},
    {"a text that is no path", {{0, 1, 443, "dav.example.org"}}, "v=spf1", "https://dav.example.org/"},
    {"a path that is none", {{0, 1, 443, "dav.example.org"}}, "path=evil.example", "https://dav.example.org/"},
    {"a point says there is no such service", {{0, 0, 0, "."}}, NULL, ""},
    {"nothing at all", {{0}}, "path=/dav/", ""},
};

struct name_server {
    int fd;
    struct sockaddr_in address;
    const struct row *row;
    pthread_t thread;
};

static unsigned char *put_name(unsigned char *p, const char *name)
{
    while (*name && strcmp(name, ".") != 0) {
        size_t n = strcspn(name, ".");
        *p++ = (unsigned char)n;
        memcpy(p, name, n);
        p += n;
        name += n + (name[n] == '.');
    }
    *p++ = 0;
    return p;
}

/* Name (a pointer to the question's), type, class, ttl; then the data, whose length is filled in afterwards. */
static unsigned char *put_record(unsigned char *p, unsigned type)
{
    static const unsigned char same_name[2] = {0xc0, 12};
    memcpy(p, same_name, 2);
    ns_put16(type, p + 2);
    ns_put16(ns_c_in, p + 4);
    ns_put32(60, p + 6);
    return p + 12;
}

static unsigned char *put_services(unsigned char *p, const struct row *row, unsigned *n)
{
    for (; *n < 3 && row->services[*n].host; ++*n) {
        unsigned char *data = put_record(p, ns_t_srv);
        ns_put16(row->services[*n].priority, data);
        ns_put16(row->services[*n].weight, data + 2);
        ns_put16(row->services[*n].port, data + 4);
        p = put_name(data + 6, row->services[*n].host);
        ns_put16((unsigned)(p - data), data - 2);
    }
    return p;
}

static unsigned char *put_text(unsigned char *p, const struct row *row, unsigned *n)
{
    if (!row->text) return p;
    unsigned char *data = put_record(p, ns_t_txt);
    data[0] = (unsigned char)strlen(row->text);
    memcpy(data + 1, row->text, data[0]);
    ns_put16(data[0] + 1u, data - 2);
    *n = 1;
    return data + 1 + data[0];
}

static void *serve(void *ctx)
{
    struct name_server *s = ctx;
    for (;;) {
        unsigned char packet[4096];
        struct sockaddr_in from;
        socklen_t n_from = sizeof from;
        ssize_t n = recvfrom(s->fd, packet, 512, 0, (struct sockaddr *)&from, &n_from);
        if (n < 12) return NULL; /* the test's good-bye */
        unsigned char *p = packet + 12;
        while (*p) p += *p + 1;
        unsigned type = ns_get16(p + 1), answers = 0;
        p += 5;
        p = type == ns_t_srv ? put_services(p, s->row, &answers) : put_text(p, s->row, &answers);
        packet[2] = 0x85, packet[3] = 0x80; /* an answer, and one that is authoritative */
        ns_put16(answers, packet + 6);
        ns_put32(0, packet + 8);
        sendto(s->fd, packet, (size_t)(p - packet), 0, (struct sockaddr *)&from, n_from);
    }
}

static void name_server_start(struct name_server *s)
{
    socklen_t n = sizeof s->address;
    s->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    s->fd = socket(AF_INET, SOCK_DGRAM, 0);
    cr_assert_eq(bind(s->fd, (struct sockaddr *)&s->address, n), 0);
    cr_assert_eq(getsockname(s->fd, (struct sockaddr *)&s->address, &n), 0);
    cr_assert_eq(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void name_server_stop(struct name_server *s)
{
    sendto(s->fd, "", 1, 0, (struct sockaddr *)&s->address, sizeof s->address);
    pthread_join(s->thread, NULL);
    close(s->fd);
}

Test(dns, a_domain_names_its_service, .timeout = 30)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct name_server s = {.row = &rows[i]};
        struct buf out AUTO_BUF = BUF_INIT;
        name_server_start(&s);
        bool found = dns_service("_carddavs._tcp", STR("example.org"), &s.address, &out);
        cr_expect_eq(found, *rows[i].found != 0, "row %s", rows[i].name);
        cr_expect_str_eq(buf_cstr(&out), rows[i].found, "row %s: %s", rows[i].name, buf_cstr(&out));
        name_server_stop(&s);
    }
}
