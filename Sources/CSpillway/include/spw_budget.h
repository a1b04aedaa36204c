#ifndef SPW_BUDGET_H
#define SPW_BUDGET_H
#include <stdbool.h>
#include <stdint.h>

/// A budget of extra attempts in one word.
///
/// Layout of `word`: bits 28…63 the balance in 1/65,536 of an attempt (up to 1,048,575 attempts), bits 0…27 the time
/// of the last upkeep in steps of 2²⁷ ns (134 ms; the field wraps after 417 days).
///
/// Why one atomic step suffices. Deposit and withdrawal are functions of the word, applied by compare-and-swap, so a
/// withdrawal is checked and made at once: two callers can never spend the same attempt. Upkeep by time is part of the
/// same step. It moves the balance towards `burst`: what lies above decays with the window, what lies below is filled
/// at `floor` a second. So the balance grows by nothing but deposits and the floor, and withdrawals over any span are
/// at most burst + ratio × calls + floor × seconds. A stale time leaves upkeep out for once, a wrapped one does too little
/// of it.
typedef struct {
    uint64_t word;
    uint32_t ratio;  ///< deposit for a call, in 1/65,536
    uint32_t keep;   ///< what one step of 2²⁷ ns leaves of the excess over burst, in 1/2³²
    uint64_t floor;  ///< refill below burst, in 1/65,536 attempts × 2¹⁶ a step
    uint64_t burst;  ///< in 1/65,536
} spw_budget;

#define SPW_BUDGET_ONE 65536u
#define SPW_BUDGET_STEP_SHIFT 27
#define SPW_BUDGET_TIME_BITS 28
#define SPW_BUDGET_TIME_MASK ((UINT64_C(1) << SPW_BUDGET_TIME_BITS) - 1)
#define SPW_BUDGET_MOST ((UINT64_C(1) << 36) - 1)

#define SPW_BUDGET_READ(place) __atomic_load_n(&(place), __ATOMIC_RELAXED)

/// Sets the rates. A step during the change may use an old and a new one; the balance is kept.
static inline void spw_budget_configure(spw_budget *b, uint32_t ratio, uint32_t keep, uint64_t floor, uint64_t burst) {
    __atomic_store_n(&b->ratio, ratio, __ATOMIC_RELAXED);
    __atomic_store_n(&b->keep, keep, __ATOMIC_RELAXED);
    __atomic_store_n(&b->floor, floor, __ATOMIC_RELAXED);
    __atomic_store_n(&b->burst, burst, __ATOMIC_RELAXED);
}

/// Fills the balance to the burst, for the start of a life.
static inline void spw_budget_fill(spw_budget *b) {
    __atomic_store_n(&b->word, SPW_BUDGET_READ(b->burst) << SPW_BUDGET_TIME_BITS, __ATOMIC_RELAXED);
}

/// excess × keep^steps, in fixed point, by squaring.
static inline uint64_t spw_budget_decay(uint64_t excess, uint32_t keep, uint64_t steps) {
    uint64_t factor = keep;
    for (; steps > 0 && excess > 0; steps >>= 1) {
        if (steps & 1) excess = (uint64_t)(((__uint128_t)excess * factor) >> 32);
        factor = (factor * factor) >> 32;
    }
    return excess;
}

static inline uint64_t spw_budget_upkeep(const spw_budget *b, uint64_t word, int64_t now) {
    // Refills count steps that have wholly passed since the balance was last full, so none is early; hence the time of a
    // full balance is rounded up and every other one down. Decay only takes, so its time may be rounded up always.
    uint64_t passed = (uint64_t)(now < 0 ? 0 : now) >> SPW_BUDGET_STEP_SHIFT;
    uint64_t balance = word >> SPW_BUDGET_TIME_BITS, burst = SPW_BUDGET_READ(b->burst);
    uint64_t stamp = balance >= burst ? passed + 1 : passed;
    uint64_t steps = (stamp - word) & SPW_BUDGET_TIME_MASK;
    // The same step, or a time up to 2 hours behind the last one. Any other difference is an idle time.
    if (steps == 0 || steps > SPW_BUDGET_TIME_MASK - 65536) return word;
    if (balance > burst) {
        balance = burst + spw_budget_decay(balance - burst, SPW_BUDGET_READ(b->keep), steps);
    } else {
        __uint128_t filled = ((__uint128_t)SPW_BUDGET_READ(b->floor) * steps) >> 16;
        uint64_t room = burst - balance;
        if (filled >= room) {
            balance = burst;
            stamp = passed + 1;
        } else if (filled > 0) {
            balance += (uint64_t)filled;
        } else if (SPW_BUDGET_READ(b->floor) > 0) {
            return word; // too little to see yet: leave the time as it is, so that it adds up
        }
    }
    return balance << SPW_BUDGET_TIME_BITS | (stamp & SPW_BUDGET_TIME_MASK);
}

static inline void spw_budget_deposit(spw_budget *b, int64_t now) {
    uint64_t word = __atomic_load_n(&b->word, __ATOMIC_RELAXED), next = spw_budget_upkeep(b, word, now);
    if (next == word && word < SPW_BUDGET_MOST << (SPW_BUDGET_TIME_BITS - 1)) {
        // Nothing but the sum changes, and it is half a million attempts from its end: add without looking.
        __atomic_fetch_add(&b->word, (uint64_t)SPW_BUDGET_READ(b->ratio) << SPW_BUDGET_TIME_BITS, __ATOMIC_RELAXED);
        return;
    }
    do {
        next = spw_budget_upkeep(b, word, now);
        uint64_t balance = (next >> SPW_BUDGET_TIME_BITS) + SPW_BUDGET_READ(b->ratio);
        if (balance > SPW_BUDGET_MOST) balance = SPW_BUDGET_MOST;
        next = balance << SPW_BUDGET_TIME_BITS | (next & SPW_BUDGET_TIME_MASK);
    } while (!__atomic_compare_exchange_n(&b->word, &word, next, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

/// Takes one attempt out; false, and nothing taken, when there is not one left.
static inline bool spw_budget_withdraw(spw_budget *b, int64_t now) {
    uint64_t word = __atomic_load_n(&b->word, __ATOMIC_RELAXED), next;
    do {
        next = spw_budget_upkeep(b, word, now);
        if ((next >> SPW_BUDGET_TIME_BITS) < SPW_BUDGET_ONE) return false;
        next -= (uint64_t)SPW_BUDGET_ONE << SPW_BUDGET_TIME_BITS;
    } while (!__atomic_compare_exchange_n(&b->word, &word, next, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return true;
}

/// Puts one attempt back that was withdrawn and not made.
static inline void spw_budget_restore(spw_budget *b) {
    uint64_t word = __atomic_load_n(&b->word, __ATOMIC_RELAXED), next;
    do {
        uint64_t balance = (word >> SPW_BUDGET_TIME_BITS) + SPW_BUDGET_ONE;
        if (balance > SPW_BUDGET_MOST) balance = SPW_BUDGET_MOST;
        next = balance << SPW_BUDGET_TIME_BITS | (word & SPW_BUDGET_TIME_MASK);
    } while (!__atomic_compare_exchange_n(&b->word, &word, next, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

/// The balance at `now`, in 1/65,536 of an attempt.
static inline uint64_t spw_budget_balance(const spw_budget *b, int64_t now) {
    return spw_budget_upkeep(b, __atomic_load_n(&b->word, __ATOMIC_RELAXED), now) >> SPW_BUDGET_TIME_BITS;
}

#endif
