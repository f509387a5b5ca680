"""Paths as single objects: scikit-learn's Gaussian processes take no arrays of three axes, but arrays of objects."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._paths import Array
from ._batch import read_of


class Path:
    """One path, opaque to scikit-learn.

    Parameters
    ----------
    points : ndarray, shape (L, d)
        Its points.

    Examples
    --------
    >>> goursat.sklearn.Path(np.zeros((3, 2)))
    Path of 3 points in 2 channels
    """

    __slots__ = ("points",)

    def __init__(self, points: Array) -> None:
        self.points = points

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Path) and np.array_equal(self.points, other.points))

    def __hash__(self) -> int:
        return hash((self.points.shape, self.points.tobytes()))

    def __repr__(self) -> str:
        return f"Path of {self.points.shape[0]} points in {self.points.shape[1]} channels"


class PathObjects(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turn paths into an array of objects, as ``GaussianProcessRegressor`` and ``GaussianProcessClassifier`` take it.

    Put it before them in a pipeline, and give them a `SignatureCovariance`.

    Attributes
    ----------
    n_channels_in_, n_features_in_, feature_names_in_
        As in `SignatureTransformer`.

    Examples
    --------
    >>> x = np.zeros((4, 3, 2))
    >>> goursat.sklearn.PathObjects().fit_transform(x)[:1]
    array([Path of 3 points in 2 channels], dtype=object)
    """

    def fit(self, X: Any, y: Any = None) -> PathObjects:
        """Note the number of channels; nothing is learnt.

        Parameters
        ----------
        X : array_like (n, L, d) or (n, L), or a list of n arrays (L_b, d)
            Paths.
        y : ignored
        """
        read_of(self, X, reset=True)
        return self

    def transform(self, X: Any) -> Array:
        """Return the paths as objects.

        Parameters
        ----------
        X : array_like (n, L, d) or (n, L), or a list of n arrays (L_b, d)
            Paths.

        Returns
        -------
        ndarray of Path, shape (n,)
        """
        check_is_fitted(self)
        values, lengths = read_of(self, X, reset=False)
        result = np.empty(len(values), object)
        for b, path in enumerate(values):
            result[b] = Path(path if lengths is None else path[: lengths[b]])
        return result

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
