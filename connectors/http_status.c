/* What a status means: one row each. */
#include "connectors/http.h"

#include "base/i18n.h"

struct row {
    int status;
    enum fault_code code;
    const char *name, *meaning, *advice;
};

static const struct row rows[] = {
    {400, FAULT_REFUSED, "400 Bad Request", N_("the server does not take it"), N_("it is sent again when it changes")},
    {401, FAULT_AUTH, "401 Unauthorized", N_("sign-in refused"), N_("check user and password: abgleich secret set")},
    {402, FAULT_REFUSED, "402 Payment Required", N_("the server does not take it"), NULL},
    {403, FAULT_REFUSED, "403 Forbidden", N_("not allowed there"), N_("ask the server's administrator for the right")},
    {404, FAULT_GONE, "404 Not Found", N_("it is not there"), NULL},
    {405, FAULT_UNSUPPORTED, "405 Method Not Allowed", N_("the server does not offer this"), NULL},
    {406, FAULT_UNSUPPORTED, "406 Not Acceptable", N_("the server does not offer this"), NULL},
    {409, FAULT_REFUSED, "409 Conflict", N_("the server does not take it there"), NULL},
    {410, FAULT_GONE, "410 Gone", N_("it is not there any more"), NULL},
    {411, FAULT_REFUSED, "411 Length Required", N_("the server does not take it"), NULL},
    {412, FAULT_CHANGED, "412 Precondition Failed", N_("changed there meanwhile"), N_("planned again")},
    {413, FAULT_TOO_LARGE, "413 Content Too Large", N_("too large for the server"),
     N_("make it smaller, for example its photo")},
    {415, FAULT_REFUSED, "415 Unsupported Media Type", N_("the server does not take this form"), NULL},
    {423, FAULT_LOCKED, "423 Locked", N_("locked there"), N_("the next run tries again")},
    {429, FAULT_RATE_LIMITED, "429 Too Many Requests", N_("the server wants fewer requests"),
     N_("the next run tries again")},
    {500, FAULT_UNREACHABLE, "500 Internal Server Error", N_("the server failed"), N_("the next run tries again")},
    {501, FAULT_UNSUPPORTED, "501 Not Implemented", N_("the server does not offer this"), NULL},
    {502, FAULT_UNREACHABLE, "502 Bad Gateway", N_("the server behind it did not answer"),
     N_("the next run tries again")},
    {503, FAULT_RATE_LIMITED, "503 Service Unavailable", N_("the server is busy or being maintained"),
     N_("the next run tries again")},
    {504, FAULT_UNREACHABLE, "504 Gateway Timeout", N_("the server behind it did not answer"),
     N_("the next run tries again")},
    {507, FAULT_QUOTA, "507 Insufficient Storage", N_("no space left there"), N_("make room on the server")},
};

static struct row row_of(int status)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].status == status) return rows[i];
    struct row other = {status, FAULT_REFUSED, NULL, N_("the server does not take it"), NULL};
    if (status >= 500)
        other = (struct row){status, FAULT_UNREACHABLE, NULL, N_("the server failed"), N_("the next run tries again")};
    if (status < 400) other = (struct row){status, FAULT_PROTOCOL, NULL, N_("not the answer that was expected"), NULL};
    return other;
}

enum fault_code http_status_fault(const struct http_exchange *x, struct fault *f)
{
    if (x->code) {
        if (f && !f->code) fault_copy(f, &x->fault);
        return x->code;
    }
    if (x->status >= 200 && x->status < 300) return FAULT_NONE;
    const struct row row = row_of(x->status);
    struct buf name AUTO_BUF = BUF_INIT;
    if (row.name)
        buf_adds(&name, row.name);
    else
        buf_addf(&name, "%d", x->status);
    bool first = f && !f->code;
    fault_set(f, row.code, row.advice ? _(row.advice) : NULL, "%s, %s", buf_cstr(&name), _(row.meaning));
    if (first) {
        f->http_status = x->status;
        f->retry_after_ms = x->retry_after_ms;
    }
    return row.code;
}
