/* What is done to FE2 by hand: deleting one person, for requests of erasure (protocols: fe2 5.2). */
#include "cli/command.h"
#include "cli/out.h"

#include "base/i18n.h"
#include "core/push.h"

int command_fe2_delete(struct cli *cli)
{
    struct link link;
    const struct config_link *l;
    if (!cli_db(cli) || !(l = config_link_must(cli->config, cli->args[0], &cli->fault))) return cli_fail(cli);
    if (!config_link_open(l, cli->db, &link, &cli->fault))
        push_remove(cli->db, &link, str_of(cli->args[1]), &cli->fault);
    config_link_wipe(&link);
    if (!cli->fault.code) cli_say(cli, _("Deleted there.\n"));
    return cli_fail(cli);
}
