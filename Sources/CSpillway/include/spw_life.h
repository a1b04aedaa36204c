#ifndef SPW_LIFE_H
#define SPW_LIFE_H
#include <stdint.h>

/// A counter of the lives of a state that passes from one gate to the next.
static inline uint32_t spw_life(const uint32_t *lives) { return __atomic_load_n(lives, __ATOMIC_ACQUIRE); }
static inline void spw_end_life(uint32_t *lives) { __atomic_add_fetch(lives, 1, __ATOMIC_ACQ_REL); }

#endif
