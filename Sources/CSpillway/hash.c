#include "spw_hash.h"
#include <string.h>

// Everything of xxHash that is used is compiled into this file, so that no program links libxxhash.so.
#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t spw_hash_bytes(const void *bytes, size_t count, uint64_t seed) {
    return XXH3_64bits_withSeed(bytes, count, seed);
}

spw_hash128 spw_hash_part(spw_hash128 before, const void *bytes, size_t count, uint64_t kind, uint64_t seed) {
    XXH128_hash_t part = XXH3_128bits_withSeed(bytes, count, seed);
    uint64_t words[6] = {before.low, before.high, part.low64, part.high64, count, kind};
    XXH128_hash_t all = XXH3_128bits_withSeed(words, sizeof(words), seed);
    return (spw_hash128){all.low64, all.high64};
}

uint64_t spw_hash_xxh64(const void *bytes, size_t count, uint64_t seed) {
    return XXH64(bytes, count, seed);
}

// XXH64 of a block and of the hash before it, taken apart: all but the end does not depend on what was before, so that the processor
// works on several blocks at once. The steps and primes are those of the specification (xxhash_spec.md in Cyan4973/xxHash).
static const uint64_t prime1 = 0x9E3779B185EBCA87ull, prime2 = 0xC2B2AE3D27D4EB4Full, prime3 = 0x165667B19E3779F9ull,
                      prime4 = 0x85EBCA77C2B2AE63ull;

static inline uint64_t rotated(uint64_t word, int bits) { return word << bits | word >> (64 - bits); }

static inline uint64_t little(const uint8_t *from) {
    uint64_t word;
    memcpy(&word, from, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline uint64_t mixed(uint64_t sum, uint64_t word) { return rotated(sum + word * prime2, 31) * prime1; }

static inline uint64_t merged(uint64_t hash, uint64_t sum) { return (hash ^ mixed(0, sum)) * prime1 + prime4; }

/// What a block of `count` bytes, a multiple of 32, is before the hash that stands behind it comes in.
static inline uint64_t spw_block(const uint8_t *block, size_t count) {
    uint64_t a = prime1 + prime2, b = prime2, c = 0, d = 0 - prime1;
    for (const uint8_t *end = block + count; block < end; block += 32) {
        a = mixed(a, little(block));
        b = mixed(b, little(block + 8));
        c = mixed(c, little(block + 16));
        d = mixed(d, little(block + 24));
    }
    uint64_t hash = rotated(a, 1) + rotated(b, 7) + rotated(c, 12) + rotated(d, 18);
    return merged(merged(merged(merged(hash, a), b), c), d) + count + 8;
}

static inline uint64_t spw_link(uint64_t block, uint64_t before) {
    uint64_t hash = rotated(block ^ mixed(0, before), 27) * prime1 + prime4;
    hash = (hash ^ hash >> 33) * prime2;
    hash = (hash ^ hash >> 29) * prime3;
    return hash ^ hash >> 32;
}

/// The same of a block of any size.
static uint64_t spw_link_any(const uint8_t *block, size_t count, uint64_t before) {
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(before >> (8 * i));
    XXH64_state_t state;
    XXH64_reset(&state, 0);
    XXH64_update(&state, block, count);
    XXH64_update(&state, bytes, 8);
    return XXH64_digest(&state);
}

size_t spw_hash_chain(
    const void *bytes, size_t count, size_t block, uint64_t first, size_t stride, uint64_t *out, size_t most) {
    const uint8_t *next = bytes;
    uint64_t hash = first;
    size_t written = 0, since = 0;
    for (; count >= block && written < most; count -= block, next += block) {
        // The usual size by itself: its loop is unrolled.
        hash = block == 64       ? spw_link(spw_block(next, 64), hash)
               : block % 32 == 0 ? spw_link(spw_block(next, block), hash)
                                 : spw_link_any(next, block, hash);
        if (++since == stride) {
            out[written++] = hash;
            since = 0;
        }
    }
    return written;
}
