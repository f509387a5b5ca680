"""The error of gradients, of Goursat and of a second PDE, against central differences of the same kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np
from second_pde import second_pde_gradient
from works import pysiglib, walks

import goursat

DIM, PAIRS = 5, 4
STEP = 1e-3  # STEP⁴, and what rounding does to kernels of order 1 divided by STEP, are both 1e-12 and more
FINEST_CELLS, FINEST_ORDER = 1 << 22, 8


@dataclass
class Row:
    """Errors relative to the largest derivative of a pair, the mean over the pairs.

    To central differences of the kernel of the same order; and to the gradient on the finest grid, where the order is 8
    or the cells are 2^22: how far the result is from the derivative of the kernel of the paths themselves.
    """

    points: int
    order: int
    exact: float
    second_pde: float
    pysiglib: Optional[float]
    exact_to_limit: float
    second_pde_to_limit: float


def curves(batch: int, length: int, dim: int, seed: int) -> np.ndarray:
    """Smooth paths: sums of three waves, the same whatever the number of points."""
    rng = np.random.default_rng(seed)
    time = np.linspace(0, 1, length)[:, None, None]
    waves = np.sin(np.pi * np.arange(1, 4) * time + rng.uniform(0, 2 * np.pi, (batch, 1, dim, 3)))
    return (waves * rng.uniform(0, 0.5, (batch, 1, dim, 3))).sum(axis=-1) / np.sqrt(dim)


def sample(kind: str, length: int) -> tuple[np.ndarray, np.ndarray]:
    if kind == "walk":
        return walks(PAIRS, length, DIM, np.float64, 1), walks(PAIRS, length, DIM, np.float64, 2)
    return curves(PAIRS, length, DIM, 1), curves(PAIRS, length, DIM, 2)


def central_differences(x: np.ndarray, y: np.ndarray, order: int) -> np.ndarray:
    """The gradient of k(x, y) with respect to x, of fourth order in STEP."""
    _, length, dim = x.shape
    units = STEP * np.eye(length * dim).reshape(-1, 1, length, dim)
    steps = units * np.array([-2, -1, 1, 2]).reshape(-1, 1, 1)
    kernels = goursat.sigkernel(x[:, None, None] + steps, y[:, None, None], dyadic_order=order)
    return (kernels @ np.array([1, -8, 8, -1]) / (12 * STEP)).reshape(x.shape)


def exact_gradient(x: np.ndarray, y: np.ndarray, order: int) -> np.ndarray:
    return goursat.sigkernel_backprop(np.ones(len(x)), x, y, wrt="x", dyadic_order=order)


def pysiglib_gradient(x: np.ndarray, y: np.ndarray, order: int) -> np.ndarray:
    gradient = pysiglib.sig_kernel_backprop(np.ones(len(x)), x, y, dyadic_order=order, left_deriv=True, n_jobs=1)
    return gradient[0] if isinstance(gradient, tuple) else gradient


def finest_order(length: int) -> int:
    fitting = (order for order in range(FINEST_ORDER, 0, -1) if (length - 1) ** 2 << 2 * order <= FINEST_CELLS)
    return next(fitting, 0)


def errors(kind: str, length: int, orders: list[int]) -> list[Row]:
    """One row an order."""
    x, y = sample(kind, length)
    limit = exact_gradient(x, y, finest_order(length))
    largest = np.abs(limit).max(axis=(1, 2))

    def apart(gradient: np.ndarray, expected: np.ndarray) -> float:
        return float(np.mean(np.abs(gradient - expected).max(axis=(1, 2)) / largest))

    rows = []
    for order in orders:
        expected = central_differences(x, y, order)
        exact, second = exact_gradient(x, y, order), second_pde_gradient(x, y, order)
        rows.append(
            Row(
                points=length,
                order=order,
                exact=apart(exact, expected),
                second_pde=apart(second, expected),
                pysiglib=apart(pysiglib_gradient(x, y, order), expected) if pysiglib else None,
                exact_to_limit=apart(exact, limit),
                second_pde_to_limit=apart(second, limit),
            )
        )
    return rows
