/* The body of a DAV request, read. Knows XML and nothing else. Used by server/dav*.c. */
#ifndef ABGLEICH_SERVER_DAV_REQUEST_H
#define ABGLEICH_SERVER_DAV_REQUEST_H

#include "base/arena.h"
#include "base/fault.h"

#include <stdint.h>

#define DAV_NS "DAV:"
#define CARD_NS "urn:ietf:params:xml:ns:carddav"
#define CS_NS "http://calendarserver.org/ns/"

enum dav_request_kind {
    DAV_NO_BODY,
    DAV_PROPFIND,
    DAV_SYNC,
    DAV_MULTIGET,
    DAV_QUERY,
    DAV_MKCOL,
    DAV_PROPPATCH,
    DAV_EXPAND,       /* RFC 3253 section 3.8 */
    DAV_SEARCH,       /* principal-property-search, RFC 3744 section 9.4 */
    DAV_SEARCH_PROPS, /* principal-search-property-set */
    DAV_OTHER
};
struct dav_row; /* dav_props.c */
struct dav_name {
    const char *ns, *name;
    const struct dav_row *row;
};
enum dav_collation { COLLATION_UNICODE, COLLATION_ASCII, COLLATION_OCTET, COLLATION_UNKNOWN };
enum dav_match_type { MATCH_CONTAINS, MATCH_EQUALS, MATCH_STARTS, MATCH_ENDS };
struct dav_match { /* RFC 6352 section 10.5.4 */
    const char *text;
    enum dav_match_type type;
    enum dav_collation collation;
    bool negate;
};
struct dav_param_filter {
    const char *param;
    bool not_defined, has_match;
    struct dav_match match;
};
struct dav_filter {
    const char *group, *property; /* group NULL = any */
    bool not_defined, all;
    struct dav_match *matches;
    struct dav_param_filter *params;
    size_t n_matches, n_params;
};
struct dav_set { /* of MKCOL, PROPPATCH */
    struct dav_name name;
    const char *value; /* NULL = remove */
};
struct dav_request {
    enum dav_request_kind kind;
    bool all_props, prop_names;
    struct dav_name *props;
    size_t n_props;
    bool wants_40;         /* address-data in version 4.0 */
    bool wants_card;       /* address-data at all */
    bool wants_other_type; /* address-data of another type or version than we have */
    const char *token;     /* sync: NULL or "" = from the start */
    int64_t limit;         /* 0 = none */
    const char **hrefs;
    size_t n_hrefs;
    bool filter_all, unknown_collation;
    struct dav_filter *filters;
    size_t n_filters;
    bool is_book; /* MKCOL: resourcetype names an address book, or nothing */
    struct dav_set *sets;
    size_t n_sets;
};
/* Everything in the arena. An empty body asks for all properties. FAULT_PROTOCOL for what is no XML, too deep, or has a
 * DOCTYPE. */
enum fault_code dav_request_read(struct str body, struct arena *arena, struct dav_request *out, struct fault *f);

#endif
