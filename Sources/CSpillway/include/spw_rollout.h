#ifndef SPW_ROLLOUT_H
#define SPW_ROLLOUT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/// Which of two arms a call takes: a share of all hashes, and a list of hashes that always take the new one.
///
/// Layout of `word`: bits 0…32 the share in steps of 2⁻³², bit 33 whether there is a list, bits 34…63 the life.
///
/// Why one load suffices. Share, list and life are in one word, so a call sees all of one state or all of another.
///
/// The list is two tables of places, of which the low bit of `version` says which one counts. A writer fills the other one
/// and then counts `version` up. A reader looks at the version before and after it has searched: a table is filled anew
/// only after the version has moved on from it, so what was read under one version is whole. A reader never waits; it
/// searches again when the list was changed meanwhile.
typedef struct {
    uint64_t word;
    uint64_t version;
    uint64_t *tables; ///< 2 × SPW_ROLLOUT_PLACES hashes, 0 for a free place; null until there is a list
} spw_rollout;

enum {
    SPW_ROLLOUT_KEYS = 1024,   ///< the longest list
    SPW_ROLLOUT_PLACES = 4096, ///< of one table: a power of 2
    SPW_ROLLOUT_CANARY = 1,
    SPW_ROLLOUT_LISTED = 2,
    SPW_ROLLOUT_LIFE_SHIFT = 2,
};

#define SPW_ROLLOUT_ALL (UINT64_C(1) << 32)
#define SPW_ROLLOUT_HAS_LIST (UINT64_C(1) << 33)

static inline uint64_t spw_rollout_life(const spw_rollout *r) {
    return __atomic_load_n(&r->word, __ATOMIC_ACQUIRE) >> 34;
}

/// A hash is never 0, which stands for a free place.
static inline uint64_t spw_rollout_place(uint64_t hash) { return hash ? hash : 1; }

static inline bool spw_rollout_lists(const spw_rollout *r, uint64_t hash) {
    const uint64_t *tables = __atomic_load_n(&r->tables, __ATOMIC_ACQUIRE);
    if (!tables) return false;
    hash = spw_rollout_place(hash);
    for (;;) {
        uint64_t version = __atomic_load_n(&r->version, __ATOMIC_ACQUIRE), seen;
        const uint64_t *table = tables + (version & 1) * SPW_ROLLOUT_PLACES;
        size_t place = (size_t)hash;
        do {
            seen = __atomic_load_n(&table[place++ & (SPW_ROLLOUT_PLACES - 1)], __ATOMIC_ACQUIRE);
        } while (seen != 0 && seen != hash);
        if (__atomic_load_n(&r->version, __ATOMIC_RELAXED) == version) return seen == hash;
    }
}

/// The arm of a call: SPW_ROLLOUT_CANARY, SPW_ROLLOUT_LISTED and above them the life. `keyed`: the hash is that of a key.
static inline uint64_t spw_rollout_arm(const spw_rollout *r, uint64_t hash, bool keyed) {
    uint64_t word = __atomic_load_n(&r->word, __ATOMIC_ACQUIRE);
    uint64_t arm = (word >> 34) << SPW_ROLLOUT_LIFE_SHIFT;
    if (keyed && (word & SPW_ROLLOUT_HAS_LIST) && spw_rollout_lists(r, hash)) {
        return arm | SPW_ROLLOUT_LISTED | SPW_ROLLOUT_CANARY;
    }
    return arm | ((hash >> 32) < (word & (2 * SPW_ROLLOUT_ALL - 1)) ? SPW_ROLLOUT_CANARY : 0);
}

/// Publishes a state; one caller at a time.
static inline void spw_rollout_publish(spw_rollout *r, uint64_t life, uint64_t share, bool has_list) {
    __atomic_store_n(&r->word, life << 34 | (has_list ? SPW_ROLLOUT_HAS_LIST : 0) | share, __ATOMIC_RELEASE);
}

/// Replaces the list by `count` hashes, at most SPW_ROLLOUT_KEYS; one caller at a time.
static inline void spw_rollout_list(spw_rollout *r, const uint64_t *hashes, size_t count) {
    if (!r->tables) {
        if (count == 0) return;
        uint64_t *tables = (uint64_t *)calloc(2 * SPW_ROLLOUT_PLACES, sizeof(uint64_t));
        if (!tables) abort(); // as Swift does when there is no memory
        __atomic_store_n(&r->tables, tables, __ATOMIC_RELEASE);
    }
    uint64_t *table = r->tables + ((r->version + 1) & 1) * SPW_ROLLOUT_PLACES;
    // Released one by one, so that a reader that sees one of them also sees that the version has moved on before.
    for (size_t i = 0; i < SPW_ROLLOUT_PLACES; i++) __atomic_store_n(&table[i], 0, __ATOMIC_RELEASE);
    for (size_t i = 0; i < count; i++) {
        uint64_t hash = spw_rollout_place(hashes[i]);
        size_t place = (size_t)hash;
        while (table[place & (SPW_ROLLOUT_PLACES - 1)] != 0) place++;
        __atomic_store_n(&table[place & (SPW_ROLLOUT_PLACES - 1)], hash, __ATOMIC_RELEASE);
    }
    __atomic_store_n(&r->version, r->version + 1, __ATOMIC_RELEASE);
}

/// Frees the list; nobody may ask any more.
static inline void spw_rollout_destroy(spw_rollout *r) {
    free(r->tables);
    r->tables = NULL;
}

#endif
