/* `abgleich login ACCOUNT`: the one moment at which an account with OAuth needs a person. Prints addresses and codes,
 * never tokens. */
#include "cli/command.h"
#include "cli/out.h"

#include "base/i18n.h"
#include "connectors/oauth.h"

#include <stdio.h>

/* On stderr even with -q: without it nobody can sign in. */
static void show(void *ctx, const char *address, const char *code)
{
    (void)ctx;
    if (code)
        fprintf(stderr, _("Open this address in any browser:\n\n  %s\n\nand type this code: %s\n\nWaiting ...\n"),
                address, code);
    else
        fprintf(stderr, _("Open this address in a browser on this computer:\n\n  %s\n\nWaiting ...\n"), address);
}

static bool check(struct cli *cli, const struct config_account *a, const struct account *account)
{
    if (oauth_is_used(account)) return true;
    cli_usage(
        cli,
        _("give it a password: abgleich secret set; or a sign-in in the browser: see oauth.flow in docs/GOOGLE.md"),
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
    const struct oauth_guide guide = {NULL, show};
    bool done = !config_account_open(a, cli->db, &account, &cli->fault) && check(cli, a, &account) &&
                (oauth = oauth_open(&account, cli->env)) && !oauth_login(oauth, &guide, &cli->fault);
    oauth_close(oauth);
    config_account_wipe(&account);
    if (!done) return cli_fail(cli);
    if (cli->json)
        json_print(json_pack("{s:s,s:b}", "name", a->name, "ok", 1), stdout);
    else
        printf(_("%s: signed in\n"), a->name);
    return EXIT_DONE;
}
