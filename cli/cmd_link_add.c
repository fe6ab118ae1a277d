/* link add: one link between two named collections, or one for each chosen collection of an account. */
#include "cli/command.h"
#include "cli/config_write.h"
#include "cli/out.h"
#include "cli/remote.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "state/store.h"

struct side_spec { /* one side as given */
    const struct config_account *account;
    const char *collection;
    enum record_kind kind;
    bool read_only;
    struct collection found; /* name and path; path NULL = not known */
    bool looked; /* kind is known */
};

static struct config_pair option_pair(const struct cli *cli, const char *key, const char *option)
{
    return (struct config_pair){key, cli_option(cli, option)};
}

#define PAIRS 13
/* What the options say about every link made. */
static void common_pairs(const struct cli *cli, const char *a, const char *b, struct config_pair pairs[PAIRS])
{
    const char *mode = cli_option(cli, "mode");
    pairs[0] = (struct config_pair){"a", a};
    pairs[1] = (struct config_pair){"b", b};
    pairs[2] = (struct config_pair){"mode", mode ? mode : cli_option(cli, "import") ? "import" : "two-way"};
    pairs[3] = option_pair(cli, "authority", "authority");
    pairs[4] = option_pair(cli, "import", "import");
    pairs[5] = option_pair(cli, "max_delete", "max-delete");
    pairs[6] = option_pair(cli, "history", "history");
    pairs[7] = option_pair(cli, "interval", "interval");
    pairs[8] = (struct config_pair){"enabled", NULL};
    pairs[9] = option_pair(cli, "filter_category", "filter-category");
    pairs[10] = option_pair(cli, "filter_field", "filter-field");
    pairs[12] = option_pair(cli, "delete", "delete");
    pairs[11] = (struct config_pair){"filter_phone", cli_flag(cli, "filter-phone") ? "yes" : NULL};
}

static bool read_side(struct cli *cli, const char *text, struct side_spec *out)
{
    struct str account, collection;
    if (!config_split_side(str_of(text), &account, &collection) || !account.n) {
        cli_usage(cli, _("write ACCOUNT:COLLECTION, like contactbox:Customers"), _("\"%s\" names no collection"), text);
        return false;
    }
    *out = (struct side_spec){.collection = arena_strdup(&cli->arena, collection)};
    out->account = config_account_must(cli->config, arena_strdup(&cli->arena, account), &cli->fault);
    if (out->account && config_is_store(out->account) && !collection.n)
        cli_usage(cli, NULL, _("\"%s\": name a book of the store"), text);
    return !cli->fault.code;
}

/* Looks the collection up at its account. */
static bool look(struct cli *cli, struct side_spec *s)
{
    if (config_is_store(s->account)) {
        struct book book;
        if (book_find(cli->db, str_of(s->collection), &cli->arena, &book)) {
            s->kind = (enum record_kind)book.kind;
            s->looked = true;
        }
        return true;
    }
    if (cli_flag(cli, "no-test")) return true;
    struct remote r AUTO_REMOTE = REMOTE_INIT;
    if (!remote_open(cli, s->account, &r)) return false;
    if (!*s->collection && (r.connector->capabilities & NO_COLLECTIONS)) return true;
    const struct collection *c = remote_find(cli, &r, s->collection);
    if (!c) return false;
    s->kind = c->kind;
    s->read_only = c->read_only;
    s->found = (struct collection){.name = arena_strdup(&cli->arena, str_of(c->name)), .path = arena_strdup(&cli->arena, str_of(c->path))};
    s->looked = true;
    return true;
}

/* The store's book of that side, made if it is missing; it gets the other side's kind. */
static bool make_book(struct cli *cli, const struct side_spec *s, const struct side_spec *other)
{
    struct book book;
    if (!config_is_store(s->account) || book_find(cli->db, str_of(s->collection), &cli->arena, &book)) return true;
    enum record_kind kind = other->looked ? other->kind : RECORD_CONTACT;
    if (db_begin(cli->db, &cli->fault)) return false;
    book_add(cli->db, str_of(s->collection), kind, &cli->arena, &book, &cli->fault);
    if (db_commit(cli->db, &cli->fault) || cli->fault.code) return false;
    cli_say(cli, _("Made book \"%s\".\n"), s->collection);
    return true;
}

static bool sides_fit(struct cli *cli, const struct side_spec *a, const struct side_spec *b)
{
    if (a->looked && b->looked && a->kind != b->kind)
        cli_usage(cli, NULL, _("one side holds contacts, the other events"));
    else if (b->read_only && !cli_option(cli, "import") &&
             strcmp(cli_option(cli, "mode") ? cli_option(cli, "mode") : "", "import") != 0)
        cli_say(cli, _("\"%s\" is read-only: changes cannot be sent there. --mode import only fetches.\n"),
                b->collection);
    return !cli->fault.code;
}

static bool name_is_free(struct cli *cli, const char *name)
{
    if (!config_name_ok(str_of(name)))
        cli_usage(cli, _("use letters, digits, dots, _ and -"), _("\"%s\" cannot be the name of a link"), name);
    else if (config_link(cli->config, name))
        cli_usage(cli, _("change it with \"abgleich link set\""), _("there is a link \"%s\" already"), name);
    return !cli->fault.code;
}

/* The same address by another account name is the same server. */
static bool same_account(const struct config_account *x, const struct config_account *y)
{
    return x == y || (x->url && y->url && strcmp(x->url, y->url) == 0 && strcmp(x->connector, y->connector) == 0);
}

static bool is_side(const struct side_spec *s, const struct config_account *account, const char *collection)
{
    if (!same_account(s->account, account)) return false;
    return strcmp(s->collection, collection) == 0 || (s->found.path && collection_is(&s->found, collection));
}

/* As the server knows them: one folder under two names, or by two accounts, is not joined to a book twice (contactbox A12). */
static bool folder_is_free(struct cli *cli, const struct side_spec *a, const struct side_spec *b)
{
    for (size_t i = 0; i < cli->config->n_links; i++) {
        const struct config_link *l = &cli->config->links[i];
        bool same = is_side(a, l->account_a, l->collection_a) && is_side(b, l->account_b, l->collection_b);
        if (!same) continue;
        cli_usage(cli, NULL, _("link \"%s\" joins these two already"), l->name);
        return false;
    }
    return true;
}

static int add_one(struct cli *cli)
{
    const char *name = cli->args[0];
    struct side_spec a, b;
    if (!name_is_free(cli, name) || !read_side(cli, cli->args[1], &a) || !read_side(cli, cli->args[2], &b))
        return cli_fail(cli);
    struct config_pair pairs[PAIRS];
    common_pairs(cli, cli->args[1], cli->args[2], pairs);
    if (!cli_db(cli) || !look(cli, &a) || !look(cli, &b) || !sides_fit(cli, &a, &b) ||
        !folder_is_free(cli, &a, &b))
        return cli_fail(cli);
    if (config_write(cli->config, CONFIG_LINK, name, pairs, PAIRS, true, &cli->fault)) return cli_fail(cli);
    if (!make_book(cli, &a, &b) || !make_book(cli, &b, &a)) return cli_fail(cli);
    if (cli->json) json_print(json_pack("{s:s,s:s,s:s}", "name", name, "a", cli->args[1], "b", cli->args[2]), stdout);
    cli_say(cli, _("Added. \"abgleich check %s\" shows what a sync would do.\n"), name);
    return EXIT_DONE;
}

/* -- many at once -- */

#define SLUG_MAX_BYTES 40
/* "Geschäftlich Köln" -> "geschäftlich-köln": fit for a name and a file name. */
static char *slug(const char *text)
{
    struct buf out = BUF_INIT;
    for (const char *p = text; *p && (out.len < SLUG_MAX_BYTES || (*p & 0xc0) == 0x80); p++) {
        char c = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
        bool plain =
            (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80 || c == '.' || c == '_';
        if (plain && !(c == '.' && !out.len))
            buf_addc(&out, c);
        else if (out.len && out.data[out.len - 1] != '-')
            buf_addc(&out, '-');
    }
    while (out.len && out.data[out.len - 1] == '-') buf_truncate(&out, out.len - 1);
    if (!out.len) buf_adds(&out, "link");
    return buf_detach(&out);
}

static const char *free_name(struct cli *cli, const char *account, const char *collection)
{
    char *plain AUTO_FREE = slug(collection);
    if (!config_link(cli->config, plain)) return arena_strdup(&cli->arena, str_of(plain));
    const char *name = arena_printf(&cli->arena, "%s-%s", account, plain);
    for (int i = 2; config_link(cli->config, name); i++)
        name = arena_printf(&cli->arena, "%s-%s-%d", account, plain, i);
    return name;
}

static bool is_linked(const struct cli *cli, const char *account, const struct collection *c)
{
    for (size_t i = 0; i < cli->config->n_links; i++) {
        const struct config_link *l = &cli->config->links[i];
        if ((strcmp(l->account_a->name, account) == 0 && collection_is(c, l->collection_a)) ||
            (strcmp(l->account_b->name, account) == 0 && collection_is(c, l->collection_b)))
            return true;
    }
    return false;
}

/* A book another account feeds is not joined by accident: then the new one carries the account's name. */
static const char *book_for(struct cli *cli, const char *account, const struct collection *c)
{
    for (size_t i = 0; i < cli->config->n_links; i++) {
        const struct config_link *l = &cli->config->links[i];
        if (config_is_store(l->account_a) && strcmp(l->collection_a, c->name) == 0)
            return arena_printf(&cli->arena, "%s (%s)", c->name, account);
    }
    return c->name;
}

static bool name_is_unique(const struct remote *r, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < r->collections.n; i++) n += collection_is(&r->collections.items[i], name);
    return n == 1;
}

static bool wanted(const struct cli *cli, const struct collection *c)
{
    if (cli_flag(cli, "all")) return true;
    for (size_t i = 0; cli_option_at(cli, "book", i); i++)
        if (collection_is(c, cli_option_at(cli, "book", i))) return true;
    return false;
}

/* The session borrows strings of the configuration it was opened with: that one stays until the end, later ones follow
 * each other. */
struct many {
    struct cli *cli;
    struct remote remote;
    struct config *opened;
    const char *account;
    json_t *made;
};

static bool read_config_again(struct many *m)
{
    if (m->cli->config != m->opened) config_free(m->cli->config);
    m->cli->config = NULL;
    return cli_config(m->cli);
}

static bool link_collection(struct many *m, const struct collection *c)
{
    struct cli *cli = m->cli;
    const char *name = free_name(cli, m->account, c->name);
    struct side_spec a = {.account = &cli->config->store, .collection = book_for(cli, m->account, c)};
    struct side_spec b = {.kind = c->kind, .looked = true};
    struct config_pair pairs[PAIRS];
    const char *text_a = arena_printf(&cli->arena, CONFIG_STORE ":%s", a.collection);
    const char *text_b =
        arena_printf(&cli->arena, "%s:%s", m->account, name_is_unique(&m->remote, c->name) ? c->name : c->path);
    common_pairs(cli, text_a, text_b, pairs);
    if (config_write(cli->config, CONFIG_LINK, name, pairs, PAIRS, true, &cli->fault) || !make_book(cli, &a, &b))
        return false;
    json_array_append_new(m->made, json_pack("{s:s,s:s,s:s}", "name", name, "a", text_a, "b", text_b));
    if (!cli->json) printf("%s: %s - %s\n", name, text_a, text_b);
    return read_config_again(m);
}

static bool books_are_there(struct cli *cli, const struct remote *r)
{
    for (size_t i = 0; cli_option_at(cli, "book", i); i++)
        if (!remote_find(cli, r, cli_option_at(cli, "book", i))) return false;
    return true;
}

static void link_all(struct many *m)
{
    struct cli *cli = m->cli;
    for (size_t i = 0; i < m->remote.collections.n && !cli->fault.code; i++) {
        const struct collection *c = &m->remote.collections.items[i];
        if (!wanted(cli, c)) continue;
        if (is_linked(cli, m->account, c))
            cli_say(cli, _("%s:%s is linked already.\n"), m->account, c->name);
        else
            link_collection(m, c);
    }
    if (cli->json && !cli->fault.code) json_print(json_incref(m->made), stdout);
}

static int add_many(struct cli *cli, const char *name)
{
    struct many m = {.cli = cli, .remote = REMOTE_INIT, .opened = cli->config, .account = name, .made = json_array()};
    const struct config_account *account = config_account_must(cli->config, name, &cli->fault);
    if (account && config_is_store(account))
        cli_usage(cli, NULL, _("name the account whose collections are to be linked with the store"));
    else if (account && remote_open(cli, account, &m.remote) && books_are_there(cli, &m.remote))
        link_all(&m);
    remote_close(&m.remote);
    json_decref(m.made);
    if (cli->config != m.opened) config_free(m.opened);
    return cli_fail(cli);
}

int command_link_add(struct cli *cli)
{
    if (!cli_config(cli)) return cli_fail(cli);
    const char *account = cli_option(cli, "account");
    bool many = cli_flag(cli, "all") || cli_option(cli, "book");
    if (account && many && !cli->n_args) return add_many(cli, account);
    if (!account && !many && cli->n_args == 3) return add_one(cli);
    return cli_usage(cli, _("\"abgleich link add NAME A B --mode M\", or \"--account ACCOUNT --all\""),
                     _("this does not name what to link"));
}
