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

/* A list of columns, a row a device; with the reason, where CUDA cannot be used. */
SEXP r_cuda(void) {
    const char *names[] = {"reason", "name", "memory", "capability", "multiprocessors", "driver_version", "usable", ""};
    char sentence[GOURSAT_MESSAGE_SIZE] = "";
    int32_t count = 0;
    if (goursat_cuda_available() != GOURSAT_OK)
        goursat_last_error(sentence, sizeof sentence);
    if (goursat_cuda_device_count(&count) != GOURSAT_OK)
        count = 0;
    SEXP found = PROTECT(Rf_mkNamed(VECSXP, names));
    SET_VECTOR_ELT(found, 0, Rf_mkString(sentence));
    SET_VECTOR_ELT(found, 1, Rf_allocVector(STRSXP, count));
    SET_VECTOR_ELT(found, 2, Rf_allocVector(REALSXP, count));
    SET_VECTOR_ELT(found, 3, Rf_allocVector(REALSXP, count));
    SET_VECTOR_ELT(found, 4, Rf_allocVector(INTSXP, count));
    SET_VECTOR_ELT(found, 5, Rf_allocVector(INTSXP, count));
    SET_VECTOR_ELT(found, 6, Rf_allocVector(LGLSXP, count));
    for (int32_t i = 0; i < count; i++) {
        goursat_cuda_device_info info = {sizeof info};
        int known = goursat_cuda_device(i, &info) == GOURSAT_OK;
        SET_STRING_ELT(VECTOR_ELT(found, 1), i, known ? Rf_mkChar(info.name) : NA_STRING);
        REAL(VECTOR_ELT(found, 2))[i] = known ? (double)info.total_memory : NA_REAL;
        REAL(VECTOR_ELT(found, 3))[i] = known ? info.capability_major + info.capability_minor / 10.0 : NA_REAL;
        INTEGER(VECTOR_ELT(found, 4))[i] = known ? info.multiprocessors : NA_INTEGER;
        INTEGER(VECTOR_ELT(found, 5))[i] = known ? info.driver_version : NA_INTEGER;
        LOGICAL(VECTOR_ELT(found, 6))[i] = known && info.status == GOURSAT_OK;
    }
    UNPROTECT(1);
    return found;
}

#define ENTRY(name, arguments) {#name, (DL_FUNC)&r_##name, arguments}

static const R_CallMethodDef entries[] = {
    ENTRY(info, 0),
    ENTRY(cuda, 0),
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
