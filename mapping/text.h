/* Unicode for the normaliser and the matcher, by ICU, with a fast way for ASCII. Thread safe, no state. */
#ifndef ABGLEICH_TEXT_H
#define ABGLEICH_TEXT_H

#include "base/arena.h"
#include "base/buf.h"

bool text_is_utf8(struct str s);                          /* strict: no overlong, no surrogates */
struct str text_nfc(struct arena *arena, struct str s);   /* s itself where it is NFC already (always for ASCII) */
/* For matching names: NFKC casefold, German phonebook folding (ä = ae, ß = ss), other diacritics off, only letters and digits
 * and single spaces left. "Müller-Lüdenscheidt " = "mueller luedenscheidt". */
struct str text_fold(struct arena *arena, struct str s);
/* For comparing without regard to case, as i;unicode-casemap (RFC 5051) does: letters keep their marks, other characters stay. */
struct str text_casemap(struct arena *arena, struct str s);
/* To UTF-8 from a named character set (CHARSET parameter); false if unknown or impossible. */
bool text_from_charset(struct arena *arena, struct str s, const char *charset, struct str *out);
/* For reports and logs: control characters, zero-width and bidi controls shown as <U+202E>. */
void text_printable(struct str s, struct buf *out);

#endif
