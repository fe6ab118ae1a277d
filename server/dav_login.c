/* Basic, over TLS or from this machine only.
 *
 * Checking a password takes a tenth of a second and 64 MiB, and clients send theirs with each request. So an answer,
 * right or wrong, is remembered as a keyed hash, and few are checked at a time. A device that keeps sending an old
 * password costs one check and one guess, and a request without any is no guess: Apple's programs make those between
 * signed-in ones (carddav 9). Guesses are counted by address and user, so one does not lock out another behind the same
 * proxy. */
#include "server/dav_impl.h"

#include "base/i18n.h"
#include "base/mem.h"

#include <sodium.h>
#include <stdlib.h>

#define LOGINS_MAX 4096 /* places */
#define WAYS 4          /* a hash may stand in any of as many neighbours */
#define RIGHT_MS (12 * 60 * 60 * (int64_t)1000)
#define WRONG_MS (60 * 60 * (int64_t)1000)
#define CHECKS_MAX 1   /* at the same time: one takes a core for a tenth of a second, and 64 MiB */
#define WAITING_MAX 10 /* of the listener's workers: the others are for who has signed in */

struct logins {
    pthread_mutex_t mutex, checking;
    pthread_cond_t freed;
    unsigned under_way, waiting;
    struct login {
        uint64_t hash[2]; /* of name, password and what is stored for it: a new password ends the old one */
        int64_t until_ms;
        bool right;
    } list[LOGINS_MAX];
    unsigned char key[16];
    struct guesses *guesses;
};

struct logins *logins_new(void)
{
    struct logins *l = mem_calloc(1, sizeof *l);
    pthread_mutex_init(&l->mutex, NULL);
    pthread_mutex_init(&l->checking, NULL);
    pthread_cond_init(&l->freed, NULL);
    l->guesses = guesses_new();
    randombytes_buf(l->key, sizeof l->key); /* lives as long as the process: no clock or chance of the engine's */
    return l;
}

void logins_free(struct logins *l)
{
    if (!l) return;
    pthread_mutex_destroy(&l->mutex);
    pthread_mutex_destroy(&l->checking);
    pthread_cond_destroy(&l->freed);
    guesses_free(l->guesses);
    sodium_memzero(l, sizeof *l);
    free(l);
}

/* -- what is remembered -- */

static void add(crypto_generichash_state *h, struct str s)
{
    uint64_t n = s.n;
    crypto_generichash_update(h, (const unsigned char *)&n, sizeof n);
    if (s.n) crypto_generichash_update(h, (const unsigned char *)s.p, s.n);
}

static void hash_of(struct logins *l, struct str stored, struct str name, struct str password, uint64_t out[2])
{
    crypto_generichash_state h;
    crypto_generichash_init(&h, l->key, sizeof l->key, 16);
    add(&h, stored);
    add(&h, name);
    add(&h, password);
    crypto_generichash_final(&h, (unsigned char *)out, 16);
}

static struct login *find(struct logins *l, const uint64_t hash[2], int64_t now_ms)
{
    for (size_t i = 0; i < WAYS; i++) {
        struct login *one = &l->list[(hash[0] + i) % LOGINS_MAX];
        if (one->hash[0] == hash[0] && one->hash[1] == hash[1] && one->until_ms > now_ms) return one;
    }
    return NULL;
}

static bool is_known(struct logins *l, const uint64_t hash[2], int64_t now_ms, bool *right)
{
    pthread_mutex_lock(&l->mutex);
    const struct login *one = find(l, hash, now_ms);
    if (one) *right = one->right;
    pthread_mutex_unlock(&l->mutex);
    return one != NULL;
}

/* In the place of the one that ends first; a wrong one never in the place of a right one. */
static void remember(struct logins *l, const uint64_t hash[2], bool right, int64_t now_ms)
{
    struct login *place = NULL;
    pthread_mutex_lock(&l->mutex);
    for (size_t i = 0; i < WAYS; i++) {
        struct login *one = &l->list[(hash[0] + i) % LOGINS_MAX];
        bool may = right || !one->right || one->until_ms <= now_ms;
        if (may && (!place || one->until_ms < place->until_ms)) place = one;
    }
    if (place) *place = (struct login){{hash[0], hash[1]}, now_ms + (right ? RIGHT_MS : WRONG_MS), right};
    pthread_mutex_unlock(&l->mutex);
}

/* -- checking -- */

/* False: too many wait already. */
static bool queue_for_check(struct logins *l)
{
    pthread_mutex_lock(&l->checking);
    bool room = l->waiting < WAITING_MAX;
    l->waiting += room;
    while (room && l->under_way >= CHECKS_MAX) pthread_cond_wait(&l->freed, &l->checking);
    l->waiting -= room;
    l->under_way += room;
    pthread_mutex_unlock(&l->checking);
    return room;
}

static void checked(struct logins *l)
{
    pthread_mutex_lock(&l->checking);
    l->under_way--;
    pthread_cond_signal(&l->freed);
    pthread_mutex_unlock(&l->checking);
}

static bool later(struct dav *d, unsigned status, unsigned wait_s, const char *why)
{
    http_answer_header(d->answer, "Retry-After", "%u", wait_s);
    http_answer_text(d->answer, status, "%s", why);
    return false;
}

void dav_ask(struct http_answer *a)
{
    http_answer_header(a, "WWW-Authenticate", "Basic realm=\"abgleich\", charset=\"UTF-8\"");
    http_answer_text(a, 401, "%s", _("sign in"));
}

static bool ask(struct dav *d)
{
    dav_ask(d->answer);
    return false;
}

static int64_t now_of(struct dav *d)
{
    struct env *env = &d->desk->system.env;
    return env->monotonic_ms(env);
}

static bool check(struct dav *d, const char *who, const char *password, bool there, bool *right)
{
    struct logins *l = d->service->logins;
    if (guesses_are_many(l->guesses, who, now_of(d)))
        return later(d, 429, 60, _("too many wrong passwords from this address; wait a minute"));
    if (!queue_for_check(l)) return later(d, 503, 1, _("too many are signing in just now"));
    *right = user_check(there ? &d->user : NULL, password);
    checked(l);
    if (!*right) guesses_add(l->guesses, who, now_of(d));
    return true;
}

static bool is_right(struct dav *d, struct str name, const char *password)
{
    struct logins *l = d->service->logins;
    uint64_t hash[2], place[2];
    char who[24];
    bool right = false, there = user_get(d->db, name, &d->arena, &d->user);
    hash_of(l, there ? d->user.password : STR_NONE, name, str_of(password), hash);
    if (!is_known(l, hash, now_of(d), &right)) {
        hash_of(l, STR("guess"), name, str_of(http_call_peer(d->call)), place);
        snprintf(who, sizeof who, "%016llx", (unsigned long long)place[0]);
        if (!check(d, who, password, there, &right)) return false;
        remember(l, hash, right, now_of(d));
    }
    return right || ask(d);
}

static bool is_within_rate(struct dav *d)
{
    unsigned wait_s;
    return rates_take(d->service->rates, d->user.no, d->service->settings.requests_per_s, now_of(d), &wait_s) ||
           later(d, 429, wait_s, _("too many requests; come again a little later"));
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
    const char *colon = memchr(plain.data, ':', plain.len);
    bool right = colon && is_right(d, (struct str){plain.data, (size_t)(colon - plain.data)}, colon + 1);
    sodium_memzero(plain.data, plain.cap);
    if (!colon) return ask(d);
    return right && is_within_rate(d);
}
