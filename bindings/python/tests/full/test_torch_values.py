"""Values and gradients in PyTorch: those of the NumPy functions to the last bit, and those of pySigLib."""

import numpy as np
import pysiglib.torch_api as peer
import pytest
import torch

import goursat
import goursat.torch as gt

OPTIONS = [{}, {"time_aug": True, "end_time": 2.0}, {"lead_lag": True}, {"lead_lag": True, "time_aug": True}]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("options", OPTIONS)
def test_like_numpy(tensors, rng, dtype, options):
    x, y = tensors(2, 3, 5, 2, dtype=dtype), tensors(3, 4, 2, dtype=dtype)
    a, b = x.detach().numpy(), y.detach().numpy()
    x_lengths, y_lengths = rng.integers(1, 6, (2, 3)), rng.integers(1, 5, 3)
    lengths = {"x_lengths": x_lengths, "y_lengths": y_lengths}
    first = {"x_lengths": x_lengths[0], "y_lengths": y_lengths}
    cases = [
        (gt.signature(x, 3, lengths=x_lengths, **options), goursat.signature(a, 3, lengths=x_lengths, **options)),
        (gt.sigkernel(x, y, **lengths, **options), goursat.sigkernel(a, b, **lengths, **options)),
        (gt.sigkernel(x[0, 0], y[0], **options), goursat.sigkernel(a[0, 0], b[0], **options)),
        *[
            (f(u, v, return_grid=True, dyadic_order=(1, 2), **lengths, **options))
            for f, u, v in ((gt.sigkernel, x, y), (goursat.sigkernel, a, b))
        ],
        (gt.sigkernel_gram(x[0], y, **first, **options), goursat.sigkernel_gram(a[0], b, **first, **options)),
        (gt.sigkernel_gram(y, x_lengths=y_lengths), goursat.sigkernel_gram(b, x_lengths=y_lengths)),
        (gt.lead_lag(x, lengths=x_lengths), goursat.lead_lag(a, lengths=x_lengths)),
        (gt.time_augment(x, lengths=x_lengths), goursat.time_augment(a, lengths=x_lengths)),
    ]
    grids = cases[3:5]
    for ours, expected in [*cases[:3], (grids[0], grids[1]), *cases[5:]]:
        assert ours.dtype == dtype and ours.requires_grad
        np.testing.assert_array_equal(ours.detach().numpy(), expected)


def test_gradients_like_numpy(tensors, rng):
    x, y = tensors(2, 3, 5, 2), tensors(3, 4, 2)
    a, b = x.detach().numpy(), y.detach().numpy()
    grad = rng.normal(size=(2, 3))
    gt.sigkernel(x, y, dyadic_order=1).backward(torch.from_numpy(grad))
    for tensor, expected in zip((x, y), goursat.sigkernel_backprop(grad, a, b, dyadic_order=1)):
        np.testing.assert_array_equal(tensor.grad, expected)


def test_lists_like_padded_batches(tensors):
    ragged = [tensors(n, 2) for n in (4, 1, 6)]
    arrays = [path.detach().numpy() for path in ragged]
    y = tensors(2, 1, 5, 2)
    np.testing.assert_array_equal(gt.signature(ragged, 3).detach(), goursat.signature(arrays, 3))
    np.testing.assert_array_equal(gt.sigkernel(ragged, y).detach(), goursat.sigkernel(arrays, y.detach().numpy()))
    np.testing.assert_array_equal(gt.sigkernel_gram(ragged).detach(), goursat.sigkernel_gram(arrays))
    np.testing.assert_array_equal(
        gt.sigkernel_gram(y[0], ragged).detach(), goursat.sigkernel_gram(y[0].detach(), arrays)
    )
    for name in ("time_augment", "lead_lag"):
        for ours, expected in zip(getattr(gt, name)(ragged), getattr(goursat, name)(arrays)):
            np.testing.assert_array_equal(ours.detach(), expected)
    gt.sigkernel_gram(ragged).sum().backward()
    for path, expected in zip(ragged, goursat.sigkernel_gram_backprop(np.ones((3, 3)), arrays)):
        np.testing.assert_array_equal(path.grad, expected)


@pytest.mark.parametrize("options", OPTIONS)
def test_like_pysiglib(tensors, options):
    """Their lead-lag has the lag first. Both sum in double precision: 1e-12 allows for the order."""
    x, y = tensors(3, 6, 2), tensors(3, 5, 2)
    weights = torch.linspace(-1, 1, 3, dtype=torch.float64)
    lag_first = {**options, "lead_lag": "lag_first" if options.get("lead_lag") else False}
    for ours, theirs in (
        (gt.signature(x, 3, **lag_first), peer.signature(x, 3, **options)),
        (gt.sigkernel(x, y, dyadic_order=2, **options), peer.sig_kernel(x, y, dyadic_order=2, **options)),
        (gt.sigkernel_gram(x, y, dyadic_order=1, **options), peer.sig_kernel_gram(x, y, dyadic_order=1, **options)),
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
        grads = []
        for result in (ours, theirs):
            total = (weights.reshape(3, *[1] * (result.ndim - 1)) * result.square()).sum()
            grads.append(torch.autograd.grad(total, (x, y), allow_unused=True))
        for a, b in zip(*grads):
            if a is not None:
                torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-11)
