#ifndef SPW_BREAKER_H
#define SPW_BREAKER_H
#include "spw_inflight.h"
#include "spw_ring.h"
#include "spw_window.h"

/// What a breaker reads on every call: its state in one word, and its window.
///
/// Layout of `state`: bits 2…63 the generation, bits 0…1 the path. The generation changes with every transition.
///
/// Why one atomic step suffices. To admit while closed is one load: whether a transition comes just before or just
/// after it makes no difference to a caller who could not have known. The permit keeps the word it was admitted under;
/// a result counts only if the word is still the same, and the window's own tag closes the gap between that check and
/// the record. Transitions are rare: a lock in Swift orders them, and it publishes this word last.
typedef struct {
    uint64_t state;
    int64_t opened_at; ///< nanoseconds; this and open_for are written before `state` says SPW_PATH_OPEN
    int64_t open_for;  ///< nanoseconds; INT64_MAX: until somebody says otherwise
    uint32_t by_ring;  ///< 1: `ring` is the window, 0: `window` is
    uint32_t shadow;   ///< 1: refuse nothing
    const uint32_t *panic; ///< of the breaker's group: 1, refuse nothing; NULL: it is in none
    int64_t slow_from; ///< nanoseconds after which a success counts as failed; INT64_MAX: never; see spw_breaker_failed
    spw_window window;
    spw_ring ring;
    spw_inflight inflight;
} spw_breaker;

enum {
    SPW_PATH_CLOSED = 0, ///< admit, no lock
    SPW_PATH_OPEN = 1,   ///< reject until open_until, no lock
    SPW_PATH_SLOW = 2,   ///< half-open, ramping or overridden: ask under the lock
    SPW_PATH_WATCH = 3,  ///< closed, and calls under way are counted: no lock
};

static inline uint64_t spw_breaker_state(const spw_breaker *b) {
    return __atomic_load_n(&b->state, __ATOMIC_ACQUIRE);
}

/// Nanoseconds that the breaker stays open after `now`. 0: ask under the lock, because the time is over or `now` is
/// before the opening (the subtraction wraps to a huge number then). INT64_MAX: isolated.
static inline int64_t spw_breaker_open_left(const spw_breaker *b, int64_t now) {
    int64_t length = SPW_FIELD(b->open_for);
    if (length == INT64_MAX) return length;
    uint64_t passed = (uint64_t)now - (uint64_t)SPW_FIELD(b->opened_at);
    return passed < (uint64_t)length ? length - (int64_t)passed : 0;
}

static inline bool spw_breaker_is_shadow(const spw_breaker *b) {
    return SPW_FIELD(b->shadow) != 0;
}

/// Whether the breaker's group refuses nothing because too many of its members are out of service.
static inline bool spw_breaker_panics(const spw_breaker *b) {
    const uint32_t *panic = __atomic_load_n(&b->panic, __ATOMIC_ACQUIRE);
    return panic && __atomic_load_n(panic, __ATOMIC_RELAXED) != 0;
}

static inline void spw_breaker_join(spw_breaker *b, const uint32_t *panic) {
    __atomic_store_n(&b->panic, panic, __ATOMIC_RELEASE);
}

static inline void spw_breaker_set_panic(uint32_t *panic, bool panics) {
    __atomic_store_n(panic, panics ? 1 : 0, __ATOMIC_RELAXED);
}

static inline void spw_breaker_publish(
    spw_breaker *b, uint64_t state, int64_t opened_at, int64_t open_for, bool shadow
) {
    SPW_SET_FIELD(b->opened_at, opened_at);
    SPW_SET_FIELD(b->open_for, open_for);
    SPW_SET_FIELD(b->shadow, shadow ? 1 : 0);
    __atomic_store_n(&b->state, state, __ATOMIC_RELEASE);
}

static inline void spw_breaker_set_slow(spw_breaker *b, int64_t from) { SPW_SET_FIELD(b->slow_from, from); }

/// Whether a success counts as failed: it took too long, or was said to be slow (`slow`). `slow_from` below 0: that does
/// not matter, and neither does the time.
static inline bool spw_breaker_failed(const spw_breaker *b, bool slow, int64_t admitted, int64_t now) {
    int64_t from = SPW_FIELD(b->slow_from);
    // One comparison for most; time that went back wraps to a huge number.
    uint64_t took = (uint64_t)now - (uint64_t)admitted;
    if (__builtin_expect(!slow && took <= (uint64_t)from, 1)) return false;
    return from >= 0 && (slow || (now > admitted && took > (uint64_t)from));
}

/// Records an outcome that was admitted under `state`; returns whether the breaker should open.
static inline bool spw_breaker_record(spw_breaker *b, uint64_t state, bool failure, int64_t now) {
    if ((spw_breaker_state(b) ^ state) >> 2) return false;
    if (SPW_FIELD(b->by_ring)) return spw_ring_record(&b->ring, state >> 2, failure, now);
    return spw_window_record(&b->window, state >> 2, failure);
}

static inline spw_counts spw_breaker_counts(spw_breaker *b, int64_t now) {
    return SPW_FIELD(b->by_ring) ? spw_ring_counts(&b->ring, now) : spw_window_counts(&b->window);
}

/// Empties the window for `generation`.
static inline void spw_breaker_reset(spw_breaker *b, uint64_t generation) {
    if (SPW_FIELD(b->by_ring)) spw_ring_reset(&b->ring, generation);
    else spw_window_reset(&b->window, generation);
}

/// Makes the window one word.
static inline void spw_breaker_shape_word(
    spw_breaker *b, uint32_t kind, uint32_t size, uint32_t minimum, uint32_t share
) {
    spw_window_shape(&b->window, kind, size, minimum, share);
    SPW_SET_FIELD(b->by_ring, 0);
}

/// Makes the window a ring.
static inline void spw_breaker_shape_ring(
    spw_breaker *b, int64_t slice, uint32_t size, uint32_t minimum, uint32_t share
) {
    spw_ring_shape(&b->ring, slice, size, minimum, share);
    SPW_SET_FIELD(b->by_ring, 1);
}

#endif
