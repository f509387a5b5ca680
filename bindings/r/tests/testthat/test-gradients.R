# Gradients against central differences.

# Holds the gradient of path -> sum(weights * f(path)) to slopes in some directions. Tolerance: truncation (of the order of
# h^2) and rounding of the difference, at values of up to some hundreds.
expect_follows <- function(f, back, path, h = 1e-5) {
  with_seed(3, {
    value <- f(path)
    weights <- rnorm(length(value))
    dim(weights) <- dim(value)
    gradient <- back(weights)
    for (turn in 1:3) {
      direction <- rnorm(length(path))
      ahead <- sum(weights * f(path + h * direction))
      behind <- sum(weights * f(path - h * direction))
      expect_equal(sum(gradient * direction), (ahead - behind) / (2 * h), tolerance = 1e-6)
    }
  })
}

x <- walks(6, 2, 3)
y <- walks(5, 2, 3, seed = 8)
variants <- list(
  list(), list(time_aug = TRUE, end_time = 2.5), list(lead_lag = TRUE), list(lead_lag = "lag_first", time_aug = TRUE)
)

test_that("signatures", {
  for (options in variants) {
    for (scalar_term in c(FALSE, TRUE)) {
      for (path in list(x, x[, , 1])) {
        told <- c(list(degree = 3, scalar_term = scalar_term), options)
        expect_follows(
          function(p) do.call(goursat::signature, c(list(p), told)),
          function(w) do.call(sig_backprop, c(list(w, path), told)), path
        )
      }
    }
  }
})

test_that("kernels and grids", {
  for (options in variants) {
    for (grid in c(FALSE, TRUE)) {
      told <- c(list(dyadic_order = c(1, 0), return_grid = grid), options)
      for (pair in list(list(x, y), list(x[, , 1], y[, , 2]), list(x[, , 1], y), list(x, y[, , 2]))) {
        a <- pair[[1]]
        b <- pair[[2]]
        back <- function(w) do.call(sigkernel_backprop, c(list(w, a, b), told))
        expect_follows(function(p) do.call(sigkernel, c(list(p, b), told)), function(w) back(w)$x, a)
        expect_follows(function(p) do.call(sigkernel, c(list(a, p), told)), function(w) back(w)$y, b)
      }
    }
  }
})

test_that("Gram matrices", {
  for (options in variants) {
    told <- c(list(dyadic_order = c(0, 1)), options)
    back <- function(w, wrt) do.call(sigkernel_gram_backprop, c(list(w, x, y, wrt), told))
    expect_follows(function(p) unclass(do.call(sigkernel_gram, c(list(p, y), told))), function(w) back(w, "x"), x)
    expect_follows(function(p) unclass(do.call(sigkernel_gram, c(list(x, p), told))), function(w) back(w, "y"), y)
    alone <- function(w) do.call(sigkernel_gram_backprop, c(list(w, x), options))
    expect_follows(function(p) unclass(do.call(sigkernel_gram, c(list(p), options))), alone, x)
  }
})

test_that("transforms", {
  expect_follows(function(p) time_augment(p, 3), time_augment_backprop, x)
  for (lag_first in c(FALSE, TRUE)) {
    expect_follows(function(p) lead_lag(p, lag_first), function(w) lead_lag_backprop(w, lag_first), x)
  }
})
