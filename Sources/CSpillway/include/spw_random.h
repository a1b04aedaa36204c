#ifndef SPW_RANDOM_H
#define SPW_RANDOM_H
#include <stdint.h>

/// wyrand: a Weyl sequence and one 64 × 64 → 128 multiplication (https://github.com/wangyi-fudan/wyhash).
/// The state advances by addition alone, so that a shared generator needs one atomic add and no loop.
#define SPW_RANDOM_STEP 0xa0761d6478bd642full

static inline uint64_t spw_random_mix(uint64_t state) {
    __uint128_t product = (__uint128_t)state * (state ^ 0xe7037ed1a0b428dbull);
    return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

/// The next number of a generator that threads share: one atomic add.
static inline uint64_t spw_random_shared(uint64_t *state) {
    return spw_random_mix(__atomic_add_fetch(state, SPW_RANDOM_STEP, __ATOMIC_RELAXED));
}

/// The next number of this thread's own generator, seeded by the system at its first use. Not for secrets.
uint64_t spw_random_system(void);

#endif
