/* One request to the People API: its address, its faults, and waiting where the quota asks for it (4). */
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/people_session.h"
#include "connectors/url.h"

#include <stdlib.h>

#define ANSWER_MAX_BYTES (64u << 20)
#define BUSY_TRIES 2 /* after a 503 */

/* How long to wait where the quota is used up. A whole listing's first page has a quota of its own, of minutes (2). */
static const struct patience {
    int64_t first_ms, longest_ms;
    unsigned times;
} ordinary = {2000, 60000, 6}, of_whole = {60000, 4 * 60000, 4};

/* -- addresses -- */

void people_add_query(struct buf *path, const char *name, struct str value)
{
    buf_addf(path, "%s%s=", path->len && memchr(path->data, '?', path->len) ? "&" : "?", name);
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));
        buf_addf(path, plain ? "%c" : "%%%02X", c);
    }
}

void people_add_fields(struct buf *path)
{
    struct buf fields AUTO_BUF = BUF_INIT;
    people_fields(&fields);
    people_add_query(path, "personFields", buf_str(&fields));
    people_add_query(path, "sources", STR(PEOPLE_SOURCES));
}

void people_call_clear(struct people_call *c)
{
    json_decref(c->answer);
    json_decref(c->details);
    c->answer = c->details = NULL;
    buf_free(&c->status_word);
    buf_free(&c->reason);
}

/* -- what an error says: the first row that fits; 0, NULL = any -- */

static const struct error_row {
    int status;
    const char *word; /* status word or reason */
    enum fault_code code;
    const char *meaning, *advice;
} errors[] = {
    {0, "MY_CONTACTS_OVERFLOW_COUNT", FAULT_QUOTA, N_("Google keeps no more than 25,000 contacts of an account"),
     N_("delete some there; the next run tries again")},
    {0, "EXPIRED_SYNC_TOKEN", FAULT_TOKEN_DEAD, N_("the sync token is too old"), NULL},
    {410, NULL, FAULT_TOKEN_DEAD, N_("the sync token is too old"), NULL},
    {401, NULL, FAULT_AUTH, N_("Google refused the sign-in"), N_("sign in again: abgleich login ACCOUNT")},
    {429, NULL, FAULT_RATE_LIMITED, N_("Google wants fewer requests"), N_("the next run goes on")},
    {403, "RATE_LIMIT_EXCEEDED", FAULT_RATE_LIMITED, N_("Google wants fewer requests"), N_("the next run goes on")},
    {403, "RESOURCE_EXHAUSTED", FAULT_RATE_LIMITED, N_("Google wants fewer requests"), N_("the next run goes on")},
    {403, "rateLimitExceeded", FAULT_RATE_LIMITED, N_("Google wants fewer requests"), N_("the next run goes on")},
    {403, "userRateLimitExceeded", FAULT_RATE_LIMITED, N_("Google wants fewer requests"), N_("the next run goes on")},
    {403, "quotaExceeded", FAULT_RATE_LIMITED, N_("the quota of the Google project is used up"),
     N_("the next run goes on")},
    {403, "dailyLimitExceeded", FAULT_RATE_LIMITED, N_("the quota of the Google project is used up"),
     N_("the next run goes on")},
    {403, "SERVICE_DISABLED", FAULT_AUTH, N_("the People API is not switched on in the Google project"),
     N_("the project's administrator switches it on in the Google Cloud console")},
    {403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", FAULT_AUTH, N_("the sign-in does not allow contacts"),
     N_("sign in again and leave the tick at contacts: abgleich login ACCOUNT")},
    {403, "FAILED_PRECONDITION", FAULT_CHANGED, N_("changed there meanwhile"), N_("planned again")},
    {403, NULL, FAULT_AUTH, N_("Google does not allow it"),
     N_("ask the administrator of the Google account for the right; a service account needs domain-wide delegation for "
        "contacts")},
    {400, "FAILED_PRECONDITION", FAULT_CHANGED, N_("changed there meanwhile"), N_("planned again")},
    {409, NULL, FAULT_EXISTS, N_("it is there already"), NULL},
    {404, NULL, FAULT_GONE, N_("it is not there"), NULL},
    {413, NULL, FAULT_TOO_LARGE, N_("too large for Google"), N_("make it smaller, for example its photo")},
    {400, NULL, FAULT_REFUSED, N_("Google does not take it"), N_("it is sent again when it changes")},
};

/* What is told by the text alone, now and then: an expired token, a stale etag, a full account. */
static const char *word_in_message(struct str message)
{
    static const struct {
        const char *text, *word;
    } rows[] = {{"ync token is expired", "EXPIRED_SYNC_TOKEN"},
                {"person.etag", "FAILED_PRECONDITION"},
                {"MY_CONTACTS_OVERFLOW_COUNT", "MY_CONTACTS_OVERFLOW_COUNT"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (str_find(message, str_of(rows[i].text)) != (size_t)-1) return rows[i].word;
    return NULL;
}

static void read_error(struct people_call *c, const json_t *error)
{
    const char *word = json_string_value(json_object_get(error, "status")), *reason = NULL;
    const char *const lists[] = {"details", "errors"};
    for (size_t i = 0; i < 2; i++) {
        const json_t *list = json_object_get(error, lists[i]);
        for (size_t k = 0; !reason && k < json_array_size(list); k++)
            reason = json_string_value(json_object_get(json_array_get(list, k), "reason"));
    }
    const char *told = word_in_message(str_of(json_string_value(json_object_get(error, "message"))));
    buf_adds(&c->status_word, word ? word : "");
    buf_adds(&c->reason, told ? told : reason ? reason : "");
    c->details = json_incref(json_object_get(error, "details"));
}

static const struct error_row *row_of(struct people_call *c)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        const struct error_row *row = &errors[i];
        if (row->status && row->status != c->status) continue;
        if (!row->word || strcmp(row->word, buf_cstr(&c->reason)) == 0 ||
            strcmp(row->word, buf_cstr(&c->status_word)) == 0)
            return row;
    }
    return NULL;
}

static enum fault_code error_fault(struct people_call *c, const struct http_exchange *x, struct fault *f)
{
    json_t *body = json_loadb(x->text.data ? x->text.data : "", x->text.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *error = json_object_get(body, "error");
    const char *message = json_string_value(json_object_get(error, "message"));
    read_error(c, error);
    const struct error_row *row = row_of(c);
    enum fault_code code = row ? row->code : http_status_fault(x, NULL);
    if (x->status >= 500) code = c->write ? FAULT_UNKNOWN : FAULT_UNREACHABLE;
    if (row)
        fault_set(f, code, row->advice ? _(row->advice) : NULL, "%d, %s%s%s", x->status, _(row->meaning),
                  message ? ": " : "", message ? message : "");
    else if (code == FAULT_UNKNOWN)
        fault_set(f, code, _("looked at before anything else is done"), _("the server failed (%d)"), x->status);
    else
        http_status_fault(x, f);
    if (f) {
        f->http_status = x->status;
        f->retry_after_ms = x->retry_after_ms;
    }
    json_decref(body);
    return code;
}

/* -- one try -- */

/* The answer's beginning came and its end did not, or it made no sense. */
static enum fault_code transport_fault(const struct people_call *c, const struct http_exchange *x, struct fault *f)
{
    bool half = x->code == FAULT_INCOMPLETE || x->code == FAULT_TOO_LARGE || x->code == FAULT_PROTOCOL;
    fault_copy(f, &x->fault);
    if (c->write && half && f) f->code = FAULT_UNKNOWN;
    return c->write && half ? FAULT_UNKNOWN : x->code;
}

static enum fault_code read_answer(struct people_call *c, const struct http_exchange *x, struct fault *f)
{
    json_error_t why;
    c->answer = json_loadb(x->text.data ? x->text.data : "", x->text.len, JSON_REJECT_DUPLICATES, &why);
    if (json_is_object(c->answer)) return FAULT_NONE;
    json_decref(c->answer);
    c->answer = NULL;
    if (c->write)
        return fault_set(f, FAULT_UNKNOWN, _("looked at before anything else is done"), _("the answer makes no sense"));
    return fault_set(f, FAULT_PROTOCOL, _("is the address right? try: abgleich account test"),
                     _("the answer is none of the People API"));
}

static enum fault_code try_once(struct session *s, struct people_call *c, struct str body, struct fault *f)
{
    struct buf url AUTO_BUF = BUF_INIT;
    buf_addf(&url, "%s%s", s->base, c->path);
    people_call_clear(c);
    struct http_exchange x = {.method = c->method,
                              .url = buf_cstr(&url),
                              .content_type = "application/json; charset=utf-8",
                              .body = body,
                              .repeatable = !c->write,
                              .waits_itself = true,
                              .limit_bytes = ANSWER_MAX_BYTES};
    enum fault_code code = http_do(s->http, &x, NULL);
    c->status = x.status;
    if (code)
        code = transport_fault(c, &x, f);
    else if (x.status < 200 || x.status > 299)
        code = error_fault(c, &x, f);
    else
        code = read_answer(c, &x, f);
    http_clear(&x);
    return code;
}

/* With a token that lives; one that is refused is replaced once. A refused request was not carried out. */
static enum fault_code try_signed_in(struct session *s, struct people_call *c, struct str body, struct fault *f)
{
    if (!s->oauth) return try_once(s, c, body, f);
    for (;;) {
        struct fault why AUTO_FAULT = FAULT_INIT;
        const char *token;
        enum fault_code code = oauth_token(s->oauth, &token, f);
        if (code) return code;
        http_set_bearer(s->http, token);
        code = try_once(s, c, body, &why);
        if (c->status != 401) {
            oauth_accepted(s->oauth);
            if (code) fault_copy(f, &why);
            return code;
        }
        code = oauth_refused(s->oauth, f);
        if (code) return code;
    }
}

/* -- waiting, with jitter, or as long as the server says -- */

static int64_t wait_ms(struct session *s, const struct patience *p, unsigned tries, int64_t asked_ms)
{
    uint32_t jitter;
    int64_t ms = p->first_ms << tries;
    if (ms > p->longest_ms) ms = p->longest_ms;
    s->env->random(s->env, &jitter, sizeof jitter);
    return asked_ms ? asked_ms : ms / 2 + jitter % (ms / 2);
}

static enum fault_code stopped(struct fault *f)
{
    return fault_set(f, FAULT_CANCELLED, _("the next run goes on"), _("stopped"));
}

/* A read that met a server out of order for a moment is tried again, too. */
static bool is_worth_waiting(const struct people_call *c, enum fault_code code, const struct fault *why, unsigned tries)
{
    if (code == FAULT_RATE_LIMITED) return why->code == FAULT_RATE_LIMITED;
    return code == FAULT_UNREACHABLE && !c->write && c->status == 503 && tries < BUSY_TRIES;
}

enum fault_code people_do(struct session *s, struct people_call *c, struct fault *f)
{
    char *body AUTO_FREE = c->body ? json_dumps(c->body, JSON_COMPACT) : NULL;
    const struct patience *patience = c->whole ? &of_whole : &ordinary;
    const unsigned cost[PEOPLE_METRICS] = {!c->write || c->reads, c->write};
    for (unsigned tries = 0;; tries++) {
        struct fault why AUTO_FAULT = FAULT_INIT;
        if (people_spend(s, cost)) return stopped(f);
        enum fault_code code = try_signed_in(s, c, str_of(body), &why);
        int64_t wait =
            is_worth_waiting(c, code, &why, tries) ? wait_ms(s, patience, tries, why.retry_after_ms) : 0;
        bool again = wait && wait <= patience->longest_ms && tries < patience->times;
        if (again && !s->env->sleep_ms(s->env, wait)) continue;
        if (again) return stopped(f);
        if (code && f) fault_copy(f, &why);
        return code;
    }
}
