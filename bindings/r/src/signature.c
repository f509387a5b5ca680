/* Signatures, their gradient, and the transforms. */
#include "goursat_r.h"
#include "entries.h"

SEXP r_signature_length(SEXP dim, SEXP degree, SEXP settings) {
    goursat_options options = options_of(settings);
    size_t length;
    int32_t status = goursat_signature_length((size_t)Rf_asReal(dim), (size_t)Rf_asReal(degree), &options, &length);
    SEXP failed = failure_of(NULL, status);
    return failed ? failed : Rf_ScalarReal((double)length);
}

/* A matrix with a row a path. */
SEXP r_signature(SEXP path, SEXP degree, SEXP coefficients, SEXP settings) {
    side paths = side_of(path);
    goursat_options options = options_of(settings);
    size_t length = (size_t)Rf_asReal(coefficients);
    SEXP out = PROTECT(Rf_allocMatrix(REALSXP, (int)paths.batch, (int)length));
    double *rows = paths.batch == 1 ? REAL(out) : (double *)R_alloc((size_t)Rf_xlength(out) + 1, sizeof *rows);
    watch w;
    watch_call(&w, &options, settings, (double)paths.length * (double)Rf_xlength(out));
    place_x(&options, &paths);
    int32_t status = goursat_signature_f64(paths.data, paths.batch, paths.length, paths.dim, (size_t)Rf_asReal(degree), rows,
                                           paths.batch * length, &options);
    SEXP failed = failure_of(&w, status);
    if (!failed && paths.batch > 1) {
        to_r(rows, REAL(out), 1, paths.batch, length);
    }
    UNPROTECT(2);
    return failed ? failed : out;
}

SEXP r_sig_backprop(SEXP grad, SEXP path, SEXP degree, SEXP settings) {
    side paths = side_of(path);
    goursat_options options = options_of(settings);
    size_t length, count = (size_t)Rf_xlength(grad), coefficients = paths.batch ? count / paths.batch : 0;
    double *from = (double *)R_alloc(count + 1, sizeof *from);
    from_r(REAL(grad), from, 1, paths.batch, coefficients);
    double *to = gradient_memory(&paths, &length);
    watch w;
    watch_call(&w, &options, settings, 3 * (double)paths.length * (double)count);
    place_x(&options, &paths);
    int32_t status = goursat_sig_backprop_f64(from, count, paths.data, paths.batch, paths.length, paths.dim,
                                              (size_t)Rf_asReal(degree), to, length, &options);
    SEXP failed = failure_of(&w, status);
    UNPROTECT(1);
    return failed ? failed : gradient_in_r(&paths, to);
}

typedef int32_t transform(const double *, size_t, size_t, size_t, double *, size_t, const goursat_options *);
typedef int32_t adjoint(const double *, size_t, size_t, size_t, size_t, double *, size_t, const goursat_options *);

static SEXP apply(transform *function, SEXP settings, size_t points, size_t channels, const side *paths) {
    goursat_options options = options_of(settings);
    size_t length = paths->batch * points * channels;
    SEXP out = PROTECT(Rf_allocVector(REALSXP, (R_xlen_t)length));
    double *to = (double *)R_alloc(length + 1, sizeof *to);
    place_x(&options, paths);
    int32_t status = function(paths->data, paths->batch, paths->length, paths->dim, to, length, &options);
    SEXP failed = failure_of(NULL, status);
    if (!failed) {
        to_r(to, REAL(out), paths->batch, points, channels);
    }
    UNPROTECT(1);
    return failed ? failed : out;
}

SEXP r_time_augment(SEXP path, SEXP settings) {
    side paths = side_of(path);
    return apply(goursat_time_augment_f64, settings, paths.length, paths.dim + 1, &paths);
}

SEXP r_lead_lag(SEXP path, SEXP settings) {
    side paths = side_of(path);
    return apply(goursat_lead_lag_f64, settings, paths.length ? 2 * paths.length - 1 : 0, 2 * paths.dim, &paths);
}

/* `path` gives the shape of the gradient asked for. */
static SEXP pull_back(adjoint *function, SEXP grad, SEXP settings, size_t points, size_t channels,
                      const side *paths) {
    goursat_options options = options_of(settings);
    size_t count = (size_t)Rf_xlength(grad), length;
    double *from = (double *)R_alloc(count + 1, sizeof *from);
    from_r(REAL(grad), from, paths->batch, points, channels);
    double *to = gradient_memory(paths, &length);
    options.x_lengths = paths->lengths;
    int32_t status = function(from, count, paths->batch, paths->length, paths->dim, to, length, &options);
    SEXP failed = failure_of(NULL, status);
    return failed ? failed : gradient_in_r(paths, to);
}

SEXP r_time_augment_backprop(SEXP grad, SEXP path, SEXP settings) {
    side paths = side_of(path);
    return pull_back(goursat_time_augment_backprop_f64, grad, settings, paths.length, paths.dim + 1, &paths);
}

SEXP r_lead_lag_backprop(SEXP grad, SEXP path, SEXP settings) {
    side paths = side_of(path);
    return pull_back(goursat_lead_lag_backprop_f64, grad, settings, 2 * paths.length - 1, 2 * paths.dim, &paths);
}
