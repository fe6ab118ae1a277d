/* Writes, one request after another (4): creates, then updates grouped by what they change, then deletes, each as a
 * batch (people_batch.c). Before an update or a delete the person is read: there is no precondition on deletes, and an
 * update sends their lists with our change applied. */
#include "connectors/people_batch.h"

#include "base/i18n.h"
#include "base/mem.h"

#include <stdlib.h>

static const char *text_of(const json_t *object, const char *member)
{
    return json_string_value(json_object_get(object, member));
}

static void add_read_mask(json_t *body)
{
    struct buf fields AUTO_BUF = BUF_INIT;
    people_fields(&fields);
    json_object_set_new(body, "readMask", json_string(buf_cstr(&fields)));
    json_object_set_new(body, "sources", json_pack("[s]", PEOPLE_SOURCES));
}

/* -- pictures: a call of their own, after the person -- */

static enum fault_code send_picture(struct people_writing *g, struct people_job *j, struct fault *f)
{
    const char *name = text_of(j->person, "resourceName"), *photo = text_of(j->wanted, "photo");
    struct buf path AUTO_BUF = BUF_INIT;
    struct buf fields AUTO_BUF = BUF_INIT;
    people_fields(&fields);
    buf_addf(&path, "%s:%s", name, photo ? "updateContactPhoto" : "deleteContactPhoto");
    json_t *body = photo ? json_pack("{s:s, s:s, s:[s]}", "photoBytes", photo, "personFields", buf_cstr(&fields),
                                     "sources", PEOPLE_SOURCES)
                         : NULL;
    if (!photo) people_add_fields(&path);
    struct people_call c AUTO_CALL = {
        .method = photo ? "PATCH" : "DELETE", .path = buf_cstr(&path), .body = body, .write = true, .reads = true};
    enum fault_code code = people_do(g->s, &c, f);
    json_decref(body);
    if (!code && text_of(json_object_get(c.answer, "person"), "resourceName"))
        people_job_adopt(g, j, json_object_get(c.answer, "person"));
    return code;
}

/* A picture that Google does not take never fails the contact: it stays on the other side. */
static void note_refused_picture(struct people_writing *g, struct people_job *j, const struct fault *why)
{
    env_logf(g->s->env, LOG_WARNING, "account=%s picture=refused status=%d", g->s->account->name, why->http_status);
    if (j->w->kind != WRITE_UPDATE || j->mask.len) return;
    j->w->nothing_sent = true; /* the picture was all there was */
    people_job_adopt(g, j, j->person);
}

static enum fault_code send_pictures(struct people_writing *g, struct people_job **jobs, size_t n, struct fault *f)
{
    size_t first = g->s->n_recent;
    enum fault_code wide = FAULT_NONE;
    for (size_t i = 0; i < n; i++) {
        struct people_job *j = jobs[i];
        struct fault why AUTO_FAULT = FAULT_INIT;
        if (j->w->code || j->told) continue;
        enum fault_code code = j->picture && !wide ? send_picture(g, j, &why) : FAULT_NONE;
        if (people_is_wide(code)) {
            wide = code;
            if (f) fault_copy(f, &why);
        } else if (code == FAULT_UNKNOWN)
            people_job_end(g, j, code, &why);
        else if (code)
            note_refused_picture(g, j, &why);
        if (wide && j->picture) people_job_end(g, j, FAULT_UNKNOWN, NULL); /* half of it is there */
        people_job_tell(g, j);
    }
    people_recent_keep(g->s, first);
    return wide;
}

/* -- creates -- */

static json_t *create_body(const struct people_batch *b)
{
    json_t *list = json_array(), *body = json_pack("{s:o}", "contacts", list);
    for (size_t i = 0; i < b->n; i++)
        json_array_append_new(list, json_pack("{s:O}", "contactPerson", b->jobs[i]->body));
    add_read_mask(body);
    return body;
}

/* Whose answer it is says the operation id, else its place. */
static const json_t *created_person(const struct people_batch *b, const json_t *list, size_t i)
{
    for (size_t k = 0; k < json_array_size(list); k++) {
        const char *operation =
            people_client_data(json_object_get(json_array_get(list, k), "person"), PEOPLE_KEY_OPERATION);
        if (operation && strcmp(operation, b->jobs[i]->operation) == 0) return json_array_get(list, k);
    }
    const json_t *there = json_array_get(list, i);
    return text_of(json_object_get(there, "person"), "resourceName") ? NULL : there;
}

static void create_answer(struct people_batch *b, const json_t *answer)
{
    const json_t *list = json_object_get(answer, "createdPeople");
    for (size_t i = 0; i < b->n; i++) people_job_take(b->g, b->jobs[i], created_person(b, list, i));
}

static const struct people_batch_kind creates = {"people:batchCreateContacts", create_body, create_answer};

static bool wants_uid(const struct people_writing *g, const struct people_job *j)
{
    const char *how = account_setting(g->s->account, PEOPLE_UID);
    return j->w->uid.n && how && strcmp(how, "visible") == 0;
}

static bool make_create(struct people_writing *g, struct people_job *j, struct fault *f)
{
    struct str id = j->w->id, prefix = STR(PEOPLE_NEW);
    /* A name it had: a record that comes back. Google gives another one. */
    struct str operation = str_starts(id, prefix) ? (struct str){id.p + prefix.n, id.n - prefix.n} : id;
    j->operation = mem_strndup(operation.p, operation.n);
    j->body = people_create_body(j->wanted, operation, j->w->uid, &g->s->groups, f);
    j->picture = text_of(j->wanted, "photo") != NULL;
    if (j->body && wants_uid(g, j)) people_show_uid(j->body, j->w->uid);
    return j->body != NULL;
}

/* What is about to be sent is remembered first: only what certainly never was may be sent again at once. */
static enum fault_code send_creates(struct people_writing *g, struct people_job **jobs, size_t n, struct fault *f)
{
    size_t first = g->s->n_recent;
    for (size_t i = 0; i < n; i++) people_recent_add(g->s, RECENT_SENT, jobs[i]->operation, NULL);
    people_recent_keep(g->s, first);
    return people_batch_send(g, jobs, n, &creates, f);
}

/* -- updates -- */

static json_t *update_body(const struct people_batch *b)
{
    json_t *contacts = json_object(),
           *body = json_pack("{s:o, s:s}", "contacts", contacts, "updateMask", buf_cstr(&b->jobs[0]->mask));
    for (size_t i = 0; i < b->n; i++)
        json_object_set(contacts, text_of(b->jobs[i]->person, "resourceName"), b->jobs[i]->body);
    add_read_mask(body);
    return body;
}

static void update_answer(struct people_batch *b, const json_t *answer)
{
    const json_t *map = json_object_get(answer, "updateResult");
    for (size_t i = 0; i < b->n; i++)
        people_job_take(b->g, b->jobs[i], json_object_get(map, text_of(b->jobs[i]->person, "resourceName")));
}

static const struct people_batch_kind updates = {"people:batchUpdateContacts", update_body, update_answer};

static bool picture_differs(struct people_writing *g, struct people_job *j, struct fault *f)
{
    struct buf now AUTO_BUF = BUF_INIT;
    struct buf base64 AUTO_BUF = BUF_INIT;
    const char *wanted = text_of(j->wanted, "photo");
    if (!wanted && !people_photo_url(j->person)) return false;
    if (people_picture(g->s, j->person, &now, f)) return false;
    people_base64(buf_str(&now), &base64);
    return !str_eq(buf_str(&base64), str_of(wanted ? wanted : ""));
}

static bool make_update(struct people_writing *g, struct people_job *j, struct fault *f)
{
    const json_t *source = people_source(j->person);
    if (people_know_groups(g->s, j->person, f)) return false;
    j->body = people_update_body(j->person, j->wanted, &g->s->groups, &j->mask, f);
    if (!j->body) return false;
    j->picture = picture_differs(g, j, f);
    if (f->code) return false;
    json_object_set(j->body, "etag", json_object_get(j->person, "etag"));
    json_object_set(j->body, "resourceName", json_object_get(j->person, "resourceName"));
    json_object_set_new(j->body, "metadata", json_pack("{s:[O]}", "sources", source));
    return true;
}

/* All that has one mask goes together; what changes nothing Google can hold is not sent. */
static enum fault_code send_updates(struct people_writing *g, struct people_job **jobs, size_t n, struct fault *f)
{
    struct people_job **group AUTO_FREE = mem_alloc((n + 1) * sizeof *group);
    bool *sent AUTO_FREE = mem_calloc(n + 1, sizeof *sent);
    enum fault_code code = FAULT_NONE;
    for (size_t i = 0; !code && i < n; i++) {
        size_t some = 0;
        if (sent[i]) continue;
        for (size_t k = i; k < n; k++)
            if (!sent[k] && str_eq(buf_str(&jobs[k]->mask), buf_str(&jobs[i]->mask)))
                group[some++] = jobs[k], sent[k] = true;
        if (jobs[i]->mask.len) {
            code = people_batch_send(g, group, some, &updates, f);
            continue;
        }
        for (size_t k = 0; k < some; k++) {
            group[k]->w->code = FAULT_NONE;
            group[k]->w->nothing_sent = !group[k]->picture;
            if (!group[k]->picture) people_job_adopt(g, group[k], group[k]->person);
        }
    }
    return code;
}

/* -- deletes -- */

static json_t *delete_body(const struct people_batch *b)
{
    json_t *names = json_array();
    for (size_t i = 0; i < b->n; i++) json_array_append(names, json_object_get(b->jobs[i]->person, "resourceName"));
    return json_pack("{s:o}", "resourceNames", names);
}

static void delete_answer(struct people_batch *b, const json_t *answer)
{
    (void)answer;
    for (size_t i = 0; i < b->n; i++) {
        people_recent_add(b->g->s, RECENT_DELETED, text_of(b->jobs[i]->person, "resourceName"), NULL);
        people_job_end(b->g, b->jobs[i], FAULT_NONE, NULL);
    }
}

static const struct people_batch_kind deletes = {"people:batchDeleteContacts", delete_body, delete_answer};

/* -- what is there now -- */

static enum fault_code note_person(void *ctx, struct str asked, const json_t *person, struct fault *f)
{
    struct people_writing *g = ctx;
    (void)f;
    for (size_t i = 0; i < g->n; i++) {
        struct people_job *j = &g->jobs[i];
        if (j->w->kind == WRITE_CREATE || j->told || !str_eq(j->w->id, asked)) continue;
        if (!person) {
            fault_set(&j->w->fault, FAULT_GONE, NULL, "%s", _("it is not there any more"));
            people_job_end(g, j, FAULT_GONE, NULL);
        } else
            j->person = json_incref((json_t *)person);
    }
    return FAULT_NONE;
}

static enum fault_code look(struct people_writing *g, struct fault *f)
{
    struct str *names AUTO_FREE = mem_alloc((g->n + 1) * sizeof *names);
    const struct people_reader reader = {g, note_person};
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++)
        if (g->jobs[i].w->kind != WRITE_CREATE) names[n++] = g->jobs[i].w->id;
    return people_read(g->s, names, n, &reader, f);
}

/* Does the person still have the version the plan was made for? Nobody answering for it is Google's delay, not ours to
 * guess. */
static bool is_as_planned(struct people_writing *g, struct people_job *j)
{
    const char *etag = text_of(j->person, "etag");
    if (!j->person) {
        fault_set(&j->w->fault, FAULT_LOCKED, _("the next run tries again"), "%s",
                  _("Google does not show yet what was written last"));
        people_job_end(g, j, FAULT_LOCKED, NULL);
    } else if (j->w->version.n && !str_eq(j->w->version, str_of(etag))) {
        fault_set(&j->w->fault, FAULT_CHANGED, _("planned again"), "%s", _("changed there meanwhile"));
        people_job_end(g, j, FAULT_CHANGED, NULL);
    } else
        return true;
    return false;
}

/* -- all of it -- */

/* False: it has its outcome without being sent. */
static bool is_ready(struct people_writing *g, struct people_job *j)
{
    struct fault why AUTO_FAULT = FAULT_INIT;
    if (j->told || (j->w->kind != WRITE_CREATE && !is_as_planned(g, j))) return false;
    if (j->w->kind == WRITE_DELETE) return true;
    j->wanted = people_wanted(j->w->body, &why);
    bool made = j->wanted && (j->w->kind == WRITE_CREATE ? make_create(g, j, &why) : make_update(g, j, &why));
    if (!made) people_job_end(g, j, why.code ? why.code : FAULT_REFUSED, &why);
    return made;
}

static size_t ready_ones(struct people_writing *g, enum write_kind kind, struct people_job **out)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++)
        if (g->jobs[i].w->kind == kind && is_ready(g, &g->jobs[i])) out[n++] = &g->jobs[i];
    return n;
}

static enum fault_code carry_out(struct people_writing *g, struct fault *f)
{
    struct people_job **some AUTO_FREE = mem_alloc((g->n + 1) * sizeof *some);
    size_t n = ready_ones(g, WRITE_CREATE, some);
    enum fault_code code = send_creates(g, some, n, f);
    if (!code) code = send_pictures(g, some, n, f);
    if (!code) code = look(g, f);
    if (!code) {
        n = ready_ones(g, WRITE_UPDATE, some);
        code = send_updates(g, some, n, f);
        if (!code) code = send_pictures(g, some, n, f);
    }
    if (!code) {
        n = ready_ones(g, WRITE_DELETE, some);
        code = people_batch_send(g, some, n, &deletes, f);
    }
    return code;
}

enum fault_code people_write(struct session *s, struct write *writes, size_t n,
                             void (*done)(void *ctx, struct write *w), void *ctx, struct fault *f)
{
    struct people_job *jobs AUTO_FREE = mem_calloc(n + 1, sizeof *jobs);
    struct people_writing g = {s, jobs, n, done, ctx};
    json_decref(s->written);
    s->written = json_object();
    for (size_t i = 0; i < n; i++) {
        writes[i].code = FAULT_CANCELLED;
        jobs[i].w = &writes[i];
    }
    enum fault_code code = carry_out(&g, f);
    for (size_t i = 0; i < n; i++) {
        free(jobs[i].operation);
        json_decref(jobs[i].wanted);
        json_decref(jobs[i].body);
        json_decref(jobs[i].person);
        buf_free(&jobs[i].mask);
    }
    return code;
}
