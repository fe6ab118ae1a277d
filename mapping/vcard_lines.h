/* vCard layer (a): bytes to logical lines (protocols: vcard 2). Used by the codec only. */
#ifndef ABGLEICH_VCARD_LINES_H
#define ABGLEICH_VCARD_LINES_H

#include "mapping/vcard.h"

struct lines {
    struct str bytes;
    size_t at;          /* offset of the next physical line */
    uint32_t number;    /* of the last physical line, from 1 */
    size_t lf_at;       /* cached: offset of the next LF not before `at`, so that a file of lone CRs stays linear */
    uint32_t crlf, lf;  /* ends seen */
    bool keep_space;    /* 2.1: folding white space stays */
};

/* A logical line: unfolded text, all its raw bytes, the number of its first physical line. */
struct logical {
    struct str text; /* slice of the input where nothing was folded, else in the arena */
    struct str raw;
    uint32_t line;
    bool joined;     /* a line without indent was added to it */
    bool base64;     /* its value is base64 and was joined without white space */
};

/* The next logical line; false at the end. Linear in its size. *too_long is set beyond VCARD_MAX_LINE_BYTES. */
bool logical_next(struct arena *arena, struct lines *l, struct logical *out, bool *too_long);

/* The colon between header and value: outside quotes, else (a quote never closes) the first one; (size_t)-1 if none. */
size_t header_end(struct str line);

#endif
