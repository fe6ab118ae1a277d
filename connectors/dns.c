#include "connectors/dns.h"

#include "base/mem.h"

#include <arpa/nameser.h>
#include <resolv.h>

#define ANSWER_BYTES 65536

static int ask(const char *name, int type, const struct sockaddr_in *server, unsigned char *answer)
{
    struct __res_state state;
    memset(&state, 0, sizeof state);
    if (res_ninit(&state)) return -1;
    if (server) {
        state.nscount = 1;
        state.nsaddr_list[0] = *server;
    }
    int n = res_nquery(&state, name, ns_c_in, type, answer, ANSWER_BYTES);
    res_nclose(&state);
    return n;
}

struct target {
    unsigned priority, weight, port;
    char host[NS_MAXDNAME];
};

/* The lowest priority, the highest weight: with one or two servers, as everywhere in practice, that is what the weights
 * mean. */
static bool best_target(const unsigned char *answer, int n, struct target *best)
{
    ns_msg message;
    bool found = false;
    if (ns_initparse(answer, n, &message)) return false;
    for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
        ns_rr rr;
        struct target t;
        if (ns_parserr(&message, ns_s_an, i, &rr) || ns_rr_type(rr) != ns_t_srv || ns_rr_rdlen(rr) < 7) continue;
        const unsigned char *p = ns_rr_rdata(rr);
        t.priority = ns_get16(p), t.weight = ns_get16(p + 2), t.port = ns_get16(p + 4);
        if (dn_expand(answer, answer + n, p + 6, t.host, sizeof t.host) < 0 || !t.host[0] || strcmp(t.host, ".") == 0)
            continue;
        bool better =
            !found || t.priority < best->priority || (t.priority == best->priority && t.weight > best->weight);
        if (better) *best = t;
        found = true;
    }
    return found;
}

static bool path_in_text(const unsigned char *answer, int n, struct buf *out)
{
    ns_msg message;
    if (ns_initparse(answer, n, &message)) return false;
    for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
        ns_rr rr;
        if (ns_parserr(&message, ns_s_an, i, &rr) || ns_rr_type(rr) != ns_t_txt || ns_rr_rdlen(rr) < 2) continue;
        const unsigned char *p = ns_rr_rdata(rr);
        struct str text = {(const char *)p + 1, p[0] < ns_rr_rdlen(rr) ? p[0] : 0};
        if (!str_starts(text, STR("path=/"))) continue;
        buf_add(out, text.p + 5, text.n - 5);
        return true;
    }
    return false;
}

bool dns_service(const char *service, struct str domain, const struct sockaddr_in *server, struct buf *out)
{
    unsigned char *answer AUTO_FREE = mem_alloc(ANSWER_BYTES);
    struct buf name AUTO_BUF = BUF_INIT;
    struct target target;
    buf_addf(&name, "%s.%.*s", service, STR_ARG(domain));
    int n = ask(buf_cstr(&name), ns_t_srv, server, answer);
    if (n <= 0 || !best_target(answer, n, &target)) return false;
    buf_addf(out, target.port == 443 ? "https://%s" : "https://%s:%u", target.host, target.port);
    n = ask(buf_cstr(&name), ns_t_txt, server, answer);
    if (n <= 0 || !path_in_text(answer, n, out)) buf_addc(out, '/');
    return true;
}
