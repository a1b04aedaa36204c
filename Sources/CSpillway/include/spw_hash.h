#ifndef SPW_HASH_H
#define SPW_HASH_H
#include <stddef.h>
#include <stdint.h>

/// XXH3 (64 bits) of `count` bytes, as https://github.com/Cyan4973/xxHash specifies it.
uint64_t spw_hash_bytes(const void *bytes, size_t count, uint64_t seed);

/// A 64-bit mix of an integer key: two multiplications of 64 to 128 bits, as wyhash uses them
/// (https://github.com/wangyi-fudan/wyhash).
static inline uint64_t spw_hash_integer(uint64_t key, uint64_t seed) {
    __uint128_t a = (__uint128_t)(key ^ 0x9e3779b97f4a7c15ull) * (seed ^ 0xa0761d6478bd642full);
    uint64_t mixed = (uint64_t)a ^ (uint64_t)(a >> 64);
    __uint128_t b = (__uint128_t)(mixed ^ 0xe7037ed1a0b428dbull) * (key ^ seed ^ 0x8ebc6af09c88c6e3ull);
    return (uint64_t)b ^ (uint64_t)(b >> 64);
}

#endif
