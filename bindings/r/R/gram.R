#' Gram matrices of signature kernels
#'
#' The kernels of all pairs of paths of two batches, and the gradient of a function of them.
#'
#' @param x,y Batches of paths, in any of the forms that [signature()] takes. Without `y`, the matrix is that of `x` with
#'   itself, at half the cost and symmetric to the last bit; it needs one dyadic order for both sides.
#' @param grad Gradient of a number with respect to the matrix, of its size, or one number for all.
#' @inheritParams sigkernel
#'
#' @return `sigkernel_gram()`: a matrix of class `sigkernel_gram` with a row for each path of `x` and a column for each
#'   path of `y`, whose entry `[i, j]` is the kernel of the two. It prints as a matrix does; [plot()][plot.sigkernel_gram]
#'   draws it.
#'
#'   `sigkernel_gram_backprop()`: a list of the gradients `x` and `y`, or one of them, shaped as the paths are. Without `y`,
#'   the total derivative with respect to `x`, which is on both sides of the matrix.
#' @examples
#' days <- diff(log(EuStockMarkets))[1:60, ]
#' weeks <- lapply(1:12, function(w) apply(days[5 * w - 4:0, ], 2, cumsum))
#' K <- sigkernel_gram(weeks, time_aug = TRUE)
#' K[1:3, 1:3]
#' plot(K)
#' dim(sigkernel_gram_backprop(1, weeks)[[1]])
#' @export
sigkernel_gram <- function(x, y = NULL, dyadic_order = 0, time_aug = FALSE, end_time = 1, lead_lag = FALSE, x_lengths = NULL, y_lengths = NULL, n_threads = default_threads(), progress = FALSE) {
  sides <- read_sides(x, y, x_lengths, y_lengths)
  chosen <- gram_settings(sides, time_aug, end_time, lead_lag, dyadic_order, n_threads, progress)
  result <- answer(.Call(C_sigkernel_gram, sides$x, sides$y, chosen), swapped = !is.null(sides$y))
  finish(chosen)
  columns <- if (is.null(sides$y)) sides$x$names else sides$y$names
  if (!is.null(sides$x$names) || !is.null(columns)) {
    dimnames(result) <- list(sides$x$names, columns)
  }
  class(result) <- c("sigkernel_gram", class(result))
  result
}

#' @rdname sigkernel_gram
#' @export
sigkernel_gram_backprop <- function(grad, x, y = NULL, wrt = c("both", "x", "y"), dyadic_order = 0, time_aug = FALSE, end_time = 1, lead_lag = FALSE, x_lengths = NULL, y_lengths = NULL, n_threads = default_threads(), progress = FALSE) {
  wanted <- read_wrt(wrt)
  sides <- read_sides(x, y, x_lengths, y_lengths)
  if (is.null(sides$y)) {
    if (!wanted[[1L]]) {
      fail("wrt is \"y\" and y is NULL; expected \"both\" or \"x\", the total derivative")
    }
    wanted <- c(TRUE, FALSE)
  }
  chosen <- gram_settings(sides, time_aug, end_time, lead_lag, dyadic_order, n_threads, progress)
  columns <- if (is.null(sides$y)) sides$x$own else sides$y$own
  grad <- given(unclass(grad), c(sides$x$own, columns))
  result <- answer(.Call(C_sigkernel_gram_backprop, grad, sides$x, sides$y, wanted, chosen), swapped = !is.null(sides$y))
  finish(chosen)
  gradients(result, sides$x, sides$y, wanted)
}

read_sides <- function(x, y, x_lengths, y_lengths) {
  x <- read_paths(x, "x", x_lengths)
  if (is.null(y)) {
    if (!is.null(y_lengths)) {
      fail("y_lengths are given without y")
    }
    return(list(x = x, y = NULL))
  }
  y <- read_paths(y, "y", y_lengths)
  same_channels(x, y)
  list(x = x, y = y)
}

gram_settings <- function(sides, ...) settings(..., extra = if (is.null(sides$y)) SYMMETRIC else 0)

#' @export
print.sigkernel_gram <- function(x, ...) {
  print(unclass(x), ...)
  invisible(x)
}

#' Draw a Gram matrix
#'
#' Entry `[1, 1]` is at the top left, as in print.
#'
#' @param x A matrix of [sigkernel_gram()].
#' @param log Show the logarithm of the kernels, which grow exponentially with the size of paths? By default where all
#'   are positive and the largest is more than a hundred times the smallest.
#' @param col Colours, for the least to the greatest entry.
#' @param xlab,ylab,main Texts at the axes and above.
#' @param ... More arguments of [graphics::image()].
#' @return `x`, invisibly.
#' @examples
#' walks <- array(rnorm(20 * 2 * 8, sd = 0.3), c(20, 2, 8))
#' plot(sigkernel_gram(apply(walks, 2:3, cumsum)))
#' @importFrom grDevices hcl.colors
#' @export
plot.sigkernel_gram <- function(x, log = NULL, col = hcl.colors(64, "YlGnBu", rev = TRUE), xlab = "", ylab = "", main = NULL, ...) {
  entries <- unclass(x)
  if (length(entries) == 0L) {
    fail("x has size ", quoted(as.numeric(dim(x))), "; expected a matrix with entries to draw")
  }
  if (is.null(log)) {
    log <- all(is.finite(entries)) && min(entries) > 0 && max(entries) > 100 * min(entries)
  }
  if (is.null(main)) {
    main <- if (log) "logarithm of signature kernels" else "signature kernels"
  }
  rows <- nrow(entries)
  graphics::image(
    seq_len(ncol(entries)), seq_len(rows), picture(entries, log),
    col = col, axes = FALSE, xlab = xlab, ylab = ylab, main = main, asp = 1, ...
  )
  label(1, colnames(entries), ncol(entries), identity)
  label(2, rownames(entries), rows, function(at) rows + 1 - at)
  invisible(x)
}

# image() draws rows from left to right and columns upwards.
picture <- function(gram, log) {
  entries <- unclass(gram)
  if (log) {
    entries <- base::log(entries)
  }
  t(entries)[, rev(seq_len(nrow(entries))), drop = FALSE]
}

# Names where they are few, else numbers.
label <- function(edge, names, count, place) {
  at <- if (!is.null(names) && count <= 40L) seq_len(count) else unique(round(pretty(seq_len(count))))
  at <- at[at >= 1 & at <= count]
  text <- if (is.null(names)) at else names[at]
  graphics::axis(edge, place(at), text, las = 1, tick = FALSE, line = -0.5)
}
