#ifndef SPW_LOCK_H
#define SPW_LOCK_H
#include <sched.h>
#include <stdint.h>

/// A lock of one word for critical sections of a few nanoseconds in which nothing waits and no user code runs.
///
/// Uncontended it costs one exchange and one store. A waiter spins a little and then yields, because the holder can
/// only be late when the scheduler has taken its core.
typedef uint64_t spw_lock;

static inline void spw_lock_acquire(spw_lock *lock) {
    unsigned spins = 0, pause = 1;
    while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE) != 0) {
        do {
            // Each look takes the cache line away from the holder, so a waiter looks ever less often: the holder, and what
            // it touches, stays where it is, and two threads together are little slower than one.
            for (unsigned i = 0; i < pause; i++) {
#if defined(__x86_64__)
                __builtin_ia32_pause();
#elif defined(__aarch64__)
                __asm__ volatile("yield");
#endif
            }
            if (pause < 64) pause *= 2;
            if ((spins += pause) > 2000) sched_yield();
        } while (__atomic_load_n(lock, __ATOMIC_RELAXED) != 0);
    }
}

static inline void spw_lock_release(spw_lock *lock) {
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

#endif
