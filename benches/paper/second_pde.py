"""The gradient of the signature kernel that a second PDE gives: what Goursat does NOT compute.

The derivative of k(x, y) in a direction γ of x solves the Goursat problem

    ∂²k_γ/∂s∂t = <γ'_s, y'_t> k + <x'_s, y'_t> k_γ,

and variation of parameters gives it from the kernel k of the paths and the kernel k~ of the reversed paths:

    k_γ = ∫∫ k(s, t) k~(1 - s, 1 - t) <γ'_s, y'_t> ds dt

(Lemercier et al. 2021; Salvi et al. 2021). That is exact. Discretised by the rectangle rule, k at the lower corner of
each cell and k~ at its upper one, as the library sigkernel does it, it is no longer the derivative of the k computed.
"""

import numpy as np


def refined(paths: np.ndarray, order: int) -> np.ndarray:
    """Increments (..., L - 1, d), each cut into 2^order equal ones."""
    return np.repeat(np.diff(paths, axis=-2), 2**order, axis=-2) / 2**order


def grid(delta: np.ndarray) -> np.ndarray:
    """Solve the scheme of Goursat for Δ of shape (..., m, n), one anti-diagonal after the other."""
    m, n = delta.shape[-2:]
    k = np.ones((*delta.shape[:-2], m + 1, n + 1))
    a, b = 1 + delta / 2 + delta**2 / 12, 1 - delta**2 / 12
    for diagonal in range(m + n - 1):
        i = np.arange(max(0, diagonal - n + 1), min(m, diagonal + 1))
        j = diagonal - i
        k[..., i + 1, j + 1] = (k[..., i + 1, j] + k[..., i, j + 1]) * a[..., i, j] - k[..., i, j] * b[..., i, j]
    return k


def second_pde_gradient(x: np.ndarray, y: np.ndarray, order: int) -> np.ndarray:
    """Gradient of k(x, y) with respect to x, (..., L, d), from the kernel of the reversed paths."""
    pieces = 2**order
    dy = refined(y, order)
    delta = refined(x, order) @ np.swapaxes(dy, -1, -2)
    forward = grid(delta)
    backward = grid(delta[..., ::-1, ::-1])[..., ::-1, ::-1]
    weights = forward[..., :-1, :-1] * backward[..., 1:, 1:]
    by_piece = weights @ dy / pieces  # each piece of x is 1 / pieces of its increment
    by_increment = by_piece.reshape(*x.shape[:-2], -1, pieces, x.shape[-1]).sum(axis=-2)
    gradient = np.zeros(x.shape)
    gradient[..., 1:, :] += by_increment
    gradient[..., :-1, :] -= by_increment
    return gradient
