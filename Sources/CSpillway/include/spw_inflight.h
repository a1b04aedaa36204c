#ifndef SPW_INFLIGHT_H
#define SPW_INFLIGHT_H
#include "spw_window.h"

/// How many calls are under way, and how many of them for longer than they should be: in fixed memory, without a lock.
///
/// Layout. Time goes by slices of a seventh of that longest time. `head` is bits 48…63 the era, bits 0…47 the number of
/// the newest slice. `cells` is a ring: the calls under way that were admitted in each of the last 8 slices; `overdue`
/// are those whose slice has left the ring, so that they are 7 to 8 slices old or older. A cell and `overdue` hold in bits
/// 48…63 the era, in bits 32…47 the low bits of the slice (`overdue`: 0), in bits 0…31 the count.
///
/// A call keeps its tag, the high half of the cell that counted it. When it ends, a cell with that tag counts one less;
/// where there is none, the call has moved to `overdue`, and that counts one less. The move takes a cell in one step and
/// adds to `overdue` in another: between the two too few are counted, never too many, and `overdue` may be below zero.
/// So in each era the cells and `overdue` together hold exactly the calls that have not ended.
///
/// Why a stale cell cannot be taken for a new one. `head` moves first. Whoever finds a cell of another tag than `head`
/// gives it, and then `head` unmoved, knows that the cell is older, and takes it by compare-and-swap; tags do not recur
/// before 65,536 slices, and an error of a call that was out for just as long ends when its slice leaves the ring.
///
/// A new era forgets every call: what is counted under another era is nothing. It begins when the breaker changes its
/// state, and when time went back by more than the ring. Time that is behind by less is taken for the newest slice.
typedef struct {
    uint64_t head;
    uint64_t overdue;
    uint64_t cells[8];
    int64_t slice;  ///< nanoseconds, more than 2¹⁶; 0: nothing is counted
    uint32_t limit; ///< calls overdue below which nothing is judged
    uint32_t share; ///< share of the calls under way, as in spw_window
} spw_inflight;

#define SPW_INFLIGHT_CELLS 8
#define SPW_EPOCH_BITS 48

typedef struct {
    uint32_t overdue;
    uint64_t total;
} spw_inflight_counts;

static inline uint64_t spw_inflight_number(int64_t slice, int64_t now) { return now < 0 ? 0 : (uint64_t)(now / slice); }

/// The tag of `slice` in the era of `head`; never 0, because no era is.
static inline uint32_t spw_inflight_tag(uint64_t head, uint64_t slice) {
    return (uint32_t)(head >> SPW_EPOCH_BITS) << 16 | (uint32_t)(slice & 0xffff);
}

static inline uint64_t spw_inflight_newest(uint64_t head) { return head & ((UINT64_C(1) << SPW_EPOCH_BITS) - 1); }

/// `head` in the next era, at `slice`.
static inline uint64_t spw_inflight_next_era(uint64_t head, uint64_t slice) {
    uint64_t era = ((head >> SPW_EPOCH_BITS) + 1) & 0xffff;
    return (era ? era : 1) << SPW_EPOCH_BITS | slice;
}

/// Adds `count` to the overdue of the era of `tag`, unless that is over.
static inline void spw_inflight_add_overdue(spw_inflight *f, uint32_t tag, int32_t count) {
    uint64_t word = __atomic_load_n(&f->overdue, __ATOMIC_ACQUIRE), next;
    do {
        if (__atomic_load_n(&f->head, __ATOMIC_ACQUIRE) >> SPW_EPOCH_BITS != tag >> 16) return;
        uint32_t before = word >> SPW_EPOCH_BITS == tag >> 16 ? (uint32_t)word : 0;
        next = (uint64_t)(tag >> 16) << SPW_EPOCH_BITS | (before + (uint32_t)count);
    } while (!__atomic_compare_exchange_n(&f->overdue, &word, next, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
}

/// Gives every cell the tag that `head` asks for, and what was in older ones to `overdue`. Returns `head` as it then is.
static inline uint64_t spw_inflight_sweep(spw_inflight *f, uint64_t head) {
    if ((__atomic_load_n(&f->overdue, __ATOMIC_ACQUIRE) ^ head) >> SPW_EPOCH_BITS) {
        spw_inflight_add_overdue(f, spw_inflight_tag(head, 0), 0);
    }
    for (uint64_t i = 0; i < SPW_INFLIGHT_CELLS; i++) {
        uint64_t newest = spw_inflight_newest(head);
        uint32_t tag = spw_inflight_tag(head, newest - ((newest - i) & (SPW_INFLIGHT_CELLS - 1)));
        uint64_t word = __atomic_load_n(&f->cells[i], __ATOMIC_ACQUIRE);
        while (word >> 32 != tag) {
            uint64_t now = __atomic_load_n(&f->head, __ATOMIC_ACQUIRE);
            if (now != head) { // moved meanwhile: begin again
                head = now;
                i = UINT64_MAX;
                break;
            }
            if (!__atomic_compare_exchange_n(&f->cells[i], &word, (uint64_t)tag << 32, false, __ATOMIC_ACQ_REL,
                                             __ATOMIC_ACQUIRE)) continue;
            if (word >> SPW_EPOCH_BITS == tag >> 16 && (uint32_t)word) {
                spw_inflight_add_overdue(f, tag, (int32_t)(uint32_t)word);
            }
            break;
        }
    }
    return head;
}

/// Moves on to `now`, where that is in a later slice. Returns `head`.
static inline uint64_t spw_inflight_turn(spw_inflight *f, int64_t slice, int64_t now) {
    uint64_t head = __atomic_load_n(&f->head, __ATOMIC_ACQUIRE), next;
    uint64_t number = spw_inflight_number(slice, now);
    do {
        uint64_t newest = spw_inflight_newest(head);
        if (__builtin_expect(number == newest, 1)) return head;
        if (number > newest) next = (head ^ newest) | number;
        else if (newest - number > SPW_INFLIGHT_CELLS) next = spw_inflight_next_era(head, number);
        else return head;
    } while (!__atomic_compare_exchange_n(&f->head, &head, next, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    return spw_inflight_sweep(f, next);
}

/// Forgets every call.
static inline void spw_inflight_reset(spw_inflight *f) {
    uint64_t head = __atomic_load_n(&f->head, __ATOMIC_ACQUIRE);
    while (!__atomic_compare_exchange_n(&f->head, &head, spw_inflight_next_era(head, 0), false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE)) {}
}

/// Sets the rule and forgets every call. `longest`: nanoseconds, from 1 ms to ten years; 0: count nothing.
static inline void spw_inflight_shape(spw_inflight *f, int64_t longest, uint32_t limit, uint32_t share) {
    SPW_SET_FIELD(f->slice, (longest + SPW_INFLIGHT_CELLS - 2) / (SPW_INFLIGHT_CELLS - 1));
    SPW_SET_FIELD(f->limit, limit);
    SPW_SET_FIELD(f->share, share);
    spw_inflight_reset(f);
}

/// Calls that are overdue in the era of `head`, without moving on.
static inline uint32_t spw_inflight_overdue(const spw_inflight *f, uint64_t head) {
    uint64_t word = __atomic_load_n(&f->overdue, __ATOMIC_ACQUIRE);
    return (word ^ head) >> SPW_EPOCH_BITS || (int32_t)(uint32_t)word < 0 ? 0 : (uint32_t)word;
}

/// What is under way at `now`. Moves nothing on.
static inline spw_inflight_counts spw_inflight_count(const spw_inflight *f, int64_t now) {
    int64_t slice = SPW_FIELD(f->slice);
    if (slice == 0) return (spw_inflight_counts){0, 0};
    uint64_t head = __atomic_load_n(&f->head, __ATOMIC_ACQUIRE), newest = spw_inflight_newest(head);
    uint64_t number = spw_inflight_number(slice, now);
    if (number < newest) number = newest;
    uint32_t overdue = spw_inflight_overdue(f, head);
    spw_inflight_counts counts = {overdue, overdue};
    for (uint64_t i = 0; i < SPW_INFLIGHT_CELLS; i++) {
        uint64_t word = __atomic_load_n(&f->cells[i], __ATOMIC_ACQUIRE);
        if ((word ^ head) >> SPW_EPOCH_BITS) continue;
        uint64_t admitted = newest - ((newest - i) & (SPW_INFLIGHT_CELLS - 1));
        bool young = word >> 32 == spw_inflight_tag(head, admitted) && number - admitted < SPW_INFLIGHT_CELLS;
        counts.total += (uint32_t)word;
        counts.overdue += young ? 0 : (uint32_t)word;
    }
    return counts;
}

/// Whether the calls that are overdue say that the breaker should open.
///
/// The cells are read first: a call that becomes overdue meanwhile is counted twice in the total, so that its share is
/// never found too high.
static inline bool spw_inflight_trips(const spw_inflight *f, uint64_t head) {
    uint32_t limit = SPW_FIELD(f->limit);
    if (__builtin_expect(spw_inflight_overdue(f, head) < limit, 1)) return false;
    uint64_t total = 0;
    for (int i = 0; i < SPW_INFLIGHT_CELLS; i++) {
        uint64_t word = __atomic_load_n(&f->cells[i], __ATOMIC_ACQUIRE);
        if (!((word ^ head) >> SPW_EPOCH_BITS)) total += (uint32_t)word;
    }
    uint64_t overdue = spw_inflight_overdue(f, head);
    return overdue >= limit && overdue * UINT32_MAX >= SPW_FIELD(f->share) * (total + overdue);
}

/// Moves on to `now` and judges.
static inline bool spw_inflight_judge(spw_inflight *f, int64_t now) {
    int64_t slice = SPW_FIELD(f->slice);
    return slice > 0 && spw_inflight_trips(f, spw_inflight_turn(f, slice, now));
}

/// Counts a call that begins at `now`. Returns its tag. 0: it was not counted, because nothing is, or because
/// `judges` and the breaker should open.
static inline uint32_t spw_inflight_enter(spw_inflight *f, int64_t now, bool judges) {
    int64_t slice = SPW_FIELD(f->slice);
    if (slice == 0) return 0;
    uint64_t head = spw_inflight_turn(f, slice, now);
    if (judges && spw_inflight_trips(f, head)) return 0;
    for (;;) {
        uint64_t newest = spw_inflight_newest(head);
        uint32_t tag = spw_inflight_tag(head, newest);
        uint64_t *cell = &f->cells[newest & (SPW_INFLIGHT_CELLS - 1)];
        uint64_t word = __atomic_load_n(cell, __ATOMIC_ACQUIRE);
        while (word >> 32 == tag) {
            if (__atomic_compare_exchange_n(cell, &word, word + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return tag;
        }
        head = spw_inflight_sweep(f, head);
    }
}

/// A call that was counted under `tag` has ended.
static inline void spw_inflight_leave(spw_inflight *f, uint32_t tag) {
    uint64_t *cell = &f->cells[tag & (SPW_INFLIGHT_CELLS - 1)];
    uint64_t word = __atomic_load_n(cell, __ATOMIC_ACQUIRE);
    while (word >> 32 == tag && (uint32_t)word) {
        if (__atomic_compare_exchange_n(cell, &word, word - 1, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return;
    }
    spw_inflight_add_overdue(f, tag, -1);
}

#endif
