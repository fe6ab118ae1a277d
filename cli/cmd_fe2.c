/* What is done about FE2 by hand: looking at the list it accepted last (fe2 4.1), deleting one person, for requests of
 * erasure (fe2 5.2). */
#include "cli/command.h"
#include "cli/out.h"

#include "base/i18n.h"
#include "core/push.h"
#include "state/pushed.h"

#include <jansson.h>

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

/* The persons, byte for byte: to look at, to compare, to send again by hand where all else is lost. */
static json_t *persons_json(struct db *db, const char *link, struct arena *arena)
{
    struct pushed_row *rows;
    json_t *list = json_array();
    size_t n = pushed_load(db, link, arena, &rows);
    for (size_t i = 0; i < n; i++)
        if (rows[i].accepted) json_array_append_new(list, json_loadb(rows[i].body.p, rows[i].body.n, 0, NULL));
    return list;
}

int command_fe2_show(struct cli *cli)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct pushed_list last;
    const struct config_link *l;
    if (!cli_db(cli) || !(l = config_link_must(cli->config, cli->args[0], &cli->fault))) return cli_fail(cli);
    if (!pushed_list_get(cli->db, l->name, &arena, &last) || !last.sent_ms) {
        fault_set(&cli->fault, FAULT_USAGE, _("abgleich check shows what would be sent"),
                  _("no list was accepted yet"));
        fault_about(&cli->fault, l->name, NULL);
        return cli_fail(cli);
    }
    json_t *persons = persons_json(cli->db, l->name, &arena);
    json_print(json_pack("{s:s,s:o,s:b,s:o}", "link", l->name, "accepted", json_time(last.sent_ms), "unsure",
                         last.unsure, "personList", persons),
               stdout);
    return EXIT_DONE;
}
