/* The record: one contact (later one event) as a bag of elements that loses nothing.
 *
 * A record is the bytes a side gave us plus a view on them: a set of elements, each `field key -> value` in normal form
 * (protocols: vcard 9.1). The engine knows only this header: it compares elements, decides, and hands edits back; how bytes
 * look is the codec's business. Nothing here assumes a contact: a codec is found by enum record_kind.
 *
 * All memory of a parsed record comes from the arena given to record_parse; there is nothing to free but the arena. */
#ifndef ABGLEICH_RECORD_H
#define ABGLEICH_RECORD_H

#include "base/arena.h"
#include "base/fault.h"
#include "base/hash.h"

#include <stdint.h>

enum record_kind { RECORD_CONTACT, RECORD_EVENT };

/* Version of the normal form. Stored with each fingerprint; another one means "fingerprint again", never "changed". */
#define NORMALISER_VERSION 1

enum arity {
    ARITY_ONE,  /* one value: two different ones are a conflict (family name, birthday) */
    ARITY_SET,  /* values merge as a set (phones, e-mails, categories) */
    ARITY_TEXT, /* one long text (note): as ONE, reported shortened */
    ARITY_KEYED /* one value a key (a custom field by its name) */
};

enum field_flag {
    FIELD_PHONE = 1,    /* values are phone numbers: two spellings of one number are `same` */
    FIELD_BINARY = 2,   /* value is a digest; reports print its size, not its bytes */
    FIELD_HUB_ONLY = 4, /* a custom field of the store: edited only there, never deleted because the other side lacks it (core/merge.h) */
    FIELD_DERIVED = 8   /* follows other fields (fn from N): a difference alone is no conflict */
};

/* One row of a kind's field table. Order and ids are stable within one NORMALISER_VERSION (they are in the journal). */
struct field {
    uint16_t id;
    const char *name;  /* "tel", "name.family": used in JSON and by `contact edit FIELD=VALUE` */
    const char *label; /* msgid for people: N_("Phone") */
    enum arity arity;
    unsigned flags;
};

/* The table of a kind; *n receives the number of rows. Static memory. */
const struct field *field_table(enum record_kind kind, size_t *n);
const struct field *field_by_id(enum record_kind kind, uint16_t id); /* NULL if unknown */

/* One element. key = keyed hash of (field id, key_text), value = keyed hash of value_text. */
struct element {
    const struct field *field;
    struct str key_text;   /* "tel;CELL,WORK;Zentrale": field name, canonical types, label */
    struct str value_text; /* normal form; component items joined by U+001F */
    uint64_t key, value;
    uint64_t same;         /* two elements of a field with equal `same` are one thing in two spellings; = value unless
                              record_equivalents() found better (phone numbers by E.164) */
    uint32_t prop, item;   /* where the codec finds it again: property index, item in it */
};

struct record; /* opaque, in an arena */

/* Parses bytes. NULL: *why holds FAULT_UNREADABLE and the reason ("line 7: ..."), the bytes must then stay as they are
 * everywhere. The bytes are borrowed for as long as the arena lives. key: for the element hashes.
 * Bounded: time linear in size, memory <= 4 x size, limits of vcard 10 answered with FAULT_UNREADABLE. */
struct record *record_parse(struct arena *arena, enum record_kind kind, struct str bytes, const struct hash_key *key,
                            struct fault *why);

/* Would record_parse surely succeed? True is a promise, false says nothing; much cheaper than finding out. */
bool record_is_plain(enum record_kind kind, struct str bytes);

/* What bytes that do not parse are probably about, for reports; in the arena, {NULL,0} = nothing to be guessed. */
struct str record_guess_title(struct arena *arena, enum record_kind kind, struct str bytes);

/* Elements sorted by (key, value), equal ones once. Made on first call. Owned by the record. */
const struct element *record_elements(const struct record *r, size_t *n);
/* Fills `same` for phone numbers (E.164 with the account's region, e.g. "DE"). Expensive (20 us a number): only where two
 * records are merged without a base, or phone numbers were added on both sides. */
void record_equivalents(const struct record *r, const char *region);

struct str record_title(const struct record *r);   /* what a person calls it: "Özdemir, Lale"; never empty */
struct str record_uid(const struct record *r);     /* canonical for comparing (urn:uuid: off, UUIDs in lower case); may be {NULL,0} */
bool record_is_group(const struct record *r);      /* a group card: synced as a record, never counted as a person */
struct str record_bytes(const struct record *r);
unsigned record_version(const struct record *r);   /* contacts: 21, 30, 40 */
/* One property of a card as it stands there, for searching (RFC 6352 10.5). */
struct property;
struct record_property {
    struct str group, value; /* as written; unescaped */
    const struct property *of;
};
/* The card's properties of that name (ASCII case off). False from fn stops, and is then returned. */
bool record_each_property(const struct record *r, const char *name,
                          bool (*fn)(void *ctx, const struct record_property *p), void *ctx);
/* The values of a parameter; false as above. */
bool record_each_param(const struct record_property *p, const char *name, bool (*fn)(void *ctx, struct str value),
                       void *ctx);
/* Remarks of the parser for reports ("repaired", "guessed character set", "cut"); NULL if none. */
const char *record_remark(const struct record *r);
/* True for a card whose END was missing: may be imported, never overwrites an existing record. */
bool record_is_cut(const struct record *r);

/* -- for matching (core/match.h) -- all keyed hashes; 0 = not there. */
struct signals {
    uint64_t uid;
    uint64_t name;    /* folded "family given" (Müller = Mueller), or company name for company cards; 0 if unnamed */
    uint64_t org;
    const uint64_t *emails, *phones; /* folded addresses; E.164 (needs region; expensive) */
    size_t n_emails, n_phones;
};
void record_signals(const struct record *r, const char *region, struct arena *arena, struct signals *out);

/* -- writing -- */
enum edit_kind {
    EDIT_ADD,    /* source's element is new here */
    EDIT_SET,    /* target's element becomes source's; in place, group and neighbours stay */
    EDIT_REMOVE  /* target's element goes */
};
/* One change to a record: target is an element of the record being edited, source one of another record (both parsed). */
struct edit {
    enum edit_kind kind;
    const struct element *target;
    const struct element *source;
    const struct record *source_record;
};

/* What the receiving side needs. */
struct write_form {
    unsigned versions;    /* bit set of WRITE_V30, WRITE_V40: what it accepts; 0 = anything, keep the version */
    bool strict;          /* a CardDAV server: CRLF, UID, FN and N present, UTF-8, no control characters */
    struct str uid;       /* given to a record that has none, where strict; {NULL,0} = leave it */
};
#define WRITE_V30 1u
#define WRITE_V40 2u

/* The record as it is to be created on another side: the very bytes wherever the form allows. Returns FAULT_NONE or FAULT_REFUSED. */
enum fault_code record_write_new(const struct record *r, const struct write_form *form, struct buf *out, struct fault *f);
/* The record with edits applied: every line not concerned is byte-equal. No edits = the same bytes.
 * The result parses, and its elements are exactly the wanted ones (tests prove it). */
enum fault_code record_write_edited(const struct record *r, const struct edit *edits, size_t n, const struct write_form *form,
                                    struct buf *out, struct fault *f);

/* `r` as it is to replace `old` in the store, where the custom fields that it lacks stay (contactbox 9): whoever wrote it did not know
 * them. The very bytes of r where nothing is missing. */
enum fault_code record_write_keeping(const struct record *r, const struct record *old, struct buf *out, struct fault *f);

/* -- for the command line (contact add/edit/show/export): elements made from text -- */
/* Makes a small record (same arena rules) holding one element per pair "tel;CELL" = "+49..."; used as source of edits. A custom field
 * is "custom;NAME;Label" (X-HUB-NAME, contactbox 9).
 * Unknown field: FAULT_USAGE with a suggestion. */
struct record *record_from_pairs(struct arena *arena, enum record_kind kind, const struct str (*pairs)[2], size_t n,
                                 const struct hash_key *key, struct fault *f);
/* Human form of an element for reports and `contact show`: label "Phone (cell, work)", value with line breaks shown. */
void element_label(const struct element *e, struct buf *out);
void element_value(const struct element *e, struct buf *out);

/* Splits a file holding many records (import). Calls fn for each one's bytes (borrowed for the call); false from fn stops. */
bool records_split(enum record_kind kind, struct str file, bool (*fn)(void *ctx, struct str bytes), void *ctx);

#endif
