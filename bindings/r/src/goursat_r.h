/* The shim between .Call and libgoursat. Everything that may longjmp (allocation, R's errors, interrupts) happens before
 * or after a call of the library, or inside R_ToplevelExec: R never jumps over a frame of Rust. */
#ifndef GOURSAT_R_H
#define GOURSAT_R_H

#define R_NO_REMAP
#define STRICT_R_HEADERS
#include <R.h>
#include <Rinternals.h>
#include <goursat.h>

/* A batch of paths as R holds it: see R/paths.R for the list that it is read from. */
typedef struct side {
    const double *data;
    size_t batch;  /* paths that the library sees, repetitions included */
    size_t own;    /* paths given */
    size_t length; /* points of the longest */
    size_t dim;
    size_t size;   /* elements of data */
    int packed;    /* the paths of a list, point after point and one after the other */
    const int64_t *lengths;
    const int64_t *starts;
    int64_t strides[3];
} side;

side side_of(SEXP paths);
/* Memory of the library's own order for the gradient of a side, and that gradient as R has it: summed over repetitions,
 * a list for a list. */
double *gradient_memory(const side *paths, size_t *length);
SEXP gradient_in_r(const side *paths, const double *gradient);
/* (batch, length, dim) in C's order to an array length x dim x batch of R, and back. */
void to_r(const double *from, double *to, size_t batch, size_t length, size_t dim);
void from_r(const double *from, double *to, size_t batch, size_t length, size_t dim);

/* What a call is told: see R/settings.R. */
goursat_options options_of(SEXP settings);
void place_x(goursat_options *options, const side *x);
void place_y(goursat_options *options, const side *y);
void swap_orders(goursat_options *options);

/* Progress and interrupts of one call. */
typedef struct watch {
    SEXP report;    /* a function of (done, total) that catches its own errors, or NULL */
    SEXP condition; /* a list of one, for what the report caught */
    int interrupted;
} watch;

/* Lets a call that takes roughly `work` multiplications report and be interrupted. Protects one object. */
void watch_call(watch *w, goursat_options *options, SEXP settings, double work);
/* NULL after a good call, or what R/call.R raises: called when the library has returned. */
SEXP failure_of(const watch *w, int32_t status);

double pair_work(const side *x, const side *y, const goursat_options *options);

#endif
