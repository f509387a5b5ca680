# What `make test-r` runs, against the installed package: the tests, the examples of the help pages, and the program of
# the repository's README, which is its argument. It fails where a package is missing: nothing is skipped.

for (package in c("testthat", "jsonlite")) {
  if (!requireNamespace(package, quietly = TRUE)) {
    stop("the R package ", package, " was not found; on Debian and Ubuntu, apt install r-cran-", package)
  }
}
library(testthat)
library(goursat)

here <- file.path("bindings", "r", "tests")
results <- as.data.frame(test_dir(file.path(here, "testthat"), package = "goursat", reporter = "check"))
stopifnot("nothing is skipped" = !any(results$skipped), "tests warn" = all(results$warning == 0))

# An error in an example is one here.
grDevices::pdf(tempfile(fileext = ".pdf"))
topics <- sub("[.]Rd$", "", list.files(file.path("bindings", "r", "man"), pattern = "[.]Rd$"))
for (topic in setdiff(topics, "goursat")) {
  utils::example(topic, "goursat", character.only = TRUE, echo = FALSE, ask = FALSE)
}
invisible(grDevices::dev.off())

fence <- function(file, language) {
  text <- paste(readLines(file, encoding = "UTF-8"), collapse = "\n")
  found <- regmatches(text, regexec(paste0("(?s)\n```", language, "\n(.*?)\n```"), text, perl = TRUE))[[1L]]
  strsplit(found[[2L]], "\n")[[1L]]
}
program <- commandArgs(trailingOnly = TRUE)[[1L]]
run <- function(file) system2(file.path(R.home("bin"), "Rscript"), file, stdout = TRUE, stderr = FALSE)
stopifnot(
  "README.md does not show the program" = identical(readLines(program), fence("README.md", "r")),
  "the program of README.md prints something else" = identical(run(program), fence("README.md", "text"))
)

# The README of the package: a session, as R prints it.
shown <- fence(file.path("bindings", "r", "README.md"), "r-session")
code <- sub("^[>+] ", "", grep("^[>+] ", shown, value = TRUE))
script <- tempfile(fileext = ".R")
writeLines(code, script)
session <- system2(file.path(R.home("bin"), "R"), c("--vanilla", "--quiet", "-f", script), stdout = TRUE, stderr = FALSE)
session <- sub(" +$", "", session[!session %in% c("", "> ")])
stopifnot("the session in bindings/r/README.md is another" = all.equal(session, shown[shown != ""]))
cat("examples and documents: as shown\n")
