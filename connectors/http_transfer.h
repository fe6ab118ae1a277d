/* What the files of the HTTP client share. Private to http*.c, which alone (with mail.c) know curl.
 *
 * http.c carries out batches; http_request.c makes a request of an exchange and reads what comes back; http_auth.c
 * signs in; http_redirect.c decides where a redirect may lead; http_reach.c says why no
 * answer came; http_status.c says what a status means. */
#ifndef ABGLEICH_HTTP_TRANSFER_H
#define ABGLEICH_HTTP_TRANSFER_H

#include "base/gate.h"
#include "connectors/http.h"

#include <curl/curl.h>

struct transfer { /* one exchange under way */
    struct http *http;
    struct http_exchange *x;
    CURL *easy;
    char *digest_origin; /* of the handle */
    struct curl_slist *headers;
    char *url;
    const char *user;      /* it was sent with; NULL = none */
    char *host;            /* where it has its place in the gate; NULL = nowhere */
    struct transfer *next; /* among those that wait to be sent again */
    unsigned redirects, repeats, waits;
    size_t sent;                   /* of the body */
    bool digest, changed_scheme;   /* how it signs in now; whether that was changed after a 401 */
    bool changed_user;             /* after a 401 */
    bool anonymous;                /* redirected to where the password must not go */
    bool moved_for_good, answered; /* a byte of a good body came */
};

/* A curl handle with what it has learned: a Digest nonce can be used again on the same origin, so that one request is
 * enough. */
struct handle {
    CURL *easy;
    char *digest_origin;
};

struct http {
    struct http_settings settings;
    CURLM *multi;
    struct handle *idle;
    size_t n_idle, cap_idle;
    bool digest;
    const char *user;   /* as entered, or other_user */
    bool user_is_known; /* that form was let in */
    int64_t requests, bytes_in, bytes_out;
    void (*done)(void *ctx, struct http_exchange *x);
    void *ctx;
    size_t in_flight; /* begun and not ended, those that wait included */
    size_t running;   /* of these: at curl */
    struct transfer *waiting;
    int64_t resume_ms; /* monotonic: before that nothing is sent, because the server asked for it; 0 = at once */
    struct gate_visitor visitor;
    enum fault_code wide;
    struct fault wide_fault;
};

/* http_request.c: sets all of t->easy from t->x and t->url; what curl then calls fills t->x. */
void transfer_prepare(struct transfer *t);

/* http.c: sends it (again). */
void transfer_send(struct transfer *t);

/* http_auth.c. Is a name given at all? */
bool http_has_user(const struct http *h);
void transfer_set_credentials(struct transfer *t);
/* Is there a header of the account for this address? */
bool transfer_may_authorize(const struct transfer *t);
/* After a 401: sent again in the other scheme, if the server offers that one only (or Basic must not be used here). */
bool transfer_change_scheme(struct transfer *t);
/* After a 401: sent again with the name's other form, once in a session and only while it is not known which is right.
 */
bool transfer_change_user(struct transfer *t);
/* Whoever is let in is known from now on. */
void transfer_note_user(struct transfer *t);
/* Which form of the name to begin with. */
void http_recall_user(struct http *h);
/* Why a 401 came although there is a password. */
void transfer_explain_refusal(struct transfer *t);
/* Remembers that the handle has signed in by Digest: its nonce serves again. */
void transfer_note_nonce(struct transfer *t);

/* http_reach.c: why no answer came; fills t->x->fault. */
enum fault_code transfer_unreachable(struct transfer *t, CURLcode result);

/* http_redirect.c. Sent again to where it moved? If not, and that is a fault, t->x says so. */
bool transfer_follow(struct transfer *t);

#endif
