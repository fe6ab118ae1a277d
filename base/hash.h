/* Keyed 64-bit hashes (SipHash-2-4 of libsodium): keys come from strangers, so every table and every fingerprint is keyed.
 * The key of fingerprints lives in the state database, that of tables is made per process. */
#ifndef ABGLEICH_HASH_H
#define ABGLEICH_HASH_H

#include "base/str.h"

#include <stdint.h>

struct hash_key {
    unsigned char bytes[16];
};

uint64_t hash_bytes(const struct hash_key *key, const void *p, size_t n);
static inline uint64_t hash_str(const struct hash_key *key, struct str s)
{
    return hash_bytes(key, s.p, s.n);
}

/* A digest for content addresses and plan hashes: BLAKE2b-256 as stream. */
struct digest {
    unsigned char state[384] __attribute__((aligned(64)));
};
#define DIGEST_HEX_BYTES 65
void digest_init(struct digest *d);
void digest_add(struct digest *d, const void *p, size_t n);
void digest_str(struct digest *d, struct str s); /* length first, so that two parts never read as one */
void digest_hex(struct digest *d, char out[DIGEST_HEX_BYTES]);

/* uint64 -> uint32 map, open addressing, no deletes: 12 bytes an entry, for listings of 100 000 records. The 64-bit keys are
 * keyed hashes already; a caller to whom a collision matters compares what the value points to. */
struct map64 {
    uint64_t *keys; /* 0 = empty */
    uint32_t *values;
    size_t cap, count;
};
void map64_init(struct map64 *m, size_t expected);
void map64_put(struct map64 *m, uint64_t key, uint32_t value); /* replaces */
bool map64_get(const struct map64 *m, uint64_t key, uint32_t *value);
void map64_free(struct map64 *m);

#endif
