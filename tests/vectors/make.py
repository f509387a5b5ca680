"""Writes the test vectors: inputs, options and what other people's libraries make of them.

    pip install pysiglib==4.0.0 torch numpy esig==1.0.0
    pip install -U setuptools wheel && pip install --no-build-isolation iisignature==0.24
    python tests/vectors/make.py        # writes *.json beside this file
    python tests/vectors/check.py       # recomputes them and compares

One file a function:

    {"function": "sigkernel", "source": [...], "cases": [
      {"name": "...", "peer": "pysiglib 4.0.0",
       "options":  {"dyadic_order": [2, 1], "time_aug": true, "end_time": 1.5, "lead_lag": "lag_first"},
       "inputs":   {"x": {"shape": [3, 10, 2], "data": [...]}, "y": {...}},
       "expected": {"kernel": {"shape": [3], "data": [...]}}}]}

Options and inputs carry the names of the Python interface and are always written out in full. `data` is flat in C
order, doubles that round trip. Paths are batch x length x dim. `lead_lag` is false, "lead_first" or "lag_first":
pySigLib puts the lag block first, and kernels and their gradients do not depend on the order.

Left out, because the peer is approximate or wrong there:
- iisignature.sigbackprop: computes in double and answers in single precision;
- pySigLib's kernel grid of a one-point path: only its first entry is written, the others are left as they were;
- pySigLib's kernels and transforms of a one-point path with time: refused.
"""

import itertools
import json
import pathlib
import sys
import zlib

import esig
import iisignature
import numpy as np
import pysiglib
import torch

torch.set_num_threads(1)  # sums in a fixed order

HERE = pathlib.Path(__file__).parent
PYSIGLIB, IISIGNATURE, ESIG = "pysiglib 4.0.0", "iisignature 0.24", "esig 1.0.0"
TRANSFORMS = [  # (time_aug, end_time, lead_lag)
    (False, 1.0, False),
    (True, 1.0, False),
    (False, 1.0, "lag_first"),
    (True, 2.5, "lag_first"),
]


# What the peers say. Each function takes the options and inputs of a case as keywords, and returns its `expected`.


def flags(time_aug, end_time, lead_lag):
    assert lead_lag in (False, "lag_first"), "pySigLib has one order"
    return {"time_aug": time_aug, "end_time": end_time, "lead_lag": bool(lead_lag)}


def lead_first(array):
    """Swaps the two blocks of channels of a lead-lag path."""
    half = array.shape[-1] // 2
    return np.concatenate([array[..., half:], array[..., :half]], axis=-1)


def signature(peer, path, degree, scalar_term, time_aug, end_time, lead_lag):
    if peer == ESIG:  # one path at a time, always with level 0
        assert scalar_term and not time_aug and not lead_lag
        return {"signature": np.stack([esig.stream2sig(p, degree) for p in path])}
    if peer == IISIGNATURE:
        assert not scalar_term and not time_aug
        if lead_lag:
            path = pysiglib.transform_path(path, lead_lag=True)
            path = lead_first(path) if lead_lag == "lead_first" else path
        return {"signature": iisignature.sig(path, degree)}
    if lead_lag == "lead_first":
        assert not time_aug
        path, lead_lag = lead_first(pysiglib.transform_path(path, lead_lag=True)), False
    return {"signature": pysiglib.sig(path, degree, scalar_term=scalar_term, **flags(time_aug, end_time, lead_lag))}


def sig_backprop(peer, path, grad, degree, scalar_term, time_aug, end_time, lead_lag):
    moved = lead_lag == "lead_first"
    if moved:
        assert not time_aug
        path, lead_lag = lead_first(pysiglib.transform_path(path, lead_lag=True)), False
    options = flags(time_aug, end_time, lead_lag)
    value = pysiglib.sig(path, degree, scalar_term=scalar_term, **options)
    result = pysiglib.sig_backprop(path, value, grad, degree, **options)
    if moved:
        result = pysiglib.transform_path_backprop(lead_first(result), lead_lag=True)
    return {"path_grad": result}


def sigkernel(peer, x, y, dyadic_order, **transform):
    return {"kernel": pysiglib.sig_kernel(x, y, dyadic_order=tuple(dyadic_order), **flags(**transform))}


def sigkernel_grid(peer, x, y, dyadic_order, **transform):
    options = {"dyadic_order": tuple(dyadic_order), "return_grid": True}
    return {"grid": pysiglib.sig_kernel(x, y, **options, **flags(**transform))}


def sigkernel_backprop(peer, grad, x, y, dyadic_order, **transform):
    options = {"dyadic_order": tuple(dyadic_order), "right_deriv": True}
    x_grad, y_grad = pysiglib.sig_kernel_backprop(grad, x, y, **options, **flags(**transform))
    return {"x_grad": x_grad, "y_grad": y_grad}


def sigkernel_grid_backprop(peer, grad, x, y, dyadic_order, **transform):
    options = {"dyadic_order": tuple(dyadic_order), "right_deriv": True, "return_grid": True}
    x_grad, y_grad = pysiglib.sig_kernel_backprop(grad, x, y, **options, **flags(**transform))
    return {"x_grad": x_grad, "y_grad": y_grad}


def sigkernel_gram(peer, x, dyadic_order, y=None, **transform):
    y = x if y is None else y  # pySigLib takes the symmetric route when both are one object
    return {"gram": pysiglib.sig_kernel_gram(x, y, dyadic_order=tuple(dyadic_order), **flags(**transform))}


def sigkernel_gram_backprop(peer, grad, x, dyadic_order, y=None, **transform):
    options = {"dyadic_order": tuple(dyadic_order), "right_deriv": True}
    other = x if y is None else y
    x_grad, y_grad = pysiglib.sig_kernel_gram_backprop(grad, x, other, **options, **flags(**transform))
    return {"x_grad": x_grad + y_grad} if y is None else {"x_grad": x_grad, "y_grad": y_grad}


def time_augment(peer, path, grad, end_time):
    return {
        "transformed": pysiglib.transform_path(path, time_aug=True, end_time=end_time),
        "path_grad": pysiglib.transform_path_backprop(grad, time_aug=True, end_time=end_time),
    }


def lead_lag(peer, path, grad, lead_lag):
    moved = lead_first if lead_lag == "lead_first" else lambda array: array
    return {
        "transformed": moved(pysiglib.transform_path(path, lead_lag=True)),
        "path_grad": pysiglib.transform_path_backprop(np.ascontiguousarray(moved(grad)), lead_lag=True),
    }


# The cases: (peer, options, inputs). Inputs are decimals of three places, to keep the files small.


def noise(rng, *shape):
    return np.round(rng.normal(size=shape), 3)


def walk(rng, batch, length, dim):
    """Random walks whose size does not grow with length or dim, started away from the origin.

    They drift the same way: the kernel of opposed paths and the signature of one that returns are small differences of
    large numbers.
    """
    step = (rng.normal(size=(batch, length, dim)) / length**0.5 + 2 / length) / dim**0.5
    return np.round(step.cumsum(axis=1) + 0.5, 3)


def curve(batch, length, dim):
    """Smooth curves, where the updates of a kernel are small against the kernel."""
    b, t, c = np.ogrid[0:batch, 0 : 1 : length * 1j, 0:dim]
    return np.round((np.sin((1 + c) * t + b) + 0.5 * t**2) / dim**0.5, 3)


def transform_options(transform):
    return dict(zip(("time_aug", "end_time", "lead_lag"), transform, strict=True))


def transformed_dim(dim, transform):
    time_aug, _, lead_lag = transform
    return dim * (2 if lead_lag else 1) + time_aug


def signature_shapes(limit):
    """(batch, length, dim, degree, transform) with at most `limit` numbers in the signatures, batches from 17 down."""
    # Periods without a common divisor with the six degrees, so that everything meets everything.
    lengths = itertools.cycle((10, 2, 33, 3, 70, 1, 10))
    batches = itertools.cycle(((1,), (17, 3, 1), (3, 1), (17, 3, 1), (3, 1)))
    for transform, dim, degree in itertools.product(TRANSFORMS, (1, 2, 3, 4, 5, 9), range(1, 7)):
        wide = transformed_dim(dim, transform)
        size = sum(wide**k for k in range(1, degree + 1))
        length = next(lengths)
        batch = next((b for b in next(batches) if b * size <= limit and b * length * dim <= 700), 1)
        if size <= limit:
            yield batch, length, dim, degree, transform


def signature_cases(rng, limit, with_grad, peers):
    for n, (batch, length, dim, degree, transform) in enumerate(signature_shapes(limit)):
        path = walk(rng, batch, length, dim)
        variants = [(PYSIGLIB, n % 2 == 1, transform)]
        if IISIGNATURE in peers and not transform[0] and n % 2 == 0:
            variants.append((IISIGNATURE, False, transform))
        if ESIG in peers and transform == TRANSFORMS[0] and n % 2 == 1:
            variants.append((ESIG, True, transform))
        if transform[2] and not transform[0] and n % 2 == 1:
            variants.append((PYSIGLIB, False, (False, 1.0, "lead_first")))
        for peer, scalar_term, transform in variants:
            wide = transformed_dim(dim, transform)
            size = sum(wide**k for k in range(0 if scalar_term else 1, degree + 1))
            inputs = {"path": path, "grad": noise(rng, batch, size)} if with_grad else {"path": path}
            yield peer, {"degree": degree, "scalar_term": scalar_term, **transform_options(transform)}, inputs


def grid_shape(batch, m, n, orders, transform):
    steps = [(length - 1) * (2 if transform[2] else 1) for length in (m, n)]
    return (batch, *((steps[side] << orders[side]) + 1 for side in (0, 1)))


def scalar_shape(batch, *_):
    return (batch,)


def nodes(m, n, orders, transform):
    return np.prod(grid_shape(1, m, n, orders, transform))


# Nodes of a grid. The recurrence as pySigLib evaluates it rounds the more, the more cells there are: it is 1e-12 off at
# 2e4 nodes, 4e-12 at 3e5, both against the same in 32 digits. Up to here all is right to 2e-13, and so can be held
# against any other order of evaluation at 1e-12.
LIMIT = 10000


def dyadic_orders():
    """The next pair of dyadic orders at each call, of those that keep the grid within the limit."""
    every = itertools.cycle(((0, 0), (1, 0), (0, 2), (2, 1), (3, 3)))
    return lambda m, n, transform: next(orders for orders in every if nodes(m, n, orders, transform) <= LIMIT)


def kernel_shapes():
    """(batch, x_length, y_length, dim, orders, transform), the longer the smaller the batch."""
    dims = itertools.cycle((1, 2, 3, 4, 5, 9, 2))
    orders = dyadic_orders()
    short = ((2, 2), (2, 10), (3, 3), (3, 2), (10, 3), (10, 10))
    long = ((33, 10), (10, 33), (33, 33), (70, 33), (33, 70), (70, 70))
    batches = itertools.cycle((1, 17, 3, 1, 3))
    for transform, (m, n) in itertools.product(TRANSFORMS, short + long):
        batch = next(batches)
        if nodes(m, n, (0, 0), transform) <= LIMIT:
            yield batch if (m + n) * batch <= 200 else 1, m, n, next(dims), orders(m, n, transform), transform


def kernel_cases(rng, shapes, grad_shape=None):
    for i, (batch, m, n, dim, orders, transform) in enumerate(shapes):
        x, y = (curve(batch, k, dim) if i % 5 == 4 else walk(rng, batch, k, dim) for k in (m, n))
        inputs = {"x": x, "y": y}
        if grad_shape:
            inputs["grad"] = noise(rng, *grad_shape(batch, m, n, orders, transform))
        yield PYSIGLIB, {"dyadic_order": list(orders), **transform_options(transform)}, inputs


def small_grids(limit):
    for batch, m, n, dim, orders, transform in kernel_shapes():
        if batch * nodes(m, n, orders, transform) <= limit:
            yield batch, m, n, dim, orders, transform


def one_point_kernels():
    for m, n in ((1, 1), (1, 10), (10, 1)):
        yield 3, m, n, 2, (1, 0), TRANSFORMS[0]


def gram_cases(rng, with_grad):
    sizes = ((1, 1, 3, 2), (3, 5, 10, 3), (2, 3, 2, 10), (17, 3, 3, 3), (5, 5, 10, 10), (3, 1, 33, 10), (1, 3, 10, 33))
    orders = dyadic_orders()
    dims = itertools.cycle((2, 1, 5, 3, 9, 4))
    for transform in TRANSFORMS:
        for x_batch, y_batch, m, n in sizes:
            dim = next(dims)
            inputs = {"x": walk(rng, x_batch, m, dim), "y": walk(rng, y_batch, n, dim)}
            if with_grad:
                inputs["grad"] = noise(rng, x_batch, y_batch)
            yield PYSIGLIB, {"dyadic_order": list(orders(m, n, transform)), **transform_options(transform)}, inputs
        for batch, length, order in ((1, 10, 1), (3, 33, 0), (5, 3, 2), (17, 2, 0)):  # no y: x with itself
            inputs = {"x": walk(rng, batch, length, next(dims))}
            if with_grad:
                inputs["grad"] = noise(rng, batch, batch)  # not symmetric on purpose
            yield PYSIGLIB, {"dyadic_order": [order, order], **transform_options(transform)}, inputs


def time_augment_cases(rng):
    shapes = ((1, 2, 1), (3, 10, 2), (17, 3, 5), (1, 70, 9))
    for (batch, length, dim), end_time in itertools.product(shapes, (1.0, 2.5)):
        inputs = {"path": walk(rng, batch, length, dim), "grad": noise(rng, batch, length, dim + 1)}
        yield PYSIGLIB, {"end_time": end_time}, inputs


def lead_lag_cases(rng):
    shapes = ((1, 1, 2), (1, 2, 1), (3, 10, 2), (17, 3, 5), (1, 33, 9))
    for (batch, length, dim), order in itertools.product(shapes, ("lag_first", "lead_first")):
        inputs = {"path": walk(rng, batch, length, dim), "grad": noise(rng, batch, 2 * length - 1, 2 * dim)}
        yield PYSIGLIB, {"lead_lag": order}, inputs


FUNCTIONS = {  # name: (peer, cases)
    "signature": (signature, lambda rng: signature_cases(rng, 1100, False, (PYSIGLIB, IISIGNATURE, ESIG))),
    "sig_backprop": (sig_backprop, lambda rng: signature_cases(rng, 1100, True, (PYSIGLIB,))),
    "sigkernel": (sigkernel, lambda rng: kernel_cases(rng, itertools.chain(one_point_kernels(), kernel_shapes()))),
    "sigkernel_grid": (sigkernel_grid, lambda rng: kernel_cases(rng, small_grids(1500))),
    "sigkernel_backprop": (sigkernel_backprop, lambda rng: kernel_cases(rng, kernel_shapes(), scalar_shape)),
    "sigkernel_grid_backprop": (sigkernel_grid_backprop, lambda rng: kernel_cases(rng, small_grids(1500), grid_shape)),
    "sigkernel_gram": (sigkernel_gram, lambda rng: gram_cases(rng, False)),
    "sigkernel_gram_backprop": (sigkernel_gram_backprop, lambda rng: gram_cases(rng, True)),
    "time_augment": (time_augment, time_augment_cases),
    "lead_lag": (lead_lag, lead_lag_cases),
}


def arrays(named):
    return {name: {"shape": list(a.shape), "data": np.asarray(a, float).ravel().tolist()} for name, a in named.items()}


def case_name(peer, options, inputs):
    shapes = " ".join(f"{key}{'x'.join(map(str, a.shape))}" for key, a in inputs.items() if key != "grad")
    settings = " ".join(f"{k}={json.dumps(v, separators=(',', ':'))}" for k, v in options.items())
    return f"{peer.split()[0]} {shapes} {settings}"


def main():
    for name, (peer_function, cases) in FUNCTIONS.items():
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        lines, sources = [], set()
        for peer, options, inputs in cases(rng):
            expected = peer_function(peer, **inputs, **options)
            case = {"name": case_name(peer, options, inputs), "peer": peer, "options": options}
            case |= {"inputs": arrays(inputs), "expected": arrays(expected)}
            lines.append(json.dumps(case, separators=(",", ":"), allow_nan=False))
            sources.add(peer)
        head = f'{{"function":"{name}","source":{json.dumps(sorted(sources))},"cases":[\n'
        file = HERE / f"{name}.json"
        file.write_text(head + ",\n".join(lines) + "\n]}\n")
        print(f"{file.name}: {len(lines)} cases, {file.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
