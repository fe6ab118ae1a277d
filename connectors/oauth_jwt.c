/* JSON Web Tokens that we sign (RFC 7515, 7518 3.3 and 3.5): never read, only made. */
#include "base/i18n.h"
#include "base/mem.h"
#include "connectors/oauth_impl.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <stdlib.h>
#include <time.h>

#define SALT_BYTES 32 /* RFC 7518 3.5: as long as the hash */

void base64url_add(struct buf *out, const void *bytes, size_t n)
{
    size_t size = sodium_base64_ENCODED_LEN(n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    buf_reserve(out, size);
    sodium_bin2base64(out->data + out->len, size, bytes, n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    out->len += strlen(out->data + out->len);
}

void pkce_challenge(struct str verifier, struct buf *out)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)verifier.p, verifier.n);
    base64url_add(out, hash, sizeof hash);
}

static BIO *bio_of(struct str pem)
{
    return BIO_new_mem_buf(pem.p, (int)pem.n);
}

/* A key that is locked by a pass phrase is refused: nobody is there to type it. */
static int no_phrase(char *out, int size, int writing, void *ctx)
{
    (void)out, (void)size, (void)writing, (void)ctx;
    return -1;
}

static EVP_PKEY *read_key(struct str pem)
{
    BIO *bio = bio_of(pem);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_phrase, NULL);
    BIO_free(bio);
    if (key && EVP_PKEY_is_a(key, "RSA")) return key;
    EVP_PKEY_free(key);
    return NULL;
}

static bool sign(EVP_PKEY *key, bool pss, struct str text, struct buf *out)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *how = NULL;
    size_t n = 0;
    bool ready = EVP_DigestSignInit(md, &how, EVP_sha256(), NULL, key) == 1;
    if (ready && pss)
        ready = EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_saltlen(how, SALT_BYTES) == 1;
    ready = ready && EVP_DigestSign(md, NULL, &n, (const unsigned char *)text.p, text.n) == 1;
    unsigned char *signature = ready ? mem_alloc(n) : NULL;
    ready = ready && EVP_DigestSign(md, signature, &n, (const unsigned char *)text.p, text.n) == 1;
    if (ready) base64url_add(out, signature, n);
    free(signature);
    EVP_MD_CTX_free(md);
    return ready;
}

static void add_json(struct buf *out, const json_t *value)
{
    char *text AUTO_FREE = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
    base64url_add(out, text, strlen(text));
}

enum fault_code jwt_sign(const json_t *header, const json_t *claims, struct str pem, struct buf *out, struct fault *f)
{
    const char *algorithm = json_string_value(json_object_get(header, "alg"));
    bool pss = algorithm && strcmp(algorithm, "PS256") == 0;
    EVP_PKEY *key = read_key(pem);
    if (!key)
        return fault_set(f, FAULT_CONFIG,
                         _("oauth.key_file must hold an RSA key as PEM without a pass phrase, or Google's JSON file"),
                         _("the private key cannot be read"));
    size_t start = out->len;
    add_json(out, header);
    buf_addc(out, '.');
    add_json(out, claims);
    struct buf signature AUTO_BUF = BUF_INIT;
    bool ok = sign(key, pss, (struct str){out->data + start, out->len - start}, &signature);
    EVP_PKEY_free(key);
    buf_addc(out, '.');
    buf_addstr(out, buf_str(&signature));
    return ok ? FAULT_NONE
              : fault_set(f, FAULT_CONFIG, _("make a new key"), _("nothing can be signed with the private key"));
}

int64_t jwt_certificate_end_s(struct str pem)
{
    BIO *bio = bio_of(pem);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, no_phrase, NULL);
    BIO_free(bio);
    struct tm end;
    bool ok = certificate && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1;
    X509_free(certificate);
    return ok ? (int64_t)timegm(&end) : 0;
}

bool jwt_thumbprint(struct str pem, bool sha1, struct buf *out)
{
    BIO *bio = bio_of(pem);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, no_phrase, NULL);
    BIO_free(bio);
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    bool ok = certificate && X509_digest(certificate, sha1 ? EVP_sha1() : EVP_sha256(), hash, &n) == 1;
    X509_free(certificate);
    if (ok) base64url_add(out, hash, n);
    return ok;
}
