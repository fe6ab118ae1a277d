/* Writes (4), up to twenty in a batch: creates, updates, deletes. Before an update or a delete the contact is read: its
 * etag is compared with the plan's, for nobody promises that If-Match counts for contacts, and an update fits its
 * changes into the places there are. */
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/graph_session.h"
#include "mapping/vcard.h"

#include <stdlib.h>

#define BUSY_ROUNDS 2

struct job { /* one write */
    struct write *w;
    json_t *wanted, *body, *current;
    char *name;        /* what Outlook calls it */
    const char *photo; /* base64, in `wanted`, to be sent; NULL = none */
    bool lost;         /* a create: nobody knows what became of it */
    bool busy;         /* the answer was that the service is busy (503, 504) */
    bool told;
};

struct writing {
    struct session *s;
    struct job *jobs;
    size_t n;
    void (*done)(void *ctx, struct write *w);
    void *ctx;
};

typedef struct graph_part make_part(struct writing *g, struct job *j);
typedef void take_part(struct writing *g, struct job *j, struct graph_part *p);

/* -- outcomes -- */

static void tell(struct writing *g, struct job *j)
{
    if (j->told) return;
    j->told = true;
    if (g->done) g->done(g->ctx, j->w);
}

static void end_with(struct writing *g, struct job *j, enum fault_code code, const struct fault *why)
{
    j->w->code = code;
    if (why) fault_copy(&j->w->fault, why);
    tell(g, j);
}

static void refuse(struct writing *g, struct job *j, enum fault_code code, const char *advice, const char *what)
{
    struct fault why AUTO_FAULT = FAULT_INIT;
    fault_set(&why, code, advice, "%s", what);
    end_with(g, j, code, &why);
}

static const char *text_of(const json_t *object, const char *member)
{
    return json_string_value(json_object_get(object, member));
}

static void set_version(struct job *j, const json_t *contact)
{
    free(j->w->new_version);
    j->w->new_version = mem_strdup(text_of(contact, "@odata.etag"));
}

/* -- batches of one kind -- */

static enum fault_code send_all(struct writing *g, struct job **jobs, size_t n, make_part *make, take_part *take,
                                struct fault *f)
{
    struct graph_part *parts AUTO_FREE = mem_calloc(n + 1, sizeof *parts);
    for (size_t i = 0; i < n; i++) parts[i] = make(g, jobs[i]);
    enum fault_code code = n ? graph_batch(g->s, parts, n, f) : FAULT_NONE;
    for (size_t i = 0; i < n; i++)
        if (parts[i].code != FAULT_CANCELLED) take(g, jobs[i], &parts[i]);
    graph_parts_free(parts, n);
    return code;
}

static char *contact_url(struct writing *g, const struct job *j)
{
    struct buf url AUTO_BUF = BUF_INIT;
    graph_add_contact(g->s, str_of(j->name), &url);
    return buf_detach(&url);
}

/* -- creates -- */

static struct graph_part create_part(struct writing *g, struct job *j)
{
    struct buf url AUTO_BUF = BUF_INIT;
    graph_add_contacts(g->s, g->s->path, &url);
    return (struct graph_part){
        .method = "POST", .url = buf_detach(&url), .body = json_incref(j->body), .write = true, .create = true};
}

static void take_created(struct writing *g, struct job *j, const char *id, const json_t *contact)
{
    free(j->name);
    j->name = mem_strdup(id);
    free(j->w->new_id);
    j->w->new_id = mem_strdup(id);
    set_version(j, contact);
    graph_learn_default(g->s, text_of(contact, "parentFolderId"));
    j->w->code = FAULT_NONE;
    j->lost = false;
    if (!j->photo) json_object_set_new(g->s->bare, id, json_true());
}

static void take_create(struct writing *g, struct job *j, struct graph_part *p)
{
    const char *id = text_of(p->answer, "id");
    if (!p->code && id)
        take_created(g, j, id, p->answer);
    else if (!p->code || p->code == FAULT_UNKNOWN) {
        j->lost = true;
        j->busy = p->status == 503 || p->status == 504;
        j->w->code = FAULT_UNKNOWN;
        fault_clear(&j->w->fault);
        fault_set(&j->w->fault, FAULT_UNKNOWN, _("looked at before anything else is done"), "%s",
                  p->fault.what ? p->fault.what : _("the answer does not say what became of it"));
    } else if (p->code == FAULT_GONE)
        refuse(g, j, FAULT_NO_COLLECTION, _("see `abgleich discover`"), _("the folder is not there any more"));
    else
        end_with(g, j, p->code, &p->fault);
}

/* Some mailboxes want a given name of everybody (2): then the name as shown is sent as that, once. */
static void take_create_or_name(struct writing *g, struct job *j, struct graph_part *p)
{
    json_t *name = json_object_get(j->body, "displayName");
    bool unnamed = p->status == 400 && !json_object_get(j->body, "givenName") && name &&
                   strcmp(graph_error_word(p->answer), "ErrorInvalidProperty") == 0;
    if (unnamed)
        json_object_set(j->body, "givenName", name);
    else
        take_create(g, j, p);
}

static enum fault_code look_for(struct writing *g, struct job *j, bool afresh, struct fault *f)
{
    char *found = NULL;
    bool maybe;
    enum fault_code code = graph_find_created(g->s, j->w->id, afresh, &found, &maybe, f);
    if (!code && found) take_created(g, j, found, NULL);
    free(found);
    return code;
}

static size_t count_lost(struct job **jobs, size_t n)
{
    size_t lost = 0;
    for (size_t i = 0; i < n; i++) lost += jobs[i]->lost;
    return lost;
}

/* At once, after five seconds, after a minute (4). */
static enum fault_code look_for_lost(struct writing *g, struct job **jobs, size_t n, struct fault *f)
{
    static const int64_t pauses_ms[] = {0, 5000, 55000};
    struct session *s = g->s;
    for (size_t k = 0; k < sizeof pauses_ms / sizeof *pauses_ms && count_lost(jobs, n); k++) {
        enum fault_code code = FAULT_NONE;
        bool afresh = true; /* one look at all serves them all */
        if (pauses_ms[k] && s->env->sleep_ms(s->env, pauses_ms[k]))
            return fault_set(f, FAULT_CANCELLED, _("the next run goes on"), _("stopped"));
        for (size_t i = 0; i < n && !code; i++)
            if (jobs[i]->lost) code = look_for(g, jobs[i], afresh, f), afresh = false;
        if (code) return code;
    }
    return FAULT_NONE;
}

/* A service that said it was busy, and has nothing of it a minute later, did not do it. */
static size_t take_busy(struct job **jobs, size_t n, struct job **out)
{
    size_t left = 0;
    for (size_t i = 0; i < n; i++) {
        if (!jobs[i]->lost || !jobs[i]->busy) continue;
        jobs[i]->lost = false;
        jobs[i]->w->code = FAULT_CANCELLED;
        fault_clear(&jobs[i]->w->fault);
        out[left++] = jobs[i];
    }
    return left;
}

static size_t unanswered(struct job **jobs, size_t n, struct job **out)
{
    size_t left = 0;
    for (size_t i = 0; i < n; i++)
        if (!jobs[i]->told && jobs[i]->w->code == FAULT_CANCELLED) out[left++] = jobs[i];
    return left;
}

static void note_answered(struct writing *g, struct job **jobs, size_t n)
{
    struct str *ids AUTO_FREE = mem_alloc((n + 1) * sizeof *ids);
    size_t known = 0;
    for (size_t i = 0; i < n; i++)
        if (!jobs[i]->lost) ids[known++] = jobs[i]->w->id;
    graph_answered(g->s, ids, known);
}

static enum fault_code send_rounds(struct writing *g, struct job **jobs, size_t n, struct fault *f)
{
    struct job **again AUTO_FREE = mem_alloc((n + 1) * sizeof *again);
    enum fault_code code = send_all(g, jobs, n, create_part, take_create_or_name, f);
    size_t left = code ? 0 : unanswered(jobs, n, again);
    if (left) code = send_all(g, again, left, create_part, take_create, f);
    for (int round = 0; !code && round < BUSY_ROUNDS; round++) {
        code = look_for_lost(g, jobs, n, f);
        left = code ? 0 : take_busy(jobs, n, again);
        if (!left) break;
        code = send_all(g, again, left, create_part, take_create, f);
    }
    return code ? code : look_for_lost(g, jobs, n, f);
}

/* What is not found in the end is looked for in the next run. */
static enum fault_code send_creates(struct writing *g, struct job **jobs, size_t n, struct fault *f)
{
    struct str *ids AUTO_FREE = mem_alloc((n + 1) * sizeof *ids);
    for (size_t i = 0; i < n; i++) ids[i] = jobs[i]->w->id;
    graph_sending(g->s, ids, n);
    enum fault_code code = send_rounds(g, jobs, n, f);
    for (size_t i = 0; i < n; i++)
        if (jobs[i]->lost) tell(g, jobs[i]);
    note_answered(g, jobs, n);
    return code;
}

/* -- pictures: a request of their own, and never the contact's failure -- */

static enum fault_code send_picture(struct writing *g, struct job *j, struct fault *f)
{
    struct buf bytes AUTO_BUF = BUF_INIT;
    struct buf url AUTO_BUF = BUF_INIT;
    base64_decode(str_of(j->photo), &bytes);
    graph_add_contact(g->s, str_of(j->name), &url);
    buf_adds(&url, "/photo/$value");
    struct graph_call c AUTO_CALL = {.method = "PUT",
                                     .url = buf_cstr(&url),
                                     .bytes = buf_str(&bytes),
                                     .type = "image/jpeg",
                                     .write = true,
                                     .harmless = true};
    return graph_do(g->s, &c, f);
}

/* The version is another one then, and the picture not the one that was sent: what is read back says both. */
static void note_picture(struct writing *g, struct job *j, enum fault_code code, const struct fault *why)
{
    if (code) {
        env_logf(g->s->env, LOG_WARNING, "account=%s picture=refused status=%d", g->s->account->name, why->http_status);
        if (j->w->kind == WRITE_UPDATE && !json_object_size(j->body)) j->w->nothing_sent = true;
        if (j->w->nothing_sent) return; /* the picture was all there was */
    }
    free(j->w->new_version);
    j->w->new_version = NULL;
}

static enum fault_code send_pictures(struct writing *g, struct job **jobs, size_t n, struct fault *f)
{
    enum fault_code wide = FAULT_NONE;
    for (size_t i = 0; i < n; i++) {
        struct fault why AUTO_FAULT = FAULT_INIT;
        struct job *j = jobs[i];
        if (j->told || j->w->code) continue;
        enum fault_code code = j->photo && !wide ? send_picture(g, j, &why) : wide;
        bool refused = code == FAULT_AUTH && why.http_status == 403; /* of the picture alone */
        if (code > FAULT_COLLECTION_LAST && !refused) {
            if (!wide && f) fault_copy(f, &why);
            wide = code;
        } else if (j->photo)
            note_picture(g, j, code, &why);
        if (wide && j->photo) end_with(g, j, FAULT_UNKNOWN, NULL); /* half of it is there */
        tell(g, j);
    }
    return wide;
}

/* -- what is there now -- */

static struct graph_part look_part(struct writing *g, struct job *j)
{
    struct buf url AUTO_BUF = BUF_INIT;
    graph_add_contact(g->s, str_of(j->name), &url);
    if (j->w->kind == WRITE_UPDATE)
        graph_add_select(g->s, &url);
    else
        buf_adds(&url, "?$select=id,parentFolderId");
    return (struct graph_part){.method = "GET", .url = buf_detach(&url)};
}

static void take_look(struct writing *g, struct job *j, struct graph_part *p)
{
    if (!p->code)
        j->current = json_incref(p->answer);
    else
        end_with(g, j, p->code == FAULT_INCOMPLETE ? FAULT_LOCKED : p->code, &p->fault);
}

/* Is it in this folder, and as the plan saw it? */
static enum fault_code compare(struct writing *g, struct job *j, struct fault *f)
{
    enum graph_place place = GRAPH_HERE;
    const char *etag = text_of(j->current, "@odata.etag");
    enum fault_code code = graph_place_of(g->s, j->current, &place, f);
    if (code) return code;
    if (place != GRAPH_HERE)
        refuse(g, j, FAULT_GONE, NULL, _("it is not in this folder any more"));
    else if (j->w->version.n && etag && !str_eq(j->w->version, str_of(etag)))
        refuse(g, j, FAULT_CHANGED, _("planned again"), _("changed there meanwhile"));
    return FAULT_NONE;
}

static enum fault_code look(struct writing *g, struct fault *f)
{
    struct job **some AUTO_FREE = mem_alloc((g->n + 1) * sizeof *some);
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++)
        if (g->jobs[i].w->kind != WRITE_CREATE) some[n++] = &g->jobs[i];
    enum fault_code code = send_all(g, some, n, look_part, take_look, f);
    for (size_t i = 0; i < n && !code; i++)
        if (some[i]->current && !some[i]->told) code = compare(g, some[i], f);
    return code;
}

/* -- updates -- */

/* Is the picture another one? One that is there and cannot be read is left as it is. */
static enum fault_code compare_pictures(struct writing *g, struct job **jobs, size_t n, struct fault *f)
{
    struct graph_picture *list AUTO_FREE = mem_calloc(n + 1, sizeof *list);
    size_t asked = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        if (jobs[i]->photo) list[asked++].id = jobs[i]->w->id;
    enum fault_code code = asked ? graph_pictures(g->s, list, asked, f) : FAULT_NONE;
    for (size_t i = 0; i < n && !code; i++) {
        if (!jobs[i]->photo) continue;
        const struct graph_picture *p = &list[at++];
        if (p->withheld || (p->base64 && strcmp(p->base64, jobs[i]->photo) == 0)) jobs[i]->photo = NULL;
    }
    for (size_t i = 0; i < asked; i++) free(list[i].base64);
    return code;
}

static struct graph_part update_part(struct writing *g, struct job *j)
{
    return (struct graph_part){.method = "PATCH",
                               .url = contact_url(g, j),
                               .body = json_incref(j->body),
                               .if_match = text_of(j->current, "@odata.etag"),
                               .write = true};
}

static void take_update(struct writing *g, struct job *j, struct graph_part *p)
{
    if (p->code) {
        end_with(g, j, p->code, &p->fault);
        return;
    }
    j->w->code = FAULT_NONE;
    set_version(j, p->answer);
}

/* What changes nothing that Graph can hold is not sent. */
static enum fault_code send_updates(struct writing *g, struct job **jobs, size_t n, struct fault *f)
{
    struct job **some AUTO_FREE = mem_alloc((n + 1) * sizeof *some);
    size_t left = 0;
    for (size_t i = 0; i < n; i++) {
        struct job *j = jobs[i];
        if (json_object_size(j->body)) {
            some[left++] = j;
            continue;
        }
        j->w->code = FAULT_NONE;
        j->w->nothing_sent = !j->photo;
        set_version(j, j->current);
    }
    return send_all(g, some, left, update_part, take_update, f);
}

/* -- deletes -- */

static struct graph_part delete_part(struct writing *g, struct job *j)
{
    return (struct graph_part){
        .method = "DELETE", .url = contact_url(g, j), .if_match = text_of(j->current, "@odata.etag"), .write = true};
}

static void take_delete(struct writing *g, struct job *j, struct graph_part *p)
{
    if (!p->code) json_object_set_new(g->s->deleted, j->name, json_true());
    end_with(g, j, p->code, p->code ? &p->fault : NULL);
}

/* -- all of it -- */

/* False: it has its outcome without being sent. */
static bool is_ready(struct writing *g, struct job *j)
{
    struct fault why AUTO_FAULT = FAULT_INIT;
    if (j->told || (j->w->kind != WRITE_CREATE && !j->current)) return false;
    if (j->w->kind == WRITE_DELETE) return true;
    j->wanted = graph_wanted(j->w->body, g->s->carry, &why);
    if (!j->wanted) {
        end_with(g, j, why.code ? why.code : FAULT_REFUSED, &why);
        return false;
    }
    struct buf operation AUTO_BUF = BUF_INIT;
    graph_operation(j->w->id, &operation);
    j->photo = text_of(j->wanted, "photo");
    j->body = j->w->kind == WRITE_CREATE ? graph_create_body(j->wanted, g->s->carry, buf_str(&operation))
                                         : graph_update_body(j->current, j->wanted, g->s->carry);
    return true;
}

static size_t ready_ones(struct writing *g, enum write_kind kind, struct job **out)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++)
        if (g->jobs[i].w->kind == kind && is_ready(g, &g->jobs[i])) out[n++] = &g->jobs[i];
    return n;
}

static enum fault_code carry_out(struct writing *g, struct fault *f)
{
    struct job **some AUTO_FREE = mem_alloc((g->n + 1) * sizeof *some);
    enum fault_code code = graph_remove_doubles(g->s, f);
    size_t n = code ? 0 : ready_ones(g, WRITE_CREATE, some);
    if (!code && n && strcmp(g->s->path, GRAPH_DEFAULT) == 0) code = graph_know_default(g->s, f);
    if (!code) code = send_creates(g, some, n, f);
    if (!code) code = graph_remove_doubles(g->s, f);
    if (!code) code = send_pictures(g, some, n, f);
    if (!code) code = look(g, f);
    if (!code) {
        n = ready_ones(g, WRITE_UPDATE, some);
        code = compare_pictures(g, some, n, f);
        if (!code) code = send_updates(g, some, n, f);
        if (!code) code = send_pictures(g, some, n, f);
    }
    if (!code) {
        n = ready_ones(g, WRITE_DELETE, some);
        code = send_all(g, some, n, delete_part, take_delete, f);
    }
    return code;
}

enum fault_code graph_write(struct session *s, struct write *writes, size_t n, void (*done)(void *ctx, struct write *w),
                            void *ctx, struct fault *f)
{
    struct job *jobs AUTO_FREE = mem_calloc(n + 1, sizeof *jobs);
    struct writing g = {s, jobs, n, done, ctx};
    for (size_t i = 0; i < n; i++) {
        writes[i].code = FAULT_CANCELLED;
        jobs[i].w = &writes[i];
        jobs[i].name = mem_strndup(writes[i].id.p, writes[i].id.n);
    }
    enum fault_code code = carry_out(&g, f);
    for (size_t i = 0; i < n; i++) {
        json_decref(jobs[i].wanted);
        json_decref(jobs[i].body);
        json_decref(jobs[i].current);
        free(jobs[i].name);
    }
    return code;
}
