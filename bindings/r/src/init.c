/* Registration of what .Call may call; nothing else can be called by name. */
#include "entries.h"
#include <R_ext/Rdynload.h>

SEXP r_info(void) {
    const char *names[] = {"version", "simd_level", "default_threads", ""};
    SEXP info = PROTECT(Rf_mkNamed(VECSXP, names));
    SET_VECTOR_ELT(info, 0, Rf_mkString(goursat_version()));
    SET_VECTOR_ELT(info, 1, Rf_mkString(goursat_simd_level()));
    SET_VECTOR_ELT(info, 2, Rf_ScalarInteger(goursat_default_threads()));
    UNPROTECT(1);
    return info;
}

#define ENTRY(name, arguments) {#name, (DL_FUNC)&r_##name, arguments}

static const R_CallMethodDef entries[] = {
    ENTRY(info, 0),
    ENTRY(signature_length, 3),
    ENTRY(signature, 4),
    ENTRY(sig_backprop, 4),
    ENTRY(time_augment, 2),
    ENTRY(time_augment_backprop, 3),
    ENTRY(lead_lag, 2),
    ENTRY(lead_lag_backprop, 3),
    ENTRY(grid_shape, 3),
    ENTRY(sigkernel, 3),
    ENTRY(sigkernel_grid, 4),
    ENTRY(sigkernel_backprop, 5),
    ENTRY(sigkernel_grid_backprop, 5),
    ENTRY(sigkernel_gram, 3),
    ENTRY(sigkernel_gram_backprop, 5),
    {NULL, NULL, 0},
};

void R_init_goursat(DllInfo *dll) {
    R_registerRoutines(dll, NULL, entries, NULL, NULL);
    R_useDynamicSymbols(dll, FALSE);
    R_forceSymbols(dll, TRUE);
}
