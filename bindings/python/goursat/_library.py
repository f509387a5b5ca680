"""Finds the shared library."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path

_NAME = {"darwin": "libgoursat.dylib", "win32": "goursat.dll"}.get(sys.platform, "libgoursat.so")
_HERE = Path(__file__).resolve().parent


def candidates() -> Iterator[tuple[str, str]]:
    """Yield where the library may be, best first, as (what the place is, path)."""
    chosen = os.environ.get("GOURSAT_LIBRARY")
    if chosen:
        # Nothing else is tried: who names a library must not be given another.
        yield "GOURSAT_LIBRARY", chosen
        return
    yield "bundled with the package", str(_HERE / _NAME)
    if len(_HERE.parents) > 2 and (_HERE.parents[2] / "Cargo.toml").exists():  # in the repository
        target = os.environ.get("CARGO_TARGET_DIR", str(_HERE.parents[2] / "target"))
        yield "built by cargo", str(Path(target).absolute() / "release" / _NAME)
    yield "installed in the system", _NAME


def load() -> tuple[ctypes.CDLL, str]:
    """Return the library and the path that it was loaded from."""
    tried = []
    for place, path in candidates():
        try:
            return ctypes.CDLL(path), path
        except OSError as error:
            tried.append(f"  {path} ({place}): {error}")
    raise ImportError("the Goursat library could not be loaded; tried:\n" + "\n".join(tried))
