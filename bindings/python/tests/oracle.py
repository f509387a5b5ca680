"""Each function once more, slow and straight from its definition, for one float64 path or pair."""

import numpy as np


def time_augment(path, end_time=1.0):
    times = np.linspace(0.0, end_time, len(path)) if len(path) > 1 else np.zeros(1)
    return np.column_stack([path, times])


def lead_lag(path, lag_first=False):
    points = []
    for k in range(2 * len(path) - 1):
        lead, lag = path[(k + 1) // 2], path[k // 2]
        points.append(np.concatenate([lag, lead] if lag_first else [lead, lag]))
    return np.array(points)


def transform(path, time_aug=False, end_time=1.0, lead_lag=False):
    if lead_lag:
        path = globals()["lead_lag"](path, lead_lag == "lag_first")
    return time_augment(path, end_time) if time_aug else path


def signature(path, degree, scalar_term=False, **transforms):
    """Chen: the product of the exponentials of the increments."""
    path = transform(path, **transforms)
    levels = [np.ones(1)] + [np.zeros(path.shape[1] ** k) for k in range(1, degree + 1)]
    for z in np.diff(path, axis=0):
        exponential = [np.ones(1)]
        for k in range(1, degree + 1):
            exponential.append(np.kron(exponential[-1], z) / k)
        levels = [sum(np.kron(levels[i], exponential[k - i]) for i in range(k + 1)) for k in range(degree + 1)]
    return np.concatenate(levels[0 if scalar_term else 1 :])


def grid(x, y, dyadic_order=0, **transforms):
    """The recurrence on the refined paths, in long double: in double it would be off by some 1e-12."""
    orders = dyadic_order if isinstance(dyadic_order, (tuple, list)) else (dyadic_order, dyadic_order)
    dx, dy = (
        np.repeat(np.diff(transform(path, **transforms), axis=0) / 2**order, 2**order, axis=0)
        for path, order in zip((x, y), orders)
    )
    delta = (dx @ dy.T).astype(np.longdouble)
    k = np.ones((len(dx) + 1, len(dy) + 1), np.longdouble)
    for i in range(len(dx)):
        for j in range(len(dy)):
            d = delta[i, j]
            k[i + 1, j + 1] = (k[i + 1, j] + k[i, j + 1]) * (1 + d / 2 + d * d / 12) - k[i, j] * (1 - d * d / 12)
    return k.astype(np.float64)


def sigkernel(x, y, **options):
    return grid(x, y, **options)[-1, -1]


def central_differences(function, array, step=1e-5):
    """The gradient of a scalar function of a float64 array."""
    gradient = np.empty_like(array)
    for index in np.ndindex(array.shape):
        sides = []
        for sign in (1, -1):
            moved = array.copy()
            moved[index] += sign * step
            sides.append(function(moved))
        gradient[index] = (sides[0] - sides[1]) / (2 * step)
    return gradient
