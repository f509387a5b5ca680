#' Time augmentation and lead-lag
#'
#' The transforms that the other functions apply on the fly, and their adjoints: to look at, and for what comes in between.
#'
#' @inheritParams signature
#' @param lag_first Order the channels (lag, lead) instead of (lead, lag)?
#' @param grad Gradient with respect to the transformed paths, shaped as these are.
#' @param lengths Points of each path of an array: transforms run over these, and the rest of the result is zero.
#'
#' @return Shaped as `path`, a list for a list. `time_augment()`: with a channel more, `(i - 1) * end_time / (L - 1)` at
#'   point i. `lead_lag()`: 2L - 1 points in 2d channels, (x_1, x_1), (x_2, x_1), (x_2, x_2), ... as (lead, lag).
#'   `time_augment_backprop()` and `lead_lag_backprop()`: the gradient with respect to `path`.
#' @examples
#' time_augment(c(5, 7, 6))
#' lead_lag(c(5, 7, 6))
#' lead_lag_backprop(cbind(1:3, c(10, 20, 30)))
#' @export
time_augment <- function(path, end_time = 1, lengths = NULL) {
  transformed(C_time_augment, path, lengths, settings(end_time = end_time), function(points, channels) c(points, channels + 1))
}

#' @rdname time_augment
#' @export
time_augment_backprop <- function(grad, lengths = NULL) {
  pulled_back(C_time_augment_backprop, grad, lengths, settings(), function(points, channels) {
    if (channels < 2) {
      fail("grad has ", channels, " channels; expected at least 2, the last of them time")
    }
    c(points, channels - 1)
  })
}

#' @rdname time_augment
#' @export
lead_lag <- function(path, lag_first = FALSE, lengths = NULL) {
  chosen <- settings(extra = read_flag(lag_first, "lag_first", LAG_FIRST))
  transformed(C_lead_lag, path, lengths, chosen, function(points, channels) c(2 * points - 1, 2 * channels))
}

#' @rdname time_augment
#' @export
lead_lag_backprop <- function(grad, lag_first = FALSE, lengths = NULL) {
  chosen <- settings(extra = read_flag(lag_first, "lag_first", LAG_FIRST))
  pulled_back(C_lead_lag_backprop, grad, lengths, chosen, function(points, channels) {
    if (points %% 2 == 0 || channels %% 2 != 0) {
      fail("grad has ", points, " points of ", channels, " channels; expected 2L - 1 of 2d")
    }
    c((points + 1) / 2, channels / 2)
  })
}

each <- function(paths, name, lengths, f) {
  if (!is.null(lengths)) {
    fail(name, " is a list, whose paths have lengths of their own; expected no others")
  }
  lapply(paths, f)
}

is_list_of_paths <- function(value) is.list(value) && !is.data.frame(value)

transformed <- function(entry, path, lengths, chosen, shape) {
  if (is_list_of_paths(path)) {
    return(each(path, "path", lengths, function(one) transformed(entry, one, NULL, chosen, shape)))
  }
  paths <- read_paths(path, "path", lengths)
  result <- answer(.Call(entry, paths, chosen))
  array(result, c(shape(paths$length, paths$dim), if (!paths$single) paths$own), batch_names(paths))
}

pulled_back <- function(entry, grad, lengths, chosen, shape) {
  if (is_list_of_paths(grad)) {
    return(each(grad, "grad", lengths, function(one) pulled_back(entry, one, NULL, chosen, shape)))
  }
  grads <- read_paths(grad, "grad")
  size <- shape(grads$length, grads$dim)
  whole <- c(size, if (!grads$single) grads$own)
  # Only its shape is looked at.
  paths <- read_paths(array(0, whole, batch_names(grads)), "grad", lengths)
  shaped(answer(.Call(entry, grads$data, paths, chosen)), paths)
}

batch_names <- function(paths) if (!is.null(paths$names)) list(NULL, NULL, paths$names)
