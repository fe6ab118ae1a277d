/* Cards as CardDAV clients know them: by a name that never changes, chosen by the client that put the card there, else
 * the record's id and ".vcf" (protocols: carddav 9). Names that are no more are kept as long as the book, so that a
 * client learns of a deletion however late it asks. Called by server/dav*.c. Books are given by their row
 * (user_book.no) where many are read, else by id. */
#ifndef ABGLEICH_DAV_NAMES_H
#define ABGLEICH_DAV_NAMES_H

#include "state/db.h"

struct dav_card {
    struct str id; /* of the record; {NULL,0} with deleted: only the name is left */
    struct str name, uid, title, origin, body;
    int64_t seq, changed_ms;
    bool deleted;
};
/* Borrowed for the call; false stops. */
typedef bool dav_card_fn(void *ctx, const struct dav_card *card);

/* A living card, in the arena; false if there is none of that name. */
bool dav_card_find(struct db *db, int64_t book, struct str book_id, struct str name, struct arena *arena,
                   struct dav_card *out);
void dav_cards_each(struct db *db, int64_t book, dav_card_fn *fn, void *ctx);
/* All that changed after that number, deletions too, in order of change. */
void dav_changes_each(struct db *db, int64_t book, int64_t since, dav_card_fn *fn, void *ctx);
/* When the last change up to that number was made, of those that are still the last ones of their card; 0 = there is
 * none. A database put back from a backup counts the same numbers again, at another time. */
int64_t dav_stamp(struct db *db, int64_t book, int64_t seq);

/* The record is called that from now on; who had the name before is no more. */
enum fault_code dav_name_set(struct db *db, struct str book, struct str name, struct str record, struct fault *f);
struct str dav_name_of(struct db *db, struct str record, struct arena *arena);
/* Only the name goes, at that change number: the record is under another one. */
enum fault_code dav_name_gone(struct db *db, struct str book, struct str name, int64_t seq, struct fault *f);

/* How far a client has read a book; -1 = it never has. `client` is a hash of user, program and address. */
int64_t dav_client_seq(struct db *db, struct str client, struct str book);
enum fault_code dav_client_set(struct db *db, struct str client, struct str book, int64_t seq, struct fault *f);
enum fault_code dav_client_purge(struct db *db, int64_t before_ms, struct fault *f);

#endif
