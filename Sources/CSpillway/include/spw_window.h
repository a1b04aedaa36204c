#ifndef SPW_WINDOW_H
#define SPW_WINDOW_H
#include <stdbool.h>
#include <stdint.h>

/// Windows of outcomes in one word, read and written by one atomic step.
///
/// Layout of the last-N window (N ≤ 56): bits 57…63 a tag, bits 0…56 a shift register of outcomes, 1 = failure, newest
/// at bit 0, under one leading 1 that marks how many there are. The leading 1 climbs to bit N and stays there.
/// Layout of the consecutive window: bits 57…63 the same tag, bits 0…31 the failures in a row.
///
/// Why one atomic step suffices. Record is a function of the word alone, applied by compare-and-swap, so records form
/// one sequence and the failure count of a record is a popcount of the word that it wrote. The tag is the breaker's
/// generation: a result of an earlier generation finds another tag, or loses the swap, and never counts.
/// A success in a window of successes changes nothing: the step that writes the same word is left out, so healthy
/// traffic only reads a line that all cores share.
///
/// The shape (`kind` to `share`) changes only together with the generation, so a record that read half of a new shape
/// fails on the tag.
///
/// Why the threshold cannot be missed. Every record judges the word that it wrote, and here the failure share can rise
/// only by a record.
typedef struct {
    uint64_t word;
    uint32_t kind;    ///< SPW_WINDOW_LAST or SPW_WINDOW_CONSECUTIVE
    uint32_t size;    ///< N, or the failures in a row that trip
    uint32_t minimum; ///< outcomes below which no share is judged
    uint32_t share;   ///< failure share that trips, as a fraction of 2³² − 1, rounded down
} spw_window;

enum { SPW_WINDOW_LAST = 0, SPW_WINDOW_CONSECUTIVE = 1 };
#define SPW_WINDOW_MOST 56
#define SPW_WINDOW_BITS 57

typedef struct {
    uint32_t failures;
    uint32_t total;
} spw_counts;

static inline bool spw_counts_trip(spw_counts c, uint32_t minimum, uint32_t share) {
    return c.failures > 0 && c.total >= minimum && ((uint64_t)c.failures * UINT32_MAX) >= (uint64_t)share * c.total;
}

/// A field that is read beside a lock-free word and written under the breaker's lock.
#define SPW_FIELD(place) __atomic_load_n(&(place), __ATOMIC_RELAXED)
#define SPW_SET_FIELD(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELAXED)

static inline void spw_window_shape(spw_window *w, uint32_t kind, uint32_t size, uint32_t minimum, uint32_t share) {
    SPW_SET_FIELD(w->kind, kind);
    SPW_SET_FIELD(w->size, size);
    SPW_SET_FIELD(w->minimum, minimum);
    SPW_SET_FIELD(w->share, share);
}

/// Empties the window for `generation`.
static inline void spw_window_reset(spw_window *w, uint64_t generation) {
    uint64_t empty = SPW_FIELD(w->kind) == SPW_WINDOW_LAST ? 1 : 0;
    __atomic_store_n(&w->word, generation << SPW_WINDOW_BITS | empty, __ATOMIC_RELEASE);
}

static inline spw_counts spw_window_counts(const spw_window *w) {
    uint64_t word = __atomic_load_n(&w->word, __ATOMIC_ACQUIRE);
    if (SPW_FIELD(w->kind) == SPW_WINDOW_CONSECUTIVE) return (spw_counts){(uint32_t)word, (uint32_t)word};
    uint64_t body = word & ((UINT64_C(1) << SPW_WINDOW_BITS) - 1);
    if (body == 0) return (spw_counts){0, 0};
    uint32_t total = 63 - (uint32_t)__builtin_clzll(body);
    return (spw_counts){(uint32_t)__builtin_popcountll(body) - 1, total};
}

/// Records one outcome; returns whether the window now says that the breaker should open.
static inline bool spw_window_record(spw_window *w, uint64_t generation, bool failure) {
    const uint64_t mask = (UINT64_C(1) << SPW_WINDOW_BITS) - 1, tag = generation << SPW_WINDOW_BITS;
    uint64_t word = __atomic_load_n(&w->word, __ATOMIC_ACQUIRE), next;
    uint32_t size = SPW_FIELD(w->size);
    if (__builtin_expect(SPW_FIELD(w->kind) == SPW_WINDOW_CONSECUTIVE, 0)) {
        do {
            if ((word ^ tag) & ~mask) return false;
            next = failure ? word + ((uint32_t)word < UINT32_MAX) : tag;
            if (next == word) break;
        } while (!__atomic_compare_exchange_n(&w->word, &word, next, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
        return failure && (uint32_t)next >= size;
    }
    uint64_t mark = UINT64_C(1) << (size & 63), body; // a size that is about to change may not fit
    do {
        if ((word ^ tag) & ~mask) return false;
        body = word & mask;
        bool full = (body & mark) != 0;
        body = (body << 1) | failure;
        if (full) body = (body & (mark - 1)) | mark;
        next = tag | body;
        if (next == word) {
            if (!failure) return false;
            break; // full of failures, and not open yet: whoever had to wait for that asks again
        }
    } while (!__atomic_compare_exchange_n(&w->word, &word, next, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    spw_counts counts = {(uint32_t)__builtin_popcountll(body) - 1, 63 - (uint32_t)__builtin_clzll(body)};
    uint32_t minimum = SPW_FIELD(w->minimum);
    // A success cannot raise the share, but it can be the outcome that makes the minimum full.
    return (failure || counts.total == minimum) && spw_counts_trip(counts, minimum, SPW_FIELD(w->share));
}

#endif
