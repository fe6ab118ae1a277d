/* contacts/delta: what changed since a link was given, or everything (3). A link goes with the shape of its request, so
 * the shape is kept beside it. What a round says is gone is asked for itself before it is believed: it may have moved,
 * or be there again. */
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/graph_session.h"
#include "mapping/vcard.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGES_MAX 20000
#define SWEEP_DAYS 7 /* a picture's change is announced nowhere: so often each contact is looked at anew */
#define DAY_MS (24 * 3600 * 1000LL)

struct listing {
    struct session *s;
    const struct sink *sink;
    bool full, bodies, sweeps;
    struct buf next, delta; /* links */
    json_t *removed;        /* ids */
};

static void listing_free(struct listing *l)
{
    buf_free(&l->next);
    buf_free(&l->delta);
    json_decref(l->removed);
}

static const char *text_of(const json_t *object, const char *member)
{
    return json_string_value(json_object_get(object, member));
}

/* -- tokens: "graph1 SHAPE LINK" -- */

/* Delta knows no $expand (2): extended properties are fetched with the contacts. */
static void add_start(struct session *s, bool delta, struct buf *out)
{
    graph_add_contacts(s, s->path, out);
    buf_adds(out, delta ? "/delta?$select=" : "?$top=200&$select=");
    graph_fields(out);
}

static void shape_hash(struct session *s, char out[DIGEST_HEX_BYTES])
{
    struct buf fields AUTO_BUF = BUF_INIT;
    struct digest d;
    graph_fields(&fields);
    digest_init(&d);
    digest_str(&d, str_of(s->base));
    digest_str(&d, str_of(s->mailbox));
    digest_str(&d, str_of(s->path));
    digest_str(&d, buf_str(&fields));
    digest_add(&d, s->carry ? "+" : "-", 1);
    digest_hex(&d, out);
    out[16] = '\0';
}

static const char *link_in(struct session *s, const char *token)
{
    char shape[DIGEST_HEX_BYTES], made_by[17];
    int at = 0;
    shape_hash(s, shape);
    if (!token || sscanf(token, "graph1 %16s %n", made_by, &at) < 1 || !at) return NULL;
    return strcmp(shape, made_by) == 0 && token[at] ? token + at : NULL;
}

static char *make_token(struct session *s, const struct buf *link)
{
    char shape[DIGEST_HEX_BYTES];
    struct buf out AUTO_BUF = BUF_INIT;
    if (!link->len) return NULL;
    shape_hash(s, shape);
    buf_addf(&out, "graph1 %s ", shape);
    buf_addstr(&out, buf_str(link));
    return buf_detach(&out);
}

/* -- one page -- */

static bool is_swept(const struct listing *l, const char *id)
{
    static const struct hash_key any = {{0}};
    int64_t day = l->s->env->now_ms(l->s->env) / DAY_MS;
    return l->sweeps && (int64_t)(hash_str(&any, str_of(id)) % SWEEP_DAYS) == day % SWEEP_DAYS;
}

static enum fault_code tell(const struct listing *l, const json_t *item, const char *picture, bool whole)
{
    struct buf card AUTO_BUF = BUF_INIT;
    struct buf bytes AUTO_BUF = BUF_INIT;
    const char *id = text_of(item, "id");
    struct entry e = {.id = str_of(id), .version = str_of(text_of(item, "@odata.etag"))};
    if (is_swept(l, id)) e.version = STR_NONE;
    if (whole) {
        if (picture) base64_decode(str_of(picture), &bytes);
        graph_card(item, l->s->carry, buf_str(&bytes), &card);
        e.body = buf_str(&card);
    }
    return l->sink->entry(l->sink->ctx, &e);
}

/* Whole contacts come with their pictures, where bodies are wanted; of the others only the version is told. */
static enum fault_code tell_page(struct listing *l, json_t *const *items, size_t n, struct fault *f)
{
    struct graph_picture *pictures AUTO_FREE = mem_calloc(n + 1, sizeof *pictures);
    bool *whole AUTO_FREE = mem_calloc(n + 1, sizeof *whole);
    size_t asked = 0, at = 0;
    for (size_t i = 0; i < n; i++) {
        whole[i] = l->bodies && !l->s->carry && graph_is_whole(items[i]);
        if (whole[i]) pictures[asked++].id = str_of(text_of(items[i], "id"));
    }
    enum fault_code code = asked ? graph_pictures(l->s, pictures, asked, f) : FAULT_NONE;
    for (size_t i = 0; i < n && !code; i++) {
        const struct graph_picture *p = whole[i] ? &pictures[at++] : NULL;
        code = tell(l, items[i], p ? p->base64 : NULL, p && !p->withheld);
    }
    for (size_t i = 0; i < asked; i++) free(pictures[i].base64);
    return code;
}

/* Of an item that comes twice the last word counts, and in a page the engine would take it twice. */
static enum fault_code take_page(struct listing *l, const json_t *answer, struct fault *f)
{
    const json_t *list = json_object_get(answer, "value");
    json_t **items AUTO_FREE = mem_calloc(json_array_size(list) + 1, sizeof *items);
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);
        const char *id = text_of(item, "id");
        if (!id) continue;
        for (size_t k = 0; k < n; k++)
            if (items[k] && strcmp(text_of(items[k], "id"), id) == 0) items[k] = NULL;
        if (json_object_get(item, "@removed")) {
            json_object_set_new(l->removed, id, json_true());
            continue;
        }
        json_object_del(l->removed, id);
        items[n++] = item;
    }
    size_t left = 0;
    for (size_t i = 0; i < n; i++)
        if (items[i]) items[left++] = items[i];
    return tell_page(l, items, left, f);
}

static void set_link(struct buf *out, const char *link)
{
    buf_reset(out);
    if (link) buf_adds(out, link);
}

static enum fault_code one_page(struct listing *l, struct fault *f)
{
    struct graph_call c AUTO_CALL = {.method = "GET", .url = buf_cstr(&l->next), .pages = true};
    enum fault_code code = graph_do(l->s, &c, f);
    if (!code && !json_is_array(json_object_get(c.answer, "value")))
        code = fault_set(f, FAULT_PROTOCOL, _("is the address right? try: abgleich account test"),
                         _("the answer is none of Microsoft Graph"));
    if (!code) code = take_page(l, c.answer, f);
    if (code) return code;
    const char *next = text_of(c.answer, "@odata.nextLink");
    if (next && str_eq(str_of(next), buf_str(&l->next)))
        return fault_set(f, FAULT_INCOMPLETE, _("nothing is concluded from it; the next run asks again"),
                         _("the list does not end"));
    set_link(&l->next, next);
    set_link(&l->delta, text_of(c.answer, "@odata.deltaLink"));
    return FAULT_NONE;
}

/* -- what is said to be gone -- */

static enum fault_code tell_removed(struct listing *l, const char *id, const struct graph_part *p, struct fault *f)
{
    struct entry e = {.id = str_of(id), .gone = true};
    enum graph_place place = GRAPH_NOWHERE;
    enum fault_code code = p->code == FAULT_GONE ? FAULT_NONE : p->code;
    if (code) {
        fault_copy(f, &p->fault);
        return f->code = code < FAULT_RECORD_LAST ? FAULT_INCOMPLETE : code;
    }
    if (!p->code) code = graph_place_of(l->s, p->answer, &place, f);
    if (code) return code;
    if (place == GRAPH_ELSEWHERE) env_logf(l->s->env, LOG_INFO, "account=%s contact=moved", l->s->account->name);
    if (place == GRAPH_HERE) e = (struct entry){.id = e.id, .version = str_of(text_of(p->answer, "@odata.etag"))};
    return l->sink->entry(l->sink->ctx, &e);
}

static enum fault_code look_at_removed(struct listing *l, struct fault *f)
{
    size_t n = json_object_size(l->removed), at = 0;
    struct graph_part *parts AUTO_FREE = mem_calloc(n + 1, sizeof *parts);
    const char *id;
    json_t *mark;
    json_object_foreach(l->removed, id, mark)
    {
        struct buf url AUTO_BUF = BUF_INIT;
        graph_add_contact(l->s, str_of(id), &url);
        buf_adds(&url, "?$select=id,parentFolderId");
        parts[at++] = (struct graph_part){.method = "GET", .url = buf_detach(&url)};
    }
    enum fault_code code = n ? graph_batch(l->s, parts, n, f) : FAULT_NONE;
    at = 0;
    json_object_foreach(l->removed, id, mark)
    {
        if (!code) code = tell_removed(l, id, &parts[at++], f);
    }
    graph_parts_free(parts, n);
    return code;
}

/* -- rounds -- */

/* An empty page is no end; the end is the page that brings the new link. (A plain listing ends where no page follows.)
 */
static enum fault_code all_pages(struct listing *l, bool delta, struct fault *f)
{
    enum fault_code code = l->sink->begin ? l->sink->begin(l->sink->ctx, l->full) : FAULT_NONE;
    for (int n = 0; !code && l->next.len && n < PAGES_MAX; n++) code = one_page(l, f);
    if (code) return code;
    if (l->next.len || (delta && !l->delta.len))
        return fault_set(f, FAULT_INCOMPLETE, _("nothing is concluded from it; the next run asks again"),
                         _("the answer came without a new token"));
    return look_at_removed(l, f);
}

/* Not offered here, or not with these words: then everything is listed each time. */
static bool is_no_delta(enum fault_code code)
{
    return code == FAULT_UNSUPPORTED || code == FAULT_REFUSED;
}

static enum fault_code listing_round(struct session *s, bool delta, bool bodies, const struct sink *sink,
                                     struct changes *out, struct fault *f)
{
    struct listing l = {
        .s = s, .sink = sink, .full = true, .bodies = bodies, .sweeps = !bodies, .removed = json_object()};
    add_start(s, delta, &l.next);
    enum fault_code code = all_pages(&l, delta, f);
    if (!code) *out = (struct changes){.full = true, .complete = true, .token = delta ? make_token(s, &l.delta) : NULL};
    listing_free(&l);
    return code;
}

static enum fault_code no_folder(struct fault *f)
{
    return fault_set(f, FAULT_NO_COLLECTION,
                     _("see `abgleich discover`; if it was deleted there on purpose, remove the link"),
                     _("the folder is not there any more"));
}

/* A round whose links died while it was read (7) begins once more. */
static enum fault_code whole(struct session *s, bool bodies, const struct sink *sink, struct changes *out,
                             struct fault *f)
{
    struct fault why AUTO_FAULT = FAULT_INIT;
    enum fault_code code = strcmp(s->path, GRAPH_DEFAULT) == 0 ? graph_know_default(s, f) : FAULT_NONE;
    if (code) return code;
    if (s->has_delta) {
        code = listing_round(s, true, bodies, sink, out, &why);
        if (code == FAULT_TOKEN_DEAD) {
            fault_clear(&why);
            code = listing_round(s, true, bodies, sink, out, &why);
        }
        if (code == FAULT_TOKEN_DEAD) why.code = code = FAULT_INCOMPLETE;
        if (!is_no_delta(code)) {
            if (code == FAULT_GONE) return no_folder(f);
            if (code) fault_copy(f, &why);
            return code;
        }
    }
    fault_clear(&why);
    code = listing_round(s, false, bodies, sink, out, &why);
    if (code == FAULT_GONE) return no_folder(f);
    if (code) fault_copy(f, &why);
    return code;
}

/* A link that is too old, damaged or of somebody else (3). */
static bool is_link_refused(enum fault_code code)
{
    return code == FAULT_TOKEN_DEAD || code == FAULT_REFUSED || code == FAULT_CHANGED || code == FAULT_GONE;
}

enum fault_code graph_changes(struct session *s, const char *token, bool list, const struct sink *sink,
                              struct changes *out, struct fault *f)
{
    const char *link = list ? NULL : link_in(s, token);
    struct fault why AUTO_FAULT = FAULT_INIT;
    struct listing l = {.s = s, .sink = sink, .removed = json_object()};
    enum fault_code code = FAULT_TOKEN_DEAD;
    set_link(&l.next, link);
    if (link) code = all_pages(&l, true, &why);
    if (!code) *out = (struct changes){.full = false, .complete = true, .token = make_token(s, &l.delta)};
    listing_free(&l);
    if (is_link_refused(code)) return whole(s, !token, sink, out, f);
    if (code) fault_copy(f, &why);
    return code;
}
