/* digest: what needs a person, on the terminal or by mail. */
#include "cli/command.h"
#include "cli/digest.h"
#include "cli/out.h"

#include "base/i18n.h"

static json_t *attention_json(const struct attention *a)
{
    return json_pack("{s:s,s:s,s:o,s:s}", "kind", attention_name(a->kind), "link", a->link, "text", json_cstr(a->text),
                     "command", a->command);
}

static void print_list(const struct cli *cli, const struct attention *list, size_t n)
{
    if (cli->json) {
        json_t *all = json_array();
        for (size_t i = 0; i < n; i++) json_array_append_new(all, attention_json(&list[i]));
        json_print(all, stdout);
        return;
    }
    struct digest_mail m;
    digest_write(list, n, &m);
    fwrite(m.text.data ? m.text.data : "", 1, m.text.len, stdout);
    digest_mail_free(&m);
    if (!n) cli_say(cli, _("Nothing needs you.\n"));
}

int command_digest(struct cli *cli)
{
    struct attention *list;
    bool send = cli_flag(cli, "send"), force = cli_flag(cli, "test"), sent = false;
    if (!cli_db(cli)) return cli_fail(cli);
    size_t n = attention_list(cli->config, cli->db, cli->env->now_ms(cli->env), &cli->arena, &list);
    if (db_check(cli->db, &cli->fault)) return cli_fail(cli);
    print_list(cli, list, n);
    if (!send && !force) return EXIT_DONE;
    if (!cli->config->report.mail_to)
        return cli_usage(cli, _("[report] mail_to = anna@example.org"), _("nobody is named to whom a mail could go"));
    if (digest_run(cli->config, cli->db, cli->env, force, &sent, &cli->fault)) return cli_fail(cli);
    cli_say(cli, sent ? _("Sent to %s.\n") : _("Nothing new since the last mail to %s.\n"),
            cli->config->report.mail_to);
    return EXIT_DONE;
}
