#ifndef LIMITS_OF_MACHINE_H
#define LIMITS_OF_MACHINE_H
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

// The smallest steps that a gate could be made of, to be timed beside it.

static inline int64_t limit_clock(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline bool limit_cas(uint64_t *word) {
    uint64_t seen = __atomic_load_n(word, __ATOMIC_RELAXED);
    return __atomic_compare_exchange_n(word, &seen, seen + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static inline uint64_t limit_add(uint64_t *word) { return __atomic_fetch_add(word, 1, __ATOMIC_RELAXED); }

static inline uint64_t limit_load(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }

/// One step of a random generator: a multiplication of 64 to 128 bits.
static inline uint64_t limit_random(uint64_t *state) {
    *state += 0xa0761d6478bd642full;
    __uint128_t product = (__uint128_t)*state * (*state ^ 0xe7037ed1a0b428dbull);
    return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

/// The sum of all whole 128 bytes, read with nothing else to do.
static inline uint64_t limit_sum(const void *memory, uint64_t bytes) {
    typedef uint64_t words __attribute__((vector_size(64), aligned(1)));
    const words *at = (const words *)memory;
    words even = {0}, odd = {0};
    for (uint64_t i = 0; i + 2 <= bytes / 64; i += 2) {
        even += at[i];
        odd += at[i + 1];
    }
    even += odd;
    uint64_t sum = 0;
    for (int lane = 0; lane < 8; lane++) sum += even[lane];
    return sum;
}

/// Uses a value, so that the compiler cannot leave out what made it.
static inline void limit_keep(uint64_t value) { __asm__ volatile("" : : "r"(value)); }

#endif
