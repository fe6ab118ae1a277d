/* What the CardDAV connector sends: the bodies of its PROPFINDs and REPORTs (protocols: carddav 2). Private to
 * carddav*.c. Only shapes that every server measured understands: no filters, no limits, no parts of cards. */
#ifndef ABGLEICH_CARDDAV_XML_H
#define ABGLEICH_CARDDAV_XML_H

#include "base/buf.h"

/* Questions a PROPFIND may ask. */
enum carddav_ask {
    ASK_ENTRY,     /* what is this resource, who am I, where are my books */
    ASK_PRINCIPAL, /* addressbook-home-set */
    ASK_BOOKS,     /* all that is worth knowing about an address book */
    ASK_STATE,     /* did anything change: getctag, sync-token */
    ASK_MEMBERS    /* the etags of everything in a book */
};
void carddav_propfind(struct buf *out, enum carddav_ask ask);

/* Cards in the answer. Plain means 3.0 (RFC 6352 10.4), and some servers choke on more words than that, so 4.0 is named
 * only where nothing else is offered. */
enum carddav_data { DATA_NONE, DATA_PLAIN, DATA_V40 };

/* sync-collection (RFC 6578 3.2). token {NULL,0} = initial. */
void carddav_sync(struct buf *out, struct str token, enum carddav_data data);
/* addressbook-query with an empty filter: every card of the book. */
void carddav_query_all(struct buf *out, enum carddav_data data);
/* addressbook-multiget of these hrefs, which must be absolute paths (iCloud refuses full URLs). */
void carddav_multiget(struct buf *out, const struct str *hrefs, size_t n, enum carddav_data data);

#endif
