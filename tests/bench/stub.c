/* A CardDAV server that answers at once: N made-up cards in memory, for measuring clients. One thread, keep-alive, no disk.
 * stub PORT CARDS [nosync]   prints the port; GET /_stats tells requests and bytes, POST /_change?N changes N cards, /_reset zeroes. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define BOOK "/dav/anna/kunden/"
#define HOME "/dav/anna/"

struct text {
    char *p;
    size_t n, cap;
};

struct card {
    char name[48], *body; /* escaped for XML as it is: made without <, > and & */
    unsigned seq;
    int there;
};

static struct card *cards;
static unsigned n_cards, cap_cards, seq = 1, requests;
static unsigned long long bytes_in, bytes_out;
static int has_sync = 1;

static void add(struct text *t, const char *format, ...)
{
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    size_t n = (size_t)vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (t->n + n + 1 > t->cap) t->p = realloc(t->p, t->cap = (t->n + n + 1) * 2);
    vsnprintf(t->p + t->n, n + 1, format, ap);
    t->n += n;
    va_end(ap);
}

static char *make_card(unsigned i, unsigned version)
{
    struct text t = {0};
    add(&t, "BEGIN:VCARD\r\nVERSION:3.0\r\nPRODID:-//stub//EN\r\nUID:%08x-1111-4222-8333-%012x\r\nREV:20260101T000000Z\r\n", i, i);
    add(&t, "FN:Vorname%u Familienname%u\r\nN:Familienname%u;Vorname%u;;Dr.;\r\n", i, i, i, i);
    add(&t, "ORG:Beispiel GmbH %u;Abteilung %u\r\nTITLE:Sachbearbeiterin\r\n", i % 500, i % 7);
    add(&t, "TEL;TYPE=CELL:+49 171 %07u\r\nTEL;TYPE=WORK,VOICE:+49 30 %07u\r\nTEL;TYPE=HOME:030 %07u\r\n", i, i + 1000000, i + 2000000);
    add(&t, "EMAIL;TYPE=WORK:v%u.f%u@example.org\r\nEMAIL;TYPE=HOME:person%u@mail.example\r\n", i, i, i);
    add(&t, "ADR;TYPE=WORK:;;Hauptstraße %u;Musterstadt;Hessen;%05u;Deutschland\r\n", i % 200, i % 99999);
    add(&t, "ADR;TYPE=HOME:;;Nebenweg %u;Kleinstadt;;%05u;Deutschland\r\n", i % 90, (i * 7) % 99999);
    add(&t, "URL:https://www.example.org/personen/%u\r\nBDAY:19%02u-%02u-%02u\r\n", i, 40 + i % 60, 1 + i % 12, 1 + i % 28);
    add(&t, "CATEGORIES:Kunden,Gruppe %u\r\nX-ABGLEICH-KUNDENNUMMER:K-%06u\r\nNOTE:Stand %u. ", i % 20, i, version);
    while (t.n < 1160) add(&t, "Ein längerer Text\\, wie er in Notizen steht\\; mit Umlauten äöü. ");
    add(&t, "\r\nEND:VCARD\r\n");
    return t.p;
}

static struct card *find(const char *name)
{
    unsigned i;
    char tail[8];
    if (sscanf(name, "c%u.vcf%7s", &i, tail) == 1 && i < n_cards && strcmp(cards[i].name, name) == 0) return &cards[i];
    for (i = n_cards; i-- > 0;)
        if (strcmp(cards[i].name, name) == 0) return &cards[i];
    return NULL;
}

static struct card *new_card(const char *name)
{
    if (n_cards == cap_cards) cards = realloc(cards, (cap_cards = cap_cards ? cap_cards * 2 : 1024) * sizeof *cards);
    memset(&cards[n_cards], 0, sizeof *cards);
    snprintf(cards[n_cards].name, sizeof cards[n_cards].name, "%s", name);
    return &cards[n_cards++];
}

static void one(struct text *t, const struct card *c, int data)
{
    if (!c->there) {
        add(t, "<d:response><d:href>" BOOK "%s</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>", c->name);
        return;
    }
    add(t, "<d:response><d:href>" BOOK "%s</d:href><d:propstat><d:prop><d:getetag>\"%u\"</d:getetag>", c->name, c->seq);
    if (data) add(t, "<card:address-data>%s</card:address-data>", c->body);
    add(t, "</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>\n");
}

static void collection(struct text *t, const char *path, int book)
{
    add(t, "<d:response><d:href>%s</d:href><d:propstat><d:prop><d:resourcetype><d:collection/>%s</d:resourcetype>", path,
        book ? "<card:addressbook/>" : "");
    add(t, "<d:displayname>kunden</d:displayname><d:current-user-principal><d:href>" HOME "</d:href></d:current-user-principal>");
    add(t, "<card:addressbook-home-set><d:href>" HOME "</d:href></card:addressbook-home-set><cs:getctag>%u</cs:getctag>", seq);
    if (book && has_sync)
        add(t, "<d:supported-report-set><d:supported-report><d:report><d:sync-collection/></d:report></d:supported-report>"
               "</d:supported-report-set><d:sync-token>t%u</d:sync-token>", seq);
    add(t, "</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>");
}

static int propfind(struct text *t, const char *path, int depth)
{
    int book = strcmp(path, BOOK) == 0;
    collection(t, path, book);
    if (!book && depth && strcmp(path, HOME) == 0) collection(t, BOOK, 1);
    for (unsigned i = 0; book && depth && i < n_cards; i++)
        if (cards[i].there) one(t, &cards[i], 0);
    return 207;
}

static int report(struct text *t, const char *body)
{
    int data = strstr(body, "address-data") != NULL;
    const char *sync = strstr(body, "sync-collection"), *get = strstr(body, "multiget");
    if (sync && !has_sync) return 501;
    if (sync) {
        const char *token = strstr(body, "sync-token>t");
        unsigned since = token ? (unsigned)atoi(token + 12) : 0;
        for (unsigned i = 0; i < n_cards; i++)
            if (token ? cards[i].seq > since : cards[i].there) one(t, &cards[i], data);
        add(t, "<d:sync-token>t%u</d:sync-token>", seq);
        return 207;
    }
    if (!get) {
        for (unsigned i = 0; i < n_cards; i++)
            if (cards[i].there) one(t, &cards[i], 1);
        return 207;
    }
    for (const char *p = body; (p = strstr(p, "href>" BOOK)); p++) {
        char name[48];
        const char *from = p + 5 + strlen(BOOK), *end = strchr(from, '<');
        if (!end || (size_t)(end - from) >= sizeof name) continue;
        snprintf(name, sizeof name, "%.*s", (int)(end - from), from);
        struct card *c = find(name);
        if (c) one(t, c, 1);
    }
    return 207;
}

static void change(unsigned n)
{
    for (unsigned i = 0; i < n && i < n_cards; i++) {
        struct card *c = &cards[i * (n_cards / n)];
        free(c->body);
        c->body = make_card((unsigned)(c - cards), seq + 1);
        c->seq = ++seq;
    }
}

static int write_card(const char *method, const char *name, const char *body, size_t n, struct text *head)
{
    struct card *c = find(name);
    if (strcmp(method, "DELETE") == 0) {
        if (!c || !c->there) return 404;
        c->there = 0;
        c->seq = ++seq;
        return 204;
    }
    int fresh = !c || !c->there;
    if (!c) c = new_card(name);
    free(c->body);
    c->body = strndup(body, n);
    c->there = 1;
    c->seq = ++seq;
    add(head, "ETag: \"%u\"\r\n", c->seq);
    return fresh ? 201 : 204;
}

static int act(const char *method, const char *path, int depth, const char *body, size_t n, struct text *head, struct text *t)
{
    static const char root[] = "<?xml version=\"1.0\"?><d:multistatus xmlns:d=\"DAV:\" xmlns:card=\"urn:ietf:params:xml:ns:carddav\""
                               " xmlns:cs=\"http://calendarserver.org/ns/\">";
    int status = 404;
    if (strcmp(path, "/_stats") == 0) {
        add(t, "{\"requests\": %u, \"in\": %llu, \"out\": %llu}", requests - 1, bytes_in, bytes_out);
        return 200;
    }
    if (strcmp(path, "/_reset") == 0) {
        requests = 0, bytes_in = bytes_out = 0;
        return 200;
    }
    if (strncmp(path, "/_change?", 9) == 0) {
        change((unsigned)atoi(path + 9));
        return 200;
    }
    if (strcmp(method, "PROPFIND") == 0 || strcmp(method, "REPORT") == 0) {
        add(t, "%s", root);
        status = method[0] == 'P' ? propfind(t, path, depth) : report(t, body);
        add(t, "</d:multistatus>");
        add(head, "Content-Type: application/xml; charset=utf-8\r\n");
    } else if (strncmp(path, BOOK, strlen(BOOK)) == 0 && strcmp(method, "GET") == 0) {
        struct card *c = find(path + strlen(BOOK));
        if (!c || !c->there) return 404;
        add(t, "%s", c->body);
        add(head, "Content-Type: text/vcard\r\nETag: \"%u\"\r\n", c->seq);
        status = 200;
    } else if (strncmp(path, BOOK, strlen(BOOK)) == 0)
        status = write_card(method, path + strlen(BOOK), body, n, head);
    return status;
}

struct client {
    int fd;
    struct text in;
};

static void send_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t w = write(fd, p, n);
        if (w <= 0) return;
        p += w;
        n -= (size_t)w;
    }
}

/* Answers one complete request at the front of the buffer; returns its length, 0 if it is not complete. */
static size_t serve(struct client *c)
{
    char *end = c->in.n ? memmem(c->in.p, c->in.n, "\r\n\r\n", 4) : NULL;
    if (!end) return 0;
    size_t head_n = (size_t)(end - c->in.p) + 4, body_n = 0;
    char method[16], path[512];
    c->in.p[c->in.n] = '\0';
    end[2] = '\0';
    const char *length = strcasestr(c->in.p, "\r\nContent-Length:"), *depth = strcasestr(c->in.p, "\r\nDepth:");
    if (length) body_n = (size_t)atol(length + 17);
    int is_deep = depth && atoi(depth + 8) == 1, expects = strcasestr(c->in.p, "100-continue") != NULL;
    sscanf(c->in.p, "%15s %511s", method, path);
    end[2] = '\r';
    if (c->in.n < head_n + body_n) {
        if (expects && c->in.n == head_n) send_all(c->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25);
        return 0;
    }
    char *body = strndup(c->in.p + head_n, body_n);
    struct text head = {0}, text = {0}, top = {0};
    requests++;
    bytes_in += head_n + body_n;
    int status = act(method, path, is_deep, body, body_n, &head, &text);
    add(&top, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n", status, text.n, head.p ? head.p : "");
    bytes_out += top.n + text.n;
    send_all(c->fd, top.p, top.n);
    send_all(c->fd, text.p, text.n);
    free(body), free(head.p), free(text.p), free(top.p);
    return head_n + body_n;
}

static int receive(struct client *c)
{
    if (c->in.cap < c->in.n + 262145) c->in.p = realloc(c->in.p, c->in.cap = c->in.n + 524288);
    ssize_t n = read(c->fd, c->in.p + c->in.n, 262144);
    if (n <= 0) return 0;
    c->in.n += (size_t)n;
    for (size_t used; (used = serve(c));) {
        memmove(c->in.p, c->in.p + used, c->in.n - used);
        c->in.n -= used;
    }
    return 1;
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)(argc > 1 ? atoi(argv[1]) : 0)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    unsigned wanted = argc > 2 ? (unsigned)atoi(argv[2]) : 1000;
    has_sync = !(argc > 3 && strcmp(argv[3], "nosync") == 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 64)) return 1;
    for (unsigned i = 0; i < wanted; i++) {
        char name[48];
        snprintf(name, sizeof name, "c%u.vcf", i);
        struct card *c = new_card(name);
        c->body = make_card(i, 1);
        c->there = 1;
        c->seq = 1;
    }
    getsockname(listener, (struct sockaddr *)&at, &size);
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    struct client clients[64];
    struct pollfd polls[65] = {{listener, POLLIN, 0}};
    int n = 0;
    for (;;) {
        poll(polls, (nfds_t)n + 1, -1);
        for (int i = n; i > 0; i--) {
            if (!polls[i].revents || receive(&clients[i - 1])) continue;
            close(clients[i - 1].fd);
            free(clients[i - 1].in.p);
            clients[i - 1] = clients[n - 1];
            polls[i] = polls[n--];
        }
        if ((polls[0].revents & POLLIN) && n < 64) {
            clients[n] = (struct client){.fd = accept(listener, NULL, NULL)};
            setsockopt(clients[n].fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
            polls[n + 1] = (struct pollfd){clients[n].fd, POLLIN, 0};
            n++;
        }
    }
}
