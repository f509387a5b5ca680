"""Errors of Goursat and pySigLib on hard inputs, against long double and 80 digits: a table in Markdown.

    make accuracy            # some minutes; writes build/accuracy.md; --quick leaves out what is longer than 10,000 points

The judge is the same recurrence on the same stored numbers: judge.c in long double, which is itself held to mpmath with
80 digits on small inputs here. Errors are relative: of a kernel to itself, of a gradient to its largest entry, of
signatures to the largest coefficient of each level. Gradients of signatures, and those of kernels of more than 4,096
points or refined, are judged along one direction, the path itself. Single precision beyond 10^9 cells is judged by
Goursat's double precision on the same numbers, which the row itself holds to long double.
"""

import argparse
import ctypes
import subprocess
import sys
import tempfile
from math import factorial
from pathlib import Path

import mpmath
import numpy as np
from works import pysiglib, set_threads

import goursat

HERE = Path(__file__).parent
WHOLE, PEER_CELLS, PEER_BACK = 4096, 1.1e8, 4200**2  # what long double keeps in memory; what the peer can do


class Judge:
    """judge.c."""

    def __init__(self, folder: str) -> None:
        library = f"{folder}/judge.so"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, str(HERE / "judge.c"), "-lm"], check=True)
        self.library = ctypes.CDLL(library)

    @staticmethod
    def _address(array):
        return None if array is None else array.ctypes.data_as(ctypes.c_void_p)

    def kernel(self, x, y, orders=(0, 0), direction=None):
        """Return the kernel and its derivative along a direction of x."""
        x, y = (np.ascontiguousarray(path, np.float64) for path in (x, y))
        v = None if direction is None else np.ascontiguousarray(direction, np.float64)
        out = [ctypes.c_double() for _ in range(2)]
        size = ctypes.c_size_t
        self.library.judge_kernel(
            self._address(x), size(len(x)), self._address(y), size(len(y)), size(x.shape[1]), *map(ctypes.c_uint, orders),
            self._address(v), *map(ctypes.byref, out),
        )  # fmt: skip
        return tuple(number.value for number in out)

    def gradients(self, x, y):
        x, y = (np.ascontiguousarray(path, np.float64) for path in (x, y))
        gx, gy, size = np.empty_like(x), np.empty_like(y), ctypes.c_size_t
        failed = self.library.judge_gradients(
            self._address(x), size(len(x)), self._address(y), size(len(y)), size(x.shape[1]), self._address(gx),
            self._address(gy),
        )  # fmt: skip
        assert not failed, "no memory"
        return gx, gy

    def signature(self, path, degree, direction):
        path, v = (np.ascontiguousarray(values, np.float64) for values in (path, direction))
        out = np.empty(goursat.signature_length(path.shape[1], degree))
        slope, size = np.empty_like(out), ctypes.c_size_t
        self.library.judge_signature(
            self._address(path), size(len(path)), size(path.shape[1]), size(degree), self._address(v),
            self._address(out), self._address(slope),
        )  # fmt: skip
        return out, slope


# ------------------------------------------------------------------------------------------------------------- 80 digits


def exact_kernel(x, y):
    """k(x, y) with 80 digits, x and y lists of points of mpf."""
    row = [mpmath.mpf(1)] * len(y)
    for a, b in zip(x, x[1:]):
        new = [mpmath.mpf(1)]
        for j in range(len(y) - 1):
            delta = sum((q - p) * (t - s) for p, q, s, t in zip(a, b, y[j], y[j + 1]))
            square = delta * delta / 12
            new.append((new[j] + row[j + 1]) * (1 + delta / 2 + square) - row[j] * (1 - square))
        row = new
    return row[-1]


def exact_signature(path, degree):
    """Levels 1 to `degree` with 80 digits, by Chen's identity."""
    dim = len(path[0])
    levels = [[mpmath.mpf(k == 0)] * dim**k for k in range(degree + 1)]
    for a, b in zip(path, path[1:]):
        z = [q - p for p, q in zip(a, b)]
        for k in range(degree, 0, -1):
            h = [mpmath.mpf(1)]
            for j in range(1, k + 1):
                part = [c / (k - j + 1) for c in z]
                h = [value * c for value in h for c in part]
                h = [s + value for s, value in zip(levels[j], h)]
            levels[k] = h
    return [value for level in levels[1:] for value in level]


def moved(path, direction, sign):
    """The path with 80 digits, moved by 1e-25 along a direction: central differences are then right to 1e-48."""
    return [[mpmath.mpf(v) + sign * mpmath.mpf(10) ** -25 * u for v, u in zip(*rows)] for rows in zip(path, direction)]


def along(function, path, direction):
    """The derivative of a function of a path, and its value."""
    up, down = (function(moved(path, direction, sign)) for sign in (1, -1))
    return (up - down) / (2 * mpmath.mpf(10) ** -25), function(moved(path, direction, 0))


# ----------------------------------------------------------------------------------------------------------------- paths


def circle(points, radius, turns):
    angle = 2 * np.pi * turns * np.linspace(0, 1, points)
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def walk(points, dim, seed, scale=1.0):
    steps = np.random.default_rng(seed).uniform(-1, 1, (points, dim)) * 1.7 * scale / np.sqrt(points * dim)
    return np.cumsum(steps, axis=0)


def line(points, end):
    return np.linspace(0, end, points)[:, None]


def there_and_back(points, height):
    up = line(points // 2, height)
    return np.concatenate([up, up[-2::-1]])


def smooth(points, dim):
    at, c = np.linspace(0, 1, points)[:, None], np.arange(dim)
    return np.sin(at * (1.5 + c) + c)


def pairs():
    for n in (1000, 4096, 10_000):
        yield f"two circles, {n:,} × {n:,} points", circle(n, 0.4, 1.0), circle(n, 0.3, 1.2), (0, 0)
        yield f"two walks in 3 channels, {n:,} × {n:,}", walk(n, 3, 1), walk(n, 3, 2), (0, 0)
    yield "two lines, 4,096 × 4,096", line(4096, 1.1), line(4096, 0.8), (0, 0)
    yield "circles, 128 × 125, orders (4, 4)", circle(128, 0.4, 1.0), circle(125, 0.3, 1.2), (4, 4)
    yield "large increments: walks, 64 × 64, steps of 2", walk(64, 3, 3, 16.0), walk(64, 3, 4, 16.0), (0, 0)
    yield "large increments: one cell of Δ = 900", line(2, 30), line(2, 30), (0, 0)
    yield "large values: lines to 40, k = 1e33, 200 × 200", line(200, 40), line(200, 40), (0, 0)
    yield "oscillation: a line to 30 against one to -30, 500 × 500", line(500, 30), line(500, -30), (0, 0)
    yield "there and back, 3 up, 400 × 400", there_and_back(400, 3), there_and_back(400, 3), (0, 0)
    yield "two circles, 100,000 × 1,000", circle(100_000, 0.4, 1.0), circle(1000, 0.3, 1.2), (0, 0)
    yield "two walks in 3 channels, 100,000 × 1,000", walk(100_000, 3, 5), walk(1000, 3, 6), (0, 0)
    yield "two circles, 100,000 × 100,000", circle(100_000, 0.4, 1.0), circle(100_000, 0.3, 1.2), (0, 0)
    yield "two walks in 3 channels, 100,000 × 100,000", walk(100_000, 3, 7), walk(100_000, 3, 8), (0, 0)


def paths():
    yield "a walk of 100 points in 2 channels, degree 12", walk(100, 2, 9), 12
    yield "a smooth path of 1,000 points in 2 channels, degree 12", smooth(1000, 2), 12
    yield "steps of 10, 50 points in 2 channels, degree 12", walk(50, 2, 10, 60.0), 12
    yield "a walk of 200 points in 6 channels, degree 5", walk(200, 6, 11), 5
    yield "a smooth path of 100,000 points in 3 channels, degree 4", smooth(100_000, 3), 4
    yield "a walk of 100,000 points in 3 channels, degree 4", walk(100_000, 3, 12), 4


# ---------------------------------------------------------------------------------------------------------------- errors


def off(found, exact):
    found, exact = np.asarray(found, np.float64), np.asarray(exact, np.float64)
    return float(np.max(np.abs(found - exact)) / np.max(np.abs(exact)))


def level_error(found, exact, dim, degree):
    worst, begin = 0.0, 0
    for k in range(1, degree + 1):
        level = slice(begin, begin + dim**k)
        worst, begin = max(worst, off(found[level], exact[level])), level.stop
    return worst


def of_pair(judge, x, y, orders):
    """Errors (kernel, peer's, gradient, peer's) of one precision; None where the peer is not asked."""
    nodes = (len(x) << orders[0]) * (len(y) << orders[1])
    whole = max(len(x), len(y)) <= WHOLE and orders == (0, 0)
    if nodes > 1e9 and x.dtype == np.float32:
        x_wide, y_wide = x.astype(np.float64), y.astype(np.float64)
        k = float(goursat.sigkernel(x_wide, y_wide))
        slope = float(np.sum(goursat.sigkernel_backprop(1.0, x_wide, y_wide, wrt="x") * x_wide))
    else:
        k, slope = judge.kernel(x, y, orders, None if whole else x)
    exact = judge.gradients(x, y) if whole else None

    def gradient_error(gx, gy):
        if whole:
            return max(off(gx, exact[0]), off(gy, exact[1]))
        return abs(float(np.sum(gx.astype(np.float64) * x)) / slope - 1)

    one = np.ones((), x.dtype)
    errors = [
        off(goursat.sigkernel(x, y, dyadic_order=orders), k),
        None,
        gradient_error(*goursat.sigkernel_backprop(one, x, y, dyadic_order=orders)),
        None,
    ]
    if pysiglib and nodes <= PEER_CELLS:
        order = orders[0]
        errors[1] = off(pysiglib.sig_kernel(x, y, dyadic_order=order), k)
        if nodes <= PEER_BACK:
            both = {"left_deriv": True, "right_deriv": True}
            given = np.ones(1, x.dtype)
            gx, gy = pysiglib.sig_kernel_backprop(given, x[None], y[None], dyadic_order=order, **both)
            errors[3] = gradient_error(np.asarray(gx)[0], np.asarray(gy)[0])
    return errors


def of_path(judge, path, degree):
    dim = path.shape[1]
    exact, slope = judge.signature(path, degree, path)
    scale = np.concatenate([np.full(dim**k, float(factorial(k))) for k in range(1, degree + 1)])
    # Every level matters about as much, on paths of any size.
    size = max(1.0, np.abs(exact[:dim]).max())
    powers = np.concatenate([np.full(dim**k, size**-k) for k in range(1, degree + 1)])
    grad = (np.random.default_rng(13).uniform(0.2, 1, len(exact)) * scale * powers).astype(path.dtype)
    exact_slope = float(np.sum(grad.astype(np.float64) * slope))

    def gradient_error(found):
        return abs(float(np.sum(np.asarray(found, np.float64) * path)) / exact_slope - 1)

    values = goursat.signature(path, degree)
    errors = [level_error(values, exact, dim, degree), None, gradient_error(goursat.sig_backprop(grad, path, degree)), None]
    if pysiglib:
        errors[1] = level_error(np.asarray(pysiglib.sig(path, degree)), exact, dim, degree)
        errors[3] = gradient_error(pysiglib.sig_backprop(path, values, grad, degree))
    return errors


def check_judge(judge):
    """Hold long double to 80 digits, and both to Goursat: lines of text."""
    mpmath.mp.dps = 80
    pair = {
        "walks, 48 × 48": (walk(48, 3, 21), walk(48, 3, 22)),
        "steps of 3, 48 × 48": (walk(48, 3, 3, 26.0), walk(48, 3, 4, 26.0)),
        "lines to 30, 60 × 60": (line(60, 30), line(60, 30)),
    }
    for name, (x, y) in pair.items():
        direction = np.random.default_rng(23).uniform(0.1, 1, x.shape)
        wide = moved(y, y, 0)
        slope, value = along(lambda p: exact_kernel(p, wide), x, direction)
        k, judged = judge.kernel(x, y, direction=direction)
        gx, _ = goursat.sigkernel_backprop(1.0, x, y)
        yield f"kernel of {name}", [
            float(abs(k / value - 1)), float(abs(judged / slope - 1)),
            float(abs(float(goursat.sigkernel(x, y)) / value - 1)), float(abs(np.sum(gx * direction) / slope - 1)),
        ]  # fmt: skip
    for name, path, degree in [("20 points, degree 12", walk(20, 2, 9), 12), ("steps of 10", walk(12, 2, 10, 30.0), 12)]:
        direction = np.random.default_rng(24).uniform(0.1, 1, path.shape)
        grad = np.random.default_rng(25).uniform(0.1, 1, goursat.signature_length(2, degree))
        value, judged = judge.signature(path, degree, direction)
        exact = exact_signature(moved(path, path, 0), degree)
        weigh = lambda p: mpmath.fdot(zip(grad.tolist(), exact_signature(p, degree)))  # noqa: E731
        slope, _ = along(weigh, path, direction)
        exact = np.array([float(v) for v in exact])
        found = np.sum(goursat.sig_backprop(grad, path, degree) * direction)
        yield f"signature of {name}", [
            level_error(value, exact, 2, degree), float(abs(np.dot(grad, judged) / slope - 1)),
            level_error(goursat.signature(path, degree), exact, 2, degree), float(abs(found / slope - 1)),
        ]  # fmt: skip


def write(number):
    return "" if number is None else "< 1e-16" if number < 1e-16 else f"{number:.1e}"


def table(head, rows):
    lines = [" | ".join(head), " | ".join(["---"] + ["---:"] * (len(head) - 1))] + [" | ".join(row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def refined(judge, points):
    """How far the scheme is from the solution on finer grids: pairs of Brownian paths and circles, in double."""
    for name, x, y in [
        (f"two walks in 2 channels, {points:,} points", walk(points, 2, 31), walk(points, 2, 32)),
        (f"two circles, {points:,} points", circle(points, 0.4, 1.0), circle(points, 0.3, 1.2)),
    ]:
        values = [float(goursat.sigkernel(x, y, dyadic_order=order)) for order in (0, 1, 2)]
        single = float(goursat.sigkernel(x.astype(np.float32), y.astype(np.float32)))
        yield [name, *(write(abs(v / values[2] - 1)) for v in [*values[:2], single])]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="build/accuracy.md")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="", help="works whose name has this in it")
    arguments = parser.parse_args()
    set_threads(0)
    with tempfile.TemporaryDirectory() as folder:
        judge, rows, small, fine, wrong = Judge(folder), [], [], [], []
        for name, errors in check_judge(judge):
            small.append([name, *map(write, errors)])
            wrong += [name] if not max(errors) < 1e-11 else []
            print(" | ".join(small[-1]), flush=True)
        # Name, errors of one precision, and what is promised in f64 and f32.
        jobs = [(name, lambda t, x=x, y=y, o=o: of_pair(judge, x.astype(t), y.astype(t), o), len(x) * len(y) ** 0.5)
                for name, x, y, o in pairs()]  # fmt: skip
        jobs += [(name, lambda t, p=p, n=n: of_path(judge, p.astype(t), n), 0) for name, p, n in paths()]
        for name, errors, work in jobs:
            if arguments.only not in name or arguments.quick and work > 1e6:
                continue
            row = [name]
            for dtype in (np.float64, np.float32):
                found = errors(dtype)
                row += map(write, found)
            rows.append(row)
            print(" | ".join(row), flush=True)
        if not arguments.quick and arguments.only in "refined":
            fine = list(refined(judge, 131_072))
    heads = [f"{t} {what}{of}" for t in ("f64", "f32") for what in ("value", "gradient") for of in ("", ", pySigLib")]
    text = "\n\n".join([
        f"Goursat {goursat.__version__} ({goursat.simd_level()}), pySigLib 4.0.0; relative errors.",
        table(["80 digits", "long double", "its gradient", "Goursat", "its gradient"], small),
        table(["long double", *heads], rows),
        table(["against order 2", "order 0", "order 1", "f32, order 0"], fine),
    ])  # fmt: skip
    Path(arguments.output).parent.mkdir(parents=True, exist_ok=True)
    Path(arguments.output).write_text(text + "\n")
    print(text)
    for name in wrong:
        print(f"{name}: more than 1e-11 off", file=sys.stderr)
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main())
