/* Reads WebDAV multistatus answers (RFC 4918 14.16, RFC 6578) as a stream: bytes in, one callback per response, never more than one
 * response in memory. Also reads the body of an error (DAV:error). Used by carddav*.c (later caldav). By libxml2's SAX2 push
 * parser: no entities, no network, no DTD; what does not look like a multistatus is said to be none. */
#ifndef ABGLEICH_MULTISTATUS_H
#define ABGLEICH_MULTISTATUS_H

#include "base/fault.h"

#define NS_DAV "DAV:"
#define NS_CARDDAV "urn:ietf:params:xml:ns:carddav"
#define NS_CALENDARSERVER "http://calendarserver.org/ns/"

/* A property the caller wants to hear of; its index in the caller's table names it. */
struct dav_wanted {
    const char *ns, *name;
};
#define DAV_WANTED_MAX 16

struct dav_property {
    int status;          /* of its propstat; 0 = not in this response */
    struct str text;     /* character data directly inside, white space of pretty printing kept */
    struct str names;    /* local names of all elements inside, each followed by a blank: "collection addressbook " */
    struct str hrefs;    /* texts of DAV:href inside, each followed by a newline */
    struct str attributes; /* of elements inside: "content-type=text/vcard version=3.0 " */
};
struct dav_response {
    struct str href;     /* as it stands, white space off; a response with several is told once for each */
    int status;          /* of the whole response; 0 = none */
    bool error_limit;    /* it carries DAV:error/number-of-matches-within-limits */
    const struct dav_property *properties; /* by index in the table */
};

struct multistatus;
struct multistatus_sink {
    void *ctx;
    enum fault_code (*response)(void *ctx, const struct dav_response *r, struct fault *f); /* borrowed; a code ends the reading */
};

/* limit_bytes: of one property's text. Owned by the caller. */
struct multistatus *multistatus_new(const struct dav_wanted *wanted, size_t n, const struct multistatus_sink *sink, size_t limit_bytes);
void multistatus_free(struct multistatus *m); /* NULL is fine */
/* FAULT_PROTOCOL: no XML, or not this kind of it; FAULT_TOO_LARGE; or what the sink returned. It stays. */
enum fault_code multistatus_feed(struct multistatus *m, struct str bytes, struct fault *f);
/* All is here. FAULT_INCOMPLETE unless the root was closed. */
enum fault_code multistatus_end(struct multistatus *m, struct fault *f);
struct str multistatus_token(const struct multistatus *m); /* DAV:sync-token of the answer; {NULL,0} = none */

/* Is that precondition named in the body of an error? ("valid-sync-token", "no-uid-conflict") */
bool dav_error_names(struct str body, const char *name);
/* The href inside a DAV:error/... element, if there is one; appended to out. */
bool dav_error_href(struct str body, struct buf *out);

#endif
