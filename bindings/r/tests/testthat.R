library(testthat)
library(goursat)

test_check("goursat")
