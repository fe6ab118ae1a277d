/* Who reads and writes books of the store over CardDAV, and the names they gave cards there (protocols: carddav 9).
 * Passwords are kept as argon2id. Called by server/dav*.c and cli/. Strings read are in the arena. */
#ifndef ABGLEICH_USER_H
#define ABGLEICH_USER_H

#include "state/db.h"

struct user {
    int64_t no;
    struct str name;
    struct str password; /* argon2id, as libsodium writes it */
    int64_t created_ms;
};
struct user_book {
    struct str book; /* id */
    bool read_only;
};

/* FAULT_EXISTS if the name is taken. Takes about 0.1 s of CPU: never on a loop's thread. *no may be NULL. */
enum fault_code user_add(struct db *db, struct str name, const char *password, int64_t *no, struct fault *f);
enum fault_code user_set_password(struct db *db, int64_t no, const char *password, struct fault *f);
enum fault_code user_remove(struct db *db, int64_t no, struct fault *f);
bool user_get(struct db *db, struct str name, struct arena *arena, struct user *out);
size_t user_list(struct db *db, struct arena *arena, struct user **out);
/* Is it the right password? As slow as user_add, also for a user that is not there (u NULL): nobody learns which names
 * there are. */
bool user_check(const struct user *u, const char *password);
enum fault_code user_book_set(struct db *db, int64_t no, struct str book, bool read_only, struct fault *f);
enum fault_code user_book_remove(struct db *db, int64_t no, struct str book, struct fault *f);
/* In a stable order: the oldest book first. */
size_t user_books(struct db *db, int64_t no, struct arena *arena, struct user_book **out);

/* The last part of a card's path: chosen by the client that put it there, else the record's id and ".vcf". */
enum fault_code dav_name_set(struct db *db, struct str book, struct str name, struct str record, struct fault *f);
/* The record of that name, living or not; {NULL,0} = none was ever put under it. */
struct str dav_name_get(struct db *db, struct str book, struct str name, struct arena *arena);
struct str dav_name_of(struct db *db, struct str record, struct arena *arena);

#endif
