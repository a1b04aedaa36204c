#ifndef ALLOCATIONS_H
#define ALLOCATIONS_H
#include <stdbool.h>
#include <stdint.h>

/// Whether this program's allocations are counted: on Linux with glibc and without a sanitizer.
bool allocations_are_counted(void);
/// Calls of malloc, calloc, realloc and the aligned allocators by the calling thread so far.
uint64_t allocations_of_thread(void);
/// The same, by all threads.
uint64_t allocations_of_process(void);

#endif
