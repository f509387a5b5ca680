/* Batches of paths between R's memory order and the library's. */
#include "goursat_r.h"
#include <string.h>

static SEXP element(SEXP list, const char *name) {
    SEXP names = Rf_getAttrib(list, R_NamesSymbol);
    for (R_xlen_t i = 0; i < Rf_xlength(list); ++i) {
        if (strcmp(CHAR(STRING_ELT(names, i)), name) == 0) {
            return VECTOR_ELT(list, i);
        }
    }
    Rf_error("internal: no element '%s'", name);
}

static size_t number(SEXP list, const char *name) { return (size_t)Rf_asReal(element(list, name)); }

static const int64_t *whole_numbers(SEXP values, size_t count) {
    int64_t *list = (int64_t *)R_alloc(count, sizeof *list);
    for (size_t b = 0; b < count; ++b) {
        list[b] = INTEGER(values)[b];
    }
    return list;
}

/* Packs a list of matrices, each point's channels side by side. */
static void pack(side *paths, SEXP list) {
    int64_t *starts = (int64_t *)R_alloc(paths->own, sizeof *starts);
    size_t total = 0;
    for (size_t b = 0; b < paths->own; ++b) {
        starts[b] = (int64_t)total;
        total += (size_t)paths->lengths[b] * paths->dim;
    }
    double *data = (double *)R_alloc(total, sizeof *data);
    for (size_t b = 0; b < paths->own; ++b) {
        from_r(REAL(VECTOR_ELT(list, (R_xlen_t)b)), data + starts[b], 1, (size_t)paths->lengths[b], paths->dim);
    }
    paths->data = data;
    paths->size = total;
    paths->starts = starts;
}

side side_of(SEXP list) {
    SEXP data = element(list, "data"), lengths = element(list, "lengths");
    side paths = {0};
    paths.own = number(list, "own");
    paths.batch = number(list, "batch");
    paths.length = number(list, "length");
    paths.dim = number(list, "dim");
    if (lengths != R_NilValue) {
        paths.lengths = whole_numbers(lengths, paths.batch);
    }
    if (TYPEOF(data) == VECSXP) {
        paths.packed = 1;
        pack(&paths, data);
        return paths;
    }
    /* Where R has them: channel after channel. */
    size_t path = paths.length * paths.dim;
    paths.data = REAL(data);
    paths.size = paths.own * path;
    paths.strides[0] = paths.own < paths.batch ? 0 : (int64_t)path;
    paths.strides[1] = 1;
    paths.strides[2] = (int64_t)paths.length;
    return paths;
}

void to_r(const double *from, double *to, size_t batch, size_t length, size_t dim) {
    for (size_t b = 0; b < batch; ++b, from += length * dim, to += length * dim) {
        for (size_t i = 0; i < length; ++i) {
            for (size_t c = 0; c < dim; ++c) {
                to[c * length + i] = from[i * dim + c];
            }
        }
    }
}

void from_r(const double *from, double *to, size_t batch, size_t length, size_t dim) {
    for (size_t b = 0; b < batch; ++b, from += length * dim, to += length * dim) {
        for (size_t i = 0; i < length; ++i) {
            for (size_t c = 0; c < dim; ++c) {
                to[i * dim + c] = from[c * length + i];
            }
        }
    }
}

double *gradient_memory(const side *paths, size_t *length) {
    *length = paths->packed ? paths->size : paths->batch * paths->length * paths->dim;
    return (double *)R_alloc(*length ? *length : 1, sizeof(double));
}

static SEXP gradients_of_list(const side *paths, const double *gradient) {
    SEXP list = PROTECT(Rf_allocVector(VECSXP, (R_xlen_t)paths->own));
    for (size_t b = 0; b < paths->own; ++b) {
        size_t points = (size_t)paths->lengths[b];
        SEXP matrix = Rf_allocMatrix(REALSXP, (int)points, (int)paths->dim);
        SET_VECTOR_ELT(list, (R_xlen_t)b, matrix);
        to_r(gradient + paths->starts[b], REAL(matrix), 1, points, paths->dim);
    }
    UNPROTECT(1);
    return list;
}

SEXP gradient_in_r(const side *paths, const double *gradient) {
    if (paths->packed) {
        return gradients_of_list(paths, gradient);
    }
    size_t path = paths->length * paths->dim;
    SEXP result = PROTECT(Rf_allocVector(REALSXP, (R_xlen_t)(paths->own * path)));
    to_r(gradient, REAL(result), paths->own, paths->length, paths->dim);
    if (paths->own < paths->batch) { /* one path, used by the whole batch */
        double *one = (double *)R_alloc(path ? path : 1, sizeof *one);
        for (size_t b = 1; b < paths->batch; ++b) {
            to_r(gradient + b * path, one, 1, paths->length, paths->dim);
            for (size_t i = 0; i < path; ++i) {
                REAL(result)[i] += one[i];
            }
        }
    }
    UNPROTECT(1);
    return result;
}
