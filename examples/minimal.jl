using Goursat, Printf

x = [0.0 1.0 1.0; 0.0 0.0 1.0] # 3 points in 2 channels, one column each
y = [0.0 1.0; 0.0 1.0]         # 2 points

show_all(name, values) = println(name, (@sprintf(" %.4f", value) for value in values)...)

show_all("signature", signature(x, 2))
show_all("kernel", sigkernel(x, y; dyadic_order = 2))
show_all("gradient", sigkernel_backprop(1.0, x, y; dyadic_order = 2, wrt = :x))
