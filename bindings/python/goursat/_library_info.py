"""What the library says about itself."""

from __future__ import annotations

from . import _native


def version() -> str:
    """Return the library's version."""
    return str(_native.FUNCTIONS["version"]().decode())


def simd_level() -> str:
    """Return the instruction set in use: "avx512", "avx2", "neon" or "portable".

    The environment variable GOURSAT_SIMD lowers it, if it is set when the library is first used.

    Examples
    --------
    >>> goursat.simd_level() in ("avx512", "avx2", "neon", "portable")
    True
    """
    return str(_native.FUNCTIONS["simd_level"]().decode())


def default_threads() -> int:
    """Return the threads of a call with ``n_threads=0``: GOURSAT_NUM_THREADS, or the cores of this process."""
    return int(_native.FUNCTIONS["default_threads"]())


def library_path() -> str:
    """Return where the library was loaded from."""
    return _native.PATH
