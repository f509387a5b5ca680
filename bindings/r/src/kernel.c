/* Kernels of pairs, grids and Gram matrices. The library writes grids and matrices row by row, R has them column by column:
 * those of (y, x) in the one are those of (x, y) in the other, bit for bit, so x and y are given to it swapped. */
#include "goursat_r.h"
#include "entries.h"

SEXP r_grid_shape(SEXP x_length, SEXP y_length, SEXP settings) {
    goursat_options options = options_of(settings);
    size_t rows, columns;
    int32_t status = goursat_grid_shape((size_t)Rf_asReal(x_length), (size_t)Rf_asReal(y_length), &options, &rows, &columns);
    SEXP failed = failure_of(NULL, status);
    if (failed) {
        return failed;
    }
    SEXP shape = Rf_allocVector(REALSXP, 2);
    REAL(shape)[0] = (double)rows;
    REAL(shape)[1] = (double)columns;
    return shape;
}

SEXP r_sigkernel(SEXP x_paths, SEXP y_paths, SEXP settings) {
    side x = side_of(x_paths), y = side_of(y_paths);
    goursat_options options = options_of(settings);
    SEXP out = PROTECT(Rf_allocVector(REALSXP, (R_xlen_t)x.batch));
    watch w;
    watch_call(&w, &options, settings, (double)x.batch * pair_work(&x, &y, &options));
    place_x(&options, &x);
    place_y(&options, &y);
    int32_t status =
        goursat_sigkernel_f64(x.data, x.length, y.data, y.length, x.batch, x.dim, REAL(out), x.batch, &options);
    SEXP failed = failure_of(&w, status);
    UNPROTECT(2);
    return failed ? failed : out;
}

SEXP r_sigkernel_grid(SEXP x_paths, SEXP y_paths, SEXP nodes, SEXP settings) {
    side x = side_of(x_paths), y = side_of(y_paths);
    goursat_options options = options_of(settings);
    size_t count = x.batch * (size_t)Rf_asReal(nodes);
    SEXP out = PROTECT(Rf_allocVector(REALSXP, (R_xlen_t)count));
    watch w;
    watch_call(&w, &options, settings, (double)x.batch * pair_work(&x, &y, &options));
    swap_orders(&options);
    place_x(&options, &y);
    place_y(&options, &x);
    int32_t status =
        goursat_sigkernel_grid_f64(y.data, y.length, x.data, x.length, x.batch, x.dim, REAL(out), count, &options);
    SEXP failed = failure_of(&w, status);
    UNPROTECT(2);
    return failed ? failed : out;
}

/* Which gradients are wanted, and where the library writes them. */
typedef struct wanted {
    double *x, *y;
    size_t x_length, y_length;
} wanted;

static wanted memory_for(SEXP wrt, const side *x, const side *y) {
    wanted to = {0};
    if (LOGICAL(wrt)[0]) {
        to.x = gradient_memory(x, &to.x_length);
    }
    if (y != NULL && LOGICAL(wrt)[1]) {
        to.y = gradient_memory(y, &to.y_length);
    }
    return to;
}

static SEXP both(const wanted *to, const side *x, const side *y) {
    SEXP result = PROTECT(Rf_allocVector(VECSXP, 2));
    if (to->x != NULL) {
        SET_VECTOR_ELT(result, 0, gradient_in_r(x, to->x));
    }
    if (to->y != NULL) {
        SET_VECTOR_ELT(result, 1, gradient_in_r(y, to->y));
    }
    UNPROTECT(1);
    return result;
}

SEXP r_sigkernel_backprop(SEXP grad, SEXP x_paths, SEXP y_paths, SEXP wrt, SEXP settings) {
    side x = side_of(x_paths), y = side_of(y_paths);
    goursat_options options = options_of(settings);
    wanted to = memory_for(wrt, &x, &y);
    watch w;
    watch_call(&w, &options, settings, 5 * (double)x.batch * pair_work(&x, &y, &options));
    place_x(&options, &x);
    place_y(&options, &y);
    int32_t status = goursat_sigkernel_backprop_f64(REAL(grad), (size_t)Rf_xlength(grad), x.data, x.length, y.data, y.length,
                                                    x.batch, x.dim, to.x, to.x_length, to.y, to.y_length, &options);
    SEXP failed = failure_of(&w, status);
    UNPROTECT(1);
    return failed ? failed : both(&to, &x, &y);
}

SEXP r_sigkernel_grid_backprop(SEXP grad, SEXP x_paths, SEXP y_paths, SEXP wrt, SEXP settings) {
    side x = side_of(x_paths), y = side_of(y_paths);
    goursat_options options = options_of(settings);
    wanted to = memory_for(wrt, &x, &y);
    watch w;
    watch_call(&w, &options, settings, 5 * (double)x.batch * pair_work(&x, &y, &options));
    swap_orders(&options);
    place_x(&options, &y);
    place_y(&options, &x);
    int32_t status =
        goursat_sigkernel_grid_backprop_f64(REAL(grad), (size_t)Rf_xlength(grad), y.data, y.length, x.data, x.length, x.batch,
                                            x.dim, to.y, to.y_length, to.x, to.x_length, &options);
    SEXP failed = failure_of(&w, status);
    UNPROTECT(1);
    return failed ? failed : both(&to, &x, &y);
}

/* y_paths is NULL for the matrix of x with itself. */
SEXP r_sigkernel_gram(SEXP x_paths, SEXP y_paths, SEXP settings) {
    int alone = y_paths == R_NilValue;
    side x = side_of(x_paths), y = alone ? x : side_of(y_paths);
    goursat_options options = options_of(settings);
    SEXP out = PROTECT(Rf_allocMatrix(REALSXP, (int)x.batch, (int)y.batch));
    size_t count = x.batch * y.batch;
    watch w;
    watch_call(&w, &options, settings, (double)count / (alone ? 2 : 1) * pair_work(&x, &y, &options));
    int32_t status;
    if (alone) {
        place_x(&options, &x);
        status = goursat_sigkernel_gram_f64(x.data, x.batch, x.length, NULL, 0, 0, x.dim, REAL(out), count, &options);
    } else {
        swap_orders(&options);
        place_x(&options, &y);
        place_y(&options, &x);
        status = goursat_sigkernel_gram_f64(y.data, y.batch, y.length, x.data, x.batch, x.length, x.dim, REAL(out), count,
                                            &options);
    }
    SEXP failed = failure_of(&w, status);
    UNPROTECT(2);
    return failed ? failed : out;
}

SEXP r_sigkernel_gram_backprop(SEXP grad, SEXP x_paths, SEXP y_paths, SEXP wrt, SEXP settings) {
    int alone = y_paths == R_NilValue;
    side x = side_of(x_paths), y = alone ? x : side_of(y_paths);
    goursat_options options = options_of(settings);
    wanted to = memory_for(wrt, &x, alone ? NULL : &y);
    size_t count = (size_t)Rf_xlength(grad);
    watch w;
    watch_call(&w, &options, settings, 5 * (double)count * pair_work(&x, &y, &options));
    int32_t status;
    if (alone) {
        place_x(&options, &x);
        status = goursat_sigkernel_gram_backprop_f64(REAL(grad), count, x.data, x.batch, x.length, NULL, 0, 0, x.dim, to.x,
                                                     to.x_length, NULL, 0, &options);
    } else {
        swap_orders(&options);
        place_x(&options, &y);
        place_y(&options, &x);
        status = goursat_sigkernel_gram_backprop_f64(REAL(grad), count, y.data, y.batch, y.length, x.data, x.batch, x.length,
                                                     x.dim, to.y, to.y_length, to.x, to.x_length, &options);
    }
    SEXP failed = failure_of(&w, status);
    UNPROTECT(1);
    return failed ? failed : both(&to, &x, &y);
}
