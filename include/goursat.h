/*
 * Goursat: path signatures and signature kernels, exact gradients included, on every core.
 * Generated from src/ffi by a test; do not edit. Valid C99 and C++17; C++ programs may prefer goursat.hpp.
 *
 *
 * A FIRST PROGRAM
 *
 *     #include <goursat.h>
 *     #include <stdio.h>
 *
 *     int main(void) {
 *         const double x[] = {0, 0,  1, 0,  1, 1};             // 3 points in 2 channels
 *         const double y[] = {0, 0,  1, 1};                    // 2 points in 2 channels
 *         double k;
 *         if (goursat_sigkernel_f64(x, 3, y, 2, 1, 2, &k, 1, NULL) != GOURSAT_OK) {
 *             char message[GOURSAT_MESSAGE_SIZE];
 *             goursat_last_error(message, sizeof message);
 *             fprintf(stderr, "%s\n", message);
 *             return 1;
 *         }
 *         printf("%.4f\n", k);
 *     }                                                        // cc first.c -lgoursat
 *
 *
 * CONVENTIONS
 *
 * Names      goursat_<what>_f64 works on double, goursat_<what>_f32 on float; all else is the same. Documented is
 *            the first of each two. goursat_<what>_backprop is the gradient of goursat_<what> (sig_backprop that of
 *            signature): it takes dF/d result and gives dF/d path for any function F of the results.
 * Order      Given gradient, inputs, sizes, outputs, options. A buffer is followed by its length where that is
 *            more than the sizes say: the lengths of results and of gradients are in elements, and must be exact.
 * Shapes     (a, b, c) means row-major order: element (i, j, k) is at (i * b + j) * c + k. A path is (length, dim):
 *            point after point, the channels of a point side by side. It is read as its piecewise linear
 *            interpolation. Results are always contiguous.
 * Units      Sizes, lengths, starts and strides count elements, never bytes (but `size` of the options).
 * Buffers    belong to the caller, who keeps them alive and does not touch them during a call. Nothing is kept
 *            after it. An output overlaps no other buffer of the call: that is checked. NULL is fine for a buffer of
 *            0 elements. Pointers must be aligned as their types are.
 * Batches    0 paths are legal, 0 points, 0 channels and degree 0 are not. A path of one point is legal: its
 *            signature is 0, its kernel with anything is 1, its gradient 0.
 *
 * OPTIONS    NULL means the defaults. Otherwise zero the struct and set `size`:
 *
 *                goursat_options options = {sizeof options};   // C; in C++: {}, then options.size = sizeof options
 *                options.flags = GOURSAT_TIME_AUG | GOURSAT_LEAD_LAG;
 *                options.threads = 4;
 *
 *            A flag that a function does not know or cannot use is an error, and so is a dyadic order where there is
 *            no kernel; other options that a function does not use are ignored. The struct may only grow at its end:
 *            programs compiled against an older or a newer header keep working.
 *
 * TRANSFORMS GOURSAT_LEAD_LAG and GOURSAT_TIME_AUG are applied to every path, x and y, on the fly: lead-lag first, then
 *            time, which becomes the last channel and runs over all 2 * length - 1 points. Nothing is stored, and
 *            gradients are those with respect to the path as given.
 *
 * RAGGED     `x_lengths[b]` points of path b are used; what is stored after them is never read. Results have their
 *            full shape: gradients and transforms are 0 and grids NaN beyond a path's end.
 *            Packed batches say with `x_starts[b]` where each path begins, and `x_size` how large the buffer is.
 *            Gradients are then packed at the same starts, which must not make them overlap.
 *
 * STRIDES    `x_strides` = {path, point, channel} read any array as it lies: transposed, sliced, reversed (with
 *            `x_starts`, as nothing may lie before the pointer). Path stride 0 uses one path for the whole batch; its
 *            gradient has an entry for each use.
 *
 * ERRORS     Functions return a goursat_status: GOURSAT_OK is 0. goursat_last_error gives the sentence of the calling
 *            thread's last failed call; it names function, argument, value and what was expected.
 *            After GOURSAT_OUT_OF_MEMORY, GOURSAT_CANCELLED and GOURSAT_INTERNAL the contents of outputs are
 *            unspecified; after any other error they are untouched. Nothing exits or catches signals.
 *
 * THREADS    Every function may be called from any number of threads at once, from the child of a fork, and from the
 *            progress callback. A call uses `threads` threads at most, the calling one included if there is no
 *            callback; when it returns no work is left behind. The threads are the library's own and are made at
 *            first use.
 *
 * CUDA       With options.memory = GOURSAT_CUDA all buffers of numbers are in the memory of device options.device, and
 *            options.stream (a CUstream or cudaStream_t) gets the work: the call returns without waiting for it, its
 *            status is that of the arguments and of the launch, and buffers belong to the call until the stream is
 *            through. Lists of lengths and starts stay in host memory, and are read before the call returns. Working
 *            space is options.workspace, as large as options.workspace_query told for the same arguments on the same
 *            device, or is allocated in the order of the stream. With GOURSAT_CUDA_COPY buffers are in host memory, are
 *            copied, and the call waits. The caller's current context is afterwards what it was. `threads` and
 *            `progress` are ignored. Results are within the bounds of NUMBERS, but not the bits of the CPU; k(x, y)
 *            and k(y, x) may differ by rounding. Needs a device of compute capability 7.5 or later and
 *            driver 525 or later; nothing of CUDA needs to be installed for the library to load.
 *            After GOURSAT_CUDA_ERROR the contents of outputs are unspecified. Not in the child of a fork.
 *
 * PROGRESS   `progress` is called on the calling thread only, never concurrently, some 20 times a second at most; what
 *            it returns cancels the call if it is not 0. Short calls may end without one.
 *
 * NUMBERS    NaN and infinity go through as arithmetic takes them, and stay in the results of their own path or pair.
 *            On one machine a result has the same bits whatever batch it travels in and however many threads work;
 *            k(x, y) and k(y, x), orders swapped, have the same bits. Levels of goursat_simd_level differ by rounding.
 *            Relative to the exact solution of the discrete scheme: float kernels and gradients are within 1e-5 at
 *            4096 points, double ones within 1e-10; signatures, relative to the largest coefficient of a level,
 *            within 1e-5 and 1e-13.
 *            A call computes in the default floating-point environment, on x86-64 and aarch64: results do not depend
 *            on the caller's rounding mode, flush-to-zero or traps, and all of these, the exception flags included,
 *            are afterwards as they were. The progress callback runs in the caller's environment.
 *
 * REFERENCES
 *   K.-T. Chen, Integration of paths, geometric invariants and a generalized Baker-Hausdorff formula, 1957.
 *   J. T. Day, A Runge-Kutta method for the numerical solution of the Goursat problem in hyperbolic partial
 *     differential equations, The Computer Journal, 1966.
 *   G. Flint, B. Hambly, T. Lyons, Discretely sampled signals and the rough Hoff process, 2016.
 *   J. Reizenstein, B. Graham, The iisignature library, 2018; J. Reizenstein, Iterated-integral signatures in
 *     machine learning, thesis, Warwick, 2019.
 *   P. Kidger, T. Lyons, Signatory: differentiable computations of the signature and logsignature transforms, 2020.
 *   C. Salvi, T. Cass, J. Foster, T. Lyons, W. Yang, The signature kernel is the solution of a Goursat PDE, 2021.
 *   M. Lemercier, C. Salvi, T. Cass, E. Bonilla, T. Damoulas, T. Lyons, SigGPDE: scaling sparse Gaussian processes on
 *     sequential data, 2021 (gradients of the kernel).
 */

#ifndef GOURSAT_H
#define GOURSAT_H

#include <stddef.h>
#include <stdint.h>

/** Version of this header; compare with goursat_version() and goursat_version_number() of the library. */
#define GOURSAT_VERSION "0.1.0"
#define GOURSAT_VERSION_MAJOR 0
#define GOURSAT_VERSION_MINOR 1
#define GOURSAT_VERSION_PATCH 0
#define GOURSAT_VERSION_NUMBER (10000 * GOURSAT_VERSION_MAJOR + 100 * GOURSAT_VERSION_MINOR + GOURSAT_VERSION_PATCH)

/** Bytes that hold every message of goursat_last_error. */
#define GOURSAT_MESSAGE_SIZE 384

/**
 * Append time as the last channel: i * end_time / (points - 1) at point i of a path.
 */
#define GOURSAT_TIME_AUG 1

/**
 * Replace each path by its lead-lag path, (lead, lag), before time is appended.
 */
#define GOURSAT_LEAD_LAG 2

/**
 * Order the channels of the lead-lag path (lag, lead); goes with GOURSAT_LEAD_LAG or goursat_lead_lag.
 */
#define GOURSAT_LAG_FIRST 4

/**
 * Begin each signature with its level 0, the number 1.
 */
#define GOURSAT_SCALAR_TERM 8

/**
 * Gram matrix of x with itself: y is ignored, the orders must be equal.
 */
#define GOURSAT_SYMMETRIC 16

/**
 * Compute every coefficient of a signature along the path. Without it, some of the last level of paths of 32 increments
 * or more in double precision follow from others, up to twice as fast: errors are then up to 3e-14 of the level's largest
 * coefficient instead of 1e-15. So it is with gradients of paths of 256 increments or more in nine channels or more, after
 * the transforms, of signatures of more than 20,480 coefficients: up to 1e-14 of the largest one. CUDA devices are always
 * direct.
 */
#define GOURSAT_DIRECT 32

/**
 * `options.memory`: buffers are in host memory, and the CPU works.
 */
#define GOURSAT_HOST 0

/**
 * `options.memory`: buffers are in the memory of the CUDA device `options.device`, which works. The call returns when
 * the work is in the stream.
 */
#define GOURSAT_CUDA 1

/**
 * `options.memory`: buffers are in host memory, and the CUDA device `options.device` works on copies. The call returns
 * when the results are there.
 */
#define GOURSAT_CUDA_COPY 2

/**
 * What a function returns. Values keep their meaning for ever; later versions may add some.
 */
typedef enum goursat_status {
    /**
     * Done.
     */
    GOURSAT_OK = 0,
    /**
     * A pointer is NULL where numbers are needed.
     */
    GOURSAT_NULL_POINTER = 1,
    /**
     * A size, an option or an entry of a list is out of range, or sizes are too large together.
     */
    GOURSAT_INVALID_ARGUMENT = 2,
    /**
     * A buffer is not as long as the shapes say.
     */
    GOURSAT_LENGTH_MISMATCH = 3,
    /**
     * A pointer is not a multiple of its type's alignment.
     */
    GOURSAT_MISALIGNED = 4,
    /**
     * An output shares memory with an input or with another output.
     */
    GOURSAT_OVERLAP = 5,
    /**
     * This version, as built or on this machine, cannot do what was asked.
     */
    GOURSAT_UNSUPPORTED = 6,
    /**
     * Working space could not be allocated; the outputs' contents are unspecified.
     */
    GOURSAT_OUT_OF_MEMORY = 7,
    /**
     * The progress callback asked to stop; the outputs' contents are unspecified.
     */
    GOURSAT_CANCELLED = 8,
    /**
     * A fault of the library: please report it. The outputs' contents are unspecified.
     */
    GOURSAT_INTERNAL = 9,
    /**
     * There is no CUDA driver on this machine.
     */
    GOURSAT_CUDA_NO_DRIVER = 10,
    /**
     * There is a CUDA driver, but no device.
     */
    GOURSAT_CUDA_NO_DEVICE = 11,
    /**
     * The CUDA driver is older than the library's kernels.
     */
    GOURSAT_CUDA_OLD_DRIVER = 12,
    /**
     * The device is older than the library's kernels.
     */
    GOURSAT_CUDA_OLD_DEVICE = 13,
    /**
     * The CUDA driver refused; its own name for the reason is in the sentence. The outputs' contents are unspecified.
     */
    GOURSAT_CUDA_ERROR = 14,
    /**
     * The process is the child, by fork, of one that used CUDA, which CUDA does not allow.
     */
    GOURSAT_CUDA_FORKED = 15,
} goursat_status;

/**
 * Called some 20 times a second at most, on the thread that made the call, with the work done so far and the work in
 * all (in units of the library's choice). A non-zero result cancels the call. It may call functions of the library;
 * it must return: no longjmp and no C++ exception may leave it.
 */
typedef int (*goursat_progress)(void *data,
                                uint64_t done,
                                uint64_t total);

/**
 * What a call may be told besides its arguments. NULL, or zeros after `size`, mean the defaults; begin with
 *     goursat_options options = {sizeof options};
 *
 * `x` means `path` in functions of one batch, whose `y_` options are ignored. The struct may grow at its end in later
 * versions: smaller ones of programs compiled before are read as if zeros followed, larger ones are accepted if all
 * that this version does not know is zero.
 */
typedef struct goursat_options {
    /**
     * sizeof(goursat_options), as the caller was compiled.
     */
    size_t size;
    /**
     * Sum of GOURSAT_ flags. A flag that means nothing to the function called is an error.
     */
    uint64_t flags;
    /**
     * Time of the last point of every path, with GOURSAT_TIME_AUG; finite. 0 means 1.
     */
    double end_time;
    /**
     * Dyadic order of x in kernels, at most 16: each increment is cut into 2^x_order. Must be 0 for functions
     * other than those of kernels.
     */
    uint32_t x_order;
    /**
     * Dyadic order of y.
     */
    uint32_t y_order;
    /**
     * Threads to use at most; 0 means what the environment variable GOURSAT_NUM_THREADS says, or all cores.
     */
    int32_t threads;
    /**
     * Where the buffers are and who works: GOURSAT_HOST, GOURSAT_CUDA or GOURSAT_CUDA_COPY. See CUDA above.
     */
    int32_t memory;
    /**
     * Which CUDA device, counted from 0 as the driver does; must be 0 with GOURSAT_HOST.
     */
    int32_t device;
    /**
     * Must be 0.
     */
    int32_t reserved;
    /**
     * The CUstream (or cudaStream_t) that gets the work, with GOURSAT_CUDA; NULL is the legacy default stream. Must be
     * NULL otherwise.
     */
    void *stream;
    /**
     * Device memory to work in, with GOURSAT_CUDA, aligned to 256 bytes and free of other use until the stream has done
     * the work; NULL: the library allocates it, in the order of the stream. Must be NULL otherwise.
     */
    void *workspace;
    /**
     * Bytes of it: as many as `workspace_query` gives, or more.
     */
    size_t workspace_size;
    /**
     * Points of each path of x, from 1 to the length of the batch; one entry a path. NULL: all are full.
     */
    const int64_t *x_lengths;
    /**
     * Points of each path of y.
     */
    const int64_t *y_lengths;
    /**
     * First element of each path of x, for packed ragged batches; one entry a path. NULL: path b begins at
     * element b * x_strides[0].
     */
    const int64_t *x_starts;
    /**
     * First element of each path of y.
     */
    const int64_t *y_starts;
    /**
     * Distances in x from path to path, point to point and channel to channel, in elements; 0 and negative ones are
     * legal. All three 0: contiguous.
     */
    int64_t x_strides[3];
    /**
     * Distances in y.
     */
    int64_t y_strides[3];
    /**
     * Elements in the buffer of x, from the pointer on: what lengths, starts and strides are checked against. 0: up to
     * the last element that shape and strides reach.
     */
    size_t x_size;
    /**
     * Elements in the buffer of y.
     */
    size_t y_size;
    /**
     * Told how a call goes on; NULL for nobody.
     */
    goursat_progress progress;
    /**
     * Given to `progress`.
     */
    void *progress_data;
    /**
     * With GOURSAT_CUDA: if not NULL, the call computes nothing, and stores here the bytes of workspace that this very
     * call needs on its device. Must be NULL otherwise.
     */
    size_t *workspace_query;
} goursat_options;

/**
 * A CUDA device. Set `size`, as in goursat_options; the struct may grow at its end.
 */
typedef struct goursat_cuda_device_info {
    /**
     * sizeof(goursat_cuda_device_info), as the caller was compiled.
     */
    size_t size;
    /**
     * Bytes of its memory.
     */
    size_t total_memory;
    /**
     * Compute capability: 9 and 0 for sm_90.
     */
    int32_t capability_major;
    int32_t capability_minor;
    /**
     * The CUDA version that the driver brings: 1000 * major + 10 * minor.
     */
    int32_t driver_version;
    /**
     * Multiprocessors.
     */
    int32_t multiprocessors;
    /**
     * GOURSAT_OK if the library's kernels run on it, or GOURSAT_CUDA_OLD_DEVICE.
     */
    int32_t status;
    /**
     * Always 0.
     */
    int32_t reserved;
    /**
     * Its name, ended by a NUL.
     */
    char name[256];
} goursat_cuda_device_info;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Coefficients in the truncated signature of a path: D + D^2 + ... + D^degree for the D channels that `dim` become
 * by the transforms (twice as many by lead-lag, one more by time), and one more with GOURSAT_SCALAR_TERM.
 *
 * @param dim      Channels of the path; 1 or more.
 * @param degree   Levels; 1 or more.
 * @param options  NULL for the defaults; GOURSAT_TIME_AUG, GOURSAT_LEAD_LAG and GOURSAT_SCALAR_TERM matter.
 * @param length   Where the number goes.
 * @return GOURSAT_INVALID_ARGUMENT also where the number would not fit memory.
 */
int32_t goursat_signature_length(size_t dim,
                                 size_t degree,
                                 const struct goursat_options *options,
                                 size_t *length);

/**
 * Truncated signatures of a batch of paths: the iterated integrals of all words of 1 to `degree` letters,
 * exp(dx_0) exp(dx_1) ... in the tensor algebra (Chen 1957; Reizenstein 2019; Kidger & Lyons 2020).
 *
 * Levels follow each other; within level k, the coefficient of the word (i1, ..., ik) is at i1 * D^(k-1) + ... + ik,
 * for the D channels after the transforms. A path of one point has signature 0 (and level 0, where asked for, 1).
 *
 * @param path     (batch, length, dim), or as the x_ options say.
 * @param batch    Paths; may be 0.
 * @param length   Points of each path, or the most with `x_lengths`; 1 or more.
 * @param dim      Channels; 1 or more.
 * @param degree   Levels; 1 or more.
 * @param out      (batch, S) with S of goursat_signature_length.
 * @param out_len  batch * S.
 * @param options  NULL for the defaults; flags: TIME_AUG, LEAD_LAG, LAG_FIRST, SCALAR_TERM, DIRECT.
 */
int32_t goursat_signature_f64(const double *path,
                              size_t batch,
                              size_t length,
                              size_t dim,
                              size_t degree,
                              double *out,
                              size_t out_len,
                              const struct goursat_options *options);

/**
 * As goursat_signature_f64, in single precision.
 */
int32_t goursat_signature_f32(const float *path,
                              size_t batch,
                              size_t length,
                              size_t dim,
                              size_t degree,
                              float *out,
                              size_t out_len,
                              const struct goursat_options *options);

/**
 * Gradients with respect to the paths of a function F of their signatures, given F's gradient with respect to the
 * signatures: the exact derivative of goursat_signature, transforms included. Intermediate signatures are recomputed
 * from the path, never un-multiplied: nothing drifts on long paths.
 *
 * @param grad           dF/d signature: (batch, S); with GOURSAT_SCALAR_TERM that of level 0 is there, and has no effect.
 * @param grad_len       batch * S.
 * @param path           (batch, length, dim), or as the x_ options say; the paths that the signatures are of.
 * @param batch, length, dim, degree  As in goursat_signature.
 * @param path_grad      dF/d path: (batch, length, dim), contiguous and zero beyond each path's end; with `x_starts`,
 *                       path b's begins at x_starts[b] and what lies between paths is left alone.
 * @param path_grad_len  batch * length * dim; with `x_starts`, the end of the last path or more.
 * @param options        As in goursat_signature.
 */
int32_t goursat_sig_backprop_f64(const double *grad,
                                 size_t grad_len,
                                 const double *path,
                                 size_t batch,
                                 size_t length,
                                 size_t dim,
                                 size_t degree,
                                 double *path_grad,
                                 size_t path_grad_len,
                                 const struct goursat_options *options);

/**
 * As goursat_sig_backprop_f64, in single precision.
 */
int32_t goursat_sig_backprop_f32(const float *grad,
                                 size_t grad_len,
                                 const float *path,
                                 size_t batch,
                                 size_t length,
                                 size_t dim,
                                 size_t degree,
                                 float *path_grad,
                                 size_t path_grad_len,
                                 const struct goursat_options *options);

/**
 * Nodes of the refined solution grid along x and along y: (2^x_order * T_x + 1, 2^y_order * T_y + 1) for the T
 * increments of the transformed paths: length - 1, twice as many by lead-lag.
 *
 * @param x_length  Points of x; 1 or more.
 * @param y_length  Points of y; 1 or more.
 * @param options   NULL for the defaults; GOURSAT_LEAD_LAG and the orders matter.
 * @param rows      Where the nodes along x go.
 * @param columns   Where the nodes along y go.
 */
int32_t goursat_grid_shape(size_t x_length,
                           size_t y_length,
                           const struct goursat_options *options,
                           size_t *rows,
                           size_t *columns);

/**
 * Signature kernels of the pairs (x_b, y_b): k = <S(x_b), S(y_b)> over signatures of all degrees, as the solution of
 * the Goursat problem d2k/dsdt = <x'_s, y'_t> k on the dyadically refined grid (Salvi, Cass, Foster, Lyons & Yang 2021;
 * Day 1966). The scheme, for an increment D = <dx_i, dy_j> / 2^(x_order + y_order) of a cell, k = 1 on both axes:
 *     k[i+1][j+1] = (k[i+1][j] + k[i][j+1]) * (1 + D/2 + D^2/12) - k[i][j] * (1 - D^2/12)
 *
 * The kernel with a path of one point is 1. Working space does not grow with x_length * y_length.
 *
 * @param x         (batch, x_length, dim), or as the x_ options say.
 * @param x_length  Points of each x, or the most with `x_lengths`; 1 or more.
 * @param y         (batch, y_length, dim), or as the y_ options say.
 * @param y_length  Points of each y, or the most with `y_lengths`; 1 or more.
 * @param batch     Pairs; may be 0.
 * @param dim       Channels of both; 1 or more.
 * @param out       (batch).
 * @param out_len   batch.
 * @param options   NULL for the defaults; flags: TIME_AUG, LEAD_LAG, LAG_FIRST.
 */
int32_t goursat_sigkernel_f64(const double *x,
                              size_t x_length,
                              const double *y,
                              size_t y_length,
                              size_t batch,
                              size_t dim,
                              double *out,
                              size_t out_len,
                              const struct goursat_options *options);

/**
 * As goursat_sigkernel_f64, in single precision.
 */
int32_t goursat_sigkernel_f32(const float *x,
                              size_t x_length,
                              const float *y,
                              size_t y_length,
                              size_t batch,
                              size_t dim,
                              float *out,
                              size_t out_len,
                              const struct goursat_options *options);

/**
 * Gradients of sum_b grad[b] * k(x_b, y_b) with respect to x, to y, or to both in one call: the exact derivative of the
 * discrete scheme (not the solution of a second equation), transforms included, without a grid in memory.
 *
 * @param grad        Weights of the kernels: (batch).
 * @param grad_len    batch.
 * @param x, x_length, y, y_length, batch, dim  As in goursat_sigkernel.
 * @param x_grad      (batch, x_length, dim), contiguous and zero beyond each path's end; with `x_starts`, path b's begins
 *                    at x_starts[b] and what lies between paths is left alone. NULL if not wanted, and then
 *                    `x_grad_len` is 0.
 * @param x_grad_len  batch * x_length * dim; with `x_starts`, the end of the last path or more.
 * @param y_grad      As x_grad, for y. One of the two must be wanted.
 * @param y_grad_len  As x_grad_len, for y.
 * @param options     As in goursat_sigkernel.
 */
int32_t goursat_sigkernel_backprop_f64(const double *grad,
                                       size_t grad_len,
                                       const double *x,
                                       size_t x_length,
                                       const double *y,
                                       size_t y_length,
                                       size_t batch,
                                       size_t dim,
                                       double *x_grad,
                                       size_t x_grad_len,
                                       double *y_grad,
                                       size_t y_grad_len,
                                       const struct goursat_options *options);

/**
 * As goursat_sigkernel_backprop_f64, in single precision.
 */
int32_t goursat_sigkernel_backprop_f32(const float *grad,
                                       size_t grad_len,
                                       const float *x,
                                       size_t x_length,
                                       const float *y,
                                       size_t y_length,
                                       size_t batch,
                                       size_t dim,
                                       float *x_grad,
                                       size_t x_grad_len,
                                       float *y_grad,
                                       size_t y_grad_len,
                                       const struct goursat_options *options);

/**
 * The whole solution grid of each pair: node (i, j) is the kernel of x up to node i of the refined path and y up to
 * node j; row 0 and column 0 are 1, the last node is what goursat_sigkernel gives.
 *
 * @param x, x_length, y, y_length, batch, dim  As in goursat_sigkernel.
 * @param out      (batch, rows, columns) with rows and columns of goursat_grid_shape; NaN beyond the corner of a ragged
 *                 pair.
 * @param out_len  batch * rows * columns.
 * @param options  As in goursat_sigkernel.
 */
int32_t goursat_sigkernel_grid_f64(const double *x,
                                   size_t x_length,
                                   const double *y,
                                   size_t y_length,
                                   size_t batch,
                                   size_t dim,
                                   double *out,
                                   size_t out_len,
                                   const struct goursat_options *options);

/**
 * As goursat_sigkernel_grid_f64, in single precision.
 */
int32_t goursat_sigkernel_grid_f32(const float *x,
                                   size_t x_length,
                                   const float *y,
                                   size_t y_length,
                                   size_t batch,
                                   size_t dim,
                                   float *out,
                                   size_t out_len,
                                   const struct goursat_options *options);

/**
 * As goursat_sigkernel_backprop for a function of every node of the grids: gradients of sum grad * grid.
 *
 * @param grad      (batch, rows, columns); what lies beyond the corner of a ragged pair is not read.
 * @param grad_len  batch * rows * columns.
 * @param x, x_length, y, y_length, batch, dim  As in goursat_sigkernel.
 * @param x_grad, x_grad_len, y_grad, y_grad_len, options  As in goursat_sigkernel_backprop.
 */
int32_t goursat_sigkernel_grid_backprop_f64(const double *grad,
                                            size_t grad_len,
                                            const double *x,
                                            size_t x_length,
                                            const double *y,
                                            size_t y_length,
                                            size_t batch,
                                            size_t dim,
                                            double *x_grad,
                                            size_t x_grad_len,
                                            double *y_grad,
                                            size_t y_grad_len,
                                            const struct goursat_options *options);

/**
 * As goursat_sigkernel_grid_backprop_f64, in single precision.
 */
int32_t goursat_sigkernel_grid_backprop_f32(const float *grad,
                                            size_t grad_len,
                                            const float *x,
                                            size_t x_length,
                                            const float *y,
                                            size_t y_length,
                                            size_t batch,
                                            size_t dim,
                                            float *x_grad,
                                            size_t x_grad_len,
                                            float *y_grad,
                                            size_t y_grad_len,
                                            const struct goursat_options *options);

/**
 * Signature kernels of all pairs of two batches: out[i][j] = k(x_i, y_j), each with the bits that goursat_sigkernel
 * gives. With GOURSAT_SYMMETRIC, of x with itself at half the work: symmetric to the last bit, y and its options are
 * ignored, x_order and y_order must be equal.
 *
 * @param x         (x_batch, x_length, dim), or as the x_ options say.
 * @param x_batch   Paths in x; may be 0.
 * @param x_length  Points of each x, or the most with `x_lengths`; 1 or more.
 * @param y         (y_batch, y_length, dim), or as the y_ options say.
 * @param y_batch   Paths in y; may be 0.
 * @param y_length  Points of each y, or the most with `y_lengths`; 1 or more.
 * @param dim       Channels of both; 1 or more.
 * @param out       (x_batch, y_batch); (x_batch, x_batch) with GOURSAT_SYMMETRIC.
 * @param out_len   Numbers in it.
 * @param options   NULL for the defaults; flags: TIME_AUG, LEAD_LAG, LAG_FIRST, SYMMETRIC.
 */
int32_t goursat_sigkernel_gram_f64(const double *x,
                                   size_t x_batch,
                                   size_t x_length,
                                   const double *y,
                                   size_t y_batch,
                                   size_t y_length,
                                   size_t dim,
                                   double *out,
                                   size_t out_len,
                                   const struct goursat_options *options);

/**
 * As goursat_sigkernel_gram_f64, in single precision.
 */
int32_t goursat_sigkernel_gram_f32(const float *x,
                                   size_t x_batch,
                                   size_t x_length,
                                   const float *y,
                                   size_t y_batch,
                                   size_t y_length,
                                   size_t dim,
                                   float *out,
                                   size_t out_len,
                                   const struct goursat_options *options);

/**
 * Gradients of sum_ij grad[i][j] * k(x_i, y_j) with respect to x, to y, or to both in one call. With GOURSAT_SYMMETRIC,
 * x_grad is the total derivative of sum_ij grad[i][j] * k(x_i, x_j) (`grad` itself need not be symmetric); y_grad is
 * NULL.
 *
 * @param grad      Weights of the kernels, shaped like the result of goursat_sigkernel_gram.
 * @param grad_len  Numbers in it.
 * @param x, x_batch, x_length, y, y_batch, y_length, dim, options  As in goursat_sigkernel_gram.
 * @param x_grad, x_grad_len, y_grad, y_grad_len  As in goursat_sigkernel_backprop, for x_batch and y_batch paths.
 */
int32_t goursat_sigkernel_gram_backprop_f64(const double *grad,
                                            size_t grad_len,
                                            const double *x,
                                            size_t x_batch,
                                            size_t x_length,
                                            const double *y,
                                            size_t y_batch,
                                            size_t y_length,
                                            size_t dim,
                                            double *x_grad,
                                            size_t x_grad_len,
                                            double *y_grad,
                                            size_t y_grad_len,
                                            const struct goursat_options *options);

/**
 * As goursat_sigkernel_gram_backprop_f64, in single precision.
 */
int32_t goursat_sigkernel_gram_backprop_f32(const float *grad,
                                            size_t grad_len,
                                            const float *x,
                                            size_t x_batch,
                                            size_t x_length,
                                            const float *y,
                                            size_t y_batch,
                                            size_t y_length,
                                            size_t dim,
                                            float *x_grad,
                                            size_t x_grad_len,
                                            float *y_grad,
                                            size_t y_grad_len,
                                            const struct goursat_options *options);

/**
 * Paths with time as their last channel: (x_i, i * end_time / (points - 1)); time runs over a ragged path's own points.
 *
 * @param path     (batch, length, dim), or as the x_ options say.
 * @param batch    Paths; may be 0.
 * @param length   Points of each path, or the most with `x_lengths`; 1 or more.
 * @param dim      Channels; 1 or more.
 * @param out      (batch, length, dim + 1); zero beyond a ragged path's end.
 * @param out_len  batch * length * (dim + 1).
 * @param options  NULL for the defaults; `end_time` matters; flags: TIME_AUG, which is implied.
 */
int32_t goursat_time_augment_f64(const double *path,
                                 size_t batch,
                                 size_t length,
                                 size_t dim,
                                 double *out,
                                 size_t out_len,
                                 const struct goursat_options *options);

/**
 * As goursat_time_augment_f64, in single precision.
 */
int32_t goursat_time_augment_f32(const float *path,
                                 size_t batch,
                                 size_t length,
                                 size_t dim,
                                 float *out,
                                 size_t out_len,
                                 const struct goursat_options *options);

/**
 * The adjoint of goursat_time_augment: gradients with respect to the paths, from those with respect to the result.
 *
 * @param grad           (batch, length, dim + 1); what lies beyond a ragged path's end is not read.
 * @param grad_len       batch * length * (dim + 1).
 * @param batch, length, dim  As in goursat_time_augment.
 * @param path_grad      (batch, length, dim), contiguous and zero beyond each path's end; with `x_starts`, path b's
 *                       begins at x_starts[b] and what lies between paths is left alone.
 * @param path_grad_len  batch * length * dim; with `x_starts`, the end of the last path or more.
 * @param options        As in goursat_time_augment; `x_strides` and `x_size` are ignored, no path is read.
 */
int32_t goursat_time_augment_backprop_f64(const double *grad,
                                          size_t grad_len,
                                          size_t batch,
                                          size_t length,
                                          size_t dim,
                                          double *path_grad,
                                          size_t path_grad_len,
                                          const struct goursat_options *options);

/**
 * As goursat_time_augment_backprop_f64, in single precision.
 */
int32_t goursat_time_augment_backprop_f32(const float *grad,
                                          size_t grad_len,
                                          size_t batch,
                                          size_t length,
                                          size_t dim,
                                          float *path_grad,
                                          size_t path_grad_len,
                                          const struct goursat_options *options);

/**
 * Lead-lag paths: point 2k is (x_k, x_k), point 2k+1 is (x_{k+1}, x_k), as (lead, lag), or (lag, lead) with
 * GOURSAT_LAG_FIRST (Flint, Hambly & Lyons 2016). Level 2 of their signature holds the realised covariance.
 *
 * @param path     (batch, length, dim), or as the x_ options say.
 * @param batch    Paths; may be 0.
 * @param length   Points of each path, or the most with `x_lengths`; 1 or more.
 * @param dim      Channels; 1 or more.
 * @param out      (batch, 2 * length - 1, 2 * dim); zero beyond a ragged path's end.
 * @param out_len  batch * (2 * length - 1) * 2 * dim.
 * @param options  NULL for the defaults; flags: LEAD_LAG, which is implied, LAG_FIRST.
 */
int32_t goursat_lead_lag_f64(const double *path,
                             size_t batch,
                             size_t length,
                             size_t dim,
                             double *out,
                             size_t out_len,
                             const struct goursat_options *options);

/**
 * As goursat_lead_lag_f64, in single precision.
 */
int32_t goursat_lead_lag_f32(const float *path,
                             size_t batch,
                             size_t length,
                             size_t dim,
                             float *out,
                             size_t out_len,
                             const struct goursat_options *options);

/**
 * The adjoint of goursat_lead_lag: gradients with respect to the paths, from those with respect to the result.
 *
 * @param grad       (batch, 2 * length - 1, 2 * dim); what lies beyond a ragged path's end is not read.
 * @param grad_len   batch * (2 * length - 1) * 2 * dim.
 * @param batch, length, dim  As in goursat_lead_lag.
 * @param path_grad, path_grad_len  As in goursat_time_augment_backprop.
 * @param options    As in goursat_lead_lag; `x_strides` and `x_size` are ignored, no path is read.
 */
int32_t goursat_lead_lag_backprop_f64(const double *grad,
                                      size_t grad_len,
                                      size_t batch,
                                      size_t length,
                                      size_t dim,
                                      double *path_grad,
                                      size_t path_grad_len,
                                      const struct goursat_options *options);

/**
 * As goursat_lead_lag_backprop_f64, in single precision.
 */
int32_t goursat_lead_lag_backprop_f32(const float *grad,
                                      size_t grad_len,
                                      size_t batch,
                                      size_t length,
                                      size_t dim,
                                      float *path_grad,
                                      size_t path_grad_len,
                                      const struct goursat_options *options);

/**
 * The library's version, such as "0.1.0"; compare with GOURSAT_VERSION of the header.
 */
const char *goursat_version(void);

/**
 * The library's version as 10000 * major + 100 * minor + patch; compare with GOURSAT_VERSION_NUMBER of the header.
 */
uint32_t goursat_version_number(void);

/**
 * The instruction set in use: "avx512", "avx2", "neon" or "portable". It is the machine's best, or what the
 * environment variable GOURSAT_SIMD names if that is less. Chosen at first use.
 */
const char *goursat_simd_level(void);

/**
 * Threads of a call whose options do not say: the environment variable GOURSAT_NUM_THREADS at first use, or the cores
 * that this process may use.
 */
int32_t goursat_default_threads(void);

/**
 * The name of a status, such as "GOURSAT_OVERLAP"; "unknown status" for any other number. Never NULL.
 */
const char *goursat_status_name(int32_t status);

/**
 * Copies the sentence of the calling thread's last failed call to `buffer`: function, argument, value, what was
 * expected; empty if none failed. A call that succeeds leaves it alone.
 *
 * @param buffer  Where it goes, as UTF-8; may be NULL to ask for the size.
 * @param length  Bytes in `buffer`. If there are any, a NUL ends what was copied; GOURSAT_MESSAGE_SIZE always suffice.
 * @return Bytes that the whole sentence and its NUL need.
 */
size_t goursat_last_error(char *buffer,
                          size_t length);

/**
 * Whether options.memory may be GOURSAT_CUDA or GOURSAT_CUDA_COPY here: GOURSAT_OK if there are a driver and a device
 * that are new enough, or the status that calls would give. goursat_last_error has the sentence that says why not.
 * Nothing is allocated on the device.
 */
int32_t goursat_cuda_available(void);

/**
 * How many CUDA devices the driver has, usable or not.
 *
 * @param count  Where the number goes; 0 where the status says why there are none.
 */
int32_t goursat_cuda_device_count(int32_t *count);

/**
 * Describes a CUDA device.
 *
 * @param index  Which one, from 0 on; less than goursat_cuda_device_count gives.
 * @param info   Where it goes, its `size` set by the caller.
 */
int32_t goursat_cuda_device(int32_t index,
                            struct goursat_cuda_device_info *info);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* GOURSAT_H */
