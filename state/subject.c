#include "state/subject.h"

#include "base/i18n.h"
#include "mapping/text.h"
#include "state/archive.h"
#include "state/attached.h"
#include "state/rows.h"
#include "state/store.h"

#include <inttypes.h>
#include <stdlib.h>

#define ERASED "erased:" /* what stands for the UID of an erased record, with its hash behind */

/* -- who is meant -- */

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* "Özdemir, Lale" and "lale oezdemir" are one: folded words in alphabetical order. */
static struct str name_key(struct arena *arena, struct str name)
{
    struct str folded = text_fold(arena, name);
    struct str *words = arena_alloc(arena, (folded.n + 1) * sizeof *words);
    size_t n = 0;
    for (struct str rest = folded; rest.p;) {
        struct str word = str_split(&rest, ' ');
        if (word.n) words[n++] = word;
    }
    qsort(words, n, sizeof *words, by_bytes);
    char *key = arena_alloc(arena, folded.n + 2), *end = key;
    for (size_t i = 0; i < n; i++) {
        memcpy(end, words[i].p, words[i].n);
        end += words[i].n;
        *end++ = ' ';
    }
    return (struct str){key, (size_t)(end - key)};
}

struct search {
    struct db *db;
    struct arena *arena;
    struct str who, key;
    struct rows ids, store_ids, titles;
};

static bool is_listed(const struct rows *list, struct str s)
{
    const struct str *all = (const struct str *)(const void *)list->p;
    for (size_t i = 0; i < list->n; i++)
        if (str_eq(all[i], s)) return true;
    return false;
}

static void list(struct search *s, struct rows *list, struct str text)
{
    if (text.n && !is_listed(list, text)) *(struct str *)rows_add(list) = arena_str(s->arena, text);
}

static bool is_named(struct search *s, struct str title)
{
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    return title.n && s->key.n && str_eq(name_key(&scratch, title), s->key);
}

/* A whole address, not the end of a longer one. */
static bool has_address(struct str body, struct str address)
{
    if (str_find(address, STR("@")) == (size_t)-1) return false;
    for (size_t at = 0; at + address.n <= body.n; at++) {
        if (!str_eq_nocase((struct str){body.p + at, address.n}, address)) continue;
        bool starts = at == 0 || strchr(":;, \"<\n", body.p[at - 1]);
        bool ends = at + address.n == body.n || strchr(";, \">\r\n", body.p[at + address.n]);
        if (starts && ends) return true;
    }
    return false;
}

static bool look_at_record(void *ctx, const struct store_record *r)
{
    struct search *s = ctx;
    if (!str_eq(r->id, s->who) && !is_named(s, r->title) && !has_address(r->body, s->who)) return true;
    list(s, &s->store_ids, r->id);
    list(s, &s->ids, r->id);
    list(s, &s->titles, r->title);
    return true;
}

static void find_titles(struct search *s)
{
    struct query *q = query_begin(s->db, QUERY_SUBJECT_TITLES);
    while (query_step(q))
        if (is_named(s, column_text(q, 0))) list(s, &s->titles, column_text(q, 0));
    query_end(q);
}

/* What reports and archive say about a title names ids; the journal names their partners on the other sides. */
static void find_ids(struct search *s, enum query_id query, struct str given)
{
    struct query *q = query_begin(s->db, query);
    bind_text(q, 1, given);
    while (query_step(q)) list(s, &s->ids, column_text(q, 0));
    query_end(q);
}

bool subject_find(struct db *db, struct str who, struct arena *arena, struct subject *out)
{
    struct search s = {.db = db,
                       .arena = arena,
                       .who = str_trim(who),
                       .ids = ROWS_OF(struct str),
                       .store_ids = ROWS_OF(struct str),
                       .titles = ROWS_OF(struct str)};
    struct fault f AUTO_FAULT = FAULT_INIT;
    s.key = name_key(arena, s.who);
    for (int deleted = 0; deleted < 2; deleted++) store_list(db, STR_NONE, STR_NONE, deleted, look_at_record, &s, &f);
    find_titles(&s);
    for (size_t i = 0; i < s.titles.n; i++)
        find_ids(&s, QUERY_SUBJECT_IDS_OF_TITLE, ((struct str *)(void *)s.titles.p)[i]);
    for (size_t i = 0, n = s.ids.n; i < n; i++)
        find_ids(&s, QUERY_SUBJECT_PARTNERS, ((struct str *)(void *)s.ids.p)[i]);
    out->n_ids = s.ids.n, out->n_store_ids = s.store_ids.n, out->n_titles = s.titles.n;
    out->ids = rows_keep(&s.ids, arena);
    out->store_ids = rows_keep(&s.store_ids, arena);
    out->titles = rows_keep(&s.titles, arena);
    return out->n_ids || out->n_titles;
}

/* -- where it stands -- */

const char *subject_place_name(enum subject_place place)
{
    static const char *const names[SUBJECT_PLACES] = {"contact",  "deleted_contact", "earlier_version", "operation",
                                                      "conflict", "problem",         "journal",         "followup",
                                                      "attachment", "linked_contact",  "sent"};
    return names[place];
}

struct telling {
    struct db *db;
    struct map64 told; /* place and row: a row fits by id and by title */
    void (*fn)(void *ctx, const struct subject_trace *t);
    void *ctx;
    struct fault *f;
};

static bool is_news(struct telling *t, enum subject_place place, int64_t row)
{
    uint64_t key = ((uint64_t)place << 60) ^ (uint64_t)row;
    uint32_t seen;
    if (!row) return true; /* looked up by id alone */
    if (map64_get(&t->told, key, &seen)) return false;
    map64_put(&t->told, key, 1);
    return true;
}

/* Columns: place, id, title, where, time, run, row, two texts more for conflicts and problems. */
static void tell_traces(struct telling *t, struct str id, struct str title)
{
    struct query *q = query_begin(t->db, QUERY_SUBJECT_TRACES);
    bind_text(q, 1, id);
    bind_text(q, 2, title);
    while (query_step(q)) {
        struct arena arena AUTO_ARENA = ARENA_INIT;
        struct archived old = {0};
        enum subject_place place = (enum subject_place)column_int(q, 0);
        if (!is_news(t, place, column_int(q, 6))) continue;
        if (place == SUBJECT_EARLIER) archive_get(t->db, column_int(q, 6), &arena, &old);
        const struct subject_trace trace = {.place = place,
                                            .id = column_text(q, 1),
                                            .title = column_text(q, 2),
                                            .where = column_text(q, 3),
                                            .time_ms = column_int(q, 4),
                                            .run = column_int(q, 5),
                                            .body = place == SUBJECT_EARLIER ? old.body : column_text(q, 7)};
        t->fn(t->ctx, &trace);
    }
    query_end(q);
}

static void tell_record(struct telling *t, struct str id)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct store_record r;
    struct book book = {0};
    if (!store_get(t->db, id, &arena, &r)) return;
    book_find(t->db, r.book, &arena, &book);
    const struct subject_trace trace = {.place = r.deleted ? SUBJECT_DELETED : SUBJECT_CONTACT,
                                        .id = r.id,
                                        .title = r.title,
                                        .where = book.name,
                                        .body = r.body,
                                        .time_ms = r.changed_ms};
    t->fn(t->ctx, &trace);
}

enum fault_code subject_each(struct db *db, const struct subject *s,
                             void (*fn)(void *ctx, const struct subject_trace *t), void *ctx, struct fault *f)
{
    struct telling t = {.db = db, .fn = fn, .ctx = ctx, .f = f};
    map64_init(&t.told, 64);
    for (size_t i = 0; i < s->n_store_ids; i++) tell_record(&t, s->store_ids[i]);
    for (size_t i = 0; i < s->n_ids; i++) tell_traces(&t, s->ids[i], STR_NONE);
    for (size_t i = 0; i < s->n_titles; i++) tell_traces(&t, STR_NONE, s->titles[i]);
    map64_free(&t.told);
    return db_check(db, f);
}

/* -- taking it away -- */

static void count(void *ctx, const struct subject_trace *t)
{
    ((int64_t *)ctx)[t->place]++;
}

static void run_with(struct db *db, enum query_id query, struct str text)
{
    struct query *q = query_begin(db, query);
    bind_text(q, 1, text);
    query_run(q);
}

/* A living contact is deleted as by a person first, so that its links carry that on. */
static void erase_record(struct db *db, struct str id, const struct hash_key *key, struct fault *f)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct store_record r;
    uint64_t hash;
    if (!store_get(db, id, &arena, &r)) return;
    const struct store_write w = {.id = r.id, .book = r.book, .origin = STR("erase"), .kind = r.kind};
    if (!r.deleted) store_delete(db, &w, true, NULL, f);
    struct query *q = query_begin(db, QUERY_SUBJECT_ERASE_RECORD);
    bind_text(q, 1, id);
    if (subject_uid_hash(key, r.uid, &hash))
        bind_text(q, 2, str_of(arena_printf(&arena, ERASED "%016" PRIx64, hash)));
    else
        bind_null(q, 2);
    query_run(q);
}

bool subject_uid_hash(const struct hash_key *key, struct str uid, uint64_t *out)
{
    if (!uid.n) return false;
    if (!str_starts(uid, STR(ERASED))) {
        *out = hash_str(key, uid);
        return true;
    }
    *out = 0;
    for (size_t i = sizeof ERASED - 1; i < uid.n; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = memchr(digits, uid.p[i], 16);
        if (!digit) return false;
        *out = *out << 4 | (uint64_t)(digit - digits);
    }
    return true;
}

static void erase_all(struct db *db, const struct subject *s, const struct hash_key *key, struct fault *f)
{
    static const enum query_id of_id[] = {QUERY_SUBJECT_ERASE_ARCHIVE,   QUERY_SUBJECT_ERASE_OPERATIONS,
                                          QUERY_SUBJECT_ERASE_CONFLICTS, QUERY_SUBJECT_ERASE_PROBLEMS,
                                          QUERY_SUBJECT_ERASE_REVIEWS,   QUERY_SUBJECT_ERASE_PENDING,   QUERY_SUBJECT_ERASE_PROVENANCE, QUERY_SUBJECT_ERASE_PUSHED};
    static const enum query_id of_title[] = {QUERY_SUBJECT_ERASE_ARCHIVE_TITLE,   QUERY_SUBJECT_ERASE_OPERATIONS_TITLE,
                                             QUERY_SUBJECT_ERASE_CONFLICTS_TITLE, QUERY_SUBJECT_ERASE_PROBLEMS_TITLE,
                                             QUERY_SUBJECT_ERASE_REVIEWS_TITLE,   QUERY_SUBJECT_ERASE_PENDING_TITLE,
                                             QUERY_SUBJECT_ERASE_FAULTS,          QUERY_SUBJECT_ERASE_FOLLOWUPS_TITLE, QUERY_SUBJECT_ERASE_PUSHED_TITLE};
    for (size_t i = 0; i < s->n_store_ids; i++) erase_record(db, s->store_ids[i], key, f);
    for (size_t i = 0; i < s->n_ids; i++) attached_erase(db, s->ids[i], f);
    for (size_t i = 0; i < s->n_ids; i++)
        for (size_t k = 0; k < sizeof of_id / sizeof *of_id; k++) run_with(db, of_id[k], s->ids[i]);
    for (size_t i = 0; i < s->n_titles; i++)
        for (size_t k = 0; k < sizeof of_title / sizeof *of_title; k++) run_with(db, of_title[k], s->titles[i]);
}

enum fault_code subject_erase(struct db *db, const struct subject *s, const struct hash_key *key,
                              int64_t counts[SUBJECT_PLACES], struct fault *f)
{
    memset(counts, 0, SUBJECT_PLACES * sizeof *counts);
    enum fault_code code = db_begin(db, f);
    if (code) return code;
    code = subject_each(db, s, count, counts, f);
    if (!code) erase_all(db, s, key, f);
    if (!code) query_run(query_begin(db, QUERY_DIRECTORY_UPLOADS_FORGET)); /* whose files name whom is not worth telling */
    if (code) db_rollback(db);
    if (!code) code = db_commit(db, f);
    return code ? code : db_scrub(db, f);
}
