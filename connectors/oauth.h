/* Signing in by OAuth 2.0 (RFC 6749): access tokens for connectors whose account has an `oauth.flow`, and the dialogues
 * of `abgleich login`. Connectors call the first part, cli/cmd_login.c the second.
 *
 * Four flows: "code" (a person in a browser, PKCE, RFC 7636, 8252), "device" (a person at another screen, RFC 8628),
 * "client" (the application itself: secret or certificate, RFC 7523) and "service" (a Google service account with
 * delegation, RFC 7523). Tokens, secrets and assertions stand in no fault, log or command line. Redirects of the
 * sign-in's addresses are never followed. */
#ifndef ABGLEICH_OAUTH_H
#define ABGLEICH_OAUTH_H

#include "connectors/connector.h"

/* Where an account's sign-in is kept: one record, sealed, given by whoever opens accounts (core/token_store.h). */
struct token_store {
    /* One refresh at a time per account, over all jobs and processes. Waits; FAULT_CANCELLED, FAULT_BUSY. */
    enum fault_code (*lock)(struct token_store *, struct fault *f);
    void (*unlock)(struct token_store *);
    /* Terminated, given back with drop; NULL and FAULT_NONE where there is none. */
    enum fault_code (*load)(struct token_store *, char **out, struct fault *f);
    void (*drop)(struct token_store *, char *text);
    /* Durable when it returns FAULT_NONE. */
    enum fault_code (*keep)(struct token_store *, struct str text, struct fault *f);
};

/* Keys of the configuration, for struct connector. */
extern const struct setting_kind oauth_settings[];
bool oauth_is_used(const struct account *account); /* false: its password is all there is */
/* Where the API of the account's provider is, for accounts without a `url`. */
const char *oauth_service(const struct account *account);

struct oauth;
/* account, env: borrowed until oauth_close. */
struct oauth *oauth_open(const struct account *account, struct env *env);
void oauth_close(struct oauth *o); /* NULL is fine */
/* An access token that lives for some minutes more; refreshed where needed, and what came with it is kept before this
 * returns. Borrowed until the next call. FAULT_AUTH with what to do where the sign-in is dead. */
enum fault_code oauth_token(struct oauth *o, const char **token, struct fault *f);
/* The remote answered that token with 401. Once it is replaced at the next oauth_token and FAULT_NONE is returned (send
 * again); a fresh one that is refused, too, is FAULT_AUTH. */
enum fault_code oauth_refused(struct oauth *o, struct fault *f);
void oauth_accepted(struct oauth *o); /* it answered anything else */
/* The remote wants more than a fresh token (a 401 with `claims`, microsoft-graph 1): FAULT_AUTH; the sign-in counts as dead until somebody
 * signs in again. */
enum fault_code oauth_challenged(struct oauth *o, struct fault *f);

/* What is known of a sign-in without asking anybody. ends_ms: when it dies unless somebody does something: what the
 * service said, a certificate's end, or the end of what it may lie unused; 0 = not known. */
enum oauth_state { OAUTH_NONE, OAUTH_FINE, OAUTH_ENDS_SOON, OAUTH_DEAD };
struct oauth_report {
    enum oauth_state state;
    int64_t ends_ms; /* Unix time */
};
enum fault_code oauth_look(struct oauth *o, struct oauth_report *out, struct fault *f);

/* -- abgleich login -- */
struct oauth_guide {
    void *ctx;
    /* Shows the address to open; code: what to type there, NULL = nothing. */
    void (*show)(void *ctx, const char *address, const char *code);
    /* Where a person may paste the address the browser was sent back to, if it cannot come back by itself; -1 = nowhere. */
    int input;
    void (*pasted_wrong)(void *ctx); /* what was pasted is not that address */
};
/* Carries out the flow's dialogue (client and service have none: they try the key) and keeps the sign-in. */
enum fault_code oauth_login(struct oauth *o, const struct oauth_guide *guide, struct fault *f);

#endif
