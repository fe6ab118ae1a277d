/* The contract of a connector: the code that speaks to one kind of remote.
 *
 * The store (contactbox) and every remote are the same kind of thing, so a link has two of these and there is no code path
 * for "local". core/run.c calls it; a connector never sees the journal, never decides, never retries a write on its own.
 * It is used by one job thread at a time. What differs is said by capabilities, so that the engine asks instead of knowing names.
 *
 * Strings are borrowed in both directions for the duration of a call or callback unless the text says "owned".
 * Every function returns FAULT_NONE or fills *f. A cancelled env ends any call with FAULT_CANCELLED. */
#ifndef ABGLEICH_CONNECTOR_H
#define ABGLEICH_CONNECTOR_H

#include "base/env.h"
#include "mapping/record.h"

enum capability {
    CAN_TOKEN = 1,       /* changes() takes a token */
    CAN_CONDITION = 2,   /* update and delete honour `version` */
    KEEPS_BYTES = 4,     /* what was written is what fetch returns, always (the store); others are read back */
    IN_STATE = 8,        /* writes join the state database's open transaction: they need no intent and are undone with it */
    SERIAL_WRITES = 16,  /* one write at a time */
    NO_COLLECTIONS = 32, /* named "ACCOUNT:" */
    HUB = 64,            /* the store: knows deletions made by a person (tombstones) */
    TARGET_ONLY = 128,   /* is side B of links that go one way, and nothing else */
    OWN_LISTINGS = 256   /* knows itself when a new whole listing is due: none is asked for because of its age */
};

/* What was learned about a remote and is worth remembering between runs ("auth=basic", "sync=address-data", ...). Kept by the
 * engine per account in the state database; lost without harm. get: owned by the caller, NULL if unknown or older than a week. */
struct traits {
    char *(*get)(struct traits *, const char *key);
    void (*set)(struct traits *, const char *key, const char *value);
};

struct gate;

/* What only one connector is told: a key of its accounts ("fe2.version = 2.36") or, where `table`, a section of its own for such an
 * account, with names people choose ("[fe2.functions feuerwehr]", "Atemschutz = AGT"). */
struct setting_kind {
    const char *key;
    bool table;
    bool (*check)(struct str value); /* NULL = anything */
    const char *expects;             /* msgid: what the value looks like */
};
struct setting {
    const char *key, *name, *value; /* name: in a table; else NULL */
};

/* An account as configured; borrowed for the session's life. */
struct account {
    const char *name;
    const char *connector;
    const char *link;     /* the link it is opened for; NULL = none */
    const char *url;      /* NULL for the store */
    const char *user;
    const char *password; /* wiped by the owner after the session is closed */
    const char *ca_file;  /* NULL = the system's */
    const char *region;   /* for phone numbers: "DE" */
    bool allow_plain_http; /* Basic over http to other hosts than loopback */
    const struct setting *settings; /* in the order they were read */
    size_t n_settings;
    bool looks_only;       /* nothing is to be changed there, not even what a connector would put right by itself (`check`) */
    struct gate *gate;     /* limits what is in flight, shared by all jobs of a process; NULL = no limit */
    struct token_store *tokens; /* where an OAuth sign-in is kept (oauth.h); NULL = none */
    void *state;           /* the store's: struct db of this job; NULL elsewhere */
};

/* The value of a key that is no table; NULL = not set. */
const char *account_setting(const struct account *account, const char *key);

struct session; /* each connector's own */

struct collection {
    char *name;        /* display name, or the last path segment */
    char *path;        /* what later calls name it by: path on its host or absolute URL; book id of the store */
    enum record_kind kind;
    bool read_only;
    int64_t records;   /* -1 = unknown */
    unsigned versions; /* WRITE_V30 | WRITE_V40 it accepts; 0 = anything */
    int64_t max_record_bytes; /* 0 = not said */
};
struct collections {
    struct collection *items; /* owned, as are the strings */
    size_t n;
};
void collections_free(struct collections *c);

/* One record in a listing or an answer to fetch. */
struct entry {
    struct str id;      /* the side's own name for it (href, uuid), normalised, stable */
    struct str now;     /* fetch, where id is a name from new_id() or an old one: what the remote calls it; {NULL,0} = id. With gone,
                           in changes(): the record that has this name now, or has taken this one in */
    struct str version; /* etag as received, change number; {NULL,0} = not said: then only content tells */
    struct str body;    /* {NULL,0} = not delivered */
    const char *withheld; /* fetch: it is there and cannot be had; why, for people. NULL = it can */
    bool gone;          /* deleted since the token (changes) or not there (fetch) */
    bool by_person;     /* HUB only, with gone: deleted by a person here, not by a sync; named in whole listings too */
};
struct sink {
    void *ctx;
    /* changes() only, before the first entry: full = everything there is, else only what changed since the token. */
    enum fault_code (*begin)(void *ctx, bool full);
    enum fault_code (*entry)(void *ctx, const struct entry *e); /* anything but FAULT_NONE ends the call with it */
};
/* What changes() concluded. Only complete listings may imply deletions. */
struct changes {
    bool full;
    bool complete;
    char *token; /* owned by the caller; NULL = none. To be stored only together with what was learned. */
};

enum write_kind { WRITE_CREATE, WRITE_UPDATE, WRITE_DELETE };
struct write {
    enum write_kind kind;
    struct str id;      /* create: the name from new_id(); else as listed */
    struct str version; /* precondition of update and delete; {NULL,0}: read it first */
    struct str body;
    struct str uid, title; /* of the body, so that nobody needs to parse it again; {NULL,0} = not there */
    /* outcome, filled by write(); strings owned by the caller */
    enum fault_code code; /* FAULT_NONE; FAULT_CHANGED, _GONE, _EXISTS, _REFUSED, _TOO_LARGE, _LOCKED, _UNKNOWN, or wider */
    struct fault fault;
    char *new_id;      /* where it differs from id (Location); for FAULT_EXISTS the holder of the UID if told; else NULL */
    char *new_version; /* NULL = not said */
    bool nothing_sent; /* update: the remote can hold nothing of what differs, so it stays as it is and that is right */
    bool kept;         /* the remote is known to hold exactly these bytes under new_version: no read-back needed */
};
void write_clear(struct write *w); /* frees the outcome */

/* -- remotes that take their list as a whole --
 *
 * One request holds every record, what it does not name is deleted there, and nothing can be read back (FE2, a Directory elsewhere).
 * Such a connector has a `push` in place of changes, fetch and write; a link to it goes one way. core/push.c renders every record, compares
 * the list with the last one that was accepted, and asks the guards before anything is sent. */

/* What a record must not lose unseen. */
enum vital { VITAL_GROUPS = 1, VITAL_PAGER = 2 };

/* One record of the list. Strings in the arena of render(). */
struct pushed {
    struct str id;    /* the name it has there: never changes, and is never given to another */
    struct str title;
    struct str body;  /* as it stands in the list, byte for byte the same for the same record */
    struct str who;   /* tells the person beside the id: another id for the same one would be another person there */
    unsigned vital;   /* enum vital it has */
    char *warning;    /* what does not get across, for people; NULL = nothing. Owned by the caller */
    bool stops;       /* the warning must be accepted by whoever sends the list */
};

struct push {
    bool strict; /* people depend on the list: the first one, and any that many vanish from, waits for a person (fe2 4.1) */
    /* Puts a record into the form it has in the list. before: its body in the last list that was accepted; {NULL,0} = it is new there.
     * FAULT_UNREADABLE, FAULT_REFUSED: it cannot be, and so the list cannot be sent. */
    enum fault_code (*render)(struct session *s, const struct record *r, struct str id, struct str before, struct arena *arena,
                              struct pushed *out, struct fault *f);
    /* What of `before` a body has no longer that people must know of ("alarm groups: Vollalarm"); nothing appended = nothing. */
    void (*lost)(struct session *s, struct str before, struct str now, struct buf *out);
    /* Is a list of so many records accepted? FAULT_QUOTA with the numbers. NULL = any. */
    enum fault_code (*fits)(struct session *s, size_t n, struct fault *f);
    /* Sends the list. FAULT_NONE: accepted as a whole. _AUTH, _QUOTA, _REFUSED, _RATE_LIMITED, _UNSUPPORTED, _TOO_LARGE: for sure nothing was
     * changed. Anything else: it may have been taken. Sending it again does no harm. */
    enum fault_code (*send)(struct session *s, const struct pushed *list, size_t n, struct fault *f);
    /* Deletes one by its name; one that is not there is deleted. NULL = cannot. */
    enum fault_code (*remove)(struct session *s, struct str id, struct fault *f);
};

struct connector {
    const char *name;
    unsigned capabilities;
    const struct setting_kind *settings; /* up to one without key; NULL = none */
    const struct setting_kind *shared_settings; /* likewise: what several connectors share (oauth.h) */
    const struct push *push;             /* NULL: records are written one by one */
    /* Opens an account. No request is needed here. */
    enum fault_code (*open)(const struct account *account, struct traits *traits, struct env *env, struct session **out,
                            struct fault *f);
    void (*close)(struct session *s);
    /* All its collections. Also the test of the connection (`account test`). */
    enum fault_code (*discover)(struct session *s, struct collections *out, struct fault *f);
    /* Readies one collection by path for the calls below; cheap, no request unless something must be learned. `about` is
     * borrowed until close. identity: what must stay the same for this to be the same collection (URL, principal). */
    enum fault_code (*select)(struct session *s, const char *path, const struct collection **about, struct buf *identity,
                              struct fault *f);
    /* Everything new or changed since the token; token NULL or dead, or `list`: the whole listing (with a token: bodies are not
     * wanted, nearly all will be known). Entries stream into the sink
     * as they arrive; bodies come along where that is cheap. An incomplete answer is FAULT_INCOMPLETE with out->complete false.
     * A dead token is handled inside by listing. */
    enum fault_code (*changes)(struct session *s, const char *token, bool list, const struct sink *sink, struct changes *out,
                               struct fault *f);
    /* Bodies by id, cheapest way, any order. An id that ends in neither an entry nor gone is unknown: never taken as gone. */
    enum fault_code (*fetch)(struct session *s, const struct str *ids, size_t n, const struct sink *sink, struct fault *f);
    /* Takes away what the connector itself left there and nobody else knows of. Called once by a run that may write there, after its
     * listing and before its writes. May be NULL. */
    enum fault_code (*tidy)(struct session *s, struct fault *f);
    /* The name a new record gets; from a random UUID. Owned by the caller. */
    char *(*new_id)(struct session *s);
    /* Carries out n writes, several in flight; each outcome in its struct. `done` (may be NULL) is called as each ends.
     * Returns a fault only for what concerns all of them (sign-in, unreachable): those not sent keep code FAULT_CANCELLED. */
    enum fault_code (*write)(struct session *s, struct write *writes, size_t n, void (*done)(void *ctx, struct write *w),
                             void *ctx, struct fault *f);
    /* The token that also covers `own` writes made since `token`, if nobody else wrote; else NULL. Owned. May be NULL. */
    char *(*token_after)(struct session *s, const char *token, size_t own);
    /* For reports: requests, bytes in and out since open. May be NULL. */
    void (*traffic)(struct session *s, int64_t *requests, int64_t *bytes_in, int64_t *bytes_out);
};

/* The row of a key in either of its lists; NULL = it has none. */
const struct setting_kind *connector_setting(const struct connector *c, struct str key);

/* The registry: one line a connector. NULL if unknown. */
const struct connector *connector_by_name(const char *name);
/* The i-th, for help texts; NULL at the end. */
const struct connector *connector_at(size_t i);

#endif
