#include "core/policy.h"

#include <criterion/criterion.h>

Test(policy, words_of_modes)
{
    static const struct {
        const char *mode, *import;
        bool ok;
        enum mode want;
        const char *back;
    } rows[] = {
        {"import", NULL, true, MODE_IMPORT_ERGAENZEN, "ergaenzen"},
        {"Import", "Aktualisieren", true, MODE_IMPORT_AKTUALISIEREN, "aktualisieren"},
        {"import", "neu-anlegen", true, MODE_IMPORT_NEU_ANLEGEN, "neu-anlegen"},
        {"import", "ergaenzen", true, MODE_IMPORT_ERGAENZEN, "ergaenzen"},
        {"one-way", NULL, true, MODE_ONE_WAY, NULL},
        {"TWO-WAY", NULL, true, MODE_TWO_WAY, NULL},
        {"two-way", "ergaenzen", false, 0, NULL},
        {"import", "", false, 0, NULL},
        {"import", "neu", false, 0, NULL},
        {"twoway", NULL, false, 0, NULL},
        {NULL, NULL, false, 0, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct policy p = POLICY_INIT;
        p.mode = MODE_ONE_WAY;
        cr_expect_eq(policy_set_mode(&p, str_of(rows[i].mode), str_of(rows[i].import)), rows[i].ok, "row %zu", i);
        cr_expect_eq(p.mode, rows[i].ok ? rows[i].want : MODE_ONE_WAY, "row %zu", i);
        if (!rows[i].ok) continue;
        cr_expect(str_eq_nocase(str_of(policy_mode_word(&p)), str_of(rows[i].mode)), "row %zu", i);
        cr_expect(str_eq(str_of(policy_import_word(&p)), str_of(rows[i].back)), "row %zu", i);
    }
}

Test(policy, words_of_authorities)
{
    static const char *const words[] = {"contactbox", "server", "neu-anlegen"};
    for (size_t i = 0; i < 3; i++) {
        struct policy p = POLICY_INIT;
        cr_expect(policy_set_authority(&p, str_of(words[i])));
        cr_expect_eq((size_t)p.authority, i);
        cr_expect_str_eq(policy_authority_word(&p), words[i]);
    }
    struct policy p = POLICY_INIT;
    cr_expect_not(policy_set_authority(&p, STR("client")));
    cr_expect_not(policy_set_authority(&p, STR_NONE));
    cr_expect_eq(p.authority, AUTHORITY_CONTACTBOX);
}

Test(policy, max_delete)
{
    static const struct {
        const char *text;
        bool ok;
        uint32_t count, percent;
    } rows[] = {
        {"25", true, 25, 0},         {"10%", true, 0, 10},
        {"25 10%", true, 25, 10},    {" 10%  25 ", true, 25, 10},
        {"0", true, 0, 0},           {"100%", true, 0, 100},
        {"101%", false, 0, 0},       {"-1", false, 0, 0},
        {"", false, 0, 0},           {" ", false, 0, 0},
        {"25 26", false, 0, 0},      {"%", false, 0, 0},
        {"10 %", false, 0, 0},       {"x", false, 0, 0},
        {"1% 2%", false, 0, 0},      {"4294967295", true, 4294967295u, 0},
        {"4294967296", false, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct policy p = POLICY_INIT;
        cr_expect_eq(policy_set_max_delete(&p, str_of(rows[i].text)), rows[i].ok, "row '%s'", rows[i].text);
        cr_expect_eq(p.max_delete_count, rows[i].ok ? rows[i].count : DEFAULT_MAX_DELETE_COUNT, "row '%s'",
                     rows[i].text);
        cr_expect_eq(p.max_delete_percent, rows[i].ok ? rows[i].percent : DEFAULT_MAX_DELETE_PERCENT, "row '%s'",
                     rows[i].text);
    }
}

Test(policy, rows_of_the_behaviour_table)
{
    static const struct {
        enum mode mode;
        enum authority authority;
        bool first_run;
        enum policy_row want;
        const char *name;
        enum side winner;
        bool writes_a, writes_b;
    } rows[] = {
        {MODE_IMPORT_ERGAENZEN, 0, true, POLICY_ADD, "import/ergaenzen", SIDE_B, true, false},
        {MODE_IMPORT_AKTUALISIEREN, 0, false, POLICY_UPDATE, "import/aktualisieren", SIDE_B, true, false},
        {MODE_IMPORT_NEU_ANLEGEN, 0, false, POLICY_RECREATE, "import/neu-anlegen", SIDE_B, true, false},
        {MODE_ONE_WAY, AUTHORITY_SERVER, true, POLICY_ONE_WAY, "one-way", SIDE_A, false, true},
        {MODE_TWO_WAY, AUTHORITY_CONTACTBOX, true, POLICY_TWO_WAY_A, "two-way/contactbox", SIDE_A, true, true},
        {MODE_TWO_WAY, AUTHORITY_SERVER, true, POLICY_TWO_WAY_B, "two-way/server", SIDE_B, true, true},
        {MODE_TWO_WAY, AUTHORITY_NEU_ANLEGEN, true, POLICY_TWO_WAY_RECREATE, "two-way/neu-anlegen", SIDE_B, true,
         false},
        {MODE_TWO_WAY, AUTHORITY_NEU_ANLEGEN, false, POLICY_TWO_WAY_B, "two-way/server", SIDE_B, true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct policy p = POLICY_INIT;
        p.mode = rows[i].mode;
        p.authority = rows[i].authority;
        enum policy_row row = policy_row(&p, rows[i].first_run);
        cr_expect_eq(row, rows[i].want, "row %zu", i);
        cr_expect_str_eq(policy_row_name(row), rows[i].name, "row %zu", i);
        cr_expect_eq(policy_winner(row), rows[i].winner, "row %zu", i);
        cr_expect_eq(policy_writes(row, SIDE_A), rows[i].writes_a, "row %zu", i);
        cr_expect_eq(policy_writes(row, SIDE_B), rows[i].writes_b, "row %zu", i);
    }
}

/* A11: which change of a link's settings makes its next run a first one. */
Test(policy, another_mode)
{
    static const struct {
        const char *then, *mode, *import, *authority;
        bool switched;
    } rows[] = {
        {"two-way", "two-way", NULL, "server", false},
        {"two-way", "two-way", NULL, "neu-anlegen", true},
        {"two-way/neu-anlegen", "two-way", NULL, "server", false},
        {"two-way/neu-anlegen", "two-way", NULL, "neu-anlegen", false},
        {"two-way", "one-way", NULL, "contactbox", true},
        {"one-way", "two-way", NULL, "contactbox", true},
        {"import/ergaenzen", "import", "ergaenzen", "contactbox", false},
        {"import/ergaenzen", "import", "aktualisieren", "contactbox", true},
        {"import/ergaenzen", "two-way", NULL, "contactbox", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct policy p = POLICY_INIT;
        cr_expect(policy_set_mode(&p, str_of(rows[i].mode), str_of(rows[i].import)));
        cr_expect(policy_set_authority(&p, str_of(rows[i].authority)));
        cr_expect_eq(policy_is_switched(&p, rows[i].then), rows[i].switched, "row %zu", i);
    }
}
