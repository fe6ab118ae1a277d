/* What an answer of Microsoft Graph means (4): by its status, then by the code in its body, never by its message. */
#include "base/i18n.h"
#include "connectors/graph_session.h"

/* The first row that fits; 0, NULL = any. */
static const struct error_row {
    int status;
    const char *word;
    enum fault_code code;
    const char *meaning, *advice;
} errors[] = {
    {0, "ErrorIrresolvableConflict", FAULT_CHANGED, N_("changed there meanwhile"), N_("planned again")},
    {0, "SyncStateNotFound", FAULT_TOKEN_DEAD, N_("the change token is too old"), NULL},
    {0, "SyncStateInvalid", FAULT_TOKEN_DEAD, N_("the change token is too old"), NULL},
    {0, "resyncRequired", FAULT_TOKEN_DEAD, N_("the change token is too old"), NULL},
    {0, "ErrorQuotaExceeded", FAULT_QUOTA, N_("the mailbox is full"), N_("make room in the mailbox")},
    {404, "MailboxNotEnabledForRESTAPI", FAULT_NO_COLLECTION, N_("this user has no mailbox in Microsoft 365"),
     N_("see `user` in the account's section; the administrator gives the user a licence with a mailbox")},
    {404, "ErrorInvalidUser", FAULT_NO_COLLECTION, N_("there is no such user"),
     N_("see `user` in the account's section")},
    {404, "Request_ResourceNotFound", FAULT_NO_COLLECTION, N_("there is no such user"),
     N_("see `user` in the account's section")},
    {410, NULL, FAULT_TOKEN_DEAD, N_("the change token is too old"), NULL},
    {401, NULL, FAULT_AUTH, N_("Microsoft refused the sign-in"), N_("sign in again: abgleich login ACCOUNT")},
    {403, NULL, FAULT_AUTH, N_("Microsoft does not allow it"),
     N_("the administrator gives the application the permission Contacts.ReadWrite, and for this mailbox; see "
        "docs/MICROSOFT.md")},
    {404, NULL, FAULT_GONE, N_("it is not there"), NULL},
    {405, NULL, FAULT_UNSUPPORTED, N_("this is not offered there"), NULL},
    {409, NULL, FAULT_CHANGED, N_("changed there meanwhile"), N_("planned again")},
    {412, NULL, FAULT_CHANGED, N_("changed there meanwhile"), N_("planned again")},
    {413, NULL, FAULT_TOO_LARGE, N_("too large for Microsoft"), N_("make it smaller, for example its photo")},
    {423, NULL, FAULT_LOCKED, N_("locked there"), N_("the next run tries again")},
    {429, NULL, FAULT_RATE_LIMITED, N_("Microsoft wants fewer requests"), N_("the next run goes on")},
    {503, NULL, FAULT_RATE_LIMITED, N_("Microsoft is busy"), N_("the next run goes on")},
    {504, NULL, FAULT_RATE_LIMITED, N_("Microsoft is busy"), N_("the next run goes on")},
    {501, NULL, FAULT_UNSUPPORTED, N_("this is not offered there"), NULL},
    {507, NULL, FAULT_QUOTA, N_("the mailbox is full"), N_("make room in the mailbox")},
    {400, NULL, FAULT_REFUSED, N_("Microsoft does not take it"), N_("it is sent again when it changes")},
};

static const json_t *error_of(const json_t *body)
{
    return json_object_get(body, "error");
}

const char *graph_error_word(const json_t *body)
{
    const char *word = json_string_value(json_object_get(error_of(body), "code"));
    return word ? word : "";
}

static const struct error_row *row_of(int status, const char *word)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        const struct error_row *row = &errors[i];
        if ((!row->status || row->status == status) && (!row->word || strcmp(row->word, word) == 0)) return row;
    }
    return NULL;
}

/* The number by which Microsoft's support finds the request. */
static const char *request_id(const json_t *body)
{
    const json_t *inner = json_object_get(error_of(body), "innerError");
    return json_string_value(json_object_get(inner, "request-id"));
}

/* A write that ended in a failure of the service may have been carried out. */
static enum fault_code code_of(const struct graph_answer *a, const struct error_row *row)
{
    if (row) return row->code;
    if (a->status >= 500) return a->write ? FAULT_UNKNOWN : FAULT_UNREACHABLE;
    return a->status >= 400 ? FAULT_REFUSED : a->write ? FAULT_UNKNOWN : FAULT_PROTOCOL;
}

static void tell(const struct graph_answer *a, const struct error_row *row, enum fault_code code, struct fault *f)
{
    const char *word = graph_error_word(a->body), *number = request_id(a->body);
    struct buf text AUTO_BUF = BUF_INIT;
    const char *meaning = row                     ? _(row->meaning)
                          : a->status >= 500      ? _("the service failed")
                          : code == FAULT_REFUSED ? _("Microsoft does not take it")
                                                  : _("not the answer that was expected");
    buf_addf(&text, "%d, %s", a->status, meaning);
    if (*word) buf_addf(&text, ": %.100s", word);
    if (number) buf_addf(&text, " (request-id %.60s)", number);
    const char *advice = row && row->advice      ? _(row->advice)
                         : code == FAULT_UNKNOWN ? _("looked at before anything else is done")
                                                 : NULL;
    fault_set(f, code, advice, "%s", buf_cstr(&text));
}

enum fault_code graph_error(struct session *s, const struct graph_answer *a, struct fault *f)
{
    const struct error_row *row = row_of(a->status, graph_error_word(a->body));
    enum fault_code code = code_of(a, row);
    const char *number = request_id(a->body);
    bool first = f && !f->code;
    tell(a, row, code, f);
    if (first) {
        f->http_status = a->status;
        f->retry_after_ms = a->retry_after_ms;
    }
    env_logf(s->env, code == FAULT_GONE ? LOG_DEBUG : LOG_INFO, "account=%s graph=%d code=%.100s request_id=%.60s",
             s->account->name, a->status, graph_error_word(a->body), number ? number : "-");
    return code;
}
