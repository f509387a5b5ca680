"""What a host does around the kernels, as tests/cuda/plan.hpp does it: kernels, sizes, launches, in order."""

import ctypes
import pathlib
import re

import numpy as np
from driver import Buffer, Module

# Compute capabilities whose tensor cores multiply doubles at the full rate.
TENSOR_CORES = ((8, 0), (9, 0), (10, 0))
KERNELS = pathlib.Path(__file__).resolve().parents[2] / "kernels"
WARP, PERIOD, FIRST_LETTERS, PIECE, KEPT = 32, 8, 8, 256, 8
INT, LONG, POINTER = ctypes.c_int, ctypes.c_longlong, ctypes.c_uint64


def struct(name, **fields):
    """A struct of the kernels' arguments: the fields in order."""
    return type(name, (ctypes.Structure,), {"_fields_": list(fields.items())})


Pairing = struct("Pairing", i0=INT, j0=INT, width=INT, pairs=INT, symmetric=INT)
Side = struct("Side", increments=POINTER, counts=POINTER, pitch=LONG)
PathsArgs = struct(
    "PathsArgs", paths=POINTER, starts=POINTER, lengths=POINTER, strides=LONG * 3, increments=POINTER, counts=POINTER,
    pitch=LONG, first=INT, count=INT, length=INT, dim=INT, time=INT, lead_lag=INT,
    scale=ctypes.c_double, end_time=ctypes.c_double,
)
WaveArgs = struct(
    "WaveArgs", x=Side, y=Side, pairing=Pairing, channels=INT, time=INT, x_order=INT, y_order=INT, lead_lag=INT,
    lanes=INT, strips=INT, ticket=POINTER, progress=POINTER, out=POINTER, out_columns=INT, grid=POINTER,
    grid_rows=LONG, grid_columns=LONG, edges=POINTER, edge_item=LONG, edge_strip=LONG, states=POINTER,
    state_item=LONG, state_strip=LONG, weights=POINTER, handed=POINTER, handed_item=LONG, scratch=POINTER,
    x_gradients=POINTER, y_gradients=POINTER, x_tiles=LONG, y_tiles=LONG,
)
SignatureArgs = struct(
    "SignatureArgs", increments=POINTER, counts=POINTER, pitch=LONG, paths=INT, dim=INT, time=INT, lead_lag=INT,
    lag_first=INT, degree=INT, letters=INT, pieces=INT, size=LONG, out=POINTER, state=POINTER, weights=POINTER,
    shares=INT, partial=POINTER, steps=LONG, checkpoints=POINTER, gradients=POINTER, gradients_pitch=LONG,
)
ChenArgs = struct(
    "ChenArgs", counts=POINTER, paths=INT, letters=INT, degree=INT, level=INT, slots=INT, size=LONG, pieces=POINTER,
    joined=POINTER, stride=LONG, offset=LONG, joined_weights=POINTER, weights=POINTER,
)


def gather_args(real):
    return struct(
        "GatherArgs", gradients=POINTER, sums=POINTER, counts=POINTER, pitch=LONG, sums_pitch=LONG, pairing=Pairing,
        paths=INT, dim=INT, fold=INT, of_y=INT, scale=real,
    )


ScatterArgs = struct(
    "ScatterArgs", sums=POINTER, more=POINTER, gradient=POINTER, starts=POINTER, lengths=POINTER, sums_pitch=LONG,
    count=INT, length=INT, dim=INT,
)


class Kernel:
    """An instance of a .list file, and the memory that it needs."""

    def __init__(self, name, kind, channels, rows, columns, lead_lag, back, tensor=False):
        self.tensor, self.module = tensor, f"sigkernel_{'tensor' if tensor else 'backward' if back else 'forward'}"
        self.name, self.channels, self.R, self.S, self.back = name, channels, rows, columns, back
        self.lead_lag, self.size = lead_lag, 4 if kind == "float" else 8
        rx, c = rows >> columns, 1 << columns
        self.state = 2 * rows + 2 * c + 3
        numbers = 2 * WARP * c * 2
        if tensor:
            source = (WARP + 16) * ((WARP + 1) * rx // 2 + 1) * 16
        elif channels:
            stride = (channels * self.size + 15) // 16 | 1
            source = (2 * WARP + WARP // 4 * 2) * stride * 16
        else:
            source, numbers = 0, numbers + 8 * rx * WARP
        if back:
            numbers += 2 * WARP * c * 3 + PERIOD * (c * rows + rx) * WARP
            numbers += WARP // PERIOD * PERIOD * channels
        self.shared = source + numbers * self.size


def read_list(name):
    """The plain kernels of a list: neither refined tiles, nor lead-lag, nor grids."""
    kernels = []
    pattern = r"(?:FORWARD|BACKWARD|TENSOR)\((\w+), (\w+), (\d+), (\d+), (\d+), (\w+), (\w+)\)"
    for match in re.finditer(pattern, (KERNELS / name).read_text()):
        kernel, kind, channels, rows, columns, lead_lag, grid = match.groups()
        if grid == "false" and (columns, lead_lag) in (("0", "false"), ("0", "true")):
            back = "back" in name
            shape = int(channels), int(rows), int(columns), lead_lag == "true"
            kernels.append(Kernel(kernel, kind, *shape, back, "tensor" in name))
    return kernels


class Device:
    """Modules and launches for one precision, without transforms and dyadic orders."""

    def __init__(self, driver, dtype):
        self.driver, self.dtype = driver, np.dtype(dtype)
        self.kind = {4: "f32", 8: "f64"}[self.dtype.itemsize]
        self.real = {4: ctypes.c_float, 8: ctypes.c_double}[self.dtype.itemsize]
        self.modules = {}
        lists = [read_list(f"sigkernel_{name}.list") for name in ("forward", "backward", "tensor")]
        lists = [[k for k in kernels if k.size == self.dtype.itemsize] for kernels in lists]
        self.forward, self.backward, self.tensor = lists

    def module(self, name):
        if name not in self.modules:
            self.modules[name] = Module(self.driver, KERNELS / f"{name}.ptx")
        return self.modules[name]

    def plain(self, module, name, args):
        """A kernel of a thread an element."""
        self.module(module).launch(f"{name}_{self.kind}", args, threads=128, blocks=8 * self.driver.processors)

    def buffer(self, numbers):
        return Buffer(self.driver, numbers * self.dtype.itemsize)

    def warps(self, shared):
        return max(1, min(4, self.driver.shared // max(1, shared)))

    def increments(self, paths, scale):
        """(buffer, Side): increments of contiguous paths."""
        count, length, dim = paths.shape
        data = Buffer.of(self.driver, paths.astype(self.dtype))
        values, counts = self.buffer(count * dim * length), Buffer(self.driver, 4 * count)
        args = PathsArgs(
            paths=data.address, strides=(LONG * 3)(length * dim, dim, 1), increments=values.address,
            counts=counts.address, pitch=length, count=count, length=length, dim=dim, scale=scale, end_time=1,
        )
        self.plain("increments", "increments", args)
        return (data, values, counts), Side(values.address, counts.address, length)


def choose(kernels, channels, tensor):
    """That of tensor cores where it pays, or the narrowest kernel that has the channels."""
    if paying := [k for k in tensor if channels > k.channels]:
        return paying[0]
    fit = [k for k in kernels if k.channels >= channels]
    return min(fit, key=lambda k: k.channels) if fit else next(k for k in kernels if not k.channels)


class Pairs:
    """Signature kernels of pairs, or a Gram matrix, and their gradients; buffers are made once."""

    def __init__(self, device, x, y, gram=False, back=False, pairs_a_launch=1 << 16):
        self.d, self.x, self.y, self.gram = device, x, y, gram
        tensor = not back and device.driver.capability in TENSOR_CORES
        self.kernel = choose(device.backward if back else device.forward, x.shape[2], device.tensor if tensor else ())
        self.rows, self.columns, self.dim = x.shape[1] - 1, y.shape[1] - 1, x.shape[2]
        self.of_x, self.x_side = device.increments(x, 0.5)
        self.of_y, self.y_side = device.increments(y, 1.0)
        self.lanes = 8 if back else 4
        while self.lanes < WARP and self.lanes * self.kernel.R < self.rows:
            self.lanes *= 2
        self.strips = max(1, -(-self.rows // (self.lanes * self.kernel.R)))
        self.parts = self.cut(pairs_a_launch)
        self.items = max(-(-p.pairs // (WARP // self.lanes)) for p in self.parts)
        self.counters = Buffer(device.driver, 4 * (1 + self.items * self.strips))
        edges = self.strips - 1 if back else min(1, self.strips - 1)
        self.edges = device.buffer(self.items * edges * self.columns * 2)
        self.count = len(x) * (len(y) if gram else 1)
        self.out = device.buffer(self.count)

    def cut(self, most):
        if not self.gram:
            count = len(self.x)
            return [Pairing(i, 0, 0, min(most, count - i), 0) for i in range(0, count, most)]
        width = min(most, len(self.y))
        height = max(1, min(most // width, len(self.x)))
        return [
            Pairing(i, j, min(width, len(self.y) - j), min(width, len(self.y) - j) * min(height, len(self.x) - i), 0)
            for i in range(0, len(self.x), height)
            for j in range(0, len(self.y), width)
        ]

    def args(self, pairing):
        keep = self.kernel.back
        strip = self.columns * 2 if keep else 0
        return WaveArgs(
            x=self.x_side, y=self.y_side, pairing=pairing, channels=self.dim, lanes=self.lanes, strips=self.strips,
            ticket=self.counters.address, progress=self.counters.address.value + 4,
            out_columns=len(self.y) if self.gram else 0, edges=self.edges.address, edge_strip=strip,
            edge_item=strip * (self.strips - 1) if keep else self.columns * 2,
        )

    def launch(self, args):
        warps = self.d.warps(self.kernel.shared)
        self.d.module(self.kernel.module).launch(self.kernel.name, args, WARP * warps, self.kernel.shared * warps)

    def values(self):
        for pairing in self.parts:
            args = self.args(pairing)
            args.out = self.out.address
            self.counters.zero()
            self.launch(args)

    def result(self):
        return self.out.host(self.count, self.d.dtype)

    def prepare_back(self, weights):
        device, each = self.d, max(p.pairs for p in self.parts) * self.dim
        steps = -(-(-(-(self.columns + self.lanes - 1) // self.lanes) * self.lanes) // PERIOD) * PERIOD
        self.state_strip = steps // PERIOD * self.kernel.state * WARP
        self.states = device.buffer(self.items * self.strips * self.state_strip)
        self.handed = device.buffer(self.items * self.columns * 3 if self.strips > 1 else 1)
        self.weights = Buffer.of(device.driver, weights.astype(device.dtype))
        self.tiles = device.buffer(each * self.rows), device.buffer(each * self.columns)
        self.sums = [device.buffer(p.shape[0] * self.dim * max(1, p.shape[1] - 1)) for p in (self.x, self.y)]
        self.gradients = [device.buffer(p.size) for p in (self.x, self.y)]

    def back(self):
        """Forth and back: the gradients of both sides."""
        for sums in self.sums:
            sums.zero()
        for pairing in self.parts:
            args = self.args(pairing)
            args.states, args.state_strip = self.states.address, self.state_strip
            args.state_item = self.state_strip * self.strips
            self.counters.zero()
            self.launch(args)
            args.weights, args.handed, args.handed_item = self.weights.address, self.handed.address, self.columns * 3
            args.x_gradients, args.y_gradients = (tiles.address for tiles in self.tiles)
            args.x_tiles, args.y_tiles = self.rows, self.columns
            self.counters.zero()
            self.launch(args)
            self.gather(pairing, 0, self.x, self.of_x, 0.5)
            self.gather(pairing, 1, self.y, self.of_y, 1.0)
        for side, paths in enumerate((self.x, self.y)):
            self.d.plain("increments", "scatter", ScatterArgs(
                sums=self.sums[side].address, gradient=self.gradients[side].address, sums_pitch=paths.shape[1] - 1,
                count=paths.shape[0], length=paths.shape[1], dim=self.dim,
            ))

    def gather(self, pairing, side, paths, increments, scale):
        steps = paths.shape[1] - 1
        self.d.plain("increments", "gather", gather_args(self.d.real)(
            gradients=self.tiles[side].address, sums=self.sums[side].address, counts=increments[2].address,
            pitch=steps, sums_pitch=steps, pairing=pairing, paths=len(paths), dim=self.dim, of_y=side, scale=scale,
        ))

    def gradient(self, side):
        return self.gradients[side].host((self.x, self.y)[side].shape, self.d.dtype)


class Signatures:
    """Signatures of paths and their gradients."""

    def __init__(self, device, paths, degree):
        self.d, self.paths, self.degree = device, paths, degree
        count, length, dim = paths.shape
        self.size = sum(dim**k for k in range(1, degree + 1))
        self.of, side = device.increments(paths, 1.0)
        self.pieces = max(1, -(-(length - 1) // PIECE))
        self.args = SignatureArgs(
            increments=side.increments, counts=side.counts, pitch=length, paths=count, dim=dim, degree=degree,
            letters=dim, pieces=self.pieces, size=self.size,
        )
        if degree > 7:
            raise ValueError(f"degree is {degree}: more than 7 need working space that is not provided for here")
        self.name = str(degree)
        self.slots = [self.pieces]
        while self.slots[-1] > 2:
            self.slots.append(-(-self.slots[-1] // 2))
        self.nodes = [device.buffer(count * slots * self.size) for slots in self.slots]
        self.out = device.buffer(count * self.size)

    def launch(self, name, shared):
        warps = self.d.warps(shared)
        module, name = self.d.module("signature"), f"{name}_{self.d.kind}_{self.name}"
        blocks = module.resident(name, WARP * warps, shared * warps)
        module.launch(name, self.args, WARP * warps, shared * warps, blocks)

    def resident_warps(self, name, shared):
        warps = self.d.warps(shared)
        return warps * self.d.module("signature").resident(f"{name}_{self.d.kind}_{self.name}", WARP * warps, shared * warps)

    def join(self, level):
        last = level + 1 == len(self.slots)
        return ChenArgs(
            counts=self.args.counts, paths=len(self.paths), letters=self.args.letters, degree=self.degree, level=level,
            slots=self.slots[level], size=self.size, pieces=self.nodes[level].address,
            joined=(self.out if last else self.nodes[level + 1]).address, stride=self.size,
        )

    def values(self):
        self.args.out = self.nodes[0].address
        self.launch("signature", 4096)
        for level in range(len(self.slots)):
            self.d.plain("signature", "chen", self.join(level))

    def result(self):
        return self.out.host((len(self.paths), self.size), self.d.dtype)

    def prepare_back(self, weights):
        count, length, dim = self.paths.shape
        self.weights = [self.d.buffer(count * slots * self.size) for slots in self.slots]
        self.weights.append(Buffer.of(self.d.driver, weights.astype(self.d.dtype)))
        units = -(-(dim ** (self.degree - 1)) // WARP) * -(-dim // FIRST_LETTERS)
        self.args.shares, self.args.steps, self.args.gradients_pitch = min(16, units), length - 1, length - 1
        self.partial = self.d.buffer(count * self.args.shares * (length - 1) * dim)
        self.shared = 4096 + WARP * self.d.dtype.itemsize
        warps = self.resident_warps("signature_back", self.shared)
        self.checkpoints = self.d.buffer(warps * (PIECE // KEPT + KEPT) * max(1, self.degree - 1) * WARP)
        self.sums, self.gradients = self.d.buffer(count * dim * (length - 1)), self.d.buffer(self.paths.size)

    def back(self):
        self.values()
        for level in reversed(range(len(self.slots))):
            args = self.join(level)
            args.joined_weights, args.weights = self.weights[level + 1].address, self.weights[level].address
            self.d.plain("signature", "chen_back", args)
        self.partial.zero()
        self.args.weights, self.args.partial = self.weights[0].address, self.partial.address
        self.args.checkpoints, self.args.gradients = self.checkpoints.address, self.sums.address
        self.launch("signature_back", self.shared)
        self.d.plain("signature", "signature_collect", self.args)
        count, length, dim = self.paths.shape
        self.d.plain("increments", "scatter", ScatterArgs(
            sums=self.sums.address, gradient=self.gradients.address, sums_pitch=length - 1, count=count,
            length=length, dim=dim,
        ))

    def gradient(self):
        return self.gradients.host(self.paths.shape, self.d.dtype)
