"""What is optional: each of goursat.torch, .sklearn, .dask and .jax needs a library that NumPy users do not."""

from __future__ import annotations


def missing(module: str, library: str, extra: str) -> ImportError:
    """Return the error of a module whose library is not installed."""
    return ImportError(f"{module} needs {library}: pip install 'goursat[{extra}]'")
