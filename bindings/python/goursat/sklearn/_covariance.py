"""The signature kernel as covariance function of Gaussian processes."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
from sklearn.gaussian_process.kernels import GenericKernelMixin, Hyperparameter, Kernel

from .._paths import Array
from .._settings import DyadicOrder, LeadLag
from . import _matrix
from ._batch import Batch, read, threads

#: The variance at a scale where kernels cannot be computed.
_HUGE = 1e100


class SignatureCovariance(GenericKernelMixin, Kernel):  # type: ignore[misc]
    """The signature kernel as a kernel of ``sklearn.gaussian_process``, its scale fitted by marginal likelihood.

    Combine it with others, as in ``ConstantKernel() * SignatureCovariance() + WhiteKernel()``, and put `PathObjects`
    before the process: scikit-learn's take no arrays (n, L, d) otherwise. Called by itself, it takes paths in all
    forms. The gradient with respect to the scale is exact.

    Parameters
    ----------
    scale : float, default 1.0
        What paths are multiplied by, time aside.
    scale_bounds : (float, float) or "fixed", default (1e-2, 10.0)
        Bounds of `scale` in the fit. Kernels of long paths overflow: less than 1000 for `scale` times their length.
    normalize : bool, default True
        Divide by the norms of both signatures, so that every variance is 1.
    dyadic_order, time_aug, end_time, lead_lag, n_jobs
        As in `SignatureKernel`.

    Notes
    -----
    The exact kernel is positive definite; its discretisation is so only as far as it is accurate. Where scikit-learn
    says that the kernel is not, raise `dyadic_order`, or the process's ``alpha``, or narrow `scale_bounds`.

    Examples
    --------
    >>> from sklearn.gaussian_process import GaussianProcessRegressor
    >>> from sklearn.pipeline import make_pipeline
    >>> x = np.linspace(0, 2, 8)[:, None, None] * np.array([[0.0], [1.0], [0.5]])
    >>> kernel = goursat.sklearn.SignatureCovariance(time_aug=True, dyadic_order=4)
    >>> model = make_pipeline(goursat.sklearn.PathObjects(), GaussianProcessRegressor(kernel, alpha=1e-6))
    >>> model.fit(x[::2], np.sin(x[::2, 1, 0])).predict(x[3:4]).round(2) == np.sin(x[3, 1]).round(2)
    array([ True])
    """

    def __init__(
        self,
        scale: float = 1.0,
        scale_bounds: Any = (1e-2, 10.0),
        *,
        normalize: bool = True,
        dyadic_order: DyadicOrder = 0,
        time_aug: bool = False,
        end_time: float = 1.0,
        lead_lag: LeadLag = False,
        n_jobs: Optional[int] = None,
    ) -> None:
        self.scale = scale
        self.scale_bounds = scale_bounds
        self.normalize = normalize
        self.dyadic_order = dyadic_order
        self.time_aug = time_aug
        self.end_time = end_time
        self.lead_lag = lead_lag
        self.n_jobs = n_jobs

    @property
    def hyperparameter_scale(self) -> Hyperparameter:
        """The scale, as scikit-learn describes what is fitted."""
        return Hyperparameter("scale", "numeric", self.scale_bounds)

    def __call__(self, X: Any, Y: Any = None, eval_gradient: bool = False) -> Any:
        """Return the kernels of all pairs, and their gradient with respect to the logarithm of the scale.

        Parameters
        ----------
        X, Y : array_like (n, L, d) or (n, L), or a list of n arrays (L_b, d), or objects of `PathObjects`
            Paths; without Y those of X with themselves.
        eval_gradient : bool
            Return the gradient too; only without Y.

        Returns
        -------
        ndarray, shape (n_X, n_Y), and with `eval_gradient` one of shape (n_X, n_X, 1), or 0 for 1 where the scale is
        fixed
        """
        x = read(X).scaled(self.scale)
        if Y is not None:
            if eval_gradient:
                raise ValueError("Gradient can only be evaluated when Y is None.")
            return self._between(x, read(Y, "Y").scaled(self.scale))
        kernels = _matrix.gram(x, **self._options())
        norms = _matrix.roots(kernels.diagonal()) if self.normalize else np.ones(len(kernels))
        if not eval_gradient:
            _matrix.checked(norms)
            return kernels / norms[:, None] / norms
        if self.hyperparameter_scale.fixed:
            _matrix.checked(norms)
            return kernels / norms[:, None] / norms, np.empty((*kernels.shape, 0))
        if _matrix.impossible(norms).any() or not np.isfinite(kernels).all():
            # The likelihood of any data is poor beyond belief, but finite: a fit turns back, where NaN would end it.
            return _HUGE * np.eye(len(kernels)), np.zeros((*kernels.shape, 1))
        return self._with_slopes(x, kernels / norms[:, None] / norms, norms)

    def diag(self, X: Any) -> Array:
        """Return the kernel of each path with itself.

        Parameters
        ----------
        X : as in `__call__`

        Returns
        -------
        ndarray, shape (n,)
        """
        x = read(X).scaled(self.scale)
        return np.ones(len(x.values)) if self.normalize else _matrix.norms(x, **self._options()) ** 2

    def is_stationary(self) -> bool:
        """Return False: the kernel does not depend on differences of paths alone."""
        return False

    def _with_slopes(self, x: Batch, kernels: Array, norms: Array) -> tuple[Array, Array]:
        """Return normalised kernels and their derivative with respect to the logarithm of the scale."""
        slopes = _matrix.scale_derivative(x, **self._options()) / norms[:, None] / norms
        if self.normalize:
            halves = slopes.diagonal() / 2
            slopes = slopes - kernels * (halves[:, None] + halves)
        return kernels, slopes[..., None]

    def _between(self, x: Batch, y: Batch) -> Array:
        kernels = _matrix.gram(x, y, **self._options())
        if not self.normalize:
            return kernels
        x_norms, y_norms = (_matrix.checked(_matrix.norms(paths, **self._options())) for paths in (x, y))
        return kernels / x_norms[:, None] / y_norms

    def _options(self) -> dict[str, Any]:
        return {
            "dyadic_order": self.dyadic_order,
            "time_aug": self.time_aug,
            "end_time": self.end_time,
            "lead_lag": self.lead_lag,
            "n_threads": threads(self.n_jobs),
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}(scale={self.scale:.3g})"
