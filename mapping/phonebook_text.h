/* Text as phones can show it: clean, in the letters they have, not longer than they take, and escaped. Pure. Used by
 * the sheet (phonebook_sheet.h) for names, and by the writers to put text into XML. */
#ifndef ABGLEICH_PHONEBOOK_TEXT_H
#define ABGLEICH_PHONEBOOK_TEXT_H

#include "base/arena.h"
#include "base/buf.h"

enum name_letters { LETTERS_ALL, LETTERS_LATIN1 /* up to U+00FF */, LETTERS_ASCII /* ä = ae */ };
bool name_letters_parse(struct str word, enum name_letters *out); /* "all", "latin1", "ascii" */

/* Writes names in the letters a phone has. Opened once for a whole phonebook: ICU takes its time. */
struct speller {
    enum name_letters letters;
    void *rules; /* NULL = none needed */
};
#define AUTO_SPELLER __attribute__((cleanup(speller_close)))
struct speller speller_open(enum name_letters letters);
void speller_close(struct speller *s);

/* One line, NFC, without control characters, broken UTF-8, and what XML 1.0 forbids; in the speller's letters (of
 * the first 256 characters, where those are not all). */
struct str text_spelled(struct arena *arena, const struct speller *s, struct str text);
/* The front of it: at most max code points (0 = all), never inside what people see as one character, unless that alone
 * is longer; no blank at the end. */
struct str text_cut(struct str text, size_t max);

/* Escaped for an element or attribute; whatever XML 1.0 forbids is left out, so that nothing breaks the document. */
void xml_add(struct buf *out, struct str text);
/* <tag>text</tag> */
void xml_element(struct buf *out, const char *tag, struct str text);
/* name="text", with a blank before. */
void xml_attribute(struct buf *out, const char *name, struct str text);
/* For an address: percent-encoded but letters, digits and "-._~". */
void url_add(struct buf *out, struct str text);
#define XML_HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define XML_TYPE "text/xml; charset=utf-8"

#endif
