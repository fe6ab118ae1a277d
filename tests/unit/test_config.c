#include "cli/config.h"
#include "cli/config_keys.h"
#include "cli/config_write.h"
#include "cli/file.h"
#include "cli/suggest.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of its own for each test, removed at its end. */
struct place {
    char folder[64];
    char *path; /* of abgleich.ini in it */
};

static void place_end(struct place *p)
{
    struct buf command AUTO_BUF = BUF_INIT;
    buf_addf(&command, "rm -rf '%s'", p->folder);
    cr_expect_eq(system(buf_cstr(&command)), 0);
    free(p->path);
}
#define AUTO_PLACE __attribute__((cleanup(place_end)))

static void put(const struct place *p, const char *name, const char *text)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct buf path AUTO_BUF = BUF_INIT;
    buf_addf(&path, "%s/%s", p->folder, name);
    cr_assert_eq(file_write(buf_cstr(&path), str_of(text), &f), FAULT_NONE, "%s: %s", buf_cstr(&path), f.what);
}

static struct place place_with(const char *ini)
{
    struct place p = {.folder = "/tmp/abgleich-config-XXXXXX"};
    cr_assert_not_null(mkdtemp(p.folder));
    struct buf path = BUF_INIT;
    buf_addf(&path, "%s/abgleich.ini", p.folder);
    p.path = buf_detach(&path);
    put(&p, "abgleich.ini", ini);
    return p;
}

static struct config *load(const struct place *p)
{
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct config *c = NULL;
    config_load(p->path, true, &c, &f);
    cr_assert_not_null(c, "%s", f.what);
    return c;
}

static void free_config(struct config **c)
{
    config_free(*c);
}
#define AUTO_CONFIG __attribute__((cleanup(free_config)))

#define ACCOUNT "[account nc]\nconnector = carddav\nurl = https://cloud.example.org/\n"
#define LINK "[link k]\na = contactbox:Kunden\nb = nc:kunden\n"

Test(config, reads_what_the_manual_shows)
{
    struct place p AUTO_PLACE = place_with("\xef\xbb\xbf; a comment\n"
                                           "[abgleich]\n"
                                           "state  = /var/lib/abgleich/state.db     ; or postgresql://...\n"
                                           "language = de ; de | en\n"
                                           "jobs = 32\nhistory = 14d\n\n"
                                           "[account nextcloud]\n"
                                           "connector = carddav\n"
                                           "  url  = https://cloud.example.org/        ; discovery does the rest\n"
                                           "user = anna\nsecret = stored\ninterval = 15m\nenabled = yes\n\n"
                                           "[link kunden]\r\n"
                                           "a = contactbox:Kunden\r\nb = nextcloud:kunden\r\n"
                                           "mode = two-way\nauthority = server\nmax_delete = 20%\n");
    struct config *c AUTO_CONFIG = load(&p);
    cr_expect_str_eq(c->state, "/var/lib/abgleich/state.db");
    cr_expect_str_eq(c->language, "de");
    cr_expect_eq(c->history_ms, 14 * CONFIG_DAY_MS);
    cr_assert_eq(c->n_accounts, 1);
    cr_assert_eq(c->n_links, 1);
    const struct config_account *a = config_account(c, "nextcloud");
    cr_expect_str_eq(a->url, "https://cloud.example.org/");
    cr_expect_eq(a->interval_ms, 900000);
    const struct config_link *l = config_link(c, "kunden");
    cr_expect_eq(l->account_b, a);
    cr_expect(config_is_store(l->account_a));
    cr_expect_str_eq(l->collection_a, "Kunden");
    cr_expect_eq(l->policy.authority, AUTHORITY_SERVER);
    cr_expect_eq(l->policy.max_delete_percent, 20);
    cr_expect_eq(l->history_ms, 14 * CONFIG_DAY_MS);
    cr_expect_eq(l->interval_ms, 900000, "the account's, as the link names none");
}

Test(config, says_where_it_is_wrong)
{
    static const struct {
        const char *ini, *what, *advice;
    } rows[] = {
        {"[abgleich]\nlanguag = de\n", ":2: [abgleich] has no key \"languag\"", "language"},
        {"[abgleich]\n\njobs = many\n", ":3: \"many\" is no value for jobs", "1 to 1000"},
        {"[abgleich]\njobs = 0\n", ":2: \"0\" is no value for jobs", ""},
        {"[abgleich]\njobs = 4\njobs = 5\n", ":3: jobs is given twice", ""},
        {"[abgleich]\nhistory = 5x\n", ":2: \"5x\" is no value for history", "30d"},
        {"[acount x]\n", ":1: there is no section [acount x]", "account"},
        {"[server]\n", ":1: there is no section [server]", "[link NAME]"},
        {"jobs = 4\n", ":1: this stands before the first section", ""},
        {"[abgleich]\njobs\n", ":2: this line is not understood", ""},
        {"[abgleich\n", ":1: the ] of this section is missing", ""},
        {"[account contactbox]\n", ":1: \"contactbox\" cannot be a name", ""},
        {"[account ../x]\n", ":1: \"../x\" cannot be a name", ""},
        {"[account x]\nurl = https://x/\n", ":1: [account x]: no connector", ""},
        {"[account x]\nconnector = carddaf\n", ":2: \"carddaf\" is no value for connector", ""},
        {"[account x]\nconnector = carddav\nurl = ftp://x\n", ":3: \"ftp://x\" is no value for url", "https"},
        {"[account x]\nconnector = carddav\nsecret = geheim\n", ":3: \"geheim\" is no value for secret", "stored"},
        {ACCOUNT "[link k]\na = contactbox:K\n", "[link k]: one side is missing", "b ="},
        {ACCOUNT "[link k]\na = contactbox:K\nb = nx:k\n", "[link k]: there is no account \"nx\"", "nc"},
        {ACCOUNT "[link k]\na = contactbox:K\nb = kunden\n", "\"kunden\" is no value for b", "ACCOUNT:COLLECTION"},
        {"[link k]\na = contactbox:K\nb = contactbox:K\n", "both sides are the same", ""},
        {ACCOUNT LINK "mode = both\n", "\"both\" is no value for mode", "two-way"},
        {ACCOUNT LINK "authority = me\n", "\"me\" is no value for authority", "server"},
        {ACCOUNT LINK "mode = two-way\nimport = ergaenzen\n", "mode and import contradict", ""},
        {ACCOUNT LINK "max_delete = viel\n", "\"viel\" is no value for max_delete", "10%"},
        {"[field tel]\n", ":1: \"tel\" cannot be the name of a field", "every contact has"},
        {"[field kunden_nummer]\n", "cannot be the name of a field", ""},
        {"[field]\n", "cannot be the name of a field", ""},
        {"[field nr]\ntype = zahl\n", ":2: \"zahl\" is no value for type", "choice"},
        {"[field nr]\ntype = choice\n", ":1: [field nr]: no choices", "choices ="},
        {"[field nr]\nchoices = a\n", ":1: [field nr]: choices without type", ""},
        {"[field nr]\ntype = choice\nchoices = a,,b\n", ":3: \"a,,b\" is no value for choices", ""},
        {"[field nr]\nlabl = a\n", "[field] has no key \"labl\"", "label"},
        {"[abgleich]\ntls_cert = a.pem\n", "tls_cert and tls_key belong together", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct place p AUTO_PLACE = place_with(rows[i].ini);
        struct fault f AUTO_FAULT = FAULT_INIT;
        struct config *c = NULL;
        cr_expect_eq(config_load(p.path, true, &c, &f), FAULT_CONFIG, "row %zu", i);
        cr_expect_null(c);
        cr_expect(f.what && strstr(f.what, rows[i].what), "row %zu: %s", i, f.what);
        cr_expect(!*rows[i].advice || (f.advice && strstr(f.advice, rows[i].advice)), "row %zu: %s", i, f.advice);
    }
}

Test(config, a_missing_file_is_empty_or_an_error)
{
    struct place p AUTO_PLACE = place_with("");
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct config *c AUTO_CONFIG = NULL;
    unlink(p.path);
    cr_expect_eq(config_load(p.path, true, &c, &f), FAULT_CONFIG);
    cr_expect_null(c);
    fault_clear(&f);
    cr_expect_eq(config_load(p.path, false, &c, &f), FAULT_NONE);
    cr_expect_eq(c->n_accounts, 0);
}

/* The library cuts lines at 200 bytes; no value may depend on where that falls. */
Test(config, lines_of_any_length)
{
    for (size_t n = 185; n < 1000; n += n < 215 ? 1 : n < 380 ? 41 : n < 400 ? 1 : 197) {
        struct buf ini AUTO_BUF = BUF_INIT, secret AUTO_BUF = BUF_INIT;
        buf_adds(&secret, "command:");
        for (size_t i = 0; secret.len < n; i++) buf_addf(&secret, "%s%zu", i % 5 == 0 ? " " : "#;", i);
        buf_addf(&ini, ACCOUNT "secret = %s ; and a comment\nuser = anna\n", buf_cstr(&secret));
        struct place p AUTO_PLACE = place_with(buf_cstr(&ini));
        struct config *c AUTO_CONFIG = load(&p);
        cr_expect_str_eq(config_account(c, "nc")->secret, buf_cstr(&secret), "%zu bytes", n);
        cr_expect_str_eq(config_account(c, "nc")->user, "anna", "%zu bytes", n);
    }
}

Test(config, a_line_that_cannot_be_cut_is_refused)
{
    struct buf ini AUTO_BUF = BUF_INIT;
    buf_adds(&ini, ACCOUNT "secret = command:");
    for (int i = 0; i < 400; i++) buf_addc(&ini, ';');
    buf_adds(&ini, "\n");
    struct place p AUTO_PLACE = place_with(buf_cstr(&ini));
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct config *c = NULL;
    cr_expect_eq(config_load(p.path, true, &c, &f), FAULT_CONFIG);
    cr_expect(strstr(f.what, ":4: this line is too long"), "%s", f.what);
}

Test(config, drop_ins_take_over_key_by_key)
{
    struct place p AUTO_PLACE = place_with("[abgleich]\nstate = s.db\n" ACCOUNT "user = anna\n");
    put(&p, "conf.d/a.ini", "[account nc]\nenabled = no\n");
    put(&p, "conf.d/b.ini", "[account nc]\nuser = berta\n");
    put(&p, "conf.d/.c.ini", "nonsense\n");
    put(&p, "conf.d/d.txt", "nonsense\n");
    struct config *c AUTO_CONFIG = load(&p);
    const struct config_account *a = config_account(c, "nc");
    cr_assert_eq(c->n_accounts, 1);
    cr_expect_str_eq(a->user, "berta");
    cr_expect_not(a->enabled);
    cr_expect_str_eq(a->url, "https://cloud.example.org/");
    struct buf state AUTO_BUF = BUF_INIT;
    buf_addf(&state, "%s/s.db", p.folder);
    cr_expect_str_eq(c->state, buf_cstr(&state), "relative to the configuration");
}

Test(config, writes_drop_ins_and_reads_them_back)
{
    struct place p AUTO_PLACE = place_with("");
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct config *c AUTO_CONFIG = load(&p);
    struct config_pair pairs[] = {{"connector", "carddav"}, {"url", "https://x.example/"}, {"user", NULL}};
    cr_assert_eq(config_write(c, CONFIG_ACCOUNT, "x", pairs, 3, true, &f), FAULT_NONE, "%s", f.what);
    struct config_pair change[] = {{"interval", "1h"}, {"url", "https://y.example/"}};
    cr_assert_eq(config_write(c, CONFIG_ACCOUNT, "x", change, 2, false, &f), FAULT_NONE, "%s", f.what);
    struct config *now AUTO_CONFIG = load(&p);
    const struct config_account *a = config_account(now, "x");
    cr_assert_not_null(a);
    cr_expect_str_eq(a->url, "https://y.example/");
    cr_expect_str_eq(a->connector, "carddav");
    cr_expect_eq(a->interval_ms, 3600000);
    struct stat info;
    cr_assert_eq(stat(a->place.file, &info), 0);
    cr_expect_eq(info.st_mode & 0777, 0600);
    cr_assert_eq(config_remove(now, CONFIG_ACCOUNT, "x", a->place, &f), FAULT_NONE, "%s", f.what);
    struct config *gone AUTO_CONFIG = load(&p);
    cr_expect_null(config_account(gone, "x"));
}

/* What would make the whole invalid is taken back: an account a link needs, a wrong value. */
Test(config, a_write_that_breaks_the_whole_changes_nothing)
{
    struct place p AUTO_PLACE = place_with("");
    struct fault f AUTO_FAULT = FAULT_INIT;
    put(&p, "conf.d/account-nc.ini", ACCOUNT);
    put(&p, "conf.d/link-k.ini", LINK);
    struct config *c AUTO_CONFIG = load(&p);
    cr_expect_eq(config_remove(c, CONFIG_ACCOUNT, "nc", config_account(c, "nc")->place, &f), FAULT_CONFIG);
    fault_clear(&f);
    struct config_pair wrong = {"interval", "soon"}, unknown = {"intervall", NULL}, broken = {"user", "a ; b"};
    cr_expect_eq(config_write(c, CONFIG_ACCOUNT, "nc", &wrong, 1, false, &f), FAULT_CONFIG);
    fault_clear(&f);
    cr_expect_eq(config_write(c, CONFIG_ACCOUNT, "nc", &unknown, 1, false, &f), FAULT_CONFIG);
    fault_clear(&f);
    cr_expect_eq(config_write(c, CONFIG_ACCOUNT, "nc", &broken, 1, false, &f), FAULT_CONFIG);
    struct config *now AUTO_CONFIG = load(&p);
    cr_expect_not_null(config_account(now, "nc"));
    cr_expect_eq(config_account(now, "nc")->interval_ms, 900000);
}

Test(config, what_people_wrote_is_not_removed)
{
    struct place p AUTO_PLACE = place_with(ACCOUNT);
    struct fault f AUTO_FAULT = FAULT_INIT;
    struct config *c AUTO_CONFIG = load(&p);
    cr_expect_eq(config_remove(c, CONFIG_ACCOUNT, "nc", config_account(c, "nc")->place, &f), FAULT_CONFIG);
    cr_expect(strstr(f.what, "abgleich.ini, line 1"), "%s", f.what);
}

/* A typo in an address must not look like mass deletion; another interval is no other collection. */
Test(config, the_settings_hash_covers_what_makes_a_collection)
{
    static const struct {
        const char *ini;
        bool same;
    } rows[] = {
        {ACCOUNT LINK, true},
        {ACCOUNT "interval = 1h\n" LINK "max_delete = 5\n", true},
        {ACCOUNT "user = berta\n" LINK, false},
        {"[account nc]\nconnector = carddav\nurl = https://other.example.org/\n" LINK, false},
        {ACCOUNT "[link k]\na = contactbox:Kunden\nb = nc:freunde\n", false},
        {ACCOUNT "[link k]\na = contactbox:Freunde\nb = nc:kunden\n", false},
    };
    struct place first AUTO_PLACE = place_with(rows[0].ini);
    struct config *c AUTO_CONFIG = load(&first);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct place p AUTO_PLACE = place_with(rows[i].ini);
        struct config *other AUTO_CONFIG = load(&p);
        cr_expect_eq(strcmp(c->links[0].settings_hash, other->links[0].settings_hash) == 0, rows[i].same, "row %zu", i);
    }
}

Test(config, losers_of_two_remotes_are_not_kept_unless_asked)
{
    struct place p AUTO_PLACE =
        place_with(ACCOUNT "[account m]\nconnector = carddav\n"
                           "[link k]\na = nc:a\nb = m:b\n[link l]\na = nc:a\nb = m:c\nhistory = 1d\n");
    struct config *c AUTO_CONFIG = load(&p);
    cr_expect_eq(c->links[0].history_ms, 0);
    cr_expect_not(c->links[0].policy.history);
    cr_expect_eq(c->links[1].history_ms, CONFIG_DAY_MS);
    cr_expect(c->links[1].policy.history);
}

Test(config, secrets_from_file_command_and_credential)
{
    struct place p AUTO_PLACE = place_with("");
    put(&p, "pw", "ge heim\r\nsecond line\n");
    setenv("CREDENTIALS_DIRECTORY", p.folder, 1);
    struct buf file AUTO_BUF = BUF_INIT;
    buf_addf(&file, "file:%s/pw", p.folder);
    const struct {
        const char *secret, *password; /* NULL = FAULT_AUTH */
    } rows[] = {
        {buf_cstr(&file), "ge heim"}, {"credential:pw", "ge heim"}, {"command:echo 'a b'; echo c", "a b"},
        {"command:exit 3", NULL},     {"file:/nowhere/pw", NULL},   {"credential:none", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct config_account a = {.name = "x", .connector = "carddav", .secret = rows[i].secret};
        struct account out;
        struct fault f AUTO_FAULT = FAULT_INIT;
        enum fault_code code = config_account_open(&a, NULL, &out, &f);
        cr_expect_eq(code, rows[i].password ? FAULT_NONE : FAULT_AUTH, "row %zu: %s", i, f.what);
        if (rows[i].password && !code) cr_expect_str_eq(out.password, rows[i].password, "row %zu", i);
        config_account_wipe(&out);
        cr_expect_null(out.password);
    }
}

Test(config, durations)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1 = refused */
        const char *printed;
    } rows[] = {
        {"15m", 900000, "15m"},
        {"1h", 3600000, "1h"},
        {"90s", 90000, "90s"},
        {"60m", 3600000, "1h"},
        {"30d", 30 * CONFIG_DAY_MS, "30d"},
        {"2w", 14 * CONFIG_DAY_MS, "2w"},
        {"0", 0, "0"},
        {"15 m", 900000, "15m"},
        {"15", -1, NULL},
        {"m", -1, NULL},
        {"-5m", -1, NULL},
        {"1.5h", -1, NULL},
        {"99999999999999999d", -1, NULL},
        {"", -1, NULL},
        {"15M", 900000, "15m"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms = -1;
        struct buf printed AUTO_BUF = BUF_INIT;
        cr_expect_eq(config_parse_duration(str_of(rows[i].text), &ms), rows[i].ms >= 0, "%s", rows[i].text);
        if (rows[i].ms < 0) continue;
        cr_expect_eq(ms, rows[i].ms, "%s", rows[i].text);
        config_print_duration(ms, &printed);
        cr_expect_str_eq(buf_cstr(&printed), rows[i].printed);
    }
}

Test(config, sizes)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } rows[] = {{"512", 512}, {"64K", 65536}, {"20M", 20 << 20}, {"2g", (int64_t)2 << 30},
                {"x", -1},    {"5T", -1},     {"-1", -1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t bytes = -1;
        cr_expect_eq(config_parse_size(str_of(rows[i].text), &bytes), rows[i].bytes >= 0, "%s", rows[i].text);
        if (rows[i].bytes >= 0) cr_expect_eq(bytes, rows[i].bytes, "%s", rows[i].text);
    }
}

Test(config, distances)
{
    static const struct {
        const char *a, *b;
        size_t n;
    } rows[] = {{"sync", "sync", 0}, {"snyc", "sync", 1}, {"syn", "sync", 1}, {"syncc", "sync", 1},
                {"SYNC", "sync", 0}, {"", "abc", 3},      {"list", "lst", 1}, {"check", "conflicts", 7}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(edit_distance(str_of(rows[i].a), str_of(rows[i].b)), rows[i].n, "%s - %s: %zu", rows[i].a,
                     rows[i].b, edit_distance(str_of(rows[i].a), str_of(rows[i].b)));
}
