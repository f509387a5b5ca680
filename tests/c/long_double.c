/* One pair of 20,000 points against the recurrence in long double: the relative error is printed, and at most 1e-10. */
#include <goursat.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { POINTS = 20000, DIM = 2 };

static double x[POINTS * DIM], y[POINTS * DIM];
static long double dy[POINTS * DIM], row[POINTS];

/* Two smooth curves. */
static void fill(void) {
    for (int i = 0; i < POINTS; ++i) {
        const double t = i / (POINTS - 1.0);
        x[2 * i] = 1.2 * t;
        x[2 * i + 1] = 0.9 * t * (1 - t);
        y[2 * i] = 0.8 * t * t;
        y[2 * i + 1] = 1.5 * t;
    }
}

static long double exact(void) {
    for (int j = 0; j < POINTS; ++j) {
        row[j] = 1;
    }
    for (int e = 0; e < (POINTS - 1) * DIM; ++e) {
        dy[e] = (long double)y[e + DIM] - y[e];
    }
    for (int i = 0; i + 1 < POINTS; ++i) {
        const long double a = (long double)x[2 * i + 2] - x[2 * i];
        const long double b = (long double)x[2 * i + 3] - x[2 * i + 1];
        long double corner = row[0];
        for (int j = 0; j + 1 < POINTS; ++j) {
            const long double delta = a * dy[2 * j] + b * dy[2 * j + 1];
            const long double sum = row[j] + row[j + 1], d = corner;
            corner = row[j + 1];
            row[j + 1] = (sum - d) + delta / 2 * sum + delta * delta / 12 * (sum + d);
        }
    }
    return row[POINTS - 1];
}

int main(void) {
    double k = 0;
    fill();
    if (goursat_sigkernel_f64(x, POINTS, y, POINTS, 1, DIM, &k, 1, NULL) != GOURSAT_OK) {
        return 1;
    }
    const long double expected = exact();
    const double error = (double)fabsl((k - expected) / expected);
    printf("k = %.12f, relative error %.1e\n", k, error);
    return error <= 1e-10 ? 0 : 1;
}
