#' Two-sample test by the signature-kernel MMD
#'
#' Are two samples of paths of one distribution? The statistic is the squared maximum mean discrepancy of the signature
#' kernel; its distribution under the hypothesis that they are comes from random permutations of the paths.
#'
#' The kernel grows exponentially with the length of paths: bring them to lengths of about 1 before, or few paths decide.
#' All kernels are computed once; a permutation costs no more than sums of them. The p-value counts the observed
#' arrangement among the permutations, so that the test keeps its level exactly.
#'
#' @param x,y Samples: batches of at least two paths each, in any of the forms that [signature()] takes.
#' @param permutations Random permutations.
#' @param unbiased Use the unbiased estimate, without kernels of paths with themselves? It may be negative.
#' @inheritParams sigkernel
#'
#' @return An object of class `htest`, with the `statistic`, the number of permutations as `parameter`, and the `p.value`.
#' @references A. Gretton, K. Borgwardt, M. Rasch, B. Schoelkopf, A. Smola (2012). A kernel two-sample test. *Journal of Machine
#'   Learning Research* 13.
#'
#'   I. Chevyrev, H. Oberhauser (2022). Signature moments to characterize laws of stochastic processes. *Journal of Machine
#'   Learning Research* 23.
#' @examples
#' set.seed(1)
#' walk <- function(scale) apply(matrix(rnorm(40, sd = scale), 20), 2, cumsum)
#' x <- replicate(15, walk(0.1))
#' y <- replicate(15, walk(0.2))
#' sig_mmd_test(x, y, permutations = 199, time_aug = TRUE)
#' @export
sig_mmd_test <- function(x, y, permutations = 999, unbiased = TRUE, dyadic_order = 0, time_aug = FALSE, end_time = 1, lead_lag = FALSE, x_lengths = NULL, y_lengths = NULL, n_threads = default_threads(), progress = FALSE) {
  data <- paste(deparse1(substitute(x)), "and", deparse1(substitute(y)))
  count <- whole_number(permutations, "permutations")
  if (count < 1L) {
    fail("permutations is ", count, "; expected 1 or more")
  }
  read_flag(unbiased, "unbiased", 1)
  gram <- function(...) {
    unclass(sigkernel_gram(
      ...,
      dyadic_order = dyadic_order, time_aug = time_aug, end_time = end_time, lead_lag = lead_lag,
      n_threads = n_threads, progress = progress
    ))
  }
  xx <- gram(x, x_lengths = x_lengths)
  yy <- gram(y, x_lengths = y_lengths)
  for (side in list(list("x", xx), list("y", yy))) {
    if (nrow(side[[2L]]) < 2L) {
      fail(side[[1L]], " has ", nrow(side[[2L]]), " path; expected 2 or more")
    }
  }
  xy <- gram(x, y, x_lengths = x_lengths, y_lengths = y_lengths)
  whole <- rbind(cbind(xx, xy), cbind(t(xy), yy))

  m <- nrow(xx)
  n <- nrow(yy)
  arrangements <- cbind(rep(1:0, c(m, n)), replicate(count, sample(rep(1:0, c(m, n)))))
  values <- squared_mmd(whole, arrangements, unbiased)
  # Arrangements that give one sample again differ by rounding alone.
  least <- values[[1L]] - 1e-12 * mean(abs(whole))
  structure(
    list(
      statistic = c("MMD^2" = values[[1L]]),
      parameter = c(permutations = count),
      p.value = mean(values >= least),
      estimate = c("paths in x" = m, "paths in y" = n),
      alternative = "the two samples are of different distributions",
      method = "Two-sample permutation test of the signature-kernel MMD",
      data.name = data
    ),
    class = "htest"
  )
}

# The statistic of every column of `first`, which says with 1 and 0 whether a path is of the first sample.
squared_mmd <- function(gram, first, unbiased) {
  m <- sum(first[, 1L])
  n <- nrow(first) - m
  own <- diag(gram)
  within_first <- colSums(first * (gram %*% first))
  cross <- colSums(first * rowSums(gram)) - within_first
  within_second <- sum(gram) - within_first - 2 * cross
  if (!unbiased) {
    return(within_first / m^2 + within_second / n^2 - 2 * cross / (m * n))
  }
  own_first <- colSums(first * own)
  (within_first - own_first) / (m * (m - 1)) + (within_second - sum(own) + own_first) / (n * (n - 1)) - 2 * cross / (m * n)
}
