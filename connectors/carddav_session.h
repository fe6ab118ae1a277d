/* What the files of the CardDAV connector share. Private to carddav*.c. Section numbers: protocols carddav. */
#ifndef ABGLEICH_CARDDAV_SESSION_H
#define ABGLEICH_CARDDAV_SESSION_H

#include "connectors/carddav_xml.h"
#include "connectors/connector.h"
#include "connectors/http.h"
#include "connectors/multistatus.h"
#include "connectors/url.h"

struct session {
    const struct account *account;
    struct env *env;
    struct traits *traits;
    struct http *http;
    char *other_user;        /* the name's other form (anna, anna@example.org); NULL = none */
    char *origin;            /* "https://cloud.example.org": where the selected book lives; paths are relative to it */
    struct collection about; /* the selected one; path NULL = none */
    bool has_sync, has_no_sync; /* known to be offered, known not to be */
    int64_t listed;             /* entries of the last listing, to tell "most" from "few" */
};

/* Properties asked for anywhere; the order is that of carddav_wanted[]. */
enum {
    PROP_ETAG,
    PROP_DATA,
    PROP_TYPE,
    PROP_CONTENT_TYPE,
    PROP_NAME,
    PROP_PRINCIPAL,
    PROP_HOME,
    PROP_PRIVILEGES,
    PROP_REPORTS,
    PROP_CTAG,
    PROP_TOKEN,
    PROP_VERSIONS,
    PROP_MAX_BYTES,
    PROP_COUNT
};
extern const struct dav_wanted carddav_wanted[PROP_COUNT];
#define CARDDAV_VALUE_MAX_BYTES (20u << 20)

/* One property as text where its status says it is there; {NULL,0} else. */
struct str dav_value(const struct dav_response *r, int property);

/* Sends a request whose answer is a multistatus and hands its responses to `sink` as they arrive. depth: "0", "1" or
 * NULL. *status receives the HTTP status (0 = none), token (may be NULL) the sync-token, error_text (may be NULL) the
 * body of an error, final_url (may be NULL) where the answer came from. A status other than 207 is a fault by
 * http_status_fault. */
struct dav_request {
    const char *method, *url, *depth;
    struct str body;
    const struct multistatus_sink *sink;
    int status;
    struct buf token, error_text, final_url;
    bool moved_for_good;
};
enum fault_code dav_do(struct session *s, struct dav_request *r, struct fault *f);
void dav_request_clear(struct dav_request *r);

/* How cards of the selected book are asked for. */
enum carddav_data carddav_data_of(const struct session *s);
/* Address of an id: paths get the origin. */
void carddav_url(const struct session *s, struct str id, struct buf *out);
/* Id of an href in an answer to a request to `url`: its canonical path. A server behind a proxy may name itself by
 * another host (5): what then lies in the selected book is still ours. */
void carddav_path(const struct session *s, struct str url, struct str href, struct buf *out);

/* carddav_discover.c */
enum fault_code carddav_discover(struct session *s, struct collections *out, struct fault *f);
/* Fills a collection from a response about it. False if it is no address book. */
bool carddav_read_book(const char *request_url, const struct dav_response *r, struct collection *out, bool *has_sync);
/* carddav_changes.c */
enum fault_code carddav_changes(struct session *s, const char *token, bool list, const struct sink *sink,
                                struct changes *out, struct fault *f);
/* Hands one response on as an entry, unless it is the book itself or no card. *had_body (may be NULL) is set. */
enum fault_code carddav_entry(struct session *s, const char *url, const struct dav_response *r, const struct sink *sink,
                              bool *counts, bool *had_body);
/* carddav_fetch.c */
enum fault_code carddav_fetch(struct session *s, const struct str *ids, size_t n, const struct sink *sink,
                              struct fault *f);
/* carddav_write.c */
enum fault_code carddav_write(struct session *s, struct write *writes, size_t n,
                              void (*done)(void *ctx, struct write *w), void *ctx, struct fault *f);

#endif
