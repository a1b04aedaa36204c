#ifndef SPW_BUCKET_H
#define SPW_BUCKET_H
#include "spw_lock.h"
#include <stdbool.h>
#include <stdint.h>

/// A token bucket as one word: the generic cell rate algorithm (ITU-T I.371, appendix I).
///
/// Layout. `tat` is the theoretical arrival time: the moment at which the bucket is full again. It counts ticks of
/// 1/16 ns, as `interval` does, the ticks in which one unit drips in. A bucket holds
/// `burst − (tat − now) / interval` units, and `burst` of them when tat is past.
///
/// Why one atomic step suffices. The whole state is `tat`; an admission is the function tat → max(tat, now) + cost,
/// allowed while the result is at most now + burst. Load, compute, compare-and-swap: if the swap succeeds nobody moved
/// tat in between, so admissions form one sequence and their sum over any span is at most burst + span / interval.
/// A stale `now` sees a fuller debt (tat − now is larger) and can only admit less; time that goes back mints nothing.
/// A whole interval per unit and whole ticks per interval mean that no rounding is left to accumulate: N units taken
/// one by one cost exactly what N units cost at once.
///
/// Giving back. Debt is repaid in the order in which it was made. A call that gives back what it took moves all debts made
/// after its own nearer to now, so a permit remembers `tat + shifted` as it left them, where `shifted` sums all such
/// moves; what lies beyond `now` in today's measure is still owed, and only that is given back: more would mint units
/// that have dripped in already. A `now` that was read long ago must not count what dripped in before a later admission, so
/// each admission leaves its time in `latest`, to within a grain, before it can be seen in tat. Who was the last to take
/// just undoes it and needs none of this. Where somebody has been promised units at a later time, that promise stands, so only the
/// last in line can give back. Two words move together, so givers take turns at a lock; tat moves first, so that an
/// admission between the two remembers too little and never too much.
///
/// A call that is settled with what it really used gives back the difference in the same way, because what it gives back lies
/// at the end of its own debt. What it used beyond is taken whether it is there or not: tat may then be more than a whole
/// burst ahead, and later calls wait.
///
/// `interval` and `burst` change under `version` (odd while changing). A reader that saw an even version, then tat,
/// then the same version has a consistent triple. An update always changes tat too, so that a swap begun before it
/// fails after it.
typedef struct {
    uint64_t version;
    int64_t interval; ///< ticks per unit, at least 1
    int64_t burst;    ///< units that a full bucket holds
    int64_t tat;      ///< ticks
    int64_t latest;   ///< ticks; no admission was more than a grain later
    uint64_t shifted; ///< ticks by which debts have moved nearer because others gave back; wraps, as marks do
    spw_lock givers;
    uint32_t flags;   ///< the owner's own
} spw_bucket;

#define SPW_TICKS 16
/// The grain of `latest`, in ticks: 65 µs, so that admissions hardly ever write it.
#define SPW_BUCKET_GRAIN (INT64_C(1) << 20)
/// The latest instant that is told apart, in nanoseconds: 4.5 years of uptime. Later ones count as this one.
#define SPW_BUCKET_HORIZON (INT64_C(1) << 57)
/// The most ticks that burst × interval may take: 4.5 years.
#define SPW_BUCKET_SPAN (INT64_C(1) << 61)
/// The most ticks of a reservation's patience: 1.1 years. With the other two it keeps every sum below 2⁶³.
#define SPW_BUCKET_PATIENCE (INT64_C(1) << 59)

/// Admitted when wait is 0, or when it is at most what the caller would wait: then `mark` is what a refund needs.
/// Otherwise nothing was taken and wait says after how many nanoseconds to ask again; −1: never, cost exceeds burst.
typedef struct {
    int64_t wait;
    uint64_t mark;
} spw_bucket_answer;

static inline int64_t spw_bucket_ticks(int64_t nanoseconds) {
    int64_t n = nanoseconds < 0 ? 0 : nanoseconds;
    return (n > SPW_BUCKET_HORIZON ? SPW_BUCKET_HORIZON : n) * SPW_TICKS;
}

/// `units` more of debt, which stops where sums would no longer fit: 9 years after the clock's origin.
static inline int64_t spw_bucket_later(int64_t tat, int64_t units, int64_t interval) {
    __int128_t after = (__int128_t)tat + (__int128_t)units * interval;
    return after < 2 * SPW_BUCKET_SPAN ? (int64_t)after : 2 * SPW_BUCKET_SPAN;
}

static inline void spw_bucket_init(spw_bucket *b, int64_t interval, int64_t burst) {
    *b = (spw_bucket){.interval = interval, .burst = burst};
}

static inline uint32_t spw_bucket_flags(const spw_bucket *b) { return __atomic_load_n(&b->flags, __ATOMIC_RELAXED); }

static inline void spw_bucket_set_flags(spw_bucket *b, uint32_t flags) {
    __atomic_store_n(&b->flags, flags, __ATOMIC_RELAXED);
}

/// Notes the time of an admission.
static inline void spw_bucket_note(spw_bucket *b, int64_t start) {
    int64_t latest = __atomic_load_n(&b->latest, __ATOMIC_RELAXED);
    while (__builtin_expect(start - latest > SPW_BUCKET_GRAIN, 0)) {
        if (__atomic_compare_exchange_n(&b->latest, &latest, start, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) break;
    }
}

/// Takes `cost` units if they are there now, or will be within `patience` nanoseconds.
static inline spw_bucket_answer spw_bucket_take(spw_bucket *b, int64_t now, uint32_t cost, int64_t patience) {
    int64_t start = spw_bucket_ticks(now);
    if (patience > SPW_BUCKET_PATIENCE / SPW_TICKS) patience = SPW_BUCKET_PATIENCE / SPW_TICKS;
    uint64_t shifted = __atomic_load_n(&b->shifted, __ATOMIC_ACQUIRE);
    for (;;) {
        uint64_t version = __atomic_load_n(&b->version, __ATOMIC_ACQUIRE);
        int64_t interval = __atomic_load_n(&b->interval, __ATOMIC_ACQUIRE);
        int64_t burst = __atomic_load_n(&b->burst, __ATOMIC_ACQUIRE);
        int64_t tat = __atomic_load_n(&b->tat, __ATOMIC_ACQUIRE);
        if (__builtin_expect((version & 1) | (version != __atomic_load_n(&b->version, __ATOMIC_RELAXED)), 0)) continue;
        if (__builtin_expect((int64_t)cost > burst, 0)) return (spw_bucket_answer){-1, 0};
        int64_t after = (tat > start ? tat : start) + (int64_t)cost * interval;
        int64_t excess = after - burst * interval - start;
        int64_t wait = 0;
        if (excess > 0) {
            wait = (excess + SPW_TICKS - 1) / SPW_TICKS;
            if (wait > patience) return (spw_bucket_answer){wait, 0};
        }
        spw_bucket_note(b, start);
        if (__atomic_compare_exchange_n(&b->tat, &tat, after, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return (spw_bucket_answer){wait, (uint64_t)after + shifted};
    }
}

/// Gives back what is still owed of `cost` units whose admission left `mark`; returns whether anything was given.
static inline bool spw_bucket_refund(spw_bucket *b, int64_t now, uint32_t cost, uint64_t mark) {
    int64_t start = spw_bucket_ticks(now), amount = 0;
    spw_lock_acquire(&b->givers);
    int64_t interval = __atomic_load_n(&b->interval, __ATOMIC_RELAXED);
    int64_t span = interval * __atomic_load_n(&b->burst, __ATOMIC_RELAXED);
    uint64_t shifted = __atomic_load_n(&b->shifted, __ATOMIC_RELAXED);
    int64_t tat = __atomic_load_n(&b->tat, __ATOMIC_ACQUIRE);
    bool last;
    do {
        last = (uint64_t)tat + shifted == mark;
        int64_t known = __atomic_load_n(&b->latest, __ATOMIC_RELAXED) + SPW_BUCKET_GRAIN;
        int64_t then = last || known < start ? start : known;
        int64_t owed = (int64_t)(mark - shifted) - then, paid = (int64_t)cost * interval;
        amount = owed < paid ? owed : paid;
        if (amount > tat - start) amount = tat - start;
        if (amount <= 0 || (!last && tat - span > start)) {
            amount = 0;
            break;
        }
    } while (!__atomic_compare_exchange_n(&b->tat, &tat, tat - amount, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    if (!last && amount > 0) __atomic_store_n(&b->shifted, shifted + (uint64_t)amount, __ATOMIC_RELEASE);
    spw_lock_release(&b->givers);
    return amount > 0;
}

/// How many bursts what was used beyond can make a bucket owe: one absurd figure must not lock out for years.
#define SPW_BUCKET_DEBTS 4

/// Takes `units` that a call used beyond what it had taken, whether they are there or not: later calls wait for them. No
/// more than SPW_BUCKET_DEBTS bursts are owed by that.
static inline void spw_bucket_charge(spw_bucket *b, int64_t now, int64_t units) {
    int64_t start = spw_bucket_ticks(now), after;
    spw_bucket_note(b, start);
    int64_t tat = __atomic_load_n(&b->tat, __ATOMIC_ACQUIRE);
    do {
        int64_t interval = __atomic_load_n(&b->interval, __ATOMIC_RELAXED);
        int64_t burst = __atomic_load_n(&b->burst, __ATOMIC_RELAXED);
        after = spw_bucket_later(tat > start ? tat : start, units, interval);
        int64_t most = spw_bucket_later(start, SPW_BUCKET_DEBTS * burst, interval);
        if (after > most) after = tat > most ? tat : most;
    } while (!__atomic_compare_exchange_n(&b->tat, &tat, after, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
}

/// Empties the bucket, as if all of it had just been taken. Whoever takes meanwhile may take from what was there.
static inline void spw_bucket_drain(spw_bucket *b, int64_t now) {
    int64_t span = __atomic_load_n(&b->interval, __ATOMIC_RELAXED) * __atomic_load_n(&b->burst, __ATOMIC_RELAXED);
    __atomic_store_n(&b->tat, spw_bucket_ticks(now) + span, __ATOMIC_RELEASE);
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
    spw_lock_acquire(&b->givers);
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
    spw_lock_release(&b->givers);
}

#endif
