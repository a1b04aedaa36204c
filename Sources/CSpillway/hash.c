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

static inline void spw_write_little(uint8_t *to, uint64_t word) {
    for (int i = 0; i < 8; i++) to[i] = (uint8_t)(word >> (8 * i));
}

size_t spw_hash_chain(
    const void *bytes, size_t count, size_t block, uint64_t first, size_t stride, uint64_t *out, size_t most) {
    // A small block and the hash before it are hashed from one piece of memory, which is twice as fast as a stream.
    enum { whole = 1024 };
    uint8_t piece[whole + 8];
    const uint8_t *next = bytes;
    uint64_t hash = first;
    size_t written = 0, since = 0;
    for (; count >= block && written < most; count -= block, next += block) {
        if (block <= whole) {
            memcpy(piece, next, block);
            spw_write_little(piece + block, hash);
            hash = XXH64(piece, block + 8, 0);
        } else {
            uint8_t before[8];
            spw_write_little(before, hash);
            XXH64_state_t state;
            XXH64_reset(&state, 0);
            XXH64_update(&state, next, block);
            XXH64_update(&state, before, 8);
            hash = XXH64_digest(&state);
        }
        if (++since == stride) {
            out[written++] = hash;
            since = 0;
        }
    }
    return written;
}
