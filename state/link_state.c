#include "base/mem.h"
#include "state/journal.h"
#include "state/rows.h"

#include <stdlib.h>

static char *owned_text(struct query *q, int column)
{
    struct str s = column_text(q, column);
    return s.p ? mem_strndup(s.p, s.n) : NULL;
}

enum fault_code link_state_load(struct db *db, const char *link, struct link_state *out, struct fault *f)
{
    memset(out, 0, sizeof *out);
    struct query *q = query_begin(db, QUERY_LINK_STATE_GET);
    bind_int(q, 1, db_name_number(db, link, false));
    if (query_step(q)) {
        out->known = true;
        for (int s = 0; s < 2; s++) {
            out->token[s] = owned_text(q, s);
            out->identity[s] = owned_text(q, 2 + s);
            out->last_full_ms[s] = column_int(q, 7 + s);
            out->records[s] = column_int(q, 10 + s);
        }
        out->settings_hash = owned_text(q, 4);
        out->normaliser = (unsigned)column_int(q, 5);
        out->first_run_done = column_int(q, 6) != 0;
        out->last_run_ms = column_int(q, 9);
        out->mode = owned_text(q, 12);
    }
    query_end(q);
    return db_check(db, f);
}

enum fault_code link_state_save(struct db *db, const char *link, const struct link_state *s, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_LINK_STATE_SET);
    bind_int(q, 1, db_name_number(db, link, true));
    for (int side = 0; side < 2; side++) {
        bind_text(q, 2 + side, str_of(s->token[side]));
        bind_text(q, 4 + side, str_of(s->identity[side]));
        bind_int(q, 9 + side, s->last_full_ms[side]);
        bind_int(q, 12 + side, s->records[side]);
    }
    bind_text(q, 6, str_of(s->settings_hash));
    bind_int(q, 7, s->normaliser);
    bind_int(q, 8, s->first_run_done);
    bind_int(q, 11, s->last_run_ms);
    bind_text(q, 14, str_of(s->mode));
    query_run(q);
    return db_check(db, f);
}

void link_state_free(struct link_state *s)
{
    for (int side = 0; side < 2; side++) {
        free(s->token[side]);
        free(s->identity[side]);
    }
    free(s->settings_hash);
    free(s->mode);
    memset(s, 0, sizeof *s);
}

size_t journal_feeders(struct db *db, const char *link, const char *identity_b, struct arena *arena, struct str **names)
{
    struct rows rows = ROWS_OF(struct str);
    struct query *q = query_begin(db, QUERY_LINK_STATE_FEEDERS);
    bind_text(q, 1, str_of(identity_b));
    bind_text(q, 2, str_of(link));
    while (query_step(q)) *(struct str *)rows_add(&rows) = arena_str(arena, column_text(q, 0));
    query_end(q);
    size_t n = rows.n;
    *names = rows_keep(&rows, arena);
    return n;
}
