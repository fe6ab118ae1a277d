#include "core/match.h"

#include "base/buf.h"

#include <criterion/criterion.h>

/* Records are words: u=UID n=name o=company e=e-mail p=phone g (a group), records separated by '|'.
 * pairs: "a-b:rule ..."; ambiguous: "a-b:reasons ..."; same / different: "a-b ...". */
static const struct row {
    const char *what, *a, *b;
    const char *same, *different;
    const char *pairs, *ambiguous;
} rows[] = {
    {"nothing in common", "u=1 n=m e=x", "u=2 n=k e=y", "", "", "", ""},
    {"same UID", "u=1 n=m", "u=1 n=other", "", "", "0-0:1", ""},
    {"UID twice on one side", "u=1 n=m|u=1 n=k", "u=1 n=m", "", "", "", "0-0:67 1-0:65"},
    {"UID twice, e-mail does not help", "u=1 n=m e=x|u=1 n=k", "u=1 n=m e=x", "", "", "", "0-0:71 1-0:65"},
    {"name and e-mail", "n=m e=x", "n=m e=y e=x", "", "", "0-0:2", ""},
    {"name and phone", "n=m p=1 p=2", "n=m p=2", "", "", "0-0:3", ""},
    {"name and company", "n=m o=c", "n=m o=c", "", "", "0-0:4", ""},
    {"e-mail speaks louder", "n=m e=x p=1 o=c", "n=m e=x p=1 o=c", "", "", "0-0:2", ""},
    {"a company's card has one signal", "n=c o=c", "n=c o=c", "", "", "", "0-0:34"},
    {"a company's card with phone", "n=c o=c p=1", "n=c o=c p=1", "", "", "0-0:3", ""},
    {"name alone", "n=m e=x", "n=m e=y", "", "", "", "0-0:34"},
    {"e-mail alone", "n=m e=x", "n=k e=x", "", "", "", "0-0:36"},
    {"phone alone", "p=1", "p=1", "", "", "", "0-0:40"},
    {"e-mail and phone, other name", "n=bob e=x p=1", "n=robert e=x p=1", "", "", "", "0-0:12"},
    {"company alone is none", "n=m o=c", "n=k o=c", "", "", "", ""},
    {"a shared e-mail is none", "n=m e=x|n=k e=x", "n=f e=x", "", "", "", ""},
    {"shared on the other side", "n=m p=1", "n=f p=1|n=g p=1", "", "", "", ""},
    {"shared with one that has a partner", "u=1 n=m p=1|n=f p=1", "u=1 n=m|n=g p=1", "", "", "0-0:1", ""},
    {"shared, but with the name", "n=m e=x|n=k e=x", "n=k e=x", "", "", "1-0:2", ""},
    {"father and son", "n=m p=1|n=m p=1", "n=m p=1", "", "", "", "0-0:74 1-0:74"},
    {"two candidates by two signals", "n=m e=x p=1", "n=m e=x|n=m p=1", "", "", "", "0-0:70 0-1:74"},
    {"the same e-mail twice in a record is one", "n=m e=x e=x", "n=k e=x e=x", "", "", "", "0-0:36"},
    {"no signals", "", "", "", "", "", ""},
    {"said to be the same", "n=m|n=m", "n=k|n=m", "0-0", "", "0-0:0", "1-1:34"},
    {"said twice, the first holds", "n=m|n=k", "n=f", "1-0 0-0", "", "1-0:0", ""},
    {"said of records that are not there", "n=m", "n=f", "7-0 0-7", "", "", ""},
    {"said to be different, UID", "u=1 n=m e=x", "u=1 n=m e=x", "", "0-0", "", ""},
    {"said to be different leaves one", "n=m p=1|n=m p=1", "n=m p=1", "", "0-0", "1-0:3", ""},
    {"said both: different", "n=m", "n=f", "0-0", "0-0", "", ""},
    {"said of a UID's twins", "u=1|u=1", "u=1|u=1", "", "0-1 1-0", "0-0:1 1-1:1", ""},
    {"groups by name", "g n=team e=x", "g n=team e=y", "", "", "0-0:5", ""},
    {"groups by UID", "g u=1 n=team", "g u=1 n=squad", "", "", "0-0:1", ""},
    {"a group and a person", "g u=1 n=team e=x", "u=1 n=team e=x", "", "", "", ""},
    {"two groups of a name", "g n=team|g n=team", "g n=team", "", "", "", "0-0:66 1-0:66"},
    {"a UID beats what else is alike", "u=1 n=m e=x|n=m e=x", "u=1 n=m e=x|n=m e=x", "", "", "0-0:1 1-1:2", ""},
};

static uint64_t number_of(struct str s)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
    return h;
}

static struct match_record record_of(struct arena *arena, struct str words)
{
    struct match_record r = {.is_group = false};
    uint64_t *emails = arena_alloc(arena, (words.n + 1) * sizeof *emails),
             *phones = arena_alloc(arena, (words.n + 1) * 8);
    while (words.n) {
        struct str word = str_split(&words, ' '), value = {word.p + 2, word.n > 2 ? word.n - 2 : 0};
        if (word.n == 0) continue;
        uint64_t h = number_of(value);
        switch (word.p[0]) {
        case 'u':
            r.signals.uid = h;
            break;
        case 'n':
            r.signals.name = h;
            break;
        case 'o':
            r.signals.org = h;
            break;
        case 'e':
            emails[r.signals.n_emails++] = h;
            break;
        case 'p':
            phones[r.signals.n_phones++] = h;
            break;
        default:
            r.is_group = true;
        }
    }
    r.signals.emails = emails;
    r.signals.phones = phones;
    return r;
}

static const struct match_record *records_of(struct arena *arena, const char *text, size_t *n)
{
    struct str rest = str_of(text);
    struct match_record *list = arena_alloc(arena, (rest.n + 1) * sizeof *list);
    *n = 0;
    while (rest.p) list[(*n)++] = record_of(arena, str_split(&rest, '|'));
    return list;
}

static const struct match_remembered *couples_of(struct arena *arena, const char *text, bool mirrored, size_t *n)
{
    struct str rest = str_of(text);
    struct match_remembered *list = arena_alloc(arena, (rest.n + 1) * sizeof *list);
    *n = 0;
    while (rest.n) {
        struct str b = str_split(&rest, ' '), a = str_split(&b, '-');
        long long x = 0, y = 0;
        cr_assert(str_to_int64(a, &x) && str_to_int64(b, &y));
        list[(*n)++] = (struct match_remembered){(uint32_t)(mirrored ? y : x), (uint32_t)(mirrored ? x : y)};
    }
    return list;
}

static void input_make(struct arena *arena, const struct row *row, bool mirrored, struct match_input *in)
{
    in->records[mirrored] = records_of(arena, row->a, &in->n[mirrored]);
    in->records[!mirrored] = records_of(arena, row->b, &in->n[!mirrored]);
    in->same = couples_of(arena, row->same, mirrored, &in->n_same);
    in->different = couples_of(arena, row->different, mirrored, &in->n_different);
}

static int line_cmp(const void *x, const void *y)
{
    return strcmp(*(char *const *)x, *(char *const *)y);
}

/* "0-1:4 2-3:1", sorted by the unmirrored indexes. */
static const char *couples_text(struct arena *arena, const struct match_result *r, bool pairs, bool mirrored)
{
    size_t n = pairs ? r->n_pairs : r->n_ambiguous;
    char **lines = arena_alloc(arena, (n + 1) * sizeof *lines);
    for (size_t i = 0; i < n; i++) {
        uint32_t a = pairs ? r->pairs[i].a : r->ambiguous[i].a, b = pairs ? r->pairs[i].b : r->ambiguous[i].b;
        unsigned why = pairs ? (unsigned)r->pairs[i].rule : r->ambiguous[i].reasons;
        lines[i] = arena_printf(arena, "%u-%u:%u", mirrored ? b : a, mirrored ? a : b, why);
    }
    if (n) qsort(lines, n, sizeof *lines, line_cmp);
    struct buf out AUTO_BUF = BUF_INIT;
    for (size_t i = 0; i < n; i++) buf_addf(&out, "%s%s", i ? " " : "", lines[i]);
    return arena_strdup(arena, buf_str(&out));
}

Test(match, table_both_ways_round)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows * 2; i++) {
        const struct row *row = &rows[i / 2];
        bool mirrored = i & 1;
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct match_input in;
        struct match_result r;
        input_make(&arena, row, mirrored, &in);
        match_records(&arena, &in, &r);
        const char *pairs = couples_text(&arena, &r, true, mirrored),
                   *ambiguous = couples_text(&arena, &r, false, mirrored);
        cr_expect_str_eq(pairs, row->pairs, "%s%s: pairs %s", row->what, mirrored ? ", mirrored" : "", pairs);
        cr_expect_str_eq(ambiguous, row->ambiguous, "%s%s: ambiguous %s", row->what, mirrored ? ", mirrored" : "",
                         ambiguous);
        for (size_t k = 0; k < r.n_ambiguous; k++)
            cr_expect(r.waits[0][r.ambiguous[k].a] && r.waits[1][r.ambiguous[k].b], "%s", row->what);
        for (size_t k = 0; k < r.n_pairs; k++)
            cr_expect_not(r.waits[0][r.pairs[k].a] || r.waits[1][r.pairs[k].b], "%s", row->what);
    }
}

/* n records of A and of B with equal words. */
static void many(struct arena *arena, const char *words, size_t n, struct match_result *r)
{
    struct match_record *list = arena_alloc(arena, n * sizeof *list);
    for (size_t i = 0; i < n; i++) list[i] = record_of(arena, str_of(words));
    struct match_input in = {.records = {list, list}, .n = {n, n}};
    match_records(arena, &in, r);
}

Test(match, a_key_of_many_names_nobody)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct match_result r;
    many(&arena, "n=info e=x", MATCH_CANDIDATES_MAX + 1, &r);
    cr_expect_eq(r.n_pairs + r.n_ambiguous, 0u);
    cr_expect_not(r.waits[0][0]);
    many(&arena, "n=info e=x", MATCH_CANDIDATES_MAX, &r);
    cr_expect_eq(r.n_ambiguous, (size_t)MATCH_CANDIDATES_MAX * MATCH_CANDIDATES_MAX);
    cr_expect(r.waits[0][0] && r.waits[1][7]);
}

/* Those that found each other by UID count as holders of the name. */
Test(match, holders_with_a_partner_count)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct match_record list[MATCH_CANDIDATES_MAX + 1];
    for (int i = 0; i < MATCH_CANDIDATES_MAX; i++)
        list[i] = record_of(&arena, str_of(arena_printf(&arena, "u=%d n=info", i)));
    list[MATCH_CANDIDATES_MAX] = record_of(&arena, STR("n=info"));
    struct match_input in = {.records = {list, list}, .n = {MATCH_CANDIDATES_MAX + 1, MATCH_CANDIDATES_MAX + 1}};
    struct match_result r;
    match_records(&arena, &in, &r);
    cr_expect_eq(r.n_pairs, (size_t)MATCH_CANDIDATES_MAX);
    cr_expect_eq(r.n_ambiguous, 0u);
}

/* A record of such a UID waits even if it is not listed and something else would name it. */
Test(match, a_uid_of_many_outweighs_a_name)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    enum { MANY = MATCH_CANDIDATES_MAX + 1 };
    struct match_record a[MANY + 1], b[MANY];
    for (int i = 0; i < MANY; i++) {
        a[i] = record_of(&arena, str_of(arena_printf(&arena, "u=1 n=a%d", i)));
        b[i] = record_of(&arena, str_of(arena_printf(&arena, "u=1 n=b%d e=b%d", i, i)));
    }
    for (int i = 0; i < MANY; i++) {
        a[MANY] = record_of(&arena, str_of(arena_printf(&arena, "u=2 n=b%d e=b%d", i, i)));
        struct match_input in = {.records = {a, b}, .n = {MANY + 1, MANY}};
        struct match_result r;
        match_records(&arena, &in, &r);
        cr_expect_eq(r.n_pairs, 0u, "record %d of B", i);
        cr_expect(r.waits[SIDE_B][i], "record %d of B", i);
    }
}

/* A UID should name one record: where it does not, all wait, however many there are. */
Test(match, a_uid_of_many_waits)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct match_result r;
    enum { MANY = 3000 };
    many(&arena, "u=1 n=info e=x", MANY, &r);
    cr_expect_eq(r.n_pairs, 0u);
    cr_expect_eq(r.n_ambiguous, (size_t)MANY * MATCH_LISTED_PER_RECORD);
    for (size_t i = 0; i < MANY; i++) cr_assert(r.waits[0][i] && r.waits[1][i], "record %zu", i);
}

Test(match, empty_sides)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct match_result r;
    struct match_input in = {.records = {NULL, NULL}};
    match_records(&arena, &in, &r);
    cr_expect_eq(r.n_pairs + r.n_ambiguous, 0u);
    struct match_record one = record_of(&arena, STR("u=1"));
    in.records[SIDE_A] = &one;
    in.n[SIDE_A] = 1;
    match_records(&arena, &in, &r);
    cr_expect_eq(r.n_pairs + r.n_ambiguous, 0u);
}

Test(match, reasons_in_words)
{
    static const struct {
        unsigned reasons;
        const char *text;
    } cases[] = {
        {MATCH_FOR_NAME | MATCH_AGAINST_ONE_SIGNAL, "same name, but nothing else agrees"},
        {MATCH_FOR_NAME | MATCH_FOR_PHONE | MATCH_AGAINST_SEVERAL,
         "same name, same phone number, but more than one record could be meant"},
        {MATCH_FOR_EMAIL | MATCH_FOR_PHONE, "same e-mail address, same phone number, but another name"},
        {MATCH_FOR_EMAIL | MATCH_AGAINST_ONE_SIGNAL | MATCH_AGAINST_SEVERAL,
         "same e-mail address, but nothing else agrees, and more than one record could be meant"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out AUTO_BUF = BUF_INIT;
        match_reason_text(cases[i].reasons, &out);
        cr_expect_str_eq(buf_cstr(&out), cases[i].text);
    }
    for (int i = MATCH_REMEMBERED; i <= MATCH_GROUP_NAME; i++) cr_expect_not_null(match_rule_text((enum match_rule)i));
}
