import goursat
import numpy as np

x = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])  # 3 points in 2 channels
y = np.array([[0.0, 0.0], [1.0, 1.0]])  # 2 points


def show(name, values):
    print(name, *(f"{value:.4f}" for value in np.ravel(values)))


show("signature", goursat.signature(x, 2))
show("kernel", goursat.sigkernel(x, y, dyadic_order=2))
show("gradient", goursat.sigkernel_backprop(1.0, x, y, dyadic_order=2, wrt="x"))
