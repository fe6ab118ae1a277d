#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/graph_session.h"
#include "connectors/registry.h"
#include "connectors/url.h"

#include <stdlib.h>

#define FOLDER_FIELDS "?$select=id,displayName,parentFolderId&$top=100"
#define FOLDERS_MAX 2000
#define TRAIT_DEFAULT "default folder"

/* -- settings -- */

static bool check_bool(struct str v)
{
    return str_eq(v, STR("yes")) || str_eq(v, STR("no"));
}

static bool check_limit(struct str v)
{
    return str_eq(v, STR("app")) || str_eq(v, STR("mailbox"));
}

static const struct setting_kind settings[] = {
    {"carry", false, check_bool, N_("yes or no")},
    {"graph.mailbox", false, NULL, N_("the address of a mailbox that the user may open")},
    {"graph.limit", false, check_limit, N_("app or mailbox")},
    {NULL, false, NULL, NULL},
};

static bool is_set_to(const struct account *account, const char *key, const char *value)
{
    const char *set = account_setting(account, key);
    return set && strcmp(set, value) == 0;
}

/* -- sessions -- */

/* "https://graph.microsoft.com/" or ".../v1.0" to ".../v1.0". */
static char *base_of(const struct account *account)
{
    const char *url = account->url && *account->url ? account->url : oauth_service(account);
    struct str address = str_trim(str_of(url));
    struct buf out AUTO_BUF = BUF_INIT;
    while (address.n && address.p[address.n - 1] == '/') address.n--;
    buf_addf(&out, "%.*s%s", STR_ARG(address), str_ends(address, STR("/v1.0")) ? "" : "/v1.0");
    return buf_detach(&out);
}

/* An application has no "me"; a person has, and may be let into other mailboxes (1). */
static char *mailbox_of(const struct account *account)
{
    const char *other = account_setting(account, "graph.mailbox");
    const char *user = other ? other : is_set_to(account, "oauth.flow", "client") ? account->user : NULL;
    struct buf out AUTO_BUF = BUF_INIT;
    if (!user) return mem_strdup("/me");
    buf_adds(&out, "/users/");
    url_encode(str_of(user), &out);
    return buf_detach(&out);
}

/* Who shares the four places: all that use one application, or one mailbox of it. */
static char *places_of(const struct account *account, const char *base)
{
    const char *client = account_setting(account, "oauth.client_id");
    struct buf out AUTO_BUF = BUF_INIT;
    buf_addf(&out, "graph %s %s", base, client ? client : "-");
    if (is_set_to(account, "graph.limit", "mailbox")) buf_addf(&out, " %s", account->user ? account->user : "-");
    return buf_detach(&out);
}

static enum fault_code graph_open(const struct account *account, struct traits *traits, struct env *env,
                                  struct session **out, struct fault *f)
{
    if (is_set_to(account, "oauth.flow", "client") && !account->user && !account_setting(account, "graph.mailbox"))
        return fault_set(f, FAULT_CONFIG, _("write user = ADDRESS into the account's section"),
                         _("an application has no mailbox of its own: whose contacts are they?"));
    struct session *s = mem_calloc(1, sizeof *s);
    s->account = account;
    s->traits = traits;
    s->env = env;
    s->base = base_of(account);
    s->mailbox = mailbox_of(account);
    s->places = places_of(account, s->base);
    s->carry = is_set_to(account, "carry", "yes");
    s->has_delta = str_find(str_of(s->base), STR(".chinacloudapi.cn/")) == (size_t)-1; /* none there for contacts (1) */
    s->bare = json_object();
    s->deleted = json_object();
    s->doubles = json_object();
    struct http_settings http = {.ca_file = account->ca_file,
                                 .gate = account->gate,
                                 .env = env,
                                 .bearer = oauth_is_used(account) ? NULL : account->password};
    if (oauth_is_used(account)) s->oauth = oauth_open(account, env);
    s->http = http_open(&http);
    *out = s;
    return FAULT_NONE;
}

static void folders_free(struct session *s)
{
    for (size_t i = 0; i < s->n_folders; i++) {
        free(s->folders[i].id);
        free(s->folders[i].name);
        free(s->folders[i].parent);
    }
    free(s->folders);
    s->folders = NULL;
    s->n_folders = 0;
}

static void graph_close(struct session *s)
{
    if (!s) return;
    if (s->account->gate) gate_forget(s->account->gate, &s->visitor);
    http_close(s->http);
    oauth_close(s->oauth);
    folders_free(s);
    json_decref(s->bare);
    json_decref(s->deleted);
    json_decref(s->doubles);
    json_decref(s->scanned);
    free(s->about.name);
    free(s->about.path);
    free(s->path);
    free(s->default_id);
    free(s->base);
    free(s->mailbox);
    free(s->places);
    free(s);
}

/* -- addresses -- */

void graph_add_contact(const struct session *s, struct str id, struct buf *out)
{
    buf_addf(out, "%s/contacts/", s->mailbox);
    url_encode(id, out);
}

void graph_add_contacts(struct session *s, const char *path, struct buf *out)
{
    bool is_default = strcmp(path, GRAPH_DEFAULT) == 0;
    const char *id = is_default ? s->default_id : path;
    buf_adds(out, s->mailbox);
    if (id && *id) {
        buf_adds(out, "/contactFolders/");
        url_encode(str_of(id), out);
    }
    buf_adds(out, "/contacts");
}

void graph_add_select(const struct session *s, struct buf *out)
{
    struct buf tags AUTO_BUF = BUF_INIT;
    buf_adds(out, "?$select=");
    graph_fields(out);
    if (!s->carry) return;
    buf_adds(out, "&$expand=singleValueExtendedProperties($filter=");
    graph_tags(&tags);
    url_encode(buf_str(&tags), out);
    buf_addc(out, ')');
}

/* -- folders -- */

static const char *text_of(const json_t *object, const char *member)
{
    return json_string_value(json_object_get(object, member));
}

static bool is_known_folder(const struct session *s, const char *id)
{
    for (size_t i = 0; i < s->n_folders; i++)
        if (strcmp(s->folders[i].id, id) == 0) return true;
    return false;
}

static void add_folders(struct session *s, const json_t *page)
{
    const json_t *list = json_object_get(page, "value");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *folder = json_array_get(list, i);
        const char *id = text_of(folder, "id"), *name = text_of(folder, "displayName"),
                   *parent = text_of(folder, "parentFolderId");
        if (!id || is_known_folder(s, id)) continue;
        s->folders = mem_realloc(s->folders, (s->n_folders + 1) * sizeof *s->folders);
        s->folders[s->n_folders++] =
            (struct graph_folder){mem_strdup(id), mem_strdup(name ? name : id), mem_strdup(parent)};
    }
}

/* The pages of a listing of folders from an address on. */
static enum fault_code read_folders(struct session *s, const char *url, struct fault *f)
{
    struct buf next AUTO_BUF = BUF_INIT;
    buf_adds(&next, url);
    while (next.len) {
        struct graph_call c AUTO_CALL = {.method = "GET", .url = buf_cstr(&next)};
        enum fault_code code = graph_do(s, &c, f);
        if (code) return code;
        size_t before = s->n_folders;
        add_folders(s, c.answer);
        const char *link = text_of(c.answer, "@odata.nextLink");
        char *copy AUTO_FREE = mem_strdup(link);
        buf_reset(&next);
        if (copy && s->n_folders > before && s->n_folders < FOLDERS_MAX) buf_adds(&next, copy);
    }
    return FAULT_NONE;
}

/* What lies in the folders from `first` on, which are all of one depth: a batch of questions. */
static enum fault_code read_children(struct session *s, size_t first, size_t last, struct fault *f)
{
    size_t n = last - first;
    struct graph_part *parts AUTO_FREE = mem_calloc(n + 1, sizeof *parts);
    for (size_t i = 0; i < n; i++) {
        struct buf url AUTO_BUF = BUF_INIT;
        buf_addf(&url, "%s/contactFolders/", s->mailbox);
        url_encode(str_of(s->folders[first + i].id), &url);
        buf_adds(&url, "/childFolders" FOLDER_FIELDS);
        parts[i] = (struct graph_part){.method = "GET", .url = buf_detach(&url)};
    }
    enum fault_code code = graph_batch(s, parts, n, f);
    for (size_t i = 0; i < n && !code; i++) {
        const char *link = text_of(parts[i].answer, "@odata.nextLink");
        if (parts[i].code == FAULT_GONE) continue;
        code = parts[i].code;
        if (code) fault_copy(f, &parts[i].fault);
        if (!code) add_folders(s, parts[i].answer);
        if (!code && link) code = read_folders(s, link, f);
    }
    graph_parts_free(parts, n);
    return code;
}

enum fault_code graph_know_folders(struct session *s, struct fault *f)
{
    struct buf url AUTO_BUF = BUF_INIT;
    if (s->folders_known) return FAULT_NONE;
    folders_free(s);
    buf_addf(&url, "%s/contactFolders" FOLDER_FIELDS, s->mailbox);
    enum fault_code code = read_folders(s, buf_cstr(&url), f);
    size_t top = s->n_folders;
    for (size_t done = 0; !code && done < s->n_folders && s->n_folders < FOLDERS_MAX;) {
        size_t last = s->n_folders;
        code = read_children(s, done, last, f);
        done = last;
    }
    if (code) return code;
    s->folders_known = true;
    if (top && s->folders[0].parent && !s->default_id) s->default_id = mem_strdup(s->folders[0].parent);
    return FAULT_NONE;
}

/* -- the default folder's id: the parent of what lies in it (2) -- */

static enum fault_code ask_id(struct session *s, const char *url, bool of_contact, char **out, struct fault *f)
{
    struct graph_call c AUTO_CALL = {.method = "GET", .url = url};
    enum fault_code code = graph_do(s, &c, f);
    const json_t *first = of_contact ? json_array_get(json_object_get(c.answer, "value"), 0) : c.answer;
    const char *id = text_of(first, of_contact ? "parentFolderId" : "id");
    if (!code && id) *out = mem_strdup(id);
    return code;
}

enum fault_code graph_know_default(struct session *s, struct fault *f)
{
    struct buf url AUTO_BUF = BUF_INIT;
    if (s->default_id) return FAULT_NONE;
    s->default_id = s->traits->get(s->traits, TRAIT_DEFAULT);
    if (s->default_id) return FAULT_NONE;
    buf_addf(&url, "%s/contacts?$select=id,parentFolderId&$top=1", s->mailbox);
    enum fault_code code = ask_id(s, buf_cstr(&url), true, &s->default_id, f);
    if (!code && !s->default_id) code = graph_know_folders(s, f);
    if (code) return code;
    if (!s->default_id) { /* an empty mailbox; the name is not known everywhere */
        struct fault ignored AUTO_FAULT = FAULT_INIT;
        buf_reset(&url);
        buf_addf(&url, "%s/contactFolders/contacts?$select=id", s->mailbox);
        code = ask_id(s, buf_cstr(&url), false, &s->default_id, &ignored);
        if (code > FAULT_COLLECTION_LAST) {
            if (f) fault_copy(f, &ignored);
            return code;
        }
    }
    if (s->default_id)
        s->traits->set(s->traits, TRAIT_DEFAULT, s->default_id);
    else
        s->default_id = mem_strdup("");
    return FAULT_NONE;
}

void graph_learn_default(struct session *s, const char *id)
{
    if (!id || strcmp(s->path, GRAPH_DEFAULT) != 0 || (s->default_id && *s->default_id)) return;
    free(s->default_id);
    s->default_id = mem_strdup(id);
    s->traits->set(s->traits, TRAIT_DEFAULT, id);
}

/* A deleted contact may still be had by its id: then it lies in a folder that no list has. */
enum fault_code graph_place_of(struct session *s, const json_t *contact, enum graph_place *out, struct fault *f)
{
    const char *parent = text_of(contact, "parentFolderId");
    bool is_default = strcmp(s->path, GRAPH_DEFAULT) == 0;
    *out = GRAPH_HERE;
    if (!parent || (!is_default && strcmp(parent, s->path) == 0)) return FAULT_NONE;
    enum fault_code code = graph_know_default(s, f);
    if (code) return code;
    if (is_default && strcmp(parent, s->default_id) == 0) return FAULT_NONE;
    code = graph_know_folders(s, f);
    if (code) return code;
    bool elsewhere = is_known_folder(s, parent) || strcmp(parent, s->default_id) == 0;
    *out = elsewhere ? GRAPH_ELSEWHERE : GRAPH_NOWHERE;
    if (is_default && !*s->default_id && !elsewhere) *out = GRAPH_HERE; /* nobody could say which one it is */
    return FAULT_NONE;
}

/* -- collections -- */

static void describe(struct collection *out, const char *name, const char *path)
{
    *out =
        (struct collection){.name = mem_strdup(name), .path = mem_strdup(path), .kind = RECORD_CONTACT, .records = -1};
}

/* "Contacts", "Kontakte": what the mailbox calls it. */
static enum fault_code name_default(struct session *s, char **out, struct fault *f)
{
    struct buf url AUTO_BUF = BUF_INIT;
    enum fault_code code = graph_know_default(s, f);
    if (code) return code;
    if (*s->default_id) {
        struct fault why AUTO_FAULT = FAULT_INIT;
        buf_addf(&url, "%s/contactFolders/", s->mailbox);
        url_encode(str_of(s->default_id), &url);
        buf_adds(&url, "?$select=id,displayName");
        struct graph_call c AUTO_CALL = {.method = "GET", .url = buf_cstr(&url)};
        code = graph_do(s, &c, &why);
        *out = mem_strdup(text_of(c.answer, "displayName"));
        if (code && code != FAULT_GONE && code != FAULT_REFUSED) {
            fault_copy(f, &why);
            return code;
        }
    }
    if (!*out) *out = mem_strdup(_("Contacts"));
    return FAULT_NONE;
}

static enum fault_code graph_discover(struct session *s, struct collections *out, struct fault *f)
{
    char *name AUTO_FREE = NULL;
    s->folders_known = false;
    enum fault_code code = graph_know_folders(s, f);
    if (!code) code = name_default(s, &name, f);
    if (code == FAULT_GONE || code == FAULT_REFUSED) f->code = code = FAULT_PROTOCOL;
    if (code) return code;
    out->items = mem_calloc(s->n_folders + 1, sizeof *out->items);
    out->n = s->n_folders + 1;
    describe(&out->items[0], name, GRAPH_DEFAULT);
    for (size_t i = 0; i < s->n_folders; i++) describe(&out->items[i + 1], s->folders[i].name, s->folders[i].id);
    return FAULT_NONE;
}

static enum fault_code graph_select(struct session *s, const char *path, const struct collection **about,
                                    struct buf *identity, struct fault *f)
{
    (void)f;
    free(s->path);
    free(s->about.name);
    free(s->about.path);
    s->path = mem_strdup(path);
    describe(&s->about, strcmp(path, GRAPH_DEFAULT) ? path : _("Contacts"), path);
    *about = &s->about;
    buf_addf(identity, "%s %s %s %s", s->base, s->mailbox, s->account->user ? s->account->user : "", path);
    return FAULT_NONE;
}

static char *graph_new_id(struct session *s)
{
    char uuid[UUID_TEXT_BYTES];
    struct buf id AUTO_BUF = BUF_INIT;
    env_uuid4(s->env, uuid);
    buf_addf(&id, GRAPH_NEW "%s", uuid);
    return buf_detach(&id);
}

static void graph_traffic(struct session *s, int64_t *requests, int64_t *bytes_in, int64_t *bytes_out)
{
    http_traffic(s->http, requests, bytes_in, bytes_out);
}

const struct connector connector_graph = {
    .name = "graph",
    .capabilities = CAN_TOKEN | CAN_CONDITION,
    .settings = settings,
    .shared_settings = oauth_settings,
    .open = graph_open,
    .close = graph_close,
    .discover = graph_discover,
    .select = graph_select,
    .changes = graph_changes,
    .fetch = graph_fetch,
    .new_id = graph_new_id,
    .write = graph_write,
    .traffic = graph_traffic,
};
