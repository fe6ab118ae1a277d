#include "connectors/site.h"

#include "base/mem.h"
#include "connectors/url.h"

#include <libpsl.h>

static char *lower_host(struct str host)
{
    char *text = mem_strndup(host.p, host.n);
    for (char *p = text; *p; p++)
        if (*p >= 'A' && *p <= 'Z') *p = (char)(*p + 32);
    return text;
}

/* Numbers have no domain: only the very same one counts. */
static bool is_number(const char *host)
{
    size_t n = strlen(host);
    return !n || host[0] == '[' || (host[n - 1] >= '0' && host[n - 1] <= '9');
}

static bool same_domain(struct str a, struct str b)
{
    char *x AUTO_FREE = lower_host(a), *y AUTO_FREE = lower_host(b);
    if (strcmp(x, y) == 0) return true;
    if (is_number(x) || is_number(y)) return false;
    const psl_ctx_t *list = psl_builtin();
    const char *domain = list ? psl_registrable_domain(list, x) : NULL, *other = list ? psl_registrable_domain(list, y) : NULL;
    return domain && other && strcmp(domain, other) == 0;
}

bool site_may_know(struct str entered, struct str other)
{
    struct url a, b;
    if (!url_parse(entered, &a) || !url_parse(other, &b)) return false;
    bool downgrade = str_eq_nocase(a.scheme, STR("https")) && str_eq_nocase(b.scheme, STR("http"));
    return !downgrade && same_domain(a.host, b.host);
}
