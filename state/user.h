/* Who reads and writes books of the store over CardDAV (protocols: carddav 9). Passwords are kept as argon2id. Called
 * by server/dav*.c and cli/. Strings read are in the arena. */
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
    struct str name;        /* how a client that made it addresses it; {NULL,0} = by its id */
    struct str title;       /* how this user calls it, else the book's name */
    struct str description; /* {NULL,0} = none */
    struct str store_name;
    int64_t seq, no; /* the book's change number; its row */
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
enum fault_code user_book_call(struct db *db, int64_t no, struct str book, struct str name, struct fault *f);
/* {NULL,0} as title: the book's own name again. */
enum fault_code user_book_say(struct db *db, int64_t no, struct str book, struct str title, struct str description,
                              struct fault *f);
/* Books of contacts, in a stable order: the oldest first. */
size_t user_books(struct db *db, int64_t no, struct arena *arena, struct user_book **out);

#endif
