/* The system refuses threads, all of them or after the first: every function works on fewer, with the same bits, and
   has its threads when they can be had again. Run with GOURSAT_NUM_THREADS=3. */
#define _GNU_SOURCE
#include "functions.h"
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

static int left, made;

/* In place of the C library's. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    if (left == 0) return EAGAIN;
    left--;
    made++;
    return real(thread, attributes, start, argument);
}

static struct work one, several;

int main(void) {
    for (int allowed = 0; allowed <= 3; allowed++) {
        left = allowed - made;
        for (int i = 0; i < COUNT; i++) {
            prepare(&one, 1);
            prepare(&several, 3);
            if (FUNCTIONS[i].call(&one, &one.options) != 0 || FUNCTIONS[i].call(&several, &several.options) != 0 ||
                memcmp(&one.f64, &several.f64, sizeof one.f64) != 0 || memcmp(&one.f32, &several.f32, sizeof one.f32) != 0)
                return fprintf(stderr, "%s with %d threads allowed\n", FUNCTIONS[i].name, allowed), 1;
        }
        if (made != allowed) return fprintf(stderr, "%d threads were made, %d allowed\n", made, allowed), 1;
    }
    return 0;
}
