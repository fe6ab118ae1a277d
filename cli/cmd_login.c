/* `abgleich login ACCOUNT`: the one moment at which an account with OAuth needs a person. Prints addresses and codes,
 * never tokens. */
#include "cli/command.h"
#include "cli/out.h"

#include "base/i18n.h"
#include "connectors/oauth.h"
#include "state/request.h"

#include <stdio.h>
#include <unistd.h>

/* On stderr even with -q: without it nobody can sign in. */
static void show(void *ctx, const char *address, const char *code)
{
    (void)ctx;
    if (code)
        fprintf(stderr, _("Open this address in any browser:\n\n  %s\n\nand type this code: %s\n\nWaiting ...\n"),
                address, code);
    else
        fprintf(stderr,
                _("Open this address in a browser on this computer:\n\n  %s\n\nA browser elsewhere ends at a page it cannot "
                  "open: paste the address of that page here.\n\nWaiting ...\n"),
                address);
}

static void pasted_wrong(void *ctx)
{
    (void)ctx;
    fprintf(stderr, _("That is not the address: it begins with http://127.0.0.1 or http://localhost and holds state= "
                      "and code=.\n"));
}

/* What stood still for this sign-in goes on now, not when the daemon tries again by itself. */
static void wake_links(struct cli *cli, const struct config_account *a)
{
    struct fault ignored AUTO_FAULT = FAULT_INIT;
    if (!cli_daemon_runs(cli)) return;
    for (size_t i = 0; i < cli->config->n_links; i++) {
        const struct config_link *l = &cli->config->links[i];
        const struct run_report r = {
            .link = str_of(l->name), .trigger = STR("request"), .name_a = str_of(l->a), .name_b = str_of(l->b)};
        int64_t run;
        bool ours = l->account_a == a || l->account_b == a;
        if (ours && config_link_is_on(l) && l->policy.mode >= MODE_ONE_WAY) request_put(cli->db, &r, &run, &ignored);
    }
}

static bool check(struct cli *cli, const struct config_account *a, const struct account *account)
{
    if (oauth_is_used(account)) return true;
    cli_usage(
        cli,
        _("give it a password: abgleich secret set; or a sign-in in the browser: see oauth.flow in docs/GOOGLE.md "
          "and docs/MICROSOFT.md"),
        _("account \"%s\" does not sign in by OAuth"), a->name);
    return false;
}

int command_login(struct cli *cli)
{
    if (!cli_config(cli) || !cli_db(cli)) return cli_fail(cli);
    const struct config_account *a = config_account_must(cli->config, cli->args[0], &cli->fault);
    struct account account = {0};
    if (!a) return cli_fail(cli);
    struct oauth *oauth = NULL;
    const struct oauth_guide guide = {NULL, show, STDIN_FILENO, pasted_wrong};
    bool done = !config_account_open(a, cli->db, &account, &cli->fault) && check(cli, a, &account) &&
                (oauth = oauth_open(&account, cli->env)) && !oauth_login(oauth, &guide, &cli->fault);
    oauth_close(oauth);
    config_account_wipe(&account);
    if (!done) return cli_fail(cli);
    wake_links(cli, a);
    if (cli->json)
        json_print(json_pack("{s:s,s:b}", "name", a->name, "ok", 1), stdout);
    else
        printf(_("%s: signed in\n"), a->name);
    return EXIT_DONE;
}
