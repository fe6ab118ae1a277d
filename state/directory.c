#include "state/directory.h"

#include "base/i18n.h"
#include "state/rows.h"
#include "state/settings.h"
#include "state/store.h"

/* -- keys -- */

enum fault_code directory_key_hash(struct db *db, struct str key, char out[DIGEST_HEX_BYTES], struct fault *f)
{
    struct hash_key secret;
    struct digest d;
    enum fault_code code = settings_hash_key(db, &secret, f);
    digest_init(&d);
    digest_str(&d, STR("directory"));
    digest_str(&d, (struct str){(const char *)&secret, sizeof secret});
    digest_str(&d, key);
    digest_hex(&d, out);
    return code;
}

bool directory_key_ok(struct str key)
{
    size_t same = 0, rising = 0, falling = 0;
    if (key.n != DIRECTORY_KEY_CHARACTERS) return false;
    for (size_t i = 0; i < key.n; i++) {
        bool digit = key.p[i] >= '0' && key.p[i] <= '9', letter = key.p[i] >= 'A' && key.p[i] <= 'Z';
        if (!digit && !letter) return false;
        if (!i) continue;
        same += key.p[i] == key.p[i - 1];
        rising += key.p[i] == key.p[i - 1] + 1;
        falling += key.p[i] == key.p[i - 1] - 1;
    }
    return same < 9 && rising < 9 && falling < 9;
}

void directory_key_new(struct env *env, char out[DIRECTORY_KEY_CHARACTERS + 1])
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    do {
        for (size_t i = 0; i < DIRECTORY_KEY_CHARACTERS;) {
            unsigned char byte;
            env->random(env, &byte, 1);
            if (byte < 252) out[i++] = letters[byte % 36]; /* 252 = 7 x 36: each as likely as the others */
        }
        out[DIRECTORY_KEY_CHARACTERS] = '\0';
    } while (!directory_key_ok(str_of(out)));
}

/* -- phonebooks -- */

static void bind_text_or_null(struct query *q, int at, struct str s)
{
    if (s.p)
        bind_text(q, at, s);
    else
        bind_null(q, at);
}

static enum fault_code add_books(struct db *db, int64_t no, const struct str *books, size_t n, struct fault *f)
{
    for (size_t i = 0; i < n; i++) {
        struct query *q = query_begin(db, QUERY_DIRECTORY_BOOK_ADD);
        bind_int(q, 1, no);
        bind_int(q, 2, (int64_t)i);
        bind_text(q, 3, books[i]);
        query_run(q);
    }
    return db_check(db, f);
}

enum fault_code directory_add(struct db *db, struct directory *d, struct str key, const struct str *books, size_t n,
                              struct arena *arena, struct fault *f)
{
    char hash[DIGEST_HEX_BYTES];
    struct directory other;
    struct book own;
    enum fault_code code = directory_key_hash(db, key, hash, f);
    if (code) return code;
    if (directory_by_name(db, d->name, arena, &other))
        return fault_set(f, FAULT_EXISTS, NULL, _("there is a phonebook \"%.*s\" already"), STR_ARG(d->name));
    if (directory_by_key(db, key, arena, &other))
        return fault_set(f, FAULT_EXISTS, _("choose another key"), _("this key is taken"));
    code = book_add(db, d->name, 0, arena, &own, f);
    if (code) return code;
    d->push_book = own.id;
    struct query *q = query_begin(db, QUERY_DIRECTORY_ADD);
    bind_text(q, 1, d->name);
    bind_text(q, 2, str_of(hash));
    bind_text(q, 3, own.id);
    bind_text_or_null(q, 4, d->number_form);
    bind_text_or_null(q, 5, d->line);
    bind_int(q, 6, d->plain_http);
    bind_int(q, 7, db_env(db)->now_ms(db_env(db)));
    d->no = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    return add_books(db, d->no, books, n, f);
}

enum fault_code directory_remove(struct db *db, int64_t no, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_DIRECTORY_REMOVE);
    bind_int(q, 1, no);
    query_run(q);
    return db_check(db, f);
}

static struct directory directory_of(struct query *q, struct arena *arena)
{
    return (struct directory){.no = column_int(q, 0),
                              .name = arena_str(arena, column_text(q, 1)),
                              .push_book = arena_str(arena, column_text(q, 2)),
                              .number_form = arena_str(arena, column_text(q, 3)),
                              .line = arena_str(arena, column_text(q, 4)),
                              .plain_http = column_int(q, 5) != 0,
                              .created_ms = column_int(q, 6),
                              .pushed_ms = column_int(q, 7),
                              .fetched_ms = column_int(q, 8),
                              .fetched_as = arena_str(arena, column_text(q, 9))};
}

static bool get(struct db *db, enum query_id id, struct str text, struct arena *arena, struct directory *out)
{
    struct query *q = query_begin(db, id);
    bind_text(q, 1, text);
    bool there = query_step(q);
    if (there) *out = directory_of(q, arena);
    query_end(q);
    return there;
}

bool directory_by_key(struct db *db, struct str key, struct arena *arena, struct directory *out)
{
    char hash[DIGEST_HEX_BYTES];
    return !directory_key_hash(db, key, hash, NULL) && get(db, QUERY_DIRECTORY_BY_KEY, str_of(hash), arena, out);
}

bool directory_by_name(struct db *db, struct str name, struct arena *arena, struct directory *out)
{
    return get(db, QUERY_DIRECTORY_BY_NAME, name, arena, out);
}

size_t directory_list(struct db *db, struct arena *arena, struct directory **out)
{
    struct rows rows = ROWS_OF(struct directory);
    struct query *q = query_begin(db, QUERY_DIRECTORY_LIST);
    while (query_step(q)) *(struct directory *)rows_add(&rows) = directory_of(q, arena);
    query_end(q);
    size_t n = rows.n;
    *out = rows_keep(&rows, arena);
    return n;
}

size_t directory_books(struct db *db, const struct directory *d, struct arena *arena, struct str **out)
{
    struct rows rows = ROWS_OF(struct str);
    struct query *q = query_begin(db, QUERY_DIRECTORY_BOOKS);
    bind_int(q, 1, d->no);
    while (query_step(q)) *(struct str *)rows_add(&rows) = arena_str(arena, column_text(q, 0));
    query_end(q);
    *(struct str *)rows_add(&rows) = d->push_book;
    size_t n = rows.n;
    *out = rows_keep(&rows, arena);
    return n;
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
