/* The configuration: abgleich.ini and the drop-ins in conf.d beside it (design.md 4). Read by every command and by the
 * daemon, which loads a second one on change and keeps the first if that fails.
 *
 * A configuration is immutable once loaded; its strings live in its arena. Drop-ins are read after the main file, by
 * name; a section that is there already takes over what they name, key by key. The table of keys is in config_keys.c.
 */
#ifndef ABGLEICH_CONFIG_H
#define ABGLEICH_CONFIG_H

#include "base/hash.h"
#include "core/run.h"

#define CONFIG_DAY_MS ((int64_t)24 * 60 * 60 * 1000)
#define CONFIG_NAME_MAX_BYTES 64
/* The accounts that are always there: the store, and its phonebooks as targets of links. */
#define CONFIG_STORE "contactbox"
#define CONFIG_PHONEBOOKS "directory"

struct config_place { /* where a section was begun, for messages and for what rewrites it */
    const char *file; /* NULL = built in */
    unsigned line;
};

struct config_account {
    const char *name;
    struct config_place place;
    const char *connector, *url, *user; /* NULL = not set */
    const char *secret;                 /* "stored", "file:PATH", "command:CMD", "credential:NAME"; NULL = none */
    const char *ca_file;                /* NULL = the system's */
    const char *region;                 /* never NULL after config_load */
    int64_t interval_ms;
    bool enabled, plain_http;
    struct setting *settings; /* of its connector alone (connector.h) */
    size_t n_settings;
};

struct config_link {
    const char *name;
    struct config_place place;
    const char *a, *b; /* as written: "contactbox:Kunden" */
    const struct config_account *account_a, *account_b;
    const char *collection_a, *collection_b;            /* what follows the colon, maybe "" */
    const char *mode, *import, *authority, *max_delete, *strategy; /* as written; NULL = not set */
    bool oneway_enforce; /* contactbox A5 */
    struct filter filter;
    struct policy policy;
    int64_t history_ms;  /* after config_load: how long losers are kept; 0 = not at all */
    int64_t interval_ms; /* after config_load: its own, else the remote account's */
    bool enabled;
    char settings_hash[DIGEST_HEX_BYTES]; /* of both accounts' connector, address and user, of both collections and the filter */
};

struct config_report { /* [report]: how runs are kept and who hears of what needs a person */
    const char *mail_to;   /* addresses with commas; NULL = no mail */
    const char *mail_from; /* NULL = abgleich@HOST */
    const char *smtp, *user, *secret, *ca_file; /* secret: as of accounts, but not "stored" */
    int64_t retain_ms;     /* runs older than that are forgotten */
    int64_t remind_ms;     /* what stays open is mailed again after that; 0 = once */
    int64_t gap_ms;        /* not more than one mail in that time */
};

enum custom_kind { CUSTOM_TEXT, CUSTOM_NUMBER, CUSTOM_DATE, CUSTOM_CHOICE };
struct config_field { /* [field NAME]: a custom field of the store's contacts (cli/custom_field.h) */
    const char *name;
    struct config_place place;
    const char *label;   /* never NULL after config_load */
    const char *type;    /* as written; NULL = text */
    const char *choices; /* with commas; NULL unless it is a choice */
    enum custom_kind kind;
};

struct config {
    struct arena arena;
    const char *path;               /* of the main file, absolute or as given */
    const char *state;              /* path of the state database */
    bool state_is_default;           /* nobody named it: its folder may be made */
    const char *listen;             /* address:port; NULL = no servers */
    const char *tls_cert, *tls_key; /* NULL = no TLS */
    const char *language;           /* NULL = the environment's */
    const char *region;             /* "DE" */
    int64_t jobs, jobs_per_host;
    int64_t quiet_ms;                /* a change in the store starts its links after so long without another */
    int64_t history_ms;
    int64_t tombstone_keep_ms;       /* how long deleted contacts can be restored and are remembered as deleted */
    int64_t max_upload_bytes;        /* one body sent to a server of ours */
    bool directory_claim;            /* a push to a key nobody has makes a phonebook ... */
    const char *directory_claim_networks; /* ... from there; NULL = from everywhere */
    const char *directory_columns;   /* file with names of columns in other languages; NULL = none */
    int64_t dav_rate;                /* requests a second of one user of CardDAV, on average */
    bool dav_delete_books;           /* a CardDAV client may delete a book, for everybody */
    int64_t max_attachment_bytes;    /* one file kept with a contact */
    struct config_account *accounts; /* in the order they were read; the store is not among them */
    struct config_link *links;
    struct config_field *fields;
    size_t n_accounts, n_links, n_fields;
    struct config_report report;
    struct config_account store, phonebooks; /* stand for "contactbox:" and "directory:" */
};

/* The file a command uses: given (-c), else /etc/abgleich/abgleich.ini if that exists, else the user's. Owned by the
 * caller. */
char *config_default_path(void);
/* Reads and checks everything. FAULT_CONFIG with "FILE:LINE: ..." and a suggestion. required: a missing main file is an
 * error, else it counts as empty. *out NULL on failure; owned by the caller. */
enum fault_code config_load(const char *path, bool required, struct config **out, struct fault *f);
void config_free(struct config *c); /* NULL is fine */

/* NULL if there is none. The store is found as "contactbox". */
const struct config_account *config_account(const struct config *c, const char *name);
const struct config_link *config_link(const struct config *c, const char *name);
/* FAULT_CONFIG with a suggestion where there is none. */
const struct config_account *config_account_must(const struct config *c, const char *name, struct fault *f);
const struct config_link *config_link_must(const struct config *c, const char *name, struct fault *f);
bool config_is_store(const struct config_account *a);
/* The store or its phonebooks: nothing of it stands in the configuration, and no host is asked. */
bool config_is_built_in(const struct config_account *a);
/* The side whose name and interval are the link's: the remote one; B where there is none. */
const struct config_account *config_link_remote(const struct config_link *l);
/* Off if it, or one of its accounts, is off. */
bool config_link_is_on(const struct config_link *l);
/* "nextcloud:kunden" -> account and collection; false without a colon. Pieces of text. */
bool config_split_side(struct str text, struct str *account, struct str *collection);

/* -- ready to run -- */
/* The account with its password (read now: database, file, command or credential). db is this job's own: the store's
 * sessions use it. The strings are borrowed from the configuration except `password`, which account_wipe ends. */
enum fault_code config_account_open(const struct config_account *a, struct db *db, struct account *out,
                                    struct fault *f);
void config_account_wipe(struct account *a);
/* What "file:PATH", "command:CMD", "credential:NAME" or, with an account, "stored" stands for; NULL gives NULL. Terminated, given back
 * with secret_free. FAULT_AUTH. */
enum fault_code config_secret_read(const char *secret, const char *account, struct db *db, char **out, struct fault *f);
/* The link with both accounts; config_link_wipe ends it. */
enum fault_code config_link_open(const struct config_link *l, struct db *db, struct link *out, struct fault *f);
void config_link_wipe(struct link *l);

/* What directory_columns names, read now; the strings are in the arena. */
struct directory_csv_options;
enum fault_code config_directory_columns(const struct config *c, struct arena *arena, struct directory_csv_options *out,
                                         struct fault *f);

/* -- values as people write them; false for anything else -- */
bool config_parse_duration(struct str s, int64_t *ms);   /* 90s 15m 1h 30d 2w; 0 */
bool config_parse_size(struct str s, int64_t *bytes);    /* 512 64K 20M 1G */
bool config_parse_custom_kind(struct str s, enum custom_kind *out); /* text number date choice */
bool config_parse_bool(struct str s, bool *out);         /* yes/no on/off true/false 1/0 ja/nein */
void config_print_duration(int64_t ms, struct buf *out); /* "15m": the largest unit that divides it */
void config_print_size(int64_t bytes, struct buf *out);

#endif
