/* Creates whose answer was lost are found by the operation id that each carries in an extended property (2, 4), and so
 * never repeated. A search may be late, so for some minutes after it was sent a create that is not found counts as one
 * that may show up yet; when it was sent is kept with the account. */
#include "base/hash.h"
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/graph_session.h"
#include "connectors/url.h"

#include <stdlib.h>

#define LATE_MS (5 * 60 * 1000LL)
#define PAGES_MAX 2000

void graph_operation(struct str id, struct buf *out)
{
    struct str prefix = STR(GRAPH_NEW);
    if (str_starts(id, prefix)) {
        buf_add(out, id.p + prefix.n, id.n - prefix.n);
        return;
    }
    /* A record that comes back was named by Outlook. Its names differ in their case, and the search does not. */
    char hex[DIGEST_HEX_BYTES];
    struct digest d;
    digest_init(&d);
    digest_str(&d, id);
    digest_hex(&d, hex);
    buf_addf(out, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

/* -- what was sent lately: lines "MILLISECONDS OPERATION" -- */

static void add_key(const struct session *s, struct buf *out)
{
    buf_addf(out, "sent:%s", s->path);
}

static char *load_sent(struct session *s)
{
    struct buf key AUTO_BUF = BUF_INIT;
    add_key(s, &key);
    return s->traits->get(s->traits, buf_cstr(&key));
}

static void keep_sent(struct session *s, struct buf *text)
{
    struct buf key AUTO_BUF = BUF_INIT;
    add_key(s, &key);
    s->traits->set(s->traits, buf_cstr(&key), text->len ? buf_cstr(text) : NULL);
}

static bool is_lately(struct session *s, struct str at)
{
    long long ms;
    int64_t age_ms = str_to_int64(at, &ms) ? s->env->now_ms(s->env) - ms : -1;
    return age_ms >= 0 && age_ms < LATE_MS;
}

static bool is_among(const struct str *ids, size_t n, struct str operation)
{
    for (size_t i = 0; i < n; i++) {
        struct buf own AUTO_BUF = BUF_INIT;
        graph_operation(ids[i], &own);
        if (str_eq(buf_str(&own), operation)) return true;
    }
    return false;
}

/* Lines that are lately and not of these creates. */
static void add_others(struct session *s, const struct str *ids, size_t n, struct buf *out)
{
    char *text AUTO_FREE = load_sent(s);
    struct str rest = str_of(text);
    while (rest.n) {
        struct str line = str_split(&rest, '\n'), operation = line, at = str_split(&operation, ' ');
        if (is_lately(s, at) && !is_among(ids, n, operation)) buf_addf(out, "%.*s\n", STR_ARG(line));
    }
}

void graph_sending(struct session *s, const struct str *ids, size_t n)
{
    struct buf text AUTO_BUF = BUF_INIT;
    if (!n) return;
    add_others(s, ids, n, &text);
    for (size_t i = 0; i < n; i++) {
        struct buf operation AUTO_BUF = BUF_INIT;
        graph_operation(ids[i], &operation);
        buf_addf(&text, "%lld %s\n", (long long)s->env->now_ms(s->env), buf_cstr(&operation));
    }
    keep_sent(s, &text);
}

void graph_answered(struct session *s, const struct str *ids, size_t n)
{
    struct buf text AUTO_BUF = BUF_INIT;
    if (!n) return;
    add_others(s, ids, n, &text);
    keep_sent(s, &text);
}

static bool was_sent_lately(struct session *s, struct str wanted)
{
    char *text AUTO_FREE = load_sent(s);
    struct str rest = str_of(text);
    while (rest.n) {
        struct str operation = str_split(&rest, '\n'), at = str_split(&operation, ' ');
        if (str_eq(operation, wanted)) return is_lately(s, at);
    }
    return false;
}

/* -- the search -- */

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text ? text : "";
}

struct search {
    struct session *s;
    struct buf filter; /* encoded */
    json_t *found;     /* of the oldest one */
};

/* Of two the older one stays; the other is removed. */
static void take_found(struct search *q, json_t *contact)
{
    json_t *more = contact;
    if (!*text_of(contact, "id")) return;
    if (q->found && strcmp(text_of(q->found, "id"), text_of(contact, "id")) == 0) return;
    bool older = !q->found || strcmp(text_of(contact, "createdDateTime"), text_of(q->found, "createdDateTime")) < 0;
    if (older) {
        more = q->found;
        q->found = contact;
        json_incref(contact);
    }
    if (!more) return;
    env_logf(q->s->env, LOG_WARNING, "account=%s create=doubled kept=the_older", q->s->account->name);
    json_object_set_new(q->s->doubles, text_of(more, "id"), json_string(text_of(more, "@odata.etag")));
    if (older) json_decref(more);
}

static void take_list(struct search *q, const json_t *answer)
{
    const json_t *list = json_object_get(answer, "value");
    for (size_t i = 0; i < json_array_size(list); i++) take_found(q, json_array_get(list, i));
}

static void add_query(struct search *q, const char *path, struct buf *url)
{
    graph_add_contacts(q->s, path, url);
    buf_addf(url, "?$select=id,createdDateTime&$top=10&$filter=%s", buf_cstr(&q->filter));
}

static enum fault_code search_here(struct search *q, struct fault *f)
{
    struct buf url AUTO_BUF = BUF_INIT;
    add_query(q, q->s->path, &url);
    struct graph_call c AUTO_CALL = {.method = "GET", .url = buf_cstr(&url)};
    enum fault_code code = graph_do(q->s, &c, f);
    if (!code) take_list(q, c.answer);
    return code;
}

/* Somebody may have moved it since. */
static enum fault_code search_elsewhere(struct search *q, struct fault *f)
{
    struct session *s = q->s;
    enum fault_code code = graph_know_folders(s, f);
    if (code) return code;
    struct graph_part *parts AUTO_FREE = mem_calloc(s->n_folders + 1, sizeof *parts);
    size_t n = 0;
    for (size_t i = 0; i <= s->n_folders; i++) {
        struct buf url AUTO_BUF = BUF_INIT;
        const char *path = i < s->n_folders ? s->folders[i].id : GRAPH_DEFAULT;
        if (strcmp(path, s->path) == 0) continue;
        add_query(q, path, &url);
        parts[n++] = (struct graph_part){.method = "GET", .url = buf_detach(&url)};
    }
    code = n ? graph_batch(s, parts, n, f) : FAULT_NONE;
    for (size_t i = 0; i < n && !code; i++) {
        if (!parts[i].code) take_list(q, parts[i].answer);
        if (!parts[i].code || parts[i].code == FAULT_GONE) continue;
        code = parts[i].code;
        fault_copy(f, &parts[i].fault);
    }
    graph_parts_free(parts, n);
    return code;
}

/* -- a look at all: the search is late at times, and not offered everywhere -- */

static void note_operation(struct session *s, json_t *contact)
{
    const json_t *tag = json_array_get(json_object_get(contact, "singleValueExtendedProperties"), 0);
    const char *operation = json_string_value(json_object_get(tag, "value"));
    if (!operation) return;
    json_t *list = json_object_get(s->scanned, operation);
    if (!list) {
        list = json_array();
        json_object_set_new(s->scanned, operation, list);
    }
    json_array_append(list, contact);
}

static enum fault_code scan(struct session *s, struct fault *f)
{
    struct buf next AUTO_BUF = BUF_INIT;
    struct buf tag AUTO_BUF = BUF_INIT;
    enum fault_code code = FAULT_NONE;
    graph_operation_tag(&tag);
    json_decref(s->scanned);
    s->scanned = json_object();
    graph_add_contacts(s, s->path, &next);
    buf_adds(&next, "?$select=id,createdDateTime&$top=500&$expand=singleValueExtendedProperties($filter=");
    url_encode(buf_str(&tag), &next);
    buf_addc(&next, ')');
    for (int n = 0; !code && next.len && n < PAGES_MAX; n++) {
        struct graph_call c AUTO_CALL = {.method = "GET", .url = buf_cstr(&next)};
        code = graph_do(s, &c, f);
        const json_t *list = json_object_get(c.answer, "value");
        for (size_t i = 0; i < json_array_size(list); i++) note_operation(s, json_array_get(list, i));
        buf_reset(&next);
        buf_adds(&next, text_of(c.answer, "@odata.nextLink"));
    }
    return code;
}

static void take_scanned(struct search *q, struct str operation)
{
    char *key AUTO_FREE = mem_strndup(operation.p, operation.n);
    const json_t *list = json_object_get(q->s->scanned, key);
    for (size_t i = 0; i < json_array_size(list); i++) take_found(q, json_array_get(list, i));
}

static enum fault_code look_at_all(struct search *q, struct str operation, bool afresh, struct fault *f)
{
    enum fault_code code = afresh || !q->s->scanned ? scan(q->s, f) : FAULT_NONE;
    if (!code) take_scanned(q, operation);
    return code;
}

/* -- all of it -- */

static bool is_not_offered(enum fault_code code)
{
    return code == FAULT_REFUSED || code == FAULT_UNSUPPORTED || code == FAULT_UNREACHABLE;
}

static enum fault_code search(struct search *q, struct fault *f)
{
    struct fault why AUTO_FAULT = FAULT_INIT;
    enum fault_code code = search_here(q, &why);
    if (!code && !q->found) code = search_elsewhere(q, &why);
    if (is_not_offered(code)) return FAULT_NONE;
    if (code && f) fault_copy(f, &why);
    return code;
}

enum fault_code graph_find_created(struct session *s, struct str id, bool afresh, char **found, bool *maybe,
                                   struct fault *f)
{
    struct buf operation AUTO_BUF = BUF_INIT;
    struct buf filter AUTO_BUF = BUF_INIT;
    struct search q = {.s = s, .filter = BUF_INIT};
    graph_operation(id, &operation);
    graph_operation_filter(buf_str(&operation), &filter);
    url_encode(buf_str(&filter), &q.filter);
    bool lately = was_sent_lately(s, buf_str(&operation));
    if (!afresh) take_scanned(&q, buf_str(&operation));
    enum fault_code code = q.found ? FAULT_NONE : search(&q, f);
    if (!code && !q.found && (lately || str_starts(id, STR(GRAPH_NEW))))
        code = look_at_all(&q, buf_str(&operation), afresh, f);
    *found = !code && q.found ? mem_strdup(text_of(q.found, "id")) : NULL;
    *maybe = !code && !*found && lately;
    json_decref(q.found);
    buf_free(&q.filter);
    return code;
}

/* Whoever asks for one of them is told that it is gone; no second time is tried in this session. */
static void keep_removed(struct session *s)
{
    json_object_update(s->deleted, s->doubles);
    json_object_clear(s->doubles);
}

enum fault_code graph_remove_doubles(struct session *s, struct fault *f)
{
    size_t n = json_object_size(s->doubles), at = 0;
    if (!n) return FAULT_NONE;
    struct graph_part *parts AUTO_FREE = mem_calloc(n + 1, sizeof *parts);
    const char *id;
    json_t *etag;
    json_object_foreach(s->doubles, id, etag)
    {
        struct buf url AUTO_BUF = BUF_INIT;
        graph_add_contact(s, str_of(id), &url);
        parts[at++] = (struct graph_part){
            .method = "DELETE", .url = buf_detach(&url), .if_match = json_string_value(etag), .write = true};
    }
    enum fault_code code = graph_batch(s, parts, n, f);
    for (size_t i = 0; i < n && !code; i++)
        env_logf(s->env, LOG_WARNING, "account=%s create=doubled removed=%s status=%d", s->account->name,
                 parts[i].code && parts[i].code != FAULT_GONE ? "no" : "yes", parts[i].status);
    graph_parts_free(parts, n);
    if (!code) keep_removed(s);
    return code;
}
