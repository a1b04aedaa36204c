#ifndef SPW_RING_H
#define SPW_RING_H
#include "spw_lock.h"
#include "spw_window.h"
#include <stdlib.h>
#include <string.h>

/// Windows too long for one word: the last N outcomes (N > 56), or all outcomes of the last T nanoseconds.
///
/// Layout. `cells` is a ring. By count: one bit an outcome. By time: one word a slice, failures in the high half and
/// total in the low half; `head` is the number of the slice that holds the newest outcome. `counts` is the running sum.
///
/// The lock, and why it is cheaper. To record by time is to expire slices, add to one and to the sum: several words
/// that must agree. Lock-free rings copy or retry for that; a lock held for the few nanoseconds of plain arithmetic
/// costs one exchange and one store, and makes the sum exact. Slices are expired by their number under the lock
/// before anything is added, so a stale slice cannot leak into the sum and no count can go negative. Time is clamped:
/// an outcome older than the newest slice is added to the newest slice.
typedef struct {
    spw_lock lock;
    uint64_t generation;
    int64_t slice;    ///< nanoseconds of one slice; 0: the window goes by count
    int64_t head;     ///< by time: number of the newest slice; by count: position of the next outcome
    uint32_t size;    ///< slices, or N
    uint32_t minimum; ///< outcomes below which no share is judged
    uint32_t share;   ///< as in spw_window
    spw_counts counts;
    uint64_t *cells;
} spw_ring;

static inline size_t spw_ring_words(const spw_ring *r) {
    return r->slice > 0 ? r->size : ((size_t)r->size + 63) / 64;
}

/// Gives the ring its shape and empties it. `slice` 0: by count.
static inline void spw_ring_shape(spw_ring *r, int64_t slice, uint32_t size, uint32_t minimum, uint32_t share) {
    spw_ring shape = {.slice = slice, .size = size};
    uint64_t *cells = (uint64_t *)calloc(spw_ring_words(&shape), sizeof(uint64_t));
    if (!cells) abort(); // as Swift does when there is no memory
    spw_lock_acquire(&r->lock);
    uint64_t *old = r->cells;
    r->cells = cells;
    r->slice = slice;
    r->size = size;
    r->minimum = minimum;
    r->share = share;
    r->head = 0;
    r->counts = (spw_counts){0, 0};
    spw_lock_release(&r->lock);
    free(old);
}

/// Frees the cells; nothing may record any more.
static inline void spw_ring_destroy(spw_ring *r) {
    free(r->cells);
    r->cells = NULL;
}

/// Empties the ring for `generation`.
static inline void spw_ring_reset(spw_ring *r, uint64_t generation) {
    spw_lock_acquire(&r->lock);
    r->generation = generation;
    r->head = 0;
    r->counts = (spw_counts){0, 0};
    if (r->cells) memset(r->cells, 0, spw_ring_words(r) * sizeof(uint64_t));
    spw_lock_release(&r->lock);
}

/// Expires what has left the window at slice number `number`; the lock is held.
static inline void spw_ring_expire(spw_ring *r, int64_t number) {
    int64_t passed = number - r->head;
    if (passed <= 0) return;
    if (passed >= r->size) {
        memset(r->cells, 0, r->size * sizeof(uint64_t));
        r->counts = (spw_counts){0, 0};
    } else {
        for (int64_t n = r->head + 1; n <= number; n++) {
            uint64_t *cell = &r->cells[n % r->size];
            r->counts.failures -= (uint32_t)(*cell >> 32);
            r->counts.total -= (uint32_t)*cell;
            *cell = 0;
        }
    }
    r->head = number;
}

/// Records one outcome; returns whether the window now says that the breaker should open.
static inline bool spw_ring_record(spw_ring *r, uint64_t generation, bool failure, int64_t now) {
    bool trips = false;
    spw_lock_acquire(&r->lock);
    if (generation == r->generation) {
        if (r->slice > 0) {
            spw_ring_expire(r, now < 0 ? 0 : now / r->slice);
            // The sum is 32 bits wide; a window that is full of four thousand million outcomes has seen enough.
            if (r->counts.total < UINT32_MAX) {
                r->cells[r->head % r->size] += ((uint64_t)failure << 32) | 1;
                r->counts.failures += failure;
                r->counts.total += 1;
            }
        } else {
            uint64_t *word = &r->cells[r->head / 64], bit = UINT64_C(1) << (r->head % 64);
            if (r->counts.total == r->size) r->counts.failures -= (*word & bit) != 0;
            else r->counts.total += 1;
            *word = failure ? *word | bit : *word & ~bit;
            r->counts.failures += failure;
            r->head = r->head + 1 == r->size ? 0 : r->head + 1;
        }
        trips = (failure || r->counts.total == r->minimum) && spw_counts_trip(r->counts, r->minimum, r->share);
    }
    spw_lock_release(&r->lock);
    return trips;
}

/// What the window holds at `now`.
static inline spw_counts spw_ring_counts(spw_ring *r, int64_t now) {
    spw_lock_acquire(&r->lock);
    if (r->slice > 0) spw_ring_expire(r, now < 0 ? 0 : now / r->slice);
    spw_counts counts = r->counts;
    spw_lock_release(&r->lock);
    return counts;
}

#endif
