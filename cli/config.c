#include "cli/config.h"

#include "base/i18n.h"
#include "base/mem.h"
#include "cli/config_keys.h"
#include "cli/config_loop.h"
#include "cli/custom_field.h"
#include "cli/file.h"
#include "cli/ini_file.h"
#include "cli/suggest.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#define SYSTEM_PATH "/etc/abgleich/abgleich.ini"
#define DEFAULT_INTERVAL_MS (15 * 60 * (int64_t)1000)
#define UNSET_MS (-1)

/* One file being read into the configuration. */
struct loading {
    struct config *config;
    const char *file;
    char *folder;          /* relative paths start here: the main file's folder */
    enum config_kind kind; /* of the section under way */
    void *section;         /* its struct; NULL before the first */
    const struct setting_kind *table; /* the section is one of a connector's own; section is the account */
    uint64_t seen;         /* keys of the section given so far in this file, by row */
};

static char *user_folder(const char *variable, const char *below_home)
{
    const char *base = getenv(variable);
    const char *home = getenv("HOME");
    struct buf path = BUF_INIT;
    if (base && *base)
        buf_addf(&path, "%s/abgleich", base);
    else
        buf_addf(&path, "%s/%s/abgleich", home && *home ? home : ".", below_home);
    return buf_detach(&path);
}

char *config_default_path(void)
{
    if (access(SYSTEM_PATH, R_OK) == 0) return mem_strdup(SYSTEM_PATH);
    char *folder AUTO_FREE = user_folder("XDG_CONFIG_HOME", ".config");
    struct buf path = BUF_INIT;
    buf_addf(&path, "%s/abgleich.ini", folder);
    return buf_detach(&path);
}

static const char *default_state(struct config *c)
{
    if (strcmp(c->path, SYSTEM_PATH) == 0) return "/var/lib/abgleich/state.db";
    char *folder AUTO_FREE = user_folder("XDG_STATE_HOME", ".local/state");
    return arena_printf(&c->arena, "%s/state.db", folder);
}

/* A struct of `size` bytes more at the end of an array in the arena, which doubles: what it leaves behind is no more than it holds. */
static void *grow(struct arena *arena, void *array, size_t *n, size_t size)
{
    size_t have = (*n)++;
    if (have & (have - 1)) return array; /* has room up to the next power of two */
    char *bigger = arena_zalloc(arena, (have ? 2 * have : 1) * size);
    if (have) memcpy(bigger, array, have * size);
    return bigger;
}

static struct config_account *account_section(struct config *c, struct str name, struct config_place place)
{
    for (size_t i = 0; i < c->n_accounts; i++)
        if (str_eq(name, str_of(c->accounts[i].name))) return &c->accounts[i];
    c->accounts = grow(&c->arena, c->accounts, &c->n_accounts, sizeof *c->accounts);
    struct config_account *a = &c->accounts[c->n_accounts - 1];
    *a = (struct config_account){
        .name = arena_strdup(&c->arena, name), .place = place, .interval_ms = DEFAULT_INTERVAL_MS, .enabled = true};
    return a;
}

static struct config_link *link_section(struct config *c, struct str name, struct config_place place)
{
    for (size_t i = 0; i < c->n_links; i++)
        if (str_eq(name, str_of(c->links[i].name))) return &c->links[i];
    c->links = grow(&c->arena, c->links, &c->n_links, sizeof *c->links);
    struct config_link *l = &c->links[c->n_links - 1];
    *l = (struct config_link){.name = arena_strdup(&c->arena, name),
                              .place = place,
                              .history_ms = UNSET_MS,
                              .interval_ms = UNSET_MS,
                              .enabled = true};
    return l;
}

static struct config_field *field_section(struct config *c, struct str name, struct config_place place)
{
    const struct config_field *known = custom_field(c, name);
    if (known) return &c->fields[known - c->fields];
    c->fields = grow(&c->arena, c->fields, &c->n_fields, sizeof *c->fields);
    struct config_field *field = &c->fields[c->n_fields - 1];
    *field = (struct config_field){.name = arena_strdup(&c->arena, name), .place = place};
    return field;
}

static enum fault_code unknown_section(const struct loading *l, struct str name, unsigned line, struct fault *f)
{
    struct str rest = name, word = str_split(&rest, ' ');
    struct suggestion s = {.wanted = word};
    for (int k = 0; k < CONFIG_KINDS; k++) suggest_word(&s, config_kind_word((enum config_kind)k));
    struct buf advice AUTO_BUF = BUF_INIT;
    if (s.best)
        buf_addf(&advice, _("did you mean \"%s\"?"), s.best);
    else
        buf_adds(&advice, _("there are: [abgleich], [report], [account NAME], [link NAME], [field NAME]"));
    return fault_set(f, FAULT_CONFIG, buf_cstr(&advice), _("%s:%u: there is no section [%.*s]"), l->file, line,
                     STR_ARG(name));
}

static enum fault_code bad_name(const struct loading *l, struct str name, unsigned line, struct fault *f)
{
    return fault_set(f, FAULT_CONFIG, _("use letters, digits, dots, _ and -; \"contactbox\" is taken"),
                     _("%s:%u: \"%.*s\" cannot be a name"), l->file, line, STR_ARG(name));
}

static enum fault_code bad_field_name(const struct loading *l, struct str name, unsigned line, struct fault *f)
{
    return fault_set(f, FAULT_CONFIG, _("use letters a to z, digits and -, and no name of a field that every contact has"),
                     _("%s:%u: \"%.*s\" cannot be the name of a field"), l->file, line, STR_ARG(name));
}

static void add_setting(struct config *c, struct config_account *a, const struct setting_kind *kind, struct str name, struct str value)
{
    a->settings = grow(&c->arena, a->settings, &a->n_settings, sizeof *a->settings);
    a->settings[a->n_settings - 1] = (struct setting){
        .key = kind->key, .name = name.p ? arena_strdup(&c->arena, name) : NULL, .value = arena_strdup(&c->arena, value)};
}

/* A section that is begun again (a drop-in) takes over what it names, as everywhere. */
static enum fault_code take_setting(struct loading *l, const struct setting_kind *kind, struct str name, struct str value,
                                    const char *where, struct fault *f)
{
    struct config_account *a = l->section;
    enum fault_code code = config_setting_check(kind, value, where, f);
    if (code) return code;
    for (size_t i = 0; i < a->n_settings; i++) {
        struct setting *s = &a->settings[i];
        if (strcmp(s->key, kind->key) != 0 || (name.p && !str_eq(name, str_of(s->name)))) continue;
        s->value = arena_strdup(&l->config->arena, value);
        return FAULT_NONE;
    }
    add_setting(l->config, a, kind, name, value);
    return FAULT_NONE;
}

static enum fault_code take_section(void *ctx, struct str name, unsigned line, struct fault *f)
{
    struct loading *l = ctx;
    struct str rest = name, word = str_split(&rest, ' ');
    rest = str_trim(rest);
    struct config_place place = {l->file, line};
    l->seen = 0;
    l->table = config_setting(word, true);
    if (str_eq(name, STR("abgleich")) || str_eq(name, STR("report"))) { /* offsets of both are of the whole configuration */
        l->kind = str_eq(name, STR("report")) ? CONFIG_REPORT : CONFIG_GENERAL;
        l->section = l->config;
        return FAULT_NONE;
    }
    if (str_eq(word, STR("field"))) {
        if (!custom_field_name_ok(rest)) return bad_field_name(l, rest, line, f);
        l->kind = CONFIG_FIELD;
        l->section = field_section(l->config, rest, place);
        return FAULT_NONE;
    }
    bool account = l->table || str_eq(word, STR("account")), link = str_eq(word, STR("link"));
    if (!account && !link) return unknown_section(l, name, line, f);
    if (!config_name_ok(rest) || (account && (str_eq(rest, STR(CONFIG_STORE)) || str_eq(rest, STR(CONFIG_PHONEBOOKS))))) return bad_name(l, rest, line, f);
    l->kind = account ? CONFIG_ACCOUNT : CONFIG_LINK;
    l->section =
        account ? (void *)account_section(l->config, rest, place) : (void *)link_section(l->config, rest, place);
    return FAULT_NONE;
}

static enum fault_code take_value(void *ctx, struct str name, struct str value, unsigned line, struct fault *f)
{
    struct loading *l = ctx;
    struct config *c = l->config;
    if (!l->section)
        return fault_set(f, FAULT_CONFIG, _("begin with [abgleich]"), _("%s:%u: this stands before the first section"),
                         l->file, line);
    char *where = arena_printf(&c->arena, "%s:%u", l->file, line);
    if (l->table) return take_setting(l, l->table, name, value, where, f);
    enum fault_code code = config_key_check(l->kind, name, value, where, f);
    if (code) return code;
    if (!config_key(l->kind, name)) return take_setting(l, config_setting(name, false), STR_NONE, value, where, f);
    const struct config_key *key = config_key(l->kind, name);
    uint64_t bit = UINT64_C(1) << (key - config_keys(l->kind));
    if (l->seen & bit)
        return fault_set(f, FAULT_CONFIG, _("keep one of the two"), _("%s: %s is given twice"), where, key->name);
    l->seen |= bit;
    config_key_set(key, l->section, value, l->folder, &c->arena);
    return FAULT_NONE;
}

static enum fault_code read_file(struct config *c, const char *path, struct fault *f)
{
    char *folder AUTO_FREE = file_folder(c->path);
    struct loading l = {.config = c, .file = arena_strdup(&c->arena, str_of(path)), .folder = folder};
    struct ini_sink sink = {&l, take_section, take_value};
    return ini_file_read(path, &sink, f);
}

static int is_drop_in(const struct dirent *e)
{
    return e->d_name[0] != '.' && str_ends(str_of(e->d_name), STR(".ini"));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum fault_code read_drop_ins(struct config *c, struct fault *f)
{
    char *folder AUTO_FREE = file_folder(c->path);
    char *conf_d = arena_printf(&c->arena, "%s/conf.d", folder);
    struct dirent **names = NULL;
    int n = scandir(conf_d, &names, is_drop_in, by_name);
    enum fault_code code = FAULT_NONE;
    for (int i = 0; i < n; i++) {
        if (!code) code = read_file(c, arena_printf(&c->arena, "%s/%s", conf_d, names[i]->d_name), f);
        free(names[i]);
    }
    free(names);
    return code;
}

/* -- what only the whole can tell -- */

static enum fault_code wrong(struct config_place place, const char *section, const char *name, const char *advice,
                             const char *what, struct fault *f)
{
    return fault_set(f, FAULT_CONFIG, advice, "%s:%u: [%s %s]: %s", place.file, place.line, section, name, what);
}

static enum fault_code finish_account(struct config *c, struct config_account *a, struct fault *f)
{
    if (!a->connector)
        return wrong(a->place, "account", a->name, _("add one, like \"connector = carddav\""), _("no connector"), f);
    const struct connector *connector = connector_by_name(a->connector);
    for (size_t i = 0; i < a->n_settings; i++) {
        const struct setting_kind *kind = connector_setting(connector, str_of(a->settings[i].key));
        if (kind) continue;
        const char *what = arena_printf(&c->arena, _("%s is no setting of connector \"%s\""), a->settings[i].key, a->connector);
        return wrong(a->place, "account", a->name, _("take it out, or name the right connector"), what, f);
    }
    if (!a->region) a->region = c->region;
    return FAULT_NONE;
}

static enum fault_code finish_side(const struct config *c, const struct config_link *l, const char *text, char letter,
                                   const struct config_account **account, const char **collection, struct fault *f)
{
    if (!text) {
        char what[] = "? = ACCOUNT:COLLECTION";
        what[0] = letter;
        return wrong(l->place, "link", l->name, what, _("one side is missing"), f);
    }
    const char *colon = strchr(text, ':');
    char *name AUTO_FREE = mem_strndup(text, (size_t)(colon - text));
    struct fault why AUTO_FAULT = FAULT_INIT;
    *collection = colon + 1;
    *account = config_account_must(c, name, &why);
    return *account ? FAULT_NONE : wrong(l->place, "link", l->name, why.advice, why.what, f);
}

/* What it does not find in the list of one link it deletes, also what another link brought. */
static bool takes_lists(const struct config_account *a)
{
    const struct connector *connector = connector_by_name(a->connector);
    return connector && connector->push;
}

static bool takes_only(const struct config_account *a)
{
    const struct connector *connector = connector_by_name(a->connector);
    return connector && (connector->capabilities & TARGET_ONLY);
}

static enum fault_code check_one_list(const struct config *c, const struct config_link *l, struct fault *f)
{
    for (const struct config_link *other = c->links; other < l; other++)
        if (other->account_b == l->account_b && takes_lists(l->account_b))
            return wrong(l->place, "link", l->name, _("send one list: join both in one book"),
                         _("another link sends its list there, and each would delete what the other one brought"), f);
    return FAULT_NONE;
}

static enum fault_code finish_policy(const struct config *c, struct config_link *l, struct fault *f)
{
    l->policy = (struct policy)POLICY_INIT;
    struct str mode = str_of(l->mode ? l->mode : "two-way");
    if (!policy_set_mode(&l->policy, mode, str_of(l->import)))
        return wrong(l->place, "link", l->name, _("import goes with mode = import only"),
                     _("mode and import contradict each other"), f);
    if (takes_lists(l->account_a))
        return wrong(l->place, "link", l->name, _("make it side b"), _("nothing can be read from there"), f);
    if (takes_lists(l->account_b) && l->policy.mode != MODE_ONE_WAY)
        return wrong(l->place, "link", l->name, _("set mode = one-way"), _("it only takes lists, nothing can be read from there"), f);
    if (takes_only(l->account_a))
        return wrong(l->place, "link", l->name, _("make it side b"), _("a phonebook is no source of a link"), f);
    if (takes_only(l->account_b) && l->policy.mode != MODE_ONE_WAY)
        return wrong(l->place, "link", l->name, _("set mode = one-way"), _("a phonebook only takes contacts in"), f);
    if (l->authority) policy_set_authority(&l->policy, str_of(l->authority));
    if (l->strategy && l->policy.mode != MODE_ONE_WAY)
        return wrong(l->place, "link", l->name, _("leave it out, or set mode = one-way"), _("delete goes with mode = one-way only"), f);
    if (l->strategy) policy_set_strategy(&l->policy, str_of(l->strategy));
    if (l->max_delete) policy_set_max_delete(&l->policy, str_of(l->max_delete));
    l->policy.enforces = l->oneway_enforce;
    bool store = config_is_built_in(l->account_a) || config_is_built_in(l->account_b);
    if (l->history_ms == UNSET_MS) l->history_ms = store ? c->history_ms : 0;
    l->policy.history = l->history_ms > 0;
    if (l->interval_ms == UNSET_MS) l->interval_ms = config_link_remote(l)->interval_ms;
    return FAULT_NONE;
}

static void hash_text(struct digest *d, const char *text)
{
    digest_str(d, str_of(text ? text : ""));
}

static void hash_settings(struct config_link *l)
{
    struct digest d;
    digest_init(&d);
    const struct config_account *accounts[] = {l->account_a, l->account_b};
    const char *collections[] = {l->collection_a, l->collection_b};
    for (int s = 0; s < 2; s++) {
        hash_text(&d, accounts[s]->connector);
        hash_text(&d, accounts[s]->url);
        hash_text(&d, accounts[s]->user);
        hash_text(&d, collections[s]);
    }
    if (filter_is_set(&l->filter)) { /* (no filter: as it always was) */
        hash_text(&d, l->filter.categories);
        hash_text(&d, l->filter.fields);
        hash_text(&d, l->filter.phone ? "phone" : "");
    }
    digest_hex(&d, l->settings_hash);
}

static enum fault_code finish_link(const struct config *c, struct config_link *l, struct fault *f)
{
    enum fault_code code = finish_side(c, l, l->a, 'a', &l->account_a, &l->collection_a, f);
    if (!code) code = finish_side(c, l, l->b, 'b', &l->account_b, &l->collection_b, f);
    if (!code && l->account_a == l->account_b && strcmp(l->collection_a, l->collection_b) == 0)
        code = wrong(l->place, "link", l->name, _("name two different collections"), _("both sides are the same"), f);
    if (!code) code = finish_policy(c, l, f);
    if (!code) code = check_one_list(c, l, f);
    if (!code) hash_settings(l);
    return code;
}

static enum fault_code finish_field(struct config_field *field, struct fault *f)
{
    if (!field->label) field->label = field->name;
    if (field->type) config_parse_custom_kind(str_of(field->type), &field->kind);
    if ((field->kind == CUSTOM_CHOICE) == (field->choices != NULL)) return FAULT_NONE;
    return wrong(field->place, "field", field->name, _("type = choice and choices = A, B, C belong together"),
                 field->choices ? _("choices without type = choice") : _("no choices"), f);
}

static enum fault_code finish(struct config *c, struct fault *f)
{
    enum fault_code code = FAULT_NONE;
    if (!c->state) {
        c->state = default_state(c);
        c->state_is_default = true;
    }
    c->store =
        (struct config_account){.name = CONFIG_STORE, .connector = CONFIG_STORE, .region = c->region, .enabled = true};
    c->phonebooks = (struct config_account){.name = CONFIG_PHONEBOOKS,
                                            .connector = "phonebook",
                                            .region = c->region,
                                            .interval_ms = DEFAULT_INTERVAL_MS,
                                            .enabled = true};
    if (!c->tls_cert != !c->tls_key)
        return fault_set(f, FAULT_CONFIG, _("give both or none"), _("%s: tls_cert and tls_key belong together"),
                         c->path);
    for (size_t i = 0; i < c->n_fields && !code; i++) code = finish_field(&c->fields[i], f);
    for (size_t i = 0; i < c->n_accounts && !code; i++) code = finish_account(c, &c->accounts[i], f);
    for (size_t i = 0; i < c->n_links && !code; i++) code = finish_link(c, &c->links[i], f);
    if (!code) code = config_check_loops(c, f);
    return code;
}

enum fault_code config_load(const char *path, bool required, struct config **out, struct fault *f)
{
    struct config *c = mem_calloc(1, sizeof *c);
    c->path = arena_strdup(&c->arena, str_of(path));
    c->region = "DE";
    c->jobs = 32;
    c->jobs_per_host = 4;
    c->quiet_ms = 5 * 1000;
    c->history_ms = 30 * CONFIG_DAY_MS;
    c->max_upload_bytes = 16 << 20;
    c->dav_rate = 1000;
    c->max_attachment_bytes = 20 << 20;
    c->tombstone_keep_ms = 180 * CONFIG_DAY_MS;
    c->report = (struct config_report){
        .smtp = "smtp://localhost", .retain_ms = 90 * CONFIG_DAY_MS, .remind_ms = 7 * CONFIG_DAY_MS, .gap_ms = CONFIG_DAY_MS / 24};
    struct fault why AUTO_FAULT = FAULT_INIT;
    enum fault_code code = read_file(c, path, &why);
    if (code == FAULT_GONE && !required) code = FAULT_NONE;
    if (code == FAULT_GONE)
        code = fault_set(f, FAULT_CONFIG, _("create it, or name another with -c"), "%s", why.what);
    else if (code)
        fault_copy(f, &why);
    if (!code) code = read_drop_ins(c, f);
    if (!code) code = finish(c, f);
    *out = code ? NULL : c;
    if (code) config_free(c);
    return code;
}

void config_free(struct config *c)
{
    if (!c) return;
    arena_free(&c->arena);
    free(c);
}

/* -- looking things up -- */

const struct config_account *config_account(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->n_accounts; i++)
        if (strcmp(c->accounts[i].name, name) == 0) return &c->accounts[i];
    return strcmp(name, CONFIG_STORE) == 0        ? &c->store
           : strcmp(name, CONFIG_PHONEBOOKS) == 0 ? &c->phonebooks
                                                  : NULL;
}

const struct config_link *config_link(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->n_links; i++)
        if (strcmp(c->links[i].name, name) == 0) return &c->links[i];
    return NULL;
}

static void explain_missing(const struct suggestion *s, const char *otherwise, struct buf *advice)
{
    if (s->best)
        buf_addf(advice, _("did you mean \"%s\"?"), s->best);
    else
        buf_adds(advice, otherwise);
}

const struct config_account *config_account_must(const struct config *c, const char *name, struct fault *f)
{
    const struct config_account *a = config_account(c, name);
    if (a) return a;
    struct suggestion s = {.wanted = str_of(name)};
    suggest_word(&s, CONFIG_STORE);
    suggest_word(&s, CONFIG_PHONEBOOKS);
    for (size_t i = 0; i < c->n_accounts; i++) suggest_word(&s, c->accounts[i].name);
    struct buf advice AUTO_BUF = BUF_INIT;
    explain_missing(&s, _("\"abgleich account list\" shows those there are"), &advice);
    fault_set(f, FAULT_CONFIG, buf_cstr(&advice), _("there is no account \"%s\""), name);
    return NULL;
}

const struct config_link *config_link_must(const struct config *c, const char *name, struct fault *f)
{
    const struct config_link *l = config_link(c, name);
    if (l) return l;
    struct suggestion s = {.wanted = str_of(name)};
    for (size_t i = 0; i < c->n_links; i++) suggest_word(&s, c->links[i].name);
    struct buf advice AUTO_BUF = BUF_INIT;
    explain_missing(&s, _("\"abgleich link list\" shows those there are"), &advice);
    fault_set(f, FAULT_CONFIG, buf_cstr(&advice), _("there is no link \"%s\""), name);
    return NULL;
}

bool config_is_store(const struct config_account *a)
{
    return strcmp(a->name, CONFIG_STORE) == 0;
}

bool config_is_built_in(const struct config_account *a)
{
    return config_is_store(a) || strcmp(a->name, CONFIG_PHONEBOOKS) == 0;
}

const struct config_account *config_link_remote(const struct config_link *l)
{
    return config_is_built_in(l->account_b) && !config_is_built_in(l->account_a) ? l->account_a : l->account_b;
}

bool config_link_is_on(const struct config_link *l)
{
    return l->enabled && l->account_a->enabled && l->account_b->enabled;
}

bool config_split_side(struct str text, struct str *account, struct str *collection)
{
    size_t colon = str_find(text, STR(":"));
    if (colon == (size_t)-1) return false;
    *account = (struct str){text.p, colon};
    *collection = (struct str){text.p + colon + 1, text.n - colon - 1};
    return true;
}
