#ifndef SPW_KEYED_H
#define SPW_KEYED_H
#include "spw_bucket.h"
#include "spw_hash.h"
#include "spw_lock.h"
#include <stdlib.h>

/// Token buckets by key in memory that is allocated once: 16 bytes a slot.
///
/// Layout. `slots` are shards of 2^shard_bits slots. The hash of a key picks the shard by its high bits and the first of
/// SPW_KEYED_PROBES slots by its low bits. A slot holds the whole hash (0: never used) and the bucket's tat. A bucket
/// whose tat is past is full, so it says nothing that an absent one would not: its slot is free to be taken.
///
/// Why one atomic step suffices for a key that is there. A swap on tat admits, as in spw_bucket.h. It must not hit a
/// slot that has passed to another key: tat in a slot only moves forward (a taker first swaps in CLAIMED and then
/// stores a tat beyond `now`, while every tat that a caller may have read before was less than `now`; a refund stays
/// beyond the time of its call). So the order is: load tat, then the key; a key that still matches means the slot was
/// ours when tat was read, and then the swap fails if it has passed on since.
///
/// The lock, and why it is cheaper. Only to take a slot for a key that is not there, callers of one shard take turns:
/// two who insert the same key at once must not make two buckets of it. That is once a key's idle time, not once a call.
typedef struct {
    uint64_t key;
    int64_t tat; ///< ticks; CLAIMED while the slot passes from one key to another
} spw_keyed_slot;

/// A shard's lock, and what a key that comes new must know.
///
/// Should time go back, a key whose slot was taken while it was full would find itself full at a time at which it was not.
/// So a shard remembers the latest tat that it has forgotten, and a key that comes new starts no earlier. A slot is taken
/// a grain (65 µs) after its bucket is full, so that callers whose clock is that much behind others' never notice.
typedef struct {
    spw_lock lock;
    int64_t forgotten; ///< ticks; guarded by the lock
    uint64_t pad[6];   ///< locks of two shards do not share a cache line
} spw_keyed_lock;

typedef struct {
    int64_t interval; ///< ticks per unit
    int64_t burst;    ///< units
    int64_t span;     ///< burst × interval
} spw_keyed_limit;

typedef struct {
    uint64_t version; ///< odd while the limit changes: an old interval with a new span would be a limit that nobody set
    spw_keyed_limit limit;
    uint64_t seed;
    uint32_t shard_bits; ///< log₂ of the slots in a shard
    uint32_t lock_bits;  ///< log₂ of the shards
    uint32_t flags;      ///< the owner's own
    spw_keyed_slot *slots;
    spw_keyed_lock *locks;
} spw_keyed;

#define SPW_KEYED_PROBES 64
#define SPW_KEYED_CLAIMED INT64_MIN

/// As spw_bucket_answer; wait −2: all slots that this key could use hold keys that are not idle.
typedef spw_bucket_answer spw_keyed_answer;

/// Makes a table of at least `slots` slots; false when there is no memory.
static inline bool spw_keyed_init(spw_keyed *t, int64_t interval, int64_t burst, uint64_t slots, uint64_t seed) {
    uint32_t bits = 6; // a shard is never shorter than a probe
    while (bits < 40 && (UINT64_C(1) << bits) < slots) bits++;
    uint32_t lock_bits = bits > 12 ? (bits - 12 < 8 ? bits - 12 : 8) : 0;
    *t = (spw_keyed){
        0, {interval, burst, burst * interval}, seed, bits - lock_bits, lock_bits, 0, NULL, NULL};
    t->slots = (spw_keyed_slot *)calloc(UINT64_C(1) << bits, sizeof(spw_keyed_slot));
    t->locks = (spw_keyed_lock *)calloc(UINT64_C(1) << lock_bits, sizeof(spw_keyed_lock));
    return t->slots && t->locks;
}

/// The limit in force.
static inline spw_keyed_limit spw_keyed_limit_of(const spw_keyed *t) {
    for (;;) {
        uint64_t version = __atomic_load_n(&t->version, __ATOMIC_ACQUIRE);
        spw_keyed_limit limit = {
            __atomic_load_n(&t->limit.interval, __ATOMIC_ACQUIRE), __atomic_load_n(&t->limit.burst, __ATOMIC_ACQUIRE),
            __atomic_load_n(&t->limit.span, __ATOMIC_ACQUIRE)};
        if (__builtin_expect(!(version & 1) & (version == __atomic_load_n(&t->version, __ATOMIC_RELAXED)), 1))
            return limit;
    }
}

/// Changes rate and burst; a key's debt keeps its length in time. One updater at a time.
static inline void spw_keyed_update(spw_keyed *t, int64_t interval, int64_t burst) {
    __atomic_fetch_add(&t->version, 1, __ATOMIC_ACQ_REL);
    __atomic_store_n(&t->limit.interval, interval, __ATOMIC_RELEASE);
    __atomic_store_n(&t->limit.burst, burst, __ATOMIC_RELEASE);
    __atomic_store_n(&t->limit.span, burst * interval, __ATOMIC_RELEASE);
    __atomic_fetch_add(&t->version, 1, __ATOMIC_ACQ_REL);
}

static inline void spw_keyed_destroy(spw_keyed *t) {
    free(t->slots);
    free(t->locks);
    t->slots = NULL;
    t->locks = NULL;
}

static inline uint32_t spw_keyed_flags(const spw_keyed *t) { return __atomic_load_n(&t->flags, __ATOMIC_RELAXED); }

static inline void spw_keyed_set_flags(spw_keyed *t, uint32_t flags) {
    __atomic_store_n(&t->flags, flags, __ATOMIC_RELAXED);
}

static inline uint64_t spw_keyed_slots(const spw_keyed *t) {
    return UINT64_C(1) << (t->shard_bits + t->lock_bits);
}

/// The tat that `cost` at `start` leads to, with the wait until it is allowed.
static inline spw_bucket_answer spw_keyed_next(
    const spw_keyed_limit *limit, int64_t tat, int64_t start, int64_t cost
) {
    int64_t after = spw_bucket_later(tat > start ? tat : start, cost, limit->interval);
    int64_t excess = after - limit->span - start;
    return (spw_bucket_answer){excess > 0 ? (excess + SPW_TICKS - 1) / SPW_TICKS : 0, (uint64_t)after};
}

/// Takes a slot for a key that was not found, under the shard's lock. Sets `retry` when the key has come meanwhile.
static inline spw_keyed_answer spw_keyed_insert(
    const spw_keyed *t, const spw_keyed_limit *limit, spw_keyed_slot *shard, spw_keyed_lock *guard, uint64_t hash,
    int64_t start, int64_t cost, bool *retry
) {
    uint64_t mask = (UINT64_C(1) << t->shard_bits) - 1;
    spw_keyed_answer answer = {-2, 0};
    spw_lock_acquire(&guard->lock);
    for (;;) {
        spw_keyed_slot *idle = NULL;
        int64_t seen = 0;
        for (uint64_t i = 0; i < SPW_KEYED_PROBES; i++) {
            spw_keyed_slot *slot = &shard[(hash + i) & mask];
            uint64_t key = __atomic_load_n(&slot->key, __ATOMIC_ACQUIRE);
            if (key == hash) {
                *retry = true;
                goto done;
            }
            int64_t tat = __atomic_load_n(&slot->tat, __ATOMIC_ACQUIRE);
            if (!idle && (key == 0 || (tat < start - SPW_BUCKET_GRAIN && tat != SPW_KEYED_CLAIMED))) {
                idle = slot;
                seen = tat;
            }
            if (key == 0) break;
        }
        if (!idle) break;
        // Its owner may come back this moment: then the swap fails and another slot is looked for.
        if (!__atomic_compare_exchange_n(&idle->tat, &seen, SPW_KEYED_CLAIMED, false, __ATOMIC_ACQ_REL,
                                         __ATOMIC_RELAXED)) continue;
        if (seen > guard->forgotten) guard->forgotten = seen;
        answer = spw_keyed_next(limit, guard->forgotten, start, cost);
        if (answer.wait > 0) { // time went back
            __atomic_store_n(&idle->tat, seen, __ATOMIC_RELEASE);
            answer.mark = 0;
            break;
        }
        __atomic_store_n(&idle->key, hash, __ATOMIC_RELEASE);
        __atomic_store_n(&idle->tat, (int64_t)answer.mark, __ATOMIC_RELEASE);
        break;
    }
done:
    spw_lock_release(&guard->lock);
    return answer;
}

/// Takes `cost` units (at least 1) from the bucket of the key with this hash, within `limit`.
static inline spw_keyed_answer spw_keyed_take_within(
    spw_keyed *t, uint64_t hash, int64_t now, int64_t cost, spw_keyed_limit limit
) {
    int64_t start = spw_bucket_ticks(now);
    if (hash == 0) hash = 1;
    uint64_t number = t->lock_bits ? hash >> (64 - t->lock_bits) : 0;
    uint64_t mask = (UINT64_C(1) << t->shard_bits) - 1;
    spw_keyed_slot *shard = t->slots + (number << t->shard_bits);
    for (;;) {
        for (uint64_t i = 0; i < SPW_KEYED_PROBES; i++) {
            spw_keyed_slot *slot = &shard[(hash + i) & mask];
            int64_t tat = __atomic_load_n(&slot->tat, __ATOMIC_ACQUIRE);
            uint64_t key = __atomic_load_n(&slot->key, __ATOMIC_ACQUIRE);
            if (key == 0) break;
            if (key != hash) continue;
            while (tat != SPW_KEYED_CLAIMED) {
                spw_keyed_answer answer = spw_keyed_next(&limit, tat, start, cost);
                if (answer.wait > 0) return (spw_keyed_answer){answer.wait, 0};
                if (__atomic_compare_exchange_n(&slot->tat, &tat, (int64_t)answer.mark, false, __ATOMIC_ACQ_REL,
                                                __ATOMIC_ACQUIRE)) return answer;
                if (__atomic_load_n(&slot->key, __ATOMIC_ACQUIRE) != hash) break;
            }
            break;
        }
        bool retry = false;
        spw_keyed_answer answer =
            spw_keyed_insert(t, &limit, shard, &t->locks[number], hash, start, cost, &retry);
        if (!retry) return answer;
    }
}

/// Takes `cost` units (at least 1) from the bucket of the key with this hash.
static inline spw_keyed_answer spw_keyed_take(spw_keyed *t, uint64_t hash, int64_t now, uint32_t cost) {
    spw_keyed_limit limit = spw_keyed_limit_of(t);
    if ((int64_t)cost > limit.burst) return (spw_keyed_answer){-1, 0};
    return spw_keyed_take_within(t, hash, now, cost, limit);
}

/// Takes `units` that a call used beyond what it had taken, whether they are there or not. Only where every place for the key
/// is taken by others that are in use, there is nowhere to put them.
static inline bool spw_keyed_charge(spw_keyed *t, uint64_t hash, int64_t now, int64_t units) {
    spw_keyed_limit limit = spw_keyed_limit_of(t);
    // One absurd figure must not lock a key out for years, and more debt than a time can say is as much as it can.
    int64_t most = SPW_BUCKET_SPAN / limit.interval, debts = SPW_BUCKET_DEBTS * limit.burst;
    if (debts < most) most = debts;
    limit.span = INT64_MAX / 2;
    return spw_keyed_take_within(t, hash, now, units < most ? units : most, limit).wait == 0;
}

/// Gives back `cost` units whose admission moved the key's tat to `after`, unless another call of the key has passed since:
/// there is no room in a slot for what spw_bucket_refund needs to know. Returns whether anything was given.
static inline bool spw_keyed_refund(spw_keyed *t, uint64_t hash, int64_t now, uint32_t cost, int64_t after) {
    int64_t start = spw_bucket_ticks(now);
    int64_t lower = after - (int64_t)cost * spw_keyed_limit_of(t).interval;
    if (lower < start) lower = start;
    if (lower >= after) return false;
    if (hash == 0) hash = 1;
    uint64_t mask = (UINT64_C(1) << t->shard_bits) - 1;
    spw_keyed_slot *shard = t->slots + ((t->lock_bits ? hash >> (64 - t->lock_bits) : 0) << t->shard_bits);
    for (uint64_t i = 0; i < SPW_KEYED_PROBES; i++) {
        spw_keyed_slot *slot = &shard[(hash + i) & mask];
        int64_t tat = __atomic_load_n(&slot->tat, __ATOMIC_ACQUIRE);
        if (__atomic_load_n(&slot->key, __ATOMIC_ACQUIRE) != hash || tat != after) continue;
        return __atomic_compare_exchange_n(&slot->tat, &tat, lower, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    }
    return false;
}

/// How many slots hold a key that is not idle at `now`. Reads every slot.
static inline uint64_t spw_keyed_active(const spw_keyed *t, int64_t now) {
    int64_t start = spw_bucket_ticks(now);
    uint64_t active = 0;
    for (uint64_t i = 0; i < spw_keyed_slots(t); i++) {
        active += __atomic_load_n(&t->slots[i].tat, __ATOMIC_RELAXED) > start;
    }
    return active;
}

#endif
