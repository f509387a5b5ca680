# Progress, interrupts, threads, forks.

slow <- walks(200, 2, 40) # some tenths of a second
endless <- "array(apply(array(rnorm(400 * 2 * 256, sd = 0.02), c(400, 2, 256)), 2:3, cumsum), c(400, 2, 256))" # minutes

test_that("progress", {
  seen <- list()
  K <- sigkernel_gram(slow, dyadic_order = 3, n_threads = 1, progress = function(done, total) seen <<- c(seen, list(c(done, total))))
  expect_identical(K, sigkernel_gram(slow, dyadic_order = 3))
  expect_gt(length(seen), 2)
  before <- seen[-length(seen)]
  expect_false(is.unsorted(vapply(before, `[`, 1, 1)))
  expect_true(all(vapply(seen, function(step) step[1] <= step[2], TRUE)))
  expect_identical(seen[[length(seen)]], c(1, 1))
})

test_that("a bar", {
  shown <- capture.output(invisible(sigkernel(slow, slow, progress = TRUE)), type = "message")
  expect_match(paste(shown, collapse = ""), "100%")
})

test_that("an error in a report ends the call, and is the error of the call", {
  calls <- 0
  report <- function(done, total) {
    calls <<- calls + 1
    stop(structure(list(message = "enough", call = NULL), class = c("my_error", "error", "condition")))
  }
  with_seed(1, long <- eval(parse(text = endless)))
  elapsed <- system.time(expect_error(sigkernel_gram(long, dyadic_order = 4, progress = report), "enough", class = "my_error"))
  expect_identical(calls, 1)
  expect_lt(elapsed[["elapsed"]], 20) # and not minutes
  # A report cannot jump past the library either: what it tries is an error.
  expect_error(withRestarts(
    sigkernel_gram(long, dyadic_order = 4, progress = function(done, total) invokeRestart("away")),
    away = function() NULL
  ), "away")
  expect_error(callCC(function(away) sigkernel_gram(long, dyadic_order = 4, progress = function(done, total) away(1))))
  expect_identical(sigkernel_gram(slow), sigkernel_gram(slow))
})

test_that("a report may collect garbage and call the library", {
  inner <- NULL
  report <- function(done, total) {
    gc()
    inner <<- c(inner, sigkernel(slow[, , 1], slow[, , 2]))
  }
  K <- sigkernel_gram(slow, dyadic_order = 3, progress = report)
  expect_identical(K, sigkernel_gram(slow, dyadic_order = 3))
  expect_identical(unique(inner), sigkernel(slow[, , 1], slow[, , 2]))
})

# Runs a script in a process of its own, interrupts it when it says "ready", and gives all that it says.
interrupted <- function(script) {
  folder <- tempfile()
  dir.create(folder)
  file <- file.path(folder, "script.R")
  out <- file.path(folder, "out")
  writeLines(c(sprintf(".libPaths(%s)", paste(deparse(.libPaths()), collapse = "")), "library(goursat)", script), file)
  command <- sprintf("%s %s > %s 2>&1 & echo $!", shQuote(file.path(R.home("bin"), "Rscript")), shQuote(file), shQuote(out))
  pid <- as.integer(system(command, intern = TRUE))
  on.exit(tools::pskill(pid, tools::SIGKILL))
  wait_for <- function(pattern) {
    for (turn in 1:600) {
      lines <- if (file.exists(out)) readLines(out, warn = FALSE) else character()
      if (any(grepl(pattern, lines))) break
      Sys.sleep(0.1)
    }
    lines
  }
  wait_for("^ready")
  Sys.sleep(0.5)
  tools::pskill(pid, tools::SIGINT)
  wait_for("^end|halted")
}

for (call in c(
  "sigkernel_gram(long, dyadic_order = 4)",
  "sigkernel_gram(long, dyadic_order = 4, n_threads = 1, progress = function(done, total) NULL)",
  "sigkernel_backprop(1, long, long, dyadic_order = 6)"
)) {
  test_that(paste("interrupt:", call), {
    said <- interrupted(c(
      paste("long <-", endless), "cat('ready\\n')",
      sprintf("print(tryCatch(%s, interrupt = function(i) 'interrupted'))", call),
      "print(sigkernel(c(0, 1), c(0, 1)))", "cat('end\\n')"
    ))
    expect_identical(grep("masked|Attaching|^ *signature|^$", said, value = TRUE, invert = TRUE), c("ready", "[1] \"interrupted\"", "[1] 2.25", "end"))
  })
}

test_that("numbers of threads", {
  for (f in list(
    function(n) goursat::signature(slow, 5, n_threads = n),
    function(n) sigkernel_gram(slow, n_threads = n),
    function(n) sigkernel_gram_backprop(1, slow, n_threads = n)
  )) {
    expect_identical(f(1), f(2))
    expect_identical(f(3), f(0))
    expect_identical(f(1), f(3))
  }
  # Two unless somebody says otherwise.
  said <- function(before, variable = "") {
    code <- sprintf(".libPaths(%s); %s; cat(goursat::default_threads())", paste(deparse(.libPaths()), collapse = ""), before)
    system2(file.path(R.home("bin"), "Rscript"), c("-e", shQuote(code)), stdout = TRUE, env = paste0("GOURSAT_NUM_THREADS=", variable))
  }
  expect_identical(said("invisible()"), "2")
  expect_identical(said("invisible()", "5"), "5")
  expect_identical(said("options(goursat.n_threads = 1L)", "5"), "1")
})

test_that("children of mclapply compute the same", {
  expected <- sigkernel_gram(slow, n_threads = 2)
  results <- parallel::mclapply(1:4, function(turn) sigkernel_gram(slow, n_threads = 2), mc.cores = 2)
  for (result in results) expect_identical(result, expected)
  expect_identical(sigkernel_gram(slow, n_threads = 2), expected)
})

test_that("the library tells about itself", {
  about <- goursat_library()
  expect_identical(about$version, as.character(utils::packageVersion("goursat")))
  expect_true(about$simd_level %in% c("avx512", "avx2", "neon", "portable"))
  expect_gte(about$default_threads, 1)
})

test_that("CUDA is there, or a sentence says why not", {
  there <- cuda_available()
  expect_identical(is.null(attr(there, "reason")), isTRUE(there))
  expect_identical(isTRUE(there), any(cuda_devices()$usable))
  driver <- tryCatch(is.list(unclass(dyn.load("libcuda.so.1"))), error = function(e) FALSE)
  skip_if(driver, "this machine has a CUDA driver")
  expect_false(there)
  expect_match(attr(there, "reason"), "no CUDA driver: libcuda was not found", fixed = TRUE)
  expect_identical(nrow(cuda_devices()), 0L)
})

test_that("the package can be unloaded and loaded again", {
  code <- sprintf(
    ".libPaths(%s); x <- matrix(rnorm(6e3, sd = 0.01), 3e3); k <- goursat::sigkernel(x, x); unloadNamespace('goursat'); Sys.sleep(0.2); cat(goursat::sigkernel(c(0, 1), c(0, 1)))",
    paste(deparse(.libPaths()), collapse = "")
  )
  expect_identical(system2(file.path(R.home("bin"), "Rscript"), c("-e", shQuote(code)), stdout = TRUE), "2.25")
})
