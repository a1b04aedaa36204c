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
    for (unsigned spins = 0; __atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE) != 0; spins++) {
        while (__atomic_load_n(lock, __ATOMIC_RELAXED) != 0) {
            if (spins++ < 100) {
#if defined(__x86_64__)
                __builtin_ia32_pause();
#elif defined(__aarch64__)
                __asm__ volatile("yield");
#endif
            } else {
                sched_yield();
            }
        }
    }
}

static inline void spw_lock_release(spw_lock *lock) {
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

#endif
