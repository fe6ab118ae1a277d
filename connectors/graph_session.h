/* What the files of the Microsoft Graph connector share. Private to graph*.c. Section numbers: protocols
 * microsoft-graph.
 *
 * graph.c: sessions and folders; graph_call.c: one request, signing in, waiting; graph_batch.c: up to twenty in one;
 * graph_error.c: what an answer means; graph_limit.c: how much at once and in ten minutes; graph_changes.c: delta;
 * graph_fetch.c: contacts by name, with their pictures; graph_created.c: creates whose answer was lost; graph_write.c.
 */
#ifndef ABGLEICH_GRAPH_SESSION_H
#define ABGLEICH_GRAPH_SESSION_H

#include "base/gate.h"
#include "connectors/connector.h"
#include "connectors/http.h"
#include "connectors/oauth.h"
#include "mapping/graph.h"

#define GRAPH_DEFAULT "contacts" /* path of the default folder: it is in no listing, and its id must be found out (2)  \
                                  */
#define GRAPH_NEW "new:"         /* name of a record that Outlook has not named yet: "new:" operation id */
#define GRAPH_BATCH 20

struct graph_folder {
    char *id, *name, *parent;
};

struct session {
    const struct account *account;
    struct env *env;
    struct traits *traits;
    struct http *http;
    struct oauth *oauth; /* NULL: the password is the token */
    char *base;          /* ".../v1.0" */
    char *mailbox;       /* "/me" or "/users/anna%40example.org" */
    char *places;        /* key of the places in the gate; also the limit's */
    bool carry, has_delta;
    struct collection about;
    char *path;                   /* of the collection: GRAPH_DEFAULT or a folder's id */
    char *default_id;             /* of the default folder; NULL = not known, "" = cannot be known */
    struct graph_folder *folders; /* but for the default one */
    size_t n_folders;
    bool folders_known;
    struct gate_visitor visitor;
    int64_t window_ms, in_window; /* graph_limit.c */
    int64_t requests_of_batches;
    json_t *bare;    /* ids of contacts just created without a picture: nobody needs to ask for one */
    json_t *deleted; /* ids of what was just deleted from here */
    json_t *scanned; /* graph_created.c: contacts by operation id, from a look at all; NULL = nobody looked yet */
    json_t *doubles; /* ids of second copies of a create, with their etags: to be removed */
};

/* -- graph_error.c -- */
struct graph_answer { /* what is told of an answer, alone or in a batch */
    int status;
    const json_t *body; /* NULL = none */
    int64_t retry_after_ms;
    bool write;
};
/* The fault of a status that is no success. */
enum fault_code graph_error(struct session *s, const struct graph_answer *a, struct fault *f);
/* "ErrorItemNotFound"; "" where there is none. Borrowed from the body. */
const char *graph_error_word(const json_t *body);

/* -- graph_limit.c -- */
/* Waits for n of the four places (a batch takes as many as it has parts, up to four), and for room in the ten minutes.
 */
enum fault_code graph_enter(struct session *s, size_t requests, struct fault *f);
void graph_leave(struct session *s, size_t requests);
/* Waits before the n-th repetition: as long as the server says, and never less than our own growing pause. False: it is
 * too long or was too often; then the fault stands. */
bool graph_wait(struct session *s, unsigned tries, int64_t asked_ms);

/* -- graph_call.c -- */
struct graph_call { /* zero it, fill the first lines */
    const char *method;
    const char *url;    /* "/me/contacts...", or absolute as an answer told it */
    const json_t *body; /* NULL = none */
    struct str bytes;   /* in place of body, with their type */
    const char *type;
    const char *if_match; /* NULL = none */
    bool write, pages;    /* pages: asks for pages of the usual size */
    bool harmless;        /* write: a second time makes no difference */
    size_t requests;      /* it counts for; 0 = 1 */
    json_t *answer;       /* where the call succeeded; NULL = it has no body */
    int status;
};
/* Carries it out, waiting where the service asks for it. A write that may have been carried out ends as FAULT_UNKNOWN.
 */
enum fault_code graph_do(struct session *s, struct graph_call *c, struct fault *f);
void graph_call_clear(struct graph_call *c);
#define AUTO_CALL __attribute__((cleanup(graph_call_clear)))

/* -- graph_batch.c -- */
struct graph_part { /* zero it, fill the first lines; end with graph_parts_free */
    const char *method;
    char *url;            /* "/me/contacts/..."; owned */
    json_t *body;         /* NULL = none; owned */
    const char *if_match; /* NULL = none */
    bool write, create;   /* create: sent again only where it was certainly not carried out */
    void *owner;
    int status;     /* 0 = no answer */
    json_t *answer; /* or what an error says; a text where it is base64; NULL = none */
    int64_t retry_after_ms;
    enum fault_code code; /* FAULT_NONE: it succeeded */
    struct fault fault;
};
/* Carries out all; each has its outcome. A fault that concerns all is returned: those not sent keep FAULT_CANCELLED. */
enum fault_code graph_batch(struct session *s, struct graph_part *parts, size_t n, struct fault *f);
void graph_parts_free(struct graph_part *parts, size_t n);

/* -- graph.c -- */
/* Appends "/me", and the path of a contact in it. */
void graph_add_contact(const struct session *s, struct str id, struct buf *out);
/* "/me/contactFolders/ID/contacts" of a folder by its path (GRAPH_DEFAULT too). */
void graph_add_contacts(struct session *s, const char *path, struct buf *out);
/* The members of a contact, and where the account says so the extended properties. */
void graph_add_select(const struct session *s, struct buf *out);
/* Loads the folders below the default one. */
enum fault_code graph_know_folders(struct session *s, struct fault *f);
/* Finds out the default folder's id; s->default_id is set where FAULT_NONE. */
enum fault_code graph_know_default(struct session *s, struct fault *f);
/* What was just created in it says its id, too. NULL = not told. */
void graph_learn_default(struct session *s, const char *id);
/* Where a contact is. */
enum graph_place { GRAPH_HERE, GRAPH_ELSEWHERE, GRAPH_NOWHERE }; /* in the collection; in another folder; deleted */
enum fault_code graph_place_of(struct session *s, const json_t *contact, enum graph_place *out, struct fault *f);

/* -- graph_changes.c -- */
enum fault_code graph_changes(struct session *s, const char *token, bool list, const struct sink *sink,
                              struct changes *out, struct fault *f);

/* -- graph_fetch.c -- */
enum fault_code graph_fetch(struct session *s, const struct str *ids, size_t n, const struct sink *sink,
                            struct fault *f);
/* Pictures of n contacts as they are there; NULL in `out` = none. Their texts (base64) are owned by the caller. A
 * contact whose picture cannot be had gets `withheld`. */
struct graph_picture {
    struct str id;
    char *base64;
    bool withheld;
};
enum fault_code graph_pictures(struct session *s, struct graph_picture *list, size_t n, struct fault *f);

/* -- graph_created.c -- */
/* The operation id of a create by the name it was given. */
void graph_operation(struct str id, struct buf *out);
/* Remembers that creates of those names are about to be sent; and that they were answered. */
void graph_sending(struct session *s, const struct str *ids, size_t n);
void graph_answered(struct session *s, const struct str *ids, size_t n);
/* Looks for what was created under a name (afresh: not only in what was seen before): *found is what Outlook calls it
 * (owned; NULL = nothing found), *maybe that it may show up yet. */
enum fault_code graph_find_created(struct session *s, struct str id, bool afresh, char **found, bool *maybe,
                                   struct fault *f);
/* Removes what graph_find_created found twice. */
enum fault_code graph_remove_doubles(struct session *s, struct fault *f);

/* -- graph_write.c -- */
enum fault_code graph_write(struct session *s, struct write *writes, size_t n, void (*done)(void *ctx, struct write *w),
                            void *ctx, struct fault *f);

#endif
