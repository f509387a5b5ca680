#' Signature kernels of pairs of paths
#'
#' The inner product of the signatures of two paths, of all degrees, as the solution of a Goursat problem
#' d2k/dsdt = <x'(s), y'(t)> k, k = 1 on both axes, on a refined grid; and its gradient, the exact derivative of that
#' solution.
#'
#' @param x,y Paths or batches of them, in any of the forms that [signature()] takes: as many paths each, or one that
#'   meets a whole batch.
#' @param dyadic_order A whole number or two, at most 16 each: each increment of `x` is cut into `2^dyadic_order[1]` parts,
#'   those of `y` into `2^dyadic_order[2]`.
#' @param x_lengths,y_lengths Points of each path of an array, whose further points are not read; `NULL` if all are full.
#' @param return_grid Return the whole solution?
#' @param grad Gradient of a number with respect to the kernels, one entry a pair, or one number for all; with
#'   `return_grid`, with respect to the grids.
#' @param wrt Which gradients are wanted: "both", "x" or "y".
#' @inheritParams signature
#'
#' @return `sigkernel()`: a number for each pair. With `return_grid`, for each pair the matrix of the solution at all nodes,
#'   whose last entry is the kernel: a matrix for two paths, an array rows x columns x B for a batch; NaN beyond the
#'   end of a shorter path.
#'
#'   `sigkernel_backprop()`: a list of the gradients `x` and `y`, or one of them, shaped as the paths are; a path that meets
#'   a whole batch has the sum.
#' @references C. Salvi, T. Cass, J. Foster, T. Lyons, W. Yang (2021). The signature kernel is the solution of a Goursat PDE.
#'   *SIAM Journal on Mathematics of Data Science* 3.
#' @examples
#' x <- cbind(c(0, 1, 1), c(0, 0, 1))
#' y <- cbind(c(0, 1), c(0, 1))
#' sigkernel(x, y, dyadic_order = 3)
#' sigkernel_backprop(1, x, y, dyadic_order = 3)$y
#' sigkernel(x, y, return_grid = TRUE)
#' @export
sigkernel <- function(x, y, dyadic_order = 0, time_aug = FALSE, end_time = 1, lead_lag = FALSE, x_lengths = NULL, y_lengths = NULL, return_grid = FALSE, n_threads = default_threads(), progress = FALSE) {
  pairs <- read_pairs(x, y, x_lengths, y_lengths)
  chosen <- settings(time_aug, end_time, lead_lag, dyadic_order, n_threads, progress)
  if (read_flag(return_grid, "return_grid", 1) == 0) {
    result <- answer(.Call(C_sigkernel, pairs$x, pairs$y, chosen))
    names(result) <- pairs$names
  } else {
    shape <- grid_shape(pairs, chosen)
    result <- answer(.Call(C_sigkernel_grid, pairs$x, pairs$y, prod(shape), chosen), swapped = TRUE)
    dim(result) <- c(shape, if (!pairs$single) pairs$batch)
    if (!is.null(pairs$names)) {
      dimnames(result) <- list(NULL, NULL, pairs$names)
    }
  }
  finish(chosen)
  result
}

#' @rdname sigkernel
#' @export
sigkernel_backprop <- function(grad, x, y, wrt = c("both", "x", "y"), dyadic_order = 0, time_aug = FALSE, end_time = 1, lead_lag = FALSE, x_lengths = NULL, y_lengths = NULL, return_grid = FALSE, n_threads = default_threads(), progress = FALSE) {
  wanted <- read_wrt(wrt)
  pairs <- read_pairs(x, y, x_lengths, y_lengths)
  chosen <- settings(time_aug, end_time, lead_lag, dyadic_order, n_threads, progress)
  if (read_flag(return_grid, "return_grid", 1) == 0) {
    grad <- given(grad, pairs$batch)
    result <- answer(.Call(C_sigkernel_backprop, grad, pairs$x, pairs$y, wanted, chosen))
  } else {
    grad <- given(grad, c(grid_shape(pairs, chosen), pairs$batch))
    result <- answer(.Call(C_sigkernel_grid_backprop, grad, pairs$x, pairs$y, wanted, chosen), swapped = TRUE)
  }
  finish(chosen)
  gradients(result, pairs$x, pairs$y, wanted)
}

grid_shape <- function(pairs, chosen) answer(.Call(C_grid_shape, pairs$x$length, pairs$y$length, chosen))

read_wrt <- function(wrt) {
  if (identical(wrt, c("both", "x", "y"))) {
    wrt <- "both"
  }
  if (!is.character(wrt) || length(wrt) != 1L || !wrt %in% c("both", "x", "y")) {
    fail("wrt is ", quoted(wrt), "; expected \"both\", \"x\" or \"y\"")
  }
  c(wrt != "y", wrt != "x")
}

gradients <- function(result, x, y, wanted) {
  if (!wanted[[2L]]) {
    return(shaped(result[[1L]], x))
  }
  if (!wanted[[1L]]) {
    return(shaped(result[[2L]], y))
  }
  list(x = shaped(result[[1L]], x), y = shaped(result[[2L]], y))
}
