#ifndef SPW_SLICE_H
#define SPW_SLICE_H
#include <stdbool.h>
#include <stdint.h>

/// What a process holds of a limit that it shares with others: units that may be spent here, and until when.
///
/// Why one atomic step suffices. To take is one compare-and-swap on `units`, which never lets it fall below 0; only the
/// correction of an estimate does, and that is a debt. `expires` is read before. Should the slice lapse in between, the
/// units in the word are those of the next slice, and may be spent as well.
///
/// Why no wish is lost. Who finds too little, or leaves little, first writes that (`need`, `missed`, `units`) and then
/// looks at `told`. Who serves wishes first clears `told` and then looks whether there is one. All are sequentially
/// consistent, so one of the two sees the other.
typedef struct {
    int64_t units;       ///< left; below 0: owed
    int64_t expires;     ///< nanoseconds; from then on nothing is spent; INT64_MIN: there is no slice
    int64_t mark;        ///< who leaves fewer units than this tells
    int64_t missed;      ///< units that were refused since the last look
    int64_t need;        ///< the most that one call was refused
    int64_t unleased;    ///< units that were spent without a slice since the last look
    int64_t most;        ///< the largest cost that can ever pass
    int64_t again;       ///< nanoseconds; when the next slice may be there
    int64_t asked;       ///< nanoseconds; since when the store has been asked; INT64_MAX: it is not
    int64_t rest;        ///< of an amount: what nobody has spent of it; INT64_MAX: not known
    int64_t ends;        ///< nanoseconds; until when that holds
    uint32_t generation; ///< changes when units are dropped, so that nothing of theirs is given back; never 0
    uint32_t told;       ///< 1: somebody has been told, or looks by himself
    uint32_t flags;      ///< the owner's own
} spw_slice;

enum {
    SPW_SLICE_TAKEN = 0,
    SPW_SLICE_LOW = 1,    ///< taken, and few are left
    SPW_SLICE_SHORT = 2,  ///< too few are left
    SPW_SLICE_LAPSED = 3, ///< there is no slice, or not any more
};

#define SPW_SLICE_MOST (INT64_C(1) << 60)
/// No debt grows beyond this and one correction more, so that sums of those of many processes fit.
#define SPW_SLICE_DEBT (INT64_C(1) << 54)

static inline void spw_slice_init(spw_slice *s) {
    *s = (spw_slice){.expires = INT64_MIN, .asked = INT64_MAX, .rest = INT64_MAX, .generation = 1};
}

static inline uint32_t spw_slice_flags(const spw_slice *s) { return __atomic_load_n(&s->flags, __ATOMIC_RELAXED); }
static inline void spw_slice_set_flags(spw_slice *s, uint32_t set, uint32_t cleared) {
    uint32_t flags = __atomic_load_n(&s->flags, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(
        &s->flags, &flags, (flags & ~cleared) | set, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
}

static inline uint32_t spw_slice_generation(const spw_slice *s) {
    return __atomic_load_n(&s->generation, __ATOMIC_ACQUIRE);
}

static inline int spw_slice_take(spw_slice *s, int64_t now, int64_t cost) {
    if (__builtin_expect(now >= __atomic_load_n(&s->expires, __ATOMIC_ACQUIRE), 0)) return SPW_SLICE_LAPSED;
    int64_t units = __atomic_load_n(&s->units, __ATOMIC_RELAXED);
    do {
        if (__builtin_expect(units < cost, 0)) return SPW_SLICE_SHORT;
    } while (!__atomic_compare_exchange_n(&s->units, &units, units - cost, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
    return units - cost < __atomic_load_n(&s->mark, __ATOMIC_RELAXED) ? SPW_SLICE_LOW : SPW_SLICE_TAKEN;
}

/// Gives units back, only to the slice that they were taken from; or, below 0, takes what an estimate was short of, out
/// of whichever slice there is: what was used must be paid for.
static inline void spw_slice_correct(spw_slice *s, uint32_t generation, int64_t units) {
    if (units > 0 ? generation == spw_slice_generation(s)
                  : __atomic_load_n(&s->units, __ATOMIC_RELAXED) > -SPW_SLICE_DEBT)
        __atomic_fetch_add(&s->units, units, __ATOMIC_SEQ_CST);
}

/// Notes that `cost` was refused; `units` is what it adds to all that was: 0 when it was refused before.
static inline void spw_slice_miss(spw_slice *s, int64_t cost, int64_t units) {
    int64_t need = __atomic_load_n(&s->need, __ATOMIC_RELAXED);
    while (cost > need
           && !__atomic_compare_exchange_n(&s->need, &need, cost, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {}
    if (__atomic_load_n(&s->missed, __ATOMIC_RELAXED) < SPW_SLICE_MOST)
        __atomic_fetch_add(&s->missed, units, __ATOMIC_SEQ_CST);
}

static inline void spw_slice_spend_unleased(spw_slice *s, int64_t cost) {
    if (__atomic_load_n(&s->unleased, __ATOMIC_RELAXED) < SPW_SLICE_DEBT)
        __atomic_fetch_add(&s->unleased, cost, __ATOMIC_SEQ_CST);
}

/// Whether the caller is the one to wake who serves wishes.
static inline bool spw_slice_tell(spw_slice *s) {
    return __atomic_load_n(&s->told, __ATOMIC_SEQ_CST) == 0 && __atomic_exchange_n(&s->told, 1, __ATOMIC_SEQ_CST) == 0;
}

// For the one who serves.

/// From now on wishes are told; returns whether there is one already, which then has been told.
static inline bool spw_slice_listen(spw_slice *s) {
    __atomic_store_n(&s->told, 0, __ATOMIC_SEQ_CST);
    bool wished = __atomic_load_n(&s->missed, __ATOMIC_SEQ_CST) > 0
        || __atomic_load_n(&s->need, __ATOMIC_SEQ_CST) > 0
        || __atomic_load_n(&s->units, __ATOMIC_SEQ_CST) < __atomic_load_n(&s->mark, __ATOMIC_RELAXED);
    if (wished) __atomic_store_n(&s->told, 1, __ATOMIC_SEQ_CST);
    return wished;
}

static inline int64_t spw_slice_most(const spw_slice *s) { return __atomic_load_n(&s->most, __ATOMIC_RELAXED); }
static inline void spw_slice_set_most(spw_slice *s, int64_t most) { __atomic_store_n(&s->most, most, __ATOMIC_RELAXED); }
static inline void spw_slice_set_told(spw_slice *s) { __atomic_store_n(&s->told, 1, __ATOMIC_SEQ_CST); }
static inline int64_t spw_slice_units(const spw_slice *s) { return __atomic_load_n(&s->units, __ATOMIC_SEQ_CST); }
static inline int64_t spw_slice_expires(const spw_slice *s) { return __atomic_load_n(&s->expires, __ATOMIC_ACQUIRE); }
static inline int64_t spw_slice_again(const spw_slice *s) { return __atomic_load_n(&s->again, __ATOMIC_RELAXED); }
static inline void spw_slice_set_again(spw_slice *s, int64_t at) { __atomic_store_n(&s->again, at, __ATOMIC_RELAXED); }
static inline int64_t spw_slice_asked(const spw_slice *s) { return __atomic_load_n(&s->asked, __ATOMIC_RELAXED); }
static inline void spw_slice_set_asked(spw_slice *s, int64_t at) { __atomic_store_n(&s->asked, at, __ATOMIC_RELAXED); }
static inline int64_t spw_slice_rest(const spw_slice *s) { return __atomic_load_n(&s->rest, __ATOMIC_RELAXED); }
static inline int64_t spw_slice_ends(const spw_slice *s) { return __atomic_load_n(&s->ends, __ATOMIC_RELAXED); }
static inline void spw_slice_set_rest(spw_slice *s, int64_t rest, int64_t ends) {
    __atomic_store_n(&s->ends, ends, __ATOMIC_RELAXED);
    __atomic_store_n(&s->rest, rest, __ATOMIC_RELAXED);
}
static inline void spw_slice_set_mark(spw_slice *s, int64_t mark) { __atomic_store_n(&s->mark, mark, __ATOMIC_RELAXED); }
static inline int64_t spw_slice_take_missed(spw_slice *s) { return __atomic_exchange_n(&s->missed, 0, __ATOMIC_SEQ_CST); }
static inline int64_t spw_slice_take_need(spw_slice *s) { return __atomic_exchange_n(&s->need, 0, __ATOMIC_SEQ_CST); }
static inline int64_t spw_slice_take_unleased(spw_slice *s) {
    return __atomic_exchange_n(&s->unleased, 0, __ATOMIC_SEQ_CST);
}

/// Adds a grant, and keeps what is there until `expires` as well.
static inline void spw_slice_extend(spw_slice *s, int64_t granted, int64_t expires) {
    __atomic_fetch_add(&s->units, granted, __ATOMIC_SEQ_CST);
    __atomic_store_n(&s->expires, expires, __ATOMIC_RELEASE);
}

/// Drops what is there but for a debt, and begins a slice of `granted` units; returns what was dropped.
static inline int64_t spw_slice_replace(spw_slice *s, int64_t granted, int64_t expires) {
    uint32_t generation = __atomic_load_n(&s->generation, __ATOMIC_RELAXED) + 1;
    __atomic_store_n(&s->generation, generation == 0 ? 1 : generation, __ATOMIC_RELEASE);
    int64_t units = __atomic_load_n(&s->units, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(
        &s->units, &units, granted + (units < 0 ? units : 0), true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {}
    __atomic_store_n(&s->expires, expires, __ATOMIC_RELEASE);
    return units < 0 ? 0 : units;
}

/// Takes up to `most` units out, to be given back to where they came from; returns how many there were.
static inline int64_t spw_slice_give(spw_slice *s, int64_t most) {
    int64_t units = __atomic_load_n(&s->units, __ATOMIC_RELAXED), given;
    do {
        given = units < most ? units : most;
        if (given <= 0) return 0;
    } while (!__atomic_compare_exchange_n(&s->units, &units, units - given, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
    return given;
}

#endif
