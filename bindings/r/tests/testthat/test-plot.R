K <- sigkernel_gram(list(a = walks(9, 2), b = walks(7, 2, seed = 8), c = walks(5, 2, seed = 9)))

test_that("a Gram matrix prints and computes as a matrix does", {
  expect_s3_class(K, c("sigkernel_gram", "matrix"))
  expect_identical(capture.output(print(K)), capture.output(print(unclass(K))))
  expect_identical(class(K[1:2, 1:2]), c("matrix", "array"))
  expect_equal(unclass(K %*% solve(K)), diag(3), ignore_attr = TRUE)
})

test_that("plot draws entry [1, 1] at the top left", {
  file <- tempfile(fileext = ".pdf")
  grDevices::pdf(file)
  shown <- withVisible(plot(K))
  usr <- graphics::par("usr")
  grDevices::dev.off()
  expect_gt(file.size(file), 1000)
  expect_false(shown$visible)
  expect_identical(shown$value, K)
  expect_true(usr[1] <= 0.5 && usr[2] >= 3.5)
  picture <- goursat:::picture(K, log = FALSE)
  expect_identical(picture[, 3], unclass(K)[1, ])
  expect_identical(picture[1, ], rev(unclass(K)[, 1]))
  positive <- unclass(K) - min(K) + 1
  expect_equal(goursat:::picture(positive, log = TRUE), log(goursat:::picture(positive, log = FALSE)))
  expect_error(plot(sigkernel_gram(array(0, c(3, 2, 0)))), "expected a matrix with entries", class = "goursat_error")
})
