#include "state/secrets.h"

#include "base/i18n.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_BYTES crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES crypto_aead_xchacha20poly1305_ietf_ABYTES
#define KEY_ID_BYTES 16
#define KEY_FILE_MAX_BYTES 128 /* 64 hex digits and white space around them */

struct key {
    unsigned char *bytes; /* KEY_BYTES in sodium memory */
    unsigned char id[KEY_ID_BYTES];
    struct buf path;
    bool is_credential; /* the service manager's: it sees to the mode */
};

static void key_cleanup(struct key *key)
{
    sodium_free(key->bytes);
    buf_free(&key->path);
}
#define AUTO_KEY __attribute__((cleanup(key_cleanup)))

/* -- the key's file -- */

static void find_path(struct db *db, struct key *key)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY"); /* systemd.exec(5), LoadCredential= */
    if (folder && *folder) {
        buf_addf(&key->path, "%s/abgleich-key", folder);
        key->is_credential = access(buf_cstr(&key->path), F_OK) == 0;
        if (key->is_credential) return;
        buf_reset(&key->path);
    }
    buf_addf(&key->path, "%s.key", db_path(db));
}

static enum fault_code bad_key(const struct key *key, const char *why, struct fault *f)
{
    return fault_set(f, FAULT_STATE, _("restore the key file from a backup"), _("the key of the stored passwords, %s: %s"), key->path.data,
                     why);
}

/* 32 bytes as they are, or 64 hex digits. */
static bool decode_key(const unsigned char *text, size_t n, unsigned char out[KEY_BYTES])
{
    if (n == KEY_BYTES) {
        memcpy(out, text, KEY_BYTES);
        return true;
    }
    size_t got = 0;
    return sodium_hex2bin(out, KEY_BYTES, (const char *)text, n, " \t\r\n", &got, NULL) == 0 && got == KEY_BYTES;
}

static enum fault_code check_mode(const struct key *key, int fd, struct fault *f)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return bad_key(key, _("not a file"), f);
    if (key->is_credential || !(st.st_mode & 077)) return FAULT_NONE;
    return fault_set(f, FAULT_STATE, _("change the passwords if somebody may have read it, then chmod 600"),
                     _("others than its owner may read %s"), key->path.data);
}

static enum fault_code read_key(struct key *key, int fd, struct fault *f)
{
    enum fault_code code = check_mode(key, fd, f);
    if (code) return code;
    unsigned char text[KEY_FILE_MAX_BYTES];
    ssize_t n = read(fd, text, sizeof text);
    if (n < 0) return bad_key(key, strerror(errno), f);
    key->bytes = sodium_malloc(KEY_BYTES);
    bool valid = key->bytes && decode_key(text, (size_t)n, key->bytes);
    sodium_memzero(text, sizeof text);
    if (!valid) return bad_key(key, _("it must hold 32 bytes or 64 hex digits"), f);
    crypto_generichash(key->id, sizeof key->id, (const unsigned char *)"abgleich key id", 15, key->bytes, KEY_BYTES);
    return FAULT_NONE;
}

/* Written under another name and linked into place whole, so that nobody ever reads half a key. The one who is quicker wins. */
static enum fault_code make_key(struct db *db, const struct key *key, struct fault *f)
{
    char uuid[UUID_TEXT_BYTES];
    env_uuid4(db_env(db), uuid);
    struct buf temp AUTO_BUF = BUF_INIT;
    buf_addf(&temp, "%s.new-%.8s", key->path.data, uuid);
    unsigned char bytes[KEY_BYTES];
    db_env(db)->random(db_env(db), bytes, sizeof bytes);
    int fd = open(buf_cstr(&temp), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    bool done = fd >= 0 && write(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes && fsync(fd) == 0 &&
                (link(buf_cstr(&temp), key->path.data) == 0 || errno == EEXIST);
    int error = errno;
    sodium_memzero(bytes, sizeof bytes);
    if (fd >= 0) {
        close(fd);
        unlink(buf_cstr(&temp));
    }
    if (done) return FAULT_NONE;
    return fault_set(f, FAULT_STATE, _("give this user the right to write in the folder of the state"), _("%s cannot be created: %s"),
                     key->path.data, strerror(error));
}

static int64_t count_secrets(struct db *db)
{
    struct query *q = query_begin(db, QUERY_SECRET_COUNT);
    int64_t n = query_step(q) ? column_int(q, 0) : 0;
    query_end(q);
    return n;
}

/* A missing key is made only while nothing was sealed with one: else it is most likely elsewhere and not lost. */
static enum fault_code key_is_missing(struct db *db, const struct key *key, struct fault *f)
{
    int64_t n = count_secrets(db);
    enum fault_code code = db_check(db, f);
    if (code) return code;
    if (!n) return make_key(db, key, f);
    return fault_set(f, FAULT_STATE,
                     _("restore it from a backup, or run this where the key is; if it is lost for good, put 32 random bytes there (mode 600) "
                       "and set each password again"),
                     _("%s is not there, and %lld passwords are sealed with it"), key->path.data, (long long)n);
}

static enum fault_code load_key(struct db *db, struct key *key, struct fault *f)
{
    if (sodium_init() < 0) return fault_set(f, FAULT_INTERNAL, NULL, _("libsodium does not start"));
    find_path(db, key);
    int fd = open(key->path.data, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) {
        enum fault_code code = key_is_missing(db, key, f);
        if (code) return code;
        fd = open(key->path.data, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    }
    if (fd < 0) return bad_key(key, strerror(errno), f);
    enum fault_code code = read_key(key, fd, f);
    close(fd);
    return code;
}

/* -- sealing -- */

/* What the box is bound to: each part with its length first, so that two parts never read as one. */
static void add_part(struct buf *b, const void *p, size_t n)
{
    uint64_t length = n;
    for (int i = 0; i < 8; i++) buf_addc(b, (char)(length >> (8 * i)));
    buf_add(b, p, n);
}

static void bind_to(struct buf *out, const char *account, const char *field, const struct key *key)
{
    add_part(out, account, strlen(account));
    add_part(out, field, strlen(field));
    add_part(out, key->id, sizeof key->id);
}

enum fault_code secret_set(struct db *db, const char *account, const char *field, struct str value, struct fault *f)
{
    struct key key AUTO_KEY = {0};
    enum fault_code code = load_key(db, &key, f);
    if (code) return code;
    struct buf bound AUTO_BUF = BUF_INIT, box AUTO_BUF = BUF_INIT;
    bind_to(&bound, account, field, &key);
    unsigned char nonce[NONCE_BYTES];
    db_env(db)->random(db_env(db), nonce, sizeof nonce);
    buf_reserve(&box, value.n + TAG_BYTES);
    unsigned long long n = 0;
    crypto_aead_xchacha20poly1305_ietf_encrypt((unsigned char *)box.data, &n, (const unsigned char *)value.p, value.n,
                                               (const unsigned char *)bound.data, bound.len, NULL, nonce, key.bytes);
    struct query *q = query_begin(db, QUERY_SECRET_SET);
    bind_text(q, 1, str_of(account));
    bind_text(q, 2, str_of(field));
    bind_blob(q, 3, (struct str){(const char *)key.id, sizeof key.id});
    bind_blob(q, 4, (struct str){(const char *)nonce, sizeof nonce});
    bind_blob(q, 5, (struct str){box.data, (size_t)n});
    query_run(q);
    return db_check(db, f);
}

static enum fault_code unreadable(const char *account, const char *why, struct fault *f)
{
    enum fault_code code =
        fault_set(f, FAULT_STATE, _("restore the key from a backup, or set the password again: `abgleich secret set`"), "%s", why);
    fault_about(f, account, NULL);
    return code;
}

/* The row is read while its statement is under way. */
static enum fault_code unseal(struct query *q, const struct key *key, const char *account, const char *field, char **out,
                              struct fault *f)
{
    struct str id = column_blob(q, 0), nonce = column_blob(q, 1), box = column_blob(q, 2);
    if (!str_eq(id, (struct str){(const char *)key->id, sizeof key->id}))
        return unreadable(account, _("the stored password was sealed with another key"), f);
    struct buf bound AUTO_BUF = BUF_INIT;
    bind_to(&bound, account, field, key);
    char *plain = nonce.n == NONCE_BYTES && box.n >= TAG_BYTES ? sodium_malloc(box.n - TAG_BYTES + 1) : NULL;
    unsigned long long n = 0;
    if (!plain || crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)plain, &n, NULL, (const unsigned char *)box.p, box.n,
                                                             (const unsigned char *)bound.data, bound.len,
                                                             (const unsigned char *)nonce.p, key->bytes) != 0) {
        sodium_free(plain);
        return unreadable(account, _("the stored password is damaged"), f);
    }
    plain[n] = '\0';
    *out = plain;
    return FAULT_NONE;
}

enum fault_code secret_get(struct db *db, const char *account, const char *field, char **out, struct fault *f)
{
    *out = NULL;
    struct query *q = query_begin(db, QUERY_SECRET_GET);
    bind_text(q, 1, str_of(account));
    bind_text(q, 2, str_of(field));
    enum fault_code code = FAULT_NONE;
    if (query_step(q)) {
        struct key key AUTO_KEY = {0};
        code = load_key(db, &key, f);
        if (!code) code = unseal(q, &key, account, field, out, f);
    }
    query_end(q);
    return code ? code : db_check(db, f);
}

void secret_free(char *secret)
{
    sodium_free(secret);
}

enum fault_code secret_delete(struct db *db, const char *account, const char *field, struct fault *f)
{
    struct query *q = query_begin(db, QUERY_SECRET_DELETE);
    bind_text(q, 1, str_of(account));
    bind_text(q, 2, str_of(field));
    query_run(q);
    return db_check(db, f);
}
