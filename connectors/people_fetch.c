/* Persons by name (2), a hundred a request, with their pictures; and creates whose answer was lost, found by their
 * operation id. What is known to be older than our own write is left out: unknown is never gone. */
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/people_session.h"

#include <stdlib.h>

#define BATCH 100
#define PICTURE_MAX_BYTES (16u << 20)

/* -- persons -- */

static bool says_not_found(const json_t *response)
{
    json_int_t code = json_integer_value(json_object_get(json_object_get(response, "status"), "code"));
    return code == 5 ||
           json_integer_value(json_object_get(response, "httpStatusCode")) == 404; /* google.rpc.Code NOT_FOUND */
}

static enum fault_code one_response(struct session *s, const json_t *response, const struct people_reader *reader,
                                    struct fault *f)
{
    const json_t *person = json_object_get(response, "person");
    const char *asked = json_string_value(json_object_get(response, "requestedResourceName"));
    const char *now = json_string_value(json_object_get(person, "resourceName"));
    if (!asked) asked = now;
    if (!asked) return FAULT_NONE;
    const struct people_recent *recent = people_recent_find(s, RECENT_WRITTEN, asked);
    bool deleted = people_recent_find(s, RECENT_DELETED, asked) != NULL;
    if (deleted || (!recent && (says_not_found(response) ||
                                json_is_true(json_object_get(json_object_get(person, "metadata"), "deleted")))))
        return reader->fn(reader->ctx, str_of(asked), NULL, f);
    if (!now || (recent && people_is_stale(recent, person))) return FAULT_NONE;
    return reader->fn(reader->ctx, str_of(asked), person, f);
}

static bool is_among(const struct str *names, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(names[i], name)) return true;
    return false;
}

static enum fault_code read_batch(struct session *s, const struct str *names, size_t n,
                                  const struct people_reader *reader, struct fault *f)
{
    struct buf path AUTO_BUF = BUF_INIT;
    buf_adds(&path, "people:batchGet");
    people_add_fields(&path);
    for (size_t i = 0; i < n; i++)
        if (!is_among(names, i, names[i])) people_add_query(&path, "resourceNames", names[i]); /* twice is refused */
    struct people_call c AUTO_CALL = {.method = "GET", .path = buf_cstr(&path)};
    enum fault_code code = people_do(s, &c, f);
    const json_t *list = json_object_get(c.answer, "responses");
    for (size_t i = 0; !code && i < json_array_size(list); i++)
        code = one_response(s, json_array_get(list, i), reader, f);
    return code;
}

enum fault_code people_read(struct session *s, const struct str *names, size_t n, const struct people_reader *reader,
                            struct fault *f)
{
    enum fault_code code = FAULT_NONE;
    for (size_t at = 0; !code && at < n; at += BATCH)
        code = read_batch(s, names + at, n - at < BATCH ? n - at : BATCH, reader, f);
    return code;
}

/* -- pictures: elsewhere, without a token -- */

enum fault_code people_picture(struct session *s, const json_t *person, struct buf *out, struct fault *f)
{
    const char *url = people_photo_url(person);
    if (!url) return FAULT_NONE;
    struct http_exchange x = {.method = "GET", .url = url, .repeatable = true, .limit_bytes = PICTURE_MAX_BYTES};
    enum fault_code code = http_do(s->pictures, &x, f);
    if (!code) code = http_status_fault(&x, f);
    if (!code) buf_addstr(out, buf_str(&x.text));
    http_clear(&x);
    return code;
}

/* -- entries -- */

struct fetching {
    struct session *s;
    const struct sink *sink;
    const struct str *asked, *names; /* what the engine calls them, and what Google does */
    size_t n;
};

static bool ends_fetch(enum fault_code code)
{
    return code == FAULT_CANCELLED || code == FAULT_AUTH;
}

/* To all who asked: what is new in a listing may be what a create is looked for. */
static enum fault_code tell(const struct fetching *g, struct str name, struct entry *e)
{
    enum fault_code code = FAULT_NONE;
    struct str now = e->now;
    for (size_t i = 0; !code && i < g->n; i++) {
        if (!str_eq(g->names[i], name)) continue;
        e->id = g->asked[i];
        e->now = now.p && !str_eq(now, e->id) ? now : STR_NONE;
        code = g->sink->entry(g->sink->ctx, e);
    }
    return code;
}

static enum fault_code tell_person(const struct fetching *g, struct str name, const json_t *person, struct fault *f)
{
    struct buf card AUTO_BUF = BUF_INIT;
    struct buf picture AUTO_BUF = BUF_INIT;
    struct fault why AUTO_FAULT = FAULT_INIT;
    enum fault_code code = people_know_groups(g->s, person, f);
    if (code) return code;
    code = people_picture(g->s, person, &picture, &why);
    if (ends_fetch(code)) {
        fault_copy(f, &why);
        return code;
    }
    struct entry e = {.version = str_of(json_string_value(json_object_get(person, "etag"))),
                      .now = str_of(json_string_value(json_object_get(person, "resourceName")))};
    people_card(person, &g->s->groups, buf_str(&picture), &card);
    if (code)
        e.withheld = _("its picture cannot be read");
    else
        e.body = buf_str(&card);
    return tell(g, name, &e);
}

static enum fault_code pass_on(void *ctx, struct str name, const json_t *person, struct fault *f)
{
    struct entry gone = {.gone = true};
    return person ? tell_person(ctx, name, person, f) : tell(ctx, name, &gone);
}

/* -- creates whose answer was lost (4) -- */

static const char *created_as(const struct session *s, struct str operation)
{
    for (size_t i = 0; i < s->n_created; i++)
        if (str_eq(str_of(s->created[i].operation), operation)) return s->created[i].resource;
    return NULL;
}

/* The operation id of a create by the name it was given: "new:" and the id; a record that came back had a name of
 * Google's. */
static struct str operation_of(struct str id, bool *unnamed)
{
    struct str prefix = STR(PEOPLE_NEW);
    *unnamed = str_starts(id, prefix);
    return *unnamed ? (struct str){id.p + prefix.n, id.n - prefix.n} : id;
}

struct found {
    const char *name; /* what Google calls it; NULL = not found */
    bool gone;        /* certainly not there */
    bool unknown;     /* it may show up yet */
};

/* There is no search by operation id: what changed was gone through already, else everything is. Found nowhere, it
 * counts as never arrived only once Google's own delay is over. */
static enum fault_code find_created(struct session *s, struct str id, struct found *out, struct fault *f)
{
    bool unnamed;
    struct str operation = operation_of(id, &unnamed);
    char *text AUTO_FREE = mem_strndup(operation.p, operation.n);
    bool sent = people_recent_find(s, RECENT_SENT, text) != NULL;
    *out = (struct found){.name = NULL};
    if (!unnamed && !sent) return FAULT_NONE;
    out->name = created_as(s, operation);
    enum fault_code code = out->name ? FAULT_NONE : people_see_all(s, f);
    if (!code) out->name = created_as(s, operation);
    out->unknown = !out->name && sent;
    out->gone = !out->name && !sent;
    if (!code && out->gone) people_give_up(s, operation);
    return code;
}

/* -- all of it -- */

struct plan { /* what is asked of Google, and by which names the engine knows it */
    struct str *asked, *names;
    size_t n;
};

/* Answers what needs no request and notes the rest. */
static enum fault_code sort_out(struct session *s, struct str id, const struct sink *sink, struct plan *p,
                                struct fault *f)
{
    struct found found;
    enum fault_code code = find_created(s, id, &found, f);
    if (code || found.unknown) return code;
    if (found.gone) {
        const struct entry e = {.id = id, .gone = true};
        return sink->entry(sink->ctx, &e);
    }
    struct str now = found.name ? str_of(found.name) : id;
    char *key AUTO_FREE = mem_strndup(now.p, now.n);
    json_t *written = json_incref(json_object_get(s->written, key));
    if (written) { /* once: who asks again wants to know what became of it since */
        struct fetching g = {s, sink, &id, &now, 1};
        json_object_del(s->written, key);
        code = pass_on(&g, now, written, f);
        json_decref(written);
        return code;
    }
    p->asked[p->n] = id;
    p->names[p->n++] = now;
    return FAULT_NONE;
}

enum fault_code people_fetch(struct session *s, const struct str *ids, size_t n, const struct sink *sink,
                             struct fault *f)
{
    struct str *asked AUTO_FREE = mem_alloc((n + 1) * sizeof *asked);
    struct str *names AUTO_FREE = mem_alloc((n + 1) * sizeof *names);
    struct plan p = {asked, names, 0};
    enum fault_code code = FAULT_NONE;
    for (size_t i = 0; !code && i < n; i++) code = sort_out(s, ids[i], sink, &p, f);
    for (size_t at = 0; !code && at < p.n; at += BATCH) {
        size_t some = p.n - at < BATCH ? p.n - at : BATCH;
        struct fetching g = {s, sink, p.asked + at, p.names + at, some};
        const struct people_reader reader = {&g, pass_on};
        code = people_read(s, g.names, some, &reader, f);
    }
    return code;
}
