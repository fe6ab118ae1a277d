/* Passwords on their way from a file, a terminal or a command into an account: in locked memory, given back with
 * secret_free. */
#ifndef ABGLEICH_CLI_SECRET_H
#define ABGLEICH_CLI_SECRET_H

#include "base/buf.h"

char *secret_of(struct str s);                 /* a terminated copy */
struct str secret_first_line(struct str text); /* without its line end; a slice of text */
void secret_wipe(struct buf *b); /* overwrites everything it ever held; give it its size with buf_reserve before */

#endif
