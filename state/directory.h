/* Phonebooks: what phones, scripts and apps read at /contacts/KEY (design.md 4, protocols: directory). One is made of
 * books of the store: those it was given, in their order, and its own, which pushes replace. Whatever feeds those books
 * feeds it. The key is kept as a keyed hash: who reads the state cannot read a phonebook with it.
 *
 * Called by server/directory.c and cli/. Strings read are in the arena. */
#ifndef ABGLEICH_DIRECTORY_H
#define ABGLEICH_DIRECTORY_H

#include "base/hash.h"
#include "state/db.h"

#define DIRECTORY_KEY_CHARACTERS 14

struct directory {
    int64_t no;
    struct str name, push_book;   /* push_book: id of the book that pushes replace */
    struct str number_form, line; /* number_form: {NULL,0} = each family's own; line: {NULL,0} = none */
    bool plain_http;
    int64_t created_ms, pushed_ms, fetched_ms; /* 0 = never */
    struct str fetched_as;
};

/* What stands for a key in the database: a hash with the state's own secret. */
enum fault_code directory_key_hash(struct db *db, struct str key, char out[DIGEST_HEX_BYTES], struct fault *f);
/* May somebody choose this key? 14 of 0-9 and A-Z, and not to be guessed at once. */
bool directory_key_ok(struct str key);
/* A random one. */
void directory_key_new(struct env *env, char out[DIRECTORY_KEY_CHARACTERS + 1]);

/* Makes it with its own book of the same name. d: name, number_form, line, plain_http; d->no and d->push_book are set.
 * books: ids. FAULT_EXISTS if the name, the book's name or the key is taken. In the caller's transaction. */
enum fault_code directory_add(struct db *db, struct directory *d, struct str key, const struct str *books, size_t n,
                              struct arena *arena, struct fault *f);
enum fault_code directory_remove(struct db *db, int64_t no, struct fault *f); /* its own book stays */
bool directory_by_key(struct db *db, struct str key, struct arena *arena, struct directory *out);
bool directory_by_name(struct db *db, struct str name, struct arena *arena, struct directory *out);
size_t directory_list(struct db *db, struct arena *arena, struct directory **out);
/* Ids of its books, in the order in which they win: those given, then its own. */
size_t directory_books(struct db *db, const struct directory *d, struct arena *arena, struct str **out);
enum fault_code directory_note_push(struct db *db, int64_t no, struct fault *f);
enum fault_code directory_note_fetch(struct db *db, int64_t no, struct str as, struct fault *f);

#endif
