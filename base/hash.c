#include "base/hash.h"

#include "base/mem.h"

#include <sodium.h>
#include <stdlib.h>

_Static_assert(sizeof(struct hash_key) == crypto_shorthash_KEYBYTES, "SipHash key");
_Static_assert(sizeof(crypto_generichash_state) <= 384, "BLAKE2b state");

uint64_t hash_bytes(const struct hash_key *key, const void *p, size_t n)
{
    uint64_t h;
    crypto_shorthash((unsigned char *)&h, p, n, key->bytes);
    return h ? h : 1; /* 0 stands for "none" in tables and signals */
}

void digest_init(struct digest *d)
{
    crypto_generichash_init((crypto_generichash_state *)(void *)d->state, NULL, 0, 32);
}

void digest_add(struct digest *d, const void *p, size_t n)
{
    crypto_generichash_update((crypto_generichash_state *)(void *)d->state, p, n);
}

void digest_str(struct digest *d, struct str s)
{
    uint64_t n = s.p ? s.n : UINT64_MAX;
    digest_add(d, &n, sizeof n);
    digest_add(d, s.p ? s.p : "", s.n);
}

void digest_hex(struct digest *d, char out[DIGEST_HEX_BYTES])
{
    unsigned char sum[32];
    crypto_generichash_final((crypto_generichash_state *)(void *)d->state, sum, sizeof sum);
    sodium_bin2hex(out, DIGEST_HEX_BYTES, sum, sizeof sum);
}

static size_t slot_of(const struct map64 *m, uint64_t key)
{
    size_t i = (size_t)key & (m->cap - 1);
    while (m->keys[i] && m->keys[i] != key) i = (i + 1) & (m->cap - 1);
    return i;
}

void map64_init(struct map64 *m, size_t expected)
{
    size_t cap = 16;
    while (cap * 3 < expected * 4) cap *= 2;
    *m = (struct map64){mem_calloc(cap, sizeof *m->keys), mem_calloc(cap, sizeof *m->values), cap, 0};
}

static void grow(struct map64 *m)
{
    struct map64 old = *m;
    map64_init(m, old.cap * 3 / 2);
    for (size_t i = 0; i < old.cap; i++)
        if (old.keys[i]) map64_put(m, old.keys[i], old.values[i]);
    map64_free(&old);
}

void map64_put(struct map64 *m, uint64_t key, uint32_t value)
{
    if (!m->cap || (m->count + 1) * 4 > m->cap * 3) grow(m);
    size_t i = slot_of(m, key);
    m->count += m->keys[i] == 0;
    m->keys[i] = key;
    m->values[i] = value;
}

bool map64_get(const struct map64 *m, uint64_t key, uint32_t *value)
{
    if (!m->cap) return false;
    size_t i = slot_of(m, key);
    if (!m->keys[i]) return false;
    *value = m->values[i];
    return true;
}

void map64_free(struct map64 *m)
{
    free(m->keys);
    free(m->values);
    *m = (struct map64){NULL, NULL, 0, 0};
}
