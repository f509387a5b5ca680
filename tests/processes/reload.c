/* reload LIBRARY TIMES: loads the library, uses its threads from two threads, unloads it, and so on. Its threads sleep
   inside it, so it stays where it is (-z nodelete): nothing crashes, and the memory is flat. */
#include <dlfcn.h>
#include <goursat.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

typedef int32_t gram(const double *, size_t, size_t, const double *, size_t, size_t, size_t, double *, size_t,
                     const goursat_options *);

static long resident(void) {
    long total = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld %ld", &total, &pages) != 2) pages = -1;
    if (file != NULL) fclose(file);
    return pages * 4096;
}

static void *use(void *function) {
    static const double x[] = {0, 1, 3, 0, 2, 1, 1, 0, 1};
    double out[9];
    goursat_options options = {sizeof options};
    options.threads = 2;
    int32_t status = (*(gram **)function)(x, 3, 3, x, 3, 3, 1, out, 9, &options);
    return status == 0 && out[1] == out[3] ? function : NULL;
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    long before = 0;
    for (int i = 0, times = atoi(arguments[2]); i < times; i++) {
        void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
        if (library == NULL) return fprintf(stderr, "%s\n", dlerror()), 1;
        gram *function = NULL;
        *(void **)&function = dlsym(library, "goursat_sigkernel_gram_f64");
        if (function == NULL) return 1;
        pthread_t other;
        void *result = NULL;
        if (pthread_create(&other, NULL, use, &function) != 0) return 1;
        if (use(&function) == NULL) return fprintf(stderr, "wrong in round %d\n", i), 1;
        if (pthread_join(other, &result) != 0 || result == NULL) return fprintf(stderr, "wrong in round %d\n", i), 1;
        if (dlclose(library) != 0) return fprintf(stderr, "%s\n", dlerror()), 1;
        if (i == times / 10) before = resident();
    }
    void *left = dlopen(arguments[1], RTLD_NOW | RTLD_NOLOAD);
    if (left == NULL) return fprintf(stderr, "the library was unloaded under its threads\n"), 1;
    long grown = resident() - before;
    if (grown > 1024 * 1024) return fprintf(stderr, "grown by %ld bytes\n", grown), 1;
    return 0;
}
