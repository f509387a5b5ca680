"""Signatures as features."""

from __future__ import annotations

from itertools import product
from typing import Any, Optional

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from .. import _settings
from .._paths import Array
from .._settings import LeadLag
from .._signature import signature, signature_length
from ._batch import read_of, threads


class SignatureTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turn paths into their truncated signatures: features for any estimator.

    Parameters
    ----------
    degree : int, default 3
        The highest level, at least 1.
    scalar_term : bool, default False
        Begin with level 0, the number 1.
    time_aug : bool, default False
        Append time as the last channel, from 0 to `end_time`. Without it signatures do not see how fast a path is run
        through.
    end_time : float, default 1.0
        Time of a path's last point.
    lead_lag : bool or "lag_first", default False
        Take the lead-lag path, whose signature sees quadratic variation.
    n_jobs : int or None, default None
        Threads, as scikit-learn counts them: None is 1, -1 all cores.

    Attributes
    ----------
    n_channels_in_ : int
        Channels of the paths fitted on.
    n_features_in_ : int
        The same; for a table (n, L), whose rows are paths of one channel, its number of columns L.
    feature_names_in_ : ndarray of str
        Column names of a data frame, where fitted on one.

    Examples
    --------
    >>> x = np.array([[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]])
    >>> transformer = goursat.sklearn.SignatureTransformer(degree=2).fit(x)
    >>> transformer.transform(x)
    array([[1. , 1. , 0.5, 1. , 0. , 0.5]])
    >>> print(*transformer.get_feature_names_out(["price", "volume"])[:3])
    S(price) S(volume) S(price,price)
    """

    def __init__(
        self,
        degree: int = 3,
        *,
        scalar_term: bool = False,
        time_aug: bool = False,
        end_time: float = 1.0,
        lead_lag: LeadLag = False,
        n_jobs: Optional[int] = None,
    ) -> None:
        self.degree = degree
        self.scalar_term = scalar_term
        self.time_aug = time_aug
        self.end_time = end_time
        self.lead_lag = lead_lag
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None) -> SignatureTransformer:
        """Note the number of channels; nothing is learnt.

        Parameters
        ----------
        X : array_like (n, L, d) or (n, L), or a list of n arrays (L_b, d)
            Paths.
        y : ignored
        """
        read_of(self, X, reset=True)
        self._n_features_out = self._length()
        return self

    def transform(self, X: Any) -> Array:
        """Return the signatures.

        Parameters
        ----------
        X : array_like (n, L, d) or (n, L), or a list of n arrays (L_b, d)
            Paths with as many channels as fitted on.

        Returns
        -------
        ndarray, shape (n, S)
            float32 if X is, else float64.
        """
        check_is_fitted(self)
        batch = read_of(self, X, reset=False)
        return signature(
            batch.values,
            self.degree,
            scalar_term=self.scalar_term,
            time_aug=self.time_aug,
            end_time=self.end_time,
            lead_lag=self.lead_lag,
            lengths=batch.lengths,
            n_threads=threads(self.n_jobs),
        )

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Return the names of the coefficients, such as "S(x0,x1)" of the word (0, 1).

        Parameters
        ----------
        input_features : array_like of str, optional
            Names of the channels; by default x0, x1, …. For a table, the names of its columns, which are points and do
            not matter.

        Returns
        -------
        ndarray of str, shape (S,)
            Channels of lead-lag paths are named lead(…) and lag(…), that of time is time.
        """
        check_is_fitted(self)
        names = [str(name) for name in _check_feature_names_in(self, input_features)]
        channels = ["x0"] if self._table else names
        flags = _settings.flags(False, self.lead_lag)
        if flags:
            lead, lag = [f"lead({name})" for name in channels], [f"lag({name})" for name in channels]
            channels = lag + lead if self.lead_lag == "lag_first" else lead + lag
        if self.time_aug:
            channels = [*channels, "time"]
        levels = range(0 if self.scalar_term else 1, self.degree + 1)
        return np.array(
            [f"S({','.join(word)})" for level in levels for word in product(channels, repeat=level)], dtype=object
        )

    def _length(self) -> int:
        return signature_length(
            self.n_channels_in_,
            self.degree,
            scalar_term=self.scalar_term,
            time_aug=self.time_aug,
            lead_lag=self.lead_lag,
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
