"""What scikit-learn's users give as X, read as a padded batch of paths."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.validation import check_array, validate_data

from .._paths import Array
from .._ragged import padded

_REAL = (np.float64, np.float32)


class Batch(NamedTuple):
    """Paths (n, L, d) and the points of each, None where all have L."""

    values: Array
    lengths: Optional[Array] = None

    def take(self, indices: Array) -> Batch:
        """Return some of the paths."""
        return Batch(self.values[indices], None if self.lengths is None else self.lengths[indices])

    def scaled(self, factor: float) -> Batch:
        """Return the paths times a factor."""
        return self if factor == 1 else Batch(self.values * self.values.dtype.type(factor), self.lengths)


def read(X: Any, name: str = "X") -> Batch:
    """Return paths (n, L, d), or (n, L) in one channel, or a list of (L_b, d), as a batch."""
    ragged = objects(X)
    if ragged is not None:
        return _padded(ragged, name)
    values = check_array(
        X, dtype=_REAL, allow_nd=True, ensure_all_finite=_ndim(X) != 3, input_name=name, ensure_min_features=0
    )
    if values.ndim == 2:
        values = values[:, :, None]
    if values.ndim != 3:
        raise ValueError(f"{name} has shape {values.shape}; expected (paths, length, channels)")
    if 0 in values.shape[1:]:
        raise ValueError(f"{name} has shape {values.shape}; expected 1 or more points and channels")
    return _unpadded(values, name)


def read_of(estimator: Any, X: Any, reset: bool) -> Batch:
    """Return the X of an estimator, and hold it to what the estimator was fitted on, or let it be what it is fitted on.

    `n_features_in_` is the number of channels, or that of a table's columns, which are points.
    """
    table = objects(X) is None and _ndim(X) < 3
    if table:
        values = validate_data(estimator, X, reset=reset, dtype=_REAL)
        batch = Batch(values[:, :, None])
    else:
        batch = read(X)
        if reset:
            estimator.n_features_in_ = batch.values.shape[2]
            if hasattr(estimator, "feature_names_in_"):
                del estimator.feature_names_in_
    channels = batch.values.shape[2]
    if reset:
        estimator.n_channels_in_ = channels
        estimator._table = table
    elif channels != estimator.n_channels_in_:
        raise ValueError(
            f"X has {channels} channels, but {type(estimator).__name__} was fitted on {estimator.n_channels_in_}"
        )
    return batch


def threads(n_jobs: Optional[int]) -> int:
    """Return how many threads scikit-learn's `n_jobs` means."""
    return int(effective_n_jobs(n_jobs))


def objects(X: Any) -> Optional[list[Any]]:
    """Return the paths of a ragged batch, or None where X is an array."""
    if isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1:
        paths = list(X)
    elif isinstance(X, (list, tuple)):
        paths = list(X)
    else:
        return None
    paths = [getattr(path, "points", path) for path in paths]
    return paths if paths and all(np.ndim(path) == 2 for path in paths) else None


def _ndim(X: Any) -> int:
    return len(X.shape) if hasattr(X, "shape") else np.asarray(X).ndim


def _padded(paths: list[Any], name: str) -> Batch:
    arrays = [
        check_array(path, dtype=_REAL, input_name=f"{name}[{b}]", ensure_min_samples=1) for b, path in enumerate(paths)
    ]
    values, lengths = padded(arrays, name)
    return Batch(values, None if np.all(lengths == values.shape[1]) else lengths)


def _unpadded(values: Array, name: str) -> Batch:
    """Tell the padding of paths, rows of NaN after their points, from NaN that should not be there."""
    if np.isfinite(values).all():
        return Batch(values)
    padding = np.isnan(values).all(axis=2)
    lengths = values.shape[1] - np.argmin(padding[:, ::-1], axis=1)
    lengths[padding.all(axis=1)] = 0
    inside = np.arange(values.shape[1]) < lengths[:, None]
    if not lengths.all() or not np.isfinite(values[inside]).all():
        raise ValueError(
            f"Input {name} contains NaN or infinity; expected finite numbers, and NaN only in whole rows after a "
            "path's last point"
        )
    return Batch(values, lengths)
