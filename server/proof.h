/* Passwords that come with every request: a right one is remembered for some minutes as a keyed hash, because checking
 * argon2id anew takes a tenth of a second. Used by server/ from any thread. */
#ifndef ABGLEICH_PROOF_H
#define ABGLEICH_PROOF_H

#include "base/str.h"

#include <stdint.h>

struct proofs;
struct proofs *proofs_new(void);
void proofs_free(struct proofs *p); /* NULL is fine */
/* stored: argon2id, as libsodium writes it; another one ends what is remembered. */
bool proof_is_right(struct proofs *p, struct str stored, const char *given, int64_t now_ms);
/* "Basic dXNlcjpwYXNz" -> "user:pass", in a buffer of the caller that is wiped by proof_wipe. False: it is no such
 * thing. */
struct buf;
bool proof_of_basic(const char *header, struct buf *out);
void proof_wipe(struct buf *b);

#endif
