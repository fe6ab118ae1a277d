/* Basic, over TLS or from this machine only. A right password is remembered for some minutes as a keyed hash: checking
 * it anew takes a tenth of a second, and clients send it with each request. */
#include "server/dav_impl.h"

#include "base/hash.h"
#include "base/i18n.h"
#include "base/mem.h"
#include "state/settings.h"

#include <sodium.h>
#include <stdlib.h>

#define LOGINS_MAX 64
#define REMEMBERED_MS (5 * 60 * (int64_t)1000)

struct logins {
    pthread_mutex_t mutex;
    struct login {
        uint64_t hash[2]; /* of name, password and what is stored for it: a new password ends the old one */
        int64_t until_ms;
    } list[LOGINS_MAX];
    size_t next;
    unsigned char key[16];
};

struct logins *logins_new(void)
{
    struct logins *l = mem_calloc(1, sizeof *l);
    pthread_mutex_init(&l->mutex, NULL);
    randombytes_buf(l->key, sizeof l->key); /* lives as long as the process: no clock or chance of the engine's */
    return l;
}

void logins_free(struct logins *l)
{
    if (l) pthread_mutex_destroy(&l->mutex);
    if (l) sodium_memzero(l, sizeof *l);
    free(l);
}

static void hash_of(struct logins *l, const struct user *u, struct str given, uint64_t out[2])
{
    crypto_generichash_state h;
    crypto_generichash_init(&h, l->key, sizeof l->key, 16);
    crypto_generichash_update(&h, (const unsigned char *)u->password.p, u->password.n);
    crypto_generichash_update(&h, (const unsigned char *)given.p, given.n);
    crypto_generichash_final(&h, (unsigned char *)out, 16);
}

static bool is_remembered(struct logins *l, const uint64_t hash[2], int64_t now_ms)
{
    bool found = false;
    pthread_mutex_lock(&l->mutex);
    for (size_t i = 0; i < LOGINS_MAX; i++)
        found |= l->list[i].until_ms > now_ms && l->list[i].hash[0] == hash[0] && l->list[i].hash[1] == hash[1];
    pthread_mutex_unlock(&l->mutex);
    return found;
}

static void remember(struct logins *l, const uint64_t hash[2], int64_t now_ms)
{
    pthread_mutex_lock(&l->mutex);
    l->list[l->next++ % LOGINS_MAX] = (struct login){{hash[0], hash[1]}, now_ms + REMEMBERED_MS};
    pthread_mutex_unlock(&l->mutex);
}

static bool ask(struct dav *d)
{
    http_answer_header(d->answer, "WWW-Authenticate", "Basic realm=\"abgleich\", charset=\"UTF-8\"");
    http_answer_text(d->answer, 401, "%s", _("sign in"));
    return false;
}

static bool is_right(struct dav *d, struct str given, const char *password)
{
    struct logins *l = d->service->logins;
    struct env *env = &d->desk->system.env;
    int64_t now_ms = env->monotonic_ms(env);
    struct str name = given;
    uint64_t hash[2];
    name = str_split(&given, ':');
    bool there = user_get(d->db, name, &d->arena, &d->user);
    if (there) hash_of(l, &d->user, given, hash);
    if (there && is_remembered(l, hash, now_ms)) return true;
    if (guesses_are_many(d->service->guesses, http_call_peer(d->call), now_ms)) {
        http_answer_header(d->answer, "Retry-After", "60");
        http_answer_text(d->answer, 429, "%s", _("too many wrong passwords from this address; wait a minute"));
        return false;
    }
    if (user_check(there ? &d->user : NULL, password)) {
        remember(l, hash, now_ms);
        return true;
    }
    guesses_add(d->service->guesses, http_call_peer(d->call), now_ms);
    return ask(d);
}

bool dav_login(struct dav *d)
{
    const char *header = http_call_header(d->call, "Authorization");
    struct buf plain AUTO_BUF = BUF_INIT;
    if (!http_call_is_tls(d->call) && !http_call_is_loopback(d->call)) {
        http_answer_text(d->answer, 403, "%s", _("use https: a password is not taken unencrypted"));
        return false;
    }
    if (!header || !str_starts_nocase(str_of(header), STR("Basic "))) return ask(d);
    buf_reserve(&plain, strlen(header));
    if (sodium_base642bin((unsigned char *)plain.data, strlen(header), header + 6, strlen(header + 6), " ", &plain.len,
                          NULL, sodium_base64_VARIANT_ORIGINAL))
        return ask(d);
    plain.data[plain.len] = '\0';
    const char *colon = memchr(plain.data ? plain.data : "", ':', plain.len);
    bool right = colon && is_right(d, buf_str(&plain), colon + 1);
    sodium_memzero(plain.data, plain.len);
    if (!colon) return ask(d);
    if (right) d->n_books = user_books(d->db, d->user.no, &d->arena, &d->books);
    return right;
}
