/* The queries every run asks, whatever it finds to do, must cost the same at any size: each goes by the index made for
 * it. */
#include "tests/unit/state_fixture.h"

#include <sqlite3.h>
#include <string.h>

#define QUERY(name, text) static const char text_##name[] __attribute__((unused)) = text;
#include "state/queries.h"
#undef QUERY

/* What SQLite says it will do, a line a step. Owned by the caller. */
static char *plan_of(sqlite3 *sqlite, const char *text)
{
    struct buf sql = BUF_INIT, steps = BUF_INIT;
    buf_addf(&sql, "EXPLAIN QUERY PLAN %s", text);
    sqlite3_stmt *statement = NULL;
    cr_assert_eq(sqlite3_prepare_v2(sqlite, buf_cstr(&sql), -1, &statement, NULL), SQLITE_OK, "%s: %s", text,
                 sqlite3_errmsg(sqlite));
    while (sqlite3_step(statement) == SQLITE_ROW)
        buf_addf(&steps, "%s\n", (const char *)sqlite3_column_text(statement, 3));
    sqlite3_finalize(statement);
    buf_free(&sql);
    return buf_detach(&steps);
}

Test(query_plan, every_run_asks_by_index)
{
    static const struct {
        const char *name, *text, *index;
    } rows[] = {
        {"JOURNAL_COUNT_DELETED", text_JOURNAL_COUNT_DELETED, "INDEX journal_deleted"},
        {"JOURNAL_EACH_DELETED", text_JOURNAL_EACH_DELETED, "INDEX journal_deleted"},
        {"JOURNAL_FIND_A", text_JOURNAL_FIND_A, "INDEX journal_a"},
        {"JOURNAL_FIND_B", text_JOURNAL_FIND_B, "INDEX journal_b"},
        {"INTENT_EACH", text_INTENT_EACH, "INDEX intent_link"},
        {"REVIEW_COUNT", text_REVIEW_COUNT, "INDEX review_link"},
        {"RECORD_CHANGES", text_RECORD_CHANGES, "INDEX record_seq"},
        {"DAV_CHANGES", text_DAV_CHANGES, "INDEX record_seq"},
        {"DAV_STAMP", text_DAV_STAMP, "INDEX record_seq"},
        {"DAV_CARD_BY_NAME", text_DAV_CARD_BY_NAME, "INDEX sqlite_autoindex_dav_name"},
        {"DAV_CARD_BY_ID", text_DAV_CARD_BY_ID, "INDEX sqlite_autoindex_record"},
    };
    AUTO_WORLD struct world w;
    world_start(&w);
    sqlite3 *sqlite = NULL;
    cr_assert_eq(sqlite3_open(w.path, &sqlite), SQLITE_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO_FREE char *plan = plan_of(sqlite, rows[i].text);
        cr_expect(strstr(plan, rows[i].index) != NULL && strstr(plan, "SCAN") == NULL, "%s goes by: %s", rows[i].name,
                  plan);
    }
    sqlite3_close(sqlite);
}
