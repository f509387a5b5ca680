"""Times the CUDA kernels on this machine's GPU beside the least that the work could take.

    python benches/cuda/time_kernels.py [--check] [--small]

Needs the driver, NumPy and kernels/*.ptx; no toolkit. --check compares results with the library (the Python package
goursat, or GOURSAT_LIBRARY), and times nothing; --small does tiny cases, for machines that only pretend to be a GPU.
The floor of a call is its fused multiply-adds over what the device has of them a second outside its tensor cores: FLOORS
below. Inputs lie on the device; each time is the least of several, between events on the stream.
"""

import argparse
import ctypes
import sys

import numpy as np
from driver import HANDLE, Driver
from plan import Device, Pairs, Signatures

# Multiply-adds a clock and multiprocessor, f32 and f64, by compute capability; others count as the last.
FLOORS = {(7, 5): (64, 2), (8, 0): (64, 32), (8, 6): (128, 2), (8, 9): (128, 2), (9, 0): (128, 64), (10, 0): (128, 64)}
CLOCK = 13  # attribute: kHz


def walks(count, length, dim, seed):
    steps = np.random.default_rng(seed).standard_normal((count, length, dim)) / np.sqrt(length * dim)
    return np.cumsum(steps, axis=1).astype(np.float32).astype(np.float64)


# A million points each: not for --check, a CPU takes long for it.
LONGEST = (1, 1_000_000, 2), (1, 1_000_000, 2)


class Kernels:
    """k of pairs or a Gram matrix, or its gradients."""

    def __init__(self, x, y, gram=False, back=False):
        self.shape, self.gram, self.back = (x, y), gram, back
        (self.bx, self.lx, self.d), (self.by, self.ly, _) = x, y
        pairs = self.bx * self.by if gram else self.bx
        cells = pairs * (self.lx - 1) * (self.ly - 1)
        # Increments are carried: 6 operations a cell forward, 18 more back; d forward, 3 d more back.
        self.work = cells * (4 * self.d + 24 if back else self.d + 6)
        self.cells = cells

    def name(self):
        kind = f"Gram {self.bx} x {self.by}" if self.gram else f"kernel {self.bx}"
        return f"{kind}{' gradients' if self.back else ''} ({self.lx}, {self.d})"

    def prepare(self, device):
        self.x, self.y = walks(*self.shape[0], 1), walks(*self.shape[1], 2)
        job = Pairs(device, self.x, self.y, self.gram, self.back)
        if self.back:
            self.weights = np.random.default_rng(3).standard_normal(job.count)
            job.prepare_back(self.weights)
        return job

    def run(self, job):
        return job.back() if self.back else job.values()

    def check(self, goursat, job):
        shape = (self.bx, self.by) if self.gram else (self.bx,)
        if not self.back:
            wanted = goursat.sigkernel_gram(self.x, self.y) if self.gram else goursat.sigkernel(self.x, self.y)
            return [(job.result().reshape(shape), wanted)]
        backprop = goursat.sigkernel_gram_backprop if self.gram else goursat.sigkernel_backprop
        wanted = backprop(self.weights.reshape(shape), self.x, self.y)
        return [(job.gradient(0), wanted[0]), (job.gradient(1), wanted[1])]


class Words:
    """Signatures, or their gradients."""

    def __init__(self, count, length, dim, degree, back=False):
        self.shape, self.degree, self.back = (count, length, dim), degree, back
        forward = count * (length - 1) * sum((degree - k + 1) * dim**k for k in range(1, degree + 1))
        self.work, self.cells = forward * (3.5 if back else 1), 0

    def name(self):
        return f"signature{' gradient' if self.back else ''} {self.shape} degree {self.degree}"

    def prepare(self, device):
        self.paths = walks(*self.shape, 1)
        job = Signatures(device, self.paths, self.degree)
        if self.back:
            self.weights = np.random.default_rng(3).standard_normal((self.shape[0], job.size))
            job.prepare_back(self.weights)
        return job

    def run(self, job):
        return job.back() if self.back else job.values()

    def check(self, goursat, job):
        if self.back:
            return [(job.gradient(), goursat.sig_backprop(self.weights, self.paths, self.degree))]
        return [(job.result(), goursat.signature(self.paths, self.degree))]


def cases(small):
    if small:
        pairs = [((3, 20, 3), (3, 33, 3)), ((2, 300, 8), (2, 40, 8)), ((2, 9, 40), (2, 12, 40)), ((2, 70, 12), (2, 9, 12))]
        grams = [((3, 12, 2), (4, 15, 2))]
        paths = [(3, 12, 3, 3), (2, 300, 2, 4), (2, 600, 2, 2)]
    else:
        sizes = ((256, 8), (512, 16), (1024, 32))
        pairs = [((128, length, dim), (128, length, dim)) for length, dim in sizes]
        pairs += [((20000, 20, 4), (20000, 20, 4)), ((1, 100_000, 2), (1, 100_000, 2)), LONGEST]
        grams = [((1024, 128, 8), (1024, 128, 8))]
        grams += [((32, 1000, dim), (32, 1000, dim)) for dim in (2, 4, 8, 16)]
        paths = [(32, 128, 4, 7), (32, 1024, 16, 4), *((256, 10_000, dim, 3) for dim in (4, 8, 16))]
    for back in (False, True):
        for x, y in pairs:
            if not (back and x[1] > 50_000):
                yield Kernels(x, y, back=back)
        for x, y in grams:
            yield Kernels(x, y, gram=True, back=back)
        for shape in paths:
            yield Words(*shape, back=back)


def least_time(driver, run, repeats=5):
    """Milliseconds, the least of several, after one call that warms up."""
    begin, end = HANDLE(), HANDLE()
    driver.call("cuEventCreate", ctypes.byref(begin), 0)
    driver.call("cuEventCreate", ctypes.byref(end), 0)
    run()
    times = []
    for _ in range(repeats):
        driver.call("cuEventRecord", begin, HANDLE(0))
        run()
        driver.call("cuEventRecord", end, HANDLE(0))
        driver.call("cuEventSynchronize", end)
        elapsed = ctypes.c_float()
        driver.call("cuEventElapsedTime", ctypes.byref(elapsed), begin, end)
        times.append(elapsed.value)
    return min(times)


def ceilings(driver):
    """Multiply-adds a second, f32 and f64."""
    each = FLOORS.get(driver.capability, FLOORS[max(FLOORS)])
    clock = driver.attribute(CLOCK) * 1e3
    return [per * driver.processors * clock for per in each]


def distance(got, wanted):
    return np.abs(got - wanted).max() / np.abs(wanted).max()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    driver = Driver()
    print(f"{driver.name()}, {driver.processors} multiprocessors")
    if not options.check:
        print("\n| work | | ms | floor, ms | share of the floor | 10^9 cells/s |\n| --- | --- | ---: | ---: | ---: | ---: |")
    wrong = 0
    for dtype, ceiling, bound in zip((np.float32, np.float64), ceilings(driver), (2e-5, 1e-11)):
        device = Device(driver, dtype)
        for case in cases(options.small):
            if options.check and getattr(case, "shape", None) == LONGEST:
                continue
            job = case.prepare(device)
            if options.check:
                import goursat

                case.run(job)
                driver.synchronize()
                off = max(distance(*pair) for pair in case.check(goursat, job))
                wrong += not off <= bound
                print(f"{device.kind} {case.name()}: {off:.2g} off{'' if off <= bound else ', TOO MUCH'}")
                continue
            time = least_time(driver, lambda case=case, job=job: case.run(job))
            floor = case.work / ceiling * 1e3
            rate = f"{case.cells / time / 1e6:.0f}" if case.cells else ""
            print(f"| {case.name()} | {device.kind} | {time:.3f} | {floor:.3f} | {floor / time:.0%} | {rate} |", flush=True)
    sys.exit(wrong != 0)


if __name__ == "__main__":
    main()
