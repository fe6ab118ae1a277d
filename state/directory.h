/* Phonebooks: what phones, scripts and apps read at /contacts/KEY (design.md 4, protocols: directory). One is made of
 * parts, each a book of the store: books it was given (and shares), one for each link that feeds it, and its own, which
 * pushes replace. A part belongs to whoever fills it, so none can take away what another one brought.
 *
 * Keys are kept as keyed hashes: who reads the state cannot read a phonebook with it. There may be several, each with
 * the right to read, to push, or both, and with an end.
 *
 * Called by server/, connectors/contactbox_phonebook.c and cli/. Strings read are in the arena. Writes belong into a
 * transaction of the caller. */
#ifndef ABGLEICH_DIRECTORY_H
#define ABGLEICH_DIRECTORY_H

#include "base/hash.h"
#include "state/db.h"

#define DIRECTORY_KEY_CHARACTERS 14
#define DIRECTORY_ORIGIN_PUSH "push" /* who changed a record of the book that pushes replace */

struct directory {
    int64_t no;
    struct str name, push_book;   /* push_book: id of the book that pushes replace */
    struct str number_form, line; /* number_form: {NULL,0} = each family's own; line: {NULL,0} = none */
    struct str area, country, include_fax, names,
        company; /* as mapping/phonebook_form.h takes them; {NULL,0} = not set */
    bool plain_http;
    struct str networks;                       /* who may use plain http: "192.168.0.0/16, ..."; {NULL,0} = everybody */
    struct str charset;                        /* what a file is read as that is no UTF-8; {NULL,0} = it is refused */
    int64_t max_shrink;                        /* per cent of the rows that a push may leave out; 0 = any */
    struct str user, password;                 /* asked for beside the key; password: argon2id. {NULL,0} = neither */
    struct str merged_book;                    /* id of the book that shows it over CardDAV; {NULL,0} = not made yet */
    struct str merged_version;                 /* of what that one was made of */
    int64_t created_ms, pushed_ms, fetched_ms; /* 0 = never */
    struct str fetched_as;
};

/* Makes it with its own book of the same name. d: name; d->no and d->push_book are set. books: ids. FAULT_EXISTS if the
 * name, the book's name or the key is taken. */
enum fault_code directory_add(struct db *db, struct directory *d, struct str key, const struct str *books, size_t n,
                              struct arena *arena, struct fault *f);
/* With its keys and settings. Books stay. */
enum fault_code directory_remove(struct db *db, int64_t no, struct fault *f);
bool directory_by_name(struct db *db, struct str name, struct arena *arena, struct directory *out);
size_t directory_list(struct db *db, struct arena *arena, struct directory **out);
/* Those whose merged book this user of the CardDAV server has. */
size_t directory_list_of_user(struct db *db, int64_t user, struct arena *arena, struct directory **out);
enum fault_code directory_note_push(struct db *db, int64_t no, struct fault *f);
enum fault_code directory_note_fetch(struct db *db, int64_t no, struct str as, struct fault *f);
/* One of "number", "line", "area", "country", "include_fax", "names", "company", "plain_http", "networks", "charset",
 * "max_shrink" (checked by the caller). {NULL,0} takes it
 * out. */
enum fault_code directory_set(struct db *db, int64_t no, const char *key, struct str value, struct fault *f);

/* user and password are asked for beside the key from now on; password NULL: neither. Takes about 0.1 s of CPU. */
enum fault_code directory_set_login(struct db *db, int64_t no, struct str user, const char *password, struct fault *f);

/* -- keys (directory_key.c) -- */
enum directory_right { DIRECTORY_READS = 1, DIRECTORY_PUSHES = 2 };
/* May somebody choose this key? 14 of 0-9 and A-Z, and not to be guessed at once. */
bool directory_key_ok(struct str key);
/* A random one. */
void directory_key_new(struct env *env, char out[DIRECTORY_KEY_CHARACTERS + 1]);
/* Whatever the text: looked up by its hash, so that it takes as long for what cannot be a key. *rights: enum
 * directory_right. */
bool directory_by_key(struct db *db, struct str key, struct arena *arena, struct directory *out, unsigned *rights);
/* FAULT_EXISTS if it is taken, also by one that has ended. */
enum fault_code directory_key_add(struct db *db, int64_t no, struct str key, unsigned rights, struct fault *f);
/* Those that have one of these rights end then (at the latest). Those that ended before are forgotten. */
enum fault_code directory_keys_end(struct db *db, int64_t no, unsigned rights, int64_t until_ms, struct fault *f);
/* Every key there is has these rights from now on. */
enum fault_code directory_keys_may(struct db *db, int64_t no, unsigned rights, struct fault *f);
struct directory_key {
    unsigned rights;
    int64_t created_ms, until_ms; /* until_ms: 0 = no end */
};
size_t directory_keys(struct db *db, int64_t no, struct arena *arena, struct directory_key **out);

/* -- parts (directory_part.c) -- */
enum directory_part_kind { PART_BOOK, PART_LINK, PART_PUSH };
struct directory_part {
    enum directory_part_kind kind;
    struct str book, name; /* id and name of the book */
    struct str link;       /* PART_LINK: who fills it */
    int64_t records, seq;
};
/* In the order in which they win where names differ: as they were added, pushes last, unless somebody said otherwise.
 */
size_t directory_parts(struct db *db, int64_t no, struct arena *arena, struct directory_part **out);
enum fault_code directory_part_add(struct db *db, int64_t no, enum directory_part_kind kind, struct str book,
                                   struct str link, struct fault *f);
/* What a link fills; {NULL,0} = nothing yet. */
struct str directory_part_of_link(struct db *db, int64_t no, struct str link, struct arena *arena);
/* Makes it, with a book of its own ("telefon/kunden"). *book: its id. */
enum fault_code directory_part_make(struct db *db, const struct directory *d, struct str link, struct arena *arena,
                                    struct str *book, struct fault *f);
/* Takes a part out; a link's book goes with its contacts. */
enum fault_code directory_part_remove(struct db *db, int64_t no, const struct directory_part *part, struct fault *f);
enum fault_code directory_part_place(struct db *db, int64_t no, struct str book, int64_t place, struct fault *f);
/* The phonebook that a book is a part of, other than one it was given to, or that it shows; {NULL,0} = none. */
struct str directory_owner(struct db *db, struct str book, struct arena *arena);
/* The book that shows it over CardDAV; made where it is missing. The version is what it was made of last. */
enum fault_code directory_merged_make(struct db *db, struct directory *d, struct arena *arena, struct fault *f);
enum fault_code directory_merged_note(struct db *db, int64_t no, const char *version, struct fault *f);

/* -- the files pushed last, for knowing one again and for taking one back (directory_part.c) -- */
struct directory_upload {
    int64_t time_ms, seq; /* seq: of the push book when it was stored */
    struct str digest;
    struct str told; /* what its sender was answered */
    int64_t size_bytes;
};
/* age 0: the last one, 1: the one before. False if there is none. */
bool directory_upload_get(struct db *db, int64_t no, int age, struct arena *arena, struct directory_upload *out);
struct str directory_upload_body(struct db *db, int64_t no, int age, struct arena *arena);
/* The last one becomes the one before. u: digest, told, seq. */
enum fault_code directory_upload_keep(struct db *db, int64_t no, const struct directory_upload *u, struct str body,
                                      struct fault *f);

#endif
