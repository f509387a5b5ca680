#' Truncated signatures of paths
#'
#' The iterated integrals of piecewise-linear paths up to a degree, and the gradient of a function of them.
#'
#' Level k of a signature has d^k coefficients; the levels follow one another, each in the order of words, the last letter
#' fastest: the coefficient of (i1, ..., ik), counted from 0, is number i1 d^(k-1) + ... + ik of its level, counted from 0 too.
#'
#' @param path A path: a matrix with L rows (points) and d columns (channels), a `ts` object, a data frame of numbers or
#'   a numeric vector; or a batch of B paths: an array L x d x B, or a list of paths, which may differ in length.
#' @param degree The highest level, at least 1.
#' @param scalar_term Begin with level 0, the number 1?
#' @param time_aug Append time as the last channel, from 0 to `end_time`?
#' @param end_time Time of a path's last point.
#' @param lead_lag `TRUE` takes the lead-lag path of 2L - 1 points in 2d channels, the lead channels first; "lag_first" has
#'   the lag channels first. Time is appended after that.
#' @param lengths Points of each path of an array, whose further points are not read; `NULL` if all are full.
#' @param n_threads Threads to use at most; 0 means all cores. See [default_threads()].
#' @param progress `TRUE` for a progress bar, or a function of `(done, total)`, which is called some 20 times a second
#'   while a call takes long, and with (1, 1) at the end. An error in it ends the call.
#' @param direct Compute every coefficient along the path? Otherwise some of the last level of long paths follow from
#'   others, up to twice as fast: errors are then up to 3e-14 of the level's largest coefficient instead of 1e-15. Of
#'   gradients, in nine channels or more, up to 1e-14 of the largest.
#' @param grad Gradient of a number with respect to the signatures, shaped as these are, or one number for all.
#' @param dim Channels of a path.
#'
#' @return `signature()`: a vector of [signature_length()] coefficients for a path, a matrix with a row for each path of
#'   a batch.
#'
#'   `sig_backprop()`: the gradient with respect to the paths, shaped as `path` (a list for a list); zero beyond the
#'   end of a path with `lengths`.
#'
#'   `signature_length()`: the number of coefficients.
#' @references K.-T. Chen (1957). Integration of paths, geometric invariants and a generalized Baker-Hausdorff formula.
#'   *Annals of Mathematics* 65.
#' @examples
#' path <- cbind(c(0, 1, 1), c(0, 0, 1))
#' goursat::signature(path, 2)
#' signature_length(2, 2)
#'
#' # the lead-lag path knows the quadratic variation
#' goursat::signature(EuStockMarkets[1:20, "DAX"], 2, lead_lag = TRUE)
#'
#' # paths of different lengths: a row for each
#' goursat::signature(list(a = path, b = path[1:2, ]), 1)
#'
#' # the gradient of the signed area
#' sig_backprop(c(0, 0, 0, 0.5, -0.5, 0), path, 2)
#' @export
signature <- function(path, degree, scalar_term = FALSE, time_aug = FALSE, end_time = 1, lead_lag = FALSE, lengths = NULL, n_threads = default_threads(), progress = FALSE, direct = FALSE) {
  paths <- read_paths(path, "path", lengths)
  chosen <- settings(
    time_aug, end_time, lead_lag, n_threads = n_threads, progress = progress,
    extra = read_flag(scalar_term, "scalar_term", SCALAR_TERM) + read_flag(direct, "direct", DIRECT)
  )
  degree <- whole_number(degree, "degree")
  result <- answer(.Call(C_signature, paths, degree, coefficients_of(paths$dim, degree, chosen), chosen))
  finish(chosen)
  if (paths$single) {
    return(as.vector(result))
  }
  rownames(result) <- paths$names
  result
}

#' @rdname signature
#' @export
sig_backprop <- function(grad, path, degree, scalar_term = FALSE, time_aug = FALSE, end_time = 1, lead_lag = FALSE, lengths = NULL, n_threads = default_threads(), progress = FALSE, direct = FALSE) {
  paths <- read_paths(path, "path", lengths)
  chosen <- settings(
    time_aug, end_time, lead_lag, n_threads = n_threads, progress = progress,
    extra = read_flag(scalar_term, "scalar_term", SCALAR_TERM) + read_flag(direct, "direct", DIRECT)
  )
  degree <- whole_number(degree, "degree")
  grad <- given(grad, c(paths$own, coefficients_of(paths$dim, degree, chosen)))
  result <- answer(.Call(C_sig_backprop, grad, paths, degree, chosen))
  finish(chosen)
  shaped(result, paths)
}

#' @rdname signature
#' @export
signature_length <- function(dim, degree, scalar_term = FALSE, time_aug = FALSE, lead_lag = FALSE) {
  chosen <- settings(time_aug, 1, lead_lag, extra = read_flag(scalar_term, "scalar_term", SCALAR_TERM))
  coefficients_of(whole_number(dim, "dim"), whole_number(degree, "degree"), chosen)
}

coefficients_of <- function(dim, degree, chosen) {
  count <- answer(.Call(C_signature_length, dim, degree, chosen))
  if (count > .Machine$integer.max) {
    fail("degree is ", degree, ", for ", format(count), " coefficients; a matrix of R has at most ", .Machine$integer.max, " columns")
  }
  count
}
