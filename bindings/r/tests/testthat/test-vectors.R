# The committed cases of tests/vectors: what other people's libraries compute. R has double precision alone.

# Relative to the largest entry of a result, level by level for signatures.
tolerance <- 1e-12

# An array in C's order (batch, length, dim) as R's length x dim x batch; of fewer axes with the batch first.
stored <- function(array) {
  size <- unlist(array$shape)
  values <- array(as.numeric(unlist(array$data)), rev(size))
  switch(length(size), as.vector(values), t(values), aperm(values, c(2, 1, 3)))
}

compute <- function(name, options, inputs) {
  if (!is.null(options$dyadic_order)) options$dyadic_order <- unlist(options$dyadic_order)
  if (name == "time_augment") {
    return(list(
      transformed = time_augment(inputs$path, options$end_time),
      path_grad = time_augment_backprop(inputs$grad)
    ))
  }
  if (name == "lead_lag") {
    first <- options$lead_lag == "lag_first"
    return(list(transformed = lead_lag(inputs$path, first), path_grad = lead_lag_backprop(inputs$grad, first)))
  }
  if (grepl("grid", name)) options$return_grid <- TRUE
  result <- do.call(getExportedValue("goursat", sub("_grid", "", name)), c(inputs, options))
  switch(name,
    signature = list(signature = result),
    sig_backprop = list(path_grad = result),
    sigkernel = list(kernel = result),
    sigkernel_grid = list(grid = result),
    sigkernel_gram = list(gram = unclass(result)),
    if (is.list(result)) list(x_grad = result$x, y_grad = result$y) else list(x_grad = result)
  )
}

pieces <- function(values, name, options, inputs) {
  if (name != "signature") return(list(values))
  ends <- vapply(seq_len(options$degree), function(degree) {
    signature_length(dim(inputs$path)[2], degree, options$scalar_term, options$time_aug, options$lead_lag)
  }, 1)
  begins <- c(if (options$scalar_term) c(0, 1) else 0, ends)
  lapply(seq_len(length(begins) - 1), function(k) values[, seq(begins[k] + 1, begins[k + 1])])
}

files <- list.files(vectors(), pattern = "[.]json$")

test_that("there is a file for every function", {
  expect_equal(sort(files, method = "radix"), paste0(c(
    "lead_lag", "sig_backprop", "sigkernel", "sigkernel_backprop", "sigkernel_gram", "sigkernel_gram_backprop",
    "sigkernel_grid", "sigkernel_grid_backprop", "signature", "time_augment"
  ), ".json"))
})

for (file in files) {
  test_that(paste("results are those of", file), {
    content <- jsonlite::read_json(file.path(vectors(), file))
    expect_gt(length(content$cases), 0)
    name <- content[["function"]]
    for (case in content$cases) {
      inputs <- lapply(case$inputs, stored)
      results <- compute(name, case$options, inputs)
      expect_setequal(names(results), names(case$expected))
      for (key in names(results)) {
        expected <- stored(case$expected[[key]])
        expect_equal(length(results[[key]]), length(expected), info = case$name)
        if (!is.null(dim(expected))) expect_equal(dim(results[[key]]), dim(expected), info = case$name)
        ours <- pieces(results[[key]], name, case$options, inputs)
        theirs <- pieces(expected, name, case$options, inputs)
        errors <- mapply(function(a, b) max(abs(a - b)) / max(abs(b), 1e-12), ours, theirs)
        expect_lt(max(errors), tolerance)
      }
    }
  })
}

test_that("every word goes along the path if asked", {
  path <- walks(500, 8, 1, seed = 4)[, , 1]
  some <- goursat::signature(path, 4)
  every <- goursat::signature(path, 4, direct = TRUE)
  expect_true(any(some != every))
  expect_lt(max(abs(some - every)), 3e-14 * max(abs(every)))

  path <- walks(260, 12, 1, seed = 5)[, , 1]
  grad <- cos(seq_len(signature_length(12, 4)))
  some <- sig_backprop(grad, path, 4)
  every <- sig_backprop(grad, path, 4, direct = TRUE)
  expect_true(any(some != every))
  expect_lt(max(abs(some - every)), 1e-14 * max(abs(every)))
})
