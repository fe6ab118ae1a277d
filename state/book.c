#include "state/store.h"

#include "base/i18n.h"
#include "state/attached.h"
#include "state/rows.h"

static struct book read_book(struct query *q, struct arena *arena)
{
    return (struct book){.id = arena_str(arena, column_text(q, 0)),
                         .name = arena_str(arena, column_text(q, 1)),
                         .kind = (unsigned)column_int(q, 2),
                         .seq = column_int(q, 3),
                         .records = column_int(q, 4)};
}

size_t book_list(struct db *db, struct arena *arena, struct book **out)
{
    struct rows rows = ROWS_OF(struct book);
    struct query *q = query_begin(db, QUERY_BOOK_LIST);
    while (query_step(q)) *(struct book *)rows_add(&rows) = read_book(q, arena);
    query_end(q);
    size_t n = rows.n;
    *out = rows_keep(&rows, arena);
    return n;
}

static bool find_by(struct db *db, enum query_id id, struct str key, struct arena *arena, struct book *out)
{
    struct query *q = query_begin(db, id);
    bind_text(q, 1, key);
    bool there = query_step(q);
    if (there) *out = read_book(q, arena);
    query_end(q);
    return there;
}

bool book_find(struct db *db, struct str id_or_name, struct arena *arena, struct book *out)
{
    memset(out, 0, sizeof *out);
    return find_by(db, QUERY_BOOK_BY_NAME, id_or_name, arena, out) || find_by(db, QUERY_BOOK_BY_ID, id_or_name, arena, out);
}

static enum fault_code name_taken(struct str name, struct fault *f)
{
    return fault_set(f, FAULT_EXISTS, _("choose another name"), _("there is a book \"%.*s\" already"), STR_ARG(name));
}

enum fault_code book_add(struct db *db, struct str name, unsigned kind, struct arena *arena, struct book *out, struct fault *f)
{
    if (!name.n) return fault_set(f, FAULT_USAGE, _("give it a name"), _("a book needs a name"));
    if (book_find(db, name, arena, out)) return name_taken(name, f);
    char id[UUID_TEXT_BYTES];
    env_uuid7(db_env(db), id);
    struct query *q = query_begin(db, QUERY_BOOK_ADD);
    bind_text(q, 1, str_of(id));
    bind_text(q, 2, name);
    bind_int(q, 3, kind);
    bind_int(q, 4, db_env(db)->now_ms(db_env(db)));
    query_run(q);
    *out = (struct book){.id = arena_str(arena, str_of(id)), .name = arena_str(arena, name), .kind = kind};
    return db_check(db, f);
}

static enum fault_code no_book(struct str id, struct fault *f)
{
    return fault_set(f, FAULT_NO_COLLECTION, _("`abgleich book list` shows the books"), _("there is no book \"%.*s\""), STR_ARG(id));
}

enum fault_code book_rename(struct db *db, struct str id, struct str name, struct fault *f)
{
    struct arena arena AUTO_ARENA = ARENA_INIT;
    struct book other;
    if (book_find(db, name, &arena, &other) && !str_eq(other.id, id)) return name_taken(name, f);
    struct query *q = query_begin(db, QUERY_BOOK_RENAME);
    bind_text(q, 1, id);
    bind_text(q, 2, name);
    bool there = query_step(q);
    query_end(q);
    enum fault_code code = db_check(db, f);
    return code || there ? code : no_book(id, f);
}

enum fault_code book_remove(struct db *db, struct str id, struct fault *f)
{
    enum fault_code code = db_begin(db, f);
    if (code) return code;
    struct query *q = query_begin(db, QUERY_BOOK_NUMBER);
    bind_text(q, 1, id);
    int64_t number = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    static const enum query_id steps[] = {QUERY_DAV_NAME_OF_BOOK, QUERY_BOOK_REMOVE_RECORDS, QUERY_BOOK_REMOVE_PARTS,
                                          QUERY_BOOK_REMOVE};
    for (size_t i = 0; number && i < sizeof steps / sizeof *steps; i++) {
        q = query_begin(db, steps[i]);
        bind_int(q, 1, number);
        query_run(q);
    }
    attached_purge(db, 0, NULL);
    code = db_commit(db, f);
    return code || number ? code : no_book(id, f);
}
