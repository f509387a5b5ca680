"""Batch axes, ragged batches and the shapes of results."""

import numpy as np
import pytest

import goursat
import oracle


def loop(function, *arrays):
    """Apply a function of single paths over broadcast batch axes."""
    lead = np.broadcast_shapes(*(a.shape[:-2] for a in arrays))
    arrays = [np.broadcast_to(a, lead + a.shape[-2:]) for a in arrays]
    results = [function(*(a[index] for a in arrays)) for index in np.ndindex(lead)]
    return np.array(results).reshape(lead + np.shape(results[0]))


@pytest.mark.parametrize("lead", [(), (1,), (5,), (2, 3), (2, 1, 3)])
def test_signature_axes(walks, lead):
    path = walks(*lead, 6, 2)
    result = goursat.signature(path, 3)
    assert result.shape == (*lead, 14)
    np.testing.assert_allclose(result, loop(lambda p: oracle.signature(p, 3), path), rtol=1e-12, atol=1e-14)
    grad = goursat.sig_backprop(np.ones(14), path, 3)
    assert grad.shape == path.shape
    np.testing.assert_array_equal(grad, loop(lambda p: goursat.sig_backprop(np.ones(14), p, 3), path))


@pytest.mark.parametrize(
    ("x_lead", "y_lead"),
    [
        *[((), ()), ((4,), (4,)), ((4,), ()), ((), (4,)), ((1,), (4,)), ((2, 3), (3,)), ((3,), (2, 3))],
        *[((2, 1), (3,)), ((2, 1), (1, 3)), ((2, 1, 2), (3, 1)), ((0,), ()), ((0,), (1,))],
    ],
)
def test_kernel_axes(walks, x_lead, y_lead):
    x, y = walks(*x_lead, 5, 2), walks(*y_lead, 4, 2)
    lead = np.broadcast_shapes(x_lead, y_lead)
    result = goursat.sigkernel(x, y, dyadic_order=(1, 0))
    assert np.shape(result) == lead
    grid = goursat.sigkernel(x, y, dyadic_order=(1, 0), return_grid=True)
    assert grid.shape == (*lead, 9, 4)
    gx, gy = goursat.sigkernel_backprop(np.ones(lead), x, y, dyadic_order=(1, 0))
    assert (gx.shape, gy.shape) == (x.shape, y.shape)
    if 0 in lead:
        assert not gx.any() and not gy.any()
        return
    expected = loop(lambda a, b: oracle.grid(a, b, dyadic_order=(1, 0)), x, y)
    np.testing.assert_allclose(grid, expected, rtol=1e-13)
    np.testing.assert_allclose(result, expected[..., -1, -1], rtol=1e-13)


@pytest.mark.parametrize(("x_lead", "y_lead"), [((4,), ()), ((2, 1), (3,)), ((1,), (4,)), ((3,), (2, 3))])
@pytest.mark.parametrize("return_grid", [False, True])
def test_gradients_sum_over_broadcast_axes(rng, walks, x_lead, y_lead, return_grid):
    x, y = walks(*x_lead, 5, 2), walks(*y_lead, 4, 2)
    lead = np.broadcast_shapes(x_lead, y_lead)
    grad = rng.normal(size=(*lead, 5, 4) if return_grid else lead)
    gx, gy = goursat.sigkernel_backprop(grad, x, y, return_grid=return_grid)
    full_x, full_y = (np.array(np.broadcast_to(a, lead + a.shape[-2:])) for a in (x, y))
    each_x, each_y = goursat.sigkernel_backprop(grad, full_x, full_y, return_grid=return_grid)
    for given, each, whole in ((gx, each_x, x), (gy, each_y, y)):
        while each.ndim > whole.ndim:
            each = each.sum(axis=0)
        axes = tuple(i for i, (a, b) in enumerate(zip(each.shape, whole.shape)) if a != b)
        np.testing.assert_allclose(given, each.sum(axis=axes, keepdims=True), rtol=1e-12, atol=1e-14)


def test_wrt(walks):
    x, y = walks(3, 5, 2), walks(3, 4, 2)
    gx, gy = goursat.sigkernel_backprop(np.ones(3), x, y)
    np.testing.assert_array_equal(goursat.sigkernel_backprop(np.ones(3), x, y, wrt="x"), gx)
    np.testing.assert_array_equal(goursat.sigkernel_backprop(np.ones(3), x, y, wrt="y"), gy)
    gx, gy = goursat.sigkernel_gram_backprop(np.ones((3, 3)), x, y)
    np.testing.assert_array_equal(goursat.sigkernel_gram_backprop(np.ones((3, 3)), x, y, wrt="x"), gx)
    np.testing.assert_array_equal(goursat.sigkernel_gram_backprop(np.ones((3, 3)), x, y, wrt="y"), gy)


def test_gram(rng, walks):
    x, y = walks(4, 6, 3), walks(5, 3, 3)
    gram = goursat.sigkernel_gram(x, y)
    assert gram.shape == (4, 5)
    np.testing.assert_array_equal(gram, goursat.sigkernel(x[:, None], y))
    symmetric = goursat.sigkernel_gram(x)
    np.testing.assert_array_equal(symmetric, symmetric.T)
    np.testing.assert_array_equal(symmetric, goursat.sigkernel_gram(x, x))
    grad = rng.normal(size=(4, 4))
    gx, gy = goursat.sigkernel_gram_backprop(grad, x, x)
    np.testing.assert_allclose(goursat.sigkernel_gram_backprop(grad, x), gx + gy, rtol=1e-12, atol=1e-14)
    assert goursat.sigkernel_gram(x[:0], y).shape == (0, 5)
    assert goursat.sigkernel_gram(x[:0]).shape == (0, 0)
    assert [g.shape for g in goursat.sigkernel_gram_backprop(np.ones((0, 5)), x[:0], y)] == [(0, 6, 3), (5, 3, 3)]


def test_scalars_for_single_paths(walks):
    x, y = walks(5, 2), walks(4, 2)
    assert isinstance(goursat.sigkernel(x, y), np.float64)
    assert isinstance(goursat.sigkernel(x.astype(np.float32), y.astype(np.float32)), np.float32)


def test_one_point_paths():
    point = np.array([[3.0, 4.0]])
    path = np.array([[0.0, 0.0], [1.0, 2.0], [0.0, 5.0]])
    np.testing.assert_array_equal(goursat.signature(point, 2), np.zeros(6))
    np.testing.assert_array_equal(goursat.signature(point, 2, scalar_term=True, lead_lag=True)[:1], [1.0])
    assert goursat.sigkernel(point, path) == 1.0
    assert goursat.sigkernel(point, path, time_aug=True, lead_lag=True, dyadic_order=2) == 1.0
    np.testing.assert_array_equal(goursat.sigkernel(point, path, return_grid=True), np.ones((1, 3)))
    gx, gy = goursat.sigkernel_backprop(1.0, point, path)
    assert not gx.any() and not gy.any()
    np.testing.assert_array_equal(goursat.lead_lag(point), [[3.0, 4.0, 3.0, 4.0]])
    np.testing.assert_array_equal(goursat.time_augment(point), [[3.0, 4.0, 0.0]])


@pytest.fixture
def ragged(walks):
    return [walks(n, 2) for n in (5, 1, 8, 2)]


@pytest.mark.parametrize("options", [{}, {"time_aug": True, "end_time": 2.0}, {"lead_lag": True, "time_aug": True}])
def test_lists(walks, ragged, options):
    y = walks(4, 6, 2)
    signatures = goursat.signature(ragged, 3, **options)
    for row, path in zip(signatures, ragged):
        np.testing.assert_array_equal(row, goursat.signature(path, 3, **options))
    gradients = goursat.sig_backprop(np.ones_like(signatures), ragged, 3, **options)
    assert isinstance(gradients, list)
    for gradient, path in zip(gradients, ragged):
        one = np.ones(signatures.shape[1])
        np.testing.assert_array_equal(gradient, goursat.sig_backprop(one, path, 3, **options))
    kernels = goursat.sigkernel(ragged, y, **options)
    gx, gy = goursat.sigkernel_backprop(np.ones(4), ragged, y, **options)
    assert isinstance(gx, list) and gy.shape == y.shape
    gram = goursat.sigkernel_gram(ragged, **options)
    cross = goursat.sigkernel_gram(y, ragged, **options)
    for b, path in enumerate(ragged):
        assert kernels[b] == goursat.sigkernel(path, y[b], **options)
        alone = goursat.sigkernel_backprop(1.0, path, y[b], **options)
        np.testing.assert_array_equal(gx[b], alone[0])
        np.testing.assert_array_equal(gy[b], alone[1])
        for c, other in enumerate(ragged):
            assert gram[b, c] == goursat.sigkernel(path, other, **options)
            assert cross[b, c] == goursat.sigkernel(y[b], other, **options)


def test_broadcast_lists(walks, ragged):
    y = walks(3, 1, 6, 2)
    kernels = goursat.sigkernel(ragged, y)
    assert kernels.shape == (3, 4)
    gx, gy = goursat.sigkernel_backprop(np.ones((3, 4)), ragged, y)
    assert gy.shape == y.shape
    for b, path in enumerate(ragged):
        np.testing.assert_array_equal(kernels[:, b], goursat.sigkernel(path, y[:, 0]))
        alone = goursat.sigkernel_backprop(np.ones(3), path, y[:, 0], wrt="x")
        np.testing.assert_allclose(gx[b], alone, rtol=1e-12, atol=1e-14)
    one = goursat.sigkernel(ragged[:1], y[:, 0])
    np.testing.assert_array_equal(one, goursat.sigkernel(ragged[0], y[:, 0]))
    gx, gy = goursat.sigkernel_backprop(1.0, ragged, ragged)
    assert [g.shape for g in gx] == [g.shape for g in gy] == [p.shape for p in ragged]


def test_lengths(walks):
    x, y = walks(2, 3, 7, 2), walks(3, 5, 2)
    lengths = np.array([[7, 3, 1], [2, 7, 6]])
    x[np.arange(7) >= lengths[..., None]] = np.nan
    signatures = goursat.signature(x, 2, lengths=lengths)
    kernels = goursat.sigkernel(x, y, x_lengths=lengths, y_lengths=[5, 4, 2])
    grid = goursat.sigkernel(x, y, x_lengths=lengths, y_lengths=[5, 4, 2], return_grid=True)
    gs = goursat.sig_backprop(np.ones(6), x, 2, lengths=lengths)
    gx, gy = goursat.sigkernel_backprop(1.0, x, y, x_lengths=lengths, y_lengths=[5, 4, 2])
    sum_y = np.zeros_like(y)
    for (i, j), n in np.ndenumerate(lengths):
        path, other = x[i, j, :n], y[j, : (5, 4, 2)[j]]
        np.testing.assert_array_equal(signatures[i, j], goursat.signature(path, 2))
        np.testing.assert_array_equal(gs[i, j, :n], goursat.sig_backprop(np.ones(6), path, 2))
        assert kernels[i, j] == goursat.sigkernel(path, other)
        rows, columns = goursat.sigkernel(path, other, return_grid=True).shape
        np.testing.assert_allclose(grid[i, j, :rows, :columns], oracle.grid(path, other), rtol=1e-13)
        assert np.isnan(grid[i, j, rows:]).all() and np.isnan(grid[i, j, :, columns:]).all()
        alone = goursat.sigkernel_backprop(1.0, path, other)
        np.testing.assert_array_equal(gx[i, j, :n], alone[0])
        sum_y[j, : len(other)] += alone[1]
        assert not gx[i, j, n:].any() and not gs[i, j, n:].any()
    np.testing.assert_allclose(gy, sum_y, rtol=1e-12, atol=1e-14)


def test_gram_lengths(walks):
    x = walks(3, 7, 2)
    lengths = np.array([7, 2, 4])
    ragged = [path[:n] for path, n in zip(x, lengths)]
    np.testing.assert_array_equal(goursat.sigkernel_gram(x, x_lengths=lengths), goursat.sigkernel_gram(ragged))
    both = goursat.sigkernel_gram(x, x[:2], x_lengths=lengths, y_lengths=lengths[:2])
    np.testing.assert_array_equal(both, goursat.sigkernel_gram(ragged, ragged[:2]))
    padded = goursat.sigkernel_gram_backprop(np.ones((3, 3)), x, x_lengths=lengths)
    for gradient, row, n in zip(goursat.sigkernel_gram_backprop(np.ones((3, 3)), ragged), padded, lengths):
        np.testing.assert_array_equal(gradient, row[:n])
        assert not row[n:].any()


def test_nested_lists_of_numbers():
    """A list of rows is a path; a list of such lists is a ragged batch."""
    assert goursat.signature([[0, 0], [1, 2]], 1).tolist() == [1.0, 2.0]
    assert goursat.signature([[[0, 0], [1, 2]], [[1, 1], [1, 1], [4, 1]]], 1).tolist() == [[1.0, 2.0], [3.0, 0.0]]


def test_transforms(walks):
    path = walks(2, 3, 5, 2)
    np.testing.assert_array_equal(goursat.lead_lag(path), loop(oracle.lead_lag, path))
    np.testing.assert_array_equal(
        goursat.lead_lag(path, lag_first=True), loop(lambda p: oracle.lead_lag(p, True), path)
    )
    augmented = goursat.time_augment(path, end_time=3.0)
    np.testing.assert_allclose(augmented, loop(lambda p: oracle.time_augment(p, 3.0), path), rtol=1e-15)


@pytest.mark.parametrize("lag_first", [False, True])
def test_adjoints_of_transforms(rng, walks, lag_first):
    path = walks(3, 5, 2)
    grad = rng.normal(size=(3, 9, 4))
    moved = goursat.lead_lag(path, lag_first=lag_first)
    pulled = goursat.lead_lag_backprop(grad, lag_first=lag_first)
    np.testing.assert_allclose((moved * grad).sum(), (path * pulled).sum(), rtol=1e-12)
    grad = rng.normal(size=(3, 5, 3))
    np.testing.assert_array_equal(goursat.time_augment_backprop(grad), grad[..., :2])


def test_ragged_transforms(rng, walks, ragged):
    assert [p.shape for p in goursat.lead_lag(ragged)] == [(9, 4), (1, 4), (15, 4), (3, 4)]
    for given, path in zip(goursat.time_augment(ragged), ragged):
        np.testing.assert_allclose(given, oracle.time_augment(path), rtol=1e-15)
    pulled = goursat.lead_lag_backprop(goursat.lead_lag(ragged))
    assert [p.shape for p in pulled] == [p.shape for p in ragged]
    path = walks(2, 4, 1)
    path[0, 3:] = np.nan
    augmented = goursat.time_augment(path, lengths=[3, 4])
    np.testing.assert_allclose(augmented[0, :3, 1], [0, 0.5, 1])
    np.testing.assert_array_equal(augmented[0, 3], [0, 0])
    grad = rng.normal(size=(2, 7, 2))
    pulled = goursat.lead_lag_backprop(grad, lengths=[3, 4])
    np.testing.assert_array_equal(pulled[0, :3], goursat.lead_lag_backprop(grad[0, :5]))
    assert not pulled[0, 3:].any()
