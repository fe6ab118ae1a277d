/* vCard, layers (a) and (b): logical lines and properties, nothing interpreted, nothing lost (protocols: vcard 1-4).
 *
 * Used only inside mapping/: vcard_fields.c builds elements on it, vcard_write.c edits and converts it. Each property keeps
 * its raw bytes (with folds and line end), so that writing an untouched property is a copy. */
#ifndef ABGLEICH_VCARD_H
#define ABGLEICH_VCARD_H

#include "base/arena.h"
#include "base/fault.h"

#include <stdint.h>

enum vcard_version { VCARD_21 = 21, VCARD_30 = 30, VCARD_40 = 40 };

/* One parameter: TYPE=a,b is one with two values; a bare 2.1 word gets the name it stands for (TYPE, ENCODING, VALUE). */
struct param {
    struct str name;          /* upper case */
    const struct str *values; /* decoded: quotes off, RFC 6868 carets undone, "\," lists split where known */
    size_t n_values;
    struct str raw;           /* as written, without the leading ';' */
};

enum property_flag {
    PROPERTY_FOREIGN = 1,  /* a line that is no property ("garbage", "#..."): written back, never a field */
    PROPERTY_REPAIRED = 2, /* joined with a line that was not indented */
    PROPERTY_GUESSED = 4   /* not UTF-8 and without CHARSET: read as windows-1252 */
};

struct property {
    struct str group;        /* as written, without the dot; {NULL,0} = none */
    struct str name;         /* upper case, interned where known */
    const struct param *params;
    size_t n_params;
    struct str value;        /* unfolded, transfer encoding (QP) undone, converted to UTF-8; escapes NOT undone; base64 NOT decoded */
    struct str raw;          /* all physical lines with their ends */
    unsigned flags;
    uint32_t line;           /* physical line number in the card, from 1 */
    bool qp, base64;         /* encoding it was written in */
};

enum vcard_flag {
    VCARD_CUT = 1,        /* END was missing */
    VCARD_CONVERTED = 2,  /* the bytes were UTF-16: raw parts refer to the converted text */
    VCARD_NO_VERSION = 4
};

struct vcard {
    enum vcard_version version;   /* label, or guessed from content where the label is missing */
    struct property *props;       /* between BEGIN and END, VERSION included */
    size_t n_props;
    struct str begin_raw, end_raw;/* the BEGIN and END lines as written, with what stood before and after them */
    bool crlf;                    /* majority of line ends */
    unsigned flags;
    struct str bytes;             /* what was parsed */
};

/* Parses exactly one card. FAULT_UNREADABLE: no card, several cards, another object, a limit of vcard 10 exceeded, NUL bytes.
 * bytes are borrowed for the arena's life; short allocations only. Linear time. */
enum fault_code vcard_parse(struct arena *arena, struct str bytes, struct vcard **out, struct fault *why);

/* Does it surely parse? True is a promise, false says nothing. Ten times cheaper than parsing. */
bool vcard_is_plain(struct str bytes);

/* A name found in bytes that do not parse, in the arena; {NULL,0} = nothing that looks like one. */
struct str vcard_guess_title(struct arena *arena, struct str bytes);

/* Writes the card from its raw parts: byte-equal to what was parsed. */
void vcard_write_raw(const struct vcard *c, struct buf *out);

const struct param *property_param(const struct property *p, const char *name); /* first of that name, or NULL */
bool property_has_type(const struct property *p, const char *type);             /* any TYPE value, ASCII case off */

/* Unescape one component by the rules of the card's version (vcard 4 "Escapes in values"). Result in the arena. */
struct str vcard_unescape(struct arena *arena, struct str s, enum vcard_version version);
void vcard_escape(struct buf *out, struct str s, enum vcard_version version);
/* Splits at unescaped `sep`; items are still escaped. Array in the arena. */
size_t vcard_split(struct arena *arena, struct str value, char sep, const struct str **items);
/* Appends one logical line folded at <= 75 octets, at character borders, never inside an escape; with CRLF or LF.
 * BEGIN, VERSION, PRODID, UID, END are never folded. */
void vcard_fold(struct buf *out, struct str logical_line, bool crlf);

/* Tolerant base64 (white space, missing padding, url-safe). False: not decodable, keep raw. */
bool base64_decode(struct str in, struct buf *out);
void base64_encode(struct str in, struct buf *out);

/* The limits of vcard 10. */
enum {
    VCARD_MAX_BYTES = 16 << 20,
    VCARD_MAX_LINE_BYTES = 12 << 20,
    VCARD_MAX_PROPERTIES = 5000,
    VCARD_MAX_PARAMS = 100,
    VCARD_MAX_LIST = 1000,
    VCARD_MAX_GROUP_BYTES = 128
};

#endif
