/* Signing in: Basic at once where nobody can listen, Digest where the server wants it (protocols carddav 6). */
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/http_transfer.h"
#include "connectors/url.h"

#include <stdlib.h>

bool http_has_user(const struct http *h)
{
    return h->settings.user && *h->settings.user;
}

/* Basic in the clear only where nobody can listen, or where the administrator said so. */
static bool basic_is_safe(const struct http *h, const char *url)
{
    return str_starts_nocase(str_of(url), STR("https:")) || url_is_loopback(str_of(url)) ||
           h->settings.allow_plain_http;
}

bool transfer_may_authorize(const struct transfer *t)
{
    return t->http->settings.authorization && !t->anonymous && basic_is_safe(t->http, t->url);
}

/* With DIGEST alone curl sends an empty body to learn the nonce, which sabre answers to a REPORT with 500 (protocols:
 * carddav 6). A second bit, which no server offers, makes it send the whole request; once the nonce is known DIGEST
 * alone saves the refused request. */
static long digest_bits(const struct transfer *t)
{
    bool known = t->digest_origin && url_same_origin(str_of(t->digest_origin), str_of(t->url));
    return (long)(known ? CURLAUTH_DIGEST : CURLAUTH_DIGEST | CURLAUTH_AWS_SIGV4);
}

void transfer_set_credentials(struct transfer *t)
{
    const struct http_settings *s = &t->http->settings;
    bool basic = !t->digest && basic_is_safe(t->http, t->url);
    t->user = NULL;
    if (t->anonymous) return;
    if (s->bearer && basic_is_safe(t->http, t->url)) {
        curl_easy_setopt(t->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        curl_easy_setopt(t->easy, CURLOPT_XOAUTH2_BEARER, s->bearer);
    }
    if (!http_has_user(t->http)) return;
    t->user = t->http->user;
    curl_easy_setopt(t->easy, CURLOPT_USERNAME, t->user);
    curl_easy_setopt(t->easy, CURLOPT_PASSWORD, s->password ? s->password : "");
    curl_easy_setopt(t->easy, CURLOPT_HTTPAUTH, basic ? (long)CURLAUTH_BASIC : digest_bits(t));
}

void http_set_bearer(struct http *h, const char *bearer)
{
    h->settings.bearer = bearer;
}

static bool offers(const char *authenticate, const char *scheme)
{
    struct str rest = str_of(authenticate), name = str_of(scheme);
    for (; rest.n >= name.n; rest.p++, rest.n--)
        if (str_starts_nocase(rest, name)) return true;
    return false;
}

/* After a 401: the other scheme, if the server offers that one only (or Basic must not be used here). What it is stays
 * known. */
bool transfer_change_scheme(struct transfer *t)
{
    struct http *h = t->http;
    bool basic = offers(t->x->authenticate, "Basic") && basic_is_safe(h, t->url),
         digest = offers(t->x->authenticate, "Digest");
    bool useful = t->digest ? basic && !digest : digest && !basic && basic_is_safe(h, t->url);
    if (t->changed_scheme || t->anonymous || !http_has_user(h) || !useful) return false;
    t->changed_scheme = true;
    t->digest = h->digest = !t->digest;
    if (h->settings.traits) h->settings.traits->set(h->settings.traits, "auth", t->digest ? "digest" : "basic");
    transfer_send(t);
    return true;
}

/* Why a 401 came although there is a password. */
void transfer_explain_refusal(struct transfer *t)
{
    struct http_exchange *x = t->x;
    if (x->status != 401 || x->code || !http_has_user(t->http)) return;
    if (t->anonymous)
        x->code = fault_set(&x->fault, FAULT_AUTH, _("give the account that address if it is right"),
                            _("redirected to %s, which gets no password"), t->url);
    else if (!basic_is_safe(t->http, t->url) && !offers(x->authenticate, "Digest"))
        x->code = fault_set(&x->fault, FAULT_AUTH, _("use an https address; in a network you trust: plain_http = yes"),
                            _("a password is not sent unencrypted"));
}

void http_recall_user(struct http *h)
{
    const struct http_settings *s = &h->settings;
    char *form AUTO_FREE = s->other_user && s->traits ? s->traits->get(s->traits, "user") : NULL;
    h->user_is_known = form != NULL;
    h->user = form && strcmp(form, "other") == 0 ? s->other_user : s->user;
}

/* Two tries, never more: servers lock out whom they refuse too often. */
bool transfer_change_user(struct transfer *t)
{
    struct http *h = t->http;
    if (!h->settings.other_user || h->user_is_known || !t->user || t->changed_user) return false;
    if (t->user == h->settings.other_user) return false;
    t->changed_user = true;
    h->user = h->settings.other_user;
    transfer_send(t);
    return true;
}

void transfer_note_user(struct transfer *t)
{
    struct http *h = t->http;
    struct traits *traits = h->settings.traits;
    if (!h->settings.other_user || h->user_is_known || !t->user || t->x->status / 100 != 2) return;
    h->user_is_known = true;
    h->user = t->user;
    if (traits) traits->set(traits, "user", t->user == h->settings.other_user ? "other" : "entered");
}

/* The handle has signed in by Digest: its nonce serves again. */
void transfer_note_nonce(struct transfer *t)
{
    bool in_digest = http_has_user(t->http) && !t->anonymous && (t->digest || !basic_is_safe(t->http, t->url));
    struct buf origin AUTO_BUF = BUF_INIT;
    free(t->digest_origin);
    t->digest_origin = NULL;
    if (in_digest && t->x->status && t->x->status != 401 && url_origin(str_of(t->url), &origin))
        t->digest_origin = buf_detach(&origin);
}
