walk <- function(scale) apply(matrix(rnorm(20, sd = scale), 10), 2, cumsum)

test_that("the statistic is the squared MMD", {
  with_seed(1, {
    x <- replicate(6, walk(0.2))
    y <- replicate(9, walk(0.3))
  })
  xx <- unclass(sigkernel_gram(x, time_aug = TRUE))
  yy <- unclass(sigkernel_gram(y, time_aug = TRUE))
  xy <- unclass(sigkernel_gram(x, y, time_aug = TRUE))
  biased <- mean(xx) + mean(yy) - 2 * mean(xy)
  unbiased <- mean(xx[row(xx) != col(xx)]) + mean(yy[row(yy) != col(yy)]) - 2 * mean(xy)
  found <- function(...) sig_mmd_test(x, y, permutations = 9, time_aug = TRUE, ...)$statistic
  expect_equal(found(unbiased = FALSE), c("MMD^2" = biased))
  expect_equal(found(), c("MMD^2" = unbiased))
})

test_that("every arrangement has the statistic of its samples", {
  with_seed(2, paths <- replicate(7, walk(0.3)))
  gram <- unclass(sigkernel_gram(paths))
  with_seed(3, first <- cbind(c(1, 1, 1, 0, 0, 0, 0), replicate(5, sample(rep(1:0, c(3, 4))))))
  for (unbiased in c(TRUE, FALSE)) {
    values <- goursat:::squared_mmd(gram, first, unbiased)
    for (k in 1:6) {
      a <- first[, k] == 1
      alone <- sig_mmd_test(paths[, , a], paths[, , !a], permutations = 1, unbiased = unbiased)
      expect_equal(values[[k]], alone$statistic[[1]])
    }
  }
})

test_that("it is an htest", {
  with_seed(4, {
    x <- replicate(12, walk(0.2))
    y <- replicate(12, walk(0.2))
    test <- sig_mmd_test(x, y, permutations = 99)
    again <- sig_mmd_test(lapply(1:12, function(b) x[, , b]), y, permutations = 99)
  })
  expect_s3_class(test, "htest")
  expect_identical(test$data.name, "x and y")
  expect_identical(test$parameter, c(permutations = 99L))
  expect_equal(again$statistic, test$statistic)
  expect_output(print(test), "permutation test of the signature-kernel MMD.*p-value")
})

test_that("it tells different distributions apart, and equal ones seldom", {
  with_seed(5, {
    expect_lt(sig_mmd_test(replicate(20, walk(0.1)), replicate(20, walk(0.4)), 199)$p.value, 0.02)
    p <- replicate(200, sig_mmd_test(replicate(6, walk(0.2)), replicate(6, walk(0.2)), 39)$p.value)
  })
  # Uniform on multiples of 1/40: at most a binomial number of them is 0.1 or less, whose mean is 20 and deviation 4.2.
  expect_lt(sum(p <= 0.1), 37)
  expect_gt(sum(p <= 0.1), 4)
  expect_true(all(p > 0 & p <= 1))
})
