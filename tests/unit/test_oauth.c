/* Assertions and PKCE against published vectors, and the encoding of forms. */
#include "connectors/oauth_impl.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sodium.h>
#include <stdlib.h>

Test(oauth, challenge_of_rfc_7636_appendix_b)
{
    struct buf out AUTO_BUF = BUF_INIT;
    pkce_challenge(STR("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), &out);
    cr_assert_str_eq(buf_cstr(&out), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

Test(oauth, base64url_of_rfc_7515_appendix_c)
{
    struct buf out AUTO_BUF = BUF_INIT;
    base64url_add(&out, (unsigned char[]){3, 236, 255, 224, 193}, 5);
    cr_assert_str_eq(buf_cstr(&out), "A-z_4ME");
}

Test(oauth, forms_are_encoded)
{
    static const struct {
        const char *value, *encoded;
    } rows[] = {
        {"", "a="}, {"x y", "a=x%20y"}, {"&=+%", "a=%26%3D%2B%25"}, {"\xc3\xa4", "a=%C3%A4"}, {"A-z_0.~", "a=A-z_0.~"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out AUTO_BUF = BUF_INIT;
        form_add(&out, "a", str_of(rows[i].value));
        cr_expect_str_eq(buf_cstr(&out), rows[i].encoded, "row %zu: %s", i, buf_cstr(&out));
    }
}

static bool verified(EVP_PKEY *key, bool pss, struct str text, struct str signature)
{
    unsigned char raw[512];
    size_t n = 0;
    cr_assert_eq(sodium_base642bin(raw, sizeof raw, signature.p, signature.n, NULL, &n, NULL,
                                   sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                 0);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *how;
    EVP_DigestVerifyInit(md, &how, EVP_sha256(), NULL, key);
    if (pss) {
        EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(how, 32);
    }
    bool ok = EVP_DigestVerify(md, raw, n, (const unsigned char *)text.p, text.n) == 1;
    EVP_MD_CTX_free(md);
    return ok;
}

Test(oauth, assertions_verify_and_a_changed_one_does_not)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    struct str pem = {NULL, 0};
    pem.n = (size_t)BIO_get_mem_data(bio, &text);
    pem.p = text;
    static const char *const algorithms[] = {"RS256", "PS256"};
    for (size_t i = 0; i < 2; i++) {
        struct buf jwt AUTO_BUF = BUF_INIT;
        json_t *header = json_pack("{s:s}", "alg", algorithms[i]), *claims = json_pack("{s:s}", "iss", "a");
        cr_assert_eq(jwt_sign(header, claims, pem, &jwt, NULL), FAULT_NONE);
        char *dot = strrchr(jwt.data, '.');
        struct str body = {jwt.data, (size_t)(dot - jwt.data)};
        cr_expect(verified(key, i == 1, body, str_of(dot + 1)), "%s", algorithms[i]);
        jwt.data[body.n - 1] ^= 1;
        cr_expect(!verified(key, i == 1, body, str_of(dot + 1)), "%s, changed", algorithms[i]);
        json_decref(header);
        json_decref(claims);
    }
    BIO_free(bio);
    EVP_PKEY_free(key);
}

Test(oauth, what_is_no_key_is_a_fault)
{
    struct buf out AUTO_BUF = BUF_INIT;
    struct fault f AUTO_FAULT = FAULT_INIT;
    json_t *empty = json_object();
    cr_expect_eq(jwt_sign(empty, empty, STR("-----BEGIN nonsense"), &out, &f), FAULT_CONFIG);
    json_decref(empty);
}

/* -- another process is quicker -- */

/* A store in which somebody else keeps a sign-in while we wait for the lock. */
struct shared_store {
    struct token_store of;
    char text[256];
    bool taken;
};

static const char *const kept =
    "{\"access\": \"%s\", \"refresh\": \"%s\", \"expires_ms\": %lld, \"used_ms\": 1, \"since_ms\": 1}";

static enum fault_code lock_late(struct token_store *t, struct fault *f)
{
    struct shared_store *s = (struct shared_store *)t;
    (void)f;
    snprintf(s->text, sizeof s->text, kept, "theirs", "their-refresh", 1LL << 52);
    s->taken = true;
    return FAULT_NONE;
}

static void unlock_late(struct token_store *t)
{
    ((struct shared_store *)t)->taken = false;
}

static enum fault_code load_text(struct token_store *t, char **out, struct fault *f)
{
    (void)f;
    *out = strdup(((struct shared_store *)t)->text);
    return FAULT_NONE;
}

static void drop_text(struct token_store *t, char *text)
{
    (void)t;
    free(text);
}

static enum fault_code keep_text(struct token_store *t, struct str text, struct fault *f)
{
    (void)t, (void)text, (void)f;
    return FAULT_NONE;
}

/* No address of https is told, so asking for a token would be a fault of the configuration. */
static void expect_theirs(bool refused)
{
    struct env_system env;
    struct shared_store store = {{lock_late, unlock_late, load_text, drop_text, keep_text}, "", false};
    const struct setting settings[] = {{.key = "oauth.flow", .value = "code"},
                                       {.key = "oauth.client_id", .value = "app"},
                                       {.key = "oauth.token_url", .value = "http://nowhere.invalid/"}};
    const struct account account = {.name = "srv", .settings = settings, .n_settings = 3, .tokens = &store.of};
    struct fault why AUTO_FAULT = FAULT_INIT;
    const char *token;
    env_system_init(&env, LOG_ERROR, NULL);
    snprintf(store.text, sizeof store.text, kept, "ours", "our-refresh", refused ? 1LL << 52 : 1LL);
    struct oauth *o = oauth_open(&account, &env.env);
    if (refused) {
        cr_assert_eq(oauth_token(o, &token, &why), FAULT_NONE);
        cr_assert_str_eq(token, "ours");
        cr_assert_eq(oauth_refused(o, &why), FAULT_NONE);
    }
    cr_assert_eq(oauth_token(o, &token, &why), FAULT_NONE, "%s", why.what);
    cr_expect_str_eq(token, "theirs");
    cr_expect_not(store.taken);
    oauth_close(o);
}

Test(oauth, an_old_token_was_refreshed_by_another_process)
{
    expect_theirs(false);
}

Test(oauth, a_refused_token_was_replaced_by_another_process)
{
    expect_theirs(true);
}
