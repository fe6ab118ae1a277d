/* What the engine remembers: journal rows, link states, intents, pending records, decisions, reviews, held plans, settings. */
#include "state/journal.h"
#include "state/pending.h"
#include "state/settings.h"
#include "tests/unit/state_fixture.h"

static const struct print some_prints[] = {{1, 10, 1, 0}, {2, 20, 2, 1}, {3, UINT64_MAX, 3, PRINT_UNPAIRED}};
static const struct print other_prints[] = {{1, 11, 1, 0}, {2, 20, 2, 1}};

static struct fingerprint prints_of(const struct print *prints, uint32_t n)
{
    return (struct fingerprint){NORMALISER_VERSION, n, prints};
}

static bool is_same(const struct fingerprint *x, const struct fingerprint *y)
{
    if (x->version != y->version || x->n != y->n) return false;
    for (uint32_t i = 0; i < x->n; i++)
        if (x->prints[i].key != y->prints[i].key || x->prints[i].value != y->prints[i].value || x->prints[i].pair != y->prints[i].pair)
            return false;
    return true;
}

static int64_t put(struct world *w, const char *link, const char *a, const char *b)
{
    struct journal_row row = {.id = {str_of(a), str_of(b)}, .version = {STR("1"), STR("\"etag\"")}};
    expect_ok(w, journal_put(w->db, link, &row, &w->fault));
    return row.row;
}

Test(journal, rows_come_back_whole)
{
    const struct fingerprint some = prints_of(some_prints, 3), other = prints_of(other_prints, 2), none = {0};
    const struct {
        const char *name, *id[2], *version[2];
        struct fingerprint base[2];
        unsigned flags;
    } rows[] = {
        {"both the same", {"a1", "b1"}, {"1", "e1"}, {some, some}, JOURNAL_ADOPTED},
        {"different", {"a2", "b2"}, {"1", "e1"}, {some, other}, JOURNAL_CREATED_A | JOURNAL_CREATED_B},
        {"none at all", {"a3", "b3"}, {NULL, NULL}, {none, none}, 0},
        {"A only", {"a4", NULL}, {"7", NULL}, {some, none}, JOURNAL_DELETED_HERE},
        {"B only", {NULL, "/dav/ä b.vcf"}, {NULL, ""}, {none, some}, 0},
        {"no element", {"a6", "b6"}, {"1", "2"}, {prints_of(NULL, 0), prints_of(NULL, 0)}, 0},
    };
    struct world w AUTO_WORLD;
    world_start(&w);
    int64_t numbers[sizeof rows / sizeof *rows];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct journal_row row = {.flags = rows[i].flags, .base = {rows[i].base[0], rows[i].base[1]}};
        for (int s = 0; s < 2; s++) {
            row.id[s] = str_of(rows[i].id[s]);
            row.version[s] = str_of(rows[i].version[s]);
        }
        expect_ok(&w, journal_put(w.db, "kunden", &row, &w.fault));
        numbers[i] = row.row;
    }
    world_close(&w);
    expect_ok(&w, world_open(&w, DB_EXISTING));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct journal_row row;
        cr_assert(journal_get(w.db, "kunden", numbers[i], &w.arena, &row), "row %s", rows[i].name);
        cr_expect_eq(row.flags, rows[i].flags, "row %s", rows[i].name);
        for (unsigned s = 0; s < 2; s++) {
            expect_str(row.id[s], rows[i].id[s]);
            expect_str(row.version[s], rows[i].version[s]);
            cr_expect_eq(row.version[s].p == NULL, rows[i].version[s] == NULL, "row %s side %u", rows[i].name, s);
            cr_expect(is_same(&row.base[s], &rows[i].base[s]), "row %s side %u", rows[i].name, s);
            cr_expect_eq(journal_find(w.db, "kunden", s, row.id[s]), row.id[s].p ? numbers[i] : 0, "row %s side %u", rows[i].name, s);
        }
    }
    cr_expect_eq(journal_count(w.db, "kunden"), (int64_t)(sizeof rows / sizeof *rows));
}

Test(journal, links_are_apart)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    int64_t one = put(&w, "one", "a", "b"), two = put(&w, "two", "a", "b");
    struct journal_row row;
    cr_expect_neq(one, two);
    cr_expect_eq(journal_find(w.db, "one", 0, STR("a")), one);
    cr_expect_eq(journal_find(w.db, "two", 1, STR("b")), two);
    cr_expect_not(journal_get(w.db, "one", two, &w.arena, &row));
    expect_ok(&w, journal_delete(w.db, "one", two, &w.fault));
    cr_expect(journal_get(w.db, "two", two, &w.arena, &row));
    cr_expect_eq(journal_find(w.db, "three", 0, STR("a")), 0);
    expect_ok(&w, journal_wipe(w.db, "one", &w.fault));
    cr_expect_eq(journal_count(w.db, "one"), 0);
    cr_expect_eq(journal_count(w.db, "two"), 1);
}

Test(journal, an_id_belongs_to_one_row)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    put(&w, "one", "a", "b");
    expect_ok(&w, db_begin(w.db, &w.fault));
    struct journal_row row = {.id = {STR("c"), STR("b")}};
    expect_fault(&w, journal_put(w.db, "one", &row, &w.fault), FAULT_EXISTS, "already");
    expect_fault(&w, db_commit(w.db, &w.fault), FAULT_EXISTS, "already");
    cr_expect_eq(journal_count(w.db, "one"), 1);
}

Test(journal, changes_in_place)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    int64_t no = put(&w, "one", "a", "b");
    struct journal_row row = {.row = no, .id = {STR("a"), STR("b2")}, .base = {prints_of(some_prints, 3), prints_of(other_prints, 2)}};
    expect_ok(&w, journal_put(w.db, "one", &row, &w.fault));
    cr_expect_eq(row.row, no);
    expect_ok(&w, journal_set_version(w.db, "one", no, 1, STR("v2"), &w.fault));
    expect_ok(&w, journal_set_flags(w.db, "one", no, JOURNAL_ADOPTED, &w.fault));
    expect_ok(&w, journal_set_flags(w.db, "two", no, JOURNAL_CREATED_A, &w.fault));
    cr_assert(journal_get(w.db, "one", no, &w.arena, &row));
    expect_str(row.id[1], "b2");
    expect_str(row.version[0], NULL);
    expect_str(row.version[1], "v2");
    cr_expect_eq(row.flags, JOURNAL_ADOPTED);
    cr_expect_eq(row.base[0].n, 3u);
    cr_expect_eq(journal_find(w.db, "one", 1, STR("b")), 0);
    expect_ok(&w, journal_delete(w.db, "one", no, &w.fault));
    cr_expect_not(journal_get(w.db, "one", no, &w.arena, &row));
    row = (struct journal_row){.row = no, .id = {STR("a"), STR("b")}};
    expect_fault(&w, journal_put(w.db, "one", &row, &w.fault), FAULT_GONE, "no journal row");
    cr_expect_gt(put(&w, "one", "a", "b"), no, "a number is not given twice");
}

static void count_version(void *ctx, int64_t row, struct str id, struct str version)
{
    cr_expect(row > 0 && id.n == 3 && version.n > 0);
    ++*(int *)ctx;
}

static void count_row(void *ctx, int64_t row)
{
    (void)row;
    ++*(int *)ctx;
}

Test(journal, each_names_only_what_a_side_has)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    for (int i = 100; i < 150; i++) {
        char *id = arena_printf(&w.arena, "%d", i);
        put(&w, "one", id, i % 2 ? id : NULL);
        put(&w, "two", id, id);
    }
    int a = 0, b = 0, all = 0;
    expect_ok(&w, journal_each_version(w.db, "one", 0, count_version, &a, &w.fault));
    expect_ok(&w, journal_each_version(w.db, "one", 1, count_version, &b, &w.fault));
    expect_ok(&w, journal_each_row(w.db, "one", count_row, &all, &w.fault));
    cr_expect_eq(a, 50);
    cr_expect_eq(b, 25);
    cr_expect_eq(all, 50);
    struct str *names;
    cr_assert_eq(journal_links(w.db, &w.arena, &names), 2u);
    expect_str(names[0], "one");
    expect_str(names[1], "two");
}

Test(journal, forgotten_link_leaves_nothing)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    put(&w, "one", "a", "b");
    expect_ok(&w, decision_put(w.db, "one", STR("a"), STR("c"), DECISION_DIFFERENT, &w.fault));
    expect_ok(&w, held_put(w.db, "one", "hash", "too many", 1, &w.fault));
    expect_ok(&w, journal_wipe(w.db, "one", &w.fault));
    cr_expect_eq(decision_get(w.db, "one", STR("a"), STR("c")), DECISION_DIFFERENT, "a wipe keeps decisions");
    expect_ok(&w, journal_forget_link(w.db, "one", &w.fault));
    struct str *names;
    struct held held;
    cr_expect_eq(journal_links(w.db, &w.arena, &names), 0u);
    cr_expect_not(held_get(w.db, "one", &w.arena, &held));
    put(&w, "new", "a", "b");
    put(&w, "one", "a", "b");
    cr_expect_eq(decision_get(w.db, "one", STR("a"), STR("c")), DECISION_NONE);
}

Test(journal, name_number_is_not_kept_after_a_rollback)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    expect_ok(&w, db_begin(w.db, &w.fault));
    put(&w, "one", "a", "b");
    db_rollback(w.db);
    cr_expect_eq(db_name_number(w.db, "one", false), 0);
    put(&w, "two", "a", "b");
    put(&w, "one", "a", "b");
    cr_expect_eq(journal_count(w.db, "one"), 1);
    cr_expect_eq(journal_count(w.db, "two"), 1);
}

/* Row numbers are reserved by the dozen: a reservation that was rolled back belongs to whoever comes next. */
Test(journal, numbers_reserved_in_vain_are_not_used)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    int64_t first = put(&w, "one", "first", "first");
    for (int i = 0; i < 63; i++) put(&w, "one", arena_printf(&w.arena, "%d", i), NULL);
    expect_ok(&w, db_begin(w.db, &w.fault));
    put(&w, "one", "lost", NULL);
    db_rollback(w.db);
    struct db *mine = w.db;
    expect_ok(&w, db_open(w.path, DB_EXISTING, &w.env, &w.db, &w.fault));
    put(&w, "one", "theirs too", NULL);
    int64_t theirs = put(&w, "one", "theirs", NULL);
    db_close(w.db);
    w.db = mine;
    int64_t ours = put(&w, "one", "ours", NULL);
    cr_expect(first != theirs && theirs != ours);
    cr_expect_eq(journal_count(w.db, "one"), 67);
}

Test(link_state, comes_back_whole)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    struct link_state s;
    expect_ok(&w, link_state_load(w.db, "one", &s, &w.fault));
    cr_expect_not(s.known);
    const struct link_state saved = {.token = {"17", NULL}, .identity = {"contactbox:1", "https://x/"}, .settings_hash = "h", .normaliser = 1,
                                     .first_run_done = true, .last_full_ms = {1, 2}, .last_run_ms = 3, .records = {4, 5}};
    expect_ok(&w, link_state_save(w.db, "one", &saved, &w.fault));
    for (int round = 0; round < 2; round++) {
        expect_ok(&w, link_state_load(w.db, "one", &s, &w.fault));
        cr_expect(s.known && s.first_run_done && !s.token[1]);
        cr_expect_str_eq(s.token[0], "17");
        cr_expect_str_eq(s.identity[1], "https://x/");
        cr_expect_str_eq(s.settings_hash, "h");
        cr_expect(s.last_full_ms[0] == 1 && s.last_full_ms[1] == 2 && s.last_run_ms == 3 && s.records[0] == 4 && s.records[1] == 5);
        expect_ok(&w, link_state_save(w.db, "one", &s, &w.fault));
        link_state_free(&s);
    }
    cr_expect_null(s.token[0]);
}

static void see_intent(void *ctx, const struct intent *in)
{
    int *n = ctx;
    const char *const ids[] = {"new.vcf", "old.vcf"};
    expect_str(in->id, ids[*n]);
    expect_str(in->version, *n ? "\"e\"" : NULL);
    expect_str(in->source_id, *n ? NULL : "a1");
    cr_expect(in->side == 1 && in->kind == (unsigned)*n && in->run == 9 && in->time_ms == 1700000000000);
    cr_expect_eq(in->content, *n ? 0 : UINT64_MAX - 3);
    ++*n;
}

Test(intent, is_open_until_closed)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    struct intent in[] = {{.side = 1, .kind = 0, .id = STR("new.vcf"), .source_id = STR("a1"), .content = UINT64_MAX - 3, .run = 9},
                          {.side = 1, .kind = 1, .id = STR("old.vcf"), .version = STR("\"e\""), .row = 5, .run = 9}};
    expect_ok(&w, intent_add(w.db, "one", in, 2, &w.fault));
    cr_expect(in[0].no > 0 && in[1].no > in[0].no);
    int n = 0;
    expect_ok(&w, intent_each(w.db, "one", see_intent, &n, &w.fault));
    cr_expect_eq(n, 2);
    cr_expect_eq(intent_count(w.db, "two"), 0);
    expect_ok(&w, intent_close(w.db, in[0].no, &w.fault));
    cr_expect_eq(intent_count(w.db, "one"), 1);
    expect_ok(&w, intent_close_all(w.db, "one", &w.fault));
    cr_expect_eq(intent_count(w.db, "one"), 0);
}

static void see_pending(void *ctx, unsigned side, struct str id)
{
    cr_expect(side == 1 && id.n > 0);
    ++*(int *)ctx;
}

Test(pending, counts_tries_and_keeps_the_first_time)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    struct pending p = {.side = 1, .id = STR("x.vcf"), .title = STR("Özdemir"), .reason = FAULT_REFUSED, .text = STR("no"), .content = STR("c1")};
    for (int i = 0; i < 3; i++) {
        expect_ok(&w, pending_put(w.db, "one", &p, &w.fault));
        w.now_ms += 1000;
    }
    p.id = STR("y.vcf");
    p.content = STR_NONE;
    expect_ok(&w, pending_put(w.db, "one", &p, &w.fault));
    struct pending got;
    cr_assert(pending_get(w.db, "one", 1, STR("x.vcf"), &w.arena, &got));
    cr_expect(got.tries == 3 && got.first_seen_ms == 1700000000000 && got.reason == FAULT_REFUSED);
    expect_str(got.title, "Özdemir");
    expect_str(got.content, "c1");
    cr_expect_not(pending_get(w.db, "one", 0, STR("x.vcf"), &w.arena, &got));
    int n = 0;
    expect_ok(&w, pending_each(w.db, "one", see_pending, &n, &w.fault));
    cr_expect_eq(n, 2);
    expect_ok(&w, pending_remove(w.db, "one", 1, STR("x.vcf"), &w.fault));
    cr_expect_eq(pending_count(w.db, "one"), 1);
}

Test(decision, is_remembered_and_taken_back)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    static const enum decision steps[] = {DECISION_SAME, DECISION_DIFFERENT, DECISION_NONE};
    for (size_t i = 0; i < 3; i++) {
        expect_ok(&w, decision_put(w.db, "one", STR("a"), STR("b"), steps[i], &w.fault));
        cr_expect_eq(decision_get(w.db, "one", STR("a"), STR("b")), steps[i]);
        cr_expect_eq(decision_get(w.db, "one", STR("b"), STR("a")), DECISION_NONE);
        cr_expect_eq(decision_get(w.db, "two", STR("a"), STR("b")), DECISION_NONE);
    }
}

static void see_review(void *ctx, const struct review *r)
{
    expect_str(r->id_a, "a");
    expect_str(r->title_b, "B");
    cr_expect_eq(r->time_ms, 1700000000000);
    ++*(int *)ctx;
}

Test(review, is_listed_until_removed)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    const struct review r = {.id_a = STR("a"), .id_b = STR("b"), .title_a = STR("A"), .title_b = STR("B"), .reason = STR("name only")};
    expect_ok(&w, review_add(w.db, "one", &r, &w.fault));
    int n = 0;
    expect_ok(&w, review_each(w.db, "one", see_review, &n, &w.fault));
    cr_expect_eq(n, 1);
    expect_ok(&w, review_remove(w.db, "one", STR("a"), STR("x"), &w.fault));
    cr_expect_eq(review_count(w.db, "one"), 1);
    expect_ok(&w, review_remove(w.db, "one", STR("a"), STR("b"), &w.fault));
    cr_expect_eq(review_count(w.db, "one"), 0);
}

Test(held, approval_is_for_exactly_one_plan)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    struct held h, *list;
    expect_ok(&w, held_put(w.db, "one", "plan1", "deletes 40 of 50", 3, &w.fault));
    expect_fault(&w, held_approve(w.db, "one", "plan2", &w.fault), FAULT_USAGE, "holds no plan plan2");
    expect_ok(&w, held_approve(w.db, "one", "plan1", &w.fault));
    cr_assert(held_get(w.db, "one", &w.arena, &h));
    cr_expect(h.approved && h.run == 3);
    expect_ok(&w, held_put(w.db, "one", "plan1", "deletes 40 of 50", 4, &w.fault));
    cr_assert(held_get(w.db, "one", &w.arena, &h));
    cr_expect(h.approved, "the same plan held again stays approved");
    expect_ok(&w, held_put(w.db, "one", "plan2", "deletes 41 of 50", 5, &w.fault));
    cr_assert_eq(held_list(w.db, &w.arena, &list), 1u);
    cr_expect_not(list[0].approved, "another plan is not");
    expect_str(list[0].link, "one");
    expect_str(list[0].plan, "plan2");
    expect_ok(&w, held_clear(w.db, "one", &w.fault));
    cr_expect_not(held_get(w.db, "one", &w.arena, &h));
}

Test(settings, key_is_made_once_and_damage_is_told)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    struct hash_key first, again;
    expect_ok(&w, settings_hash_key(w.db, &first, &w.fault));
    world_close(&w);
    expect_ok(&w, world_open(&w, DB_EXISTING));
    expect_ok(&w, settings_hash_key(w.db, &again, &w.fault));
    cr_expect_eq(memcmp(&first, &again, sizeof first), 0);
    expect_ok(&w, setting_set(w.db, "hash-key", STR("short"), &w.fault));
    expect_fault(&w, settings_hash_key(w.db, &again, &w.fault), FAULT_STATE, "hash key");
}

Test(settings, traits_fade_after_a_week)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    expect_ok(&w, trait_set(w.db, "nextcloud", "auth", "basic", &w.fault));
    char *value = trait_get(w.db, "nextcloud", "auth");
    cr_expect_str_eq(value, "basic");
    free(value);
    cr_expect_null(trait_get(w.db, "radicale", "auth"));
    w.now_ms += 8 * 24 * 3600 * (int64_t)1000;
    cr_expect_null(trait_get(w.db, "nextcloud", "auth"));
}
