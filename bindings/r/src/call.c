/* Options, progress, interrupts, errors. */
#include "goursat_r.h"
#include <signal.h>

/* Multiplications from which on a call listens to interrupts: some hundredths of a second. */
static const double LONG_CALL = 2e7;

enum { FLAGS, END_TIME, X_ORDER, Y_ORDER, THREADS, REPORT };

goursat_options options_of(SEXP settings) {
    goursat_options options = {sizeof options};
    options.flags = (uint64_t)Rf_asReal(VECTOR_ELT(settings, FLAGS));
    options.end_time = Rf_asReal(VECTOR_ELT(settings, END_TIME));
    options.x_order = (uint32_t)Rf_asInteger(VECTOR_ELT(settings, X_ORDER));
    options.y_order = (uint32_t)Rf_asInteger(VECTOR_ELT(settings, Y_ORDER));
    options.threads = (int32_t)Rf_asInteger(VECTOR_ELT(settings, THREADS));
    return options;
}

void place_x(goursat_options *options, const side *x) {
    options->x_lengths = x->lengths;
    options->x_starts = x->starts;
    options->x_size = x->size;
    for (int k = 0; k < 3; ++k) {
        options->x_strides[k] = x->strides[k];
    }
}

void place_y(goursat_options *options, const side *y) {
    options->y_lengths = y->lengths;
    options->y_starts = y->starts;
    options->y_size = y->size;
    for (int k = 0; k < 3; ++k) {
        options->y_strides[k] = y->strides[k];
    }
}

void swap_orders(goursat_options *options) {
    uint32_t order = options->x_order;
    options->x_order = options->y_order;
    options->y_order = order;
}

double pair_work(const side *x, const side *y, const goursat_options *options) {
    double cells = options->flags & GOURSAT_LEAD_LAG ? 4 : 1;
    for (uint32_t k = 0; k < options->x_order + options->y_order && k < 64; ++k) {
        cells *= 2;
    }
    return (double)x->length * (double)y->length * ((double)x->dim + 8 * cells);
}

static void check_interrupt(void *data) {
    (void)data;
    R_CheckUserInterrupt();
}

typedef struct step {
    watch *w;
    double done, total;
} step;

static void run_report(void *data) {
    step *now = data;
    SEXP done = PROTECT(Rf_ScalarReal(now->done)), total = PROTECT(Rf_ScalarReal(now->total));
    SEXP call = PROTECT(Rf_lang3(now->w->report, done, total));
    SET_VECTOR_ELT(now->w->condition, 0, Rf_eval(call, R_BaseEnv));
    UNPROTECT(3);
}

/* On the thread of R. Jumps end in R_ToplevelExec: the frames below are Rust's. */
static int on_progress(void *data, uint64_t done, uint64_t total) {
    step now = {data, (double)done, (double)total};
    watch *w = now.w;
    if (!R_ToplevelExec(check_interrupt, NULL)) {
        w->interrupted = 1;
        return 1;
    }
    if (w->report == R_NilValue) {
        return 0;
    }
    if (!R_ToplevelExec(run_report, &now)) {
        w->interrupted = 1;
        return 1;
    }
    return VECTOR_ELT(w->condition, 0) != R_NilValue;
}

void watch_call(watch *w, goursat_options *options, SEXP settings, double work) {
    w->report = VECTOR_ELT(settings, REPORT);
    w->condition = PROTECT(Rf_allocVector(VECSXP, 1));
    w->interrupted = 0;
    if (w->report != R_NilValue || work >= LONG_CALL) {
        options->progress = on_progress;
        options->progress_data = w;
    }
}

static SEXP failure(const char *status, const char *message, SEXP condition) {
    const char *names[] = {"status", "message", "condition", ""};
    SEXP result = PROTECT(Rf_mkNamed(VECSXP, names));
    SET_VECTOR_ELT(result, 0, Rf_mkString(status));
    SEXP text = PROTECT(Rf_allocVector(STRSXP, 1));
    SET_STRING_ELT(text, 0, Rf_mkCharCE(message, CE_UTF8));
    SET_VECTOR_ELT(result, 1, text);
    SET_VECTOR_ELT(result, 2, condition);
    Rf_setAttrib(result, R_ClassSymbol, Rf_mkString("goursat_failure"));
    UNPROTECT(2);
    return result;
}

SEXP failure_of(const watch *w, int32_t status) {
    char message[GOURSAT_MESSAGE_SIZE];
    if (w != NULL && w->interrupted) {
        /* R's own way out of an interrupt, now that nobody else's frames are in it. */
        raise(SIGINT);
        R_CheckUserInterrupt();
        return failure("GOURSAT_CANCELLED", "interrupted", R_NilValue);
    }
    if (w != NULL && VECTOR_ELT(w->condition, 0) != R_NilValue) {
        return failure("GOURSAT_CANCELLED", "ended by progress", VECTOR_ELT(w->condition, 0));
    }
    if (status == GOURSAT_OK) {
        return NULL;
    }
    goursat_last_error(message, sizeof message);
    return failure(goursat_status_name(status), message, R_NilValue);
}
