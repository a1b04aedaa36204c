#ifndef SPW_PARKER_H
#define SPW_PARKER_H
#include <stdint.h>

/// A mutex with a condition on which one thread waits until a time of `spw_now`, or until it is woken.
typedef struct spw_parker spw_parker;

spw_parker *spw_parker_create(void);
void spw_parker_lock(spw_parker *parker);
void spw_parker_unlock(spw_parker *parker);
/// Waits, with the mutex held before and after; `deadline` in nanoseconds of `spw_now`, negative: until woken.
void spw_parker_wait(spw_parker *parker, int64_t deadline);
void spw_parker_wake(spw_parker *parker);

#endif
