/* Runs and their reports, and the archive of what was overwritten. */
#include "state/archive.h"
#include "state/runs.h"
#include "tests/unit/state_fixture.h"

static int64_t start(struct world *w, const char *link)
{
    struct run_report r = {.link = str_of(link), .trigger = STR("command"), .name_a = STR("contactbox:Kunden"), .name_b = STR_NONE};
    expect_ok(w, runs_start(w->db, &r, &w->fault));
    cr_assert_gt(r.run, 0);
    w->now_ms += 1000;
    return r.run;
}

static void note(struct world *w, int64_t run, const char *id)
{
    const struct report_operation o = {.op = 1, .side = 1, .title = STR("Özdemir, Lale"), .id = str_of(id), .rule = STR("A changed")};
    const struct report_conflict c = {.id = str_of(id), .contact = STR("Özdemir, Lale"), .field = STR("tel"), .a = STR("1"), .b = STR(""),
                                      .winner = 1, .rule = STR("authority")};
    int64_t no = 0;
    expect_ok(w, runs_add_operation(w->db, run, &o, &w->fault));
    expect_ok(w, runs_add_conflict(w->db, run, &c, &no, &w->fault));
    cr_expect_gt(no, 0);
}

Test(runs, report_comes_back_whole)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    int64_t run = start(&w, "kunden");
    note(&w, run, "a1");
    const struct report_problem p = {.kind = PROBLEM_AMBIGUOUS, .side = 1, .id_a = STR("a"), .id_b = STR_NONE, .title = STR("T"),
                                     .other = STR("O"), .code = FAULT_REFUSED, .reason = STR("two candidates")};
    expect_ok(&w, runs_add_problem(w.db, run, &p, &w.fault));
    struct run_report r;
    cr_assert(runs_load(w.db, run, &w.arena, &r));
    expect_str(r.status, "running");
    cr_expect(r.finished_ms == 0 && r.n_operations == 1, "details of a killed run are shown");
    const struct run_report end = {.run = run, .status = STR("partial"), .plan = STR("hash"), .requests = 7, .bytes_in = 8, .bytes_out = 9,
                                   .counts = {{1, 2, 3, 4, 5, 6, 7, 8, 9}, {.total = INT64_MAX}}, .held = STR_NONE,
                                   .fault = STR("something"), .fault_code = FAULT_UNREACHABLE};
    expect_ok(&w, runs_finish(w.db, &end, &w.fault));
    cr_assert(runs_load(w.db, run, &w.arena, &r));
    expect_str(r.link, "kunden");
    expect_str(r.trigger, "command");
    expect_str(r.name_a, "contactbox:Kunden");
    cr_expect_null(r.name_b.p);
    expect_str(r.status, "partial");
    expect_str(r.plan, "hash");
    expect_str(r.fault, "something");
    cr_expect_null(r.held.p);
    cr_expect_eq(memcmp(r.counts, end.counts, sizeof r.counts), 0);
    cr_expect(r.requests == 7 && r.bytes_in == 8 && r.bytes_out == 9 && r.fault_code == FAULT_UNREACHABLE);
    cr_expect(r.started_ms == 1700000000000 && r.finished_ms == 1700000001000);
    cr_assert(r.n_operations == 1 && r.n_conflicts == 1 && r.n_problems == 1);
    cr_expect(r.operations[0].op == 1 && r.operations[0].side == 1);
    expect_str(r.operations[0].rule, "A changed");
    expect_str(r.conflicts[0].field, "tel");
    expect_str(r.conflicts[0].b, "");
    cr_expect(r.conflicts[0].winner == 1 && !r.conflicts[0].read);
    cr_expect(r.problems[0].kind == PROBLEM_AMBIGUOUS && r.problems[0].code == FAULT_REFUSED && !r.problems[0].id_b.p);
    expect_str(r.problems[0].reason, "two candidates");
    cr_expect_not(runs_load(w.db, run + 1, &w.arena, &r));
}

Test(runs, list_is_newest_first)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    int64_t one = start(&w, "one"), two = start(&w, "two"), three = start(&w, "one"), dropped = start(&w, "one");
    expect_ok(&w, runs_drop(w.db, dropped, &w.fault));
    struct run_report *list;
    cr_assert_eq(runs_list(w.db, NULL, 0, &w.arena, &list), 3u);
    cr_expect(list[0].run == three && list[1].run == two && list[2].run == one);
    cr_assert_eq(runs_list(w.db, "one", 1, &w.arena, &list), 1u);
    cr_expect_eq(list[0].run, three);
    cr_expect_eq(runs_list(w.db, "none", 0, &w.arena, &list), 0u);
    cr_expect_gt(start(&w, "one"), dropped, "a number is not given twice");
}

Test(runs, conflicts_are_read_once)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    note(&w, start(&w, "one"), "a1");
    int64_t two = start(&w, "two");
    note(&w, two, "a2");
    struct report_conflict *list;
    cr_assert_eq(runs_conflicts(w.db, NULL, true, &w.arena, &list), 2u);
    cr_expect_eq(list[0].run, two);
    expect_str(list[0].link, "two");
    cr_expect_eq(list[0].time_ms, 1700000001000);
    expect_ok(&w, runs_conflicts_mark_read(w.db, "two", &w.fault));
    cr_assert_eq(runs_conflicts(w.db, NULL, true, &w.arena, &list), 1u);
    expect_str(list[0].link, "one");
    cr_assert_eq(runs_conflicts(w.db, "two", false, &w.arena, &list), 1u);
    cr_expect(list[0].read);
    expect_ok(&w, runs_conflicts_mark_read(w.db, NULL, &w.fault));
    cr_expect_eq(runs_conflicts(w.db, NULL, true, &w.arena, &list), 0u);
}

Test(runs, what_happened_to_a_record)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    int64_t first = start(&w, "one"), second = start(&w, "two");
    note(&w, second, "a1");
    note(&w, first, "a1");
    note(&w, first, "other");
    note(&w, first, "a1");
    struct run_report *list;
    cr_assert_eq(runs_of_record(w.db, STR("a1"), &w.arena, &list), 2u);
    cr_expect(list[0].run == second && list[1].run == first);
    expect_str(list[1].link, "one");
    cr_expect(list[0].n_operations == 1 && list[0].n_conflicts == 1 && list[1].n_operations == 2 && list[1].n_conflicts == 2);
    expect_str(list[1].operations[1].id, "a1");
    expect_str(list[1].conflicts[1].id, "a1");
    cr_expect_eq(runs_of_record(w.db, STR("nobody"), &w.arena, &list), 0u);
}

Test(runs, purge_takes_the_details_along)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    note(&w, start(&w, "one"), "a1");
    int64_t before_ms = w.now_ms, n = 0;
    int64_t kept = start(&w, "one");
    note(&w, kept, "a1");
    expect_ok(&w, runs_purge(w.db, before_ms, &n, &w.fault));
    cr_expect_eq(n, 0, "its conflict is not read yet");
    expect_ok(&w, runs_conflicts_mark_read(w.db, NULL, &w.fault));
    expect_ok(&w, runs_purge(w.db, before_ms, &n, &w.fault));
    cr_expect_eq(n, 1);
    struct run_report *list;
    cr_assert_eq(runs_of_record(w.db, STR("a1"), &w.arena, &list), 1u);
    cr_expect_eq(list[0].run, kept);
}

/* -- archive -- */

struct collected {
    int64_t no[8];
    size_t n;
};

static void collect(void *ctx, const struct archived *a)
{
    struct collected *c = ctx;
    cr_expect_null(a->body.p);
    c->no[c->n++] = a->no;
}

static int64_t keep(struct world *w, int64_t run, const char *id, struct str body)
{
    struct archived a = {.run = run, .link = STR("one"), .side = 1, .id = str_of(id), .title = STR("T"), .reason = ARCHIVE_OVERWRITTEN, .body = body};
    expect_ok(w, archive_put(w->db, &a, &w->fault));
    cr_expect_eq(a.time_ms, w->now_ms);
    w->now_ms += 1000;
    return a.no;
}

Test(archive, bodies_come_back_byte_for_byte)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    enum { LARGE = 3000000 };
    char *large = arena_alloc(&w.arena, LARGE);
    for (size_t i = 0; i < LARGE; i++) large[i] = (char)(i * i >> 7);
    const struct str bodies[] = {STR_NONE, STR(""), STR("x"), {"\0\377\0", 3}, {large, LARGE}, {large, 700}};
    int64_t no[6];
    for (size_t i = 0; i < 6; i++) no[i] = keep(&w, 1, "id", bodies[i]);
    for (size_t i = 0; i < 6; i++) {
        struct archived a;
        cr_assert(archive_get(w.db, no[i], &w.arena, &a), "row %zu", i);
        cr_expect(str_eq(a.body, bodies[i]) && !a.body.p == !bodies[i].p, "row %zu", i);
        cr_expect(a.run == 1 && a.side == 1 && a.reason == ARCHIVE_OVERWRITTEN);
        cr_expect_null(a.after.p);
        expect_str(a.link, "one");
        expect_str(a.title, "T");
    }
    cr_expect_lt(file_size(w.path), LARGE, "compressed");
}

Test(archive, is_listed_by_run_and_record)
{
    struct world w AUTO_WORLD;
    world_start(&w);
    int64_t a = keep(&w, 1, "x", STR("1")), b = keep(&w, 1, "y", STR("2")), c = keep(&w, 2, "x", STR("3"));
    static const struct {
        int64_t run;
        const char *id;
        size_t n;
    } rows[] = {{0, NULL, 3}, {1, NULL, 2}, {0, "x", 2}, {1, "x", 1}, {3, NULL, 0}, {0, "z", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct collected got = {.n = 0};
        expect_ok(&w, archive_each(w.db, rows[i].run, str_of(rows[i].id), collect, &got, &w.fault));
        cr_expect_eq(got.n, rows[i].n, "row %zu", i);
        for (size_t k = 1; k < got.n; k++) cr_expect_lt(got.no[k], got.no[k - 1], "row %zu: newest first", i);
    }
    struct archived found;
    expect_ok(&w, archive_set_after(w.db, b, STR("\"e2\""), &w.fault));
    cr_assert(archive_get(w.db, b, &w.arena, &found));
    expect_str(found.after, "\"e2\"");
    int64_t n;
    expect_ok(&w, archive_purge(w.db, NULL, w.now_ms - 1500, &n, &w.fault));
    cr_expect_eq(n, 2);
    cr_expect_not(archive_get(w.db, a, &w.arena, &found));
    cr_expect(archive_get(w.db, c, &w.arena, &found));
}

Test(archive, damaged_body_is_a_fault)
{
    static const char *const damage[] = {"body = x'00'", "size_bytes = 5", "size_bytes = -1", "size_bytes = 99999999999999"};
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        struct world w AUTO_WORLD;
        world_start(&w);
        int64_t no = keep(&w, 1, "x", STR("some text"));
        char sql[100];
        snprintf(sql, sizeof sql, "UPDATE archive SET %s", damage[i]);
        expect_ok(&w, db_exec(w.db, sql, &w.fault));
        struct archived a;
        archive_get(w.db, no, &w.arena, &a);
        cr_expect_null(a.body.p, "row %s", damage[i]);
        expect_fault(&w, db_check(w.db, &w.fault), FAULT_STATE, "archived record is damaged");
    }
}
