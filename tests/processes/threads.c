/* Prints the default number of threads, and how many the process has after a call of a hundred tasks that asks for a
   hundred threads. */
#include <goursat.h>
#include <stdio.h>
#include <string.h>

enum { PATHS = 400 };

int main(void) {
    static double x[PATHS * 2], out[PATHS * PATHS];
    goursat_options options = {sizeof options};
    options.threads = 100;
    for (int i = 0; i < PATHS * 2; i++) x[i] = i % 7 / 7.0;
    if (goursat_sigkernel_gram_f64(x, PATHS, 2, x, PATHS, 2, 1, out, PATHS * PATHS, &options) != 0) return 1;
    int threads = 0;
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "Threads: %d", &threads) == 1) break;
    printf("%d %d\n", (int)goursat_default_threads(), threads);
    return 0;
}
