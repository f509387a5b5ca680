# Bad input gets a sentence that names argument, value and expectation.

x <- walks(7, 2, 3)
y <- walks(9, 2, 3, seed = 5)

cases <- list(
  list(quote(goursat::signature(x, 0)), "degree is 0; "),
  list(quote(goursat::signature(x, 1.5)), "degree is 1.5; expected a whole number"),
  list(quote(goursat::signature(x, -1)), "degree is -1; expected 0 or more"),
  list(quote(goursat::signature(x, 31)), "degree is 31, for .* coefficients; a matrix of R has at most"),
  list(quote(goursat::signature(x, 80)), "degree"),
  list(quote(goursat::signature(x, "2")), "degree is \"2\"; expected a whole number"),
  list(quote(goursat::signature(matrix(0, 0, 2), 2)), "length is 0; a path has at least one point"),
  list(quote(goursat::signature(matrix(0, 3, 0), 2)), "dim is 0; a path has at least one channel"),
  list(quote(goursat::signature("numeric")), "path is of class character; expected numbers"),
  list(quote(goursat::signature(NULL, 2)), "path is NULL; expected a matrix"),
  list(quote(goursat::signature(sum, 2)), "path is function; expected a matrix"),
  list(quote(goursat::signature(array(0, c(2, 2, 2, 2)), 2)), "path is an array of size c\\(2, 2, 2, 2\\); expected a matrix"),
  list(quote(goursat::signature(x + 0i, 2)), "path is of class array; expected numbers"),
  list(quote(goursat::signature(iris, 2)), "path has the column Species, which is no number"),
  list(quote(goursat::signature(Sys.Date() + 1:3, 2)), "path is of class Date; expected numbers"),
  list(quote(goursat::signature(list(), 2)), "path is an empty list"),
  list(quote(goursat::signature(list(x[, , 1], "a"), 2)), "path\\[\\[2\\]\\] is of class character; expected numbers"),
  list(quote(goursat::signature(list(x[, , 1], x[, 1, 1]), 2)), "path\\[\\[2\\]\\] has 1 channels; expected 2"),
  list(quote(goursat::signature(list(x[, , 1], matrix(0, 0, 2)), 2)), "path\\[\\[2\\]\\] has no points"),
  list(quote(goursat::signature(x, 2, lengths = c(7, 8, 7))), "lengths\\[2\\] is 8; expected 1 to 7"),
  list(quote(goursat::signature(x, 2, lengths = c(7, 7))), "lengths has 2 entries; expected 3"),
  list(quote(goursat::signature(x, 2, lengths = c(7, 7, NA))), "lengths is c\\(7, 7, NA\\); expected whole numbers"),
  list(quote(goursat::signature(list(x[, , 1]), 2, lengths = 7)), "have lengths of their own"),
  list(quote(goursat::signature(x, 2, n_threads = -1)), "n_threads is -1; expected 0 or more"),
  list(quote(goursat::signature(x, 2, time_aug = NA)), "time_aug is NA; expected TRUE or FALSE"),
  list(quote(goursat::signature(x, 2, time_aug = TRUE, end_time = 0)), "end_time is 0; expected time that runs"),
  list(quote(goursat::signature(x, 2, time_aug = TRUE, end_time = Inf)), "end_time is inf"),
  list(quote(goursat::signature(x, 2, lead_lag = "lag")), "lead_lag is \"lag\"; expected FALSE, TRUE or \"lag_first\""),
  list(quote(goursat::signature(x, 2, progress = 3)), "progress is 3; expected TRUE, FALSE or a function"),
  list(quote(sig_backprop(1:5, x, 2)), "grad has size 5; expected c\\(3, 6\\)"),
  list(quote(sig_backprop(matrix(1, 6, 3), x, 2)), "grad has size c\\(6, 3\\); expected c\\(3, 6\\)"),
  list(quote(sig_backprop("a", x, 2)), "grad is of class character; expected numbers"),
  list(quote(sigkernel(x, y[, , 1:2])), "x has 3 paths and y has 2; expected as many, or one of either"),
  list(quote(sigkernel(x, walks(4, 3))), "y has 3 channels and x has 2"),
  list(quote(sigkernel(x, y, 17)), "x_order is 17; expected"),
  list(quote(sigkernel(x, y, c(0, 17))), "y_order is 17; expected"),
  list(quote(sigkernel(x, y, -1)), "dyadic_order\\[1\\] is -1; expected 0 or more"),
  list(quote(sigkernel(x, y, 1:3)), "dyadic_order is 1:3; expected a whole number or two"),
  list(quote(sigkernel(x, y, y_lengths = c(9, 10, 9))), "y_lengths\\[2\\] is 10; expected 1 to 9"),
  # In swapped calls too, arguments have the names that the caller knows.
  list(quote(sigkernel_gram(x, y, c(17, 0))), "x_order is 17; expected"),
  list(quote(sigkernel(x, y, c(0, 17), return_grid = TRUE)), "y_order is 17; expected"),
  list(quote(sigkernel_gram(matrix(0, 0, 2), y)), "x_length is 0; a path"),
  list(quote(sigkernel_gram(x, matrix(0, 0, 2))), "y_length is 0; a path"),
  list(quote(sigkernel_gram(x, dyadic_order = 1:2)), "order"),
  list(quote(sigkernel_gram(x, y_lengths = 1)), "y_lengths are given without y"),
  list(quote(sigkernel_backprop(1, x, y, wrt = "z")), "wrt is \"z\"; expected \"both\", \"x\" or \"y\""),
  list(quote(sigkernel_gram_backprop(1, x, wrt = "y")), "wrt is \"y\" and y is NULL"),
  list(quote(time_augment_backprop(matrix(0, 4, 1))), "grad has 1 channels; expected at least 2"),
  list(quote(lead_lag_backprop(matrix(0, 4, 2))), "grad has 4 points of 2 channels; expected 2L - 1 of 2d"),
  list(quote(sig_mmd_test(x, y[, , 1])), "y has 1 path; expected 2 or more"),
  list(quote(sig_mmd_test(x, y, permutations = 0)), "permutations is 0; expected 1 or more")
)

for (case in cases) {
  test_that(paste("error:", case[[2]]), {
    expect_error(eval(case[[1]]), case[[2]], class = "goursat_error")
  })
}

test_that("errors tell the call of the user", {
  failed <- tryCatch(sigkernel(x, y, 17), error = identity)
  expect_identical(conditionCall(failed), quote(sigkernel(x, y, 17)))
  expect_s3_class(failed, "goursat_invalid_argument")
  nested <- tryCatch(sig_mmd_test(x, y, dyadic_order = 17), error = identity)
  expect_identical(conditionCall(nested)[[1]], quote(sig_mmd_test))
})

test_that("unknown arguments are errors", {
  expect_error(goursat::signature(x, 2, degrees = 3), "unused argument")
})
