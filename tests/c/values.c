/* Every function once from C, in both precisions, on paths whose results are known by hand. */
#include "goursat.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect(int condition, const char *what, int line) {
    if (!condition) {
        char message[GOURSAT_MESSAGE_SIZE];
        goursat_last_error(message, sizeof message);
        fprintf(stderr, "line %d: %s (last error: %s)\n", line, what, message);
        exit(1);
    }
}
#define EXPECT(condition) expect(condition, #condition, __LINE__)
#define EXPECT_OK(call) expect((call) == GOURSAT_OK, #call, __LINE__)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int near_f64(const double *got, const double *wanted, size_t count) {
    size_t i;
    for (i = 0; i < count; ++i) {
        if (!(fabs(got[i] - wanted[i]) <= 1e-14 * (1 + fabs(wanted[i])))) {
            fprintf(stderr, "[%u]: %.17g, expected %.17g\n", (unsigned)i, got[i], wanted[i]);
            return 0;
        }
    }
    return 1;
}

static int near_f32(const float *got, const double *wanted, size_t count) {
    size_t i;
    for (i = 0; i < count; ++i) {
        if (!(fabs(got[i] - wanted[i]) <= 1e-6 * (1 + fabs(wanted[i])))) {
            fprintf(stderr, "[%u]: %.9g, expected %.9g\n", (unsigned)i, got[i], wanted[i]);
            return 0;
        }
    }
    return 1;
}

/* One increment (1, 2) against (1, 1/2): D = 2, k = 1 + D + D^2/4 on one cell, dk/dD = 1 + D/2. */
static const double line_x[] = {0, 0, 1, 2}, line_y[] = {0, 0, 1, 0.5};
static const float line_xf[] = {0, 0, 1, 2}, line_yf[] = {0, 0, 1, 0.5f};
static const double line_signature[] = {1, 2, 0.5, 1, 1, 2};
static const double line_grid[] = {1, 1, 1, 4};
static const double line_gx[] = {-2, -1, 2, 1}, line_gy[] = {-2, -4, 2, 4};
/* d/dz of the sum of all coefficients: 1 + (z1 + z2) for each channel. */
static const double ones[] = {1, 1, 1, 1, 1, 1};
static const float onesf[] = {1, 1, 1, 1, 1, 1};
static const double line_g[] = {-4, -4, 4, 4};
static const double line_time[] = {0, 0, 0, 1, 2, 1};
static const double line_leadlag[] = {0, 0, 0, 0, 1, 2, 0, 0, 1, 2, 1, 2};
static const double grad_leadlag[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
static const float grad_leadlagf[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
static const double grad_path[] = {1 + 3 + 7, 2 + 4 + 8, 5 + 9 + 11, 6 + 10 + 12};
static const double grad_time[] = {1, 2, 4, 5};

static void in_double(void) {
    double s[6], k, grid[4], gram[1], gx[4], gy[4], t[6], l[12];
    const double one = 1, corner[] = {0, 0, 0, 1};
    EXPECT_OK(goursat_signature_f64(line_x, 1, 2, 2, 2, s, 6, NULL));
    EXPECT(near_f64(s, line_signature, 6));
    EXPECT_OK(goursat_sig_backprop_f64(ones, 6, line_x, 1, 2, 2, 2, gx, 4, NULL));
    EXPECT(near_f64(gx, line_g, 4));
    EXPECT_OK(goursat_sigkernel_f64(line_x, 2, line_y, 2, 1, 2, &k, 1, NULL));
    EXPECT(near_f64(&k, line_grid + 3, 1));
    EXPECT_OK(goursat_sigkernel_backprop_f64(&one, 1, line_x, 2, line_y, 2, 1, 2, gx, 4, gy, 4, NULL));
    EXPECT(near_f64(gx, line_gx, 4) && near_f64(gy, line_gy, 4));
    EXPECT_OK(goursat_sigkernel_grid_f64(line_x, 2, line_y, 2, 1, 2, grid, 4, NULL));
    EXPECT(near_f64(grid, line_grid, 4));
    EXPECT_OK(goursat_sigkernel_grid_backprop_f64(corner, 4, line_x, 2, line_y, 2, 1, 2, gx, 4, NULL, 0, NULL));
    EXPECT(near_f64(gx, line_gx, 4));
    EXPECT_OK(goursat_sigkernel_gram_f64(line_x, 1, 2, line_y, 1, 2, 2, gram, 1, NULL));
    EXPECT(near_f64(gram, line_grid + 3, 1));
    EXPECT_OK(goursat_sigkernel_gram_backprop_f64(&one, 1, line_x, 1, 2, line_y, 1, 2, 2, NULL, 0, gy, 4, NULL));
    EXPECT(near_f64(gy, line_gy, 4));
    EXPECT_OK(goursat_time_augment_f64(line_x, 1, 2, 2, t, 6, NULL));
    EXPECT(near_f64(t, line_time, 6));
    EXPECT_OK(goursat_time_augment_backprop_f64(grad_leadlag, 6, 1, 2, 2, gx, 4, NULL));
    EXPECT(near_f64(gx, grad_time, 4));
    EXPECT_OK(goursat_lead_lag_f64(line_x, 1, 2, 2, l, 12, NULL));
    EXPECT(near_f64(l, line_leadlag, 12));
    EXPECT_OK(goursat_lead_lag_backprop_f64(grad_leadlag, 12, 1, 2, 2, gx, 4, NULL));
    EXPECT(near_f64(gx, grad_path, 4));
}

static void in_float(void) {
    float s[6], k, grid[4], gram[1], gx[4], gy[4], t[6], l[12];
    const float one = 1, corner[] = {0, 0, 0, 1};
    EXPECT_OK(goursat_signature_f32(line_xf, 1, 2, 2, 2, s, 6, NULL));
    EXPECT(near_f32(s, line_signature, 6));
    EXPECT_OK(goursat_sig_backprop_f32(onesf, 6, line_xf, 1, 2, 2, 2, gx, 4, NULL));
    EXPECT(near_f32(gx, line_g, 4));
    EXPECT_OK(goursat_sigkernel_f32(line_xf, 2, line_yf, 2, 1, 2, &k, 1, NULL));
    EXPECT(near_f32(&k, line_grid + 3, 1));
    EXPECT_OK(goursat_sigkernel_backprop_f32(&one, 1, line_xf, 2, line_yf, 2, 1, 2, gx, 4, gy, 4, NULL));
    EXPECT(near_f32(gx, line_gx, 4) && near_f32(gy, line_gy, 4));
    EXPECT_OK(goursat_sigkernel_grid_f32(line_xf, 2, line_yf, 2, 1, 2, grid, 4, NULL));
    EXPECT(near_f32(grid, line_grid, 4));
    EXPECT_OK(goursat_sigkernel_grid_backprop_f32(corner, 4, line_xf, 2, line_yf, 2, 1, 2, gx, 4, NULL, 0, NULL));
    EXPECT(near_f32(gx, line_gx, 4));
    EXPECT_OK(goursat_sigkernel_gram_f32(line_xf, 1, 2, line_yf, 1, 2, 2, gram, 1, NULL));
    EXPECT(near_f32(gram, line_grid + 3, 1));
    EXPECT_OK(goursat_sigkernel_gram_backprop_f32(&one, 1, line_xf, 1, 2, line_yf, 1, 2, 2, NULL, 0, gy, 4, NULL));
    EXPECT(near_f32(gy, line_gy, 4));
    EXPECT_OK(goursat_time_augment_f32(line_xf, 1, 2, 2, t, 6, NULL));
    EXPECT(near_f32(t, line_time, 6));
    EXPECT_OK(goursat_time_augment_backprop_f32(grad_leadlagf, 6, 1, 2, 2, gx, 4, NULL));
    EXPECT(near_f32(gx, grad_time, 4));
    EXPECT_OK(goursat_lead_lag_f32(line_xf, 1, 2, 2, l, 12, NULL));
    EXPECT(near_f32(l, line_leadlag, 12));
    EXPECT_OK(goursat_lead_lag_backprop_f32(grad_leadlagf, 12, 1, 2, 2, gx, 4, NULL));
    EXPECT(near_f32(gx, grad_path, 4));
}

static void shapes(void) {
    goursat_options options = {0};
    size_t length, rows, columns;
    options.size = sizeof options;
    EXPECT_OK(goursat_signature_length(3, 4, NULL, &length));
    EXPECT(length == 3 + 9 + 27 + 81);
    options.flags = GOURSAT_TIME_AUG | GOURSAT_LEAD_LAG | GOURSAT_SCALAR_TERM;
    EXPECT_OK(goursat_signature_length(3, 2, &options, &length));
    EXPECT(length == 1 + 7 + 49);
    options.flags = GOURSAT_LEAD_LAG;
    options.x_order = 2;
    EXPECT_OK(goursat_grid_shape(4, 6, &options, &rows, &columns));
    EXPECT(rows == 4 * 6 + 1 && columns == 10 + 1);
}

static void lead_lag_with_time(void) {
    goursat_options options = {0};
    const double wanted[] = {0, 0, 0, 1, 0, 0.5, 1, 1, 1};
    double lagged[6], augmented[9], s[3], direct[3];
    const double x[] = {0, 1};
    options.size = sizeof options;
    options.flags = GOURSAT_LAG_FIRST;
    EXPECT_OK(goursat_lead_lag_f64(x, 1, 2, 1, lagged, 6, &options));
    EXPECT(lagged[2] == 0 && lagged[3] == 1);
    options.flags = 0;
    EXPECT_OK(goursat_lead_lag_f64(x, 1, 2, 1, lagged, 6, &options));
    EXPECT_OK(goursat_time_augment_f64(lagged, 1, 3, 2, augmented, 9, &options));
    EXPECT(near_f64(augmented, wanted, 9));
    EXPECT_OK(goursat_signature_f64(augmented, 1, 3, 3, 1, s, 3, NULL));
    options.flags = GOURSAT_LEAD_LAG | GOURSAT_TIME_AUG;
    EXPECT_OK(goursat_signature_f64(x, 1, 2, 1, 1, direct, 3, &options));
    EXPECT(near_f64(direct, s, 3));
}

static void errors(void) {
    char message[GOURSAT_MESSAGE_SIZE], cut[10];
    double out[3] = {7, 7, 7};
    size_t needed;
    EXPECT(goursat_last_error(message, sizeof message) == 1 && message[0] == 0);
    EXPECT(goursat_time_augment_f64(line_x, 1, 2, 1, out, 3, NULL) == GOURSAT_LENGTH_MISMATCH);
    EXPECT(out[0] == 7 && out[1] == 7 && out[2] == 7);
    needed = goursat_last_error(message, sizeof message);
    EXPECT(needed == strlen(message) + 1);
    EXPECT(strcmp(message, "goursat_time_augment_f64: out_len is 3; expected 4") == 0);
    EXPECT(goursat_last_error(NULL, 0) == needed);
    EXPECT(goursat_last_error(cut, sizeof cut) == needed && strcmp(cut, "goursat_t") == 0);
    EXPECT_OK(goursat_time_augment_f64(line_x, 1, 1, 2, out, 3, NULL));
    EXPECT(goursat_last_error(NULL, 0) == needed);
    EXPECT(strcmp(goursat_status_name(GOURSAT_LENGTH_MISMATCH), "GOURSAT_LENGTH_MISMATCH") == 0);
    EXPECT(strcmp(goursat_status_name(-1), "unknown status") == 0);
}

int main(void) {
    errors();
    EXPECT(strcmp(goursat_version(), GOURSAT_VERSION) == 0);
    EXPECT(goursat_version_number() == GOURSAT_VERSION_NUMBER);
    EXPECT(goursat_default_threads() >= 1);
    EXPECT(strlen(goursat_simd_level()) > 3);
    shapes();
    in_double();
    in_float();
    lead_lag_with_time();
    printf("%s\n", goursat_version());
    return 0;
}
