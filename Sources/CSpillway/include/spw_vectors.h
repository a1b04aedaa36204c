#ifndef SPW_VECTORS_H
#define SPW_VECTORS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Vectors of length 1, to be searched for the one whose scalar product with another is largest: the cosine of their angle.
///
/// Each is kept twice: as floats, and as one byte for each component with one scale for all. The search reads the bytes, a
/// quarter of the memory, and reads the floats only of vectors that could be better than the best so far:
///
/// With v = s·c + e (c whole numbers, e the rest) and q = t·d + f, in real numbers v·q = s·t·c·d + s·c·f + e·q, and so
/// v·q ≤ s·t·(c·d) + (|v| + |e|)·|f| + |e|·|q|, by Cauchy and Schwarz. |e| is measured when v is stored, |f| when the search
/// begins. c·d is exact in whole numbers. What the product of floats may differ from that of real numbers, at most
/// n·2⁻²⁴/(1 − n·2⁻²⁴)·|v|·|q| (Higham, Accuracy and Stability, 3.1), is added. So the result is that of reading all floats,
/// to the last bit.
///
/// The owner keeps writers away while he searches.
typedef struct {
    uint32_t capacity;
    uint32_t width;   ///< components, with zeros up to a multiple of 16
    uint64_t *tags;   ///< who may find it; 0: nothing is there
    int64_t *stored;  ///< nanoseconds
    uint64_t *stamps; ///< which one of those that were ever in this place
    float *floats;
    float *scales;
    float *errors; ///< |e|, rounded up
    int8_t *bytes;
} spw_vectors;

/// A vector that is looked for.
typedef struct {
    uint32_t width;
    float scale;
    float error;   ///< |f|, rounded up
    float product; ///< what a product of floats may be more than that of real numbers
    float *floats;
    int16_t *words;
} spw_query;

typedef struct {
    float score;    ///< the largest product so far; begins at the threshold
    uint32_t block; ///< where it is
    uint32_t slot;
    bool is_found;
    uint64_t stamp;
} spw_nearest;

static inline uint32_t spw_vectors_width(uint32_t dimension) { return (dimension + 15) & ~UINT32_C(15); }

/// Makes an empty block; false when there is no memory.
bool spw_vectors_init(spw_vectors *block, uint32_t capacity, uint32_t dimension);
void spw_vectors_destroy(spw_vectors *block);

/// Makes room for a query; false when there is no memory.
bool spw_query_init(spw_query *query, uint32_t dimension);
void spw_query_destroy(spw_query *query);
/// Takes `vector` divided by its length; false when a component is no number or infinite, or all are 0.
bool spw_query_set(spw_query *query, const float *vector, uint32_t dimension);

/// Puts the vector of a query into a place.
void spw_vectors_set(spw_vectors *block, uint32_t slot, const spw_query *query, uint64_t tag, int64_t stored, uint64_t stamp);

/// Empties a place.
static inline void spw_vectors_clear(spw_vectors *block, uint32_t slot) { block->tags[slot] = 0; }

/// Looks through the places before `count` for vectors of `tag` that were stored after `after`, and are closer than, or as
/// close as, what was found so far; of several that are as close the first counts.
void spw_vectors_search(
    const spw_vectors *block, uint32_t number, uint32_t count, const spw_query *query, uint64_t tag, int64_t after,
    spw_nearest *best);

/// As spw_vectors_search, by reading all floats.
void spw_vectors_search_all(
    const spw_vectors *block, uint32_t number, uint32_t count, const spw_query *query, uint64_t tag, int64_t after,
    spw_nearest *best);

#endif
