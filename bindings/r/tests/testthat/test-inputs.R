# What can be a path, and what is copied of it.

x <- walks(9, 2)
expected <- goursat::signature(x, 3)

test_that("matrices, data frames, series and vectors are paths", {
  expect_identical(goursat::signature(as.data.frame(x), 3), expected)
  expect_identical(goursat::signature(ts(x, start = 2000, frequency = 12), 3), expected)
  expect_identical(goursat::signature(ts(x[, 1]), 3), goursat::signature(x[, 1, drop = FALSE], 3))
  expect_identical(goursat::signature(x[, 1], 3), goursat::signature(x[, 1, drop = FALSE], 3))
  expect_identical(goursat::signature(matrix(1:6, 3), 2), goursat::signature(matrix(as.numeric(1:6), 3), 2))
  expect_identical(goursat::signature(matrix(c(FALSE, TRUE, TRUE, FALSE), 2), 2), c(1, -1, 0.5, -0.5, -0.5, 0.5))
  expect_identical(goursat::signature(array(x, c(9, 2, 1)), 3), matrix(expected, 1))
  expect_identical(goursat::signature(EuStockMarkets[1:9, ], 1), unname(EuStockMarkets[9, ] - EuStockMarkets[1, ]))
  whole <- datasets::EuStockMarkets
  expect_s3_class(whole, "mts")
  expect_equal(goursat::signature(whole, 1), unname(whole[nrow(whole), ] - whole[1, ]))
})

test_that("kinds of paths may be mixed in a list", {
  mixed <- list(a = x, b = as.data.frame(x[1:4, ]), c = ts(x[1:2, ]))
  s <- goursat::signature(mixed, 3)
  expect_identical(rownames(s), c("a", "b", "c"))
  expect_identical(s["b", ], goursat::signature(x[1:4, ], 3))
})

# The most memory that a call takes beyond what was in use, in MiB.
peak <- function(code) {
  before <- sum(gc(reset = TRUE)[, 2])
  force(code)
  sum(gc()[, 6]) - before
}

test_that("arrays of doubles are not copied", {
  large <- walks(50000, 2, 20) # 15 MiB
  many <- ts(matrix(large, ncol = 40))
  single <- as.vector(large)
  goursat::signature(large[1:5, , ], 1)
  expect_lt(peak(goursat::signature(large, 1)), 2)
  expect_lt(peak(sigkernel(large[1:3, , 1], large, y_lengths = rep(2, 20))), 2)
  expect_lt(peak(goursat::signature(many, 1)), 2)
  expect_lt(peak(goursat::signature(single, 1)), 2)
  # And this would see it.
  integers <- array(0L, dim(large))
  expect_gt(peak(goursat::signature(integers, 1)), 10)
})

test_that("inputs are left alone", {
  before <- x + 0
  sigkernel_gram_backprop(1, list(x, x[1:3, ]))
  goursat::signature(x, 2, time_aug = TRUE, lead_lag = TRUE)
  expect_identical(x, before)
})
