"""The functions of goursat on arrays of a device, against the same on the CPU. Run by test_cuda.py, on the stand-in."""

import sys

import memory
import numpy as np
import pytest

import goursat

memory.start()
TOLERANCES = {np.float32: 2e-5, np.float64: 1e-12}  # the order of sums is another: some thousand roundings
RNG = np.random.default_rng(20080915)


@pytest.fixture(autouse=True)
def cupy(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", memory.cupy())


def walks(*shape, dtype=np.float64):
    return (np.cumsum(RNG.normal(size=shape), axis=-2) / np.sqrt(shape[-2] * shape[-1])).astype(dtype)


def there(value):
    """The same in device memory."""
    if isinstance(value, list):
        return [there(path) for path in value]
    return memory.copied(value) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value


def assert_same(ours, theirs, dtype):
    if isinstance(theirs, (list, tuple)):
        assert type(ours) is type(theirs) and len(ours) == len(theirs)
        for one, other in zip(ours, theirs):
            assert_same(one, other, dtype)
        return
    assert isinstance(ours, memory.Array) and ours.dtype == dtype and ours.shape == np.shape(theirs)
    scale = np.nanmax(np.abs(theirs), initial=1.0)  # kernels begin at 1, and may cancel down to less
    np.testing.assert_allclose(ours.host() / scale, theirs / scale, rtol=0, atol=TOLERANCES[dtype])


def both(name, dtype, *arguments, **options):
    """Call a function on a device and on the CPU; the device has worked."""
    function, before = getattr(goursat, name), memory.launches()
    ours = function(*map(there, arguments), **options)
    memory.synchronize()
    assert memory.launches() > before
    assert_same(ours, function(*arguments, **options), dtype)


TRANSFORMS = [{}, {"time_aug": True, "end_time": 2.0}, {"lead_lag": True}]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("options", TRANSFORMS)
def test_values_and_gradients(dtype, options):
    x, y = walks(2, 3, 5, 2, dtype=dtype), walks(3, 4, 2, dtype=dtype)
    lengths = {"x_lengths": RNG.integers(1, 6, (2, 3)), "y_lengths": RNG.integers(1, 5, 3)}
    size = goursat.signature_length(2, 3, **{key: value for key, value in options.items() if key != "end_time"})
    both("signature", dtype, x, 3, lengths=lengths["x_lengths"], **options)
    both("sig_backprop", dtype, RNG.normal(size=(2, 3, size)).astype(dtype), x, 3, **options)
    both("sigkernel", dtype, x, y, dyadic_order=1, **lengths, **options)
    both("sigkernel", dtype, x, y, return_grid=True, dyadic_order=(1, 2), **options)
    both("sigkernel", dtype, x[0, 0], y[0], **options)
    grad = RNG.normal(size=(2, 3)).astype(dtype)
    both("sigkernel_backprop", dtype, grad, x, y, dyadic_order=1, **lengths, **options)  # y is summed over an axis
    grids = goursat.sigkernel(x, y, return_grid=True, **options).astype(dtype)
    both("sigkernel_backprop", dtype, grids, x, y, return_grid=True, wrt="y", **options)
    both("sigkernel_gram", dtype, y, **options)
    both("sigkernel_gram", dtype, x[0], y, **options)
    both("sigkernel_gram_backprop", dtype, grad[:1], x[0, :2], y, **options)
    both("sigkernel_gram_backprop", dtype, walks(3, 3, dtype=dtype), y, **options)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_transforms(dtype):
    x, lengths = walks(2, 3, 5, 2, dtype=dtype), RNG.integers(1, 6, (2, 3))
    for name, options in (("time_augment", {"end_time": 3.0}), ("lead_lag", {"lag_first": True})):
        both(name, dtype, x, lengths=lengths, **options)
        both(name, dtype, list(x[0]), **options)
        both(f"{name}_backprop", dtype, getattr(goursat, name)(x))


def test_times_do_not_overflow_before_their_end():
    augmented = goursat.time_augment(there(walks(5, 2)), end_time=1e308)
    memory.synchronize()
    times = augmented.host()[:, 2]
    np.testing.assert_allclose(times, [0, 2.5e307, 5e307, 7.5e307, 1e308], rtol=1e-15)


def test_lists():
    ragged, y = [walks(n, 2) for n in (4, 1, 6)], walks(2, 1, 5, 2)
    both("signature", np.float64, ragged, 3)
    both("sigkernel", np.float64, ragged, y)
    both("sigkernel_backprop", np.float64, walks(2, 3), ragged, y)
    both("sig_backprop", np.float64, walks(3, 14), ragged, 3)
    both("sigkernel_gram", np.float64, ragged, y[:, 0])


def test_where_they_lie():
    """Strides, reversed and repeated paths included, are read without a copy."""
    values = memory.copied(walks(4, 7, 3))
    for view in (np.s_[::2, 1:, :2], np.s_[:, ::-1], np.s_[1:3, ::2, ::-1]):
        part, host = values[view], values.host()[view]
        assert_same(goursat.signature(part, 2), goursat.signature(host, 2), np.float64)
        assert_same(goursat.sigkernel_gram(part), goursat.sigkernel_gram(host), np.float64)
        assert_same(
            goursat.sigkernel_backprop(1.0, part, part[:1]), goursat.sigkernel_backprop(1.0, host, host[:1]), np.float64
        )


def test_integers_and_precisions_are_cast_there():
    x, y = np.arange(12, dtype=np.float32).reshape(1, 6, 2) / 9, walks(1, 4, 2)
    both("sigkernel", np.float64, x, y)
    whole = memory.copied(np.arange(12).reshape(6, 2) % 5)
    assert_same(goursat.signature(whole, 2), goursat.signature(whole.host(), 2), np.float64)


class Foreign:
    """Another library's array."""

    def __init__(self, array):
        self.array = array
        self.__cuda_array_interface__ = {
            "version": 3,
            "data": (array.data.ptr, False),
            "shape": array.shape,
            "strides": array.strides,
            "typestr": array.dtype.str,
            "stream": 1,
        }


class Capsule:
    """One that has only DLPack."""

    def __init__(self, array, kind):
        self.values, self.kind = array.values, kind

    def __dlpack_device__(self):
        return self.kind, 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_other_libraries(dtype):
    x = memory.copied(walks(3, 5, 2, dtype=dtype))
    expected = goursat.signature(x.host(), 3)
    for value in (Foreign(x), Foreign(x[:, :, :]), Capsule(x, 2), Capsule(x, 13)):
        assert_same(goursat.signature(value, 3), expected, dtype)
    assert_same(goursat.sigkernel_gram(Foreign(x[::2])), goursat.sigkernel_gram(x.host()[::2]), dtype)


def test_neither_cupy_nor_torch(monkeypatch):
    foreign = Foreign(memory.copied(walks(5, 2)))
    for name in ("cupy", "torch"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(TypeError, match="path is a Foreign in the memory of a CUDA device, and neither CuPy nor PyT"):
        goursat.signature(foreign, 2)


def test_places_are_not_mixed():
    x, y = walks(3, 5, 2), memory.copied(walks(3, 4, 2))
    other = memory.Array(memory.copied(x).values, index=1)
    with pytest.raises(ValueError, match=r"y is on CUDA device 0 \(cupy\) and x is on the CPU; expected both in one p"):
        goursat.sigkernel(x, y)
    with pytest.raises(ValueError, match=r"y is on CUDA device 0 \(cupy\) and x is on CUDA device 1 \(cupy\)"):
        goursat.sigkernel_gram(other, y)
    with pytest.raises(ValueError, match=r"path\[1\] is on CUDA device 0 \(cupy\) and path\[0\] is on the CPU"):
        goursat.signature([x[0], y[0]], 2)
    with pytest.raises(ValueError, match=r"grad is on the CPU and the paths is on CUDA device 0"):
        goursat.sigkernel_backprop(np.ones(3), y, y)
    with pytest.raises(ValueError, match=r"grad has shape \(2,\); expected \(3,\)"):
        goursat.sigkernel_backprop(memory.copied(np.ones(2)), y, y)


def test_errors_of_the_library_are_raised():
    x = memory.copied(walks(3, 5, 2))
    with pytest.raises(ValueError, match="x_order"):
        goursat.sigkernel(x, x, dyadic_order=99)
    pretended = memory.Array(walks(5, 2))
    with pytest.raises(ValueError, match="which is not in the memory of a CUDA device; expected memory of device 0"):
        goursat.signature(pretended, 2)
