/* One property as a line of a card: as it is where the version allows, converted where it does not (protocols: vcard 7).
 * Used by vcard_write.c and vcard_write_new.c only. */
#ifndef ABGLEICH_VCARD_CONVERT_H
#define ABGLEICH_VCARD_CONVERT_H

#include "mapping/vcard_fields.h"

struct line_form { /* of the card being written */
    enum vcard_version version;
    bool crlf;
};

/* Appends property p of card `from` with that group ({NULL,0} = none), folded and ended. The raw bytes wherever they can stay. */
void vcard_add_property(struct arena *arena, const struct vcard *from, const struct property *p, struct str group,
                        const struct line_form *form, struct buf *out);
/* Appends the value of p as it is written in that version. */
void vcard_add_value(struct arena *arena, const struct vcard *from, const struct property *p, enum vcard_version to, struct buf *out);
/* One text of a property (of one part, of one item of a list), escaped for that version. */
void vcard_add_text(struct arena *arena, const struct vcard *from, const struct property *p, struct str text, enum vcard_version to,
                    struct buf *out);
/* One part of N: its items stay items. */
void vcard_add_part(struct arena *arena, const struct vcard *from, const struct property *p, struct str part, enum vcard_version to,
                    struct buf *out);
/* Appends one line made of header ("item1.TEL;TYPE=CELL") and value (escaped), folded and ended. */
void vcard_add_line(struct str header, struct str value, const struct line_form *form, struct buf *out);
/* The same with a text that is not escaped yet. */
void vcard_add_text_line(const char *header, struct str text, const struct line_form *form, struct buf *out);
/* Can the raw bytes of p stay in a card of that version? */
bool vcard_keeps_raw(const struct vcard *from, const struct property *p, enum vcard_version to);

/* Would a reader take a bare line for the rest of this property (vcard 2, broken lines of old phones)? */
bool vcard_takes_bare_line(const struct property *p);
/* Does its first line show no sign of a property: none at all, or a name that is folded? */
bool vcard_is_bare(const struct property *p);
/* Index of the first property of that name, or SIZE_MAX. */
size_t vcard_find(const struct vcard *c, const char *name);

#endif
