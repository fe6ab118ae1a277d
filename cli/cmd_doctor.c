/* doctor: looks at everything there is, slowly, and says what is wrong and what was learned. Changes nothing. */
#include "cli/command.h"
#include "cli/out.h"
#include "cli/sign_in.h"

#include "base/i18n.h"
#include "state/journal.h"
#include "state/settings.h"

#include <inttypes.h>
#include <sys/stat.h>

struct examination {
    struct cli *cli;
    json_t *findings, *learned;
    size_t n;
};

static void find(struct examination *e, const char *kind, const char *text, const char *advice)
{
    json_array_append_new(
        e->findings, json_pack("{s:s,s:o,s:o}", "kind", kind, "text", json_cstr(text), "advice", json_cstr(advice)));
    e->n++;
}

static int64_t size_of(const char *path)
{
    struct stat s;
    return stat(path, &s) ? 0 : (int64_t)s.st_size;
}

static void look_at_link(struct examination *e, const struct config_link *l)
{
    struct cli *cli = e->cli;
    int64_t intents = intent_count(cli->db, l->name), pending = pending_count(cli->db, l->name);
    if (intents)
        find(e, "open_writes",
             arena_printf(&cli->arena, _("%s: %" PRId64 " writes have no answer yet"), l->name, intents),
             _("the next run looks what became of them"));
    if (pending)
        find(e, "left_alone", arena_printf(&cli->arena, _("%s: %" PRId64 " records were left alone"), l->name, pending),
             arena_printf(&cli->arena, "abgleich check %s", l->name));
}

static void look_at_sign_in(struct examination *e, const struct config_account *a)
{
    struct cli *cli = e->cli;
    struct oauth_report r;
    const char *matter =
        a->enabled && sign_in_look(a, cli->db, &r) ? sign_in_matter(a, &r, &cli->arena) : NULL;
    if (matter) find(e, "sign_in", matter, arena_printf(&cli->arena, "abgleich login %s", a->name));
}

/* What was kept of links that nobody names any more. */
static void look_for_orphans(struct examination *e)
{
    struct cli *cli = e->cli;
    struct str *names;
    size_t n = journal_links(cli->db, &cli->arena, &names);
    for (size_t i = 0; i < n; i++) {
        const char *name = arena_strdup(&cli->arena, names[i]);
        if (config_link(cli->config, name)) continue;
        find(e, "orphan",
             arena_printf(&cli->arena, _("%s: the state knows this link, the configuration does not"), name),
             _("put it back, or take it off with: abgleich link remove"));
    }
}

static void note_trait(void *ctx, const struct trait *t)
{
    struct examination *e = ctx;
    json_array_append_new(e->learned,
                          json_pack("{s:o,s:o,s:o,s:o}", "account", json_text(t->account), "key", json_text(t->key),
                                    "value", json_text(t->value), "time", json_time(t->time_ms)));
}

static bool examine(struct examination *e, struct fault *damage)
{
    struct cli *cli = e->cli;
    const struct config *c = cli->config;
    bool sound = db_verify(cli->db, damage) == FAULT_NONE;
    if (!sound) find(e, "damage", damage->what, damage->advice);
    for (size_t i = 0; sound && i < c->n_links; i++) look_at_link(e, &c->links[i]);
    for (size_t i = 0; sound && i < c->n_accounts; i++) look_at_sign_in(e, &c->accounts[i]);
    if (sound) look_for_orphans(e);
    if (sound) traits_each(cli->db, note_trait, e);
    return sound;
}

static void print_text(const struct examination *e, bool sound)
{
    const struct config *c = e->cli->config;
    printf("%s: %s, %.1f MiB\n", c->state, sound ? _("sound") : _("damaged"), (double)size_of(c->state) / (1 << 20));
    size_t i;
    json_t *o;
    json_array_foreach(e->findings, i, o)
    {
        const char *advice = json_string_value(json_object_get(o, "advice"));
        printf("  %s%s%s\n", json_string_value(json_object_get(o, "text")), advice ? ": " : "", advice ? advice : "");
    }
    if (!e->n) printf("  %s\n", _("nothing to mend"));
    if (!json_array_size(e->learned)) return;
    printf("%s\n", _("Learned of servers:"));
    struct table t AUTO_TABLE = table_of(3, 0);
    json_array_foreach(e->learned, i, o)
    {
        static const char *const keys[] = {"account", "key", "value"};
        for (size_t k = 0; k < 3; k++) table_cell(&t, json_string_value(json_object_get(o, keys[k])));
    }
    table_print(&t, "  ", stdout);
}

int command_doctor(struct cli *cli)
{
    struct fault damage AUTO_FAULT = FAULT_INIT;
    if (!cli_db(cli)) return cli_fail(cli);
    struct examination e = {.cli = cli, .findings = json_array(), .learned = json_array()};
    bool sound = examine(&e, &damage);
    if (!db_check(cli->db, &cli->fault)) {
        if (cli->json)
            json_print(json_pack("{s:s,s:b,s:I,s:O,s:O}", "state", cli->config->state, "sound", sound, "size",
                                 (json_int_t)size_of(cli->config->state), "findings", e.findings, "learned", e.learned),
                       stdout);
        else
            print_text(&e, sound);
    }
    json_decref(e.findings);
    json_decref(e.learned);
    if (!sound) fault_copy(&cli->fault, &damage);
    return cli_fail(cli);
}
