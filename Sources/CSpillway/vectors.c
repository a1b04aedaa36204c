#include "spw_vectors.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <emmintrin.h>
#endif

// The compiler makes of these what the machine has: 128 bits at a time on any x86-64 and arm64.
typedef float floats16 __attribute__((vector_size(64)));

static void *lines_of_cache(size_t bytes) {
    void *memory = NULL;
    return posix_memalign(&memory, 64, bytes) == 0 ? memory : NULL;
}

bool spw_vectors_init(spw_vectors *block, uint32_t capacity, uint32_t dimension) {
    uint32_t width = spw_vectors_width(dimension);
    *block = (spw_vectors){.capacity = capacity, .width = width};
    block->tags = calloc(capacity, sizeof(uint64_t));
    block->stored = calloc(capacity, sizeof(int64_t));
    block->stamps = calloc(capacity, sizeof(uint64_t));
    block->scales = calloc(capacity, sizeof(float));
    block->errors = calloc(capacity, sizeof(float));
    block->floats = lines_of_cache((size_t)capacity * width * sizeof(float));
    block->bytes = lines_of_cache((size_t)capacity * width);
    if (block->tags && block->stored && block->stamps && block->scales && block->errors && block->floats
        && block->bytes) return true;
    spw_vectors_destroy(block);
    return false;
}

void spw_vectors_destroy(spw_vectors *block) {
    free(block->tags);
    free(block->stored);
    free(block->stamps);
    free(block->scales);
    free(block->errors);
    free(block->floats);
    free(block->bytes);
    *block = (spw_vectors){0};
}

bool spw_query_init(spw_query *query, uint32_t dimension) {
    uint32_t width = spw_vectors_width(dimension);
    *query = (spw_query){.width = width};
    query->floats = lines_of_cache(width * sizeof(float));
    query->words = lines_of_cache(width * sizeof(int16_t));
    if (query->floats && query->words) return true;
    spw_query_destroy(query);
    return false;
}

void spw_query_destroy(spw_query *query) {
    free(query->floats);
    free(query->words);
    *query = (spw_query){0};
}

/// Where the word for component `i` of a query lies.
static uint32_t place_of_word(uint32_t i) {
#if defined(__x86_64__)
    return (i & ~UINT32_C(15)) + (i & 1) * 8 + (i & 15) / 2;
#else
    return i;
#endif
}

/// A float that is no less.
static float rounded_up(double value) { return nextafterf((float)value, INFINITY); }

/// The length of a vector that was divided by its own, with a little more for every rounding.
#define SPW_LENGTH (1 + 1e-6)

/// The largest number to which components of a query are scaled: no sum of products with bytes leaves 32 bits.
static int32_t query_most(uint32_t width) {
    int64_t most = INT32_MAX / (127 * (int64_t)width);
    return most < INT16_MAX ? (int32_t)most : INT16_MAX;
}

bool spw_query_set(spw_query *query, const float *vector, uint32_t dimension) {
    double square = 0;
    for (uint32_t i = 0; i < dimension; i++) {
        if (!isfinite(vector[i])) return false;
        square += (double)vector[i] * vector[i];
    }
    if (!(square > 0)) return false;
    double length = sqrt(square), largest = 0;
    for (uint32_t i = 0; i < dimension; i++) {
        query->floats[i] = (float)(vector[i] / length);
        double size = fabs((double)query->floats[i]);
        if (size > largest) largest = size;
    }
    memset(query->floats + dimension, 0, (query->width - dimension) * sizeof(float));
    float scale = (float)(largest / query_most(query->width));
    double error = 0;
    for (uint32_t i = 0; i < query->width; i++) {
        double scaled = rint(query->floats[i] / (double)scale);
        query->words[place_of_word(i)] = (int16_t)scaled;
        double rest = query->floats[i] - scaled * (double)scale;
        error += rest * rest;
    }
    query->scale = scale;
    query->error = rounded_up(sqrt(error) * SPW_LENGTH);
    double roundings = (query->width + 16) * 0x1p-24;
    query->product = rounded_up(roundings / (1 - roundings) * SPW_LENGTH * SPW_LENGTH);
    return true;
}

void spw_vectors_set(
    spw_vectors *block, uint32_t slot, const spw_query *query, uint64_t tag, int64_t stored, uint64_t stamp
) {
    size_t base = (size_t)slot * block->width;
    memcpy(block->floats + base, query->floats, block->width * sizeof(float));
    float largest = 0;
    for (uint32_t i = 0; i < block->width; i++) largest = fmaxf(largest, fabsf(query->floats[i]));
    float scale = largest / 127;
    double error = 0;
    for (uint32_t i = 0; i < block->width; i++) {
        double scaled = fmin(127, fmax(-127, rint(query->floats[i] / (double)scale)));
        block->bytes[base + i] = (int8_t)scaled;
        double rest = query->floats[i] - scaled * (double)scale;
        error += rest * rest;
    }
    block->scales[slot] = scale;
    block->errors[slot] = rounded_up(sqrt(error) * SPW_LENGTH);
    block->stored[slot] = stored;
    block->stamps[slot] = stamp;
    block->tags[slot] = tag;
}

/// The product of two vectors of floats.
static float product(const float *left, const float *right, uint32_t width) {
    floats16 even = {0}, odd = {0};
    const floats16 *a = (const floats16 *)left, *b = (const floats16 *)right;
    uint32_t count = width / 16, i = 0;
    // More than one sum at a time: an addition takes longer than the memory.
    for (; i + 2 <= count; i += 2) {
        even += a[i] * b[i];
        odd += a[i + 1] * b[i + 1];
    }
    if (i < count) even += a[i] * b[i];
    even += odd;
    float sum = 0;
    for (int lane = 0; lane < 16; lane++) sum += even[lane];
    return sum;
}

/// The product of bytes with words, exact.
///
/// Of 16 bytes the odd ones are shifted down in their words, and the even ones up and down; the words of the query lie in the
/// same order (see `place_of_word`).
static int32_t whole_product(const int8_t *bytes, const int16_t *words, uint32_t width) {
#if defined(__x86_64__)
    // Part of every x86-64: it multiplies, and adds in pairs. The compiler would take four bytes at a time.
    __m128i even = _mm_setzero_si128(), odd = even;
    for (uint32_t i = 0; i < width; i += 16) {
        __m128i pairs = _mm_load_si128((const __m128i *)(bytes + i));
        __m128i low = _mm_srai_epi16(_mm_slli_epi16(pairs, 8), 8), high = _mm_srai_epi16(pairs, 8);
        even = _mm_add_epi32(even, _mm_madd_epi16(low, _mm_load_si128((const __m128i *)(words + i))));
        odd = _mm_add_epi32(odd, _mm_madd_epi16(high, _mm_load_si128((const __m128i *)(words + i + 8))));
    }
    int32_t sums[4];
    _mm_storeu_si128((__m128i *)sums, _mm_add_epi32(even, odd));
    return sums[0] + sums[1] + sums[2] + sums[3];
#else
    int32_t sum = 0;
    for (uint32_t i = 0; i < width; i++) sum += (int32_t)(int16_t)bytes[i] * (int32_t)words[i];
    return sum;
#endif
}

static void compare(
    const spw_vectors *block, uint32_t number, uint32_t slot, const spw_query *query, int64_t after, spw_nearest *best
) {
    if (block->stored[slot] <= after) return;
    float score = product(block->floats + (size_t)slot * block->width, query->floats, block->width);
    if (best->is_found ? score <= best->score : score < best->score) return;
    *best = (spw_nearest){score, number, slot, true, block->stamps[slot]};
}

void spw_vectors_search(
    const spw_vectors *block, uint32_t number, uint32_t count, const spw_query *query, uint64_t tag, int64_t after,
    spw_nearest *best
) {
    uint32_t width = block->width;
    for (uint32_t slot = 0; slot < count; slot++) {
        if (block->tags[slot] != tag) continue;
        int32_t whole = whole_product(block->bytes + (size_t)slot * width, query->words, width);
        double error = block->errors[slot];
        double most = (double)block->scales[slot] * query->scale * whole + (SPW_LENGTH + error) * query->error
                      + error * SPW_LENGTH + query->product;
        if (most * (1 + 1e-9) + 1e-9 >= best->score) compare(block, number, slot, query, after, best);
    }
}

void spw_vectors_search_all(
    const spw_vectors *block, uint32_t number, uint32_t count, const spw_query *query, uint64_t tag, int64_t after,
    spw_nearest *best
) {
    for (uint32_t slot = 0; slot < count; slot++)
        if (block->tags[slot] == tag) compare(block, number, slot, query, after, best);
}
