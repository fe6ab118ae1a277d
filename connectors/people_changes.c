/* connections.list: what changed since a sync token, or everything (2). A token goes with the shape of its request and
 * lives seven days after the full listing that began its chain, so shape and time are kept beside it. */
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/people_session.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGE_SIZE "1000"
#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define TOKEN_AGE_MS (5 * DAY_MS) /* from then on a new chain is due, before Google ends the old one */
#define PAGES_MAX 200

struct listing {
    struct session *s;
    const struct sink *sink; /* NULL: only look for operation ids */
    bool full, bodies;
    struct buf token, page, next; /* sync token, page token; next: the new sync token */
};

static void listing_free(struct listing *l)
{
    buf_free(&l->token);
    buf_free(&l->page);
    buf_free(&l->next);
}

/* -- tokens: "people1 STARTED_MS SHAPE TOKEN" -- */

/* Everything but the tokens: it must be the same from the first call on. */
static void add_shape(struct buf *path)
{
    buf_adds(path, "people/me/connections");
    people_add_fields(path);
    people_add_query(path, "pageSize", STR(PAGE_SIZE));
    people_add_query(path, "requestSyncToken", STR("true"));
}

static void shape_hash(char out[DIGEST_HEX_BYTES])
{
    struct buf shape AUTO_BUF = BUF_INIT;
    struct digest d;
    add_shape(&shape);
    digest_init(&d);
    digest_str(&d, buf_str(&shape));
    digest_hex(&d, out);
    out[16] = '\0';
}

/* On the fifth day or the sixth, each account at its own hour: a whole listing is what Google grants least of. */
static int64_t token_age_max_ms(const struct session *s)
{
    struct digest d;
    char hex[DIGEST_HEX_BYTES];
    unsigned long long spread;
    digest_init(&d);
    digest_str(&d, str_of(s->account->name));
    digest_str(&d, str_of(s->account->user ? s->account->user : ""));
    digest_hex(&d, hex);
    hex[12] = '\0';
    spread = strtoull(hex, NULL, 16);
    return TOKEN_AGE_MS + (int64_t)(spread % (unsigned long long)DAY_MS);
}

/* The sync token inside, if it was made by requests of this shape and is young enough; empty else. */
static int64_t read_token(struct session *s, const char *token, struct buf *out)
{
    char shape[DIGEST_HEX_BYTES], made_by[17];
    long long started_ms = 0;
    int at = 0;
    shape_hash(shape);
    if (!token || sscanf(token, "people1 %lld %16s %n", &started_ms, made_by, &at) < 2 || !at) return 0;
    int64_t age_ms = s->env->now_ms(s->env) - started_ms;
    if (strcmp(shape, made_by) == 0 && age_ms >= 0 && age_ms < token_age_max_ms(s)) buf_adds(out, token + at);
    return started_ms;
}

static char *make_token(const struct buf *next, int64_t started_ms)
{
    char shape[DIGEST_HEX_BYTES];
    struct buf out AUTO_BUF = BUF_INIT;
    shape_hash(shape);
    buf_addf(&out, "people1 %lld %s ", (long long)started_ms, shape);
    buf_addstr(&out, buf_str(next));
    return buf_detach(&out);
}

/* -- one person of a listing -- */

static void note_created(struct session *s, const json_t *person, const char *resource)
{
    const char *operation = people_client_data(person, PEOPLE_KEY_OPERATION);
    if (!operation) return;
    for (size_t i = 0; i < s->n_created; i++)
        if (strcmp(s->created[i].operation, operation) == 0) return; /* the older one of two */
    s->created = mem_realloc(s->created, (s->n_created + 1) * sizeof *s->created);
    s->created[s->n_created++] = (struct people_created){mem_strdup(operation), mem_strdup(resource)};
}

static enum fault_code tell_gone(const struct listing *l, const char *resource, const char *now)
{
    const struct entry e = {.id = str_of(resource), .now = str_of(now), .gone = true};
    return l->sink->entry(l->sink->ctx, &e);
}

/* A contact that is now called otherwise: the new name follows, known again by its UID. Of two that were joined, one
 * name stays. */
static enum fault_code tell_renamed(const struct listing *l, const json_t *metadata, const char *now)
{
    const json_t *before = json_object_get(metadata, "previousResourceNames");
    enum fault_code code = FAULT_NONE;
    for (size_t i = 0; !code && !l->full && i < json_array_size(before); i++) {
        const char *name = json_string_value(json_array_get(before, i));
        if (name) code = tell_gone(l, name, now);
    }
    return code;
}

/* Bodies come along where a page tells all of them: pictures it does not have, and lists are cut at a hundred. */
static bool is_whole(const json_t *person)
{
    return !people_photo_url(person) && json_array_size(json_object_get(person, "emailAddresses")) < 100 &&
           json_array_size(json_object_get(person, "phoneNumbers")) < 100;
}

static enum fault_code tell_person(const struct listing *l, const json_t *person, const char *resource, struct fault *f)
{
    struct session *s = l->s;
    struct buf card AUTO_BUF = BUF_INIT;
    struct people_recent *recent = people_recent_find(s, RECENT_WRITTEN, resource);
    if (recent) recent->listed = true;
    struct entry e = {.id = str_of(resource), .version = str_of(json_string_value(json_object_get(person, "etag")))};
    bool echo = recent && str_eq(e.version, str_of(recent->etag));
    if (recent && people_is_stale(recent, person))
        e.version = str_of(recent->etag); /* what we wrote is not there yet: nothing happened */
    else if (l->bodies && is_whole(person) && (!recent || echo)) { /* else it is read by name, which lags less */
        enum fault_code code = people_know_groups(s, person, f);
        if (code) return code;
        people_card(person, &s->groups, STR_NONE, &card);
        e.body = buf_str(&card);
    }
    return l->sink->entry(l->sink->ctx, &e);
}

static enum fault_code one_person(const struct listing *l, const json_t *person, struct fault *f)
{
    const char *resource = json_string_value(json_object_get(person, "resourceName"));
    const json_t *metadata = json_object_get(person, "metadata");
    if (!resource) return FAULT_NONE;
    bool gone = json_is_true(json_object_get(metadata, "deleted"));
    if (!gone) note_created(l->s, person, resource);
    if (!gone && !l->sink) people_look_for_twin(l->s, person);
    if (!l->sink) return FAULT_NONE;
    if (gone) return l->full ? FAULT_NONE : tell_gone(l, resource, NULL);
    if (!people_source(person) || people_recent_find(l->s, RECENT_DELETED, resource)) return FAULT_NONE;
    enum fault_code code = tell_renamed(l, metadata, resource);
    if (code || people_is_late(l->s, person)) return code;
    return tell_person(l, person, resource, f);
}

static enum fault_code tell_late(void *ctx, struct str name, const json_t *person, struct fault *f)
{
    return tell_person(ctx, person, name.p, f);
}

/* What we made minutes ago may be missing in a whole listing, and is there. */
static enum fault_code tell_recent(const struct listing *l)
{
    struct session *s = l->s;
    enum fault_code code = FAULT_NONE;
    people_recent_find(s, RECENT_WRITTEN, "");
    for (size_t i = 0; !code && l->full && i < s->n_recent; i++) {
        struct people_recent *r = people_recent_find(s, RECENT_WRITTEN, s->recent[i].name);
        if (r != &s->recent[i] || r->listed || people_recent_find(s, RECENT_DELETED, r->name)) continue;
        const struct entry e = {.id = str_of(r->name), .version = str_of(r->etag)};
        code = l->sink->entry(l->sink->ctx, &e);
    }
    return code;
}

/* -- pages -- */

static struct str text_of(const json_t *answer, const char *member)
{
    return str_of(json_string_value(json_object_get(answer, member)));
}

static enum fault_code one_page(struct listing *l, struct fault *f)
{
    struct buf path AUTO_BUF = BUF_INIT;
    add_shape(&path);
    if (l->token.len) people_add_query(&path, "syncToken", buf_str(&l->token));
    if (l->page.len) people_add_query(&path, "pageToken", buf_str(&l->page));
    struct people_call c AUTO_CALL = {.method = "GET", .path = buf_cstr(&path), .whole = !l->token.len && !l->page.len};
    enum fault_code code = people_do(l->s, &c, f);
    const json_t *list = json_object_get(c.answer, "connections");
    for (size_t i = 0; !code && i < json_array_size(list); i++) code = one_person(l, json_array_get(list, i), f);
    if (code) return code;
    struct str page = text_of(c.answer, "nextPageToken"), next = text_of(c.answer, "nextSyncToken");
    if (page.n && str_eq(page, buf_str(&l->page)))
        return fault_set(f, FAULT_INCOMPLETE, _("nothing is concluded from it; the next run asks again"),
                         _("the list does not end"));
    buf_reset(&l->page);
    buf_addstr(&l->page, page);
    buf_reset(&l->next);
    buf_addstr(&l->next, next);
    return FAULT_NONE;
}

/* An empty page is no end; the end is the page that brings the new token. */
static enum fault_code all_pages(struct listing *l, struct fault *f)
{
    enum fault_code code = l->sink && l->sink->begin ? l->sink->begin(l->sink->ctx, l->full) : FAULT_NONE;
    for (size_t i = 0; i < l->s->n_recent; i++) l->s->recent[i].listed = false;
    for (int n = 0; !code && n < PAGES_MAX; n++) {
        code = one_page(l, f);
        if (code || !l->page.len) break;
    }
    if (code) return code == FAULT_GONE ? (f->code = FAULT_PROTOCOL) : code;
    if (!l->next.len)
        return fault_set(f, FAULT_INCOMPLETE, _("nothing is concluded from it; the next run asks again"),
                         _("the answer came without a new token"));
    if (l->full) l->s->all_seen = true;
    const struct people_reader late = {l, tell_late};
    if (l->sink) code = people_late_settle(l->s, &late, f);
    return code || !l->sink ? code : tell_recent(l);
}

static enum fault_code whole(struct session *s, bool bodies, const struct sink *sink, struct changes *out,
                             struct fault *f)
{
    struct listing l = {.s = s, .sink = sink, .full = true, .bodies = bodies};
    int64_t started_ms = s->env->now_ms(s->env);
    enum fault_code code = all_pages(&l, f);
    if (!code && out) *out = (struct changes){.full = true, .complete = true, .token = make_token(&l.next, started_ms)};
    listing_free(&l);
    return code;
}

/* A token that is too old, damaged or of somebody else: one whole listing (2). */
static bool is_token_refused(enum fault_code code)
{
    return code == FAULT_TOKEN_DEAD || code == FAULT_REFUSED || code == FAULT_CHANGED;
}

enum fault_code people_changes(struct session *s, const char *token, bool list, const struct sink *sink,
                               struct changes *out, struct fault *f)
{
    struct listing l = {.s = s, .sink = sink, .bodies = true};
    struct fault why AUTO_FAULT = FAULT_INIT;
    int64_t started_ms = list ? 0 : read_token(s, token, &l.token);
    enum fault_code code = FAULT_TOKEN_DEAD;
    if (l.token.len) code = all_pages(&l, &why);
    if (!code) *out = (struct changes){.full = false, .complete = true, .token = make_token(&l.next, started_ms)};
    listing_free(&l);
    if (is_token_refused(code)) return whole(s, !token, sink, out, f);
    if (code) fault_copy(f, &why);
    return code;
}

enum fault_code people_look_at_all(struct session *s, struct fault *f)
{
    return whole(s, false, NULL, NULL, f);
}

enum fault_code people_see_all(struct session *s, struct fault *f)
{
    return s->all_seen ? FAULT_NONE : people_look_at_all(s, f);
}
