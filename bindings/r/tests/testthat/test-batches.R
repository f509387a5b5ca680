x <- walks(7, 2, 3)
y <- walks(9, 2, 3, seed = 5)
lengths <- c(7, 1, 4)
ragged <- lapply(1:3, function(b) x[seq_len(lengths[b]), , b, drop = TRUE])
ragged[[2]] <- matrix(ragged[[2]], 1)

test_that("a batch gives a row or an entry for each path", {
  s <- goursat::signature(x, 3)
  expect_identical(dim(s), c(3L, 14L))
  expect_identical(s[2, ], goursat::signature(x[, , 2], 3))
  expect_identical(sigkernel(x, y)[3], sigkernel(x[, , 3], y[, , 3]))
  expect_identical(sigkernel(x[, , 1], y), vapply(1:3, function(b) sigkernel(x[, , 1], y[, , b]), 1))
  expect_identical(dim(time_augment(x)), c(7L, 3L, 3L))
  expect_identical(dim(lead_lag(x)), c(13L, 4L, 3L))
  expect_identical(lead_lag(x)[, , 2], lead_lag(x[, , 2]))
})

test_that("K[i, j] is the kernel of x_i and y_j", {
  more <- walks(5, 2, 4, seed = 6)
  for (order in list(0, 1, c(2, 0), c(0, 1))) {
    K <- sigkernel_gram(x, more, dyadic_order = order, time_aug = TRUE)
    expect_identical(dim(K), 3:4)
    for (i in 1:3) {
      for (j in 1:4) {
        expect_identical(K[i, j], sigkernel(x[, , i], more[, , j], dyadic_order = order, time_aug = TRUE))
      }
    }
  }
  alone <- unclass(sigkernel_gram(x))
  expect_identical(alone, t(alone))
  expect_identical(alone, unclass(sigkernel_gram(x, x)))
  both <- sigkernel_gram_backprop(1, x, x)
  expect_equal(sigkernel_gram_backprop(1, x), both$x + both$y)
})

test_that("grids", {
  grid <- sigkernel(x[, , 1], y[, , 1], return_grid = TRUE)
  expect_identical(dim(grid), c(7L, 9L))
  expect_true(all(grid[1, ] == 1) && all(grid[, 1] == 1))
  expect_equal(grid[5, 3], sigkernel(x[1:5, , 1], y[1:3, , 1]), tolerance = 1e-13)
  whole <- sigkernel(x, y, c(2, 1), return_grid = TRUE)
  expect_identical(dim(whole), c(25L, 17L, 3L))
  expect_identical(whole[25, 17, ], sigkernel(x, y, c(2, 1)))
  cut <- sigkernel(x, y, x_lengths = c(7, 3, 5), y_lengths = c(2, 9, 9), return_grid = TRUE)
  expect_identical(which(is.nan(cut[, , 2])), which(row(cut[, , 2]) > 3))
})

test_that("a list is a ragged batch", {
  expect_identical(goursat::signature(ragged, 3), goursat::signature(x, 3, lengths = lengths))
  expect_identical(sigkernel(ragged, y), sigkernel(x, y, x_lengths = lengths))
  expect_identical(sigkernel_gram(ragged), sigkernel_gram(x, x_lengths = lengths))
  expect_identical(sigkernel_gram(y, ragged), sigkernel_gram(y, x, y_lengths = lengths))
  expect_identical(sigkernel(ragged, y[, , 1]), vapply(ragged, sigkernel, 1, y[, , 1]))

  expect_alike <- function(list, array) {
    expect_type(list, "list")
    for (b in 1:3) {
      n <- lengths[b]
      expect_identical(list[[b]], matrix(array[seq_len(n), , b], n))
      expect_true(all(array[-seq_len(n), , b] == 0))
    }
  }
  expect_alike(sig_backprop(1, ragged, 3), sig_backprop(1, x, 3, lengths = lengths))
  pair <- sigkernel_backprop(1:3, ragged, y)
  full <- sigkernel_backprop(1:3, x, y, x_lengths = lengths)
  expect_alike(pair$x, full$x)
  expect_identical(pair$y, full$y)
  expect_alike(sigkernel_gram_backprop(1, ragged), sigkernel_gram_backprop(1, x, x_lengths = lengths))
  expect_identical(time_augment(ragged)[[3]], time_augment(ragged[[3]]))
  expect_identical(time_augment_backprop(time_augment(ragged)), ragged)
  expect_identical(lead_lag_backprop(lead_lag(ragged))[[3]], lead_lag_backprop(lead_lag(ragged[[3]])))
  # One path meets a batch: its gradient is the sum.
  one <- sigkernel_backprop(1, list(x[, , 1]), y)
  expect_type(one$x, "list")
  parts <- lapply(1:3, function(b) sigkernel_backprop(1, x[, , 1], y[, , b], wrt = "x"))
  expect_equal(one$x[[1]], Reduce(`+`, parts))
  # One path in a list with a length of its own, against arrays with lengths.
  expect_identical(sigkernel(x[, , 1], y, x_lengths = 4), sigkernel(x[1:4, , 1], y))
})

test_that("what lies behind the end is not read", {
  spoiled <- x
  spoiled[5:7, , 1] <- NaN
  ends <- c(4, 7, 7)
  expect_identical(goursat::signature(spoiled, 2, lengths = ends)[1, ], goursat::signature(x[1:4, , 1], 2))
  expect_equal(time_augment(spoiled, lengths = ends)[, 3, 1], c(0:3 / 3, 0, 0, 0))
  grad <- array(1, c(7, 3, 3))
  grad[5:7, , 1] <- NaN
  expect_identical(time_augment_backprop(grad, lengths = ends)[, 1, 1], c(1, 1, 1, 1, 0, 0, 0))
})

test_that("names stay", {
  dimnames(x) <- list(NULL, c("price", "volume"), c("a", "b", "c"))
  named <- list(u = y[, , 1], v = y[, , 2])
  expect_identical(rownames(goursat::signature(x, 2)), c("a", "b", "c"))
  expect_named(sigkernel(x, y), c("a", "b", "c"))
  expect_identical(dimnames(sigkernel_gram(x, named)), list(c("a", "b", "c"), c("u", "v")))
  expect_identical(dimnames(sigkernel_gram(named)), list(c("u", "v"), c("u", "v")))
  expect_identical(dimnames(sig_backprop(1, x, 2)), dimnames(x))
  expect_named(sig_backprop(1, named, 2), c("u", "v"))
})

test_that("empty batches and single points", {
  none <- array(0, c(5, 2, 0))
  expect_identical(dim(goursat::signature(none, 2)), c(0L, 6L))
  expect_identical(dim(sigkernel_gram(none, x)), c(0L, 3L))
  expect_identical(dim(sigkernel_gram(none)), c(0L, 0L))
  expect_identical(dim(sig_backprop(1, none, 2)), c(5L, 2L, 0L))
  expect_identical(goursat::signature(matrix(1, 1, 2), 2), numeric(6))
  expect_identical(sigkernel(matrix(1, 1, 2), x), c(1, 1, 1))
})
