#include "spw_parker.h"
#include "spw_clock.h"
#include <pthread.h>
#include <stdlib.h>

struct spw_parker {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
};

spw_parker *spw_parker_create(void) {
    spw_parker *parker = malloc(sizeof *parker);
    if (!parker) abort(); // a process without 100 bytes left cannot keep time
    pthread_mutex_init(&parker->mutex, NULL);
#if defined(__APPLE__)
    pthread_cond_init(&parker->condition, NULL);
#else
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&parker->condition, &attributes);
    pthread_condattr_destroy(&attributes);
#endif
    return parker;
}

void spw_parker_lock(spw_parker *parker) { pthread_mutex_lock(&parker->mutex); }
void spw_parker_unlock(spw_parker *parker) { pthread_mutex_unlock(&parker->mutex); }
void spw_parker_wake(spw_parker *parker) { pthread_cond_signal(&parker->condition); }

void spw_parker_wait(spw_parker *parker, int64_t deadline) {
    if (deadline < 0) {
        pthread_cond_wait(&parker->condition, &parker->mutex);
        return;
    }
#if defined(__APPLE__)
    int64_t left = deadline - spw_now();
    if (left <= 0) return;
    struct timespec until = {left / 1000000000, left % 1000000000};
    pthread_cond_timedwait_relative_np(&parker->condition, &parker->mutex, &until);
#else
    struct timespec until = {deadline / 1000000000, deadline % 1000000000};
    pthread_cond_timedwait(&parker->condition, &parker->mutex, &until);
#endif
}
