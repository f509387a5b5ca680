"""The fewest fused multiply-adds that a work needs by its straightforward algorithm, and how many a core can do.

Of a kernel: d for each product of increments and a few for each cell of the refined grid, more where increments are
carried; with lead-lag a cell counts four times, but its product once. Of a signature: Horner's scheme for each increment.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Optional

import numpy as np

# From here on f64 carries increments; f32 always does.
CARRIED = 1 << 22


def kernel(dtype, length, dim, order=0, lead_lag=False, pairs=1, back=False) -> float:
    """Both dyadic orders are `order`; `back` is the gradient of both sides, the way forth included."""
    refined = (4 if lead_lag else 1) << (2 * order)
    cells = (length - 1) ** 2
    carried = np.dtype(dtype).itemsize == 4 or cells * refined > CARRIED
    if back:
        return pairs * cells * (4 * dim + (24 if carried else 18) * refined)
    return pairs * cells * (dim + (6 if carried else 4) * refined)


def signature(length, dim, degree, paths=1, back=False) -> float:
    words = sum((degree - k + 1) * dim**k for k in range(1, degree + 1))
    return (2.5 if back else 1) * paths * (length - 1) * words


def ceilings(architecture: str = "native") -> Optional[dict[str, float]]:
    """Multiply-adds a second of one core, by precision, and "bytes" that it reads; None without a compiler for C."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        return None
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "ceiling"
        source = Path(__file__).with_name("ceiling.c")
        command = [compiler, "-O3", f"-march={architecture}", "-ffp-contract=fast", source, "-o", program]
        subprocess.run(command, check=True)
        numbers = subprocess.run([program], check=True, capture_output=True, text=True).stdout.split()
    return dict(zip(["float64", "float32", "bytes"], map(float, numbers)))
