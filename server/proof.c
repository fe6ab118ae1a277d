#include "server/proof.h"

#include "base/buf.h"
#include "base/mem.h"
#include "state/user.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#define PROOFS_MAX 64
#define REMEMBERED_MS (5 * 60 * (int64_t)1000)

struct proofs {
    pthread_mutex_t mutex;
    struct one {
        uint64_t hash[2];
        int64_t until_ms;
    } list[PROOFS_MAX];
    size_t next;
    unsigned char key[16];
};

struct proofs *proofs_new(void)
{
    struct proofs *p = mem_calloc(1, sizeof *p);
    pthread_mutex_init(&p->mutex, NULL);
    randombytes_buf(p->key, sizeof p->key); /* lives as long as the process: no chance of the engine's */
    return p;
}

void proofs_free(struct proofs *p)
{
    if (p) pthread_mutex_destroy(&p->mutex);
    if (p) sodium_memzero(p, sizeof *p);
    free(p);
}

static void hash_of(const struct proofs *p, struct str stored, const char *given, uint64_t out[2])
{
    crypto_generichash_state h;
    crypto_generichash_init(&h, p->key, sizeof p->key, 16);
    crypto_generichash_update(&h, (const unsigned char *)stored.p, stored.n);
    crypto_generichash_update(&h, (const unsigned char *)given, strlen(given));
    crypto_generichash_final(&h, (unsigned char *)out, 16);
}

static bool is_remembered(struct proofs *p, const uint64_t hash[2], int64_t now_ms)
{
    bool found = false;
    pthread_mutex_lock(&p->mutex);
    for (size_t i = 0; i < PROOFS_MAX; i++)
        found |= p->list[i].until_ms > now_ms && p->list[i].hash[0] == hash[0] && p->list[i].hash[1] == hash[1];
    pthread_mutex_unlock(&p->mutex);
    return found;
}

bool proof_is_right(struct proofs *p, struct str stored, const char *given, int64_t now_ms)
{
    uint64_t hash[2];
    const struct user u = {.password = stored};
    hash_of(p, stored, given, hash);
    if (is_remembered(p, hash, now_ms)) return true;
    if (!user_check(&u, given)) return false;
    pthread_mutex_lock(&p->mutex);
    p->list[p->next++ % PROOFS_MAX] = (struct one){{hash[0], hash[1]}, now_ms + REMEMBERED_MS};
    pthread_mutex_unlock(&p->mutex);
    return true;
}

bool proof_of_basic(const char *header, struct buf *out)
{
    if (!header || !str_starts_nocase(str_of(header), STR("Basic "))) return false;
    size_t n = strlen(header);
    buf_reserve(out, n);
    if (sodium_base642bin((unsigned char *)out->data, n, header + 6, n - 6, " ", &out->len, NULL,
                          sodium_base64_VARIANT_ORIGINAL))
        return false;
    out->data[out->len] = '\0';
    return memchr(out->data, ':', out->len) != NULL;
}

void proof_wipe(struct buf *b)
{
    if (b->data) sodium_memzero(b->data, b->cap);
    buf_free(b);
}
