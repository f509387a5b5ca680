# Random walks: a matrix points x channels, or an array points x channels x batch.
walks <- function(points, channels, batch = NULL, seed = 7) {
  with_seed(seed, {
    steps <- array(rnorm(points * channels * max(1, batch), sd = 0.3), c(points, channels, max(1, batch)))
  })
  paths <- array(apply(steps, 2:3, cumsum), dim(steps))
  if (is.null(batch)) paths[, , 1] else paths
}

# Leaves the generator of random numbers as it was.
with_seed <- function(seed, code) {
  old <- get0(".Random.seed", globalenv(), inherits = FALSE)
  on.exit(if (is.null(old)) rm(".Random.seed", envir = globalenv()) else assign(".Random.seed", old, globalenv()))
  set.seed(seed)
  force(code)
}

# Within the repository, or carried by the source package.
vectors <- function() {
  places <- c(Sys.getenv("GOURSAT_VECTORS"), "vectors", file.path("..", "..", "..", "..", "tests", "vectors"))
  found <- places[file.exists(file.path(places, "signature.json"))]
  if (length(found) == 0) stop("tests/vectors was not found; set GOURSAT_VECTORS")
  found[[1]]
}
