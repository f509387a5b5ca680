"""Values against the oracle, gradients against central differences."""

import numpy as np
import pytest

import goursat
import oracle

TRANSFORMS = [
    {},
    {"time_aug": True},
    {"time_aug": True, "end_time": -0.5},
    {"lead_lag": True},
    {"lead_lag": "lag_first"},
    {"lead_lag": True, "time_aug": True, "end_time": 2.0},
    {"lead_lag": "lag_first", "time_aug": True},
]
ORDERS = [0, 1, (2, 0), (0, 3)]


def ids(options):
    return str(options)


@pytest.mark.parametrize("options", TRANSFORMS, ids=ids)
@pytest.mark.parametrize(("length", "dim", "degree"), [(1, 2, 3), (2, 1, 4), (9, 1, 3), (17, 3, 3), (40, 2, 5)])
def test_signature(walks, options, length, dim, degree):
    path = walks(length, dim)
    for scalar_term in (False, True):
        expected = oracle.signature(path, degree, scalar_term=scalar_term, **options)
        result = goursat.signature(path, degree, scalar_term=scalar_term, **options)
        transforms = {name: options[name] for name in ("time_aug", "lead_lag") if name in options}
        assert len(result) == goursat.signature_length(dim, degree, scalar_term=scalar_term, **transforms)
        np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-14)


def test_direct_signature(walks):
    path = walks(500, 8)
    some, every = goursat.signature(path, 4), goursat.signature(path, 4, direct=True)
    assert (some != every).any()
    np.testing.assert_allclose(some, every, rtol=0, atol=3e-14 * abs(every).max())
    single = path.astype(np.float32)
    np.testing.assert_array_equal(goursat.signature(single, 4), goursat.signature(single, 4, direct=True))


def test_direct_gradient(walks):
    path = walks(260, 12)
    grad = np.cos(np.arange(goursat.signature_length(12, 4)))
    some, every = goursat.sig_backprop(grad, path, 4), goursat.sig_backprop(grad, path, 4, direct=True)
    assert (some != every).any()
    np.testing.assert_allclose(some, every, rtol=0, atol=1e-14 * abs(every).max())


@pytest.mark.parametrize("options", TRANSFORMS, ids=ids)
@pytest.mark.parametrize("dyadic_order", ORDERS, ids=ids)
def test_kernel(walks, options, dyadic_order):
    for x_length, y_length, dim in [(1, 3, 2), (2, 2, 1), (9, 5, 3), (18, 35, 2)]:
        x, y = walks(x_length, dim), walks(y_length, dim)
        expected = oracle.grid(x, y, dyadic_order=dyadic_order, **options)
        given = goursat.sigkernel(x, y, dyadic_order=dyadic_order, return_grid=True, **options)
        np.testing.assert_allclose(given, expected, rtol=1e-12)
        kernel = goursat.sigkernel(x, y, dyadic_order=dyadic_order, **options)
        np.testing.assert_allclose(kernel, expected[-1, -1], rtol=1e-12)


def test_gram_orders(walks):
    x, y = walks(3, 5, 2), walks(2, 4, 2)
    gram = goursat.sigkernel_gram(x, y, dyadic_order=(2, 1), time_aug=True)
    expected = [[oracle.sigkernel(a, b, dyadic_order=(2, 1), time_aug=True) for b in y] for a in x]
    np.testing.assert_allclose(gram, expected, rtol=1e-13)
    np.testing.assert_array_equal(gram, goursat.sigkernel_gram(y, x, dyadic_order=(1, 2), time_aug=True).T)


@pytest.mark.parametrize("options", TRANSFORMS, ids=ids)
@pytest.mark.parametrize("scalar_term", [False, True])
def test_signature_gradient(rng, walks, options, scalar_term):
    path = walks(2, 5, 2)
    weights = rng.normal(size=goursat.signature(path, 3, scalar_term=scalar_term, **options).shape)

    def value(p):
        return np.sum(weights * goursat.signature(p, 3, scalar_term=scalar_term, **options))

    given = goursat.sig_backprop(weights, path, 3, scalar_term=scalar_term, **options)
    np.testing.assert_allclose(given, oracle.central_differences(value, path), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("options", TRANSFORMS, ids=ids)
@pytest.mark.parametrize("dyadic_order", ORDERS, ids=ids)
@pytest.mark.parametrize("return_grid", [False, True])
def test_kernel_gradient(rng, walks, options, dyadic_order, return_grid):
    x, y = walks(2, 4, 2), walks(2, 5, 2)
    options = {**options, "dyadic_order": dyadic_order, "return_grid": return_grid}
    weights = rng.normal(size=goursat.sigkernel(x, y, **options).shape)
    gx, gy = goursat.sigkernel_backprop(weights, x, y, **options)
    by_x = oracle.central_differences(lambda p: np.sum(weights * goursat.sigkernel(p, y, **options)), x)
    by_y = oracle.central_differences(lambda p: np.sum(weights * goursat.sigkernel(x, p, **options)), y)
    tolerance = {"rtol": 1e-7, "atol": 1e-8 * np.abs(by_x).max()}
    np.testing.assert_allclose(gx, by_x, **tolerance)
    np.testing.assert_allclose(gy, by_y, **tolerance)


@pytest.mark.parametrize("options", [{}, {"lead_lag": True, "time_aug": True, "dyadic_order": 1}], ids=ids)
def test_gram_gradient(rng, walks, options):
    x, y = walks(3, 4, 2), walks(2, 5, 2)
    weights = rng.normal(size=(3, 2))
    gx, gy = goursat.sigkernel_gram_backprop(weights, x, y, **options)
    by_x = oracle.central_differences(lambda p: np.sum(weights * goursat.sigkernel_gram(p, y, **options)), x)
    by_y = oracle.central_differences(lambda p: np.sum(weights * goursat.sigkernel_gram(x, p, **options)), y)
    np.testing.assert_allclose(gx, by_x, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(gy, by_y, rtol=1e-7, atol=1e-8)
    weights = rng.normal(size=(3, 3))
    total = goursat.sigkernel_gram_backprop(weights, x, **options)
    by_x = oracle.central_differences(lambda p: np.sum(weights * goursat.sigkernel_gram(p, **options)), x)
    np.testing.assert_allclose(total, by_x, rtol=1e-7, atol=1e-8)


def test_single_precision(walks):
    """Smooth paths, on which the plain recurrence loses everything in float32."""
    t = np.linspace(0, 1, 1000)[:, None]
    x = np.hstack([np.sin(6 * t), t**2])
    y = np.hstack([np.cos(5 * t), t])
    exact = goursat.sigkernel(x, y)
    assert abs(goursat.sigkernel(x.astype("f4"), y.astype("f4")) / exact - 1) < 1e-5
    path = walks(20, 3)
    exact = goursat.signature(path, 3)
    np.testing.assert_allclose(goursat.signature(path.astype("f4"), 3), exact, rtol=0, atol=1e-5 * np.abs(exact).max())


def test_not_a_number_stays_in_its_pair(walks):
    x, y = walks(5, 6, 2), walks(5, 6, 2)
    clean = goursat.sigkernel(x, y), goursat.signature(x, 3)
    x[2, 3, 1] = np.nan
    kernel, signature = goursat.sigkernel(x, y), goursat.signature(x, 3)
    assert np.isnan(kernel[2]) and np.isnan(signature[2]).any()
    others = [0, 1, 3, 4]
    np.testing.assert_array_equal(kernel[others], clean[0][others])
    np.testing.assert_array_equal(signature[others], clean[1][others])
