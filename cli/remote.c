#include "cli/remote.h"

#include "base/i18n.h"
#include "cli/secret.h"
#include "core/resolve.h"

#include <stdlib.h>

static bool open_session(struct cli *cli, struct remote *r)
{
    r->connector = connector_by_name(r->account.connector);
    if (!r->connector) {
        cli_usage(cli, NULL, _("there is no connector \"%s\""), r->account.connector);
        return false;
    }
    traits_in_state_init(&r->traits, cli->db, r->account.name);
    if (r->connector->open(&r->account, &r->traits.traits, cli->env, &r->session, &cli->fault) == FAULT_NONE &&
        r->connector->discover(r->session, &r->collections, &cli->fault) == FAULT_NONE)
        return true;
    fault_about(&cli->fault, NULL, r->account.name);
    return false;
}

bool remote_open(struct cli *cli, const struct config_account *a, struct remote *out)
{
    return cli_db(cli) && config_account_open(a, cli->db, &out->account, &cli->fault) == FAULT_NONE &&
           open_session(cli, out);
}

bool remote_open_with(struct cli *cli, const struct config_account *a, const char *password, struct remote *out)
{
    struct config_account plain = *a;
    if (password) plain.secret = NULL;
    if (!cli_db(cli) || config_account_open(&plain, cli->db, &out->account, &cli->fault)) return false;
    if (password) out->account.password = secret_of(str_of(password));
    return open_session(cli, out);
}

void remote_close(struct remote *r)
{
    if (r->session) r->connector->close(r->session);
    if (r->collections.items) collections_free(&r->collections);
    config_account_wipe(&r->account);
}

static struct str without_slash(struct str s)
{
    while (s.n > 1 && s.p[s.n - 1] == '/') s.n--;
    return s;
}

static struct str last_segment(struct str path)
{
    path = without_slash(path);
    for (size_t i = path.n; i > 0; i--)
        if (path.p[i - 1] == '/') return (struct str){path.p + i, path.n - i};
    return path;
}

bool collection_is(const struct collection *c, const char *name)
{
    struct str wanted = str_of(name), path = str_of(c->path);
    if (str_eq(wanted, str_of(c->name)) || str_eq(wanted, path)) return true;
    return str_eq(without_slash(wanted), without_slash(path)) || str_eq(wanted, last_segment(path));
}

const char *collection_kind(const struct collection *c)
{
    return c->kind == RECORD_EVENT ? "events" : "contacts";
}

const struct collection *remote_find(struct cli *cli, const struct remote *r, const char *name)
{
    const struct collection *c = collection_find(&r->collections, str_of(name), &cli->fault);
    if (!c) fault_about(&cli->fault, NULL, r->account.name);
    return c;
}

struct counter {
    struct sink sink;
    int64_t n;
};

static enum fault_code count_begin(void *ctx, bool full)
{
    (void)full;
    ((struct counter *)ctx)->n = 0;
    return FAULT_NONE;
}

static enum fault_code count_entry(void *ctx, const struct entry *e)
{
    if (!e->gone) ((struct counter *)ctx)->n++;
    return FAULT_NONE;
}

int64_t remote_count(struct cli *cli, const struct remote *r, const struct collection *c)
{
    if (c->records >= 0) return c->records;
    struct counter counter = {.n = 0};
    counter.sink = (struct sink){&counter, count_begin, count_entry};
    const struct collection *about;
    struct buf identity AUTO_BUF = BUF_INIT;
    struct changes changes = {0};
    enum fault_code code = r->connector->select(r->session, c->path, &about, &identity, &cli->fault);
    if (!code) code = r->connector->changes(r->session, NULL, true, &counter.sink, &changes, &cli->fault);
    free(changes.token);
    fault_about(&cli->fault, c->name, r->account.name);
    return code ? -1 : counter.n;
}
