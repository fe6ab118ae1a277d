/* What proves who signs in: an application's secret or certificate (RFC 7523), or a service account's key. */
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/oauth_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#define ASSERTION_S 540 /* 5 to 10 minutes (microsoft-graph 1), at most an hour (google-people 1) */
#define KEY_MAX_BYTES (64u << 10)

void key_wipe(struct buf *b)
{
    if (b->data) sodium_memzero(b->data, b->cap);
    buf_free(b);
}

enum fault_code oauth_read_key(const struct oauth *o, struct buf *out, struct fault *f)
{
    const char *path = account_setting(o->account, "oauth.key_file");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    buf_reserve(out, KEY_MAX_BYTES);
    ssize_t n = fd < 0 ? -1 : read(fd, out->data, KEY_MAX_BYTES - 1);
    int error = errno;
    if (fd >= 0) close(fd);
    if (n < 0)
        return fault_set(f, FAULT_CONFIG, _("see oauth.key_file in the configuration"),
                         _("the key file cannot be read: %s"), path ? strerror(error) : _("none is given"));
    out->len = (size_t)n;
    out->data[n] = '\0';
    return FAULT_NONE;
}

/* RFC 7523 3: who signs, for whom, and for how long. */
static json_t *claims_of(const struct oauth *o, const char *issuer, const char *subject, const char *audience)
{
    char id[UUID_TEXT_BYTES];
    env_uuid4(o->env, id);
    json_int_t now = o->env->now_ms(o->env) / 1000;
    return json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:s}", "iss", issuer, "sub", subject, "aud", audience, "iat", now, "nbf",
                     now, "exp", now + ASSERTION_S, "jti", id);
}

static enum fault_code add_assertion(struct oauth *o, struct buf *form, struct fault *f)
{
    struct buf pem AUTO_KEY_BUF = BUF_INIT, url AUTO_BUF = BUF_INIT, print AUTO_BUF = BUF_INIT, jwt AUTO_BUF = BUF_INIT;
    const char *id = account_setting(o->account, "oauth.client_id"),
               *algorithm = account_setting(o->account, "oauth.algorithm");
    enum fault_code code = oauth_read_key(o, &pem, f);
    if (code) return code;
    json_t *header = json_pack("{s:s,s:s}", "alg", algorithm ? algorithm : "PS256", "typ", "JWT");
    bool old = algorithm && strcmp(algorithm, "RS256") == 0; /* it goes with SHA-1 there (microsoft-graph 1) */
    if (jwt_thumbprint(buf_str(&pem), old, &print))
        json_object_set_new(header, old ? "x5t" : "x5t#S256", json_string(buf_cstr(&print)));
    json_t *claims = claims_of(o, id, id, oauth_address(o, "oauth.token_url", &url));
    code = jwt_sign(header, claims, buf_str(&pem), &jwt, f);
    json_decref(header);
    json_decref(claims);
    if (code) return code;
    form_add(form, "client_assertion_type", STR("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
    form_add(form, "client_assertion", buf_str(&jwt));
    return FAULT_NONE;
}

enum fault_code oauth_add_client(struct oauth *o, struct buf *form, struct fault *f)
{
    const char *id = account_setting(o->account, "oauth.client_id");
    if (!id)
        return fault_set(f, FAULT_CONFIG, _("write oauth.client_id into the account's section"),
                         _("the id of the application is missing"));
    form_add(form, "client_id", str_of(id));
    if (account_setting(o->account, "oauth.key_file")) return add_assertion(o, form, f);
    if (o->account->password) form_add(form, "client_secret", str_of(o->account->password));
    return FAULT_NONE;
}

/* google-people 1: the service account signs for one user of its organisation. */
static enum fault_code add_service(struct oauth *o, struct buf *form, struct fault *f)
{
    struct buf file AUTO_KEY_BUF = BUF_INIT, url AUTO_BUF = BUF_INIT, jwt AUTO_BUF = BUF_INIT;
    enum fault_code code = oauth_read_key(o, &file, f);
    if (code) return code;
    json_t *key = json_loadb(file.data, file.len, JSON_REJECT_DUPLICATES, NULL);
    const char *issuer = json_string_value(json_object_get(key, "client_email")),
               *id = json_string_value(json_object_get(key, "private_key_id")),
               *pem = json_string_value(json_object_get(key, "private_key"));
    if (issuer && pem && o->account->user) {
        json_t *header = json_pack("{s:s,s:s,s:s*}", "alg", "RS256", "typ", "JWT", "kid", id);
        json_t *claims = claims_of(o, issuer, o->account->user, oauth_address(o, "oauth.token_url", &url));
        json_object_set_new(claims, "scope", json_string(oauth_scope(o)));
        code = jwt_sign(header, claims, str_of(pem), &jwt, f);
        json_decref(header);
        json_decref(claims);
    } else
        code = fault_set(f, FAULT_CONFIG, _("oauth.key_file is Google's JSON file, user the address of the person"),
                         _("the service account cannot sign in"));
    json_decref(key);
    if (code) return code;
    form_add(form, "grant_type", STR("urn:ietf:params:oauth:grant-type:jwt-bearer"));
    form_add(form, "assertion", buf_str(&jwt));
    return FAULT_NONE;
}

/* An application belongs to one tenant: "organizations" is for persons (microsoft-graph 1). */
static enum fault_code check_tenant(const struct oauth *o, struct fault *f)
{
    if (!oauth_is_of_microsoft(o) || account_setting(o->account, "oauth.tenant") ||
        account_setting(o->account, "oauth.token_url"))
        return FAULT_NONE;
    return fault_set(f, FAULT_CONFIG, _("write oauth.tenant into the account's section: the tenant's id or domain"),
                     _("an application signs in to a tenant, and none is named"));
}

enum fault_code oauth_add_grant(struct oauth *o, struct buf *form, struct fault *f)
{
    if (o->flow == FLOW_CLIENT && check_tenant(o, f)) return FAULT_CONFIG;
    if (o->flow == FLOW_SERVICE) return add_service(o, form, f);
    form_add(form, "grant_type", o->flow == FLOW_CLIENT ? STR("client_credentials") : STR("refresh_token"));
    if (o->flow != FLOW_CLIENT) form_add(form, "refresh_token", str_of(o->now.refresh));
    if (o->flow == FLOW_CLIENT) form_add(form, "scope", str_of(oauth_scope(o)));
    return oauth_add_client(o, form, f);
}

static void mix(crypto_generichash_state *state, const char *text)
{
    crypto_generichash_update(state, (const unsigned char *)(text ? text : ""), text ? strlen(text) + 1 : 1);
}

char *oauth_made_of(const struct oauth *o)
{
    crypto_generichash_state state;
    unsigned char hash[crypto_generichash_BYTES];
    struct buf file AUTO_KEY_BUF = BUF_INIT, out AUTO_BUF = BUF_INIT;
    struct fault ignored AUTO_FAULT = FAULT_INIT;
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    mix(&state, o->account->user);
    mix(&state, o->account->password);
    for (const struct setting_kind *k = oauth_settings; k->key; k++) mix(&state, account_setting(o->account, k->key));
    if (account_setting(o->account, "oauth.key_file") && !oauth_read_key(o, &file, &ignored))
        crypto_generichash_update(&state, (const unsigned char *)file.data, file.len);
    crypto_generichash_final(&state, hash, sizeof hash);
    base64url_add(&out, hash, sizeof hash);
    return buf_detach(&out);
}
