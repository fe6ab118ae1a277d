/* contact followup: what is to be done about a contact, and by when. */
#include "cli/command.h"
#include "cli/contact.h"
#include "cli/out.h"

#include "base/date.h"
#include "base/i18n.h"

static bool read_day(struct cli *cli, const char *option, char out[DATE_BYTES])
{
    const char *text = cli_option(cli, option);
    if (text && date_parse(str_of(text), out)) return true;
    if (text)
        cli_usage(cli, _("write a day as 2026-12-01"), _("--%s: \"%s\" is no day"), option, text);
    else
        cli_usage(cli, _("write a day as 2026-12-01"), _("--%s is missing"), option);
    return false;
}

static int print_one(struct cli *cli, int64_t no)
{
    struct followup f;
    if (!followup_get(cli->db, no, &cli->arena, &f)) return cli_fail(cli);
    if (cli->json)
        json_print(followup_json(&f), stdout);
    else
        printf("%lld\n", (long long)no);
    return EXIT_DONE;
}

/* Ends the transaction of a change; a fault of the change takes it back. */
static bool finish(struct cli *cli)
{
    return db_commit(cli->db, &cli->fault) == FAULT_NONE && !cli->fault.code;
}

/* -- add -- */

static struct str joined_words(struct cli *cli, size_t from)
{
    struct buf text AUTO_BUF = BUF_INIT;
    for (size_t i = from; i < cli->n_args; i++) buf_addf(&text, "%s%s", text.len ? " " : "", cli->args[i]);
    return arena_str(&cli->arena, str_trim(buf_str(&text)));
}

int command_followup_add(struct cli *cli)
{
    char due[DATE_BYTES];
    struct store_record r;
    int64_t no = 0;
    struct str text = joined_words(cli, 1);
    if (!read_day(cli, "due", due)) return cli_fail(cli);
    if (!text.n) return cli_usage(cli, _("say what is to be done"), _("a follow-up needs a text"));
    if (!contact_find(cli, cli->args[0], false, &r) || db_begin(cli->db, &cli->fault)) return cli_fail(cli);
    followup_add(cli->db, r.id, r.title, str_of(due), text, &no, &cli->fault);
    return finish(cli) ? print_one(cli, no) : cli_fail(cli);
}

/* -- list -- */

struct listing {
    json_t *all; /* NULL: the table */
    struct table table;
    size_t n;
};

static bool list_one(void *ctx, const struct followup *f)
{
    static const char *const marks[] = {"", N_("contact deleted"), N_("unassigned")};
    struct listing *l = ctx;
    l->n++;
    if (l->all) {
        json_array_append_new(l->all, followup_json(f));
        return true;
    }
    table_number(&l->table, f->no);
    table_text(&l->table, f->due);
    table_text(&l->table, f->contact);
    table_cell(&l->table, f->done_ms ? _("done") : *marks[f->place] ? _(marks[f->place]) : "");
    table_text(&l->table, f->text);
    return true;
}

/* "Kunden" or "Anna Meier": a book goes first. */
static bool read_filter(struct cli *cli, struct followup_filter *out, char day[DATE_BYTES])
{
    struct book book;
    struct store_record r;
    if (!cli_db(cli)) return false;
    if (cli_option(cli, "due-before")) {
        if (!read_day(cli, "due-before", day)) return false;
        out->due_before = str_of(day);
    }
    out->done = cli_flag(cli, "all");
    out->unassigned = cli_flag(cli, "unassigned");
    if (!cli->n_args) return true;
    if (book_find(cli->db, str_of(cli->args[0]), &cli->arena, &book)) {
        out->book = book.id;
        return true;
    }
    if (!contact_find(cli, cli->args[0], false, &r)) return false;
    out->record = r.id;
    return true;
}

int command_followup_list(struct cli *cli)
{
    struct followup_filter filter = {0};
    char day[DATE_BYTES];
    if (!read_filter(cli, &filter, day)) return cli_fail(cli);
    struct listing l = {.all = cli->json ? json_array() : NULL, .table = table_of(5, 1)};
    static const char *const heads[] = {N_("ID"), N_("DUE"), N_("CONTACT"), "", N_("TEXT")};
    for (size_t i = 0; i < 5; i++) table_cell(&l.table, *heads[i] ? _(heads[i]) : "");
    enum fault_code code = followup_list(cli->db, &filter, list_one, &l, &cli->fault);
    if (!code && l.all)
        json_print(l.all, stdout);
    else if (!code && l.n)
        table_print(&l.table, "", stdout);
    else if (!code)
        cli_say(cli, _("No follow-ups.\n"));
    table_free(&l.table);
    return code ? cli_fail(cli) : EXIT_DONE;
}

/* -- done, assign -- */

static bool find_one(struct cli *cli, const char *text, struct followup *out)
{
    const char *advice = _("\"abgleich contact followup list\" shows the numbers");
    int64_t no;
    if (!cli_db(cli) || !contact_number(cli, text, advice, &no)) return false;
    if (followup_get(cli->db, no, &cli->arena, out)) return true;
    if (!db_check(cli->db, &cli->fault)) cli_usage(cli, advice, _("there is no follow-up %s"), text);
    return false;
}

int command_followup_done(struct cli *cli)
{
    if (!cli_db(cli) || db_begin(cli->db, &cli->fault)) return cli_fail(cli);
    struct followup f;
    for (size_t i = 0; i < cli->n_args && !cli->fault.code; i++)
        if (find_one(cli, cli->args[i], &f)) followup_done(cli->db, f.no, &cli->fault);
    if (!cli->fault.code) return finish(cli) ? EXIT_DONE : cli_fail(cli);
    db_rollback(cli->db);
    return cli_fail(cli);
}

int command_followup_assign(struct cli *cli)
{
    struct followup f;
    struct store_record r;
    if (!find_one(cli, cli->args[0], &f) || !contact_find(cli, cli->args[1], false, &r) ||
        db_begin(cli->db, &cli->fault))
        return cli_fail(cli);
    followup_assign(cli->db, f.no, r.id, r.title, &cli->fault);
    return finish(cli) ? print_one(cli, f.no) : cli_fail(cli);
}
