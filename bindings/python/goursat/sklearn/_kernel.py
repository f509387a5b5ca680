"""Signature kernels for estimators that work on kernels."""

from __future__ import annotations

from typing import Any, Optional

from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._paths import Array
from .._settings import DyadicOrder, LeadLag
from . import _matrix
from ._batch import Batch, read, read_of, threads


class SignatureKernel(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Signature kernels, as a step before estimators with ``kernel="precomputed"``, or as a kernel to call.

    As a transformer it turns paths into their kernels with the paths fitted on: put it before ``SVC``, ``SVR``,
    ``KernelRidge``, ``KernelPCA`` or ``SpectralClustering`` with ``kernel="precomputed"`` (``affinity=``), and search
    over its parameters. As a function, ``SVC(kernel=SignatureKernel())`` and ``SVR`` take it as it is, paths being
    their X. For Gaussian processes there is `SignatureCovariance`.

    Parameters
    ----------
    scale : float, default 1.0
        What paths are multiplied by, time aside. Kernels grow exponentially with the length of paths: the parameter
        to search over, as the bandwidth of other kernels is.
    normalize : bool, default False
        Divide by the norms of both signatures: k(x, y) / √(k(x, x) k(y, y)), between -1 and 1.
    dyadic_order : int, default 0
        Each increment is cut into 2^order pieces.
    time_aug, end_time, lead_lag, n_jobs
        As in `SignatureTransformer`.

    Attributes
    ----------
    X_fit_ : the paths fitted on, padded, with their lengths.
    norms_ : ndarray, shape (n,), or None
        Norms of their signatures, where `normalize`.
    n_channels_in_, n_features_in_, feature_names_in_
        As in `SignatureTransformer`.

    Examples
    --------
    >>> from sklearn.kernel_ridge import KernelRidge
    >>> from sklearn.pipeline import make_pipeline
    >>> x = np.array([[[0.0], [1.0]], [[0.0], [2.0]], [[0.0], [3.0]]])
    >>> model = make_pipeline(goursat.sklearn.SignatureKernel(scale=0.5), KernelRidge(kernel="precomputed", alpha=1e-6))
    >>> model.fit(x, [1.0, 2.0, 3.0]).predict(x).round(2)
    array([1., 2., 3.])
    >>> goursat.sklearn.SignatureKernel(dyadic_order=5)(x[:1], x).round(2)
    array([[2.28, 4.25, 7.16]])
    """

    def __init__(
        self,
        *,
        scale: float = 1.0,
        normalize: bool = False,
        dyadic_order: DyadicOrder = 0,
        time_aug: bool = False,
        end_time: float = 1.0,
        lead_lag: LeadLag = False,
        n_jobs: Optional[int] = None,
    ) -> None:
        self.scale = scale
        self.normalize = normalize
        self.dyadic_order = dyadic_order
        self.time_aug = time_aug
        self.end_time = end_time
        self.lead_lag = lead_lag
        self.n_jobs = n_jobs

    def __call__(self, X: Any, Y: Any = None) -> Array:
        """Return the kernels of all pairs of paths; without Y those of X with itself.

        Parameters
        ----------
        X, Y : array_like (n, L, d) or (n, L), or a list of n arrays (L_b, d)
            Paths, with the same number of channels.

        Returns
        -------
        ndarray, shape (n_X, n_Y)
        """
        x = read(X).scaled(self.scale)
        if Y is None or Y is X:
            return self._symmetric(x)
        y = read(Y, "Y").scaled(self.scale)
        return self._between(x, y, self._norms(y))

    def fit(self, X: Any, y: Any = None) -> SignatureKernel:
        """Keep the paths that kernels are computed with.

        Parameters
        ----------
        X : array_like (n, L, d) or (n, L), or a list of n arrays (L_b, d)
            Paths.
        y : ignored
        """
        self._keep(X)
        self.norms_ = self._norms(self._scaled())
        return self

    def transform(self, X: Any) -> Array:
        """Return the kernels of paths with those fitted on.

        Parameters
        ----------
        X : array_like (m, L, d) or (m, L), or a list of m arrays (L_b, d)
            Paths with as many channels as fitted on.

        Returns
        -------
        ndarray, shape (m, n)
        """
        check_is_fitted(self)
        x = read_of(self, X, reset=False).scaled(self.scale)
        return self._between(x, self._scaled(), self.norms_)

    def fit_transform(self, X: Any, y: Any = None) -> Array:
        """Fit, and return the kernels of the paths with themselves, at half the cost of `transform`.

        Parameters
        ----------
        X, y
            As in `fit`.

        Returns
        -------
        ndarray, shape (n, n)
        """
        self._keep(X)
        x = self._scaled()
        self.norms_ = self._norms(x)
        return self._symmetric(x)

    def _keep(self, X: Any) -> None:
        self.X_fit_ = read_of(self, X, reset=True)
        self._n_features_out = len(self.X_fit_.values)

    def _scaled(self) -> Batch:
        return self.X_fit_.scaled(self.scale)

    def _options(self) -> dict[str, Any]:
        return {
            "dyadic_order": self.dyadic_order,
            "time_aug": self.time_aug,
            "end_time": self.end_time,
            "lead_lag": self.lead_lag,
            "n_threads": threads(self.n_jobs),
        }

    def _norms(self, x: Batch) -> Optional[Array]:
        return _matrix.checked(_matrix.norms(x, **self._options())) if self.normalize else None

    def _symmetric(self, x: Batch) -> Array:
        kernels = _matrix.gram(x, **self._options())
        if self.normalize:
            roots = _matrix.checked(_matrix.roots(kernels.diagonal()))
            kernels = kernels / roots[:, None] / roots
        return kernels

    def _between(self, x: Batch, y: Batch, y_norms: Optional[Array]) -> Array:
        kernels = _matrix.gram(x, y, **self._options())
        x_norms = self._norms(x)
        return kernels if x_norms is None else kernels / x_norms[:, None] / y_norms

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
