/* Fused multiply-adds a second of one core, in f64 and f32, what shares of the floor are measured by; and bytes a second
 * that it reads from memory. cc -O3 -march=native -ffp-contract=fast ceiling.c -o ceiling; it prints the three numbers.
 * For a lesser SIMD level: -march=x86-64-v3 (AVX2), -march=x86-64-v2 (no fused multiply-add: a product and a sum count). */
#include <stdio.h>
#include <stdlib.h>
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

/* Sums of more numbers than caches hold. */
static double bandwidth(void)
{
    typedef long vector __attribute__((vector_size(BYTES)));
    size_t size = (size_t)1 << 28, count = size / sizeof(vector);
    vector *numbers = aligned_alloc(BYTES, size), sums[4] = {{0}};
    double best = 0;
    if (!numbers)
        return 0;
    for (size_t i = 0; i < count; i++)
        numbers[i] = sums[0] + (long)i;
    for (int turn = 0; turn < 5; turn++) {
        double begun = seconds();
        for (size_t i = 0; i < count; i += 4)
            for (int j = 0; j < 4; j++)
                sums[j] += numbers[i + j];
        double rate = size / (seconds() - begun);
        best = rate > best ? rate : best;
    }
    sums[0] += sums[1] + sums[2] + sums[3];
    best = sums[0][0] == 1 ? 0 : best; /* so that the sums are needed */
    free(numbers);
    return best;
}

int main(void)
{
    printf("%.4g %.4g %.4g\n", ceiling_double(), ceiling_float(), bandwidth());
    return 0;
}
