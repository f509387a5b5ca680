"""goursat.torch on a device, against the same on the CPU. Run by test_torch_cuda.py, on the stand-in.

PyTorch here may be without CUDA: tensors of the CPU that lie in the stand-in's memory are said to be on the device.
"""

import memory
import numpy as np
import pytest
import torch

import goursat
import goursat.torch as gt
from goursat import _call, _device

memory.start()
RNG = np.random.default_rng(20080915)


class Home(_device.TorchHome):
    """PyTorch's device 0, whose allocator is the stand-in's."""

    def stream(self):
        return 0

    def empty(self, shape, dtype):
        return _device.DeviceArray(torch.from_numpy(memory.allocate(shape, dtype)), self)

    def cast(self, native, dtype):
        return there(super().cast(native, dtype))

    def dense(self, native):
        return there(super().dense(native))

    def total(self, native, axes):
        return there(super().total(native, axes))


def there(tensor):
    """Return a copy in device memory."""
    copy = torch.from_numpy(memory.allocate(tuple(tensor.shape), tensor.detach().numpy().dtype))
    return copy.copy_(tensor.detach())


@pytest.fixture
def device(monkeypatch):
    """Tensors of numbers are on the device from here on; what PyTorch itself allocated is copied there first."""

    def tensor_here(tensor):
        tensor = tensor.detach().resolve_neg()
        known = memory.driver.cuPointerGetAttribute(memory.ctypes.byref(kind), 2, ctypes_address(tensor)) == 0
        if not known:  # as a gradient that PyTorch made
            elsewhere.append(tensor)
            tensor = there(tensor)
        return _device.DeviceArray(tensor, Home(torch, 0))

    def launch(*arguments):
        before = memory.launches()
        original(*arguments)
        memory.synchronize()  # PyTorch's next operation, on the CPU, does not wait for the stream
        assert memory.launches() > before

    kind, elsewhere, original = memory.ctypes.c_uint(), [], _call.launch
    monkeypatch.setattr(_device, "on_device", lambda tensor: tensor.is_floating_point())
    monkeypatch.setattr(_device, "tensor_here", tensor_here)
    monkeypatch.setattr(_call, "launch", launch)
    return elsewhere


def ctypes_address(tensor):
    return memory.ctypes.c_uint64(tensor.data_ptr())


def walks(*shape, dtype=np.float64):
    return torch.from_numpy((np.cumsum(RNG.normal(size=shape), axis=-2) / np.sqrt(shape[-2] * shape[-1])).astype(dtype))


LENGTHS = {"x_lengths": torch.tensor([5, 2, 1]), "y_lengths": torch.tensor([4, 1, 3])}
CASES = {
    "signature": lambda x, y: gt.signature(x, 3, time_aug=True),
    "signature ragged": lambda x, y: gt.signature(x, 3, lengths=LENGTHS["x_lengths"]),
    "sigkernel": lambda x, y: gt.sigkernel(x, y, dyadic_order=1, lead_lag=True),
    "sigkernel ragged": lambda x, y: gt.sigkernel(x, y, **LENGTHS),
    "sigkernel broadcast": lambda x, y: gt.sigkernel(x[:, None], y),
    "grid": lambda x, y: gt.sigkernel(x, y, return_grid=True, dyadic_order=(0, 1)),
    "gram": lambda x, y: gt.sigkernel_gram(x, y, dyadic_order=(1, 0)),
    "gram of one": lambda x, y: gt.sigkernel_gram(x, **{"x_lengths": LENGTHS["x_lengths"]}),
    "strided": lambda x, y: gt.sigkernel_gram(x.flip(1)[::2], y.transpose(0, 1)[:3].transpose(0, 1)),
    "mmd": lambda x, y: gt.SigKernelMMD(time_aug=True)(x, y),
    "lead-lag": lambda x, y: gt.lead_lag(x, lengths=LENGTHS["x_lengths"]),
    "time": lambda x, y: gt.time_augment(x, end_time=2.0),
    "list": lambda x, y: gt.sigkernel_gram([x[0], x[1, :2]], [y[0], y[1, :1]]),
    "vmap": lambda x, y: torch.func.vmap(gt.sigkernel)(x, y),
}


def values_and_gradients(case, x, y, place):
    x, y = place(x).requires_grad_(), place(y).requires_grad_()
    result = CASES[case](x, y)
    torch.manual_seed(1)
    (result * torch.randn(result.shape, dtype=torch.float64).to(result.dtype)).sum().backward()
    return [result.detach(), *(t.grad for t in (x, y) if t.grad is not None)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients(request, dtype, case):
    x, y = walks(3, 5, 2, dtype=dtype), walks(3, 4, 2, dtype=dtype)
    expected = values_and_gradients(case, x, y, torch.clone)
    request.getfixturevalue("device")
    found = values_and_gradients(case, x, y, there)
    assert len(found) == len(expected) >= 2
    for one, other in zip(found, expected):
        assert one.dtype == other.dtype and one.shape == other.shape
        scale = max(1.0, float(other.abs().max()))  # the order of sums is another: some thousand roundings
        tolerance = 2e-5 if dtype is np.float32 else 1e-12
        torch.testing.assert_close(one / scale, other / scale, rtol=0, atol=tolerance)


def test_results_and_workspace_are_allocated_there(device, monkeypatch):
    """Outputs, gradients and workspace come from the home; inputs are not copied."""
    made, empty = [], Home.empty
    monkeypatch.setattr(Home, "empty", lambda self, *what: made.append(empty(self, *what)) or made[-1])
    x = there(walks(3, 5, 2))
    gram = gt.sigkernel_gram(x)
    addresses = [array.address for array in made]
    assert gram.data_ptr() == addresses[0]
    assert not device and made[1].dtype == np.uint8 and addresses[1] % 256 == 0


def test_functions_of_arrays_take_tensors_too(device):
    x = walks(3, 5, 2)
    expected = goursat.signature(x.numpy(), 3)
    found = goursat.signature(there(x), 3)
    assert isinstance(found, torch.Tensor)
    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=1e-12)
    with pytest.raises(
        TypeError, match=r"path is a tensor that requires grad; expected others here: goursat.torch diff"
    ):
        goursat.signature(there(x).requires_grad_(), 3)


def test_second_derivatives_are_refused_there_too(device):
    x = there(walks(3, 5, 2)).requires_grad_()
    (grad,) = torch.autograd.grad(gt.sigkernel_gram(x).sum(), x, create_graph=True)
    with pytest.raises(NotImplementedError, match="has no second derivative"):
        grad.sum().backward()
