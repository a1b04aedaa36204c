#ifndef SPW_HASH_H
#define SPW_HASH_H
#include <stddef.h>
#include <stdint.h>

/// XXH3 (64 bits) of `count` bytes, as https://github.com/Cyan4973/xxHash specifies it.
uint64_t spw_hash_bytes(const void *bytes, size_t count, uint64_t seed);

typedef struct {
    uint64_t low, high;
} spw_hash128;

/// What the parts so far and one more have for a hash: XXH3 (128 bits) of the part, and then of that with its length, its `kind`
/// and the hash so far. So parts are told apart where they meet, and in which order they come.
spw_hash128 spw_hash_part(spw_hash128 before, const void *bytes, size_t count, uint64_t kind, uint64_t seed);

/// XXH64 of `count` bytes.
uint64_t spw_hash_xxh64(const void *bytes, size_t count, uint64_t seed);

/// The chain of hashes of a text's whole blocks: XXH64 of the block's bytes and of the hash before it, little endian; `first` stands
/// before the first block. Of each `stride` of them the last is written to `out`, at most `most`.
///
/// That is how llm-d's endpoint picker hashes prompts.
///
/// - Returns: How many were written.
size_t spw_hash_chain(
    const void *bytes, size_t count, size_t block, uint64_t first, size_t stride, uint64_t *out, size_t most);

/// A 64-bit mix of an integer key: two multiplications of 64 to 128 bits, as wyhash uses them
/// (https://github.com/wangyi-fudan/wyhash).
static inline uint64_t spw_hash_integer(uint64_t key, uint64_t seed) {
    __uint128_t a = (__uint128_t)(key ^ 0x9e3779b97f4a7c15ull) * (seed ^ 0xa0761d6478bd642full);
    uint64_t mixed = (uint64_t)a ^ (uint64_t)(a >> 64);
    __uint128_t b = (__uint128_t)(mixed ^ 0xe7037ed1a0b428dbull) * (key ^ seed ^ 0x8ebc6af09c88c6e3ull);
    return (uint64_t)b ^ (uint64_t)(b >> 64);
}

#endif
