#include "state/user.h"

#include "base/i18n.h"
#include "state/rows.h"

#include <sodium.h>

static enum fault_code hash(const char *password, char out[crypto_pwhash_STRBYTES], struct fault *f)
{
    if (crypto_pwhash_str(out, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                          crypto_pwhash_MEMLIMIT_INTERACTIVE) == 0)
        return FAULT_NONE;
    return fault_set(f, FAULT_INTERNAL, NULL, "%s", _("not enough memory to keep a password safely"));
}

enum fault_code user_add(struct db *db, struct str name, const char *password, int64_t *no, struct fault *f)
{
    char text[crypto_pwhash_STRBYTES];
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    struct user other;
    if (user_get(db, name, &scratch, &other))
        return fault_set(f, FAULT_EXISTS, NULL, _("there is a user \"%.*s\" already"), STR_ARG(name));
    enum fault_code code = hash(password, text, f);
    if (code) return code;
    struct query *q = query_begin(db, QUERY_USER_ADD);
    bind_text(q, 1, name);
    bind_text(q, 2, str_of(text));
    bind_int(q, 3, db_env(db)->now_ms(db_env(db)));
    int64_t made = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    if (no) *no = made;
    return db_check(db, f);
}

enum fault_code user_set_password(struct db *db, int64_t no, const char *password, struct fault *f)
{
    char text[crypto_pwhash_STRBYTES];
    enum fault_code code = hash(password, text, f);
    if (code) return code;
    struct query *q = query_begin(db, QUERY_USER_PASSWORD);
    bind_int(q, 1, no);
    bind_text(q, 2, str_of(text));
    query_run(q);
    return db_check(db, f);
}

enum fault_code user_remove(struct db *db, int64_t no, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_USER_REMOVE);
    bind_int(q, 1, no);
    query_run(q);
    return db_check(db, f);
}

static struct user user_of(struct query *q, struct arena *arena)
{
    return (struct user){column_int(q, 0), arena_str(arena, column_text(q, 1)), arena_str(arena, column_text(q, 2)),
                         column_int(q, 3)};
}

bool user_get(struct db *db, struct str name, struct arena *arena, struct user *out)
{
    struct query *q = query_begin(db, QUERY_USER_GET);
    bind_text(q, 1, name);
    bool there = query_step(q);
    if (there) *out = user_of(q, arena);
    query_end(q);
    return there;
}

size_t user_list(struct db *db, struct arena *arena, struct user **out)
{
    struct rows rows = ROWS_OF(struct user);
    struct query *q = query_begin(db, QUERY_USER_LIST);
    while (query_step(q)) *(struct user *)rows_add(&rows) = user_of(q, arena);
    query_end(q);
    size_t n = rows.n;
    *out = rows_keep(&rows, arena);
    return n;
}

/* Of no password anybody has: takes as long as a real one. */
static const char nobody[] =
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

bool user_check(const struct user *u, const char *password)
{
    struct buf text AUTO_BUF = BUF_INIT;
    buf_addstr(&text, u ? u->password : str_of(nobody));
    return crypto_pwhash_str_verify(buf_cstr(&text), password, strlen(password)) == 0 && u;
}

enum fault_code user_book_set(struct db *db, int64_t no, struct str book, bool read_only, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_USER_BOOK_SET);
    bind_int(q, 1, no);
    bind_text(q, 2, book);
    bind_int(q, 3, read_only);
    query_run(q);
    return db_check(db, f);
}

enum fault_code user_book_remove(struct db *db, int64_t no, struct str book, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_USER_BOOK_REMOVE);
    bind_int(q, 1, no);
    bind_text(q, 2, book);
    query_run(q);
    return db_check(db, f);
}

enum fault_code user_book_call(struct db *db, int64_t no, struct str book, struct str name, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_USER_BOOK_NAME);
    bind_int(q, 1, no);
    bind_text(q, 2, book);
    bind_text(q, 3, name);
    query_run(q);
    return db_check(db, f);
}

enum fault_code user_book_say(struct db *db, int64_t no, struct str book, struct str title, struct str description,
                              struct fault *f)
{
    struct query *q = query_begin(db, QUERY_USER_BOOK_SAY);
    bind_int(q, 1, no);
    bind_text(q, 2, book);
    bind_text(q, 3, title);
    bind_text(q, 4, description);
    query_run(q);
    return db_check(db, f);
}

size_t user_books(struct db *db, int64_t no, struct arena *arena, struct user_book **out)
{
    struct rows rows = ROWS_OF(struct user_book);
    struct query *q = query_begin(db, QUERY_USER_BOOKS);
    bind_int(q, 1, no);
    while (query_step(q))
        *(struct user_book *)rows_add(&rows) = (struct user_book){.book = arena_str(arena, column_text(q, 0)),
                                                                  .read_only = column_int(q, 1) != 0,
                                                                  .name = arena_str(arena, column_text(q, 2)),
                                                                  .title = arena_str(arena, column_text(q, 3)),
                                                                  .description = arena_str(arena, column_text(q, 4)),
                                                                  .seq = column_int(q, 5),
                                                                  .no = column_int(q, 6),
                                                                  .store_name = arena_str(arena, column_text(q, 7))};
    query_end(q);
    size_t n = rows.n;
    *out = rows_keep(&rows, arena);
    return n;
}
