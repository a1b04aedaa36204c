#ifndef SPW_CACHE_H
#define SPW_CACHE_H
#include "spw_lock.h"
#include <stdbool.h>
#include <stdlib.h>

/// A cache bounded by bytes: nodes of plain words, found by their hash, and thrown out by SIEVE. The owner makes and frees
/// the nodes, with his value behind each, and holds the lock around every call but init and destroy.
///
/// SIEVE (Zhang et al., "SIEVE is Simpler than LRU", NSDI 2024). Nodes stand in the order in which they came. A hit sets one
/// bit and moves nothing. To make room a hand goes from the oldest to the newest and around: it clears set bits, and takes out
/// the first node whose bit was clear; there it goes on next time. So what is asked for but once leaves soon, and what is asked
/// for again stays.
///
/// The index is linear hashing (Litwin, VLDB 1980): a node more splits one bucket, a few less merge one, so no insertion ever
/// waits until a whole table has been moved.
typedef struct {
    uint64_t low, high; ///< the hash of tenant and request
    uint64_t space;     ///< the hash of the tenant alone
} spw_cache_key;

typedef struct spw_cache_node {
    spw_cache_key key;
    int64_t stored; ///< nanoseconds
    uint64_t bytes;
    struct spw_cache_node *chain; ///< the next of its bucket; of nodes that were taken out, the next of these
    struct spw_cache_node *newer, *older;
    uint64_t visited;
} spw_cache_node;

typedef struct {
    uint64_t hits, misses, stale, evicted;
} spw_cache_counts;

typedef struct {
    spw_lock lock;
    uint64_t limit; ///< bytes of all nodes
    int64_t fresh;  ///< ages below it are fresh, in nanoseconds
    int64_t kept;   ///< ages below it may be given when nothing better is to be had
    uint64_t bytes;
    uint64_t count;
    spw_cache_node **buckets;
    uint64_t used; ///< buckets
    uint64_t room; ///< buckets that there is memory for, a power of two
    spw_cache_node *newest, *oldest, *hand;
    spw_cache_counts counts;
} spw_cache;

#define SPW_CACHE_BUCKETS 64

/// Bytes of the index for each node, at most: 5 nodes have up to 6 buckets, and these up to 4 times their memory.
#define SPW_CACHE_INDEX 40

static inline bool spw_cache_init(spw_cache *c, uint64_t limit, int64_t fresh, int64_t kept) {
    *c = (spw_cache){.limit = limit, .fresh = fresh, .kept = kept, .used = SPW_CACHE_BUCKETS, .room = SPW_CACHE_BUCKETS};
    c->buckets = (spw_cache_node **)calloc(c->room, sizeof(spw_cache_node *));
    return c->buckets != NULL;
}

static inline void spw_cache_destroy(spw_cache *c) { free(c->buckets); }

static inline void spw_cache_acquire(spw_cache *c) { spw_lock_acquire(&c->lock); }
static inline void spw_cache_release(spw_cache *c) { spw_lock_release(&c->lock); }

/// The largest power of two that is no more than the buckets in use.
static inline uint64_t spw_cache_half(const spw_cache *c) { return UINT64_C(1) << (63 - __builtin_clzll(c->used)); }

static inline uint64_t spw_cache_bucket(const spw_cache *c, uint64_t hash) {
    uint64_t half = spw_cache_half(c), index = hash & (2 * half - 1);
    return index < c->used ? index : index - half;
}

static inline spw_cache_node *spw_cache_find(const spw_cache *c, spw_cache_key key) {
    spw_cache_node *node = c->buckets[spw_cache_bucket(c, key.low)];
    while (node && (node->key.low != key.low || node->key.high != key.high || node->key.space != key.space))
        node = node->chain;
    return node;
}

/// One bucket more, which takes over what belongs into it from one that is there.
static inline void spw_cache_split(spw_cache *c) {
    if (c->used == c->room) {
        spw_cache_node **larger = (spw_cache_node **)realloc(c->buckets, 2 * c->room * sizeof(spw_cache_node *));
        if (!larger) return; // longer chains are slower, not wrong
        c->buckets = larger;
        c->room *= 2;
    }
    uint64_t fresh = c->used, old = fresh - spw_cache_half(c);
    c->used++;
    c->buckets[fresh] = NULL;
    for (spw_cache_node **link = &c->buckets[old]; *link;) {
        spw_cache_node *node = *link;
        if (spw_cache_bucket(c, node->key.low) == fresh) {
            *link = node->chain;
            node->chain = c->buckets[fresh];
            c->buckets[fresh] = node;
        } else {
            link = &node->chain;
        }
    }
}

/// One bucket less.
static inline void spw_cache_merge(spw_cache *c) {
    c->used--;
    spw_cache_node **link = &c->buckets[c->used - spw_cache_half(c)];
    while (*link) link = &(*link)->chain;
    *link = c->buckets[c->used];
    if (c->room >= 4 * c->used) {
        spw_cache_node **smaller =
            (spw_cache_node **)realloc(c->buckets, c->room / 2 * sizeof(spw_cache_node *));
        if (!smaller) return;
        c->buckets = smaller;
        c->room /= 2;
    }
}

/// Takes a node out.
static inline void spw_cache_remove(spw_cache *c, spw_cache_node *node) {
    spw_cache_node **link = &c->buckets[spw_cache_bucket(c, node->key.low)];
    while (*link != node) link = &(*link)->chain;
    *link = node->chain;
    node->chain = NULL;
    if (c->hand == node) c->hand = node->newer;
    if (node->newer) node->newer->older = node->older;
    else c->newest = node->older;
    if (node->older) node->older->newer = node->newer;
    else c->oldest = node->newer;
    c->bytes -= node->bytes;
    c->count--;
    if (c->used > SPW_CACHE_BUCKETS && 4 * c->used > 5 * c->count) spw_cache_merge(c);
}

/// Puts in a node whose key is not there.
static inline void spw_cache_insert(spw_cache *c, spw_cache_node *node) {
    spw_cache_node **bucket = &c->buckets[spw_cache_bucket(c, node->key.low)];
    node->chain = *bucket;
    *bucket = node;
    node->visited = 0;
    node->newer = NULL;
    node->older = c->newest;
    if (c->newest) c->newest->newer = node;
    else c->oldest = node;
    c->newest = node;
    c->bytes += node->bytes;
    c->count++;
    if (c->count > c->used) spw_cache_split(c);
}

/// How old a node is. One from the future, because the clock went back, is new from now on.
static inline int64_t spw_cache_age(spw_cache_node *node, int64_t now) {
    if (node->stored > now) node->stored = now;
    int64_t age;
    return __builtin_sub_overflow(now, node->stored, &age) ? INT64_MAX : age;
}

typedef struct {
    spw_cache_node *node; ///< NULL: nothing that may be given
    spw_cache_node *dead; ///< too old for anything, and taken out
    int64_t age;
    bool is_fresh;
} spw_cache_answer;

/// Looks a key up; `stale`: whether what is no longer fresh may be given; `counts`: whether a miss counts.
static inline spw_cache_answer spw_cache_look(spw_cache *c, spw_cache_key key, int64_t now, bool stale, bool counts) {
    spw_cache_node *node = spw_cache_find(c, key);
    spw_cache_answer answer = {NULL, NULL, 0, false};
    if (node) {
        answer.age = spw_cache_age(node, now);
        answer.is_fresh = answer.age < c->fresh;
        if (answer.is_fresh || (stale && answer.age < c->kept)) {
            if (answer.is_fresh) c->counts.hits++;
            else c->counts.stale++;
            // A word that others read is written only where it changes.
            if (!node->visited) node->visited = 1;
            answer.node = node;
            return answer;
        }
        if (answer.age >= c->kept) {
            spw_cache_remove(c, node);
            answer.dead = node;
        }
    }
    if (counts) c->counts.misses++;
    return answer;
}

/// Takes nodes out until there is room for `bytes` more, no more than the limit; they hang together by `chain`, before `dead`.
static inline spw_cache_node *spw_cache_trim(spw_cache *c, uint64_t bytes, int64_t now, spw_cache_node *dead) {
    while (c->bytes + bytes > c->limit && c->count > 0) {
        spw_cache_node *node = c->hand ? c->hand : c->oldest;
        while (node->visited && spw_cache_age(node, now) < c->kept) {
            node->visited = 0;
            node = node->newer ? node->newer : c->oldest;
        }
        c->hand = node;
        spw_cache_remove(c, node); // which moves the hand on
        c->counts.evicted++;
        node->chain = dead;
        dead = node;
    }
    return dead;
}

/// Takes out all nodes of a space, or all there are.
static inline spw_cache_node *spw_cache_clear(spw_cache *c, uint64_t space, bool all) {
    spw_cache_node *dead = NULL;
    for (spw_cache_node *node = c->oldest, *next; node; node = next) {
        next = node->newer;
        if (!all && node->key.space != space) continue;
        spw_cache_remove(c, node);
        node->chain = dead;
        dead = node;
    }
    return dead;
}

#endif
