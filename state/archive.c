#include "state/archive.h"

#include "base/i18n.h"
#include "base/mem.h"

#include <zlib.h>

#define BODY_MAX_BYTES (256 * 1024 * 1024) /* no record is that large: a size beyond is damage, not a reason to allocate */

static void bind_body(struct db *db, struct query *q, int index, struct str body, struct buf *packed)
{
    if (!body.p) return;
    uLongf n = compressBound(body.n);
    buf_reserve(packed, n);
    if (compress2((Bytef *)packed->data, &n, (const Bytef *)body.p, body.n, 6) != Z_OK) {
        db_fail(db, FAULT_INTERNAL, _("please report this"), "a record of %zu bytes could not be compressed", body.n);
        return;
    }
    bind_blob(q, index, (struct str){packed->data, n});
}

enum fault_code archive_put(struct db *db, struct archived *a, struct fault *f)
{
    struct buf packed AUTO_BUF = BUF_INIT;
    a->time_ms = db_env(db)->now_ms(db_env(db));
    struct query *q = query_begin(db, QUERY_ARCHIVE_PUT);
    bind_int(q, 1, a->run);
    bind_text(q, 2, a->link);
    bind_int(q, 3, a->side);
    bind_text(q, 4, a->id);
    bind_text(q, 5, a->title);
    bind_int(q, 6, a->reason);
    bind_int(q, 7, a->time_ms);
    bind_text(q, 8, a->after);
    bind_int(q, 9, (int64_t)a->body.n);
    bind_body(db, q, 10, a->body, &packed);
    a->no = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    return db_check(db, f);
}

enum fault_code archive_set_after(struct db *db, int64_t no, struct str version, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_ARCHIVE_AFTER);
    bind_int(q, 1, no);
    bind_text(q, 2, version);
    query_run(q);
    return db_check(db, f);
}

static struct archived read_archived(struct query *q)
{
    return (struct archived){.no = column_int(q, 0),
                             .run = column_int(q, 1),
                             .link = column_text(q, 2),
                             .side = (unsigned)column_int(q, 3),
                             .id = column_text(q, 4),
                             .title = column_text(q, 5),
                             .reason = (unsigned)column_int(q, 6),
                             .time_ms = column_int(q, 7),
                             .after = column_text(q, 8)};
}

enum fault_code archive_each(struct db *db, int64_t run, struct str id, void (*fn)(void *ctx, const struct archived *), void *ctx,
                             struct fault *f)
{
    struct query *q = query_begin(db, run ? QUERY_ARCHIVE_OF_RUN : id.p ? QUERY_ARCHIVE_OF_ID : QUERY_ARCHIVE_ALL);
    if (run) bind_int(q, 1, run);
    else if (id.p)
        bind_text(q, 1, id);
    while (query_step(q)) {
        const struct archived a = read_archived(q);
        if (!id.p || str_eq(a.id, id)) fn(ctx, &a);
    }
    query_end(q);
    return db_check(db, f);
}

static struct str unpack(struct db *db, struct str packed, int64_t size_bytes, struct arena *arena)
{
    if (!packed.p) return STR_NONE;
    uLongf n = size_bytes >= 0 && size_bytes <= BODY_MAX_BYTES ? (uLongf)size_bytes : 0;
    char *out = arena_alloc(arena, n + 1);
    if (uncompress((Bytef *)out, &n, (const Bytef *)packed.p, packed.n) != Z_OK || (int64_t)n != size_bytes) {
        db_fail(db, FAULT_STATE, _("`abgleich doctor` shows the damage"), _("an archived record is damaged"));
        return STR_NONE;
    }
    out[n] = '\0';
    return (struct str){out, n};
}

bool archive_get(struct db *db, int64_t no, struct arena *arena, struct archived *out)
{
    memset(out, 0, sizeof *out);
    struct query *q = query_begin(db, QUERY_ARCHIVE_GET);
    bind_int(q, 1, no);
    bool there = query_step(q);
    if (there) {
        *out = read_archived(q);
        struct str *const texts[] = {&out->link, &out->id, &out->title, &out->after};
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) *texts[i] = arena_str(arena, *texts[i]);
        out->body = unpack(db, column_blob(q, 10), column_int(q, 9), arena);
    }
    query_end(q);
    return there;
}

enum fault_code archive_purge(struct db *db, const char *link, int64_t before_ms, int64_t *n, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_ARCHIVE_PURGE_COUNT);
    bind_int(q, 1, before_ms);
    bind_text(q, 2, str_of(link));
    if (n) *n = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    q = query_begin(db, QUERY_ARCHIVE_PURGE);
    bind_int(q, 1, before_ms);
    bind_text(q, 2, str_of(link));
    query_run(q);
    return db_check(db, f);
}

enum fault_code archive_remove(struct db *db, int64_t no, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_ARCHIVE_REMOVE);
    bind_int(q, 1, no);
    query_run(q);
    return db_check(db, f);
}
