/* Contacts by name, ten a batch with their pictures beside them (2). What was created and not answered is looked for. A
 * contact that lies in another folder now is gone from this one. */
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/graph_session.h"
#include "mapping/vcard.h"

#include <stdlib.h>

/* -- pictures: 404 is none, and what cannot be had is not the same as none -- */

static struct graph_part picture_part(struct session *s, struct str id)
{
    struct buf url AUTO_BUF = BUF_INIT;
    graph_add_contact(s, id, &url);
    buf_adds(&url, "/photo/$value");
    return (struct graph_part){.method = "GET", .url = buf_detach(&url)};
}

static void take_picture(const struct graph_part *p, struct graph_picture *out)
{
    struct buf bytes AUTO_BUF = BUF_INIT;
    struct buf base64 AUTO_BUF = BUF_INIT;
    const char *text = json_string_value(p->answer);
    if (p->code == FAULT_GONE) return;
    out->withheld = p->code || !text || !base64_decode(str_of(text), &bytes);
    if (out->withheld || !bytes.len) return;
    base64_encode(buf_str(&bytes), &base64);
    out->base64 = buf_detach(&base64);
}

enum fault_code graph_pictures(struct session *s, struct graph_picture *list, size_t n, struct fault *f)
{
    struct graph_part *parts AUTO_FREE = mem_calloc(n + 1, sizeof *parts);
    for (size_t i = 0; i < n; i++) parts[i] = picture_part(s, list[i].id);
    enum fault_code code = graph_batch(s, parts, n, f);
    for (size_t i = 0; i < n && !code; i++) take_picture(&parts[i], &list[i]);
    graph_parts_free(parts, n);
    return code;
}

/* -- one contact -- */

struct asked {
    struct str id; /* what the engine calls it */
    char *name;    /* what Outlook calls it; owned */
    bool created;  /* it was looked for by its operation id */
    struct graph_part *contact, *picture;
};

struct fetching {
    struct session *s;
    const struct sink *sink;
    struct asked *list;
    size_t n;
};

static enum fault_code tell_gone(const struct fetching *g, const struct asked *a)
{
    const struct entry e = {.id = a->id, .gone = true};
    return g->sink->entry(g->sink->ctx, &e);
}

static void set_now(const struct asked *a, struct entry *e)
{
    if (!str_eq(str_of(a->name), a->id)) e->now = str_of(a->name);
}

static enum fault_code tell_withheld(const struct fetching *g, const struct asked *a, const char *why)
{
    struct entry e = {.id = a->id, .withheld = why};
    set_now(a, &e);
    return g->sink->entry(g->sink->ctx, &e);
}

static enum fault_code tell_card(const struct fetching *g, const struct asked *a, const struct graph_picture *picture)
{
    struct buf card AUTO_BUF = BUF_INIT;
    struct buf bytes AUTO_BUF = BUF_INIT;
    const json_t *contact = a->contact->answer;
    if (picture->base64) base64_decode(str_of(picture->base64), &bytes);
    graph_card(contact, g->s->carry, buf_str(&bytes), &card);
    struct entry e = {.id = a->id,
                      .version = str_of(json_string_value(json_object_get(contact, "@odata.etag"))),
                      .body = buf_str(&card)};
    set_now(a, &e);
    return g->sink->entry(g->sink->ctx, &e);
}

static enum fault_code tell_contact(const struct fetching *g, const struct asked *a, struct fault *f)
{
    struct graph_picture picture = {.id = a->id};
    enum graph_place place;
    enum fault_code code = graph_place_of(g->s, a->contact->answer, &place, f);
    if (code) return code;
    bool left = place == GRAPH_ELSEWHERE && !a->created;
    if (left || place == GRAPH_NOWHERE) return tell_gone(g, a);
    if (a->picture) take_picture(a->picture, &picture);
    code = picture.withheld ? tell_withheld(g, a, _("its picture cannot be read")) : tell_card(g, a, &picture);
    free(picture.base64);
    return code;
}

/* -- a batch -- */

static void add_parts(struct fetching *g, struct graph_part *parts, size_t *n)
{
    for (size_t i = 0; i < g->n; i++) {
        struct buf url AUTO_BUF = BUF_INIT;
        struct asked *a = &g->list[i];
        graph_add_contact(g->s, str_of(a->name), &url);
        graph_add_select(g->s, &url);
        a->contact = &parts[(*n)++];
        *a->contact = (struct graph_part){.method = "GET", .url = buf_detach(&url)};
        a->picture = NULL;
        if (json_object_get(g->s->bare, a->name)) {
            json_object_del(g->s->bare, a->name);
            continue;
        }
        a->picture = &parts[(*n)++];
        *a->picture = picture_part(g->s, str_of(a->name));
    }
}

/* A record that was to come back under its old name may be there under a new one. */
static bool may_have_come_back(const struct fetching *g, const struct asked *a)
{
    return !a->created && !json_object_get(g->s->deleted, a->name) && str_eq(str_of(a->name), a->id);
}

static enum fault_code tell_answer(struct fetching *g, struct asked *a, struct asked *again, size_t *n_again,
                                   struct fault *f)
{
    bool maybe = false;
    char *found = NULL;
    if (!a->contact->code) return tell_contact(g, a, f);
    if (a->contact->code != FAULT_GONE)
        return tell_withheld(g, a, a->contact->fault.what ? a->contact->fault.what : _("it cannot be read"));
    enum fault_code code =
        may_have_come_back(g, a) ? graph_find_created(g->s, a->id, false, &found, &maybe, f) : FAULT_NONE;
    if (code || maybe) return code;
    if (!found) return tell_gone(g, a);
    again[(*n_again)++] = (struct asked){.id = a->id, .name = found, .created = true};
    return FAULT_NONE;
}

static enum fault_code fetch_batch(struct fetching *g, struct asked *again, size_t *n_again, struct fault *f)
{
    struct graph_part parts[GRAPH_BATCH] = {{0}};
    size_t n = 0;
    add_parts(g, parts, &n);
    enum fault_code code = graph_batch(g->s, parts, n, f);
    for (size_t i = 0; i < g->n && !code; i++) code = tell_answer(g, &g->list[i], again, n_again, f);
    graph_parts_free(parts, n);
    return code;
}

static enum fault_code fetch_list(struct session *s, struct asked *list, size_t n, struct asked *again, size_t *n_again,
                                  const struct sink *sink, struct fault *f)
{
    enum fault_code code = FAULT_NONE;
    for (size_t at = 0; at < n && !code; at += GRAPH_BATCH / 2) {
        struct fetching g = {s, sink, list + at, n - at < GRAPH_BATCH / 2 ? n - at : GRAPH_BATCH / 2};
        code = fetch_batch(&g, again, n_again, f);
    }
    return code;
}

/* -- names -- */

/* Answers what needs no request and notes the rest. */
static enum fault_code sort_out(struct session *s, struct str id, const struct sink *sink, struct asked *list,
                                size_t *n, struct fault *f)
{
    struct asked a = {.id = id, .name = mem_strndup(id.p, id.n)};
    const struct fetching g = {.s = s, .sink = sink};
    bool maybe = false, unnamed = str_starts(id, STR(GRAPH_NEW));
    enum fault_code code = FAULT_NONE;
    if (unnamed) {
        free(a.name);
        a.name = NULL;
        a.created = true;
        code = graph_find_created(s, id, false, &a.name, &maybe, f);
    }
    bool gone = !a.name || json_object_get(s->doubles, a.name);
    if (!code && !gone) {
        list[(*n)++] = a;
        return FAULT_NONE;
    }
    if (!code && !maybe) code = tell_gone(&g, &a);
    free(a.name);
    return code;
}

enum fault_code graph_fetch(struct session *s, const struct str *ids, size_t n, const struct sink *sink,
                            struct fault *f)
{
    struct asked *list AUTO_FREE = mem_calloc(n + 1, sizeof *list), *again AUTO_FREE = mem_calloc(n + 1, sizeof *again);
    size_t n_list = 0, n_again = 0, none = 0;
    enum fault_code code = FAULT_NONE;
    /* Creates first: they tell which of the others is a second copy. */
    for (int unnamed = 1; unnamed >= 0; unnamed--)
        for (size_t i = 0; i < n && !code; i++)
            if (str_starts(ids[i], STR(GRAPH_NEW)) == unnamed) code = sort_out(s, ids[i], sink, list, &n_list, f);
    if (!code && !s->account->looks_only) code = graph_remove_doubles(s, f);
    if (!code) code = fetch_list(s, list, n_list, again, &n_again, sink, f);
    if (!code) code = fetch_list(s, again, n_again, NULL, &none, sink, f);
    for (size_t i = 0; i < n_list; i++) free(list[i].name);
    for (size_t i = 0; i < n_again; i++) free(again[i].name);
    return code;
}
