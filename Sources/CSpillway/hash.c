#include "spw_hash.h"

// Everything of xxHash that is used is compiled into this file, so that no program links libxxhash.so.
#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t spw_hash_bytes(const void *bytes, size_t count, uint64_t seed) {
    return XXH3_64bits_withSeed(bytes, count, seed);
}
