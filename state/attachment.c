#include "state/attachment.h"

#include "base/hash.h"
#include "base/i18n.h"
#include "base/mem.h"
#include "state/rows.h"

#define PART_BYTES (256u << 10)

/* -- putting -- */

static int64_t number_of(struct query *q)
{
    int64_t no = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    return no;
}

static void add_part(struct db *db, int64_t body, int64_t part, struct str bytes)
{
    struct query *q = query_begin(db, QUERY_ATTACHMENT_PART_ADD);
    bind_int(q, 1, body);
    bind_int(q, 2, part);
    bind_blob(q, 3, bytes);
    query_run(q);
}

struct upload {
    struct db *db;
    int64_t body, size_bytes;
    char hash[DIGEST_HEX_BYTES];
};

/* All bytes of the source as parts of a new body. */
static enum fault_code take_parts(struct upload *u, int64_t max_bytes, attachment_source *source, void *ctx,
                                  struct fault *f)
{
    AUTO_FREE char *chunk = mem_alloc(PART_BYTES);
    struct digest digest;
    digest_init(&digest);
    for (int64_t part = 0;; part++) {
        size_t n = 0;
        enum fault_code code = source(ctx, chunk, PART_BYTES, &n, f);
        if (code) return code;
        if (!n) break;
        u->size_bytes += (int64_t)n;
        if (u->size_bytes > max_bytes)
            return fault_set(f, FAULT_TOO_LARGE, _("max_attachment in [abgleich] sets the limit"),
                             _("the file is larger than %lld KiB"), (long long)(max_bytes >> 10));
        digest_add(&digest, chunk, n);
        add_part(u->db, u->body, part, (struct str){chunk, n});
        if ((code = db_check(u->db, f))) return code;
    }
    digest_hex(&digest, u->hash);
    return FAULT_NONE;
}

static void run_of(struct db *db, enum query_id id, int64_t no)
{
    struct query *q = query_begin(db, id);
    bind_int(q, 1, no);
    query_run(q);
}

/* The body of these bytes: the one that was there already, else the new one. */
static int64_t settle_body(struct upload *u)
{
    struct query *q = query_begin(u->db, QUERY_ATTACHMENT_BODY_FIND);
    bind_text(q, 1, str_of(u->hash));
    int64_t known = number_of(q);
    if (known) {
        run_of(u->db, QUERY_ATTACHMENT_PARTS_REMOVE, u->body);
        run_of(u->db, QUERY_ATTACHMENT_BODY_REMOVE, u->body);
        return known;
    }
    q = query_begin(u->db, QUERY_ATTACHMENT_BODY_SET);
    bind_int(q, 1, u->body);
    bind_text(q, 2, str_of(u->hash));
    bind_int(q, 3, u->size_bytes);
    query_run(q);
    return u->body;
}

static int64_t find_same(struct db *db, const struct attachment *about, int64_t body)
{
    struct query *q = query_begin(db, QUERY_ATTACHMENT_SAME);
    bind_text(q, 1, about->record);
    bind_int(q, 2, body);
    bind_text(q, 3, about->name);
    return number_of(q);
}

static int64_t insert(struct db *db, const struct attachment *about, int64_t body)
{
    struct query *q = query_begin(db, QUERY_ATTACHMENT_ADD);
    bind_text(q, 1, about->record);
    bind_int(q, 2, body);
    bind_text(q, 3, about->name);
    bind_text(q, 4, about->media_type);
    bind_int(q, 5, db_env(db)->now_ms(db_env(db)));
    return number_of(q);
}

enum fault_code attachment_add(struct db *db, const struct attachment *about, int64_t max_bytes,
                               attachment_source *source, void *ctx, int64_t *no, struct fault *f)
{
    enum fault_code code = db_begin(db, f);
    if (code) return code;
    struct upload u = {.db = db, .body = number_of(query_begin(db, QUERY_ATTACHMENT_BODY_ADD))};
    code = take_parts(&u, max_bytes, source, ctx, f);
    if (code) {
        db_rollback(db);
        return code;
    }
    int64_t body = settle_body(&u);
    *no = find_same(db, about, body);
    if (!*no)
        *no = insert(db, about, body);
    else
        attachment_detach(db, *no, false, f);
    return db_commit(db, f);
}

/* -- getting -- */

/* Columns as ATTACHMENT_SELECT names them. */
static struct attachment read_attachment(struct query *q, struct arena *arena)
{
    return (struct attachment){.no = column_int(q, 0),
                               .record = arena_str(arena, column_text(q, 1)),
                               .name = arena_str(arena, column_text(q, 2)),
                               .media_type = arena_str(arena, column_text(q, 3)),
                               .hash = arena_str(arena, column_text(q, 4)),
                               .size_bytes = column_int(q, 5),
                               .created_ms = column_int(q, 6),
                               .detached_ms = column_int(q, 7)};
}

bool attachment_get(struct db *db, int64_t no, struct arena *arena, struct attachment *out)
{
    struct query *q = query_begin(db, QUERY_ATTACHMENT_GET);
    bind_int(q, 1, no);
    bool there = query_step(q);
    if (there) *out = read_attachment(q, arena);
    query_end(q);
    return there;
}

enum fault_code attachment_read(struct db *db, int64_t no, attachment_sink *sink, void *ctx, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_ATTACHMENT_PARTS);
    bind_int(q, 1, no);
    bool go_on = true;
    while (go_on && query_step(q)) go_on = sink(ctx, column_blob(q, 0));
    query_end(q);
    return db_check(db, f);
}

size_t attachment_list(struct db *db, struct str record, bool detached, struct arena *arena, struct attachment **out)
{
    struct rows rows = ROWS_OF(struct attachment);
    struct query *q = query_begin(db, QUERY_ATTACHMENT_LIST);
    bind_text(q, 1, record);
    bind_int(q, 2, detached);
    while (query_step(q)) *(struct attachment *)rows_add(&rows) = read_attachment(q, arena);
    query_end(q);
    size_t n = rows.n;
    *out = rows_keep(&rows, arena);
    return n;
}

enum fault_code attachment_detach(struct db *db, int64_t no, bool detached, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_ATTACHMENT_DETACH);
    bind_int(q, 1, no);
    bind_int(q, 2, detached ? db_env(db)->now_ms(db_env(db)) : 0);
    query_run(q);
    return db_check(db, f);
}
