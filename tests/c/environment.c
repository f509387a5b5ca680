/* Results have the same bits whatever floating-point environment the caller is in, and the caller finds its own as it
 * left it: rounding modes, flush-to-zero, exception flags, traps. The pool of threads is made by a call under a strange
 * one. For x86-64 and aarch64 with glibc. */
#define _GNU_SOURCE /* feenableexcept */
#include <fenv.h>
#include <float.h>
#include <goursat.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *now = "the first call";

static void expect(int condition, const char *what, int line) {
    if (!condition) {
        char message[GOURSAT_MESSAGE_SIZE];
        fesetenv(FE_DFL_ENV);
        goursat_last_error(message, sizeof message);
        fprintf(stderr, "line %d, %s: %s (last error: %s)\n", line, now, what, message);
        exit(1);
    }
}
#define EXPECT(condition) expect((condition) != 0, #condition, __LINE__)
#define EXPECT_OK(call) expect((call) == GOURSAT_OK, #call, __LINE__)

/* The word with rounding, flush-to-zero and traps; on x86-64 with the exception flags. */
#if defined(__x86_64__)
enum { FLUSH = 0x8040 }; /* flush-to-zero and denormals-are-zero */
static unsigned long control(void) {
    uint32_t word;
    __asm__ volatile("stmxcsr %0" : "=m"(word));
    return word;
}
static void set_control(unsigned long value) {
    const uint32_t word = (uint32_t)value;
    __asm__ volatile("ldmxcsr %0" : : "m"(word));
}
#elif defined(__aarch64__)
enum { FLUSH = 1 << 24 };
static unsigned long control(void) {
    unsigned long word;
    __asm__ volatile("mrs %0, fpcr" : "=r"(word));
    return word;
}
static void set_control(unsigned long word) { __asm__ volatile("msr fpcr, %0" : : "r"(word)); }
#else
#error "which register has the rounding mode?"
#endif

enum { BATCH = 19, X = 24, Y = 17, DIM = 3, LONG_X = 700, LONG_Y = 650, DEGREE = 4, WORDS = 1 << 21 };

static double walk_f64[LONG_X * DIM * 8];
static float walk_f32[LONG_X * DIM * 8];
static double weights_f64[WORDS];
static float weights_f32[WORDS];

static void fill(void) {
    uint64_t state = 7;
    for (int i = 0; i < WORDS; ++i) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        weights_f64[i] = (double)(state >> 11) / 9007199254740992.0 - 0.45;
        weights_f32[i] = (float)weights_f64[i];
    }
    for (int i = 0; i < LONG_X * DIM * 8; ++i) {
        walk_f64[i] = (i < DIM ? 0 : walk_f64[i - DIM]) + 0.1 * weights_f64[i];
        walk_f32[i] = (float)walk_f64[i];
    }
    /* Subnormal increments in one path, subnormal products in another: flushing them would show. */
    for (int i = 2 * X * DIM; i < 3 * X * DIM; ++i) {
        walk_f64[i] *= 1e-309;
        walk_f32[i] *= 1e-39f;
    }
    for (int i = 5 * X * DIM; i < 6 * X * DIM; ++i) {
        walk_f64[i] *= 1e-160;
        walk_f32[i] *= 1e-21f;
    }
}

/* Every function, in one precision: results one after the other. */
#define EVERYTHING(T, S)                                                                                               \
    static size_t everything##S(T *out, const goursat_options *given) {                                                \
        const T *const x = walk##S, *const y = walk##S + 7, *const w = weights##S;                                     \
        goursat_options options = *given, time = *given, lead_lag = *given, refined = *given;                          \
        size_t coefficients = 0, rows, columns, n = 0, m;                                                              \
        time.flags = GOURSAT_TIME_AUG;                                                                                 \
        lead_lag.flags = GOURSAT_TIME_AUG | GOURSAT_LEAD_LAG;                                                          \
        time.end_time = lead_lag.end_time = 0.7;                                                                       \
        refined.x_order = 1;                                                                                           \
        refined.y_order = 3;                                                                                           \
        const goursat_options *const all[] = {&options, &time, &lead_lag};                                             \
        for (int o = 0; o < 3; ++o) {                                                                                  \
            EXPECT_OK(goursat_signature_length(DIM, DEGREE, all[o], &coefficients));                                   \
            m = BATCH * coefficients;                                                                                  \
            EXPECT_OK(goursat_signature##S(x, BATCH, X, DIM, DEGREE, out + n, m, all[o]));                             \
            n += m;                                                                                                    \
            EXPECT_OK(goursat_sig_backprop##S(w, m, x, BATCH, X, DIM, DEGREE, out + n, BATCH *X *DIM, all[o]));        \
            n += BATCH * X * DIM;                                                                                      \
        }                                                                                                              \
        EXPECT_OK(goursat_signature##S(x, 1, 5 * LONG_X, DIM, DEGREE, out + n, 120, &options));                        \
        n += 120;                                                                                                      \
        EXPECT_OK(goursat_sig_backprop##S(w, 120, x, 1, 5 * LONG_X, DIM, DEGREE, out + n, 5 * LONG_X * DIM, &options)); \
        n += 5 * LONG_X * DIM;                                                                                         \
        const goursat_options *const kinds[] = {&options, &time, &lead_lag, &refined};                                 \
        for (int o = 0; o < 4; ++o) {                                                                                  \
            EXPECT_OK(goursat_sigkernel##S(x, X, y, Y, BATCH, DIM, out + n, BATCH, kinds[o]));                         \
            n += BATCH;                                                                                                \
            EXPECT_OK(goursat_sigkernel_backprop##S(w, BATCH, x, X, y, Y, BATCH, DIM, out + n, BATCH *X *DIM,          \
                                                    out + n + BATCH * X * DIM, BATCH *Y *DIM, kinds[o]));              \
            n += BATCH * (X + Y) * DIM;                                                                                \
            EXPECT_OK(goursat_grid_shape(X, Y, kinds[o], &rows, &columns));                                            \
            m = BATCH * rows * columns;                                                                                \
            EXPECT_OK(goursat_sigkernel_grid##S(x, X, y, Y, BATCH, DIM, out + n, m, kinds[o]));                        \
            n += m;                                                                                                    \
            EXPECT_OK(goursat_sigkernel_grid_backprop##S(w, m, x, X, y, Y, BATCH, DIM, out + n, BATCH *X *DIM,         \
                                                         out + n + BATCH * X * DIM, BATCH *Y *DIM, kinds[o]));         \
            n += BATCH * (X + Y) * DIM;                                                                                \
            EXPECT_OK(goursat_sigkernel_gram##S(x, BATCH, X, y, BATCH, Y, DIM, out + n, BATCH *BATCH, kinds[o]));      \
            n += BATCH * BATCH;                                                                                        \
            EXPECT_OK(goursat_sigkernel_gram_backprop##S(w, BATCH *BATCH, x, BATCH, X, y, BATCH, Y, DIM, out + n,      \
                                                         BATCH *X *DIM, out + n + BATCH * X * DIM, BATCH *Y *DIM,      \
                                                         kinds[o]));                                                   \
            n += BATCH * (X + Y) * DIM;                                                                                \
        }                                                                                                              \
        EXPECT_OK(goursat_sigkernel##S(x, LONG_X, y, LONG_Y, 1, DIM, out + n, 1, &options));                           \
        n += 1;                                                                                                        \
        EXPECT_OK(goursat_sigkernel_backprop##S(w, 1, x, LONG_X, y, LONG_Y, 1, DIM, out + n, LONG_X *DIM,              \
                                                out + n + LONG_X * DIM, LONG_Y *DIM, &options));                       \
        n += (LONG_X + LONG_Y) * DIM;                                                                                  \
        time.flags = 0;                                                                                                \
        EXPECT_OK(goursat_time_augment##S(x, BATCH, X, DIM, out + n, BATCH *X *(DIM + 1), &time));                     \
        n += BATCH * X * (DIM + 1);                                                                                    \
        EXPECT_OK(goursat_time_augment_backprop##S(w, BATCH *X *(DIM + 1), BATCH, X, DIM, out + n, BATCH *X *DIM,      \
                                                   &options));                                                         \
        n += BATCH * X * DIM;                                                                                          \
        m = BATCH * (2 * X - 1) * 2 * DIM;                                                                             \
        EXPECT_OK(goursat_lead_lag##S(x, BATCH, X, DIM, out + n, m, &options));                                        \
        n += m;                                                                                                        \
        EXPECT_OK(goursat_lead_lag_backprop##S(w, m, BATCH, X, DIM, out + n, BATCH *X *DIM, &options));                \
        n += BATCH * X * DIM;                                                                                          \
        EXPECT(n <= WORDS);                                                                                            \
        return n;                                                                                                      \
    }
EVERYTHING(double, _f64)
EVERYTHING(float, _f32)

static double first_f64[WORDS], other_f64[WORDS];
static float first_f32[WORDS], other_f32[WORDS];

/* A callback with a mind of its own about rounding. Its changes are the caller's, and do not reach the call. */
struct seen {
    unsigned long found;
    int calls;
};

static int unruly(void *data, uint64_t done, uint64_t total) {
    struct seen *const seen = data;
    (void)done, (void)total;
    seen->found |= control();
    seen->calls += 1;
    EXPECT(fesetround(FE_UPWARD) == 0);
    set_control(control() | FLUSH);
    return 0;
}

static void the_callback_is_the_callers(int threads) {
    enum { POINTS = 12000, DIMS = 8, PAIRS = 4 };
    static double x[PAIRS * POINTS * DIMS], quiet[PAIRS], loud[PAIRS];
    struct seen seen = {0, 0};
    goursat_options options = {.size = sizeof options, .threads = threads};
    for (int i = 0; i < PAIRS * POINTS * DIMS; ++i) {
        x[i] = i % (POINTS * DIMS) < DIMS ? 0 : x[i - DIMS] + 0.01 * weights_f64[i % 10007];
    }
    EXPECT_OK(goursat_sigkernel_f64(x, POINTS, x, POINTS, PAIRS, DIMS, quiet, PAIRS, &options));
    options.progress = unruly;
    options.progress_data = &seen;
    EXPECT(fesetround(FE_DOWNWARD) == 0);
    const unsigned long mine = control();
    EXPECT_OK(goursat_sigkernel_f64(x, POINTS, x, POINTS, PAIRS, DIMS, loud, PAIRS, &options));
    EXPECT(seen.calls > 0 && (seen.found & mine) == mine);
    EXPECT(fegetround() == FE_UPWARD && (control() & FLUSH) == FLUSH);
    EXPECT(fesetenv(FE_DFL_ENV) == 0);
    EXPECT(memcmp(quiet, loud, sizeof quiet) == 0);
}

/* Every function once more, compared with the first time. */
static void again(const goursat_options *options) {
    const unsigned long before = control();
    const int mode = fegetround();
    const size_t n = everything_f64(other_f64, options), m = everything_f32(other_f32, options);
    EXPECT(control() == before && fegetround() == mode);
    EXPECT(memcmp(first_f64, other_f64, n * sizeof first_f64[0]) == 0);
    EXPECT(memcmp(first_f32, other_f32, m * sizeof first_f32[0]) == 0);
}

/* That the mode is in force outside, so that what is tested is not nothing. */
static void modes_are_real(int mode, unsigned long flush) {
    volatile double one = 1, three = 3, tiny = DBL_MIN, third;
    third = one / three;
    EXPECT((third > 0.33333333333333331) == (mode == FE_UPWARD));
    EXPECT((tiny / 4 == 0) == (flush != 0));
}

int main(void) {
    static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO, FE_TONEAREST};
    goursat_options options = {.size = sizeof options, .threads = 4}, one = {.size = sizeof one, .threads = 1};
    int combinations = 0;
    EXPECT(setenv("GOURSAT_NUM_THREADS", "4", 1) == 0);
    fill();

    EXPECT(fesetround(FE_UPWARD) == 0);
    set_control(control() | FLUSH);
    const size_t n = everything_f64(first_f64, &options), m = everything_f32(first_f32, &options);
    EXPECT(fesetenv(FE_DFL_ENV) == 0);
    now = "the default environment";
    again(&one);
    again(&options);

    for (int i = 0; i < 4; ++i) {
        for (int flush = 0; flush < 2; ++flush) {
            now = flush ? "a rounding mode, flushing" : "a rounding mode";
            EXPECT(fesetround(modes[i]) == 0);
            set_control(control() | (flush ? FLUSH : 0));
            modes_are_real(modes[i], flush);
            again(i % 2 ? &one : &options);
            EXPECT(fesetenv(FE_DFL_ENV) == 0);
            combinations += 1;
        }
    }

    now = "exception flags";
    EXPECT(feclearexcept(FE_ALL_EXCEPT) == 0 && feraiseexcept(FE_DIVBYZERO) == 0);
    again(&options);
    EXPECT(fetestexcept(FE_ALL_EXCEPT) == FE_DIVBYZERO);

    /* Infinity, NaN, overflow and inexact results do not trap in the library. aarch64 machines may have no traps. */
    now = "traps";
    EXPECT(feclearexcept(FE_ALL_EXCEPT) == 0);
    if (feenableexcept(FE_INVALID | FE_OVERFLOW | FE_DIVBYZERO | FE_INEXACT) != -1) {
        const double huge[] = {0, 1e300}, wild[] = {0, INFINITY, -INFINITY};
        double k, s[4];
        EXPECT_OK(goursat_sigkernel_f64(huge, 2, huge, 2, 1, 1, &k, 1, NULL));
        EXPECT_OK(goursat_signature_f64(wild, 1, 3, 1, 4, s, 4, NULL));
        const int raised = fetestexcept(FE_ALL_EXCEPT);
        EXPECT(fesetenv(FE_DFL_ENV) == 0);
        EXPECT(raised == 0);
        EXPECT(!isfinite(k) && !isfinite(s[0]));
    }
#if defined(__x86_64__)
    else {
        EXPECT(!"traps");
    }
#endif

    now = "callbacks";
    the_callback_is_the_callers(1);
    the_callback_is_the_callers(4);
    printf("%s: %u numbers of f64, %u of f32, the same in %d environments\n", goursat_simd_level(), (unsigned)n,
           (unsigned)m, combinations);
    return 0;
}
