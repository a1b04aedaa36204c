#ifndef SPW_CONCURRENCY_H
#define SPW_CONCURRENCY_H
#include <stdbool.h>
#include <stdint.h>

/// A limit on calls in flight, and a window of how long they took, in one word.
///
/// Layout of `word`: bits 48…63 calls in flight, bit 47 whether the gate has ended, bits 44…46 the low bits of the epoch,
/// bits 36…43 samples in the window, bits 0…35 their sum in steps of 1,024 ns, each sample at most 2²⁸ steps (4.6 minutes).
///
/// Why one atomic step suffices. To take a place is a function of the word, applied by compare-and-swap, so the limit is
/// checked and the place taken at once: there are never more in flight than the limit that was read. A call that ends gives
/// its place back and adds its sample in one step. Whoever closes a window, under a lock, changes the epoch first and then
/// takes the window out of the word in one step that also writes the epoch's low bits. A call reads the word, then the
/// epoch: when the epoch is the one it was admitted under and the word is still the same, its sample is in its own window.
///
/// A state whose gate has ended is not used again before its last call has left. That the gate has ended and that nobody is
/// in flight are facts of the same word, so exactly one caller is told that both hold: the last to leave, or else the gate.
typedef struct {
    uint64_t word;
    uint32_t limit;
    uint32_t epoch;   ///< changes with the limit: samples of calls from before do not count
    uint32_t flags;   ///< SPW_CONCURRENCY_…
    uint32_t peak;    ///< the most calls in flight that a sample of this window saw when it was admitted
    int64_t started;  ///< when the window began, in nanoseconds
    int64_t length;   ///< how long it lasts at least
    uint32_t samples; ///< how many it needs, at most 255
    uint32_t drops;   ///< calls of this window that failed for want of capacity
} spw_concurrency;

enum {
    SPW_CONCURRENCY_TIMED = 1,   ///< round trips are added up in the word
    SPW_CONCURRENCY_MODEL = 2,   ///< calls are measured under a lock
    SPW_CONCURRENCY_SHARED = 4,  ///< there are partitions: places are taken under a lock
    SPW_CONCURRENCY_SHADOW = 8,  ///< nothing is refused
};

#define SPW_CONCURRENCY_MOST 65000u
#define SPW_CONCURRENCY_SHIFT 48
#define SPW_CONCURRENCY_ONE (UINT64_C(1) << SPW_CONCURRENCY_SHIFT)
#define SPW_CONCURRENCY_ENDED (UINT64_C(1) << 47)
#define SPW_CONCURRENCY_PLACES (~(SPW_CONCURRENCY_ONE - 1))
#define SPW_CONCURRENCY_EPOCH_SHIFT 44
#define SPW_CONCURRENCY_COUNT_SHIFT 36
#define SPW_CONCURRENCY_COUNT_MOST 255u
#define SPW_CONCURRENCY_SUM_MASK ((UINT64_C(1) << SPW_CONCURRENCY_COUNT_SHIFT) - 1)
#define SPW_CONCURRENCY_STEP_SHIFT 10
#define SPW_CONCURRENCY_LONGEST ((UINT64_C(1) << 28) - 1)

#define SPW_CONCURRENCY_READ(place) __atomic_load_n(&(place), __ATOMIC_RELAXED)
#define SPW_CONCURRENCY_WRITE(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELAXED)

static inline uint32_t spw_concurrency_count(uint64_t word) {
    return (uint32_t)(word >> SPW_CONCURRENCY_COUNT_SHIFT) & SPW_CONCURRENCY_COUNT_MOST;
}

static inline uint32_t spw_concurrency_in_flight(const spw_concurrency *c) {
    return (uint32_t)(__atomic_load_n(&c->word, __ATOMIC_ACQUIRE) >> SPW_CONCURRENCY_SHIFT);
}

static inline uint32_t spw_concurrency_limit(const spw_concurrency *c) { return SPW_CONCURRENCY_READ(c->limit); }
static inline uint32_t spw_concurrency_flags(const spw_concurrency *c) { return SPW_CONCURRENCY_READ(c->flags); }
static inline uint32_t spw_concurrency_epoch(const spw_concurrency *c) {
    return __atomic_load_n(&c->epoch, __ATOMIC_ACQUIRE);
}

/// Takes a place when there are fewer than `limit` in flight; returns how many there are then, 0 when there was no place.
static inline uint32_t spw_concurrency_take(spw_concurrency *c, uint32_t limit) {
    uint64_t word = __atomic_load_n(&c->word, __ATOMIC_RELAXED);
    uint64_t bound = (uint64_t)limit << SPW_CONCURRENCY_SHIFT;
    do {
        if (__builtin_expect(word >= bound, 0)) return 0;
    } while (!__atomic_compare_exchange_n(
        &c->word, &word, word + SPW_CONCURRENCY_ONE, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
    return (uint32_t)(word >> SPW_CONCURRENCY_SHIFT) + 1;
}

/// What is to be done after a place was given back.
typedef enum {
    SPW_CONCURRENCY_LEFT,  ///< nothing
    SPW_CONCURRENCY_CLOSE, ///< the window has what it needs: close it
    SPW_CONCURRENCY_LAST,  ///< the gate has ended and nobody is in flight any more: the state can be used again
} spw_concurrency_next;

/// Gives a place back.
static inline spw_concurrency_next spw_concurrency_leave(spw_concurrency *c) {
    uint64_t word = __atomic_fetch_sub(&c->word, SPW_CONCURRENCY_ONE, __ATOMIC_ACQ_REL);
    bool last = (word & (SPW_CONCURRENCY_PLACES | SPW_CONCURRENCY_ENDED)) == (SPW_CONCURRENCY_ONE | SPW_CONCURRENCY_ENDED);
    return __builtin_expect(last, 0) ? SPW_CONCURRENCY_LAST : SPW_CONCURRENCY_LEFT;
}

/// Whether the window that is open has lasted long enough at `now`; a time before its beginning ends it too.
static inline bool spw_concurrency_is_over(const spw_concurrency *c, int64_t now) {
    return (uint64_t)now - (uint64_t)SPW_CONCURRENCY_READ(c->started) >= (uint64_t)SPW_CONCURRENCY_READ(c->length);
}

/// Gives a place back, and adds how long the call took if it was admitted under the epoch that is.
///
/// A call that took no time at all teaches nothing: the clock has stopped, or gone back.
static inline spw_concurrency_next spw_concurrency_leave_timed(
    spw_concurrency *c, uint32_t epoch, uint32_t seen, int64_t admitted, int64_t now
) {
    if (__builtin_expect(now <= admitted, 0)) return spw_concurrency_leave(c);
    uint64_t took = ((uint64_t)now - (uint64_t)admitted) >> SPW_CONCURRENCY_STEP_SHIFT;
    if (took > SPW_CONCURRENCY_LONGEST) took = SPW_CONCURRENCY_LONGEST;
    uint64_t sample = (UINT64_C(1) << SPW_CONCURRENCY_COUNT_SHIFT) + took;
    uint64_t word = __atomic_load_n(&c->word, __ATOMIC_ACQUIRE), next;
    do {
        if (spw_concurrency_epoch(c) != epoch || (word & SPW_CONCURRENCY_ENDED)) return spw_concurrency_leave(c);
        next = word - SPW_CONCURRENCY_ONE;
        if (spw_concurrency_count(word) < SPW_CONCURRENCY_COUNT_MOST) next += sample;
    } while (!__atomic_compare_exchange_n(&c->word, &word, next, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    // Two at once may leave the lower of their peaks: they are neighbours.
    if (seen > SPW_CONCURRENCY_READ(c->peak)) SPW_CONCURRENCY_WRITE(c->peak, seen);
    uint32_t count = spw_concurrency_count(next);
    if (count < SPW_CONCURRENCY_READ(c->samples)) return SPW_CONCURRENCY_LEFT;
    return spw_concurrency_is_over(c, now) || count == SPW_CONCURRENCY_COUNT_MOST
        ? SPW_CONCURRENCY_CLOSE : SPW_CONCURRENCY_LEFT;
}

/// Counts a call that failed for want of capacity.
static inline spw_concurrency_next spw_concurrency_drop(spw_concurrency *c, int64_t now) {
    uint32_t drops = __atomic_add_fetch(&c->drops, 1, __ATOMIC_RELAXED);
    bool enough = drops + spw_concurrency_count(SPW_CONCURRENCY_READ(c->word)) >= SPW_CONCURRENCY_READ(c->samples);
    return enough && spw_concurrency_is_over(c, now) ? SPW_CONCURRENCY_CLOSE : SPW_CONCURRENCY_LEFT;
}

// Below: under the lock of whoever owns the structure.

/// What a window has gathered.
typedef struct {
    uint32_t samples;
    uint32_t drops;
    uint32_t peak;
    uint64_t sum; ///< nanoseconds
} spw_concurrency_window;

static inline spw_concurrency_window spw_concurrency_gathered(const spw_concurrency *c) {
    uint64_t word = __atomic_load_n(&c->word, __ATOMIC_ACQUIRE);
    return (spw_concurrency_window){
        .samples = spw_concurrency_count(word),
        .drops = SPW_CONCURRENCY_READ(c->drops),
        .peak = SPW_CONCURRENCY_READ(c->peak),
        .sum = (word & SPW_CONCURRENCY_SUM_MASK) << SPW_CONCURRENCY_STEP_SHIFT,
    };
}

/// Begins a window at `now`; with another limit, or `anew`, a new epoch begins as well.
static inline void spw_concurrency_open(spw_concurrency *c, uint32_t limit, int64_t now, int64_t length, bool anew) {
    uint32_t epoch = SPW_CONCURRENCY_READ(c->epoch);
    if (anew || limit != SPW_CONCURRENCY_READ(c->limit)) {
        epoch += 1;
        SPW_CONCURRENCY_WRITE(c->limit, limit);
        __atomic_store_n(&c->epoch, epoch, __ATOMIC_RELEASE);
    }
    SPW_CONCURRENCY_WRITE(c->started, now);
    SPW_CONCURRENCY_WRITE(c->length, length);
    SPW_CONCURRENCY_WRITE(c->peak, 0);
    SPW_CONCURRENCY_WRITE(c->drops, 0);
    uint64_t tag = (uint64_t)(epoch & 7) << SPW_CONCURRENCY_EPOCH_SHIFT;
    uint64_t word = __atomic_load_n(&c->word, __ATOMIC_RELAXED), next;
    do {
        next = (word & (SPW_CONCURRENCY_PLACES | SPW_CONCURRENCY_ENDED)) | tag;
    } while (!__atomic_compare_exchange_n(&c->word, &word, next, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
}

static inline void spw_concurrency_configure(spw_concurrency *c, uint32_t flags, uint32_t samples) {
    SPW_CONCURRENCY_WRITE(c->flags, flags);
    SPW_CONCURRENCY_WRITE(c->samples, samples);
}

/// Begins a life; nobody is in flight, and the epoch goes on.
static inline void spw_concurrency_begin(spw_concurrency *c) { __atomic_store_n(&c->word, 0, __ATOMIC_RELEASE); }

/// Ends a life; true when nobody is in flight.
static inline bool spw_concurrency_end(spw_concurrency *c) {
    return __atomic_fetch_or(&c->word, SPW_CONCURRENCY_ENDED, __ATOMIC_ACQ_REL) < SPW_CONCURRENCY_ONE;
}

#endif
