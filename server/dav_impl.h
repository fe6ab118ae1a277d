/* What server/dav*.c share. A request is read (dav_request.c), its user signed in (dav_login.c), its path resolved to a
 * resource (dav.c), and answered by the method's file.
 *
 * A user sees collections of cards, one a book of the store; what a collection is to be read from is its source. To
 * serve something else, fill a struct dav_collection with a source of its own and add it in dav_collections() (dav.c):
 * all reading methods, tokens and filters work on it. Only the store's own are ever writable. */
#ifndef ABGLEICH_SERVER_DAV_IMPL_H
#define ABGLEICH_SERVER_DAV_IMPL_H

#include "base/hash.h"
#include "server/dav.h"
#include "server/dav_request.h"
#include "server/desk.h"
#include "server/guess.h"
#include "state/dav_names.h"
#include "state/store.h"
#include "state/user.h"

#define DAV_ROOT "/dav/"
#define XML_HEAD "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
#define XML_TYPE "application/xml; charset=utf-8"
#define DAV_PREFIXES "xmlns:d=\"DAV:\" xmlns:c=\"" CARD_NS "\" xmlns:cs=\"" CS_NS "\""
#define MULTISTATUS_HEAD XML_HEAD "<d:multistatus " DAV_PREFIXES ">\n"
#define DAV_TEXT_NAME_BYTES 255 /* of a card or a book in a path */

struct dav;
struct dav_collection;

/* -- what is served -- */
struct dav_source {
    /* A living card, in d's arena. */
    bool (*find)(struct dav *d, const struct dav_collection *c, struct str name, struct dav_card *out);
    void (*each)(struct dav *d, const struct dav_collection *c, dav_card_fn *fn, void *ctx);
    /* What changed after that number, deletions too, in order of change. */
    void (*changes)(struct dav *d, const struct dav_collection *c, int64_t since, dav_card_fn *fn, void *ctx);
    /* When the change of that number, or the last before it, was made; any number that never falls will do. */
    int64_t (*stamp)(struct dav *d, const struct dav_collection *c, int64_t seq);
};
struct dav_collection {
    struct str id;          /* in paths: unique for the user, never another one's later */
    struct str key;         /* in tokens: unique over all */
    struct str title;       /* never empty */
    struct str description; /* {NULL,0} = none */
    bool read_only;
    int64_t seq; /* change number */
    const struct dav_source *source;
    struct user_book book; /* of the store's */
};

enum dav_kind { DAV_IS_ROOT = 1, DAV_IS_PRINCIPAL = 2, DAV_IS_HOME = 4, DAV_IS_BOOK = 8, DAV_IS_CARD = 16 };
struct dav_resource {
    enum dav_kind kind;
    const struct dav_collection *in; /* a book, or of a card */
    struct dav_card card;
};
struct dav_place {
    struct dav_resource r; /* what is there, else what it would be in */
    bool there;
    bool may_be;     /* not there, but could be made under `name` */
    struct str name; /* the last segment */
};

/* -- a request under way -- */
struct dav_service {
    struct dav_service_settings settings;
    char *region;
    struct desks desks;
    struct logins *logins; /* dav_login.c */
    struct rates *rates;   /* dav_rate.c */
    struct seen *seen;     /* dav_blind.c */
};
struct dav {
    struct dav_service *service;
    struct desk *desk;
    struct db *db;
    struct http_call *call;
    struct http_answer *answer;
    struct arena arena;
    struct user user;
    struct dav_collection *collections; /* the user's */
    size_t n_collections;
    const struct dav_collection *only; /* under the principal of one book: the others are not there */
    struct dav_request request;
    bool brief;                       /* what is missing is left out */
    struct buf found, missing, value; /* of one response, used again */
    struct hash_key key;
    bool has_key;
    const struct dav_collection *told; /* the client has read this one up to there */
    int64_t told_seq;
};

/* dav.c */
struct dav_place dav_place_of(struct dav *d, const char *path); /* decoded */
/* An error with a precondition's element ("c:no-uid-conflict", with what stands in it; NULL = empty). */
void dav_refuse(struct dav *d, unsigned status, const char *element, const char *inside);
bool dav_may_write(struct dav *d, const struct dav_resource *r, const char *privilege); /* false: the answer says why */
const struct hash_key *dav_key(struct dav *d);
extern const struct dav_source dav_store; /* dav_store.c */
void dav_store_collections(struct dav *d);

/* dav_login.c. False: the answer says why. */
struct logins *logins_new(void);
void logins_free(struct logins *l);
bool dav_login(struct dav *d);
void dav_ask(struct http_answer *a); /* 401 */

/* dav_rate.c: how many requests a user may make; `per_s` 0 = any number. *wait_s: when to come again. */
struct rates *rates_new(void);
void rates_free(struct rates *r);
bool rates_take(struct rates *r, int64_t user, int64_t per_s, int64_t now_ms, unsigned *wait_s);

/* dav_props.c */
void dav_props_prepare(struct dav *d); /* once the request is read */
void dav_add_response(struct dav *d, const struct dav_resource *r, struct buf *out);
void dav_add_missing(struct dav *d, const char *href, struct buf *out); /* a response with 404 */
void dav_open_tag(const struct dav_name *n, bool empty, struct buf *out);
void dav_close_tag(const struct dav_name *n, struct buf *out);

/* dav_text.c */
void dav_href(struct dav *d, const struct dav_resource *r, struct buf *out);
bool dav_href_path(const char *href, struct buf *out); /* an href or a Destination, decoded; without scheme and host */
bool dav_name_is_ok(struct str name);                  /* of a card or a book */
void dav_etag(struct str body, struct buf *out);       /* with its quotes */
void dav_date(int64_t ms, struct buf *out);            /* as HTTP writes it */
void dav_sync_token(struct dav *d, const struct dav_collection *c, int64_t seq, struct buf *out);
bool dav_read_token(struct dav *d, const struct dav_collection *c, const char *token, int64_t *seq);
/* The card as this client gets it: the very bytes, or as 3.0. False: it cannot be made. */
bool dav_card_bytes(struct dav *d, const struct dav_card *card, bool wants_40, struct buf *out);
void xml_text(struct str text, struct buf *out); /* escaped, without what XML 1.0 forbids */

/* dav_query.c */
bool dav_query_fits(struct dav *d, const struct dav_card *card);

/* dav_blind.c: what was written over by a client that did not look (carddav 9.2) */
struct seen *seen_new(void);
void seen_free(struct seen *s);
void dav_seen_card(struct dav *d, const struct dav_collection *c, struct str record, int64_t seq);
void dav_seen_upto(struct dav *d); /* d->told; writes, so no transaction may be open */
/* Before `old` becomes `body`. In the caller's transaction. */
void dav_keep_loser(struct dav *d, const struct dav_collection *c, const struct dav_card *old, struct str body);

/* by method: the answer is theirs */
void dav_propfind(struct dav *d, const struct dav_resource *r);
void dav_report(struct dav *d, const struct dav_resource *r);
void dav_get(struct dav *d, const struct dav_resource *r);
/* Within a transaction that is kept if the answer is good. */
void dav_put(struct dav *d, struct dav_place *p);
void dav_delete(struct dav *d, struct dav_resource *r);
void dav_move(struct dav *d, struct dav_place *from);
void dav_mkcol(struct dav *d, struct dav_place *p);
void dav_proppatch(struct dav *d, struct dav_resource *r);
/* RFC 9110 section 13: false, and the answer is 412. body {NULL,0} = nothing is there. */
bool dav_conditions_hold(struct dav *d, struct str body);
bool dav_is_named(const char *list, struct str etag); /* weak comparison */
void dav_no_uid_conflict(struct dav *d, const struct dav_collection *c, struct str record);

#endif
