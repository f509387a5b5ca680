# Errors carry the call that the user wrote, and a class to catch them by.

fail <- function(..., class = character()) {
  condition <- list(message = paste0(...), call = exported_call())
  stop(structure(condition, class = c(class, "goursat_error", "error", "condition")))
}

# The outermost call of a function of this package.
exported_call <- function() {
  here <- topenv()
  for (i in seq_len(sys.nframe())) {
    if (identical(environment(sys.function(i)), here)) {
      return(sys.call(i))
    }
  }
  NULL
}

# The result of the C shim, or the error that it describes. `swapped` for what is computed with x and y swapped, because
# R's matrices are column-major: so are the names in the sentence.
answer <- function(result, swapped = FALSE) {
  if (!inherits(result, "goursat_failure")) {
    return(result)
  }
  if (inherits(result$condition, "interrupt")) {
    signalCondition(result$condition)
    invokeRestart("abort")
  }
  if (!is.null(result$condition)) {
    stop(result$condition)
  }
  message <- if (swapped) swap_names(result$message) else result$message
  fail(message, class = tolower(result$status))
}

swap_names <- function(message) {
  message <- gsub("\\bx(?=_|\\b)", "\u0001", message, perl = TRUE)
  message <- gsub("\\by(?=_|\\b)", "x", message, perl = TRUE)
  gsub("\u0001", "y", message, fixed = TRUE)
}

quoted <- function(value) paste(deparse(value, width.cutoff = 60L, nlines = 1L), collapse = "")
