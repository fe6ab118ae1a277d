/* What the files of the People connector share. Private to people*.c. Section numbers: protocols google-people.
 *
 * people.c: sessions; people_call.c: one request, its faults, waiting for quota; people_changes.c: listings;
 * people_fetch.c: by name, and creates whose answer was lost; people_write.c: batches; people_groups.c: categories;
 * people_recent.c: what was written lately. */
#ifndef ABGLEICH_PEOPLE_SESSION_H
#define ABGLEICH_PEOPLE_SESSION_H

#include "connectors/connector.h"
#include "connectors/http.h"
#include "connectors/oauth.h"
#include "mapping/people.h"

#define PEOPLE_ADDRESS "https://people.googleapis.com/"
#define PEOPLE_SOURCES "READ_SOURCE_TYPE_CONTACT"
#define PEOPLE_NEW "new:"                /* name of a record that Google has not named yet: "new:" operation id */
#define PEOPLE_LAG_MS (10 * 60 * 1000LL) /* so long may an answer be older than our own write (2) */

struct people_group {
    char *resource, *name; /* name NULL: of the system */
};
struct people_created { /* a person that carries an operation id */
    char *operation, *resource;
};

/* What was written lately, by this account's runs: an answer may be older than that. */
enum people_recent_kind { RECENT_SENT = 's', RECENT_WRITTEN = 'w', RECENT_DELETED = 'd' };
struct people_recent {
    char *name;        /* resource; of RECENT_SENT the operation id */
    char *etag, *time; /* of RECENT_WRITTEN: of the person in the answer; "" = not told */
    int64_t at_ms;
    char kind;
    bool listed; /* for people_changes.c */
};

struct session {
    const struct account *account;
    struct env *env;
    struct traits *traits;
    struct http *http, *pictures; /* pictures lie elsewhere and get no token */
    struct oauth *oauth;          /* NULL: the password is the token */
    char *base;                   /* ".../v1/" */
    struct collection about;
    struct people_groups groups; /* for the mapping */
    struct people_group *group_list;
    size_t n_groups;
    bool groups_known;
    struct people_created *created;
    size_t n_created;
    bool all_seen; /* `created` comes from a whole listing */
    struct people_recent *recent;
    size_t n_recent;
    unsigned recent_slot;
    bool recent_known;
    json_t *written; /* the answers of the last write, by resource: fetch after it needs no request, and is not stale */
};

/* -- people_call.c -- */
struct people_call {           /* zero it, fill the first line */
    const char *method, *path; /* path with its query, relative to base */
    const json_t *body;        /* NULL = none */
    bool write;
    json_t *answer; /* an object where the call succeeded */
    int status;
    struct buf status_word, reason; /* of an error: "FAILED_PRECONDITION", "EXPIRED_SYNC_TOKEN" */
};
/* Carries it out, waiting where the quota asks for it. A write that may have been carried out ends as FAULT_UNKNOWN. */
enum fault_code people_do(struct session *s, struct people_call *c, struct fault *f);
void people_call_clear(struct people_call *c);
#define AUTO_CALL __attribute__((cleanup(people_call_clear)))
/* Appends "&name=value", the value encoded. */
void people_add_query(struct buf *path, const char *name, struct str value);
/* personFields and sources: part of every read. */
void people_add_fields(struct buf *path);

/* -- people_recent.c -- */
/* What was written to that name within PEOPLE_LAG_MS, or NULL. */
struct people_recent *people_recent_find(struct session *s, char kind, const char *name);
/* Remembers; the entry's strings are copied. Together with people_recent_keep at the end of a batch. */
void people_recent_add(struct session *s, char kind, const char *name, const json_t *person);
void people_recent_keep(struct session *s, size_t first);
/* Is this person older than what we wrote? */
bool people_is_stale(const struct people_recent *r, const json_t *person);
void people_recent_free(struct session *s);

/* -- people_groups.c -- */
/* Loads the groups where the person is in one that is not known. */
enum fault_code people_know_groups(struct session *s, const json_t *person, struct fault *f);
const char *people_group_name(void *ctx, const char *resource);
const char *people_group_resource(void *ctx, const char *name, struct fault *f);
void people_groups_free(struct session *s);

/* -- people_changes.c -- */
enum fault_code people_changes(struct session *s, const char *token, bool list, const struct sink *sink,
                               struct changes *out, struct fault *f);
/* Goes through everything once more, for operation ids alone. */
enum fault_code people_see_all(struct session *s, struct fault *f);

/* -- people_fetch.c -- */
/* Persons by resource name as the API tells them: calls fn with each (person NULL: it is not there). Not stale ones. */
struct people_reader {
    void *ctx;
    enum fault_code (*fn)(void *ctx, struct str asked, const json_t *person, struct fault *f);
};
enum fault_code people_read(struct session *s, const struct str *names, size_t n, const struct people_reader *reader,
                            struct fault *f);
/* The bytes of a person's picture; empty where there is none. */
enum fault_code people_picture(struct session *s, const json_t *person, struct buf *out, struct fault *f);
enum fault_code people_fetch(struct session *s, const struct str *ids, size_t n, const struct sink *sink,
                             struct fault *f);

/* -- people_write.c -- */
enum fault_code people_write(struct session *s, struct write *writes, size_t n,
                             void (*done)(void *ctx, struct write *w), void *ctx, struct fault *f);

#endif
