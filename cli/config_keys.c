#include "cli/config_keys.h"

#include "base/i18n.h"
#include "base/network.h"
#include "cli/suggest.h"
#include "connectors/mail.h"

#include <inttypes.h>
#include <stddef.h>

static bool check_language(struct str v)
{
    return str_eq(v, STR("de")) || str_eq(v, STR("en"));
}

static bool check_secret(struct str v)
{
    static const char *const forms[] = {"file:", "command:", "credential:"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (str_starts(v, str_of(forms[i])) && v.n > strlen(forms[i])) return true;
    return str_eq(v, STR("stored"));
}

/* The mail server's is not kept in the state: `secret set` takes accounts. */
static bool check_mail_secret(struct str v)
{
    return check_secret(v) && !str_eq(v, STR("stored"));
}

static bool check_smtp(struct str v)
{
    return str_starts_nocase(v, STR("smtp://")) || str_starts_nocase(v, STR("smtps://"));
}

static bool check_addresses(struct str v)
{
    for (struct str rest = v; rest.p;)
        if (!mail_address_ok(str_trim(str_split(&rest, ',')))) return false;
    return true;
}

static bool check_connector(struct str v)
{
    for (size_t i = 0; connector_at(i); i++)
        if (str_eq(v, str_of(connector_at(i)->name))) return !(connector_at(i)->capabilities & IN_STATE);
    return false;
}

static bool check_url(struct str v)
{
    return str_starts_nocase(v, STR("https://")) || str_starts_nocase(v, STR("http://"));
}

static bool check_region(struct str v)
{
    return v.n == 2 && v.p[0] >= 'A' && v.p[0] <= 'Z' && v.p[1] >= 'A' && v.p[1] <= 'Z';
}

static bool check_field_type(struct str v)
{
    enum custom_kind kind;
    return config_parse_custom_kind(v, &kind);
}

static bool check_choices(struct str v)
{
    for (struct str rest = v; rest.p;)
        if (!str_trim(str_split(&rest, ',')).n) return false;
    return true;
}

static bool check_side(struct str v)
{
    struct str account, collection;
    return config_split_side(v, &account, &collection) && account.n;
}

static bool check_mode(struct str v)
{
    struct policy p = POLICY_INIT;
    return policy_set_mode(&p, v, STR_NONE);
}

static bool check_import(struct str v)
{
    struct policy p = POLICY_INIT;
    return policy_set_mode(&p, STR("import"), v);
}

static bool check_authority(struct str v)
{
    struct policy p = POLICY_INIT;
    return policy_set_authority(&p, v);
}

static bool check_strategy(struct str v)
{
    struct policy p = POLICY_INIT;
    return policy_set_strategy(&p, v);
}

static bool check_max_delete(struct str v)
{
    struct policy p = POLICY_INIT;
    return policy_set_max_delete(&p, v);
}

#define EXPECTS_DURATION N_("a time like 15m, 1h or 30d")
#define EXPECTS_BOOL N_("yes or no")
#define EXPECTS_PATH N_("the path of a file")
#define EXPECTS_REGION N_("a country in two capital letters, like DE")

#define AT(field) offsetof(struct config, field)
static const struct config_key general[] = {
    {"state", CONFIG_PATH, AT(state), NULL, N_("the path of the state database")},
    {"listen", CONFIG_TEXT, AT(listen), NULL, N_("an address and a port, like 127.0.0.1:8480")},
    {"tls_cert", CONFIG_PATH, AT(tls_cert), NULL, EXPECTS_PATH},
    {"tls_key", CONFIG_PATH, AT(tls_key), NULL, EXPECTS_PATH},
    {"language", CONFIG_TEXT, AT(language), check_language, N_("de or en")},
    {"region", CONFIG_TEXT, AT(region), check_region, EXPECTS_REGION},
    {"jobs", CONFIG_COUNT, AT(jobs), NULL, N_("how many links may run at the same time, 1 to 1000")},
    {"jobs_per_host", CONFIG_COUNT, AT(jobs_per_host), NULL, N_("how many links may run at the same time on one server, 1 to 1000")},
    {"quiet", CONFIG_DURATION, AT(quiet_ms), NULL, EXPECTS_DURATION},
    {"history", CONFIG_DURATION, AT(history_ms), NULL, EXPECTS_DURATION},
    {"tombstone_keep", CONFIG_DURATION, AT(tombstone_keep_ms), NULL, EXPECTS_DURATION},
    {"max_attachment", CONFIG_SIZE, AT(max_attachment_bytes), NULL, N_("a size like 20M")},
    {"max_upload", CONFIG_SIZE, AT(max_upload_bytes), NULL, N_("a size like 20M")},
    {"dav_rate", CONFIG_COUNT, AT(dav_rate), NULL, N_("how many requests a second a user of CardDAV may make on average, 1 to 1000")},
    {"dav_delete_books", CONFIG_BOOL, AT(dav_delete_books), NULL, EXPECTS_BOOL},
    {"directory_claim", CONFIG_BOOL, AT(directory_claim), NULL, EXPECTS_BOOL},
    {"directory_claim_networks", CONFIG_TEXT, AT(directory_claim_networks), network_list_ok, N_("networks like 192.168.0.0/16, fd00::/8")},
    {"directory_columns", CONFIG_PATH, AT(directory_columns), NULL, EXPECTS_PATH},
    {NULL, CONFIG_TEXT, 0, NULL, NULL},
};
#undef AT
#define AT(field) offsetof(struct config_account, field)
static const struct config_key account[] = {
    {"connector", CONFIG_TEXT, AT(connector), check_connector, N_("the name of a connector, like carddav")},
    {"url", CONFIG_TEXT, AT(url), check_url, N_("an address like https://cloud.example.org/")},
    {"user", CONFIG_TEXT, AT(user), NULL, N_("the user's name")},
    {"secret", CONFIG_TEXT, AT(secret), check_secret, N_("stored, file:PATH, command:COMMAND or credential:NAME")},
    {"interval", CONFIG_DURATION, AT(interval_ms), NULL, EXPECTS_DURATION},
    {"enabled", CONFIG_BOOL, AT(enabled), NULL, EXPECTS_BOOL},
    {"ca_file", CONFIG_PATH, AT(ca_file), NULL, EXPECTS_PATH},
    {"region", CONFIG_TEXT, AT(region), check_region, EXPECTS_REGION},
    {"plain_http", CONFIG_BOOL, AT(plain_http), NULL, EXPECTS_BOOL},
    {NULL, CONFIG_TEXT, 0, NULL, NULL},
};
#undef AT
#define AT(field) offsetof(struct config_link, field)
#define EXPECTS_SIDE N_("ACCOUNT:COLLECTION, like contactbox:Customers")
static const struct config_key link_keys[] = {
    {"a", CONFIG_TEXT, AT(a), check_side, EXPECTS_SIDE},
    {"b", CONFIG_TEXT, AT(b), check_side, EXPECTS_SIDE},
    {"mode", CONFIG_TEXT, AT(mode), check_mode, N_("import, one-way or two-way")},
    {"authority", CONFIG_TEXT, AT(authority), check_authority, N_("contactbox, server or neu-anlegen")},
    {"import", CONFIG_TEXT, AT(import), check_import, N_("ergaenzen, aktualisieren or neu-anlegen")},
    {"oneway_enforce", CONFIG_BOOL, AT(oneway_enforce), NULL, EXPECTS_BOOL},
    {"max_delete", CONFIG_TEXT, AT(max_delete), check_max_delete, N_("a number, a share, or both: 25, 10%, 25 10%")},
    {"delete", CONFIG_TEXT, AT(strategy), check_strategy, N_("never, tracked, mirror or wipe")},
    {"filter_category", CONFIG_TEXT, AT(filter.categories), NULL, N_("categories, with commas between them")},
    {"filter_field", CONFIG_TEXT, AT(filter.fields), filter_fields_ok, N_("fields like email, org, name.family, with commas between them")},
    {"filter_phone", CONFIG_BOOL, AT(filter.phone), NULL, EXPECTS_BOOL},
    {"history", CONFIG_DURATION, AT(history_ms), NULL, EXPECTS_DURATION},
    {"interval", CONFIG_DURATION, AT(interval_ms), NULL, EXPECTS_DURATION},
    {"enabled", CONFIG_BOOL, AT(enabled), NULL, EXPECTS_BOOL},
    {NULL, CONFIG_TEXT, 0, NULL, NULL},
};
#undef AT
#define AT(field) offsetof(struct config, report.field)
#define EXPECTS_ADDRESS N_("mail addresses like anna@example.org, with commas between them")
static const struct config_key report[] = {
    {"mail_to", CONFIG_TEXT, AT(mail_to), check_addresses, EXPECTS_ADDRESS},
    {"mail_from", CONFIG_TEXT, AT(mail_from), mail_address_ok, EXPECTS_ADDRESS},
    {"smtp", CONFIG_TEXT, AT(smtp), check_smtp, N_("an address like smtps://mail.example.org or smtp://localhost")},
    {"user", CONFIG_TEXT, AT(user), NULL, N_("the user's name")},
    {"secret", CONFIG_TEXT, AT(secret), check_mail_secret, N_("file:PATH, command:COMMAND or credential:NAME")},
    {"ca_file", CONFIG_PATH, AT(ca_file), NULL, EXPECTS_PATH},
    {"retain", CONFIG_DURATION, AT(retain_ms), NULL, EXPECTS_DURATION},
    {"remind", CONFIG_DURATION, AT(remind_ms), NULL, EXPECTS_DURATION},
    {"gap", CONFIG_DURATION, AT(gap_ms), NULL, EXPECTS_DURATION},
    {NULL, CONFIG_TEXT, 0, NULL, NULL},
};
#undef AT

#define AT(field) offsetof(struct config_field, field)
static const struct config_key field_keys[] = {
    {"label", CONFIG_TEXT, AT(label), NULL, N_("what people call it")},
    {"type", CONFIG_TEXT, AT(type), check_field_type, N_("text, number, date or choice")},
    {"choices", CONFIG_TEXT, AT(choices), check_choices, N_("values with commas between them, like A, B, C")},
    {NULL, CONFIG_TEXT, 0, NULL, NULL},
};
#undef AT

static const struct {
    const char *word;
    const struct config_key *keys;
} kinds[CONFIG_KINDS] = {
    [CONFIG_GENERAL] = {"abgleich", general},
    [CONFIG_ACCOUNT] = {"account", account},
    [CONFIG_LINK] = {"link", link_keys},
    [CONFIG_REPORT] = {"report", report},
    [CONFIG_FIELD] = {"field", field_keys},
};

const struct config_key *config_keys(enum config_kind kind)
{
    return kinds[kind].keys;
}

const char *config_kind_word(enum config_kind kind)
{
    return kinds[kind].word;
}

const struct config_key *config_key(enum config_kind kind, struct str name)
{
    for (const struct config_key *k = kinds[kind].keys; k->name; k++)
        if (str_eq(name, str_of(k->name))) return k;
    return NULL;
}

static const char *path_from(const char *folder, struct str value, struct arena *arena)
{
    if (value.p[0] == '/' || str_find(value, STR("://")) != (size_t)-1) return arena_strdup(arena, value);
    return arena_printf(arena, "%s/%.*s", folder, STR_ARG(value));
}

static bool set_count(int64_t *out, struct str value)
{
    long long n;
    if (!str_to_int64(value, &n) || n < 1 || n > 1000) return false;
    *out = n;
    return true;
}

bool config_key_set(const struct config_key *key, void *section, struct str value, const char *folder,
                    struct arena *arena)
{
    void *at = (char *)section + key->offset;
    if (!value.n || (key->check && !key->check(value))) return false;
    switch (key->type) {
    case CONFIG_TEXT:
        *(const char **)at = arena_strdup(arena, value);
        return true;
    case CONFIG_PATH:
        *(const char **)at = path_from(folder, value, arena);
        return true;
    case CONFIG_DURATION:
        return config_parse_duration(value, at);
    case CONFIG_SIZE:
        return config_parse_size(value, at);
    case CONFIG_COUNT:
        return set_count(at, value);
    case CONFIG_BOOL:
        return config_parse_bool(value, at);
    }
    return false;
}

bool config_key_print(const struct config_key *key, const void *section, struct buf *out)
{
    const void *at = (const char *)section + key->offset;
    switch (key->type) {
    case CONFIG_TEXT:
    case CONFIG_PATH:
        if (!*(const char *const *)at) return false;
        buf_adds(out, *(const char *const *)at);
        return true;
    case CONFIG_DURATION:
        config_print_duration(*(const int64_t *)at, out);
        return true;
    case CONFIG_SIZE:
        config_print_size(*(const int64_t *)at, out);
        return true;
    case CONFIG_COUNT:
        buf_addf(out, "%" PRId64, *(const int64_t *)at);
        return true;
    case CONFIG_BOOL:
        buf_adds(out, *(const bool *)at ? "yes" : "no");
        return true;
    }
    return false;
}

static enum fault_code unknown_key(enum config_kind kind, struct str name, const char *what, struct fault *f)
{
    struct suggestion s = {.wanted = name};
    struct buf all AUTO_BUF = BUF_INIT;
    for (const struct config_key *k = kinds[kind].keys; k->name; k++) {
        suggest_word(&s, k->name);
        buf_addf(&all, "%s%s", all.len ? ", " : "", k->name);
    }
    struct buf advice AUTO_BUF = BUF_INIT;
    if (s.best)
        buf_addf(&advice, _("did you mean \"%s\"?"), s.best);
    else
        buf_addf(&advice, _("there are: %s"), buf_cstr(&all));
    return fault_set(f, FAULT_CONFIG, buf_cstr(&advice), _("%s%s[%s] has no key \"%.*s\""), what ? what : "",
                     what ? ": " : "", kinds[kind].word, STR_ARG(name));
}

const struct setting_kind *config_setting(struct str name, bool table)
{
    for (size_t i = 0; connector_at(i); i++) {
        const struct setting_kind *k = connector_setting(connector_at(i), name);
        if (k && k->table == table) return k;
    }
    return NULL;
}

enum fault_code config_setting_check(const struct setting_kind *kind, struct str value, const char *what, struct fault *f)
{
    if (value.n && (!kind->check || kind->check(value))) return FAULT_NONE;
    struct buf advice AUTO_BUF = BUF_INIT;
    buf_addf(&advice, _("write %s"), _(kind->expects));
    return fault_set(f, FAULT_CONFIG, buf_cstr(&advice), _("%s%s\"%.*s\" is no value for %s"), what ? what : "", what ? ": " : "",
                     STR_ARG(value), kind->key);
}

enum fault_code config_key_check(enum config_kind kind, struct str name, struct str value, const char *what,
                                 struct fault *f)
{
    const struct config_key *key = config_key(kind, name);
    const struct setting_kind *setting = key || kind != CONFIG_ACCOUNT ? NULL : config_setting(name, false);
    if (setting) return config_setting_check(setting, value, what, f);
    if (!key) return unknown_key(kind, name, what, f);
    struct arena scratch AUTO_ARENA = ARENA_INIT;
    union {
        struct config general;
        struct config_account account;
        struct config_link link;
        struct config_field field;
    } section;
    memset(&section, 0, sizeof section);
    if (config_key_set(key, &section, value, ".", &scratch)) return FAULT_NONE;
    struct buf advice AUTO_BUF = BUF_INIT;
    buf_addf(&advice, _("write %s"), _(key->expects));
    return fault_set(f, FAULT_CONFIG, buf_cstr(&advice), _("%s%s\"%.*s\" is no value for %s"), what ? what : "",
                     what ? ": " : "", STR_ARG(value), key->name);
}

bool config_name_ok(struct str name)
{
    if (!name.n || name.n > CONFIG_NAME_MAX_BYTES || name.p[0] == '.' || name.p[0] == '-') return false;
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
        if (!letter && !strchr("._-", c)) return false;
    }
    return true;
}
