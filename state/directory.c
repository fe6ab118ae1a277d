#include "state/directory_impl.h"

#include "base/i18n.h"
#include "state/rows.h"
#include "state/store.h"

#include <stddef.h>

/* -- reading -- */

struct directory directory_read(struct query *q, struct arena *arena)
{
    return (struct directory){.no = column_int(q, 0),
                              .name = arena_str(arena, column_text(q, 1)),
                              .push_book = arena_str(arena, column_text(q, 2)),
                              .created_ms = column_int(q, 3),
                              .pushed_ms = column_int(q, 4),
                              .fetched_ms = column_int(q, 5),
                              .fetched_as = arena_str(arena, column_text(q, 6)),
                              .merged_book = arena_str(arena, column_text(q, 7)),
                              .merged_version = arena_str(arena, column_text(q, 8))};
}

void directory_read_settings(struct db *db, struct directory *d, struct arena *arena)
{
    static const struct {
        const char *key;
        size_t offset;
    } texts[] = {{"number", offsetof(struct directory, number_form)},
                 {"line", offsetof(struct directory, line)},
                 {"area", offsetof(struct directory, area)},
                 {"country", offsetof(struct directory, country)},
                 {"names", offsetof(struct directory, names)},
                 {"company", offsetof(struct directory, company)},
                 {"include_fax", offsetof(struct directory, include_fax)},
                 {"networks", offsetof(struct directory, networks)},
                 {"charset", offsetof(struct directory, charset)},
                 {"user", offsetof(struct directory, user)},
                 {"password", offsetof(struct directory, password)}};
    struct query *q = query_begin(db, QUERY_DIRECTORY_SETTINGS);
    bind_int(q, 1, d->no);
    while (query_step(q)) {
        struct str key = column_text(q, 0), value = column_text(q, 1);
        long long n;
        if (str_eq(key, STR("plain_http"))) d->plain_http = str_eq(value, STR("yes"));
        if (str_eq(key, STR("max_shrink")) && str_to_int64(value, &n)) d->max_shrink = n;
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            if (str_eq(key, str_of(texts[i].key)))
                *(struct str *)(void *)((char *)d + texts[i].offset) = arena_str(arena, value);
    }
    query_end(q);
}

static bool get(struct db *db, enum query_id id, struct str text, struct arena *arena, struct directory *out)
{
    struct query *q = query_begin(db, id);
    bind_text(q, 1, text);
    bool there = query_step(q);
    if (there) *out = directory_read(q, arena);
    query_end(q);
    if (there) directory_read_settings(db, out, arena);
    return there;
}

bool directory_by_name(struct db *db, struct str name, struct arena *arena, struct directory *out)
{
    return get(db, QUERY_DIRECTORY_BY_NAME, name, arena, out);
}

static size_t list(struct db *db, struct query *q, struct arena *arena, struct directory **out)
{
    struct rows rows = ROWS_OF(struct directory);
    while (query_step(q)) *(struct directory *)rows_add(&rows) = directory_read(q, arena);
    query_end(q);
    size_t n = rows.n;
    *out = rows_keep(&rows, arena);
    for (size_t i = 0; i < n; i++) directory_read_settings(db, &(*out)[i], arena);
    return n;
}

size_t directory_list(struct db *db, struct arena *arena, struct directory **out)
{
    return list(db, query_begin(db, QUERY_DIRECTORY_LIST), arena, out);
}

size_t directory_list_of_user(struct db *db, int64_t user, struct arena *arena, struct directory **out)
{
    struct query *q = query_begin(db, QUERY_DIRECTORY_OF_USER);
    bind_int(q, 1, user);
    return list(db, q, arena, out);
}

/* -- writing -- */

enum fault_code directory_add(struct db *db, struct directory *d, struct str key, const struct str *books, size_t n,
                              struct arena *arena, struct fault *f)
{
    struct directory other;
    struct book own;
    if (directory_by_name(db, d->name, arena, &other))
        return fault_set(f, FAULT_EXISTS, NULL, _("there is a phonebook \"%.*s\" already"), STR_ARG(d->name));
    enum fault_code code = book_add(db, d->name, 0, arena, &own, f);
    if (code) return code;
    d->push_book = own.id;
    struct query *q = query_begin(db, QUERY_DIRECTORY_ADD);
    bind_text(q, 1, d->name);
    bind_text(q, 2, own.id);
    bind_int(q, 3, db_env(db)->now_ms(db_env(db)));
    d->no = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    code = directory_key_add(db, d->no, key, DIRECTORY_READS | DIRECTORY_PUSHES, f);
    for (size_t i = 0; !code && i < n; i++) code = directory_part_add(db, d->no, PART_BOOK, books[i], STR_NONE, f);
    return code ? code : directory_part_add(db, d->no, PART_PUSH, own.id, STR_NONE, f);
}

enum fault_code directory_remove(struct db *db, int64_t no, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_DIRECTORY_REMOVE);
    bind_int(q, 1, no);
    query_run(q);
    return db_check(db, f);
}

static enum fault_code note(struct db *db, enum query_id id, int64_t no, struct str as, struct fault *f)
{
    struct query *q = query_begin(db, id);
    bind_int(q, 1, no);
    bind_int(q, 2, db_env(db)->now_ms(db_env(db)));
    if (as.p) bind_text(q, 3, as);
    query_run(q);
    return db_check(db, f);
}

enum fault_code directory_note_push(struct db *db, int64_t no, struct fault *f)
{
    return note(db, QUERY_DIRECTORY_PUSHED, no, STR_NONE, f);
}

enum fault_code directory_note_fetch(struct db *db, int64_t no, struct str as, struct fault *f)
{
    return note(db, QUERY_DIRECTORY_FETCHED, no, as, f);
}

enum fault_code directory_set(struct db *db, int64_t no, const char *key, struct str value, struct fault *f)
{
    struct query *q = query_begin(db, value.p ? QUERY_DIRECTORY_SETTING_SET : QUERY_DIRECTORY_SETTING_REMOVE);
    bind_int(q, 1, no);
    bind_text(q, 2, str_of(key));
    if (value.p) bind_text(q, 3, value);
    query_run(q);
    return db_check(db, f);
}
