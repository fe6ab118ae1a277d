/* What the files of the sign-in share. Private to oauth*.c.
 *
 * oauth.c: settings, the kept sign-in, refreshing; oauth_life.c: when it ends, and why it may
 * have; oauth_proof.c: what proves who signs in; oauth_jwt.c: signed
 * assertions; oauth_call.c: one request to the token endpoint and its errors; oauth_login.c: the dialogues with a
 * person. */
#ifndef ABGLEICH_OAUTH_IMPL_H
#define ABGLEICH_OAUTH_IMPL_H

#include "connectors/oauth.h"

#include <jansson.h>

enum oauth_flow { FLOW_CODE, FLOW_DEVICE, FLOW_CLIENT, FLOW_SERVICE };

/* The kept sign-in; strings owned, NULL = none. Times in Unix ms. */
struct sign_in {
    char *access, *refresh;
    char *dead;      /* why it is refused for good: RFC 6749 error word */
    char *dead_with; /* a hash of the secret, key and settings that were refused */
    int64_t expires_ms, since_ms, used_ms, dead_ms;
    int64_t ends_ms; /* of the refresh token, where the service told; 0 = it did not */
};
void sign_in_clear(struct sign_in *s);

struct oauth {
    const struct account *account;
    struct env *env;
    enum oauth_flow flow;
    struct sign_in now;
    bool known;   /* `now` was read */
    bool refused; /* the remote refused the token at hand */
    bool renewed; /* in answer to a 401, and nothing was accepted since */
};

/* -- oauth_call.c -- */
/* Appends "&name=value" in the form's encoding (RFC 6749 appendix B). */
void form_add(struct buf *form, const char *name, struct str value);
struct oauth_answer { /* end with oauth_answer_clear */
    json_t *body;
    char *error; /* RFC 6749 5.2; NULL = it worked */
    long number; /* of Microsoft's, which says more (AADSTS50173); 0 = none */
};
void oauth_answer_clear(struct oauth_answer *a);
#define AUTO_ANSWER __attribute__((cleanup(oauth_answer_clear)))
/* Posts the form. FAULT_NONE: an answer in JSON, maybe with `error`. */
enum fault_code oauth_post(struct oauth *o, const char *url, struct str form, struct oauth_answer *out,
                           struct fault *f);
/* The error as it is kept, and read again: "invalid_grant 50173". Owned. */
char *oauth_error_text(const struct oauth_answer *a);
void oauth_error_read(const char *text, struct oauth_answer *out);
/* The fault of an error word. FAULT_AUTH only where a person must do something. */
enum fault_code oauth_error_fault(const struct oauth *o, const struct oauth_answer *a, struct fault *f);

/* -- oauth_jwt.c -- */
/* The claims and header of an assertion, signed: "RS256" or "PS256" with the first private key in the PEM text.
 * FAULT_CONFIG. */
enum fault_code jwt_sign(const json_t *header, const json_t *claims, struct str pem, struct buf *out, struct fault *f);
/* SHA-256 (or SHA-1) of the first certificate in it (DER), base64url; false where there is none. */
bool jwt_thumbprint(struct str pem, bool sha1, struct buf *out);
/* Unix time at which that certificate ends; 0 = none. */
int64_t jwt_certificate_end_s(struct str pem);
void base64url_add(struct buf *out, const void *bytes, size_t n);
/* RFC 7636 4.2 */
void pkce_challenge(struct str verifier, struct buf *out);

/* -- oauth_life.c -- */
/* What a refusal may mean beside the error's own words: advice for a person, appended to *f. */
void oauth_add_cause(const struct oauth *o, const struct oauth_answer *a, struct fault *f);
/* When the refresh token in this answer dies (Unix time); 0 = not told. */
int64_t oauth_told_end_ms(const struct oauth *o, const struct oauth_answer *a);

/* -- oauth.c -- */
bool oauth_needs_person(const struct oauth *o); /* the flow has a dialogue and a refresh token */
enum fault_code oauth_load(struct oauth *o, struct fault *f);
const char *oauth_address(const struct oauth *o, const char *key, struct buf *out); /* "oauth.token_url"; NULL = none */
const char *oauth_scope(const struct oauth *o);
bool oauth_is_of_microsoft(const struct oauth *o);
/* Takes what a token endpoint gave into o->now and keeps it. */
enum fault_code oauth_accept(struct oauth *o, const struct oauth_answer *a, struct fault *f);

/* -- oauth_proof.c -- */
/* The account's oauth.key_file; into an AUTO_KEY_BUF. */
enum fault_code oauth_read_key(const struct oauth *o, struct buf *out, struct fault *f);
/* client_id and what proves it. */
enum fault_code oauth_add_client(struct oauth *o, struct buf *form, struct fault *f);
/* The whole form of the flows without a person. */
enum fault_code oauth_add_grant(struct oauth *o, struct buf *form, struct fault *f);
/* What a sign-in is made of besides tokens, as a hash, owned: what was refused is asked again at once when a person
 * changed it. */
char *oauth_made_of(const struct oauth *o);
void key_wipe(struct buf *b); /* overwritten before it is freed */
#define AUTO_KEY_BUF __attribute__((cleanup(key_wipe)))

#endif
