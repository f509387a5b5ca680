"""What PyTorch users expect of types, devices, strides, and errors."""

import numpy as np
import pytest
import torch

import goursat
import goursat.torch as gt
from goursat.torch._bridge import _seen

PATH = torch.zeros(3, 4, 2)
ONE = torch.zeros(4, 2)


def test_types(tensors):
    double, single = tensors(3, 4, 2), tensors(3, 4, 2, dtype=torch.float32)
    assert gt.signature(single, 2).dtype == torch.float32
    assert gt.sigkernel(single, single).dtype == torch.float32
    assert gt.signature([single[0], double[0]], 2).dtype == torch.float64
    mixed = gt.sigkernel(single, double)
    assert mixed.dtype == torch.float64
    mixed.sum().backward()
    assert (single.grad.dtype, double.grad.dtype) == (torch.float32, torch.float64)
    integers = torch.tensor([[0, 0], [1, 0], [1, 1]])
    for path in (integers, integers.to(torch.uint8), integers.bool()):
        result = gt.signature(path, 2)
        assert result.dtype == torch.float64
        np.testing.assert_array_equal(result, [1, 1, 0.5, 1, 0, 0.5])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float8_e5m2])
def test_half_precision_is_refused(dtype):
    sentence = r"path has dtype torch\.\w+; expected torch.float32 or torch.float64: the increments"
    for call in (lambda p: gt.signature(p, 2), gt.lead_lag):
        with pytest.raises(TypeError, match=sentence):
            call(PATH.to(dtype))
    with pytest.raises(TypeError, match=r"y\[1\] has dtype"):
        gt.sigkernel_gram(PATH, [ONE, ONE.to(dtype)])


def test_layouts_are_read_in_place(tensors):
    """Whatever strides say: no copy, and the same bits."""
    path, y = tensors(3, 5, 4, requires_grad=False), tensors(3, 4, 4, requires_grad=False)
    wide = torch.full((3, 10, 12), float("nan"), dtype=torch.float64)
    wide[:, ::2, 1::3] = path
    layouts = {
        "transposed": path.transpose(1, 2).contiguous().transpose(1, 2),
        "spaced": wide[:, ::2, 1::3],
        "expanded": path[:1].expand(3, 5, 4),
        "windows": tensors(7, 4, requires_grad=False).unfold(0, 5, 1).transpose(1, 2),
        "channels": tensors(3, 5, 6, requires_grad=False)[..., 1:5],
    }
    for name, like in layouts.items():
        assert _seen(like).__array_interface__["data"][0] == like.data_ptr(), name
        copy = like.contiguous()
        assert torch.equal(gt.signature(like, 3), gt.signature(copy, 3)), name
        assert torch.equal(gt.sigkernel(like, y), gt.sigkernel(copy, y)), name
        assert torch.equal(gt.sigkernel_gram(like), gt.sigkernel_gram(copy)), name
        gradients = []
        for version in (like, copy):
            leaf = version.detach().requires_grad_()
            (gt.sigkernel_gram(leaf, y).sum() + gt.signature(leaf, 2).sum()).backward()
            gradients.append(leaf.grad)
        assert torch.equal(*gradients), name
    negative = torch.imag(torch.conj(torch.complex(path, path)))  # a view with its negative bit set
    assert negative.is_neg() and torch.equal(gt.signature(negative, 2), gt.signature(-path, 2))


def test_gradients_given_in_any_layout(tensors):
    x, y = tensors(3, 5, 2), tensors(3, 4, 2)
    gram = gt.sigkernel_gram(x, y)
    ones = torch.autograd.grad(gram, x, torch.ones(3, 3, dtype=torch.float64), retain_graph=True)
    for grad in (
        torch.ones((), dtype=torch.float64).expand(3, 3),
        torch.ones(6, 6, dtype=torch.float64)[::2, ::2].t(),
    ):
        assert torch.equal(torch.autograd.grad(gram, x, grad, retain_graph=True)[0], ones[0])


def test_empty_batches():
    assert gt.signature(PATH[:0], 2).shape == (0, 6)
    assert gt.sigkernel(PATH[:0], PATH[:1]).shape == (0,)
    assert gt.sigkernel_gram(PATH[:0], PATH).shape == (0, 3)
    assert gt.sigkernel_gram(PATH[:0]).shape == (0, 0)
    x = PATH[:0].clone().requires_grad_()
    gt.sigkernel_gram(x, PATH).sum().backward()
    assert x.grad.shape == (0, 4, 2)


@pytest.mark.parametrize(
    ("error", "call", "sentence"),
    [
        (TypeError, lambda: gt.signature(PATH.numpy(), 2), "path is a ndarray; expected a torch.Tensor or a list"),
        (TypeError, lambda: gt.signature([[0.0]], 2), r"path\[0\] is a list"),
        (TypeError, lambda: gt.signature(PATH.to(torch.complex64), 2), "path has dtype torch.complex64; expected real"),
        (TypeError, lambda: gt.signature(PATH.to_sparse(), 2), "path is not a dense tensor"),
        (TypeError, lambda: gt.signature(PATH, 2.0), "degree is 2.0; expected an integer"),
        (TypeError, lambda: gt.sigkernel(PATH, PATH, x_lengths=[1.0, 1.0, 1.0]), "x_lengths has dtype torch.float32"),
        (TypeError, lambda: gt.signature(PATH, 2, lengths=[True] * 3), "path_lengths has dtype torch.bool"),
        (ValueError, lambda: gt.signature(torch.zeros(4), 2), r"path has shape \(4,\); expected \(\.\.\., length, ch"),
        (ValueError, lambda: gt.signature([], 2), "path is empty"),
        (ValueError, lambda: gt.signature([ONE, ONE[:, :1]], 2), r"path\[1\] has shape \(4, 1\); expected \(length, 2"),
        (ValueError, lambda: gt.signature([ONE[0]], 2), r"path\[0\] has shape \(2,\); expected \(length, channels\)"),
        (ValueError, lambda: gt.signature([ONE], 2, lengths=[4]), "path is a list"),
        (ValueError, lambda: gt.signature(PATH, 0), "degree is 0"),
        (ValueError, lambda: gt.signature(PATH, 100), "goursat_signature_length: "),
        (ValueError, lambda: gt.signature(PATH, 2, lead_lag="lead"), "lead_lag is 'lead'; expected False, True"),
        (ValueError, lambda: gt.signature(PATH, 2, end_time=0), "end_time is 0"),
        (ValueError, lambda: gt.signature(PATH, 2, lengths=[4, 5, 1]), r"x_lengths\[1\] is 5; expected 1 to 4"),
        (ValueError, lambda: gt.signature(PATH, 2, lengths=[4, 1]), r"path_lengths has shape \(2,\); expected \(3,\)"),
        (ValueError, lambda: gt.sigkernel(PATH, PATH[..., :1]), "y has 1 channels and x has 2"),
        (ValueError, lambda: gt.sigkernel(PATH, PATH[:2]), "do not broadcast"),
        (ValueError, lambda: gt.sigkernel(PATH, PATH, dyadic_order=17), "x_order is 17; expected at most 16"),
        (ValueError, lambda: gt.sigkernel_gram(ONE), r"x has shape \(4, 2\); expected \(batch, length, channels\)"),
        (ValueError, lambda: gt.sigkernel_gram(PATH, y_lengths=[1, 1, 1]), "y_lengths are given without y"),
        (ValueError, lambda: gt.sigkernel_gram(PATH, dyadic_order=(1, 2)), "expected equal orders"),
        (ValueError, lambda: gt.sigkernel(PATH, PATH.to("meta")), "tensors are on cpu and on meta; expected one"),
        (ValueError, lambda: gt.signature(PATH, 2, n_threads=-1), "n_threads is -1"),
    ],
)
def test_errors(error, call, sentence):
    with pytest.raises(error, match=sentence):
        call()


def test_shapes_without_numbers():
    """Tensors on the device meta have shapes only, and so have their results."""
    x, y = torch.empty(2, 1, 5, 3, device="meta"), torch.empty(4, 6, 3, device="meta")
    options = {"lead_lag": True, "time_aug": True}
    length = goursat.signature_length(3, 3, **options)
    assert gt.signature(x, 3, **options).shape == (2, 1, length)
    assert gt.sigkernel(x, y).shape == (2, 4)
    assert gt.sigkernel(x, y, return_grid=True, dyadic_order=(1, 0), lead_lag=True).shape == (2, 4, 17, 11)
    assert gt.sigkernel_gram(y).shape == (4, 4)
    assert gt.lead_lag(x).shape == (2, 1, 9, 6) and gt.time_augment(x).shape == (2, 1, 5, 4)


class Elsewhere(torch.Tensor):
    """A tensor that says it is on another device, for machines without one."""

    device = property(lambda self: torch.device("mps", 1))


def test_other_devices_are_refused():
    path = PATH.as_subclass(Elsewhere)
    for call in (lambda: gt.signature(path, 2), lambda: gt.lead_lag(path)):
        with pytest.raises(NotImplementedError, match="path is on mps:1; expected the CPU or a CUDA device"):
            call()
    with pytest.raises(NotImplementedError, match=r"y\[1\] is on mps:1"):
        gt.sigkernel_gram(PATH, [ONE, path[0]])
