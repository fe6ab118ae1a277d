/* What links inside a phonebook's documents carry in place of the password (protocols: directory 3.2): telephones sign
 * in for the address that was typed, and leave user and password behind when they follow a menu. A pass is for one
 * phonebook, for reading its telephones' addresses, and ends by itself, or with the password. Used by
 * server/directory.c. */
#ifndef ABGLEICH_DIRECTORY_PASS_H
#define ABGLEICH_DIRECTORY_PASS_H

#include "state/directory.h"

#define DIRECTORY_PASS_BYTES 64

/* Good for 12 hours at least and 24 at most: the same text for half a day, so that answers stay the same. FAULT_...:
 * the state's secret cannot be read. */
enum fault_code directory_pass(struct db *db, const struct directory *d, int64_t now_ms, char out[DIRECTORY_PASS_BYTES],
                               struct fault *f);
bool directory_pass_is_right(struct db *db, const struct directory *d, int64_t now_ms, const char *pass);

#endif
