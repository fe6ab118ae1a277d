/* What the files of the People connector share. Private to people*.c. Section numbers: protocols google-people.
 *
 * people.c: sessions; people_call.c: one request, its faults, waiting for quota; people_changes.c: listings;
 * people_fetch.c: by name, and creates whose answer was lost; people_late.c: those that arrive after all;
 * people_write.c, people_batch.c: writes; people_groups.c: categories; people_recent.c: what was written lately;
 * people_budget.c: requests a minute. */
#ifndef ABGLEICH_PEOPLE_SESSION_H
#define ABGLEICH_PEOPLE_SESSION_H

#include "connectors/connector.h"
#include "connectors/http.h"
#include "connectors/oauth.h"
#include "mapping/people.h"

#define PEOPLE_ADDRESS "https://people.googleapis.com/"
#define PEOPLE_SOURCES "READ_SOURCE_TYPE_CONTACT"
#define PEOPLE_NEW "new:"                /* name of a record that Google has not named yet: "new:" operation id */
#define PEOPLE_STARRED "people.starred"  /* key: the category of those with a star */
#define PEOPLE_UID "people.uid"          /* key: "visible" = in externalIds, too */
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

/* What was spent of the quota of a minute (people_budget.c). */
#define PEOPLE_RATE "people.per_minute"
#define PEOPLE_RATE_DEFAULT 60 /* reads, and writes: the least that was ever granted to one user */
#define PEOPLE_BUDGET_STEPS 13
enum people_metric { PEOPLE_READS, PEOPLE_WRITES, PEOPLE_METRICS };
struct people_spent {
    int64_t step;
    unsigned n[PEOPLE_METRICS];
};
struct people_budget {
    struct people_spent own[PEOPLE_BUDGET_STEPS], others[PEOPLE_BUDGET_STEPS]; /* own: not told to others yet */
    unsigned unkept;
    bool known, kept;
};

struct people_late {       /* a create that was given up and is there after all */
    json_t *person, *twin; /* twin: the one made in its place; NULL = none found */
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
    bool no_room;  /* Google takes no more contacts */
    bool all_seen; /* `created` comes from a whole listing */
    struct people_recent *recent;
    size_t n_recent;
    char *given_up; /* operation ids */
    bool given_up_known;
    struct people_late *late; /* met in this listing */
    size_t n_late;
    unsigned recent_slot;
    bool recent_known;
    struct people_budget budget;
    json_t *written; /* the answers of the last write, by resource: fetch after it needs no request, and is not stale */
};

/* -- people_call.c -- */
struct people_call {           /* zero it, fill the first line */
    const char *method, *path; /* path with its query, relative to base */
    const json_t *body;        /* NULL = none */
    bool write;
    bool reads;     /* a write that also answers with persons: that costs a read as well */
    bool whole;     /* the first page of a whole listing: its own quota, which takes minutes to come back (2) */
    json_t *answer; /* an object where the call succeeded */
    int status;
    struct buf status_word, reason; /* of an error: "FAILED_PRECONDITION", "EXPIRED_SYNC_TOKEN" */
    json_t *details;                /* of an error; NULL = none */
};
/* Carries it out, waiting where the quota asks for it. A write that may have been carried out ends as FAULT_UNKNOWN. */
enum fault_code people_do(struct session *s, struct people_call *c, struct fault *f);
void people_call_clear(struct people_call *c);
#define AUTO_CALL __attribute__((cleanup(people_call_clear)))
/* Appends "&name=value", the value encoded. */
void people_add_query(struct buf *path, const char *name, struct str value);
/* personFields and sources: part of every read. */
void people_add_fields(struct buf *path);

/* -- people_budget.c -- */
/* Waits until one more request of that cost stays within the quota, and counts it. FAULT_CANCELLED. */
enum fault_code people_spend(struct session *s, const unsigned cost[PEOPLE_METRICS]);
/* Leaves what was spent for the account's next session. */
void people_budget_close(struct session *s);
bool people_check_rate(struct str v);

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
/* Likewise, whether or not it was done before: for people_look_for_twin. */
enum fault_code people_look_at_all(struct session *s, struct fault *f);

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

/* -- people_late.c -- */
/* A create counts as never arrived, and may be made again. */
void people_give_up(struct session *s, struct str operation);
/* Is this one that was given up? Then it waits for people_late_settle. */
bool people_is_late(struct session *s, const json_t *person);
/* Is this the one made in place of one that waits? */
void people_look_for_twin(struct session *s, const json_t *person);
/* At the end of a listing: those that wait and are no mere doubles are told. */
enum fault_code people_late_settle(struct session *s, const struct people_reader *tell, struct fault *f);
void people_late_free(struct session *s);
/* Takes doubles away. */
enum fault_code people_tidy(struct session *s, struct fault *f);

/* -- people_write.c -- */
enum fault_code people_write(struct session *s, struct write *writes, size_t n,
                             void (*done)(void *ctx, struct write *w), void *ctx, struct fault *f);

#endif
