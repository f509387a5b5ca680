"""Times the library's own calls on device pointers, beside the least that the work could take, and beside PyTorch.

    python benches/cuda/time_library.py [--check] [--small] [--torch]

Needs the driver, NumPy and libgoursat.so (GOURSAT_LIBRARY, or target/release); no Rust, no toolkit. --check compares with
the library on the CPU, and times nothing; --small does tiny cases, for machines that only pretend to be a GPU;
--torch says that PyTorch must be there (it is used where it can be imported and has CUDA). Cases and floors are those
of time_kernels.py. Inputs, outputs and workspaces lie on the device; each time is the least of several, between events on
the stream. PyTorch's way is in in_torch.py; where it runs out of memory there is no time.
"""

import argparse
import sys

import numpy as np
from driver import Buffer, Driver
from library import HOST, Library
from time_kernels import Kernels, cases, ceilings, distance, least_time, walks


class Job:
    """A case as a call of the library: device buffers, results first as NaN."""

    def __init__(self, library, driver, case, dtype):
        self.library, self.driver, self.case, self.dtype = library, driver, case, np.dtype(dtype)
        self.suffix = {4: "f32", 8: "f64"}[self.dtype.itemsize]
        self.prepare_pairs() if isinstance(case, Kernels) else self.prepare_paths()
        self.on_device = [Buffer.of(driver, a) if isinstance(a, np.ndarray) else a for a in self.args]
        args = self.pointers(self.on_device)
        self.workspace = Buffer(driver, self.library.workspace(self.name, *args))

    def array(self, values):
        return np.ascontiguousarray(values, self.dtype)

    def prepare_pairs(self):
        case = self.case
        x, y = self.array(walks(*case.shape[0], 1)), self.array(walks(*case.shape[1], 2))
        gram = case.gram
        count = case.bx * case.by if gram else case.bx
        sides = [x, case.bx, case.lx, y, case.by, case.ly, case.d] if gram else [x, case.lx, y, case.ly, case.bx, case.d]
        what = "gram_" if gram else ""
        self.inputs = (x, y)
        if case.back:
            self.weights = self.array(np.random.default_rng(3).standard_normal(count))
            self.outputs = [self.empty(x.shape), self.empty(y.shape)]
            self.name = f"goursat_sigkernel_{what}backprop_{self.suffix}"
            self.args = [self.weights, count, *sides, self.outputs[0], x.size, self.outputs[1], y.size]
        else:
            self.outputs = [self.empty((case.bx, case.by) if gram else (count,))]
            self.name = f"goursat_sigkernel_{what}{self.suffix}"
            self.args = [*sides, self.outputs[0], count]

    def prepare_paths(self):
        case = self.case
        count, length, dim = case.shape
        paths = self.array(walks(*case.shape, 1))
        size = sum(dim**k for k in range(1, case.degree + 1))
        self.inputs = (paths,)
        if case.back:
            self.weights = self.array(np.random.default_rng(3).standard_normal((count, size)))
            self.outputs = [self.empty(paths.shape)]
            self.name = f"goursat_sig_backprop_{self.suffix}"
            self.args = [self.weights, count * size, paths, count, length, dim, case.degree, self.outputs[0], paths.size]
        else:
            self.outputs = [self.empty((count, size))]
            self.name = f"goursat_signature_{self.suffix}"
            self.args = [paths, count, length, dim, case.degree, self.outputs[0], count * size]

    def empty(self, shape):
        return np.full(shape, np.nan, self.dtype)

    @staticmethod
    def pointers(args):
        address = {Buffer: lambda b: b.address.value, np.ndarray: lambda a: a.ctypes.data}
        return [address.get(type(arg), int)(arg) for arg in args]

    def run(self):
        self.library.call(self.name, *self.pointers(self.on_device), workspace=self.workspace)

    def results(self):
        wanted = {id(output) for output in self.outputs}
        pairs = zip(self.args, self.on_device)
        return [buffer.host(arg.shape, self.dtype) for arg, buffer in pairs if id(arg) in wanted]

    def check(self):
        """The largest difference from the CPU's results."""
        self.run()
        self.driver.synchronize()
        got = self.results()
        self.library.call(self.name, *self.pointers(self.args), memory=HOST)
        return max(distance(one, other) for one, other in zip(got, self.outputs))


class Torch:
    """The same case in PyTorch, or nothing where there is none."""

    def __init__(self, must):
        try:
            import torch

            self.torch = torch if torch.cuda.is_available() else None
        except ImportError:
            self.torch = None
        if must and self.torch is None:
            sys.exit("--torch: PyTorch with CUDA is not here")

    def time(self, job):
        torch = self.torch
        if torch is None:
            return ""
        try:
            return f"{self.least(job):.3f}"
        except torch.cuda.OutOfMemoryError:
            return "out of memory"
        finally:
            torch.cuda.empty_cache()

    def least(self, job, repeats=3):
        import in_torch

        torch, case = self.torch, job.case
        inputs = [torch.tensor(a, device="cuda", requires_grad=case.back) for a in job.inputs]
        weights = torch.tensor(job.weights, device="cuda") if case.back else None

        def run():
            if isinstance(case, Kernels):
                result = in_torch.kernels(*inputs, case.gram)
            else:
                result = in_torch.signatures(*inputs, case.degree)
            if case.back:
                torch.autograd.grad(result.flatten(), inputs, weights.flatten())

        times = []
        for _ in range(repeats + 1):
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            run()
            end.record()
            end.synchronize()
            times.append(begin.elapsed_time(end))
        return min(times[1:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--torch", action="store_true")
    options = parser.parse_args()
    driver, library, torch = Driver(), Library(), Torch(options.torch)
    print(f"{driver.name()}, {driver.processors} multiprocessors")
    if not options.check:
        print("\n| call | | ms | floor, ms | share of the floor | PyTorch, ms |\n| --- | --- | ---: | ---: | ---: | ---: |")
    wrong = 0
    for dtype, ceiling, bound in zip((np.float32, np.float64), ceilings(driver), (2e-5, 1e-11)):
        for case in cases(options.small):
            job = Job(library, driver, case, dtype)
            if options.check:
                off = job.check()
                wrong += not off <= bound
                print(f"{job.suffix} {case.name()}: {off:.2g} off{'' if off <= bound else ', TOO MUCH'}")
                continue
            time, floor = least_time(driver, job.run), case.work / ceiling * 1e3
            print(f"| {case.name()} | {job.suffix} | {time:.3f} | {floor:.3f} | {floor / time:.0%} | {torch.time(job)} |", flush=True)
    sys.exit(wrong != 0)


if __name__ == "__main__":
    main()
