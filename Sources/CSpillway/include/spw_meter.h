#ifndef SPW_METER_H
#define SPW_METER_H
#include "spw_bucket.h"
#include <string.h>

/// A token bucket to be touched under a lock, which knows how little was owed at any time since each call was let in.
///
/// The debt is tat − at, in ticks of 1/16 ns as in spw_bucket.h, and 0 when tat is past. It drips away with time, or, where the
/// provider counts in fixed windows, all at once when the window ends (`window_end`).
///
/// Giving back. Had a call taken δ less at its admission, the debt would be smaller by δ ever since, but never below 0; so
/// today's is smaller by min(δ, m), where m is the least debt since that admission. Whatever else had dripped in was lost
/// to a full bucket. That is exact for one call (a queue that is reflected at 0), and more than the debt's own order gives
/// (spw_bucket.h), because a bucket that is always busy loses nothing.
///
/// `marks` hold these minima: mark i is the least debt since the call number `start` was let in, and later marks are never
/// smaller, for they look at less time. Only just before a call is let in, and when something is given back, can the
/// debt be the least, so only then marks are looked at. When there are too many, the two that differ the least become one:
/// a call then finds a smaller minimum than it has, and less is given back than might be, never more.
typedef struct {
    uint64_t start; ///< the first call for which it holds
    int64_t least;  ///< ticks
} spw_meter_mark;

enum { SPW_METER_MARKS = 24 };

typedef struct {
    int64_t interval;   ///< ticks in which one unit drips in
    int64_t burst;      ///< units
    int64_t largest;    ///< units; a call of so many passes also when the burst is less, if nothing is owed
    int64_t margin;     ///< units of the burst that are kept back while more is owed
    int64_t tat;        ///< ticks
    int64_t at;         ///< ticks; the latest time that was seen
    int64_t window_end; ///< ticks; 0: it drips
    int64_t held;       ///< units of calls under way
    int64_t charged;    ///< units that were ever taken, less what was given back
    uint64_t since;     ///< the first call that is counted here
    uint32_t count;     ///< marks
    spw_meter_mark marks[SPW_METER_MARKS];
} spw_meter;

static inline int64_t spw_meter_debt(const spw_meter *m) { return m->tat > m->at ? m->tat - m->at : 0; }

/// What `units` cost, in ticks; stops at 4.5 years.
static inline int64_t spw_meter_ticks(const spw_meter *m, int64_t units) {
    __int128_t ticks = (__int128_t)units * m->interval;
    return ticks < SPW_BUCKET_SPAN ? (int64_t)ticks : SPW_BUCKET_SPAN;
}

/// Units owed, rounded up.
static inline int64_t spw_meter_owed(const spw_meter *m) {
    return (spw_meter_debt(m) + m->interval - 1) / m->interval;
}

/// A full bucket.
static inline void spw_meter_init(spw_meter *m, int64_t interval, int64_t burst, int64_t now, uint64_t since) {
    memset(m, 0, sizeof *m);
    m->interval = interval;
    m->burst = burst;
    m->at = m->tat = spw_bucket_ticks(now);
    m->since = since;
    m->marks[0].start = since;
    m->count = 1;
}

/// Takes note of what is owed now.
static inline void spw_meter_note(spw_meter *m) {
    int64_t debt = spw_meter_debt(m);
    while (m->count > 1 && m->marks[m->count - 2].least >= debt) m->count--;
    if (m->marks[m->count - 1].least > debt) m->marks[m->count - 1].least = debt;
}

/// Owes `debt` ticks from now on, whatever was owed before.
static inline void spw_meter_set_debt(spw_meter *m, int64_t debt) {
    m->tat = m->at + debt;
    spw_meter_note(m);
}

/// Lets time pass; it never goes back.
static inline void spw_meter_advance(spw_meter *m, int64_t now) {
    int64_t start = spw_bucket_ticks(now);
    if (start <= m->at) return;
    if (m->window_end > start) {
        if (m->tat > m->at) m->tat += start - m->at;
    } else if (m->window_end > 0) {
        // What is under way may be counted in the new window.
        int64_t debt = spw_meter_debt(m), held = spw_meter_ticks(m, m->held);
        int64_t over = start - m->window_end;
        m->window_end = 0;
        if (held < debt) debt = held;
        m->at = start;
        spw_meter_set_debt(m, debt > over ? debt - over : 0);
    }
    m->at = start;
}

/// After how many nanoseconds `cost` fits; 0: now; −1: never. Whoever comes with a time that is past finds more owed.
static inline int64_t spw_meter_wait(const spw_meter *m, int64_t now, int64_t cost) {
    if (cost > m->burst && cost > m->largest) return -1;
    int64_t start = spw_bucket_ticks(now);
    int64_t most = m->burst - m->margin;
    if (most < cost) most = cost;
    int64_t tat = m->tat > start ? m->tat : start;
    // For a call of more than the burst, `most` is the call: it fits when nothing is owed.
    int64_t excess = tat - start + spw_meter_ticks(m, cost) - spw_meter_ticks(m, most);
    if (excess <= 0 || cost == 0) return 0;
    if (m->window_end > start) excess = m->window_end - start;
    return (excess + SPW_TICKS - 1) / SPW_TICKS;
}

/// Of what is owed beyond calls under way, only SPW_BUCKET_DEBTS bursts stay owed.
static inline void spw_meter_forgive(spw_meter *m) {
    int64_t most = spw_meter_ticks(m, SPW_BUCKET_DEBTS * m->burst + m->held);
    if (spw_meter_debt(m) > most) spw_meter_set_debt(m, most);
}

/// Takes `units`, whether they are there or not.
static inline void spw_meter_charge(spw_meter *m, int64_t units) {
    spw_meter_note(m);
    int64_t debt = spw_meter_debt(m) + spw_meter_ticks(m, units);
    // Below 2⁶³ with any time.
    m->tat = m->at + (debt < SPW_BUCKET_SPAN ? debt : SPW_BUCKET_SPAN);
    m->charged += units;
}

/// The mark that holds for call number `number`.
static inline uint32_t spw_meter_mark_of(const spw_meter *m, uint64_t number) {
    uint32_t i = m->count - 1;
    while (i > 0 && m->marks[i].start > number) i--;
    return i;
}

/// Lets the call number `number` in; numbers grow.
static inline void spw_meter_admit(spw_meter *m, uint64_t number, int64_t units) {
    m->held += units;
    if (units == 0) return;
    spw_meter_charge(m, units);
    int64_t debt = spw_meter_debt(m), last = m->marks[m->count - 1].least;
    if (m->count == SPW_METER_MARKS) {
        uint32_t nearest = 0;
        int64_t gap = debt - last;
        for (uint32_t i = 1; i < m->count; i++) {
            int64_t between = m->marks[i].least - m->marks[i - 1].least;
            if (between < gap) {
                gap = between;
                nearest = i;
            }
        }
        if (nearest == 0) return;
        m->count--;
        memmove(&m->marks[nearest], &m->marks[nearest + 1], (m->count - nearest) * sizeof m->marks[0]);
    }
    m->marks[m->count].start = number;
    m->marks[m->count].least = debt;
    m->count++;
}

/// Gives back what is still owed of `units` that call `number` took and did not use.
static inline void spw_meter_give_back(spw_meter *m, uint64_t number, int64_t units) {
    if (units <= 0) return;
    spw_meter_note(m);
    uint32_t own = spw_meter_mark_of(m, number);
    int64_t less = spw_meter_ticks(m, units), most = m->marks[own].least, given = less < most ? less : most;
    // What this one gives back, no other call can give back again.
    for (uint32_t i = own; i < m->count; i++) m->marks[i].least = m->marks[i].least > less ? m->marks[i].least - less : 0;
    for (uint32_t i = 0; i < own; i++) {
        if (m->marks[i].least > m->marks[own].least) m->marks[i].least = m->marks[own].least;
    }
    m->tat -= given;
    m->charged -= units;
}

/// Changes rate and burst and keeps what is owed, in units, as far as it is not forgiven.
static inline void spw_meter_update(spw_meter *m, int64_t interval, int64_t burst) {
    int64_t old = m->interval;
    m->burst = burst;
    if (interval == old) {
        spw_meter_forgive(m);
        return;
    }
    __int128_t debt = ((__int128_t)spw_meter_debt(m) * interval + old - 1) / old;
    m->interval = interval;
    m->tat = m->at + (debt < SPW_BUCKET_SPAN ? (int64_t)debt : SPW_BUCKET_SPAN);
    for (uint32_t i = 0; i < m->count; i++) {
        __int128_t least = (__int128_t)m->marks[i].least * interval / old;
        m->marks[i].least = least < SPW_BUCKET_SPAN ? (int64_t)least : SPW_BUCKET_SPAN;
    }
    spw_meter_forgive(m);
}

#endif
