/* Every function of the header as a call of small size, in both precisions: right, wrong, and cancelled. A test compares
   the names with the header. */
#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#include <goursat.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BATCH = 6, LENGTH = 20, DIM = 2, DEGREE = 3, SIGNATURE = DIM + DIM * DIM + DIM * DIM * DIM, ROOM = 4096 };

/* What a call works on: as long as any of them needs. */
struct work {
    double f64[4][ROOM];
    float f32[4][ROOM];
    goursat_options options;
};

static inline int cancel(void *data, uint64_t done, uint64_t total) {
    (void)data, (void)done, (void)total;
    return 1;
}

/* Numbers of small steps in the inputs, options for this many threads. */
static inline void prepare(struct work *w, int threads) {
    memset(w, 0, sizeof *w);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < ROOM; j++) {
            w->f64[i][j] = (double)((j * 37 + i * 11) % 101) / 256;
            w->f32[i][j] = (float)w->f64[i][j];
        }
    w->options.size = sizeof w->options;
    w->options.threads = threads;
}

/* x, y and a gradient are read, out and again are written: each buffer is one of a work. */
#define PATHS BATCH, LENGTH, DIM
#define N (BATCH * LENGTH * DIM)
#define CALLS(T)                                                                                                        \
    CALL(T, signature, x, PATHS, DEGREE, out, BATCH * SIGNATURE)                                                       \
    CALL(T, sig_backprop, y, BATCH * SIGNATURE, x, PATHS, DEGREE, out, N)                                              \
    CALL(T, sigkernel, x, LENGTH, y, LENGTH, BATCH, DIM, out, BATCH)                                                   \
    CALL(T, sigkernel_backprop, g, BATCH, x, LENGTH, y, LENGTH, BATCH, DIM, out, N, out + N, N)                        \
    CALL(T, sigkernel_grid, x, LENGTH, y, LENGTH, BATCH, DIM, out, BATCH * LENGTH * LENGTH)                            \
    CALL(T, sigkernel_grid_backprop, g, BATCH * LENGTH * LENGTH, x, LENGTH, y, LENGTH, BATCH, DIM, out, N, out + N, N) \
    CALL(T, sigkernel_gram, x, BATCH, LENGTH, y, BATCH, LENGTH, DIM, out, BATCH * BATCH)                               \
    CALL(T, sigkernel_gram_backprop, g, BATCH * BATCH, x, BATCH, LENGTH, y, BATCH, LENGTH, DIM, out, N, out + N, N)    \
    CALL(T, time_augment, x, PATHS, out, BATCH * LENGTH * (DIM + 1))                                                   \
    CALL(T, time_augment_backprop, x, BATCH * LENGTH * (DIM + 1), PATHS, out, N)                                       \
    CALL(T, lead_lag, x, PATHS, out, BATCH * (2 * LENGTH - 1) * 2 * DIM)                                               \
    CALL(T, lead_lag_backprop, x, BATCH * (2 * LENGTH - 1) * 2 * DIM, PATHS, out, N)

#define CALL(T, name, ...)                                                                                             \
    static inline int call_##name##_##T(struct work *w, const goursat_options *options) {                              \
        NUMBER_##T *x = w->T[0], *y = w->T[1], *g = w->T[2], *out = w->T[3];                                           \
        (void)x, (void)y, (void)g;                                                                                     \
        return goursat_##name##_##T(__VA_ARGS__, options);                                                             \
    }
#define NUMBER_f64 double
#define NUMBER_f32 float
CALLS(f64)
CALLS(f32)
#undef CALL

static inline int call_signature_length(struct work *w, const goursat_options *options) {
    size_t length = 0;
    (void)w;
    return goursat_signature_length(DIM, DEGREE, options, &length) != 0 || length != SIGNATURE;
}

static inline int call_grid_shape(struct work *w, const goursat_options *options) {
    size_t rows = 0, columns = 0;
    (void)w;
    return goursat_grid_shape(LENGTH, LENGTH, options, &rows, &columns) != 0 || rows != LENGTH || columns != LENGTH;
}

static inline int call_answers(struct work *w, const goursat_options *options) {
    char message[GOURSAT_MESSAGE_SIZE];
    (void)w, (void)options;
    goursat_last_error(message, sizeof message);
    return goursat_version() == NULL || goursat_version_number() != GOURSAT_VERSION_NUMBER || goursat_simd_level() == NULL ||
           goursat_default_threads() < 1 || strcmp(goursat_status_name(0), "GOURSAT_OK") != 0;
}

/* Where there is no driver these say so; where there is one, what they find. */
static inline int call_cuda(struct work *w, const goursat_options *options) {
    int32_t count = -1;
    goursat_cuda_device_info info = {sizeof info};
    (void)w, (void)options;
    goursat_cuda_available();
    return (goursat_cuda_device_count(&count) == GOURSAT_OK) != (count > 0) ||
           (goursat_cuda_device(0, &info) == GOURSAT_OK) != (count > 0);
}

struct function {
    const char *name;
    int (*call)(struct work *, const goursat_options *);
};

#define CALL(T, name, ...) {"goursat_" #name "_" #T, call_##name##_##T},
static const struct function FUNCTIONS[] = {
    CALLS(f64) CALLS(f32) {"goursat_signature_length", call_signature_length}, {"goursat_grid_shape", call_grid_shape},
    {"goursat_version goursat_version_number goursat_simd_level goursat_default_threads goursat_status_name "
     "goursat_last_error",
     call_answers},
    {"goursat_cuda_available goursat_cuda_device_count goursat_cuda_device", call_cuda}};
#undef CALL
enum { COUNT = sizeof FUNCTIONS / sizeof *FUNCTIONS };

/* Bytes of this process in memory. */
static inline long resident(void) {
    long total = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld %ld", &total, &pages) != 2) pages = -1;
    if (file != NULL) fclose(file);
    return pages * 4096;
}

#endif
