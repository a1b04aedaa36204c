#include "spw_random.h"
#include "spw_clock.h"
#include <unistd.h>
#if defined(__APPLE__)
#include <sys/random.h>
#endif

// One offset from the thread's own register instead of a call to find it.
__attribute__((tls_model("initial-exec"))) static _Thread_local uint64_t state;

static uint64_t seeded(void) {
    uint64_t seed = 0;
    // getentropy fails only where the kernel offers none; then the clock and a stack address must do.
    if (getentropy(&seed, sizeof seed) != 0) seed = (uint64_t)spw_now() ^ (uint64_t)(uintptr_t)&seed;
    return seed | 1;
}

uint64_t spw_random_system(void) {
    uint64_t current = state;
    if (__builtin_expect(current == 0, 0)) current = seeded();
    current += SPW_RANDOM_STEP;
    state = current;
    return spw_random_mix(current);
}
