#include "state/directory.h"

#include "base/i18n.h"
#include "state/rows.h"
#include "state/store.h"

#define PLACE_OF_PUSHES (INT64_C(1) << 40) /* behind all that come later */

/* -- what it is made of -- */

size_t directory_parts(struct db *db, int64_t no, struct arena *arena, struct directory_part **out)
{
    struct rows rows = ROWS_OF(struct directory_part);
    struct query *q = query_begin(db, QUERY_DIRECTORY_PARTS);
    bind_int(q, 1, no);
    while (query_step(q))
        *(struct directory_part *)rows_add(&rows) =
            (struct directory_part){.kind = (enum directory_part_kind)column_int(q, 0),
                                    .book = arena_str(arena, column_text(q, 1)),
                                    .link = arena_str(arena, column_text(q, 2)),
                                    .name = arena_str(arena, column_text(q, 3)),
                                    .records = column_int(q, 4),
                                    .seq = column_int(q, 5)};
    query_end(q);
    size_t n = rows.n;
    *out = rows_keep(&rows, arena);
    return n;
}

static int64_t next_place(struct db *db, int64_t no)
{
    struct query *q = query_begin(db, QUERY_DIRECTORY_PART_PLACE);
    bind_int(q, 1, no);
    int64_t place = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    return place;
}

enum fault_code directory_part_add(struct db *db, int64_t no, enum directory_part_kind kind, struct str book,
                                   struct str link, struct fault *f)
{
    int64_t place = kind == PART_PUSH ? PLACE_OF_PUSHES : next_place(db, no);
    struct query *q = query_begin(db, QUERY_DIRECTORY_PART_ADD);
    bind_int(q, 1, no);
    bind_int(q, 2, place);
    bind_int(q, 3, kind);
    bind_text(q, 4, book);
    bind_text(q, 5, link);
    query_run(q);
    return db_check(db, f);
}

struct str directory_part_of_link(struct db *db, int64_t no, struct str link, struct arena *arena)
{
    struct query *q = query_begin(db, QUERY_DIRECTORY_PART_OF_LINK);
    bind_int(q, 1, no);
    bind_text(q, 2, link);
    struct str book = query_step(q) ? arena_str(arena, column_text(q, 0)) : STR_NONE;
    query_end(q);
    return book;
}

/* A book of that name, or "name 2" and so on where a person has one. */
static enum fault_code make_book(struct db *db, struct str name, struct arena *arena, struct str *id, struct fault *f)
{
    struct book made, other;
    struct str free_name = name;
    for (int i = 2; book_find(db, free_name, arena, &other); i++)
        free_name = str_of(arena_printf(arena, "%.*s %d", STR_ARG(name), i));
    enum fault_code code = book_add(db, free_name, 0, arena, &made, f);
    if (!code) *id = made.id;
    return code;
}

enum fault_code directory_part_make(struct db *db, const struct directory *d, struct str link, struct arena *arena,
                                    struct str *book, struct fault *f)
{
    struct str name = str_of(arena_printf(arena, "%.*s/%.*s", STR_ARG(d->name), STR_ARG(link)));
    enum fault_code code = make_book(db, name, arena, book, f);
    return code ? code : directory_part_add(db, d->no, PART_LINK, *book, link, f);
}

enum fault_code directory_part_remove(struct db *db, int64_t no, const struct directory_part *part, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_DIRECTORY_PART_REMOVE);
    bind_int(q, 1, no);
    bind_text(q, 2, part->book);
    query_run(q);
    return part->kind == PART_LINK ? book_remove(db, part->book, f) : db_check(db, f);
}

enum fault_code directory_part_place(struct db *db, int64_t no, struct str book, int64_t place, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_DIRECTORY_PART_SET_PLACE);
    bind_int(q, 1, no);
    bind_text(q, 2, book);
    bind_int(q, 3, place);
    query_run(q);
    return db_check(db, f);
}

struct str directory_owner(struct db *db, struct str book, struct arena *arena)
{
    struct query *q = query_begin(db, QUERY_DIRECTORY_PART_OWNER);
    bind_text(q, 1, book);
    struct str owner = query_step(q) ? arena_str(arena, column_text(q, 0)) : STR_NONE;
    query_end(q);
    return owner;
}

/* -- the book that shows it -- */

enum fault_code directory_merged_make(struct db *db, struct directory *d, struct arena *arena, struct fault *f)
{
    struct book there;
    if (d->merged_book.n && book_find(db, d->merged_book, arena, &there)) return db_check(db, f);
    struct str name = str_of(arena_printf(arena, _("%.*s (CardDAV)"), STR_ARG(d->name)));
    enum fault_code code = make_book(db, name, arena, &d->merged_book, f);
    if (code) return code;
    struct query *q = query_begin(db, QUERY_DIRECTORY_MERGED_BOOK);
    bind_int(q, 1, d->no);
    bind_text(q, 2, d->merged_book);
    query_run(q);
    d->merged_version = STR_NONE;
    return db_check(db, f);
}

enum fault_code directory_merged_note(struct db *db, int64_t no, const char *version, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_DIRECTORY_MERGED_VERSION);
    bind_int(q, 1, no);
    bind_text(q, 2, str_of(version));
    query_run(q);
    return db_check(db, f);
}

/* -- files -- */

static struct query *of_age(struct db *db, enum query_id id, int64_t no, int age)
{
    struct query *q = query_begin(db, id);
    bind_int(q, 1, no);
    bind_int(q, 2, age);
    return q;
}

bool directory_upload_get(struct db *db, int64_t no, int age, struct arena *arena, struct directory_upload *out)
{
    struct query *q = of_age(db, QUERY_DIRECTORY_UPLOAD_GET, no, age);
    bool there = query_step(q);
    if (there)
        *out = (struct directory_upload){.time_ms = column_int(q, 0),
                                         .digest = arena_str(arena, column_text(q, 1)),
                                         .seq = column_int(q, 2),
                                         .told = arena_str(arena, column_text(q, 3)),
                                         .size_bytes = column_int(q, 4)};
    query_end(q);
    return there;
}

struct str directory_upload_body(struct db *db, int64_t no, int age, struct arena *arena)
{
    struct query *q = of_age(db, QUERY_DIRECTORY_UPLOAD_BODY, no, age);
    struct str body = query_step(q) ? arena_str(arena, column_blob(q, 1)) : STR_NONE;
    query_end(q);
    return body;
}

enum fault_code directory_upload_keep(struct db *db, int64_t no, const struct directory_upload *u, struct str body,
                                      struct fault *f)
{
    query_run(of_age(db, QUERY_DIRECTORY_UPLOAD_DROP, no, 1));
    struct query *q = query_begin(db, QUERY_DIRECTORY_UPLOAD_AGE);
    bind_int(q, 1, no);
    query_run(q);
    q = query_begin(db, QUERY_DIRECTORY_UPLOAD_ADD);
    bind_int(q, 1, no);
    bind_int(q, 2, db_env(db)->now_ms(db_env(db)));
    bind_text(q, 3, u->digest);
    bind_int(q, 4, u->seq);
    bind_text(q, 5, u->told);
    bind_int(q, 6, (int64_t)body.n);
    bind_blob(q, 7, body);
    query_run(q);
    return db_check(db, f);
}
