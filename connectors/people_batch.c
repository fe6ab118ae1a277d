/* Sending a batch (4). Google answers a bad member with an error for all. Whom that names is taken out and the rest is
 * sent; where it names nobody, the batch is halved until the bad one stands alone. */
#include "connectors/people_batch.h"

#include "base/i18n.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCH_MAX 200 /* of creates and updates; of deletes 500 */

static const char *text_of(const json_t *object, const char *member)
{
    return json_string_value(json_object_get(object, member));
}

/* -- outcomes -- */

void people_job_tell(struct people_writing *g, struct people_job *j)
{
    if (j->told) return;
    j->told = true;
    if (g->done) g->done(g->ctx, j->w);
}

void people_job_end(struct people_writing *g, struct people_job *j, enum fault_code code, const struct fault *why)
{
    j->w->code = code;
    if (why) fault_copy(&j->w->fault, why);
    people_job_tell(g, j);
}

void people_job_adopt(struct people_writing *g, struct people_job *j, const json_t *person)
{
    struct session *s = g->s;
    const char *name = text_of(person, "resourceName"), *etag = text_of(person, "etag");
    if (!name) return;
    free(j->w->new_version);
    j->w->new_version = mem_strdup(etag);
    if (!str_eq(str_of(name), j->w->id)) {
        free(j->w->new_id);
        j->w->new_id = mem_strdup(name);
    }
    json_object_set(s->written, name, (json_t *)person);
    json_incref((json_t *)person);
    json_decref(j->person);
    j->person = (json_t *)person;
    people_recent_add(s, RECENT_WRITTEN, name, person);
}

bool people_is_wide(enum fault_code code)
{
    return code > FAULT_COLLECTION_LAST || code == FAULT_PROTOCOL;
}

/* What of a batch can be halved: Google took none of it because of a member. */
static bool is_of_a_member(enum fault_code code)
{
    return code == FAULT_REFUSED || code == FAULT_CHANGED || code == FAULT_GONE || code == FAULT_EXISTS ||
           code == FAULT_TOO_LARGE;
}

/* google.rpc.Status of one member in an answer to all. */
static enum fault_code member_fault(const json_t *status, struct fault *f)
{
    const char *message = text_of(status, "message");
    static const struct {
        int code;
        enum fault_code fault;
    } codes[] = {{5, FAULT_GONE},     {6, FAULT_EXISTS},   {9, FAULT_CHANGED}, {10, FAULT_CHANGED}, {8, FAULT_LOCKED},
                 {14, FAULT_UNKNOWN}, {13, FAULT_UNKNOWN}, {4, FAULT_UNKNOWN}, {2, FAULT_UNKNOWN}};
    int code = (int)json_integer_value(json_object_get(status, "code"));
    if (!code) return FAULT_NONE;
    enum fault_code fault = FAULT_REFUSED;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].code == code) fault = codes[i].fault;
    return fault_set(f, fault, NULL, "%s", message ? message : _("Google does not take it"));
}

void people_job_take(struct people_writing *g, struct people_job *j, const json_t *response)
{
    struct fault why AUTO_FAULT = FAULT_INIT;
    const json_t *person = json_object_get(response, "person");
    enum fault_code code = member_fault(json_object_get(response, "status"), &why);
    if (!code && !text_of(person, "resourceName"))
        code = fault_set(&why, FAULT_UNKNOWN, _("looked at before anything else is done"),
                         _("the answer does not say what became of it"));
    if (!code) people_job_adopt(g, j, person);
    j->w->code = code;
    if (code) people_job_end(g, j, code, &why);
}

/* -- sending: a batch, or its halves -- */

static enum fault_code send(struct people_batch b, const struct people_batch_kind *kind, struct fault *f);

static enum fault_code send_halves(struct people_batch b, const struct people_batch_kind *kind, struct fault *f)
{
    struct people_batch first = {b.g, b.jobs, b.n / 2}, second = {b.g, b.jobs + b.n / 2, b.n - b.n / 2};
    enum fault_code code = send(first, kind, f);
    return code ? code : send(second, kind, f);
}

/* What the details of a refusal say of a member, by its number in the batch or its name, however deep it lies. */
static const json_t *blame(const json_t *details, const char *key, int depth)
{
    const json_t *found = json_object_get(details, key), *value;
    const char *name;
    size_t i;
    if (json_is_object(found) || depth > 4) return found;
    found = NULL;
    json_array_foreach((json_t *)details, i, value) if (!found) found = blame(value, key, depth + 1);
    json_object_foreach((json_t *)details, name, value) if (!found) found = blame(value, key, depth + 1);
    return found;
}

static const json_t *blame_of(const struct people_batch *b, size_t i, const json_t *details)
{
    char number[24];
    snprintf(number, sizeof number, "%zu", i);
    const char *name = text_of(b->jobs[i]->person, "resourceName");
    return blame(details, name ? name : number, 0);
}

/* Ends those the refusal names and sends the rest; false where it names nobody, or all. */
static bool send_rest(struct people_batch b, const struct people_batch_kind *kind, const json_t *details,
                      const struct fault *why, enum fault_code *code, struct fault *f)
{
    struct people_job **rest AUTO_FREE = mem_alloc((b.n + 1) * sizeof *rest);
    size_t n = 0;
    for (size_t i = 0; i < b.n; i++)
        if (!blame_of(&b, i, details)) rest[n++] = b.jobs[i];
    if (!n || n == b.n) return false;
    for (size_t i = 0; i < b.n; i++) {
        struct fault own AUTO_FAULT = FAULT_INIT;
        const json_t *said = blame_of(&b, i, details), *status = json_object_get(said, "status");
        if (!said) continue;
        enum fault_code of_it = member_fault(json_is_object(status) ? status : said, &own);
        people_job_end(b.g, b.jobs[i], of_it ? of_it : why->code, of_it ? &own : why);
    }
    *code = send((struct people_batch){b.g, rest, n}, kind, f);
    return true;
}

static void end_all(const struct people_batch *b, enum fault_code code, const struct fault *why)
{
    for (size_t i = 0; i < b->n; i++) people_job_end(b->g, b->jobs[i], code, why);
}

/* The account is full. What still fits is found out by halves; then nothing is tried any more in this session. */
static enum fault_code no_room(struct people_batch b, const struct people_batch_kind *kind, struct fault *why,
                               struct fault *f)
{
    if (b.n > 1) return send_halves(b, kind, f);
    b.g->s->no_room = true;
    why->code = FAULT_LOCKED; /* of this record; tried again by the next run */
    end_all(&b, FAULT_LOCKED, why);
    return FAULT_NONE;
}

static bool is_shut_out(const struct people_batch *b)
{
    return b->g->s->no_room && b->jobs[0]->w->kind == WRITE_CREATE;
}

static enum fault_code send(struct people_batch b, const struct people_batch_kind *kind, struct fault *f)
{
    struct fault why AUTO_FAULT = FAULT_INIT;
    if (is_shut_out(&b)) {
        fault_set(&why, FAULT_LOCKED, _("delete some there; the next run tries again"), "%s",
                  _("Google keeps no more than 25,000 contacts of an account"));
        end_all(&b, FAULT_LOCKED, &why);
        return FAULT_NONE;
    }
    json_t *body = kind->body(&b);
    struct people_call c AUTO_CALL = {.method = "POST",
                                      .path = kind->path,
                                      .body = body,
                                      .write = true,
                                      .reads = json_object_get(body, "readMask") != NULL};
    enum fault_code code = people_do(b.g->s, &c, &why), rest;
    json_decref(body);
    if (!code) {
        kind->answer(&b, c.answer);
        return FAULT_NONE;
    }
    if (code == FAULT_QUOTA) return no_room(b, kind, &why, f);
    if (is_of_a_member(code) && b.n > 1) {
        if (c.details && send_rest(b, kind, c.details, &why, &rest, f)) return rest;
        return send_halves(b, kind, f);
    }
    if (people_is_wide(code)) {
        if (f) fault_copy(f, &why);
        return code;
    }
    end_all(&b, code, &why);
    return FAULT_NONE;
}

enum fault_code people_batch_send(struct people_writing *g, struct people_job **jobs, size_t n,
                                  const struct people_batch_kind *kind, struct fault *f)
{
    enum fault_code code = FAULT_NONE;
    for (size_t at = 0; !code && at < n; at += BATCH_MAX) {
        size_t first = g->s->n_recent;
        code = send((struct people_batch){g, jobs + at, n - at < BATCH_MAX ? n - at : BATCH_MAX}, kind, f);
        people_recent_keep(g->s, first);
    }
    return code;
}
