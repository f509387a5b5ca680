"""Losses for generative models: the maximum mean discrepancy and the kernel score of signature kernels."""

from __future__ import annotations

from typing import Any, Optional

import torch
from torch import Tensor

from .._settings import DyadicOrder, LeadLag
from ._gram import sigkernel_gram
from ._tensors import PathsLike


class _KernelLoss(torch.nn.Module):
    """What both losses share: how kernels are computed, and their means."""

    def __init__(
        self,
        *,
        biased: bool = False,
        dyadic_order: DyadicOrder = 0,
        time_aug: bool = False,
        end_time: float = 1.0,
        lead_lag: LeadLag = False,
        n_threads: int = 0,
    ) -> None:
        super().__init__()
        self.biased = biased
        self.options: dict[str, Any] = {
            "dyadic_order": dyadic_order,
            "time_aug": time_aug,
            "end_time": end_time,
            "lead_lag": lead_lag,
            "n_threads": n_threads,
        }

    def extra_repr(self) -> str:
        return ", ".join(f"{key}={value!r}" for key, value in {"biased": self.biased, **self.options}.items())

    def _within(self, name: str, paths: PathsLike, lengths: Optional[Any]) -> Tensor:
        """Return the mean kernel of two paths of one sample, of two different ones unless biased."""
        count = len(paths)
        least = 1 if self.biased else 2
        if count < least:
            kind = "biased" if self.biased else "unbiased"
            raise ValueError(f"{name} has {count} paths; expected {least} or more for the {kind} estimate")
        gram = sigkernel_gram(paths, x_lengths=lengths, **self.options)
        if self.biased:
            return gram.mean()
        # Not the sum less the trace: kernels of a path with itself can be so large that nothing of the others is left.
        return gram.masked_fill(torch.eye(count, dtype=torch.bool, device=gram.device), 0.0).sum() / (
            count * (count - 1)
        )

    def _between(self, x: PathsLike, y: PathsLike, x_lengths: Optional[Any], y_lengths: Optional[Any]) -> Tensor:
        return sigkernel_gram(x, y, x_lengths=x_lengths, y_lengths=y_lengths, **self.options)


class SigKernelMMD(_KernelLoss):
    """The squared maximum mean discrepancy of two samples of paths, by their signature kernels.

    MMD²(P, Q) = E k(X, X') - 2 E k(X, Y) + E k(Y, Y') is 0 where the laws P of X and Q of Y are the same, and positive
    where they differ, for paths with time (`time_aug`) in a bounded set (Chevyrev & Oberhauser 2022).

    The kernels within a sample are computed for half of the pairs. Kept for the gradient are the paths, and numbers as
    many as there are pairs; no grids.

    Parameters
    ----------
    biased : bool
        Take means over all pairs: the distance between two sample means, which is never negative. The default leaves
        the kernels of paths with themselves out, and is unbiased: it may be negative.
    fixed_y : bool
        Leave E k(Y, Y') out, a constant where Y is data: a third of the work less, the same gradient in X.
    dyadic_order, time_aug, end_time, lead_lag, n_threads
        As in `goursat.torch.sigkernel_gram`, with one dyadic order for both sides.

    Examples
    --------
    >>> mmd = goursat.torch.SigKernelMMD(time_aug=True)
    >>> x, y = torch.zeros(4, 10, 2), torch.ones(3, 20, 2).cumsum(1) / 20
    >>> print(f"{mmd(x, y):.4f}")
    4.2288
    >>> print(f"{mmd(x, x + 1.0):.4f}")
    0.0000
    """

    def __init__(self, *, fixed_y: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.fixed_y = fixed_y

    def forward(
        self, x: PathsLike, y: PathsLike, x_lengths: Optional[Any] = None, y_lengths: Optional[Any] = None
    ) -> Tensor:
        """Return the estimate of MMD², a tensor of shape (), differentiable with respect to both samples.

        Parameters
        ----------
        x : Tensor, shape (Bx, Lx, d), or a list of Bx tensors of shape (L_b, d)
            One sample; 2 paths or more, or 1 if biased.
        y : Tensor, shape (By, Ly, d), or a list of By tensors of shape (L_b, d)
            The other.
        x_lengths, y_lengths : Tensor or array_like of int, optional
            Points of each path of a ragged batch.
        """
        result = self._within("x", x, x_lengths) - 2 * self._between(x, y, x_lengths, y_lengths).mean()
        return result if self.fixed_y else result + self._within("y", y, y_lengths)


class SigKernelScore(_KernelLoss):
    """The signature kernel score of a sample of paths and observed paths.

    S(P, y) = λ E k(X, X') - 2 E k(X, y), X and X' independent and of law P. Its mean over observations is least where P
    is their law (Issa, Horvath, Lemercier & Salvi 2023): trained on it, a generator needs one observation for each
    condition, where the MMD needs a sample.

    Parameters
    ----------
    biased : bool
        Take E k(X, X') over all pairs of the sample. The default leaves the kernels of paths with themselves out, and
        is unbiased.
    lam : float
        The factor λ; 1 is the score proper.
    reduction : {"mean", "none"}
        The mean over the observations, or one score for each.
    dyadic_order, time_aug, end_time, lead_lag, n_threads
        As in `goursat.torch.sigkernel_gram`, with one dyadic order for both sides.

    Examples
    --------
    >>> score = goursat.torch.SigKernelScore(time_aug=True, reduction="none")
    >>> x, y = torch.zeros(4, 10, 2), torch.ones(3, 20, 2).cumsum(1) / 20
    >>> score(x, y).shape
    torch.Size([3])
    """

    def __init__(self, *, lam: float = 1.0, reduction: str = "mean", **options: Any) -> None:
        super().__init__(**options)
        if reduction not in ("mean", "none"):
            raise ValueError(f'reduction is {reduction!r}; expected "mean" or "none"')
        self.lam = lam
        self.reduction = reduction

    def forward(
        self, x: PathsLike, y: PathsLike, x_lengths: Optional[Any] = None, y_lengths: Optional[Any] = None
    ) -> Tensor:
        """Return the score, a tensor of shape () or (By,), differentiable with respect to sample and observations.

        Parameters
        ----------
        x : Tensor, shape (Bx, Lx, d), or a list of Bx tensors of shape (L_b, d)
            The sample; 2 paths or more, or 1 if biased.
        y : Tensor, shape (By, Ly, d) or (Ly, d), or a list of By tensors of shape (L_b, d)
            The observations; one alone has the score of shape ().
        x_lengths, y_lengths : Tensor or array_like of int, optional
            Points of each path of a ragged batch.
        """
        alone = isinstance(y, Tensor) and y.ndim == 2
        scores = self.lam * self._within("x", x, x_lengths) - 2 * self._between(
            x, y[None] if alone else y, x_lengths, y_lengths
        ).mean(0)
        return scores.mean() if alone or self.reduction == "mean" else scores
