"""What arrays are like in memory does not matter: strides, byte order, types, permissions."""

import numpy as np
import pytest

import goursat
from goursat._paths import F64, Paths, real


def layouts(path):
    """The same numbers, lying in all kinds of ways."""
    fortran = np.asfortranarray(path)
    spaced = np.full((*path.shape[:-2], 2 * path.shape[-2], 3 * path.shape[-1]), np.nan, path.dtype)
    spaced[..., ::2, 1::3] = path
    records = np.zeros(path.shape, dtype=[("flag", "i1"), ("value", path.dtype)])
    records["value"] = path
    unaligned = np.frombuffer(b"\0" + path.tobytes(), path.dtype, offset=1).reshape(path.shape)
    read_only = path.copy()
    read_only.flags.writeable = False
    return {
        "fortran": fortran,
        "spaced": spaced[..., ::2, 1::3],
        "transposed": np.ascontiguousarray(path.swapaxes(-1, -2)).swapaxes(-1, -2),
        "time reversed": np.ascontiguousarray(path[..., ::-1, :])[..., ::-1, :],
        "channels reversed": np.ascontiguousarray(path[..., ::-1])[..., ::-1],
        "batch reversed": np.ascontiguousarray(path[::-1])[::-1],
        "batch axes swapped": np.ascontiguousarray(path.swapaxes(0, 1)).swapaxes(0, 1),
        "records": records["value"],
        "unaligned": unaligned,
        "read only": read_only,
        "big endian": path.astype(path.dtype.newbyteorder(">")),
        "little endian": path.astype(path.dtype.newbyteorder("<")),
        "matrix subclass": path.view(type("Array", (np.ndarray,), {})),
    }


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_layouts(rng, walks, dtype):
    path, other = walks(2, 3, 5, 2, dtype=dtype), walks(2, 3, 4, 2, dtype=dtype)
    grad = rng.normal(size=(2, 3)).astype(dtype)
    signature = goursat.signature(path, 3)
    s_grad = goursat.sig_backprop(signature, path, 3)
    kernel = goursat.sigkernel(path, other)
    gx, gy = goursat.sigkernel_backprop(grad, path, other)
    gram = goursat.sigkernel_gram(path[0], other[0])
    for name, like in layouts(path).items():
        if name != "records":
            assert like.dtype.itemsize == path.dtype.itemsize
        np.testing.assert_array_equal(goursat.signature(like, 3), signature, err_msg=name)
        np.testing.assert_array_equal(goursat.sig_backprop(signature, like, 3), s_grad, err_msg=name)
        np.testing.assert_array_equal(goursat.sigkernel(like, other), kernel, err_msg=name)
        np.testing.assert_array_equal(goursat.sigkernel(other, like), kernel, err_msg=name)
        np.testing.assert_array_equal(goursat.sigkernel_backprop(grad, like, other)[0], gx, err_msg=name)
        np.testing.assert_array_equal(goursat.sigkernel_backprop(grad, like, other)[1], gy, err_msg=name)
        np.testing.assert_array_equal(goursat.sigkernel_gram(like[0], other[0]), gram, err_msg=name)
        np.testing.assert_array_equal(goursat.lead_lag(like), goursat.lead_lag(path), err_msg=name)


def test_gradients_given_in_any_layout(rng, walks):
    path = walks(2, 3, 5, 2)
    grad = rng.normal(size=(2, 3, 6))
    expected = goursat.sig_backprop(grad, path, 2)
    for name, like in layouts(grad).items():
        np.testing.assert_array_equal(goursat.sig_backprop(like, path, 2), expected, err_msg=name)
    grad = rng.normal(size=(2, 3, 9, 4))
    for name, like in layouts(grad).items():
        pulled = goursat.lead_lag_backprop(like)
        np.testing.assert_array_equal(pulled, goursat.lead_lag_backprop(grad), err_msg=name)


def test_nothing_is_copied_that_strides_can_say(walks):
    for name, like in layouts(walks(2, 3, 5, 2)).items():
        if name in ("records", "unaligned", "big endian"):
            continue
        assert np.shares_memory(Paths(real(like, "path"), "path", F64).array, like), name
    one = walks(5, 2)
    paths = Paths(one, "path", F64)
    paths.broadcast((1000,))
    assert paths.address == one.ctypes.data
    assert paths.strides == (0, 2, 1)
    assert paths.starts is None


def test_random_views(rng):
    """Transposed, sliced, reversed, broadcast and all at once: read in place and right."""
    for _ in range(500):
        axes = rng.integers(2, 6)
        base = rng.normal(size=tuple(rng.integers(1, 5, size=axes)))
        view = base.transpose(rng.permutation(axes))
        view = view[tuple(slice(None, None, int(step)) for step in rng.choice([1, -1, 2, -2], size=axes))]
        if rng.random() < 0.3:
            view = np.broadcast_to(view, (2, *view.shape))
        if base.size > 1 and any(view.strides):
            assert np.shares_memory(Paths(view, "path", F64).array, base)
        np.testing.assert_array_equal(goursat.time_augment(view)[..., :-1], view)


def test_overlapping_windows_of_a_series(walks):
    series = walks(50, 2)
    windows = np.lib.stride_tricks.sliding_window_view(series, 10, axis=0).swapaxes(1, 2)
    copied = np.ascontiguousarray(windows)
    assert np.shares_memory(Paths(windows, "path", series.dtype).array, series)
    np.testing.assert_array_equal(goursat.sigkernel_gram(windows), goursat.sigkernel_gram(copied))
    np.testing.assert_array_equal(goursat.signature(windows, 2), goursat.signature(copied, 2))
    grad = goursat.sigkernel_gram_backprop(np.ones((41, 41)), windows)
    np.testing.assert_array_equal(grad, goursat.sigkernel_gram_backprop(np.ones((41, 41)), copied))


@pytest.mark.parametrize("shape", [(4, 3, 2), (1, 3, 2), (4, 1, 2), (4, 3, 1), (3, 2), (2, 4, 3, 2)])
def test_constant_broadcast_arrays(shape):
    path = np.broadcast_to(np.float64(7.0), shape)
    assert not goursat.signature(path, 2).any()
    np.testing.assert_array_equal(goursat.time_augment(path)[..., 0], np.full(shape[:-1], 7.0))
    np.testing.assert_array_equal(goursat.sig_backprop(1.0, path, 1), goursat.sig_backprop(1.0, path.copy(), 1))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        *[("f4", "f4"), ("f8", "f8"), (">f4", "f4"), (">f8", "f8"), ("f2", "f8"), ("g", "f8")],
        *[("i1", "f8"), ("u8", "f8"), (">i4", "f8"), ("?", "f8")],
    ],
)
def test_types(given, expected):
    path = np.array([[0, 0], [1, 0], [1, 1]]).astype(given)
    for result in (
        goursat.signature(path, 2),
        goursat.sigkernel(path, path),
        goursat.sigkernel(path, path, return_grid=True),
        goursat.sigkernel_gram(path[None]),
        goursat.sigkernel_backprop(1.0, path, path)[0],
        goursat.sigkernel_backprop(1, path, path)[1],
        goursat.time_augment(path),
        goursat.lead_lag([path])[0],
        goursat.signature([path], 1),
        goursat.lead_lag_backprop(goursat.lead_lag(path)),
    ):
        assert result.dtype == np.dtype(expected)
    np.testing.assert_array_equal(goursat.signature(path, 2), [1, 1, 0.5, 1, 0, 0.5])


def test_mixed_precision_is_double(walks):
    x, y = walks(3, 5, 2), walks(3, 4, 2)
    small = x.astype(np.float32)
    assert goursat.sigkernel(small, y).dtype == np.float64
    np.testing.assert_array_equal(goursat.sigkernel(small, y), goursat.sigkernel(small.astype(float), y))
    assert goursat.sigkernel_gram(x, y.astype(np.float32)).dtype == np.float64
    assert goursat.sigkernel([x[0], small[0]], y[:2]).dtype == np.float64
    assert goursat.sigkernel_backprop(np.ones(3), small, small, wrt="x").dtype == np.float64
    assert goursat.sigkernel_backprop(np.ones(3, np.float32), small, small, wrt="x").dtype == np.float32
    assert goursat.sig_backprop(np.ones((3, 2), np.float32), small, 1).dtype == np.float32


def test_inputs_are_left_alone(walks):
    x, y = walks(3, 5, 2), walks(3, 4, 2)
    before = x.copy(), y.copy()
    goursat.sigkernel_backprop(np.ones(3), x, y, time_aug=True, lead_lag=True)
    goursat.sigkernel_gram_backprop(np.ones((3, 3)), x, y)
    goursat.sig_backprop(1.0, x, 3)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(y, before[1])
