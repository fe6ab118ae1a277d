/* $batch (4): up to twenty requests in one, each with its own answer, in any order. Those that were refused for their
 * number are sent again alone, after the longest pause that any of them was told. */
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/graph_session.h"

#include <stdlib.h>

void graph_parts_free(struct graph_part *parts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(parts[i].url);
        json_decref(parts[i].body);
        json_decref(parts[i].answer);
        fault_clear(&parts[i].fault);
    }
}

/* -- asking -- */

static json_t *request_of(const struct graph_part *p, size_t number)
{
    struct buf id AUTO_BUF = BUF_INIT;
    json_t *headers = json_pack("{s:s}", "Prefer", "IdType=\"ImmutableId\"");
    buf_addf(&id, "%zu", number);
    if (p->body) json_object_set_new(headers, "Content-Type", json_string("application/json"));
    if (p->if_match) json_object_set_new(headers, "If-Match", json_string(p->if_match));
    json_t *request =
        json_pack("{s:s, s:s, s:s, s:o}", "id", buf_cstr(&id), "method", p->method, "url", p->url, "headers", headers);
    if (p->body) json_object_set(request, "body", p->body);
    return request;
}

static json_t *body_of(struct graph_part *const *list, size_t n)
{
    json_t *requests = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(requests, request_of(list[i], i + 1));
    return json_pack("{s:o}", "requests", requests);
}

/* -- answers -- */

static int64_t retry_after(const json_t *headers)
{
    const char *name;
    json_t *value;
    long long seconds;
    json_object_foreach((json_t *)headers, name, value)
    {
        if (!str_eq_nocase(str_of(name), STR("Retry-After"))) continue;
        bool read = str_to_int64(str_trim(str_of(json_string_value(value))), &seconds);
        return read && seconds > 0 && seconds < 86400 ? seconds * 1000 : 0;
    }
    return 0;
}

static void forget_answer(struct graph_part *p)
{
    json_decref(p->answer);
    p->answer = NULL;
    fault_clear(&p->fault);
    p->code = FAULT_NONE;
    p->status = 0;
    p->retry_after_ms = 0;
}

static void take_status(struct session *s, struct graph_part *p, int status, json_t *body, int64_t retry_after_ms)
{
    forget_answer(p);
    p->status = status;
    p->retry_after_ms = retry_after_ms;
    p->answer = json_is_null(body) ? NULL : json_incref(body);
    if (status >= 200 && status < 300) return;
    const struct graph_answer a = {status, body, retry_after_ms, p->write};
    p->code = graph_error(s, &a, &p->fault);
    if (status == 403 && p->write) p->code = p->fault.code = FAULT_REFUSED; /* this contact, not the account */
    if (p->code == FAULT_TOKEN_DEAD) p->code = p->fault.code = FAULT_GONE;
}

static void take_nothing(struct graph_part *p)
{
    forget_answer(p);
    p->code = fault_set(&p->fault, p->write ? FAULT_UNKNOWN : FAULT_INCOMPLETE,
                        _("looked at before anything else is done"), _("the answer does not say what became of it"));
}

static void take_answers(struct session *s, struct graph_part *const *list, size_t n, const json_t *answer)
{
    const json_t *responses = json_object_get(answer, "responses");
    for (size_t i = 0; i < n; i++) take_nothing(list[i]);
    for (size_t i = 0; i < json_array_size(responses); i++) {
        const json_t *r = json_array_get(responses, i), *status = json_object_get(r, "status");
        const char *id = json_string_value(json_object_get(r, "id"));
        long long number;
        if (!id || !str_to_int64(str_of(id), &number) || number < 1 || (size_t)number > n || !json_is_integer(status))
            continue;
        take_status(s, list[number - 1], (int)json_integer_value(status), json_object_get(r, "body"),
                    retry_after(json_object_get(r, "headers")));
    }
}

/* -- again -- */

/* Refused for its number, or because another one failed (424): not carried out. A service that was busy (503, 504) may
 * have done it; that harms only creates, for the others have a precondition. */
static bool is_to_repeat(const struct graph_part *p)
{
    if (p->status == 429 || p->status == 424 || p->status == 401) return true;
    return (p->status == 503 || p->status == 504) && !p->create;
}

static size_t to_repeat(struct graph_part **list, size_t n, int64_t *asked_ms, bool *refused)
{
    size_t again = 0;
    *asked_ms = 0;
    *refused = false;
    for (size_t i = 0; i < n; i++) {
        if (!is_to_repeat(list[i])) continue;
        if (list[i]->retry_after_ms > *asked_ms) *asked_ms = list[i]->retry_after_ms;
        *refused |= list[i]->status == 401;
        list[again++] = list[i];
    }
    return again;
}

static void end_busy(struct graph_part *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i]->create && (list[i]->status == 503 || list[i]->status == 504))
            list[i]->code = list[i]->fault.code = FAULT_UNKNOWN;
}

static enum fault_code send_once(struct session *s, struct graph_part **list, size_t n, bool write, struct fault *f)
{
    json_t *body = body_of(list, n);
    struct graph_call c AUTO_CALL = {.method = "POST", .url = "/$batch", .body = body, .write = write, .requests = n};
    struct fault why AUTO_FAULT = FAULT_INIT;
    enum fault_code code = graph_do(s, &c, &why);
    json_decref(body);
    s->requests_of_batches += (int64_t)n - 1;
    if (!code) {
        take_answers(s, list, n, c.answer);
        return FAULT_NONE;
    }
    bool wide = code != FAULT_UNKNOWN;
    for (size_t i = 0; i < n; i++) {
        forget_answer(list[i]);
        list[i]->code = wide ? FAULT_CANCELLED : code;
        list[i]->status = wide ? 0 : c.status;
        if (!wide) fault_copy(&list[i]->fault, &why);
    }
    if (wide && f) fault_copy(f, &why);
    return wide ? code : FAULT_NONE;
}

/* Twenty at most. A token that was refused inside is replaced once. */
static enum fault_code send_some(struct session *s, struct graph_part **list, size_t n, bool write, struct fault *f)
{
    bool renewed = false;
    for (unsigned tries = 0;; tries++) {
        int64_t asked_ms;
        bool refused;
        enum fault_code code = send_once(s, list, n, write, f);
        if (code) return code;
        end_busy(list, n);
        n = to_repeat(list, n, &asked_ms, &refused); /* (a batch that was refused as a whole was repeated as such) */
        if (!n) return FAULT_NONE;
        if (refused) {
            code = s->oauth && !renewed ? oauth_refused(s->oauth, f)
                                        : fault_set(f, FAULT_AUTH, NULL, "%s", list[0]->fault.what);
            renewed = true;
            if (code) return code;
        } else if (!graph_wait(s, tries, asked_ms)) {
            if (f) fault_copy(f, &list[0]->fault);
            if (f && list[0]->status == 424) f->code = FAULT_UNREACHABLE;
            for (size_t i = 0; i < n; i++) list[i]->code = FAULT_CANCELLED; /* not carried out */
            return f ? f->code : FAULT_RATE_LIMITED;
        }
    }
}

enum fault_code graph_batch(struct session *s, struct graph_part *parts, size_t n, struct fault *f)
{
    enum fault_code code = FAULT_NONE;
    for (size_t i = 0; i < n; i++) parts[i].code = FAULT_CANCELLED;
    for (size_t at = 0; !code && at < n; at += GRAPH_BATCH) {
        struct graph_part *list[GRAPH_BATCH];
        size_t some = n - at < GRAPH_BATCH ? n - at : GRAPH_BATCH;
        for (size_t i = 0; i < some; i++) list[i] = &parts[at + i];
        code = send_some(s, list, some, parts[at].write, f);
    }
    return code;
}
