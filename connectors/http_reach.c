/* Why there is no answer, in words for people. */
#include "base/i18n.h"
#include "connectors/http_transfer.h"
#include "connectors/url.h"

#include <openssl/x509_vfy.h>

/* What keeps a connection from being encrypted and trusted: the first row that fits. verify: OpenSSL's word about the
 * certificate; -1 = any. UNSPECIFIED is what
 * curl begins with and leaves where only the name is wrong. */
static const struct {
    CURLcode result;
    long verify;
    enum fault_code code;
    const char *what, *advice;
} tls_rows[] = {
    {CURLE_PEER_FAILED_VERIFICATION, X509_V_ERR_CERT_HAS_EXPIRED, FAULT_UNREACHABLE, N_("the certificate has expired"),
     N_("whoever runs the server must renew it")},
    {CURLE_PEER_FAILED_VERIFICATION, X509_V_ERR_CERT_NOT_YET_VALID, FAULT_UNREACHABLE,
     N_("the certificate is not valid yet"), N_("is the clock of this machine right?")},
    {CURLE_PEER_FAILED_VERIFICATION, X509_V_ERR_UNSPECIFIED, FAULT_UNREACHABLE,
     N_("the certificate is for another name"), N_("give the account the name that stands in the certificate")},
    {CURLE_PEER_FAILED_VERIFICATION, -1, FAULT_UNREACHABLE, N_("the certificate is not to be trusted"),
     N_("if the server is yours, its authority's certificate goes into ca_file")},
    {CURLE_SSL_CACERT_BADFILE, -1, FAULT_CONFIG, N_("the certificates to trust cannot be read"),
     N_("is the file there and readable?")},
    {CURLE_SSL_CONNECT_ERROR, -1, FAULT_UNREACHABLE, N_("no encryption in common was found"),
     N_("the server must offer TLS 1.2 or newer at this address")},
};

static enum fault_code tls_fault(struct transfer *t, CURLcode result)
{
    long verify = 0;
    struct buf origin AUTO_BUF = BUF_INIT;
    const char *ca_file = t->http->settings.ca_file;
    curl_easy_getinfo(t->easy, CURLINFO_SSL_VERIFYRESULT, &verify);
    if (!url_origin(str_of(t->url), &origin)) buf_adds(&origin, t->url);
    const char *about = result == CURLE_SSL_CACERT_BADFILE && ca_file ? ca_file : buf_cstr(&origin);
    for (size_t i = 0; i < sizeof tls_rows / sizeof *tls_rows; i++)
        if (tls_rows[i].result == result && (tls_rows[i].verify < 0 || tls_rows[i].verify == verify))
            return fault_set(&t->x->fault, tls_rows[i].code, _(tls_rows[i].advice), "%s: %s", about,
                             _(tls_rows[i].what));
    return FAULT_NONE;
}

static bool was_sent(const struct transfer *t)
{
    curl_off_t ready_us = 0; /* when the connection, TLS included, was ready; 0 = never */
    curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
    return ready_us > 0;
}

enum fault_code transfer_unreachable(struct transfer *t, CURLcode result)
{
    struct http_exchange *x = t->x;
    const char *advice = _("the next run tries again");
    const char *why = result == CURLE_SEND_FAIL_REWIND ? _("the connection broke") : curl_easy_strerror(result);
    enum fault_code untrusted = tls_fault(t, result);
    if (untrusted) return untrusted;
    if (result == CURLE_ABORTED_BY_CALLBACK && !was_sent(t))
        return fault_set(&x->fault, FAULT_CANCELLED, _("the next run goes on"), _("stopped"));
    if (!was_sent(t)) return fault_set(&x->fault, FAULT_UNREACHABLE, advice, _("not reachable (%s)"), why);
    if (!x->repeatable)
        return fault_set(&x->fault, FAULT_UNKNOWN, _("looked at before anything else is done"), _("no answer (%s)"),
                         why);
    if (result == CURLE_ABORTED_BY_CALLBACK)
        return fault_set(&x->fault, FAULT_CANCELLED, _("the next run goes on"), _("stopped"));
    if (t->answered || (x->status >= 200 && x->status < 300))
        return fault_set(&x->fault, FAULT_INCOMPLETE, _("nothing is concluded from it; the next run asks again"),
                         _("the answer ended early (%s)"), why);
    return fault_set(&x->fault, FAULT_UNREACHABLE, advice, _("not reachable (%s)"), why);
}
