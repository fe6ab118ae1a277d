#include "cli/command.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "cli/suggest.h"

#define POLICY_OPTIONS                                                                                                 \
    "mode: authority: import: max-delete: delete: history: interval: filter-category: filter-field: filter-phone no-test"

static const struct command table[] = {
    {"account", "add", "NAME --connector C --url U --user X [--interval 15m] [--password-file FILE|-] [KEY=VALUE...]",
     N_("adds an account and tests it"),
     "connector: url: user: interval: password-file: secret: ca-file: region: plain-http no-test", 1, ANY_NUMBER,
     command_account_add},
    {"account", "list", "", N_("shows the accounts"), "", 0, 0, command_account_list},
    {"account", "test", "NAME", N_("signs in and shows what is there"), "", 1, 1, command_account_test},
    {"account", "on", "NAME", N_("lets its links run again"), "", 1, 1, command_account_on},
    {"account", "off", "NAME", N_("its links do not run; nothing is lost"), "", 1, 1, command_account_off},
    {"account", "set", "NAME KEY=VALUE...", N_("changes settings of an account"), "", 2, ANY_NUMBER,
     command_account_set},
    {"account", "remove", "NAME [--yes]", N_("forgets an account and its links; contacts stay on both sides"), "yes", 1,
     1, command_account_remove},
    {"login", NULL, "ACCOUNT", N_("signs an account in where that takes a browser (OAuth)"), "", 1, 1, command_login},
    {"discover", NULL, "ACCOUNT", N_("shows its address books, and how many contacts are new on each side"), "", 1, 1,
     command_discover},
    {"link", "add", "NAME A B --mode M [--authority X] [--import X] | --account ACC --all|--book B... [--mode M]",
     N_("keeps two collections the same"), "account: all book: " POLICY_OPTIONS, 0, 3, command_link_add},
    {"link", "list", "", N_("shows the links"), "", 0, 0, command_link_list},
    {"link", "on", "NAME", N_("lets it run again"), "", 1, 1, command_link_on},
    {"link", "off", "NAME", N_("it does not run; nothing is lost"), "", 1, 1, command_link_off},
    {"link", "set", "NAME KEY=VALUE...", N_("changes settings of a link"), "", 2, ANY_NUMBER, command_link_set},
    {"link", "remove", "NAME [--yes]", N_("forgets a link; contacts stay on both sides"), "yes", 1, 1,
     command_link_remove},
    {"check", NULL, "[LINK...] [--mode ergaenzen|aktualisieren|neu-anlegen]", N_("shows what a sync, or that import, would do, changes nothing"),
     "full mode: ignore-tombstones", 0, ANY_NUMBER,
     command_check},
    {"sync", NULL, "[LINK...] [--plan HASH [--allow-empty]] [--accept-missing-pager] [--background]",
     N_("syncs now; --background leaves it to the daemon"), "plan: full background allow-empty accept-missing-pager", 0, ANY_NUMBER,
     command_sync},
    {"import", NULL, "LINK --mode ergaenzen|aktualisieren|neu-anlegen [--yes-recreate BOOK] [--ignore-tombstones]",
     N_("imports once, now; neu-anlegen replaces the book and asks first"), "mode: plan: yes-recreate: ignore-tombstones", 1, 1,
     command_import},
    {"directory", "add", "NAME [--key KEY] [--book BOOK...] [--number stored|e164|idd|national|prefix] [--line 0] [--plain-http]",
     N_("makes a phonebook for telephones and scripts, and prints its key"), "key: book: number: line: plain-http", 1, 1, command_directory_add},
    {"directory", "show", "NAME", N_("shows what it is made of, and whom it takes for one person"), "", 1, 1, command_directory_show},
    {"directory", "set", "NAME KEY=VALUE...", N_("changes settings of a phonebook; user asks for a password, too"), "password-file:", 2, ANY_NUMBER,
     command_directory_set},
    {"directory", "order", "NAME PART...", N_("says whose names win: links, books, push"), "", 2, ANY_NUMBER, command_directory_order},
    {"directory", "key", "NAME [--new [--key KEY] [--write] [--overlap 7d]] [--one]",
     N_("shows its keys; --new makes another, the old one ends after the overlap; --write: it pushes, the others only read; --one: all may do both again"),
     "new key: write one overlap:", 1, 1, command_directory_key},
    {"directory", "undo", "NAME [--yes]", N_("brings back what was pushed before the last push"), "yes", 1, 1, command_directory_undo},
    {"directory", "drop", "NAME LINK [--yes]", N_("takes out what a link brought that is no more"), "yes", 2, 2, command_directory_drop},
    {"directory", "list", "", N_("shows the phonebooks"), "", 0, 0, command_directory_list},
    {"directory", "lint", "NAME [--family F]", N_("tells for each family of phones what is cut or left out, and why"), "family:", 1, 1,
     command_directory_lint},
    {"directory", "remove", "NAME [--yes]", N_("forgets a phonebook and its key; contacts stay"), "yes", 1, 1, command_directory_remove},
    {"user", "add", "NAME [--book BOOK[:ro]...] [--directory PHONEBOOK...] [--password-file FILE|-]", N_("lets somebody use books over CardDAV"), "book: directory: password-file:", 1, 1,
     command_user_add},
    {"user", "list", "", N_("shows who may use which books"), "", 0, 0, command_user_list},
    {"user", "set", "NAME [--book BOOK[:ro|:off]...] [--directory PHONEBOOK...] [--password-file FILE|-]", N_("changes a user's books, or the password"),
     "book: directory: password-file:", 1, 1, command_user_set},
    {"user", "remove", "NAME [--yes]", N_("forgets a user; contacts stay"), "yes", 1, 1, command_user_remove},
    {"fe2", "show", "LINK", N_("prints the list FE2 accepted last, person by person as it was sent"), "", 1, 1, command_fe2_show},
    {"fe2", "delete", "LINK ID", N_("deletes one person in FE2, who must be out of the list already"), "", 2, 2, command_fe2_delete},
    {"held", NULL, "", N_("shows the plans a guard has stopped"), "", 0, 0, command_held},
    {"approve", NULL, "LINK HASH", N_("lets a stopped plan through"), "", 2, 2, command_approve},
    {"reject", NULL, "LINK HASH", N_("forgets a stopped plan"), "", 2, 2, command_reject},
    {"conflicts", "show", "ID", N_("shows one conflict"), "", 1, 1, command_conflicts_show},
    {"conflicts", "take", "ID a|b", N_("writes the other value on both sides"), "", 2, 2, command_conflicts_take},
    {"conflicts", "read", "ID | --all", N_("lets it stand and takes it off the list"), "all", 0, 1, command_conflicts_read},
    {"conflicts", NULL, "[LINK] [--all] [--mark-read]", N_("shows what was changed on both sides, who won, and is not read yet"),
     "all unread mark-read", 0, 1, command_conflicts},
    {"runs", NULL, "[LINK] [--limit N]", N_("shows what ran and how it ended"), "limit:", 0, 1, command_runs},
    {"report", NULL, "RUN [--format text|html|json|csv]", N_("shows everything one run did"), "format:", 1, 1,
     command_report},
    {"why", NULL, "CONTACT [FIELD]", N_("tells where each value came from, by which rule, and what it replaced"), "", 1, 2,
     command_why},
    {"undo", NULL, "RUN [--check | --yes]", N_("takes a run back on both sides, where nothing changed since"), "check yes", 1, 1,
     command_undo},
    {"review", NULL, "LINK [--same ID ID | --different ID ID]", N_("decides which contacts are the same"),
     "same:: different::", 1, 1, command_review},
    {"book", "list", "", N_("shows the address books of the Contactbox"), "", 0, 0, command_book_list},
    {"book", "add", "NAME", N_("makes an address book"), "", 1, 1, command_book_add},
    {"book", "rename", "BOOK NAME", N_("gives it another name"), "", 2, 2, command_book_rename},
    {"book", "remove", "BOOK [--yes]", N_("deletes an address book and its contacts"), "yes", 1, 1,
     command_book_remove},
    {"contact", "list", "[BOOK [SEARCH]]", N_("shows contacts"), "", 0, 2, command_contact_list},
    {"contact", "show", "CONTACT [--format text|vcard]", N_("shows one contact"), "format:", 1, 1,
     command_contact_show},
    {"contact", "add", "BOOK --file FILE|- | BOOK FIELD=VALUE...", N_("adds a contact"), "file:", 1, ANY_NUMBER,
     command_contact_add},
    {"contact", "edit", "CONTACT --file FILE|- | CONTACT FIELD=VALUE... (also FIELD+=VALUE, FIELD-=VALUE)",
     N_("changes a contact"), "file:", 1, ANY_NUMBER, command_contact_edit},
    {"contact", "remove", "CONTACT...", N_("deletes contacts; they can be restored"), "", 1, ANY_NUMBER,
     command_contact_remove},
    {"contact", "deleted", "[BOOK]", N_("shows deleted contacts"), "", 0, 1, command_contact_deleted},
    {"contact", "restore", "CONTACT...", N_("brings deleted contacts back"), "", 1, ANY_NUMBER,
     command_contact_restore},
    {"contact", "import", "BOOK FILE|-", N_("takes contacts from a file: vCard, CSV, or JSON as exported"), "", 2, 2, command_contact_import},
    {"contact", "export", "BOOK [--format vcard|csv|json]", N_("writes contacts to standard output"), "format:", 1, 1,
     command_contact_export},
    {"contact", "followup add", "CONTACT --due DAY TEXT...", N_("reminds of a contact"), "due:", 2, ANY_NUMBER, command_followup_add},
    {"contact", "followup list", "[BOOK|CONTACT] [--due-before DAY] [--all] [--unassigned]", N_("shows follow-ups by day; --all done ones too"),
     "due-before: all unassigned", 0, 1, command_followup_list},
    {"contact", "followup done", "ID...", N_("a follow-up is done"), "", 1, ANY_NUMBER, command_followup_done},
    {"contact", "followup assign", "ID CONTACT", N_("gives a follow-up to another contact"), "", 2, 2, command_followup_assign},
    {"contact", "attach", "CONTACT FILE|- [--name NAME] [--type TYPE]", N_("keeps a file with a contact"), "name: type:", 2, 2,
     command_attach},
    {"contact", "attachments", "CONTACT [--all]", N_("shows its files; --all those detached, too"), "all", 1, 1, command_attachments},
    {"contact", "attachment get", "ID", N_("writes a file to standard output"), "", 1, 1, command_attachment_get},
    {"contact", "detach", "ID... [--undo]", N_("takes files off a contact; --undo puts them back"), "undo", 1, ANY_NUMBER, command_detach},
    {"contact", "relate", "CONTACT KIND OTHER", N_("links two contacts: the other is its employer, spouse, child ..."), "", 3, 3,
     command_relate},
    {"contact", "unrelate", "CONTACT KIND OTHER", N_("takes that link away"), "", 3, 3, command_unrelate},
    {"secret", "set", "ACCOUNT [--password-file FILE|-]", N_("stores a password"), "password-file:", 1, 1,
     command_secret_set},
    {"config", "check", "", N_("tells whether the configuration is right"), "", 0, 0, command_config_check},
    {"config", "show", "", N_("shows the settings in force"), "", 0, 0, command_config_show},
    {"status", NULL, "", N_("shows how the links are"), "", 0, 0, command_status},
    {"digest", NULL, "[--send] [--test]", N_("shows what needs a person; --send mails what is new, --test all of it"), "send test", 0, 0,
     command_digest},
    {"subject", "export", "NAME|E-MAIL|ID", N_("writes everything kept of one person, as JSON"), "", 1, 1, command_subject_export},
    {"subject", "erase", "NAME|E-MAIL|ID [--all] [--yes]", N_("erases one person everywhere, with a receipt"), "all yes", 1, 1,
     command_subject_erase},
    {"doctor", NULL, "", N_("looks whether all is in order; changes nothing"), "", 0, 0, command_doctor},
    {"explain", NULL, "[--markdown]", N_("shows the table by which a sync decides"), "markdown", 0, 0, command_explain},
    {"daemon", NULL, "", N_("runs the links whenever they are due, in the foreground"), "", 0, 0, command_daemon},
    {"version", NULL, "", N_("shows the version"), "", 0, 0, command_version},
    {"help", NULL, "[COMMAND]", N_("shows this"), "", 0, 2, command_help_row},
    {NULL, NULL, NULL, NULL, NULL, 0, 0, NULL},
};

/* Understood by every command. */
static const char general_options[] = "config: json quiet verbose language: help version";
static const struct {
    char letter;
    const char *name;
} letters[] = {{'c', "config"}, {'q', "quiet"}, {'v', "verbose"}, {'h', "help"}, {'V', "version"}, {'y', "yes"}};

const struct command *command_table(void)
{
    return table;
}

/* -- options -- */

/* Finds a name among the words of a row; *values receives how many values it takes. */
static bool option_in(const char *options, struct str name, size_t *values)
{
    struct str rest = str_of(options);
    while (rest.n) {
        struct str word = str_split(&rest, ' '), plain = word;
        while (plain.n && plain.p[plain.n - 1] == ':') plain.n--;
        *values = word.n - plain.n;
        if (plain.n && str_eq(plain, name)) return true;
    }
    return false;
}

static void suggest_option(struct suggestion *s, const char *options, struct arena *arena)
{
    struct str rest = str_of(options);
    while (rest.n) {
        struct str word = str_split(&rest, ' ');
        while (word.n && word.p[word.n - 1] == ':') word.n--;
        if (word.n) suggest_word(s, arena_strdup(arena, word));
    }
}

static enum fault_code unknown_option(struct cli *cli, struct str name)
{
    struct suggestion s = {.wanted = name};
    if (cli->command) suggest_option(&s, cli->command->options, &cli->arena);
    suggest_option(&s, general_options, &cli->arena);
    const char *advice =
        s.best ? arena_printf(&cli->arena, _("did you mean --%s?"), s.best) : _("see \"abgleich help\"");
    return fault_set(&cli->fault, FAULT_USAGE, advice, _("unknown option --%.*s"), STR_ARG(name));
}

struct words { /* argv being read */
    char **next;
    size_t left;
};

static enum fault_code take_option(struct cli *cli, struct str name, const char *value, struct words *w)
{
    size_t values = 0;
    bool known = cli->command && option_in(cli->command->options, name, &values);
    if (!known && !option_in(general_options, name, &values)) return unknown_option(cli, name);
    struct given g = {.name = name};
    for (size_t i = 0; i < values; i++) {
        g.value[i] = i == 0 && value ? value : w->left ? *w->next : NULL;
        if (!g.value[i])
            return fault_set(&cli->fault, FAULT_USAGE, _("see \"abgleich help\""), _("--%.*s needs a value"),
                             STR_ARG(name));
        if (i > 0 || !value) w->next++, w->left--;
    }
    if (value && !values) return fault_set(&cli->fault, FAULT_USAGE, NULL, _("--%.*s takes no value"), STR_ARG(name));
    cli->given[cli->n_given++] = g;
    return FAULT_NONE;
}

static struct str long_name(char letter)
{
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
        if (letters[i].letter == letter) return str_of(letters[i].name);
    return STR_NONE;
}

/* "-qv", "-c FILE", "-cFILE" */
static enum fault_code take_letters(struct cli *cli, const char *text, struct words *w)
{
    for (const char *p = text; *p; p++) {
        struct str name = long_name(*p);
        size_t values = 0;
        if (!name.p) return unknown_option(cli, (struct str){p, 1});
        bool takes = option_in(general_options, name, &values) && values;
        enum fault_code code = take_option(cli, name, takes && p[1] ? p + 1 : NULL, w);
        if (code || takes) return code;
    }
    return FAULT_NONE;
}

/* Takes the next word as an option if it is one. */
static bool take_dashes(struct cli *cli, struct words *w, enum fault_code *code)
{
    const char *word = *w->next;
    if (word[0] != '-' || !word[1]) return false;
    w->next++, w->left--;
    if (word[1] != '-') {
        *code = take_letters(cli, word + 1, w);
        return true;
    }
    struct str rest = str_of(word + 2), name = str_split(&rest, '=');
    *code = take_option(cli, name, rest.p, w);
    return true;
}

/* -- commands -- */

static enum fault_code unknown_command(struct cli *cli, const char *group, const char *verb)
{
    struct suggestion s = {.wanted = str_of(verb ? verb : group)};
    struct buf verbs AUTO_BUF = BUF_INIT;
    for (const struct command *c = table; c->group; c++) {
        if (verb && strcmp(c->group, group) != 0) continue;
        suggest_word(&s, verb ? c->verb : c->group);
        if (verb) buf_addf(&verbs, "%s%s", verbs.len ? ", " : "", c->verb);
    }
    const char *space = verb ? " " : "";
    const char *advice =
        s.best ? arena_printf(&cli->arena, _("did you mean \"%s%s%s\"?"), verb ? group : "", space, s.best)
        : verb ? arena_printf(&cli->arena, _("there are: %s"), buf_cstr(&verbs))
               : _("see \"abgleich help\"");
    return fault_set(&cli->fault, FAULT_USAGE, advice, _("there is no command \"%s%s%s\""), group, space,
                     verb ? verb : "");
}

/* Is `word` the first of a verb's two words (or, where it is NULL, anything)? */
static bool verb_begins(const struct command *c, const char *group, const char *word)
{
    struct str rest = str_of(c->verb);
    if (strcmp(c->group, group) != 0 || !rest.p) return false;
    struct str first = str_split(&rest, ' ');
    return !word || (rest.p && str_eq(first, str_of(word)));
}

static enum fault_code verb_missing(struct cli *cli, const char *group, const char *word)
{
    struct buf verbs AUTO_BUF = BUF_INIT;
    for (const struct command *c = table; c->group; c++)
        if (verb_begins(c, group, word)) buf_addf(&verbs, "%s%s", verbs.len ? " | " : "", c->verb);
    return fault_set(&cli->fault, FAULT_USAGE, arena_printf(&cli->arena, "abgleich %s %s", group, buf_cstr(&verbs)),
                     word ? _("\"%s\" needs another word") : _("\"%s\" needs a second word"), word ? word : group);
}

/* How many words of w are this command's; 0 = it is another. */
static size_t words_of(const struct command *c, const struct words *w)
{
    if (strcmp(c->group, *w->next) != 0) return 0;
    size_t n = 1;
    for (struct str rest = str_of(c->verb); rest.p; n++)
        if (n >= w->left || !str_eq(str_split(&rest, ' '), str_of(w->next[n]))) return 0;
    return n;
}

static enum fault_code explain_words(struct cli *cli, const struct words *w)
{
    const char *group = *w->next, *verb = w->left > 1 && w->next[1][0] != '-' ? w->next[1] : NULL;
    const char *more = w->left > 2 && w->next[2][0] != '-' ? w->next[2] : NULL;
    bool verbs = false, longer = false;
    for (const struct command *c = table; c->group; c++) {
        verbs |= verb_begins(c, group, NULL);
        longer |= verb && verb_begins(c, group, verb);
    }
    if (verbs && !verb) return verb_missing(cli, group, NULL);
    if (longer && !more) return verb_missing(cli, group, verb);
    return unknown_command(cli, group, longer ? arena_printf(&cli->arena, "%s %s", verb, more) : verbs ? verb : NULL);
}

/* Takes the words of one command from w. */
static enum fault_code find_command(struct cli *cli, struct words *w)
{
    for (const struct command *c = table; c->group; c++) {
        size_t n = words_of(c, w);
        if (!n) continue;
        cli->command = c;
        w->next += n;
        w->left -= n;
        return FAULT_NONE;
    }
    return explain_words(cli, w);
}

static enum fault_code check_number(struct cli *cli)
{
    const struct command *c = cli->command;
    if (cli->help || (cli->n_args >= c->min && (c->max == ANY_NUMBER || cli->n_args <= c->max))) return FAULT_NONE;
    const char *usage =
        arena_printf(&cli->arena, "abgleich %s%s%s %s", c->group, c->verb ? " " : "", c->verb ? c->verb : "", c->usage);
    return fault_set(&cli->fault, FAULT_USAGE, usage, "%s",
                     cli->n_args < c->min ? _("something is missing") : _("that is more than this command takes"));
}

static void take_general(struct cli *cli)
{
    cli->config_path = cli_option(cli, "config");
    cli->language = cli_option(cli, "language");
    cli->json = cli_flag(cli, "json");
    cli->quiet = cli_flag(cli, "quiet");
    cli->help = cli_flag(cli, "help");
    cli->version = cli_flag(cli, "version");
    while (cli_given(cli, "verbose", cli->verbose)) cli->verbose++;
}

enum fault_code command_parse(struct cli *cli, int argc, char **argv)
{
    struct words w = {argv + 1, argc > 0 ? (size_t)argc - 1 : 0};
    size_t most = 0; /* letters may stand together: one option each */
    for (size_t i = 0; i < w.left; i++) most += 1 + strlen(w.next[i]);
    cli->given = arena_zalloc(&cli->arena, (most + 1) * sizeof *cli->given);
    cli->args = arena_zalloc(&cli->arena, (w.left + 1) * sizeof *cli->args);
    enum fault_code code = FAULT_NONE;
    bool only_args = false;
    while (w.left && !code) {
        if (!only_args && strcmp(*w.next, "--") == 0) {
            only_args = true;
            w.next++, w.left--;
        } else if (!only_args && take_dashes(cli, &w, &code)) {
            continue;
        } else if (!cli->command) {
            code = find_command(cli, &w);
        } else {
            cli->args[cli->n_args++] = *w.next++;
            w.left--;
        }
    }
    take_general(cli);
    if (!code && cli->command) code = check_number(cli);
    return code;
}

/* -- help -- */

static void print_row(const struct command *c, FILE *out)
{
    struct buf left AUTO_BUF = BUF_INIT;
    buf_addf(&left, "%s%s%s%s%s", c->group, c->verb ? " " : "", c->verb ? c->verb : "", *c->usage ? " " : "", c->usage);
    if (left.len > 34)
        fprintf(out, "  %s\n%38s%s\n", buf_cstr(&left), "", _(c->summary));
    else
        fprintf(out, "  %-36s%s\n", buf_cstr(&left), _(c->summary));
}

void command_help(const struct cli *cli, FILE *out)
{
    const struct command *only = cli->command && cli->command->run != command_help_row ? cli->command : NULL;
    const char *group = !only && cli->command && cli->n_args ? cli->args[0] : NULL;
    fprintf(out, _("abgleich [-c FILE] [--json] [-q|-v] [--language de|en] COMMAND ...\n\n"));
    for (const struct command *c = table; c->group; c++)
        if ((!only || c == only) && (!group || strcmp(c->group, group) == 0)) print_row(c, out);
    if (only || group) return;
    fprintf(out, "\n%s",
            _("A collection is named ACCOUNT:NAME; contactbox:BOOK is the store.\n"
              "Exit codes: 0 done, 1 partly failed, 2 usage or configuration, 3 decisions wait, 4 held by a guard, 5 "
              "sign-in needed,\n"
              "6 remote unreachable, 7 state needs repair, 8 already running, 10 (check) changes pending.\n"));
}

int command_help_row(struct cli *cli)
{
    command_help(cli, stdout);
    return EXIT_DONE;
}
