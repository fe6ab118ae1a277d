#include "state/provenance.h"

static void bind_element(struct query *q, const char *link, unsigned side, struct str id, uint64_t key, uint64_t value)
{
    bind_text(q, 1, str_of(link));
    bind_int(q, 2, side);
    bind_text(q, 3, id);
    bind_int(q, 4, (int64_t)key);
    bind_int(q, 5, (int64_t)value);
}

enum fault_code provenance_put(struct db *db, const char *link, unsigned side, struct str id, uint64_t key,
                               uint64_t value, int64_t run, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_PROVENANCE_PUT);
    bind_element(q, link, side, id, key, value);
    bind_int(q, 6, run);
    query_run(q);
    return db_check(db, f);
}

int64_t provenance_get(struct db *db, const char *link, unsigned side, struct str id, uint64_t key, uint64_t value)
{
    struct query *q = query_begin(db, QUERY_PROVENANCE_GET);
    bind_element(q, link, side, id, key, value);
    int64_t run = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    return run;
}
