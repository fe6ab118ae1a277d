/* What went wrong: a small code to act on, and the sentence an administrator reads.
 *
 * Functions return an enum fault_code (FAULT_NONE = 0 = success) and fill a struct fault once, where the cause is known.
 * It is printed once, at the top. Codes are graded by scope: up to FAULT_RECORD_LAST only one record is concerned and a
 * run goes on; up to FAULT_COLLECTION_LAST the link stops; beyond, the account or the whole program. */
#ifndef ABGLEICH_FAULT_H
#define ABGLEICH_FAULT_H

#include "base/buf.h"

#include <stdint.h>

enum fault_code {
    FAULT_NONE = 0,
    /* one record */
    FAULT_CHANGED,       /* precondition lost (412): re-read and plan again */
    FAULT_GONE,          /* the record is not there (404, 410) */
    FAULT_EXISTS,        /* a create met something: the name or the UID is taken */
    FAULT_REFUSED,       /* the remote does not accept this record (400, 403, 415) */
    FAULT_TOO_LARGE,     /* 413, max-resource-size */
    FAULT_LOCKED,        /* 423: next run */
    FAULT_UNKNOWN,       /* sent, no usable answer: look before doing anything */
    FAULT_UNREADABLE,    /* the record's bytes cannot be understood */
    FAULT_RECORD_LAST = FAULT_UNREADABLE,
    /* one collection */
    FAULT_TOKEN_DEAD,    /* the change token is not accepted: list */
    FAULT_INCOMPLETE,    /* an answer that ended early: nothing may be concluded from absence */
    FAULT_PROTOCOL,      /* not an answer of this protocol (HTML, wrong XML) */
    FAULT_NO_COLLECTION, /* the collection is not there */
    FAULT_READ_ONLY,
    FAULT_UNSUPPORTED,   /* this request is not offered here (405, 501) */
    FAULT_HELD,          /* a guard stopped it */
    FAULT_BUSY,          /* another run of this link is under way */
    FAULT_COLLECTION_LAST = FAULT_BUSY,
    /* one account */
    FAULT_AUTH,          /* sign-in refused */
    FAULT_UNREACHABLE,   /* no connection, time-out, TLS, 5xx */
    FAULT_RATE_LIMITED,  /* 429, 503: see retry_after_ms */
    FAULT_QUOTA,         /* 507 */
    FAULT_ACCOUNT_LAST = FAULT_QUOTA,
    /* the program */
    FAULT_USAGE,
    FAULT_CONFIG,
    FAULT_STATE,         /* database damaged, foreign or newer */
    FAULT_CANCELLED,
    FAULT_INTERNAL
};

struct fault {
    enum fault_code code;
    int http_status;        /* 0 = none */
    int64_t retry_after_ms; /* 0 = not said */
    bool lasts;             /* trying again changes nothing before somebody changes something */
    char *what;             /* "412 Precondition Failed"; owned */
    char *who;              /* record title, link or account; owned, may be NULL */
    char *side;             /* account name; owned, may be NULL */
    char *advice;           /* what happens or is to be done next; owned, may be NULL */
};

#define FAULT_INIT {FAULT_NONE, 0, 0, false, NULL, NULL, NULL, NULL}
#define AUTO_FAULT __attribute__((cleanup(fault_clear)))

/* Fills f (NULL is allowed) unless it already holds a fault: the first cause stays. Returns code. */
enum fault_code fault_set(struct fault *f, enum fault_code code, const char *advice, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Adds who/side where still unknown; copies the strings. */
void fault_about(struct fault *f, const char *who, const char *side);
/* "kunden: "Özdemir, Lale" on nextcloud: 412 Precondition Failed, changed there meanwhile, planned again" */
void fault_text(const struct fault *f, struct buf *out);
void fault_copy(struct fault *to, const struct fault *from); /* NULL is allowed, as in fault_set */
void fault_clear(struct fault *f);
/* Process exit code for a fault (design.md section 4): 0, 1, 2, 4, 5, 6, 7, 8. */
int fault_exit_code(enum fault_code code);
const char *fault_name(enum fault_code code); /* stable, for JSON and logs: "changed", "unreachable" ... */

#endif
