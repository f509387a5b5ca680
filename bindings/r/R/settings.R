# Arguments as the library's options: see src/call.c, which reads the list by position.

TIME_AUG <- 1
LEAD_LAG <- 2
LAG_FIRST <- 4
SCALAR_TERM <- 8
SYMMETRIC <- 16
DIRECT <- 32

settings <- function(time_aug = FALSE, end_time = 1, lead_lag = FALSE, dyadic_order = 0, n_threads = 0, progress = FALSE, extra = 0) {
  orders <- read_orders(dyadic_order)
  list(
    flags = read_flag(time_aug, "time_aug", TIME_AUG) + lead_lag_flags(lead_lag) + extra,
    end_time = read_end_time(end_time),
    x_order = orders[[1L]],
    y_order = orders[[2L]],
    threads = whole_number(n_threads, "n_threads"),
    report = reporter(progress)
  )
}

read_flag <- function(value, name, flag) {
  if (!isTRUE(value) && !isFALSE(value)) {
    fail(name, " is ", quoted(value), "; expected TRUE or FALSE")
  }
  if (value) flag else 0
}

lead_lag_flags <- function(lead_lag) {
  if (isFALSE(lead_lag)) {
    0
  } else if (isTRUE(lead_lag) || identical(lead_lag, "lead_first")) {
    LEAD_LAG
  } else if (identical(lead_lag, "lag_first")) {
    LEAD_LAG + LAG_FIRST
  } else {
    fail("lead_lag is ", quoted(lead_lag), "; expected FALSE, TRUE or \"lag_first\"")
  }
}

read_orders <- function(dyadic_order) {
  if (!is.numeric(dyadic_order) || !length(dyadic_order) %in% 1:2) {
    fail("dyadic_order is ", quoted(dyadic_order), "; expected a whole number or two")
  }
  orders <- rep_len(dyadic_order, 2L)
  c(whole_number(orders[[1L]], "dyadic_order[1]"), whole_number(orders[[2L]], "dyadic_order[2]"))
}

# End time 0 stands for the default in the library.
read_end_time <- function(end_time) {
  if (!is.numeric(end_time) || length(end_time) != 1L) {
    fail("end_time is ", quoted(end_time), "; expected a number")
  }
  if (identical(as.numeric(end_time), 0)) {
    fail("end_time is 0; expected time that runs")
  }
  as.numeric(end_time)
}

# A whole number that the C interface can carry; what it means is the library's to say.
whole_number <- function(value, name) {
  if (!is.numeric(value) || length(value) != 1L || is.na(value) || value != trunc(value)) {
    fail(name, " is ", quoted(value), "; expected a whole number")
  }
  if (value < 0 || value > .Machine$integer.max) {
    fail(name, " is ", format(value), "; expected 0 or more, at most ", .Machine$integer.max)
  }
  as.integer(value)
}

# A function of (done, total) that returns what went wrong in it, as nothing may be thrown through the library.
reporter <- function(progress) {
  if (is.null(progress) || isFALSE(progress)) {
    return(NULL)
  }
  if (isTRUE(progress)) {
    progress <- bar()
  }
  if (!is.function(progress)) {
    fail("progress is ", quoted(progress), "; expected TRUE, FALSE or a function of (done, total)")
  }
  function(done, total) {
    tryCatch(
      {
        progress(done, total)
        NULL
      },
      error = identity,
      interrupt = identity
    )
  }
}

bar <- function() {
  shown <- NULL
  function(done, total) {
    if (is.null(shown)) {
      shown <<- utils::txtProgressBar(style = 3, file = stderr())
    }
    utils::setTxtProgressBar(shown, if (total > 0) done / total else 1)
    if (done >= total) {
      close(shown)
    }
  }
}

# The last report, that all is done.
finish <- function(settings) {
  if (!is.null(settings$report)) {
    failed <- settings$report(1, 1)
    if (!is.null(failed)) {
      stop(failed)
    }
  }
}

#' Threads of calls that do not say
#'
#' The option `goursat.n_threads` if it is set, else the environment variable `GOURSAT_NUM_THREADS`, else 2.
#'
#' @return A whole number; 0 means all cores.
#' @examples
#' default_threads()
#' @export
default_threads <- function() {
  chosen <- getOption("goursat.n_threads")
  if (is.null(chosen)) {
    variable <- Sys.getenv("GOURSAT_NUM_THREADS")
    chosen <- if (nzchar(variable)) .Call(C_info)$default_threads else 2L
  }
  chosen
}

#' The library that computes
#'
#' @return `goursat_library()` returns a list: the `version` of the library, the instruction set in use (`simd_level`:
#'   "avx512", "avx2", "neon" or "portable"; the environment variable `GOURSAT_SIMD` can lower it), and the
#'   number of threads that `n_threads = 0` means (`default_threads`).
#' @examples
#' goursat_library()$version
#' @export
goursat_library <- function() {
  .Call(C_info)
}

#' CUDA devices that the library could use
#'
#' @return `cuda_available()` is `TRUE` or `FALSE`, then with the library's sentence as its attribute `reason`.
#'   `cuda_devices()` is a data frame with a row for each device that the driver has: `name`, `memory` in bytes,
#'   `capability` (9 is sm_90), `multiprocessors`, `driver_version` (12080 is CUDA 12.8) and `usable`.
#' @examples
#' cuda_available()
#' @export
cuda_available <- function() {
  reason <- .Call(C_cuda)$reason
  if (nzchar(reason)) structure(FALSE, reason = reason) else TRUE
}

#' @rdname cuda_available
#' @export
cuda_devices <- function() {
  as.data.frame(.Call(C_cuda)[-1], stringsAsFactors = FALSE)
}
