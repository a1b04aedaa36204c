#ifndef SPW_CLOCK_H
#define SPW_CLOCK_H
#include <stdint.h>
#include <time.h>

/// Nanoseconds of a clock that never goes back and is steered by nobody's wall clock.
///
/// CLOCK_MONOTONIC is read through the vDSO: no system call, the same value on every core. A bare time-stamp counter
/// would be twice as fast, but it needs calibration and is not the same on all cores of every virtual machine.
static inline int64_t spw_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/// Nanoseconds since 1970 by the wall clock, which may go back.
static inline int64_t spw_wall(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

#endif
