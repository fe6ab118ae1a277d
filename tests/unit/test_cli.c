#include "cli/command.h"
#include "cli/out.h"
#include "cli/progress.h"
#include "cli/report.h"

#include "base/mem.h"
#include "cli/file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

/* -- parsing -- */

static void end_cli(struct cli *cli)
{
    cli_close(cli);
}
#define AUTO_CLI __attribute__((cleanup(end_cli)))

/* Words separated by '|' as argv. */
struct words {
    char *text;
    char *list[32];
    int n;
};

static struct words words_of(const char *line)
{
    struct words w = {.text = mem_strdup(line)};
    for (char *p = w.text; p; w.n++) {
        w.list[w.n] = p;
        p = strchr(p, '|');
        if (p) *p++ = '\0';
    }
    return w;
}

Test(cli, parses_commands_options_and_arguments)
{
    static const struct {
        const char *line;
        int (*run)(struct cli *);
        size_t n_args;
        const char *config;
        bool json, quiet;
        unsigned verbose;
    } rows[] = {
        {"abgleich|sync", command_sync, 0, NULL, false, false, 0},
        {"abgleich|--json|sync|kunden", command_sync, 1, NULL, true, false, 0},
        {"abgleich|sync|kunden|--json", command_sync, 1, NULL, true, false, 0},
        {"abgleich|-c|x.ini|-vv|account|list", command_account_list, 0, "x.ini", false, false, 2},
        {"abgleich|-cx.ini|-q|account|list", command_account_list, 0, "x.ini", false, true, 0},
        {"abgleich|--config=x.ini|runs", command_runs, 0, "x.ini", false, false, 0},
        {"abgleich|contact|edit|id|tel-=1|--|--note=x", command_contact_edit, 3, NULL, false, false, 0},
        {"abgleich|account|add|n|--password-file|-|--connector|carddav", command_account_add, 1, NULL, false, false, 0},
        {"abgleich|link|remove|k|-y", command_link_remove, 1, NULL, false, false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct words w = words_of(rows[i].line);
        struct cli cli AUTO_CLI = {.n_args = 0};
        cr_expect_eq(command_parse(&cli, w.n, w.list), FAULT_NONE, "%s: %s", rows[i].line, cli.fault.what);
        cr_expect(cli.command && cli.command->run == rows[i].run, "%s", rows[i].line);
        cr_expect_eq(cli.n_args, rows[i].n_args, "%s", rows[i].line);
        cr_expect_eq(cli.json, rows[i].json, "%s", rows[i].line);
        cr_expect_eq(cli.quiet, rows[i].quiet, "%s", rows[i].line);
        cr_expect_eq(cli.verbose, rows[i].verbose, "%s", rows[i].line);
        cr_expect_eq(strcmp(cli.config_path ? cli.config_path : "", rows[i].config ? rows[i].config : ""), 0, "%s",
                     rows[i].line);
        free(w.text);
    }
}

Test(cli, options_with_two_values_and_repeated_ones)
{
    struct words w = words_of("abgleich|review|k|--same|x|y"),
                 v = words_of("abgleich|link|add|--account|n|--book|a|--book=b");
    struct cli cli AUTO_CLI = {.n_args = 0}, other AUTO_CLI = {.n_args = 0};
    cr_assert_eq(command_parse(&cli, w.n, w.list), FAULT_NONE);
    cr_assert_eq(command_parse(&other, v.n, v.list), FAULT_NONE);
    cr_expect_str_eq(cli_given(&cli, "same", 0)->value[1], "y");
    cr_expect_eq(cli.n_args, 1);
    cr_expect_str_eq(cli_option_at(&other, "book", 0), "a");
    cr_expect_str_eq(cli_option_at(&other, "book", 1), "b");
    cr_expect_null(cli_option_at(&other, "book", 2));
    free(w.text);
    free(v.text);
}

Test(cli, refuses_with_a_suggestion)
{
    static const struct {
        const char *line, *what, *advice;
    } rows[] = {
        {"abgleich|snyc", "no command \"snyc\"", "\"sync\""},
        {"abgleich|contact|lst", "no command \"contact lst\"", "\"contact list\""},
        {"abgleich|contact", "needs a second word", "export"},
        {"abgleich|contact|followup", "\"followup\" needs another word", "followup add | followup list"},
        {"abgleich|contact|followup|--json", "\"followup\" needs another word", "followup assign"},
        {"abgleich|contact|followup|ad", "no command \"contact followup ad\"", "\"contact followup add\""},
        {"abgleich|contact|atach", "no command \"contact atach\"", "\"contact attach\""},
        {"abgleich|xyzzy", "no command \"xyzzy\"", "help"},
        {"abgleich|sync|--jsn", "unknown option --jsn", "--json"},
        {"abgleich|sync|-x", "unknown option --x", ""},
        {"abgleich|account|add|n|--conector|x", "unknown option --conector", "--connector"},
        {"abgleich|-c", "--config needs a value", ""},
        {"abgleich|review|k|--same|x", "--same needs a value", ""},
        {"abgleich|--json=yes|sync", "--json takes no value", ""},
        {"abgleich|approve|k", "something is missing", "approve LINK HASH"},
        {"abgleich|approve|k|h|x", "more than this command takes", "approve LINK HASH"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct words w = words_of(rows[i].line);
        struct cli cli AUTO_CLI = {.n_args = 0};
        cr_expect_eq(command_parse(&cli, w.n, w.list), FAULT_USAGE, "%s", rows[i].line);
        cr_expect(cli.fault.what && strstr(cli.fault.what, rows[i].what), "%s: %s", rows[i].line, cli.fault.what);
        cr_expect(!*rows[i].advice || (cli.fault.advice && strstr(cli.fault.advice, rows[i].advice)), "%s: %s",
                  rows[i].line, cli.fault.advice);
        free(w.text);
    }
}

/* Every row can be found by typing it, and its usage does not promise options it does not take. */
Test(cli, the_table_is_sound)
{
    for (const struct command *c = command_table(); c->group; c++) {
        char line[128];
        snprintf(line, sizeof line, "abgleich|%s|%s%s--help", c->group, c->verb ? c->verb : "", c->verb ? "|" : "");
        for (char *at = line; *at; at++)
            if (*at == ' ') *at = '|';
        struct words w = words_of(line);
        struct cli cli AUTO_CLI = {.n_args = 0};
        cr_expect_eq(command_parse(&cli, w.n, w.list), FAULT_NONE, "%s %s", c->group, c->verb);
        cr_expect_eq(cli.command, c, "%s %s", c->group, c->verb);
        struct str usage = str_of(c->usage);
        for (size_t at; (at = str_find(usage, STR("--"))) != (size_t)-1;) {
            usage = (struct str){usage.p + at + 2, usage.n - at - 2};
            size_t n = strspn(usage.p, "abcdefghijklmnopqrstuvwxyz-");
            struct buf option AUTO_BUF = BUF_INIT;
            buf_add(&option, usage.p, n);
            cr_expect_not_null(strstr(c->options, buf_cstr(&option)), "%s %s: --%s", c->group, c->verb,
                               buf_cstr(&option));
        }
        free(w.text);
    }
}

/* -- output -- */

Test(cli, widths)
{
    static const struct {
        const char *text;
        size_t width;
    } rows[] = {{"", 0}, {"abc", 3}, {"Özdemir", 7}, {"e\xcc\x81", 1}, {"日本", 4}, {"\xff", 1}, {"😀", 2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(text_width(str_of(rows[i].text)), rows[i].width, "%s", rows[i].text);
}

Test(cli, tables_align_and_disarm)
{
    struct table t AUTO_TABLE = table_of(3, 1 << 1);
    table_cell(&t, "Özdemir");
    table_number(&t, 5);
    table_cell(&t, "x\x1b[31m");
    table_cell(&t, "a");
    table_number(&t, 1234);
    table_cell(&t, "line\nbreak");
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    table_print(&t, " ", out);
    fclose(out);
    cr_expect_str_eq(text, " Özdemir     5  x<U+001B>[31m\n a        1234  line break\n");
    free(text);
}

Test(cli, csv_cells)
{
    static const struct {
        const char *text, *cell;
    } rows[] = {
        {"plain", "plain"}, {"a,b", "\"a,b\""}, {"say \"hi\"", "\"say \"\"hi\"\"\""}, {"two\nlines", "\"two\nlines\""},
        {"", "\"\""},       {" x", "\" x\""}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf line AUTO_BUF = BUF_INIT;
        csv_cell(&line, str_of(rows[i].text));
        cr_expect_str_eq(buf_cstr(&line), rows[i].cell);
    }
}

Test(cli, json_text_takes_any_bytes)
{
    json_t *o = json_pack("[o,o,o]", json_text(STR("Özdemir")), json_text(STR("\xffx")), json_text(STR_NONE));
    char *text = json_dumps(o, JSON_COMPACT);
    cr_expect_str_eq(text, "[\"Özdemir\",\"<FF>x\",null]");
    free(text);
    json_decref(o);
}

/* -- the whole: commands as typed, in a folder of their own -- */

struct world {
    char folder[64];
    char *out; /* what the last command printed */
};

static struct world world_make(void)
{
    struct world w = {.folder = "/tmp/abgleich-cli-XXXXXX"};
    cr_assert_not_null(mkdtemp(w.folder));
    cr_assert_eq(chdir(w.folder), 0);
    struct fault f AUTO_FAULT = FAULT_INIT;
    cr_assert_eq(file_write("abgleich.ini", STR("[abgleich]\nstate = state.db\n"), &f), FAULT_NONE);
    return w;
}

static void world_end(struct world *w)
{
    struct buf command AUTO_BUF = BUF_INIT;
    buf_addf(&command, "rm -rf '%s'", w->folder);
    cr_expect_eq(system(buf_cstr(&command)), 0);
    free(w->out);
}
#define AUTO_WORLD __attribute__((cleanup(world_end)))

/* Words separated by '|'; returns the exit code. */
static int run(struct world *w, const char *line)
{
    struct buf all AUTO_BUF = BUF_INIT;
    buf_addf(&all, "abgleich|-q|-c|abgleich.ini|%s", line);
    struct words words = words_of(buf_cstr(&all));
    FILE *real = stdout;
    size_t n;
    free(w->out);
    w->out = NULL;
    stdout = open_memstream(&w->out, &n);
    struct cli cli = {.n_args = 0};
    int code = cli_main(&cli, words.n, words.list);
    cli_close(&cli);
    fclose(stdout);
    stdout = real;
    free(words.text);
    return code;
}

static json_t *run_json(struct world *w, const char *line, int expected)
{
    struct buf all AUTO_BUF = BUF_INIT;
    buf_addf(&all, "--json|%s", line);
    int code = run(w, buf_cstr(&all));
    cr_assert_eq(code, expected, "%s: exit code %d: %s", line, code, w->out);
    json_error_t error;
    json_t *o = json_loads(w->out, 0, &error);
    cr_assert_not_null(o, "%s: %s: %s", line, error.text, w->out);
    return o;
}

static void put(const char *name, const char *text)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    cr_assert_eq(file_write(name, str_of(text), &f), FAULT_NONE);
}

#define ANNA                                                                                                           \
    "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u-anna\r\nFN:Anna Meier\r\nN:Meier;Anna;;;\r\nTEL;TYPE=CELL:+49 171 "           \
    "1\r\nEND:VCARD\r\n"
#define BERT "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Bert Ohne\r\nN:Ohne;Bert;;;\r\nEND:VCARD\r\n"

Test(cli, imports_a_file_once)
{
    struct world w AUTO_WORLD = world_make();
    put("two.vcf", ANNA BERT);
    cr_expect_eq(run(&w, "book|add|Kunden"), 0);
    static const struct {
        const char *line;
        json_int_t created, updated, unchanged, skipped;
    } rows[] = {{"contact|import|Kunden|two.vcf", 2, 0, 0, 0}, {"contact|import|Kunden|two.vcf", 0, 0, 2, 0}};
    for (size_t i = 0; i < 2; i++) {
        json_t *o = run_json(&w, rows[i].line, 0);
        cr_expect_eq(json_integer_value(json_object_get(o, "created")), rows[i].created);
        cr_expect_eq(json_integer_value(json_object_get(o, "unchanged")), rows[i].unchanged);
        json_decref(o);
    }
    /* Deleted by a person: it does not come back by itself. */
    cr_expect_eq(run(&w, "contact|remove|Meier, Anna"), 0);
    json_t *o = run_json(&w, "contact|import|Kunden|two.vcf", 0);
    cr_expect_eq(json_integer_value(json_object_get(o, "skipped_deleted")), 1);
    json_decref(o);
    cr_expect_eq(run(&w, "contact|restore|Meier, Anna"), 0);
    cr_expect_eq(run(&w, "contact|export|Kunden"), 0);
    cr_expect_not_null(strstr(w.out, ANNA), "the very bytes");
}

Test(cli, contact_list_and_show_have_the_promised_names)
{
    struct world w AUTO_WORLD = world_make();
    put("anna.vcf", ANNA);
    run(&w, "book|add|Kunden");
    cr_expect_eq(run(&w, "contact|add|Kunden|--file|anna.vcf"), 0);
    json_t *list = run_json(&w, "contact|list|Kunden", 0), *first = json_array_get(list, 0);
    cr_expect_str_eq(json_string_value(json_object_get(first, "name")), "Meier, Anna");
    cr_expect_str_eq(json_string_value(json_array_get(json_object_get(first, "phones"), 0)), "+49 171 1");
    cr_expect_eq(json_array_size(json_object_get(first, "emails")), 0);
    json_t *whole = run_json(&w, "contact|show|Meier, Anna", 0);
    cr_expect_str_eq(json_string_value(json_object_get(whole, "body")), ANNA);
    cr_expect_str_eq(json_string_value(json_object_get(whole, "book")), "Kunden");
    json_decref(list);
    json_decref(whole);
}

Test(cli, check_sync_and_report_say_the_same)
{
    struct world w AUTO_WORLD = world_make();
    put("anna.vcf", ANNA);
    run(&w, "book|add|Kunden");
    run(&w, "contact|import|Kunden|anna.vcf");
    cr_expect_eq(run(&w, "link|add|k|contactbox:Kunden|contactbox:Kopie"), 0);
    json_t *check = run_json(&w, "check|k", EXIT_PENDING), *sync = run_json(&w, "sync|k", 0),
           *again = run_json(&w, "sync", 0);
    static const char *const keys[] = {"link",      "run",       "plan",        "status", "a",         "b",
                                       "conflicts", "ambiguous", "quarantined", "held",   "operations"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        cr_expect_not_null(json_object_get(sync, keys[i]), "%s", keys[i]);
    cr_expect_str_eq(json_string_value(json_object_get(check, "status")), "pending");
    cr_expect_str_eq(json_string_value(json_object_get(sync, "status")), "done");
    cr_expect(json_equal(json_object_get(check, "plan"), json_object_get(sync, "plan")));
    cr_expect_eq(json_integer_value(json_object_get(json_object_get(check, "b"), "created")), 1);
    cr_expect_eq(json_integer_value(json_object_get(json_object_get(sync, "b"), "created")), 1);
    cr_assert(json_is_array(again), "none named: an array");
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(again, 0), "status")), "unchanged");
    json_t *report = run_json(&w, "report|1", 0);
    cr_expect(json_equal(json_object_get(report, "b"), json_object_get(sync, "b")));
    json_decref(check);
    json_decref(sync);
    json_decref(again);
    json_decref(report);
    static const char *const formats[] = {"text", "html", "csv"};
    for (size_t i = 0; i < 3; i++) {
        struct buf line AUTO_BUF = BUF_INIT;
        buf_addf(&line, "report|1|--format|%s", formats[i]);
        cr_expect_eq(run(&w, buf_cstr(&line)), 0);
        cr_expect_not_null(strstr(w.out, "Meier, Anna"), "%s", formats[i]);
    }
}

Test(cli, what_is_off_does_not_run)
{
    struct world w AUTO_WORLD = world_make();
    run(&w, "book|add|Kunden");
    run(&w, "link|add|k|contactbox:Kunden|contactbox:Kopie");
    cr_expect_eq(run(&w, "link|off|k"), 0);
    cr_expect_eq(run(&w, "sync|k"), 2);
    cr_expect_eq(run(&w, "sync"), 0);
    cr_expect_eq(run(&w, "link|on|k"), 0);
    cr_expect_eq(run(&w, "sync|k"), 0);
    cr_expect_eq(run(&w, "link|remove|k|--yes"), 0);
    cr_expect_eq(run(&w, "sync|k"), 2);
}

Test(cli, wrong_names_are_refused)
{
    static const char *const lines[] = {
        "sync|nix",
        "account|test|nix",
        "account|off|contactbox",
        "link|add|k|contactbox|contactbox:X",
        "contact|list|Nix",
        "contact|show|Nix",
        "book|remove|Nix",
        "report|1",
        "report|x",
        "runs|nix",
        "approve|nix|0",
        "contact|export|Nix",
        "account|add|n",
        "account|add|../n|--connector|carddav",
        "import|nix",
        "link|add|k|contactbox:a|contactbox:b|--mode|sideways",
        "review|nix",
    };
    struct world w AUTO_WORLD = world_make();
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) cr_expect_eq(run(&w, lines[i]), 2, "%s", lines[i]);
}

/* Thirty contacts on both sides, linked as k. */
static void fill(struct world *w)
{
    struct buf file AUTO_BUF = BUF_INIT;
    for (int i = 0; i < 30; i++)
        buf_addf(&file, "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u-%d\r\nFN:Nr %d\r\nN:%d;Nr;;;\r\nEND:VCARD\r\n", i, i, i);
    put("many.vcf", buf_cstr(&file));
    cr_assert_eq(run(w, "book|add|Kunden"), 0);
    cr_assert_eq(run(w, "contact|import|Kunden|many.vcf"), 0);
    cr_assert_eq(run(w, "link|add|k|contactbox:Kunden|contactbox:Kopie"), 0);
    cr_assert_eq(run(w, "sync|k"), 0);
}

static const char *text_of(json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

static void remove_most(struct world *w)
{
    json_t *list = run_json(w, "contact|list|Kunden", 0);
    struct buf line AUTO_BUF = BUF_INIT;
    buf_adds(&line, "contact|remove");
    for (size_t i = 0; i < 20; i++) buf_addf(&line, "|%s", text_of(json_array_get(list, i), "id"));
    json_decref(list);
    cr_assert_eq(run(w, buf_cstr(&line)), 0);
}

Test(cli, a_held_plan_waits_for_exactly_its_approval)
{
    struct world w AUTO_WORLD = world_make();
    fill(&w);
    remove_most(&w);
    json_t *sync = run_json(&w, "sync|k", EXIT_HELD), *held = run_json(&w, "held", 0), *first = json_array_get(held, 0);
    cr_expect_str_eq(text_of(sync, "status"), "held");
    cr_expect_str_eq(text_of(first, "name"), "k");
    cr_expect_str_eq(text_of(first, "plan"), text_of(sync, "plan"));
    cr_expect_eq(run(&w, "sync|k"), EXIT_HELD, "and again");
    cr_expect_not_null(strstr(w.out, "abgleich approve k "), "what to type: %s", w.out);
    cr_expect_eq(run(&w, "approve|k|0123456789abcdef"), 2, "another plan");
    struct buf approve AUTO_BUF = BUF_INIT;
    buf_addf(&approve, "approve|k|%s", text_of(first, "plan"));
    cr_expect_eq(run(&w, buf_cstr(&approve)), 0);
    json_decref(sync);
    sync = run_json(&w, "sync|k", 0);
    cr_expect_eq(json_integer_value(json_object_get(json_object_get(sync, "b"), "deleted")), 20);
    json_decref(held);
    held = run_json(&w, "held", 0);
    cr_expect_eq(json_array_size(held), 0);
    json_decref(held);
    json_decref(sync);
}

Test(cli, a_rejected_plan_is_planned_anew)
{
    struct world w AUTO_WORLD = world_make();
    fill(&w);
    remove_most(&w);
    json_t *sync = run_json(&w, "sync|k", EXIT_HELD);
    struct buf reject AUTO_BUF = BUF_INIT;
    buf_addf(&reject, "reject|k|%s", text_of(sync, "plan"));
    cr_expect_eq(run(&w, buf_cstr(&reject)), 0);
    cr_expect_eq(run(&w, buf_cstr(&reject)), 2, "nothing is held any more");
    cr_expect_eq(run(&w, "sync|k"), EXIT_HELD);
    json_decref(sync);
}

Test(cli, review_asks_and_remembers)
{
    struct world w AUTO_WORLD = world_make();
    put("a.vcf", "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:Anna "
                 "Meier\r\nN:Meier;Anna;;;\r\nEMAIL:a@x.example\r\nEND:VCARD\r\n");
    put("b.vcf", "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:b\r\nFN:Anna "
                 "Meier\r\nN:Meier;Anna;;;\r\nEMAIL:b@x.example\r\nEND:VCARD\r\n");
    run(&w, "book|add|A");
    run(&w, "book|add|B");
    run(&w, "contact|import|A|a.vcf");
    run(&w, "contact|import|B|b.vcf");
    run(&w, "link|add|k|contactbox:A|contactbox:B");
    cr_expect_eq(run(&w, "sync|k"), EXIT_WAITING);
    json_t *list = run_json(&w, "review|k", EXIT_WAITING), *pair = json_array_get(list, 0);
    cr_assert_eq(json_array_size(list), 1);
    struct buf line AUTO_BUF = BUF_INIT; /* in the other order */
    buf_addf(&line, "review|k|--different|%s|%s", text_of(json_object_get(pair, "b"), "id"),
             text_of(json_object_get(pair, "a"), "id"));
    cr_expect_eq(run(&w, "review|k|--same|x|y"), 2);
    cr_expect_eq(run(&w, buf_cstr(&line)), 0);
    cr_expect_eq(run(&w, "review|k"), 0);
    json_t *sync = run_json(&w, "sync|k", 0);
    cr_expect_eq(json_integer_value(json_object_get(json_object_get(sync, "a"), "created")), 1);
    cr_expect_eq(json_integer_value(json_object_get(json_object_get(sync, "b"), "created")), 1);
    json_decref(list);
    json_decref(sync);
}

Test(cli, accounts_come_and_go)
{
    struct world w AUTO_WORLD = world_make();
    put("pw", "geheim\n");
    cr_expect_eq(
        run(&w, "account|add|nc|--connector|carddav|--url|https://x.example/|--user|anna|--password-file|pw|--no-test"),
        0);
    cr_expect_eq(run(&w, "account|add|nc|--connector|carddav|--no-test"), 2, "taken");
    cr_expect_eq(run(&w, "account|set|nc|interval=1h|enabled=no"), 0);
    cr_expect_eq(run(&w, "account|set|nc|intervall=1h"), 2);
    cr_expect_eq(run(&w, "account|set|nc|interval"), 2);
    json_t *list = run_json(&w, "account|list", 0), *first = json_array_get(list, 0);
    cr_expect_str_eq(text_of(first, "name"), "nc");
    cr_expect_str_eq(text_of(first, "interval"), "1h");
    cr_expect_str_eq(text_of(first, "secret"), "stored");
    cr_expect(json_is_false(json_object_get(first, "enabled")));
    json_decref(list);
    cr_expect_eq(run(&w, "link|add|k|contactbox:Kunden|nc:kunden|--no-test|--max-delete|5"), 0);
    cr_expect_eq(run(&w, "sync|k"), 2, "its account is off");
    cr_expect_eq(run(&w, "account|remove|nc"), 2, "not without --yes, where nobody can be asked");
    cr_expect_eq(run(&w, "account|remove|nc|--yes"), 0);
    cr_expect_eq(run(&w, "config|show"), 0);
    cr_expect_null(strstr(w.out, "[account"), "%s", w.out);
    cr_expect_null(strstr(w.out, "[link"), "%s", w.out);
}

/* Passwords are never an argument and never printed. */
Test(cli, secrets_are_not_shown)
{
    struct world w AUTO_WORLD = world_make();
    put("pw", "c4nary-9f3\n");
    run(&w, "account|add|nc|--connector|carddav|--url|https://x.example/|--user|anna|--password-file|pw|--no-test");
    static const char *const lines[] = {"config|show", "--json|config|show", "account|list", "--json|account|list",
                                        "--json|status"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        cr_expect_eq(run(&w, lines[i]), 0, "%s", lines[i]);
        cr_expect_null(strstr(w.out, "c4nary"), "%s", lines[i]);
    }
    unlink("pw");
    cr_expect_neq(system("grep -rq c4nary ."), 0, "in no file");
}

/* -- progress -- */

struct clock {
    struct env env;
    int64_t now_ms;
};

static int64_t clock_now(struct env *e)
{
    return ((struct clock *)e)->now_ms;
}

/* On a terminal: at most four lines a second, the time left once it can be told, and nothing left behind. */
Test(cli, progress_is_rate_limited_and_tells_the_time_left)
{
    struct clock clock = {.env = {.monotonic_ms = clock_now}, .now_ms = 1000000};
    struct progress p = progress_of(&clock.env, "k", false);
    char *text = NULL;
    size_t n;
    FILE *real = stderr;
    p.terminal = true;
    stderr = open_memstream(&text, &n);
    for (size_t i = 0; i <= 1000; i++, clock.now_ms += 10) progress_show(&p, PHASE_FETCH, i, 1000);
    progress_end(&p);
    fclose(stderr);
    stderr = real;
    size_t lines = 0;
    for (const char *c = text; *c; c++) lines += *c == '\r';
    cr_expect(lines > 30 && lines <= 44, "10 s: %zu", lines);
    cr_expect_not_null(strstr(text, "500/1000 (50 %), 0:05 left"), "%s", text);
    free(text);
}

Test(cli, progress_off_a_terminal_is_a_plain_line_now_and_then)
{
    struct clock clock = {.env = {.monotonic_ms = clock_now}, .now_ms = 1000000};
    struct progress p = progress_of(&clock.env, "k", false);
    char *text = NULL;
    size_t n;
    FILE *real = stderr;
    p.terminal = false;
    stderr = open_memstream(&text, &n);
    for (size_t i = 0; i <= 1000; i++, clock.now_ms += 100) progress_show(&p, PHASE_FETCH, i, 1000);
    fclose(stderr);
    stderr = real;
    size_t lines = 0;
    for (const char *c = text; *c; c++) lines += *c == '\n';
    cr_expect(lines >= 3 && lines <= 5, "100 s: %zu: %s", lines, text);
    cr_expect_null(strchr(text, '\r'));
    free(text);
}
