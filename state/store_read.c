#include "state/store.h"

#include "base/i18n.h"
#include "mapping/text.h"

#define HANDLE_MIN_BYTES 4

/* Columns as RECORD_COLUMNS names them; borrowed. */
static struct store_record read_record(struct query *q)
{
    return (struct store_record){.id = column_text(q, 0),
                                 .book = column_text(q, 1),
                                 .kind = (unsigned)column_int(q, 2),
                                 .uid = column_text(q, 3),
                                 .title = column_text(q, 4),
                                 .seq = column_int(q, 5),
                                 .deleted = column_int(q, 6) != 0,
                                 .by_person = column_int(q, 7) != 0,
                                 .origin = column_text(q, 8),
                                 .created_ms = column_int(q, 9),
                                 .changed_ms = column_int(q, 10),
                                 .body = column_blob(q, 11)};
}

static struct store_record keep_record(struct query *q, struct arena *arena)
{
    struct store_record r = read_record(q);
    struct str *const texts[] = {&r.id, &r.book, &r.uid, &r.title, &r.origin, &r.body};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) *texts[i] = arena_str(arena, *texts[i]);
    return r;
}

static int64_t book_number(struct db *db, struct str id)
{
    struct query *q = query_begin(db, QUERY_BOOK_NUMBER);
    bind_text(q, 1, id);
    int64_t number = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    return number;
}

bool store_get(struct db *db, struct str id, struct arena *arena, struct store_record *out)
{
    memset(out, 0, sizeof *out);
    struct query *q = query_begin(db, QUERY_RECORD_GET);
    bind_text(q, 1, id);
    bool there = query_step(q);
    if (there) *out = keep_record(q, arena);
    query_end(q);
    return there;
}

bool store_find_uid(struct db *db, struct str book, struct str uid, struct arena *arena, struct store_record *out)
{
    memset(out, 0, sizeof *out);
    struct query *q = query_begin(db, QUERY_RECORD_BY_UID);
    bind_int(q, 1, book_number(db, book));
    bind_text(q, 2, uid);
    bool there = query_step(q);
    if (there) *out = keep_record(q, arena);
    query_end(q);
    return there;
}

int64_t store_count_uid(struct db *db, struct str book, struct str uid)
{
    struct query *q = query_begin(db, QUERY_RECORD_COUNT_UID);
    bind_text(q, 1, book);
    bind_text(q, 2, uid);
    int64_t n = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    return n;
}

/* -- all of a book -- */

enum fault_code store_changes(struct db *db, struct str book, int64_t since, store_fn *fn, void *ctx, struct fault *f)
{
    int64_t number = book_number(db, book);
    struct query *q = query_begin(db, QUERY_RECORD_CHANGES);
    bind_int(q, 1, number);
    bind_int(q, 2, since);
    bool go_on = true;
    while (go_on && query_step(q)) {
        struct store_record r = read_record(q);
        go_on = fn(ctx, &r);
    }
    query_end(q);
    return db_check(db, f);
}

enum fault_code store_each(struct db *db, struct str book, store_fn *fn, void *ctx, struct fault *f)
{
    int64_t number = book_number(db, book);
    struct query *q = query_begin(db, QUERY_RECORD_EACH);
    bind_int(q, 1, number);
    bool go_on = true;
    while (go_on && query_step(q)) {
        struct store_record r = read_record(q);
        go_on = fn(ctx, &r);
    }
    query_end(q);
    return db_check(db, f);
}

enum book_column { BOOK_SEQ = 3, BOOK_LIVING, BOOK_FLOOR }; /* of BOOK_COLUMNS */

static int64_t book_value(struct db *db, struct str book, enum book_column column)
{
    struct query *q = query_begin(db, QUERY_BOOK_BY_ID);
    bind_text(q, 1, book);
    int64_t value = query_step(q) ? column_int(q, column) : -1;
    query_end(q);
    return value;
}

int64_t store_count(struct db *db, struct str book)
{
    int64_t n = book_value(db, book, BOOK_LIVING);
    return n < 0 ? 0 : n;
}

int64_t store_seq(struct db *db, struct str book)
{
    return book_value(db, book, BOOK_SEQ);
}

int64_t store_floor(struct db *db, struct str book)
{
    return book_value(db, book, BOOK_FLOOR);
}

/* -- by title, with a search -- */

/* Plain search for the folded word in the folded title, and for the word as typed (case of ASCII aside) in the body. */
static bool body_has(struct str body, struct str word)
{
    for (size_t at = 0; word.n && at + word.n <= body.n; at++)
        if (str_eq_nocase((struct str){body.p + at, word.n}, word)) return true;
    return false;
}

static bool fits(const struct store_record *r, struct str search)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct str title = r->title.p ? text_fold(&arena, r->title) : STR("");
    for (struct str rest = search; rest.p;) {
        struct str word = str_trim(str_split(&rest, ' '));
        if (!word.n) continue;
        struct str folded = text_fold(&arena, word);
        bool in_title = folded.n && str_find(title, folded) != (size_t)-1;
        if (!in_title && !body_has(r->body, word)) return false;
    }
    return true;
}

enum fault_code store_list(struct db *db, struct str book, struct str search, bool deleted, store_fn *fn, void *ctx,
                           struct fault *f)
{
    struct query *q = query_begin(db, QUERY_RECORD_LIST);
    bind_int(q, 1, deleted);
    bind_text(q, 2, book);
    bool go_on = true;
    while (go_on && query_step(q)) {
        struct store_record r = read_record(q);
        if (!search.n || fits(&r, search)) go_on = fn(ctx, &r);
    }
    query_end(q);
    return db_check(db, f);
}

/* -- what a person calls a record -- */

struct candidates {
    size_t n;
    struct str id;
};

static void collect(struct query *q, struct arena *arena, struct candidates *c)
{
    while (query_step(q)) {
        if (!c->n) c->id = arena_str(arena, column_text(q, 0));
        c->n++;
    }
    query_end(q);
}

static void by_prefix(struct db *db, struct str book, struct str handle, bool deleted, struct arena *arena, struct candidates *c)
{
    if (handle.n < HANDLE_MIN_BYTES) return;
    struct query *q = query_begin(db, QUERY_RECORD_BY_PREFIX);
    bind_text(q, 1, handle);
    bind_text(q, 2, str_of(arena_printf(arena, "%.*s~", STR_ARG(handle)))); /* ids are hex digits and hyphens: all below '~' */
    bind_int(q, 3, deleted);
    bind_text(q, 4, book);
    collect(q, arena, c);
}

static void by_title(struct db *db, struct str book, struct str handle, bool deleted, struct arena *arena, struct candidates *c)
{
    struct query *q = query_begin(db, QUERY_RECORD_BY_TITLE);
    bind_text(q, 1, handle);
    bind_int(q, 2, deleted);
    bind_text(q, 3, book);
    collect(q, arena, c);
}

enum fault_code store_resolve(struct db *db, struct str book, struct str handle, bool deleted, struct arena *arena,
                              struct store_record *out, struct fault *f)
{
    struct candidates c = {0};
    by_prefix(db, book, handle, deleted, arena, &c);
    if (!c.n) by_title(db, book, handle, deleted, arena, &c);
    enum fault_code code = db_check(db, f);
    if (code) return code;
    if (c.n > 1)
        return fault_set(f, FAULT_USAGE, _("give more of the id"), _("several records are called \"%.*s\""), STR_ARG(handle));
    if (!c.n || !store_get(db, c.id, arena, out))
        return fault_set(f, FAULT_USAGE, deleted ? _("`abgleich contact deleted` lists them") : _("`abgleich contact list` lists them"),
                         _("there is no record \"%.*s\""), STR_ARG(handle));
    return FAULT_NONE;
}

bool store_changed_by_person(struct db *db, struct str book, int64_t since_seq)
{
    struct query *q = query_begin(db, QUERY_RECORD_CHANGED_BY_PERSON);
    bind_text(q, 1, book);
    bind_int(q, 2, since_seq);
    bind_text(q, 3, STR(STORE_ORIGIN_SYNC));
    bool changed = query_step(q);
    query_end(q);
    return changed;
}
