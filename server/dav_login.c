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
#define WAITING_MAX 8

struct logins {
    pthread_mutex_t mutex;
    /* A check takes a core for a tenth of a second and 64 MiB: one at a time, or guessing would be a siege. Those few
     * may wait for their turn; workers are left for others. */
    pthread_mutex_t turn;
    unsigned waiting; /* by mutex */
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
    pthread_mutex_init(&l->turn, NULL);
    randombytes_buf(l->key, sizeof l->key); /* lives as long as the process: no clock or chance of the engine's */
    return l;
}

void logins_free(struct logins *l)
{
    if (l) pthread_mutex_destroy(&l->mutex);
    if (l) pthread_mutex_destroy(&l->turn);
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

static bool wait(struct dav *d, unsigned status, const char *seconds, const char *why)
{
    http_answer_header(d->answer, "Retry-After", "%s", seconds);
    http_answer_text(d->answer, status, "%s", why);
    return false;
}

static bool take_turn(struct logins *l)
{
    pthread_mutex_lock(&l->mutex);
    bool room = l->waiting < WAITING_MAX;
    l->waiting += room;
    pthread_mutex_unlock(&l->mutex);
    if (room) pthread_mutex_lock(&l->turn);
    return room;
}

static void end_turn(struct logins *l)
{
    pthread_mutex_unlock(&l->turn);
    pthread_mutex_lock(&l->mutex);
    l->waiting--;
    pthread_mutex_unlock(&l->mutex);
}

/* In its turn. What others found out meanwhile is looked at first: a client's first requests come all at once. u NULL:
 * nobody has that name, which takes as long. */
static bool check(struct dav *d, const struct user *u, const uint64_t hash[2], const char *password, int64_t now_ms)
{
    struct logins *l = d->service->logins;
    const char *peer = http_call_peer(d->call);
    if (u && is_remembered(l, hash, now_ms)) return true;
    if (guesses_are_many(d->service->guesses, peer, now_ms))
        return wait(d, 429, "60", _("too many wrong passwords from this address; wait a minute"));
    if (!user_check(u, password)) {
        guesses_add(d->service->guesses, peer, now_ms);
        return ask(d);
    }
    remember(l, hash, now_ms);
    return true;
}

static bool is_right(struct dav *d, struct str given, const char *password)
{
    struct logins *l = d->service->logins;
    struct env *env = &d->desk->system.env;
    int64_t now_ms = env->monotonic_ms(env);
    struct str name = given;
    uint64_t hash[2] = {0, 0};
    name = str_split(&given, ':');
    bool there = user_get(d->db, name, &d->arena, &d->user);
    if (there) hash_of(l, &d->user, given, hash);
    if (there && is_remembered(l, hash, now_ms)) return true;
    if (!take_turn(l)) return wait(d, 503, "2", _("too many sign in at once; try again"));
    bool right = check(d, there ? &d->user : NULL, hash, password, now_ms);
    end_turn(l);
    return right;
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
