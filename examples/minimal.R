library(goursat)

x <- rbind(c(0, 0), c(1, 0), c(1, 1)) # 3 points in 2 channels, one row each
y <- rbind(c(0, 0), c(1, 1))          # 2 points

show <- function(name, values) writeLines(paste(c(name, sprintf("%.4f", values)), collapse = " "))

show("signature", goursat::signature(x, 2))
show("kernel", sigkernel(x, y, dyadic_order = 2))
show("gradient", t(sigkernel_backprop(1, x, y, "x", dyadic_order = 2)))
