/* Redirects, by our own rule (protocols carddav 1): method and body are kept, never from https to http, the password
 * only to where it was entered for. */
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/http_transfer.h"
#include "connectors/url.h"

#include <stdlib.h>

#define REDIRECTS_MAX 5

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* The password goes only to the scheme, host and port it was entered for, or from http to https on the same host. */
static bool may_have_password(const char *from, const char *to)
{
    struct url a, b;
    if (url_same_origin(str_of(from), str_of(to))) return true;
    return url_parse(str_of(from), &a) && url_parse(str_of(to), &b) && str_eq_nocase(a.host, b.host) &&
           str_eq_nocase(a.scheme, STR("http")) && str_eq_nocase(b.scheme, STR("https"));
}

/* The sentence of a redirect that is not followed. */
static void refuse_redirect(struct transfer *t, const char *target, bool downgrade)
{
    const char *advice = downgrade ? _("an encrypted address must not lead to an open one")
                                   : _("give the account that address if it is right");
    t->x->code = fault_set(&t->x->fault, FAULT_PROTOCOL, advice, _("redirected to %s"), target);
}

/* True if the request was sent again to where it moved. */
bool transfer_follow(struct transfer *t)
{
    struct http_exchange *x = t->x;
    struct buf target AUTO_BUF = BUF_INIT;
    if (!is_redirect(x->status) || !x->location || !x->repeatable ||
        !url_resolve(str_of(t->url), str_of(x->location), &target))
        return false;
    bool downgrade =
        str_starts_nocase(str_of(t->url), STR("https:")) && str_starts_nocase(buf_str(&target), STR("http:"));
    if (++t->redirects > REDIRECTS_MAX || downgrade) {
        refuse_redirect(t, buf_cstr(&target), downgrade);
        return false;
    }
    if (!may_have_password(t->url, buf_cstr(&target))) t->anonymous = true;
    t->moved_for_good = (x->status == 301 || x->status == 308) && (t->redirects == 1 || t->moved_for_good);
    free(t->url);
    t->url = buf_detach(&target);
    transfer_send(t);
    return true;
}
