/* Fused multiply-adds a second of one core, in f64 and f32: what shares of the floor are measured by.
 * cc -O3 -march=native -ffp-contract=fast ceiling.c -o ceiling; it prints both numbers. */
#include <stdio.h>
#include <time.h>

#if defined __AVX512F__
#define BYTES 64
#elif defined __AVX__
#define BYTES 32
#else
#define BYTES 16
#endif
#define STEPS 4000000L

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Twelve sums that do not wait for each other: four cycles of latency on two ports, and some to spare. */
#define CEILING(type)                                                              \
    static double ceiling_##type(void)                                             \
    {                                                                              \
        typedef type vector __attribute__((vector_size(BYTES)));                   \
        vector sums[12] = {{0}}, factor = {0}, term = {0};                         \
        double best = 0;                                                           \
        for (int i = 0; i < (int)(BYTES / sizeof(type)); i++) {                    \
            factor[i] = (type)0.999;                                               \
            term[i] = (type)1e-3;                                                  \
        }                                                                          \
        for (int turn = 0; turn < 5; turn++) {                                     \
            double begun = seconds();                                              \
            for (long step = 0; step < STEPS; step++)                              \
                for (int i = 0; i < 12; i++)                                       \
                    sums[i] = sums[i] * factor + term;                             \
            double rate = 12.0 * STEPS * (BYTES / sizeof(type)) / (seconds() - begun); \
            best = rate > best ? rate : best;                                      \
        }                                                                          \
        for (int i = 1; i < 12; i++)                                               \
            sums[0] += sums[i];                                                    \
        return sums[0][0] == 0 ? 0 : best; /* so that the sums are needed */       \
    }

CEILING(double)
CEILING(float)

int main(void)
{
    printf("%.4g %.4g\n", ceiling_double(), ceiling_float());
    return 0;
}
