/* What server/dav*.c share. */
#ifndef ABGLEICH_SERVER_DAV_IMPL_H
#define ABGLEICH_SERVER_DAV_IMPL_H

#include "server/dav.h"
#include "server/desk.h"
#include "server/guess.h"
#include "state/store.h"
#include "state/user.h"

#define DAV_NS "DAV:"
#define CARD_NS "urn:ietf:params:xml:ns:carddav"
#define CS_NS "http://calendarserver.org/ns/"
#define DAV_ROOT "/dav/"
#define XML_HEAD "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
#define XML_TYPE "application/xml; charset=utf-8"
#define MULTISTATUS_HEAD XML_HEAD "<d:multistatus xmlns:d=\"DAV:\" xmlns:c=\"" CARD_NS "\" xmlns:cs=\"" CS_NS "\">\n"

/* -- dav_request.c: a body, read -- */
enum dav_request_kind {
    DAV_NO_BODY,
    DAV_PROPFIND,
    DAV_SYNC,
    DAV_MULTIGET,
    DAV_QUERY,
    DAV_MKCOL,
    DAV_PROPPATCH,
    DAV_OTHER
};
struct dav_name {
    const char *ns, *name;
};
struct dav_match { /* text-match; text NULL = none */
    const char *text;
    enum { MATCH_CONTAINS, MATCH_EQUALS, MATCH_STARTS, MATCH_ENDS } type;
    bool negate;
};
struct dav_filter {
    const char *property; /* upper case, without group */
    bool not_defined, all;
    struct dav_match *matches;
    size_t n_matches;
};
struct dav_request {
    enum dav_request_kind kind;
    bool all_props, prop_names;
    struct dav_name *props;
    size_t n_props;
    bool wants_card, wants_40; /* address-data; in version 4.0 */
    const char *token;         /* sync: NULL or "" = from the start */
    int64_t limit;             /* 0 = none */
    const char **hrefs;
    size_t n_hrefs;
    bool filter_all;
    struct dav_filter *filters;
    size_t n_filters;
    bool is_book;            /* MKCOL: resourcetype names an address book, or nothing */
    const char *displayname; /* MKCOL, PROPPATCH; NULL = not said */
};
/* Everything in the arena. FAULT_PROTOCOL for what is no XML, too deep, or has a DOCTYPE. */
enum fault_code dav_request_read(struct str body, struct arena *arena, struct dav_request *out, struct fault *f);

/* -- one request under way -- */
enum dav_kind { DAV_IS_ROOT = 1, DAV_IS_PRINCIPAL = 2, DAV_IS_HOME = 4, DAV_IS_BOOK = 8, DAV_IS_CARD = 16 };
struct dav_resource {
    enum dav_kind kind;
    struct book book;
    bool read_only;
    struct str name; /* of a card */
    struct store_record record;
};
struct dav {
    struct dav_service *service;
    struct desk *desk;
    struct db *db;
    struct http_call *call;
    struct http_answer *answer;
    struct arena arena;
    struct user user;
    struct user_book *books; /* the user's */
    size_t n_books;
    struct dav_request request;
    bool brief;
};
struct dav_service {
    struct dav_service_settings settings;
    char *region;
    struct desks desks;
    struct guesses *guesses;
    struct logins *logins; /* dav_login.c */
};

/* dav_login.c. False: the answer says why. */
struct logins *logins_new(void);
void logins_free(struct logins *l);
bool dav_login(struct dav *d);

/* dav_props.c */
void dav_add_response(struct dav *d, const struct dav_resource *r, struct buf *out);
void dav_add_missing(struct dav *d, const char *href, struct buf *out); /* a response with 404 */
void dav_href(struct dav *d, const struct dav_resource *r, struct buf *out);
void dav_etag(const struct dav *d, struct str body, struct buf *out); /* with its quotes */
void dav_sync_token(const struct book *b, int64_t seq, struct buf *out);
/* The card as this client gets it: the very bytes, or as 3.0. False: it cannot be made. */
bool dav_card_bytes(struct dav *d, const struct store_record *r, bool wants_40, struct buf *out);
void xml_text(struct str text, struct buf *out); /* escaped, without what XML 1.0 forbids */

/* dav_report.c, dav_write.c: the answer is theirs */
void dav_report(struct dav *d, const struct dav_resource *r);
bool dav_find_book(struct dav *d, struct str id, struct dav_resource *out);
bool dav_find_card(struct dav *d, struct dav_resource *book_then_card, struct str name);
void dav_put(struct dav *d, struct dav_resource *book, struct str name);
void dav_delete(struct dav *d, struct dav_resource *card);
void dav_mkcol(struct dav *d, struct str name);
void dav_proppatch(struct dav *d, struct dav_resource *r);
/* An error with a precondition's element ("c:no-uid-conflict", with what stands in it; NULL = empty). */
void dav_refuse(struct dav *d, unsigned status, const char *element, const char *inside);

#endif
