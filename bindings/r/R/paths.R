# Paths as R users have them, as src/paths.c reads them: a list of
#   data     an array of doubles L x d x B, or a list of matrices L_b x d
#   own      paths given; batch: paths of the call, larger where one path meets a whole batch
#   length   points of the longest; dim: channels
#   lengths  points of each path of the call, or NULL where all are full
# and, for results: single (one path, not a batch of them), names (of the batch), labels (dimnames of the array or of
# each path of a list).

read_paths <- function(value, name, lengths = NULL) {
  if (is.list(value) && !is.data.frame(value)) {
    return(read_list(value, name, lengths))
  }
  array <- if (length(dim(value)) == 3L) numbers(value, name) else as_path(value, name)
  size <- size_of(array)
  single <- length(size) == 2L
  own <- if (single) 1L else size[[3L]]
  list(
    data = array, own = own, batch = own, length = size[[1L]], dim = size[[2L]],
    lengths = read_lengths(lengths, name, own, size[[1L]]), single = single,
    names = if (single) NULL else dimnames(array)[[3L]], labels = dimnames(array), list = FALSE
  )
}

read_list <- function(paths, name, lengths) {
  if (!is.null(lengths)) {
    fail(name, " is a list, whose paths have lengths of their own; expected no others")
  }
  if (length(paths) == 0L) {
    fail(name, " is an empty list; expected paths, or an array of size c(points, channels, 0)")
  }
  paths_names <- names(paths)
  paths <- lapply(seq_along(paths), function(b) as_path(paths[[b]], paste0(name, "[[", b, "]]")))
  sizes <- lapply(paths, size_of)
  dim <- sizes[[1L]][[2L]]
  for (b in seq_along(paths)) {
    if (sizes[[b]][[2L]] != dim) {
      fail(name, "[[", b, "]] has ", sizes[[b]][[2L]], " channels; expected ", dim, ", as ", name, "[[1]] has")
    }
    if (sizes[[b]][[1L]] == 0L) {
      fail(name, "[[", b, "]] has no points; expected 1 or more")
    }
  }
  counts <- vapply(sizes, `[[`, 1L, 1L)
  own <- length(paths)
  # One path may have to meet a batch, so it is an array.
  data <- if (own == 1L) paths[[1L]] else paths
  list(
    data = data, own = own, batch = own, length = max(counts), dim = dim, lengths = if (own > 1L) counts,
    single = FALSE, names = paths_names, labels = lapply(paths, dimnames), list = TRUE
  )
}

# Points and channels, and paths of an array.
size_of <- function(array) if (is.null(dim(array))) c(length(array), 1L) else dim(array)

# One path as doubles: a matrix, or a vector of one channel, which is not made a matrix because that would copy it.
as_path <- function(value, name) {
  if (is.data.frame(value)) {
    odd <- names(value)[!vapply(value, is.numeric, TRUE)]
    if (length(odd) > 0L) {
      fail(name, " has the column ", odd[[1L]], ", which is no number; expected numeric columns")
    }
    value <- as.matrix(value)
  }
  size <- dim(value)
  if (!(length(size) == 2L || is.null(size) && is.atomic(value) && !is.null(value))) {
    given <- if (is.null(size)) class(value)[[1L]] else paste0("an array of size ", quoted(as.numeric(size)))
    fail(name, " is ", given, "; expected a matrix (points, channels), an array of these, a list of these")
  }
  numbers(value, name)
}

numbers <- function(value, name) {
  if (is.character(value) && !is.array(value) && identical(name, "path")) {
    fail(name, " is of class character; expected numbers (for the classes of an S4 method: methods::signature)")
  }
  if (!(is.numeric(value) || is.logical(value))) {
    fail(name, " is of class ", class(value)[[1L]], "; expected numbers")
  }
  if (!is.double(value)) {
    storage.mode(value) <- "double"
  }
  value
}

read_lengths <- function(lengths, name, own, most) {
  if (is.null(lengths)) {
    return(NULL)
  }
  key <- if (name %in% c("path", "grad")) "lengths" else paste0(name, "_lengths")
  if (!is.numeric(lengths) || anyNA(lengths) || any(lengths != trunc(lengths))) {
    fail(key, " is ", quoted(lengths), "; expected whole numbers, one a path")
  }
  if (length(lengths) != own) {
    fail(key, " has ", length(lengths), " entries; expected ", own, ", one a path of ", name)
  }
  wrong <- which(lengths < 1 | lengths > most)
  if (length(wrong) > 0L) {
    fail(key, "[", wrong[[1L]], "] is ", lengths[[wrong[[1L]]]], "; expected 1 to ", most, ", the points of ", name)
  }
  as.integer(lengths)
}

# Two batches of pairs: as many, or one path that meets a whole batch.
read_pairs <- function(x, y, x_lengths, y_lengths) {
  x <- read_paths(x, "x", x_lengths)
  y <- read_paths(y, "y", y_lengths)
  same_channels(x, y)
  if (x$own != y$own && x$own != 1L && y$own != 1L) {
    fail("x has ", x$own, " paths and y has ", y$own, "; expected as many, or one of either")
  }
  batch <- if (x$own == 1L) y$own else x$own
  names <- if (is.null(x$names) || x$batch != batch) y$names else x$names
  list(
    x = repeated(x, batch), y = repeated(y, batch), batch = batch, single = x$single && y$single,
    names = if (length(names) == batch) names
  )
}

repeated <- function(paths, batch) {
  paths$batch <- batch
  if (!is.null(paths$lengths) && paths$own != batch) {
    paths$lengths <- rep(paths$lengths, batch)
  }
  paths
}

same_channels <- function(x, y) {
  if (x$dim != y$dim) {
    fail("y has ", y$dim, " channels and x has ", x$dim, "; expected the same number")
  }
}

# A gradient that is given, as doubles of a size: a number, or as many as the size says.
given <- function(grad, size) {
  grad <- numbers(grad, "grad")
  count <- prod(size)
  has <- if (is.null(dim(grad))) length(grad) else dim(grad)
  if (length(grad) == 1L) {
    return(rep(as.vector(grad), count))
  }
  plain <- size[size != 1L]
  if (length(grad) != count || !(is.null(dim(grad)) && length(plain) <= 1L || identical(as.integer(has[has != 1L]), as.integer(plain)))) {
    fail("grad has size ", quoted(as.numeric(has)), "; expected ", quoted(as.numeric(size)))
  }
  as.vector(grad)
}

# A gradient with respect to paths, in their shape and with their names.
shaped <- function(gradient, paths) {
  if (is.null(gradient)) {
    return(NULL)
  }
  if (!paths$list) {
    return(array(gradient, c(paths$length, paths$dim, if (!paths$single) paths$own), paths$labels))
  }
  if (!is.list(gradient)) {
    gradient <- list(matrix(gradient, paths$length, paths$dim))
  }
  for (b in seq_along(gradient)) {
    dimnames(gradient[[b]]) <- paths$labels[[b]]
  }
  names(gradient) <- paths$names
  gradient
}
