/* One request to a token endpoint, and what its errors mean (RFC 6749 5.2, 8628 3.5; protocols microsoft-graph 1,
 * google-people 1). */
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/http.h"
#include "connectors/oauth_impl.h"
#include "connectors/url.h"

#include <stdlib.h>

#define ANSWER_MAX_BYTES (256u << 10)
#define PATIENCE_S 30

void form_add(struct buf *form, const char *name, struct str value)
{
    buf_addf(form, "%s%s=", form->len ? "&" : "", name);
    url_encode(value, form);
}

void oauth_answer_clear(struct oauth_answer *a)
{
    json_decref(a->body);
    free(a->error);
    *a = (struct oauth_answer){.body = NULL};
}

/* -- errors -- */

static const struct error_row {
    const char *word;
    enum fault_code code;
    const char *meaning, *advice; /* advice NULL: sign in again */
} errors[] = {
    {"invalid_grant", FAULT_AUTH, N_("the sign-in has expired or was taken back"), NULL},
    {"interaction_required", FAULT_AUTH, N_("the sign-in needs a person"), NULL},
    {"login_required", FAULT_AUTH, N_("the sign-in needs a person"), NULL},
    {"consent_required", FAULT_AUTH, N_("nobody has agreed to this application yet"), NULL},
    {"access_denied", FAULT_AUTH, N_("the sign-in was declined"), NULL},
    {"authorization_declined", FAULT_AUTH, N_("the sign-in was declined"), NULL},
    {"expired_token", FAULT_AUTH, N_("the code was not typed in time"), NULL},
    {"bad_verification_code", FAULT_AUTH, N_("the code was not typed in time"), NULL},
    {"invalid_client", FAULT_AUTH, N_("the application's id, secret or certificate is refused or has expired"),
     N_("make a new secret or certificate where the application is registered, and give it: abgleich secret set "
        "ACCOUNT")},
    {"unauthorized_client", FAULT_AUTH, N_("the application may not sign in this way"),
     N_("ask the administrator to allow this kind of sign-in and its scope")},
    {"admin_policy_enforced", FAULT_AUTH, N_("the organisation does not allow this application"),
     N_("ask its administrator")},
    {"org_internal", FAULT_AUTH, N_("the application is for members of its organisation only"),
     N_("ask its administrator")},
    {"invalid_scope", FAULT_AUTH, N_("the scope is not offered"), N_("see oauth.scope in the configuration")},
    {"invalid_request", FAULT_AUTH, N_("the request for a sign-in was not understood"),
     N_("see the lines oauth.* in the configuration")},
    {"unsupported_grant_type", FAULT_AUTH, N_("the sign-in service does not offer this kind of sign-in"),
     N_("see oauth.flow in the configuration")},
    {"unsupported_response_type", FAULT_AUTH, N_("the sign-in service does not offer this kind of sign-in"),
     N_("see oauth.flow in the configuration")},
    {"temporarily_unavailable", FAULT_UNREACHABLE, N_("the sign-in service is out of order"),
     N_("the next run tries again")},
    {"server_error", FAULT_UNREACHABLE, N_("the sign-in service is out of order"), N_("the next run tries again")},
    {NULL, FAULT_AUTH, N_("the sign-in was refused"), NULL},
};

/* What Microsoft's number says more (microsoft-graph 1). */
static const struct number_row {
    long number;
    const char *meaning, *advice; /* advice NULL: sign in again */
} numbers[] = {
    {50173, N_("the password was changed"), NULL},
    {700082, N_("the sign-in was not used for 90 days"), NULL},
    {50076, N_("Microsoft wants the second factor"), NULL},
    {50079, N_("Microsoft wants a second factor to be set up"), NULL},
    {65001, N_("nobody has agreed to this application yet"),
     N_("the administrator agrees to the application's permissions in the Entra admin center; then sign in again")},
    {7000215, N_("the application's secret is wrong"),
     N_("give the secret's value, not its id: abgleich secret set ACCOUNT")},
    {7000222, N_("the application's secret has expired"),
     N_("make a new one under \"Certificates & secrets\", and give it: abgleich secret set ACCOUNT")},
    {700024, N_("the clock of this machine is wrong"), N_("set the clock, and let it be kept right (NTP)")},
    {700027, N_("the application's certificate is not the registered one"),
     N_("upload the certificate of oauth.key_file under \"Certificates & secrets\"")},
    {700016, N_("the application is not known in this tenant"),
     N_("see oauth.client_id and oauth.tenant in the configuration")},
    {90002, N_("there is no such tenant"), N_("see oauth.tenant in the configuration")},
    {53003, N_("a rule of the organisation (Conditional Access) forbids this sign-in"), N_("ask its administrator")},
};

static const struct number_row *number_row(long number)
{
    for (size_t i = 0; number && i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].number == number) return &numbers[i];
    return NULL;
}

char *oauth_error_text(const struct oauth_answer *a)
{
    struct buf out AUTO_BUF = BUF_INIT;
    buf_addf(&out, "%s", a->error);
    if (a->number) buf_addf(&out, " %ld", a->number);
    return buf_detach(&out);
}

void oauth_error_read(const char *text, struct oauth_answer *out)
{
    struct str rest = str_of(text), word = str_split(&rest, ' ');
    long long number;
    out->error = mem_strndup(word.p, word.n);
    if (rest.p && str_to_int64(rest, &number)) out->number = (long)number;
}

/* "error_codes":[50173], else the first number in "AADSTS50173: ..." */
static long number_of(const json_t *body)
{
    const json_t *first = json_array_get(json_object_get(body, "error_codes"), 0);
    if (json_is_integer(first)) return (long)json_integer_value(first);
    const char *text = json_string_value(json_object_get(body, "error_description"));
    return text && strncmp(text, "AADSTS", 6) == 0 ? strtol(text + 6, NULL, 10) : 0;
}

enum fault_code oauth_error_fault(const struct oauth *o, const struct oauth_answer *a, struct fault *f)
{
    const struct error_row *row = errors;
    while (row->word && strcmp(row->word, a->error) != 0) row++;
    const struct number_row *more = row->code == FAULT_AUTH ? number_row(a->number) : NULL;
    const char *advice = more ? more->advice : row->advice;
    struct buf again AUTO_BUF = BUF_INIT;
    struct buf told AUTO_BUF = BUF_INIT;
    buf_addf(&again, _("sign in again: abgleich login %s"), o->account->name);
    buf_adds(&told, row->word ? row->word : _("unknown error"));
    if (a->number) buf_addf(&told, ", AADSTS%ld", a->number);
    fault_set(f, row->code, advice ? _(advice) : buf_cstr(&again), "%s (%s)", _(more ? more->meaning : row->meaning),
              buf_cstr(&told));
    fault_about(f, NULL, o->account->name);
    return row->code;
}

/* -- the request -- */

static enum fault_code no_answer(const struct http_exchange *x, struct fault *f)
{
    return fault_set(f, x->status == 429 ? FAULT_RATE_LIMITED : FAULT_UNREACHABLE,
                     _("the next run tries again; if it stays so: see the lines oauth.* in the configuration"),
                     _("the sign-in service gave no usable answer (%d)"), x->status);
}

static enum fault_code read_answer(const struct http_exchange *x, struct oauth_answer *out, struct fault *f)
{
    out->body = json_loadb(x->text.data ? x->text.data : "", x->text.len, JSON_REJECT_DUPLICATES, NULL);
    const char *error = json_string_value(json_object_get(out->body, "error"));
    if (x->status >= 500 || x->status == 429 || x->status < 200) return no_answer(x, f);
    if (x->status < 300 && json_is_object(out->body) && !error) return FAULT_NONE;
    if (x->status < 400 || !error) return no_answer(x, f);
    out->error = mem_strdup(error);
    out->number = number_of(out->body);
    return FAULT_NONE;
}

enum fault_code oauth_post(struct oauth *o, const char *url, struct str form, struct oauth_answer *out, struct fault *f)
{
    if (!url || (!str_starts_nocase(str_of(url), STR("https:")) && !url_is_loopback(str_of(url))))
        return fault_set(f, FAULT_CONFIG, _("see the lines oauth.* in the configuration"),
                         _("the sign-in needs an https address"));
    struct http_settings settings = {.ca_file = o->account->ca_file, .gate = o->account->gate, .env = o->env};
    struct http *http = http_open(&settings);
    struct http_exchange x = {.method = "POST",
                              .url = url,
                              .headers = {"Accept: application/json"},
                              .content_type = "application/x-www-form-urlencoded",
                              .body = form,
                              .patience_s = PATIENCE_S,
                              .limit_bytes = ANSWER_MAX_BYTES};
    enum fault_code code = http_do(http, &x, NULL);
    if (code == FAULT_CANCELLED)
        fault_copy(f, &x.fault);
    else if (code)
        code = no_answer(&x, f);
    else
        code = read_answer(&x, out, f);
    if (code) fault_about(f, NULL, o->account->name);
    http_clear(&x);
    http_close(http);
    return code;
}
