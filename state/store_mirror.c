#include "state/store_mirror.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "state/store.h"

#include <stdlib.h>

/* What the book holds. */
struct held {
    struct hash_key key;
    struct map64 by_uid;
    struct held_record {
        int64_t no;
        uint64_t content;
        bool kept;
    } * list;
    size_t n, cap;
};

struct mirroring {
    struct db *db;
    struct held held;
    struct mirror_counts *counts;
    struct str origin;
    int64_t book, seq, now_ms;
};

static uint64_t content_of(const struct hash_key *key, struct str title, struct str body)
{
    return hash_str(key, title) * 31 + hash_str(key, body);
}

static void hold(struct mirroring *m)
{
    struct held *h = &m->held;
    struct query *q = query_begin(m->db, QUERY_RECORD_CONTENTS);
    bind_int(q, 1, m->book);
    while (query_step(q)) {
        if (h->n == h->cap) h->list = mem_realloc(h->list, (h->cap = h->cap ? h->cap * 2 : 256) * sizeof *h->list);
        h->list[h->n] = (struct held_record){.no = column_int(q, 0),
                                             .content = content_of(&h->key, column_text(q, 2), column_blob(q, 3))};
        map64_put(&h->by_uid, hash_str(&h->key, column_text(q, 1)), (uint32_t)h->n++);
    }
    query_end(q);
}

static void create(struct mirroring *m, const struct mirror_record *r)
{
    char id[UUID_TEXT_BYTES];
    env_uuid7(db_env(m->db), id);
    struct query *q = query_begin(m->db, QUERY_RECORD_INSERT);
    bind_text(q, 1, str_of(id));
    bind_int(q, 2, m->book);
    bind_int(q, 3, ++m->seq);
    bind_int(q, 4, 0);
    bind_int(q, 5, m->now_ms);
    bind_text(q, 6, r->uid);
    bind_text(q, 7, r->title);
    bind_text(q, 8, m->origin);
    bind_blob(q, 9, r->body);
    query_run(q);
    m->counts->created++;
}

static void update(struct mirroring *m, int64_t no, const struct mirror_record *r)
{
    struct query *q = query_begin(m->db, QUERY_RECORD_UPDATE);
    bind_int(q, 1, no);
    bind_int(q, 2, ++m->seq);
    bind_int(q, 3, m->now_ms);
    bind_text(q, 4, r->uid);
    bind_text(q, 5, r->title);
    bind_text(q, 6, m->origin);
    bind_blob(q, 7, r->body);
    query_run(q);
    m->counts->changed++;
}

static void drop(struct mirroring *m, int64_t no)
{
    struct query *q = query_begin(m->db, QUERY_RECORD_MARK);
    bind_int(q, 1, no);
    bind_int(q, 2, ++m->seq);
    bind_int(q, 3, m->now_ms);
    bind_int(q, 4, 1); /* deleted, by nobody here */
    bind_int(q, 5, 0);
    bind_text(q, 6, m->origin);
    query_run(q);
    m->counts->deleted++;
}

static void put(struct mirroring *m, const struct mirror_record *r)
{
    uint32_t at;
    if (!map64_get(&m->held.by_uid, hash_str(&m->held.key, r->uid), &at)) {
        create(m, r);
        return;
    }
    struct held_record *one = &m->held.list[at];
    one->kept = true;
    if (one->content != content_of(&m->held.key, r->title, r->body)) update(m, one->no, r);
}

static enum fault_code begin(struct mirroring *m, struct str book, struct fault *f)
{
    struct query *q = query_begin(m->db, QUERY_BOOK_NUMBER);
    bind_text(q, 1, book);
    m->book = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    m->seq = store_seq(m->db, book);
    m->now_ms = db_env(m->db)->now_ms(db_env(m->db));
    enum fault_code code = db_check(m->db, f);
    if (!code && !m->book)
        code = fault_set(f, FAULT_NO_COLLECTION, _("`abgleich book list` shows the books"), _("the book is not there"));
    if (code) return code;
    map64_init(&m->held.by_uid, 1024);
    hold(m);
    return db_check(m->db, f);
}

static void end(struct mirroring *m)
{
    for (size_t i = 0; i < m->held.n; i++)
        if (!m->held.list[i].kept) drop(m, m->held.list[i].no);
    struct query *q = query_begin(m->db, QUERY_BOOK_RAISE);
    bind_int(q, 1, m->book);
    bind_int(q, 2, m->seq);
    bind_int(q, 3, (int64_t)m->counts->created - (int64_t)m->counts->deleted);
    query_run(q);
    m->counts->seq = m->seq;
}

enum fault_code store_mirror(struct db *db, struct str book, struct str origin, const struct hash_key *key,
                             bool (*next)(void *ctx, struct mirror_record *out), void *ctx,
                             struct mirror_counts *counts, struct fault *f)
{
    struct mirroring m = {.db = db, .held.key = *key, .counts = counts, .origin = origin};
    struct mirror_record r;
    *counts = (struct mirror_counts){0};
    enum fault_code code = begin(&m, book, f);
    while (!code && next(ctx, &r)) {
        put(&m, &r);
        code = db_check(db, f);
    }
    if (!code) end(&m);
    map64_free(&m.held.by_uid);
    free(m.held.list);
    return code ? code : db_check(db, f);
}
