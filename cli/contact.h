/* Contacts of the store as the contact commands handle them. Used by cmd_contact*.c only. */
#ifndef ABGLEICH_CONTACT_H
#define ABGLEICH_CONTACT_H

#include "cli/cli.h"
#include "state/attachment.h"
#include "state/followup.h"
#include "state/relation.h"
#include "state/store.h"

#define ORIGIN_COMMAND STR("command")

/* A book by name or id; false with cli->fault. */
bool contact_book(struct cli *cli, const char *name, struct book *out);
/* A contact as a person names it; false with cli->fault. */
bool contact_find(struct cli *cli, const char *handle, bool deleted, struct store_record *out);
/* The record's view on its bytes; NULL with *why. Opens the database's key. */
struct record *contact_parse(struct cli *cli, struct arena *arena, unsigned kind, struct str body, struct fault *why);
/* {"id","name","emails","phones"} */
json_t *contact_json(struct cli *cli, const struct store_record *r);
/* Everything: fields one by one, and the bytes. */
json_t *contact_json_whole(struct cli *cli, const struct store_record *r);
/* The record's elements as people read them: in the order of the field table. In the arena. */
const struct element **contact_elements(const struct record *r, struct arena *arena, size_t *n);
/* All values of a field joined by `between`; element_value form. */
void contact_values(const struct record *r, const char *field, const char *between, struct buf *out);

/* FIELD=VALUE, FIELD+=VALUE, FIELD-=VALUE applied to a record: the new bytes. False with cli->fault. */
bool contact_edit(struct cli *cli, const struct record *r, unsigned kind, char **pairs, size_t n, struct buf *out);
/* A new record from FIELD=VALUE. uid: {NULL,0} = a new one. */
bool contact_make(struct cli *cli, unsigned kind, char **pairs, size_t n, struct str uid, struct buf *out);

/* What hangs on a record, into its JSON, and as text on stdout. */
void contact_attached_json(struct cli *cli, struct str id, json_t *into);
void contact_attached_print(struct cli *cli, struct str id);
json_t *followup_json(const struct followup *f);
json_t *attachment_json(const struct attachment *a);
const char *attachment_size(int64_t bytes, struct arena *arena); /* "12 KiB" */
/* The number of a follow-up or an attachment; false with cli->fault. */
bool contact_number(struct cli *cli, const char *text, const char *advice, int64_t *no);

#endif
