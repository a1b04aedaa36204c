// Counts allocations by standing in front of the C library's allocator: a program's own definition of malloc is the one
// that every library in it calls.
#define _GNU_SOURCE
#include "allocations.h"
#include <errno.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTED 0
#endif
#endif
#if !defined(COUNTED)
#if defined(__GLIBC__)
#define COUNTED 1
#else
#define COUNTED 0
#endif
#endif

static _Thread_local uint64_t of_thread;
static uint64_t of_process;

bool allocations_are_counted(void) { return COUNTED; }
uint64_t allocations_of_thread(void) { return of_thread; }
uint64_t allocations_of_process(void) { return __atomic_load_n(&of_process, __ATOMIC_RELAXED); }

#if COUNTED
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static inline void count(void) {
    of_thread++;
    __atomic_fetch_add(&of_process, 1, __ATOMIC_RELAXED);
}

void *malloc(size_t size) {
    count();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count();
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
    count();
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    count();
    *result = __libc_memalign(alignment, size);
    return *result ? 0 : ENOMEM;
}
#endif
