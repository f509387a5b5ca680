"""Gradients in PyTorch: gradcheck holds every function and option to central differences in double precision."""

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

import goursat.torch as gt

TRANSFORMS = [
    {},
    {"time_aug": True},
    {"time_aug": True, "end_time": 2.5},
    {"lead_lag": True},
    {"lead_lag": "lag_first", "time_aug": True, "n_threads": 2},
]


@pytest.mark.parametrize("options", TRANSFORMS)
@pytest.mark.parametrize("scalar_term", [False, True])
def test_signature(tensors, options, scalar_term):
    path = tensors(2, 1, 4, 2)
    assert gradcheck(lambda p: gt.signature(p, 3, scalar_term=scalar_term, **options), path)
    lengths = torch.tensor([[4], [2]])
    assert gradcheck(lambda p: gt.signature(p, 2, scalar_term=scalar_term, lengths=lengths, **options), path)
    ragged = [tensors(n, 2) for n in (3, 1, 5)]
    assert gradcheck(lambda *p: gt.signature(p, 2, scalar_term=scalar_term, **options), ragged)


@pytest.mark.parametrize("options", TRANSFORMS)
@pytest.mark.parametrize("dyadic_order", [0, 1, (2, 0)])
@pytest.mark.parametrize("return_grid", [False, True])
def test_sigkernel(tensors, options, dyadic_order, return_grid):
    options = {**options, "dyadic_order": dyadic_order, "return_grid": return_grid}
    x, y = tensors(2, 1, 4, 2), tensors(3, 3, 2)  # both broadcast
    assert gradcheck(lambda x, y: gt.sigkernel(x, y, **options), (x, y))
    assert gradcheck(lambda x: gt.sigkernel(x, y.detach(), **options), x)
    assert gradcheck(lambda y: gt.sigkernel(x.detach(), y, **options), y)
    lengths = {"x_lengths": torch.tensor([[3], [4]]), "y_lengths": [1, 3, 2]}
    assert gradcheck(lambda x, y: gt.sigkernel(x, y, **lengths, **options).nan_to_num(), (x, y))
    ragged, partner = [tensors(n, 2) for n in (3, 2)], tensors(3, 2)
    assert gradcheck(lambda y, *x: gt.sigkernel(x, y, **options).nan_to_num(), (partner, *ragged))


@pytest.mark.parametrize("options", TRANSFORMS)
@pytest.mark.parametrize("dyadic_order", [0, 1, (2, 0)])
def test_sigkernel_gram(tensors, options, dyadic_order):
    options = {**options, "dyadic_order": dyadic_order}
    x, y = tensors(2, 4, 2), tensors(3, 3, 2)
    assert gradcheck(lambda x, y: gt.sigkernel_gram(x, y, **options), (x, y))
    assert gradcheck(lambda x: gt.sigkernel_gram(x, y.detach(), **options), x)
    assert gradcheck(lambda y: gt.sigkernel_gram(x.detach(), y, **options), y)
    lengths = {"x_lengths": [4, 1], "y_lengths": torch.tensor([1, 3, 2])}
    assert gradcheck(lambda x, y: gt.sigkernel_gram(x, y, **lengths, **options), (x, y))
    ragged = [tensors(n, 2) for n in (3, 2, 1)]
    assert gradcheck(lambda y, *x: gt.sigkernel_gram(x, y, **options), (y, *ragged))
    if dyadic_order in (0, 1):  # x with itself
        assert gradcheck(lambda x: gt.sigkernel_gram(x, **options), x)
        assert gradcheck(lambda x: gt.sigkernel_gram(x, x_lengths=[2, 4], **options), x)
        assert gradcheck(lambda *x: gt.sigkernel_gram(x, **options), ragged)
        assert gradcheck(lambda x: gt.sigkernel_gram(x, x, **options), x)


def test_transforms(tensors):
    path, lengths = tensors(2, 3, 2), [3, 1]
    ragged = [tensors(n, 2) for n in (3, 1)]
    for function in (
        lambda p: gt.time_augment(p, end_time=2.0),
        lambda p: gt.time_augment(p, lengths=lengths),
        lambda p: gt.lead_lag(p),
        lambda p: gt.lead_lag(p, lag_first=True, lengths=lengths),
    ):
        assert gradcheck(function, path)
        assert gradgradcheck(function, path)  # they are linear
    assert gradcheck(lambda *p: tuple(gt.time_augment(p)), ragged)
    assert gradcheck(lambda *p: tuple(gt.lead_lag(p, lag_first=True)), ragged)


def test_no_gradient_where_none_is_asked(tensors):
    x, y = tensors(3, 5, 2), tensors(3, 4, 2, requires_grad=False)
    kernel = gt.sigkernel(x, y)
    kernel.sum().backward()
    assert y.grad is None and x.grad.abs().sum() > 0
    assert not gt.sigkernel(y, y).requires_grad
    with torch.no_grad():
        assert not gt.sigkernel(x, y).requires_grad
    lengths = torch.tensor([5, 4, 3])
    x.grad = None
    gt.sigkernel(x, y, x_lengths=lengths).sum().backward()
    assert not x.grad[2, 3:].any()


def test_only_the_paths_are_kept(tensors):
    """Nothing of the size of a grid is saved for the gradient."""
    saved = []

    def pack(tensor):
        saved.append(tensor.numel())
        return tensor

    x, y = tensors(3, 50, 2), tensors(4, 60, 2)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        gt.sigkernel(x[:, None], y, dyadic_order=3)
        gt.sigkernel_gram(x, y, dyadic_order=3)
        gt.sigkernel_gram(x, dyadic_order=3)
        gt.signature(x, 8)
    assert saved and max(saved) <= y.numel()


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("signature", lambda x: gt.signature(x, 3)),
        ("sigkernel", lambda x: gt.sigkernel(x, x.detach())),
        ("sigkernel", lambda x: gt.sigkernel(x, x.detach(), return_grid=True)),
        ("sigkernel_gram", lambda x: gt.sigkernel_gram(x)),
        ("sigkernel_gram", lambda x: gt.sigkernel_gram(x, x.detach())),
    ],
)
def test_double_backward_is_refused(tensors, name, call):
    x = tensors(2, 4, 2)
    sentence = f"goursat.torch.{name} has no second derivative: its gradient was itself differentiated"
    (gradient,) = torch.autograd.grad(call(x).sum(), x, create_graph=True)
    np.testing.assert_array_equal(gradient.detach(), torch.autograd.grad(call(x).sum(), x)[0])
    with pytest.raises(NotImplementedError, match=sentence):
        gradient.square().sum().backward()
    with pytest.raises(NotImplementedError, match=sentence):
        torch.autograd.functional.hessian(lambda x: call(x).sum(), x.detach())


def test_gradients_in_single_precision(tensors):
    """Within 1e-5 of double precision, as promised."""
    x, y = tensors(3, 30, 2), tensors(3, 20, 2)
    small = [tensor.detach().float().requires_grad_() for tensor in (x, y)]
    for call in (
        lambda x, y: gt.sigkernel(x, y, dyadic_order=1, time_aug=True).sum(),
        lambda x, y: gt.sigkernel_gram(x, y).sum(),
        lambda x, y: gt.signature(x, 3).sum() + gt.signature(y, 2).sum(),
    ):
        exact = torch.autograd.grad(call(x, y), (x, y))
        rough = torch.autograd.grad(call(*small), small)
        for a, b in zip(exact, rough):
            assert b.dtype == torch.float32
            assert (a - b).abs().max() <= 1e-5 * a.abs().max()
