/* Paths of 4, 2 and 3 points packed one after the other, as lead-lag paths with time: the Gram matrix of all pairs, on
 * two threads, with a callback that could cancel it. */
#include <goursat.h>
#include <stdio.h>

static int progress(void *data, uint64_t done, uint64_t total) {
    (void)data;
    fprintf(stderr, "%.0f %%\n", 100.0 * (double)done / (double)total);
    return 0; /* anything else cancels */
}

int main(void) {
    const double paths[] = {0, 0.5, 0.25, 1,  0, -0.5,  0, 0.5, -0.5};
    const int64_t starts[] = {0, 4, 6}, lengths[] = {4, 2, 3};
    double gram[9];
    goursat_options options = {.size = sizeof options,
                               .flags = GOURSAT_SYMMETRIC | GOURSAT_LEAD_LAG | GOURSAT_TIME_AUG,
                               .x_order = 1,
                               .y_order = 1,
                               .threads = 2,
                               .x_lengths = lengths,
                               .x_starts = starts,
                               .x_size = sizeof paths / sizeof *paths,
                               .progress = progress};

    /* 3 paths of at most 4 points in 1 channel; y is ignored. */
    if (goursat_sigkernel_gram_f64(paths, 3, 4, NULL, 0, 0, 1, gram, 9, &options) != GOURSAT_OK) {
        char message[GOURSAT_MESSAGE_SIZE];
        goursat_last_error(message, sizeof message);
        fprintf(stderr, "%s\n", message);
        return 1;
    }
    for (int i = 0; i < 3; ++i) {
        printf("%.4f %.4f %.4f\n", gram[3 * i], gram[3 * i + 1], gram[3 * i + 2]);
    }
    return 0;
}
