/* subject: everything kept of one person, to hand out or to take away (GDPR 15, 17). */
#include "cli/command.h"
#include "cli/out.h"

#include "base/i18n.h"
#include "state/subject.h"

#include <inttypes.h>

static bool find(struct cli *cli, struct subject *out)
{
    if (!cli_db(cli)) return false;
    bool known = subject_find(cli->db, str_of(cli->args[0]), &cli->arena, out);
    if (db_check(cli->db, &cli->fault)) return false;
    if (!known)
        cli_usage(cli, _("a name, an e-mail address or an id; what is on servers alone is not kept here"),
                  _("nothing is kept of \"%s\""), cli->args[0]);
    return known;
}

static void add_trace(void *ctx, const struct subject_trace *t)
{
    json_t *o = json_pack("{s:s,s:o,s:o,s:o,s:o}", "place", subject_place_name(t->place), "id", json_text(t->id),
                          "name", json_text(t->title), "where", json_text(t->where), "time", json_time(t->time_ms));
    if (t->run) json_object_set_new(o, "run", json_count(t->run));
    if (t->body.p) json_object_set_new(o, "data", json_text(t->body));
    json_array_append_new(ctx, o);
}

/* One JSON array, whatever --json says: it is handed to a person or another program as it is. */
int command_subject_export(struct cli *cli)
{
    struct subject subject;
    if (!find(cli, &subject)) return cli_fail(cli);
    json_t *all = json_array();
    if (subject_each(cli->db, &subject, add_trace, all, &cli->fault)) {
        json_decref(all);
        return cli_fail(cli);
    }
    json_print(all, stdout);
    return EXIT_DONE;
}

static bool is_sure(struct cli *cli, const struct subject *s)
{
    if (s->n_store_ids > 1 && !cli_flag(cli, "all")) {
        cli_usage(cli, _("name one by its id (\"abgleich subject export\" shows them), or all of them with --all"),
                  _("%zu contacts are called \"%s\""), s->n_store_ids, cli->args[0]);
        return false;
    }
    if (cli_flag(cli, "yes")) return true;
    return cli_confirm(cli,
                       _("Erase \"%s\" for good, with %zu contacts, all earlier versions and all lines in reports?"),
                       cli->args[0], s->n_store_ids);
}

static void print_receipt(const struct cli *cli, const int64_t counts[SUBJECT_PLACES])
{
    static const char *const texts[SUBJECT_PLACES] = {N_("contacts"),
                                                      N_("deleted contacts"),
                                                      N_("earlier versions"),
                                                      N_("lines in reports"),
                                                      N_("conflicts"),
                                                      N_("problems"),
                                                      N_("entries of journals (hashes alone; they stay)"),
                                                      N_("follow-ups"),
                                                      N_("attachments"),
                                                      N_("links to other contacts")};
    if (cli->json) {
        json_t *o = json_object();
        json_object_set_new(o, "erased_at", json_time(cli->env->now_ms(cli->env)));
        for (int p = 0; p < SUBJECT_PLACES; p++)
            json_object_set_new(o, subject_place_name((enum subject_place)p), json_count(counts[p]));
        json_print(o, stdout);
        return;
    }
    struct buf time AUTO_BUF = BUF_INIT;
    time_utc(cli->env->now_ms(cli->env), &time);
    printf(_("Erased at %s:\n"), buf_cstr(&time));
    for (int p = 0; p < SUBJECT_PLACES; p++)
        if (counts[p]) printf("  %6" PRId64 "  %s\n", counts[p], _(texts[p]));
    printf("%s\n",
           _("Links delete the contact on their other sides with their next run, where their mode deletes at all."));
}

int command_subject_erase(struct cli *cli)
{
    struct subject subject;
    int64_t counts[SUBJECT_PLACES];
    if (!find(cli, &subject) || !is_sure(cli, &subject) || !cli_hash_key(cli)) return cli_fail(cli);
    if (subject_erase(cli->db, &subject, &cli->key, counts, &cli->fault)) return cli_fail(cli);
    print_receipt(cli, counts);
    return EXIT_DONE;
}
