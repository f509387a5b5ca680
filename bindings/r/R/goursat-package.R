#' Path signatures and signature kernels
#'
#' Truncated signatures of piecewise-linear paths, signature kernels of pairs of paths, Gram matrices of batches, and the exact
#' gradients of all of them.
#'
#' @section Paths:
#' A path of L points in d channels is what R has for a multivariate series: a numeric matrix with L rows and d columns, a
#' `ts` object, a data frame of numbers, or a numeric vector (one channel). A batch of B paths is an array L x d x B, or
#' a list of paths, which may differ in length. Results of a batch have a row or an entry for each path.
#'
#' @section Copies:
#' Matrices and arrays of doubles, `ts` objects included, are read where R has them. Copied are integers and logicals (they
#' become doubles), data frames (they become matrices), the paths of a list (they are packed), and gradients that
#' are given where the library has another order of memory.
#'
#' @section Threads:
#' Calls use two threads unless told otherwise: by `n_threads`, by the option `goursat.n_threads`, or by the environment variable
#' `GOURSAT_NUM_THREADS`. `n_threads = 0` means all cores. Calls work in the children of [parallel::mclapply()], too.
#'
#' @section Errors:
#' Wrong arguments are errors of class `goursat_error` whose message names the argument, its value and what was
#' expected. Long calls can be interrupted.
#'
#' @section The name signature:
#' `library(goursat)` hides [methods::signature()], which scripts use to define methods of S4 generics; write
#' `goursat::signature()` or `methods::signature()` where both are needed.
#'
#' @name goursat
#' @aliases goursat-package
#' @docType package
#' @useDynLib goursat, .registration = TRUE, .fixes = "C_"
#' @keywords internal
"_PACKAGE"

.onUnload <- function(libpath) {
  library.dynam.unload("goursat", libpath)
}
