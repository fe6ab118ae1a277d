#include "core/policy.h"

static const struct {
    enum mode mode;
    const char *word, *import;
} modes[] = {
    {MODE_IMPORT_ERGAENZEN, "import", "ergaenzen"},
    {MODE_IMPORT_AKTUALISIEREN, "import", "aktualisieren"},
    {MODE_IMPORT_NEU_ANLEGEN, "import", "neu-anlegen"},
    {MODE_ONE_WAY, "one-way", NULL},
    {MODE_TWO_WAY, "two-way", NULL},
};
enum { N_MODES = sizeof modes / sizeof *modes };

static const char *const authorities[] = {
    [AUTHORITY_CONTACTBOX] = "contactbox",
    [AUTHORITY_SERVER] = "server",
    [AUTHORITY_NEU_ANLEGEN] = "neu-anlegen",
};
enum { N_AUTHORITIES = sizeof authorities / sizeof *authorities };

/* contactbox 3, column by column: who wins, and where the row may write. */
static const struct {
    const char *name;
    enum side winner;
    bool writes[2];
} rows[POLICY_ROWS] = {
    [POLICY_ADD] = {"import/ergaenzen", SIDE_B, {true, false}},
    [POLICY_UPDATE] = {"import/aktualisieren", SIDE_B, {true, false}},
    [POLICY_RECREATE] = {"import/neu-anlegen", SIDE_B, {true, false}},
    [POLICY_ONE_WAY] = {"one-way", SIDE_A, {false, true}},
    [POLICY_TWO_WAY_A] = {"two-way/contactbox", SIDE_A, {true, true}},
    [POLICY_TWO_WAY_B] = {"two-way/server", SIDE_B, {true, true}},
    [POLICY_TWO_WAY_RECREATE] = {"two-way/neu-anlegen", SIDE_B, {true, false}},
};

static enum policy_row two_way_row(enum authority authority, bool first_run)
{
    if (authority == AUTHORITY_CONTACTBOX) return POLICY_TWO_WAY_A;
    return authority == AUTHORITY_NEU_ANLEGEN && first_run ? POLICY_TWO_WAY_RECREATE : POLICY_TWO_WAY_B;
}

enum policy_row policy_row(const struct policy *p, bool first_run)
{
    switch (p->mode) {
    case MODE_IMPORT_ERGAENZEN:
        return POLICY_ADD;
    case MODE_IMPORT_AKTUALISIEREN:
        return POLICY_UPDATE;
    case MODE_IMPORT_NEU_ANLEGEN:
        return POLICY_RECREATE;
    case MODE_ONE_WAY:
        return POLICY_ONE_WAY;
    case MODE_TWO_WAY:
        break;
    }
    return two_way_row(p->authority, first_run);
}

const char *policy_mode_key(const struct policy *p)
{
    bool recreates = p->mode == MODE_TWO_WAY && p->authority == AUTHORITY_NEU_ANLEGEN;
    return recreates || p->mode < MODE_ONE_WAY ? policy_row_name(policy_row(p, true)) : policy_mode_word(p);
}

bool policy_is_switched(const struct policy *p, const char *then)
{
    const char *now = policy_mode_key(p);
    bool within_two_way = p->mode == MODE_TWO_WAY && str_starts(str_of(then), str_of(now));
    return strcmp(now, then) != 0 && !within_two_way;
}

const char *policy_row_name(enum policy_row row)
{
    return rows[row].name;
}

enum side policy_winner(enum policy_row row)
{
    return rows[row].winner;
}

bool policy_writes(enum policy_row row, enum side side)
{
    return rows[row].writes[side];
}

bool policy_set_mode(struct policy *p, struct str mode, struct str import)
{
    for (size_t i = 0; i < N_MODES; i++) {
        if (!str_eq_nocase(mode, str_of(modes[i].word))) continue;
        /* The first row of a word is what it means alone. */
        bool fits = !import.p || (modes[i].import && str_eq_nocase(import, str_of(modes[i].import)));
        if (!fits) continue;
        p->mode = modes[i].mode;
        return true;
    }
    return false;
}

bool policy_set_authority(struct policy *p, struct str authority)
{
    for (size_t i = 0; i < N_AUTHORITIES; i++) {
        if (!str_eq_nocase(authority, str_of(authorities[i]))) continue;
        p->authority = (enum authority)i;
        return true;
    }
    return false;
}

/* One word of max_delete: "25" or "10%", each once. */
static bool limit_read(struct str word, bool seen[2], uint32_t limits[2])
{
    bool percent = str_ends(word, STR("%"));
    long long value = 0;
    if (percent) word.n--;
    if (!str_to_int64(word, &value) || value < 0 || value > (percent ? 100 : UINT32_MAX) || seen[percent]) return false;
    seen[percent] = true;
    limits[percent] = (uint32_t)value;
    return true;
}

bool policy_set_max_delete(struct policy *p, struct str text)
{
    bool seen[2] = {false, false};
    uint32_t limits[2] = {0, 0};
    struct str rest = str_trim(text);
    while (rest.p && rest.n) {
        struct str word = str_split(&rest, ' ');
        if (word.n && !limit_read(word, seen, limits)) return false;
    }
    if (!seen[0] && !seen[1]) return false;
    p->max_delete_count = limits[0];
    p->max_delete_percent = limits[1];
    return true;
}

const char *policy_mode_word(const struct policy *p)
{
    return modes[p->mode].word;
}

const char *policy_import_word(const struct policy *p)
{
    return modes[p->mode].import;
}

const char *policy_authority_word(const struct policy *p)
{
    return authorities[p->authority];
}

static const char *const strategies[] = {[DELETE_NEVER] = "never", [DELETE_TRACKED] = "tracked", [DELETE_MIRROR] = "mirror", [DELETE_WIPE] = "wipe"};

bool policy_set_strategy(struct policy *p, struct str text)
{
    for (size_t i = 0; i < sizeof strategies / sizeof *strategies; i++) {
        if (!str_eq_nocase(text, str_of(strategies[i]))) continue;
        p->strategy = (enum strategy)i;
        return true;
    }
    return false;
}

const char *policy_strategy_word(const struct policy *p)
{
    return strategies[p->strategy];
}
