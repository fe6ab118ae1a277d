/* contact relate, unrelate: typed links between contacts. */
#include "cli/command.h"
#include "cli/contact.h"

#include "base/i18n.h"
#include "cli/suggest.h"

/* By its name, or as it is called in the user's language. */
static const struct relation_kind *find_kind(struct cli *cli, const char *text)
{
    struct suggestion s = {.wanted = str_of(text)};
    struct buf all AUTO_BUF = BUF_INIT;
    for (const struct relation_kind *k = relation_kinds(); k->name; k++) {
        if (str_eq_nocase(str_of(text), str_of(k->name)) || str_eq_nocase(str_of(text), str_of(_(k->label)))) return k;
        suggest_word(&s, k->name);
        buf_addf(&all, "%s%s", all.len ? ", " : "", k->name);
    }
    const char *advice = s.best ? arena_printf(&cli->arena, _("did you mean \"%s\"?"), s.best)
                                : arena_printf(&cli->arena, _("there are: %s"), buf_cstr(&all));
    cli_usage(cli, advice, _("there is no kind of link \"%s\""), text);
    return NULL;
}

static int change(struct cli *cli,
                  enum fault_code (*fn)(struct db *db, struct str record, const struct relation_kind *kind,
                                        struct str other, struct fault *f))
{
    const struct relation_kind *kind = find_kind(cli, cli->args[1]);
    struct store_record r, other;
    if (!kind || !contact_find(cli, cli->args[0], false, &r) || !contact_find(cli, cli->args[2], false, &other))
        return cli_fail(cli);
    if (db_begin(cli->db, &cli->fault)) return cli_fail(cli);
    if (fn(cli->db, r.id, kind, other.id, &cli->fault)) {
        db_rollback(cli->db);
        return cli_fail(cli);
    }
    if (db_commit(cli->db, &cli->fault)) return cli_fail(cli);
    return EXIT_DONE;
}

int command_relate(struct cli *cli)
{
    return change(cli, relation_add);
}

int command_unrelate(struct cli *cli)
{
    return change(cli, relation_remove);
}
