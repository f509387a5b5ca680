/* What .Call may call. */
#ifndef GOURSAT_R_ENTRIES_H
#define GOURSAT_R_ENTRIES_H

#include "goursat_r.h"

SEXP r_info(void);
SEXP r_cuda(void);
SEXP r_signature_length(SEXP dim, SEXP degree, SEXP settings);
SEXP r_signature(SEXP path, SEXP degree, SEXP coefficients, SEXP settings);
SEXP r_sig_backprop(SEXP grad, SEXP path, SEXP degree, SEXP settings);
SEXP r_time_augment(SEXP path, SEXP settings);
SEXP r_time_augment_backprop(SEXP grad, SEXP path, SEXP settings);
SEXP r_lead_lag(SEXP path, SEXP settings);
SEXP r_lead_lag_backprop(SEXP grad, SEXP path, SEXP settings);
SEXP r_grid_shape(SEXP x_length, SEXP y_length, SEXP settings);
SEXP r_sigkernel(SEXP x_paths, SEXP y_paths, SEXP settings);
SEXP r_sigkernel_grid(SEXP x_paths, SEXP y_paths, SEXP nodes, SEXP settings);
SEXP r_sigkernel_backprop(SEXP grad, SEXP x_paths, SEXP y_paths, SEXP wrt, SEXP settings);
SEXP r_sigkernel_grid_backprop(SEXP grad, SEXP x_paths, SEXP y_paths, SEXP wrt, SEXP settings);
SEXP r_sigkernel_gram(SEXP x_paths, SEXP y_paths, SEXP settings);
SEXP r_sigkernel_gram_backprop(SEXP grad, SEXP x_paths, SEXP y_paths, SEXP wrt, SEXP settings);

#endif
