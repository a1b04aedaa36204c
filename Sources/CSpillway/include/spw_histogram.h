#ifndef SPW_HISTOGRAM_H
#define SPW_HISTOGRAM_H
#include <stdint.h>

/// Times in log-linear buckets, in two spans of time, written by one atomic step each.
///
/// Buckets. Times are counted in units of 2¹³ ns (8 µs). Up to 128 units each unit has a bucket; above, every power of two
/// is cut into 128, so a bucket is at most 1/128 as wide as its lower bound. Times of 2⁴¹ ns (37 minutes) and more share
/// the last. (The scheme of HdrHistogram.)
///
/// Layout of a word: bits 32…63 the epoch (the number of the span of time) in which it was counted, bits 0…31 the count.
/// A row is one array of words; each kind of time has one row for even epochs and one for odd ones.
///
/// Why one atomic step suffices. A word says itself when it was counted. To count is to add 1 to a word of one's own epoch,
/// or to replace one of an older epoch by 1, by compare-and-swap: a row that comes into use again is never cleared, and
/// whoever is late with an old epoch finds a newer one and leaves it alone. A reader takes the words of the epoch that it
/// asks for and no others, so that nothing stale can leak, after however long an idle time (epochs wrap after 136 years
/// of one second each).
enum {
    SPW_HISTOGRAM_UNIT = 13,
    SPW_HISTOGRAM_PARTS = 7,
    SPW_HISTOGRAM_TOP = 41,
    SPW_HISTOGRAM_BUCKETS = (SPW_HISTOGRAM_TOP - SPW_HISTOGRAM_UNIT - SPW_HISTOGRAM_PARTS + 1) << SPW_HISTOGRAM_PARTS,
};

/// The bucket of a time in nanoseconds; negative ones count as 0.
static inline uint32_t spw_histogram_bucket(int64_t nanoseconds) {
    uint64_t units = nanoseconds < 0 ? 0 : (uint64_t)nanoseconds >> SPW_HISTOGRAM_UNIT;
    if (units < 1 << SPW_HISTOGRAM_PARTS) return (uint32_t)units;
    if (units >= UINT64_C(1) << (SPW_HISTOGRAM_TOP - SPW_HISTOGRAM_UNIT)) return SPW_HISTOGRAM_BUCKETS - 1;
    uint32_t shift = 63 - SPW_HISTOGRAM_PARTS - (uint32_t)__builtin_clzll(units);
    return (shift << SPW_HISTOGRAM_PARTS) + (uint32_t)(units >> shift);
}

/// Where a bucket ends: the first nanosecond that is not in it.
static inline int64_t spw_histogram_end(uint32_t bucket) {
    const uint32_t parts = 1 << SPW_HISTOGRAM_PARTS;
    if (bucket < parts) return (int64_t)(bucket + 1) << SPW_HISTOGRAM_UNIT;
    uint32_t shift = (bucket >> SPW_HISTOGRAM_PARTS) - 1;
    return (int64_t)(bucket - (shift << SPW_HISTOGRAM_PARTS) + 1) << (shift + SPW_HISTOGRAM_UNIT);
}

/// Counts one time in `row`, the row of its kind and of `epoch`.
static inline void spw_histogram_count(uint64_t *row, uint32_t epoch, uint32_t bucket) {
    uint64_t *place = &row[bucket], word = __atomic_load_n(place, __ATOMIC_RELAXED), next;
    do {
        // The difference as a signed number: an epoch is older by up to half of all there are.
        int32_t age = (int32_t)(epoch - (uint32_t)(word >> 32));
        if (age < 0 && (uint32_t)word != 0) return;
        next = age == 0 ? word + ((uint32_t)word < UINT32_MAX) : (uint64_t)epoch << 32 | 1;
    } while (!__atomic_compare_exchange_n(place, &word, next, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

/// How many times of `epoch` are in `bucket`.
static inline uint32_t spw_histogram_read(const uint64_t *row, uint32_t epoch, uint32_t bucket) {
    uint64_t word = __atomic_load_n(&row[bucket], __ATOMIC_RELAXED);
    return (uint32_t)(word >> 32) == epoch ? (uint32_t)word : 0;
}

#endif
