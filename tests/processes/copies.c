/* copies ONE OTHER: two copies of the library in one process, both in use from several threads at once: two pools that
   know nothing of each other, and the same bits. */
#include <dlfcn.h>
#include <goursat.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { PATHS = 12, POINTS = 30, ROUNDS = 200 };

typedef int32_t gram(const double *, size_t, size_t, const double *, size_t, size_t, size_t, double *, size_t,
                     const goursat_options *);

static double x[PATHS * POINTS], expected[PATHS * PATHS];

static int compute(gram *function, int threads, double *out) {
    goursat_options options = {sizeof options};
    options.threads = threads;
    return function(x, PATHS, POINTS, x, PATHS, POINTS, 1, out, PATHS * PATHS, &options);
}

static void *use(void *function) {
    double out[PATHS * PATHS];
    for (int i = 0; i < ROUNDS; i++) {
        memset(out, 0, sizeof out);
        if (compute(*(gram **)function, 1 + i % 3, out) != 0 || memcmp(out, expected, sizeof out) != 0) return NULL;
    }
    return function;
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    gram *functions[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++) {
        void *library = dlopen(arguments[1 + i], RTLD_NOW | RTLD_LOCAL);
        if (library == NULL) return fprintf(stderr, "%s\n", dlerror()), 1;
        *(void **)&functions[i] = dlsym(library, "goursat_sigkernel_gram_f64");
    }
    if (functions[0] == NULL || functions[0] == functions[1]) return fprintf(stderr, "not two copies\n"), 1;
    for (int i = 0; i < PATHS * POINTS; i++) x[i] = i * 37 % 101 / 101.0;
    if (compute(functions[0], 1, expected) != 0) return 1;
    pthread_t threads[6];
    for (int i = 0; i < 6; i++)
        if (pthread_create(&threads[i], NULL, use, &functions[i % 2]) != 0) return 1;
    int wrong = 0;
    for (int i = 0; i < 6; i++) {
        void *result = NULL;
        wrong |= pthread_join(threads[i], &result) != 0 || result == NULL;
    }
    return wrong;
}
