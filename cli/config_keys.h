/* Every key of the configuration, one row each: reading, writing, checking, showing and suggesting work from these. */
#ifndef ABGLEICH_CONFIG_KEYS_H
#define ABGLEICH_CONFIG_KEYS_H

#include "cli/config.h"

enum config_type { CONFIG_TEXT, CONFIG_PATH, CONFIG_DURATION, CONFIG_SIZE, CONFIG_COUNT, CONFIG_BOOL };
struct config_key {
    const char *name;
    enum config_type type;
    size_t offset;                   /* of the value in the section's struct */
    bool (*check)(struct str value); /* NULL = any value of the type */
    const char *expects;             /* msgid: what the value looks like */
};

enum config_kind { CONFIG_GENERAL, CONFIG_ACCOUNT, CONFIG_LINK, CONFIG_REPORT, CONFIG_FIELD, CONFIG_KINDS };
/* The setting of a connector of that name, or NULL: "fe2.version" of an account, or with `table` "fe2.functions" of a section. */
const struct setting_kind *config_setting(struct str name, bool table);
/* As config_key_check. */
enum fault_code config_setting_check(const struct setting_kind *kind, struct str value, const char *what, struct fault *f);
/* Rows up to one whose name is NULL. */
const struct config_key *config_keys(enum config_kind kind);
const char *config_kind_word(enum config_kind kind);                         /* "abgleich", "account", "link" */
const struct config_key *config_key(enum config_kind kind, struct str name); /* NULL if unknown */
/* Sets a value in the section's struct; strings into the arena. Paths are taken from `folder` where relative. False:
 * wrong value. */
bool config_key_set(const struct config_key *key, void *section, struct str value, const char *folder,
                    struct arena *arena);
/* FAULT_CONFIG, with suggestion, if the key is unknown or the value wrong. what: put before the sentence ("x.ini:3");
 * NULL = nothing. */
enum fault_code config_key_check(enum config_kind kind, struct str name, struct str value, const char *what,
                                 struct fault *f);
/* The value as it would be written; false if it is not set. */
bool config_key_print(const struct config_key *key, const void *section, struct buf *out);
/* Is this a name for an account or link: letters, digits, . _ - and what is not ASCII; not at the start: . and - */
bool config_name_ok(struct str name);

#endif
