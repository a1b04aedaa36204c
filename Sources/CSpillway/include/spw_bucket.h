#ifndef SPW_BUCKET_H
#define SPW_BUCKET_H
#include <stdbool.h>
#include <stdint.h>

/// A token bucket as one word: the generic cell rate algorithm (ITU-T I.371, appendix I).
///
/// Layout. `tat` is the theoretical arrival time: the moment at which the bucket is full again. It counts ticks of
/// 1/16 ns (so 63 bits last 18 years), as `interval` does, the ticks in which one unit drips in. A bucket holds
/// `burst − (tat − now) / interval` units, and `burst` of them when tat is past.
///
/// Why one atomic step suffices. The whole state is `tat`; an admission is the function tat → max(tat, now) + cost,
/// allowed while the result is at most now + burst. Load, compute, compare-and-swap: if the swap succeeds nobody moved
/// tat in between, so admissions form one sequence and their sum over any span is at most burst + span / interval.
/// A stale `now` sees a fuller debt (tat − now is larger) and can only admit less; time that goes back mints nothing.
/// A whole interval per unit and whole ticks per interval mean that no rounding is left to accumulate: N units taken
/// one by one cost exactly what N units cost at once.
///
/// `interval` and `burst` change under `version` (odd while changing). A reader that saw an even version, then tat,
/// then the same version has a consistent triple. An update always changes tat too, so that a swap begun before it
/// fails after it.
typedef struct {
    uint64_t version;
    int64_t interval; ///< ticks per unit, at least 1
    int64_t burst;    ///< units that a full bucket holds
    int64_t tat;      ///< ticks
    uint32_t flags;   ///< the owner's own
} spw_bucket;

#define SPW_TICKS 16
/// The latest instant that is told apart, in nanoseconds: 9 years of uptime. Later ones count as this one.
#define SPW_BUCKET_HORIZON (INT64_C(1) << 58)
/// The most ticks that burst × interval may take: 4.5 years.
#define SPW_BUCKET_SPAN (INT64_C(1) << 61)

/// Admitted when wait is 0, or when it is at most what the caller would wait: then `tat` is what the bucket became.
/// Otherwise nothing was taken and wait says after how many nanoseconds to ask again; −1: never, cost exceeds burst.
typedef struct {
    int64_t wait;
    int64_t tat;
} spw_bucket_answer;

static inline int64_t spw_bucket_ticks(int64_t nanoseconds) {
    int64_t n = nanoseconds < 0 ? 0 : nanoseconds;
    return (n > SPW_BUCKET_HORIZON ? SPW_BUCKET_HORIZON : n) * SPW_TICKS;
}

static inline void spw_bucket_init(spw_bucket *b, int64_t interval, int64_t burst) {
    *b = (spw_bucket){.interval = interval, .burst = burst};
}

static inline uint32_t spw_bucket_flags(const spw_bucket *b) { return __atomic_load_n(&b->flags, __ATOMIC_RELAXED); }

static inline void spw_bucket_set_flags(spw_bucket *b, uint32_t flags) {
    __atomic_store_n(&b->flags, flags, __ATOMIC_RELAXED);
}

/// Takes `cost` units if they are there now, or will be within `patience` nanoseconds.
static inline spw_bucket_answer spw_bucket_take(spw_bucket *b, int64_t now, uint32_t cost, int64_t patience) {
    int64_t start = spw_bucket_ticks(now);
    for (;;) {
        uint64_t version = __atomic_load_n(&b->version, __ATOMIC_ACQUIRE);
        int64_t interval = __atomic_load_n(&b->interval, __ATOMIC_ACQUIRE);
        int64_t burst = __atomic_load_n(&b->burst, __ATOMIC_ACQUIRE);
        int64_t tat = __atomic_load_n(&b->tat, __ATOMIC_ACQUIRE);
        if (__builtin_expect((version & 1) | (version != __atomic_load_n(&b->version, __ATOMIC_RELAXED)), 0)) continue;
        if (__builtin_expect((int64_t)cost > burst, 0)) return (spw_bucket_answer){-1, tat};
        int64_t after = (tat > start ? tat : start) + (int64_t)cost * interval;
        int64_t excess = after - burst * interval - start;
        int64_t wait = 0;
        if (excess > 0) {
            wait = (excess + SPW_TICKS - 1) / SPW_TICKS;
            if (wait > patience) return (spw_bucket_answer){wait, tat};
        }
        if (__atomic_compare_exchange_n(&b->tat, &tat, after, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return (spw_bucket_answer){wait, after};
    }
}

/// Gives back `cost` units whose admission moved tat to `after`; returns whether anything was given.
///
/// Debt is repaid in the order in which it was made, so of this admission only what lies beyond `now` is still owed.
/// Giving back more would mint units that have dripped in already.
static inline bool spw_bucket_refund(spw_bucket *b, int64_t now, uint32_t cost, int64_t after) {
    int64_t owed = after - spw_bucket_ticks(now);
    int64_t paid = (int64_t)cost * __atomic_load_n(&b->interval, __ATOMIC_RELAXED);
    int64_t amount = owed < paid ? owed : paid;
    if (amount <= 0) return false;
    __atomic_fetch_sub(&b->tat, amount, __ATOMIC_ACQ_REL);
    return true;
}

/// Whole units that could be taken at `now`.
static inline int64_t spw_bucket_available(const spw_bucket *b, int64_t now) {
    int64_t interval = __atomic_load_n(&b->interval, __ATOMIC_RELAXED);
    int64_t burst = __atomic_load_n(&b->burst, __ATOMIC_RELAXED);
    int64_t debt = __atomic_load_n(&b->tat, __ATOMIC_ACQUIRE) - spw_bucket_ticks(now);
    if (debt <= 0) return burst;
    int64_t units = burst - (debt + interval - 1) / interval;
    return units < 0 ? 0 : units;
}

/// Changes rate and burst and keeps the debt in units: what was spent stays spent. One updater at a time.
static inline void spw_bucket_update(spw_bucket *b, int64_t now, int64_t interval, int64_t burst) {
    int64_t start = spw_bucket_ticks(now);
    __atomic_fetch_add(&b->version, 1, __ATOMIC_ACQ_REL);
    int64_t old = __atomic_load_n(&b->interval, __ATOMIC_RELAXED);
    __atomic_store_n(&b->interval, interval, __ATOMIC_RELAXED);
    __atomic_store_n(&b->burst, burst, __ATOMIC_RELAXED);
    int64_t tat = __atomic_load_n(&b->tat, __ATOMIC_ACQUIRE), after;
    do {
        int64_t debt = tat > start ? tat - start : 0;
        __int128_t scaled = ((__int128_t)debt * interval + old - 1) / old;
        __int128_t most = (__int128_t)burst * interval;
        after = start + (int64_t)(scaled < most ? scaled : most);
        if (after == tat) after += 1; // a swap that another thread has prepared must fail
    } while (!__atomic_compare_exchange_n(&b->tat, &tat, after, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    __atomic_fetch_add(&b->version, 1, __ATOMIC_ACQ_REL);
}

#endif
