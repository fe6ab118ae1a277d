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
