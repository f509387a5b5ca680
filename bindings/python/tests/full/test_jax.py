"""JAX: values of the NumPy functions to the last bit, gradients held to differences, jit, grad and vmap."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

import goursat
import goursat.jax as gj

OPTIONS = [{}, {"time_aug": True, "end_time": 2.0}, {"lead_lag": "lag_first", "time_aug": True, "n_threads": 2}]


@pytest.fixture(autouse=True)
def double_precision():
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("compiled", [False, True])
def test_like_numpy(walks, options, dtype, compiled):
    x, y = walks(2, 3, 5, 2, dtype=dtype), walks(3, 4, 2, dtype=dtype)
    lengths = {"x_lengths": np.array([[5, 3, 1], [2, 5, 4]]), "y_lengths": np.array([4, 1, 2])}
    first = {"x_lengths": lengths["x_lengths"][0], "y_lengths": lengths["y_lengths"]}
    for name, arguments, given in (
        ("signature", (x,), {"degree": 3, "scalar_term": True, **options}),
        ("signature", (x,), {"degree": 2, "lengths": lengths["x_lengths"], **options}),
        ("sigkernel", (x, y), {"dyadic_order": (1, 0), **options}),
        ("sigkernel", (x[0, 0], y[0]), options),
        ("sigkernel", (x, y), {**lengths, "return_grid": True, **options}),
        ("sigkernel_gram", (x[0], y), {"dyadic_order": 1, **first, **options}),
        ("sigkernel_gram", (y,), options),
    ):
        function = jax.jit(lambda *a, name=name, given=given: getattr(gj, name)(*a, **given)) if compiled else None
        ours = function(*arguments) if compiled else getattr(gj, name)(*arguments, **given)
        assert isinstance(ours, jax.Array) and ours.dtype == dtype
        np.testing.assert_array_equal(ours, getattr(goursat, name)(*arguments, **given), err_msg=name)
    tolerance = 2 * np.finfo(dtype).eps  # time is a quotient: it may be rounded once more
    for given in ({}, {"lengths": lengths["x_lengths"]}):
        for function in (gj.time_augment, jax.jit(lambda x, given=given: gj.time_augment(x, **given))):
            expected = goursat.time_augment(x, **given)
            if function is gj.time_augment:
                np.testing.assert_allclose(function(x, **given), expected, rtol=tolerance)
            else:
                np.testing.assert_allclose(function(x), expected, rtol=tolerance)
        for lag_first in (False, True):
            np.testing.assert_array_equal(
                gj.lead_lag(x, lag_first=lag_first, **given), goursat.lead_lag(x, lag_first=lag_first, **given)
            )


@pytest.mark.parametrize("options", OPTIONS)
def test_gradients(walks, options):
    x, y = jnp.asarray(walks(2, 1, 4, 2)), jnp.asarray(walks(3, 3, 2))
    lengths = {"x_lengths": jnp.array([[3], [4]]), "y_lengths": jnp.array([1, 3, 2])}
    check = {"order": 1, "modes": ["rev"], "atol": 1e-7, "rtol": 1e-7, "eps": 1e-5}
    check_grads(lambda x: gj.signature(x, 3, scalar_term=True, **options), (x,), **check)
    check_grads(lambda x: gj.signature(x, 2, lengths=lengths["x_lengths"], **options), (x,), **check)
    for order in (1, (2, 0)):
        given = {"dyadic_order": order, **options}
        check_grads(partial(gj.sigkernel, **given), (x, y), **check)
        check_grads(partial(gj.sigkernel, return_grid=True, **given), (x, y), **check)
        check_grads(partial(gj.sigkernel_gram, **given), (x[:, 0], y), **check)
    check_grads(lambda x, y: jnp.nan_to_num(gj.sigkernel(x, y, return_grid=True, **lengths)), (x, y), **check)
    check_grads(lambda x: gj.sigkernel_gram(x, dyadic_order=1, **options), (y,), **check)
    check_grads(lambda *x: gj.sigkernel_gram(list(x), **options), (y[0], y[1, :2], x[0, 0]), **check)
    for transform in (gj.time_augment, gj.lead_lag):
        given = {"lengths": lengths["y_lengths"]}
        check_grads(
            lambda y, f=transform, g=given: f(y, **g), (y,), order=2, modes=["rev", "fwd"], atol=1e-6, rtol=1e-6
        )


def test_gradients_like_numpy(walks, rng):
    x, y, grad = walks(3, 5, 2), walks(3, 4, 2), rng.normal(size=3)
    for compiled in (lambda f: f, jax.jit):
        ours = compiled(jax.grad(lambda x, y: (grad * gj.sigkernel(x, y)).sum(), (0, 1)))(x, y)
        for a, b in zip(ours, goursat.sigkernel_backprop(grad, x, y)):
            np.testing.assert_array_equal(a, b)
    single = jax.grad(lambda x: gj.signature(x, 3).sum())(jnp.asarray(x, jnp.float32))
    assert single.dtype == jnp.float32
    np.testing.assert_array_equal(single, goursat.sig_backprop(np.ones((3, 14), "f4"), x.astype("f4"), 3))
    lengths = jnp.array([5, 2, 1])
    ours = jax.grad(lambda x: gj.sigkernel(x, y, x_lengths=lengths).sum())(jnp.asarray(x).at[1, 2:].set(jnp.nan))
    assert not ours[1, 2:].any() and bool(ours[1, :2].any())


VMAPPED = {
    "signature": lambda x, y: gj.signature(x, 2, lead_lag=True) + gj.signature(y, 2, lead_lag=True).sum(),
    "sigkernel": lambda x, y: gj.sigkernel(x, y, dyadic_order=1),
    "grid": lambda x, y: gj.sigkernel(x, y, return_grid=True),
    "gram": lambda x, y: gj.sigkernel_gram(x, y),
    "symmetric gram": lambda x, y: gj.sigkernel_gram(x, time_aug=True) + y.sum(),
    "transforms": lambda x, y: gj.time_augment(gj.lead_lag(x)) * y.sum(),
}


@pytest.mark.parametrize("name", VMAPPED)
@pytest.mark.parametrize("axes", [(0, 0), (1, None), (None, 2)])
def test_vmap(walks, name, axes):
    function = VMAPPED[name]
    x, y = walks(4, 3, 4, 2), walks(4, 3, 5, 2)
    given = [v[0] if axis is None else np.moveaxis(v, 0, axis) for v, axis in zip((x, y), axes)]
    entries = [[v[0] if axis is None else v[b] for v, axis in zip((x, y), axes)] for b in range(4)]
    mapped = jax.vmap(function, axes)(*given)
    np.testing.assert_allclose(mapped, np.stack([function(*entry) for entry in entries]), rtol=1e-14, atol=1e-14)
    gradient = jax.grad(lambda x, y: jnp.square(function(x, y)).sum(), (0, 1))
    mapped = jax.jit(jax.vmap(gradient, axes))(*given)
    for ours, alone in zip(mapped, zip(*(gradient(*entry) for entry in entries))):
        np.testing.assert_allclose(ours, np.stack(alone), rtol=1e-12, atol=1e-12)


def test_vmap_over_pairs_that_broadcast(walks):
    x, y = walks(5, 4, 2), walks(3, 6, 2)
    pairs = jax.vmap(lambda a: jax.vmap(lambda b: gj.sigkernel(a, b))(y))(x)
    np.testing.assert_array_equal(pairs, goursat.sigkernel_gram(x, y))
    np.testing.assert_array_equal(jax.vmap(lambda a: gj.sigkernel(a, y))(x), pairs)
    lengths = np.array([4, 1, 2, 3, 4])
    mapped = jax.vmap(lambda a, n: gj.sigkernel(a, y, x_lengths=n))(x, lengths)
    np.testing.assert_array_equal(mapped, goursat.sigkernel_gram(x, y, x_lengths=lengths))


def test_jacobian(walks):
    x = walks(4, 2)
    ours = jax.jacrev(lambda x: gj.signature(x, 2))(x)
    expected = np.stack([goursat.sig_backprop(row, x, 2) for row in np.eye(6)])
    np.testing.assert_allclose(ours, expected, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("signature", lambda x: gj.signature(x, 2)),
        ("sigkernel", lambda x: gj.sigkernel(x, x)),
        ("sigkernel_gram", lambda x: gj.sigkernel_gram(x)),
    ],
)
def test_second_derivatives_are_refused(walks, name, call):
    loss = lambda x: call(x).sum()  # noqa: E731
    for second in (jax.jacrev(jax.jacrev(loss)), jax.jit(jax.grad(lambda x: jnp.square(jax.grad(loss)(x)).sum()))):
        with pytest.raises(NotImplementedError, match=f"goursat.jax.{name} has no second derivative"):
            second(jnp.asarray(walks(2, 3, 2)))
    for forward in (jax.hessian(loss), jax.jacfwd(loss)):  # JAX's own refusal
        with pytest.raises(TypeError, match="forward-mode"):
            forward(jnp.asarray(walks(2, 3, 2)))


def test_large_arrays(walks):
    """Several megabytes go to the host and back within a compiled function, time and again."""
    x = jnp.asarray(walks(2000, 100, 4))
    step = jax.jit(lambda x: x - 0.1 * jax.grad(lambda x: gj.signature(x, 3)[:, -1].sum())(jnp.sin(x)))
    for _ in range(3):
        x = step(x)
    assert np.isfinite(x).all()


def test_types(walks):
    x = walks(4, 2)
    assert gj.sigkernel(x.astype("f4"), x).dtype == np.float64
    assert gj.signature(jnp.array([[0, 0], [1, 2]]), 1).dtype == np.float64
    assert gj.signature([x.astype("f4"), x], 1).dtype == np.float64
    jax.config.update("jax_enable_x64", False)
    assert gj.signature(x, 1).dtype == gj.signature(jnp.array([[0, 0], [1, 2]]), 1).dtype == np.float32
    for dtype in (jnp.float16, jnp.bfloat16):
        with pytest.raises(TypeError, match=r"path has dtype b?float16; expected float32 or float64"):
            gj.signature(jnp.zeros((3, 2), dtype), 2)


def test_wrong_lengths_are_seen_when_the_function_runs():
    with pytest.raises(Exception, match=r"x_lengths\[1\] is 5; expected 1 to 4"):
        jax.jit(lambda n: gj.signature(PATH, 2, lengths=n))(jnp.array([4, 5, 1])).block_until_ready()


def test_lists(walks):
    ragged = [walks(n, 2) for n in (4, 1, 6)]
    np.testing.assert_array_equal(gj.signature(ragged, 2), goursat.signature(ragged, 2))
    np.testing.assert_array_equal(gj.sigkernel_gram(ragged), goursat.sigkernel_gram(ragged))
    gradients = jax.grad(lambda *x: gj.sigkernel_gram(x).sum(), (0, 1, 2))(*ragged)
    for ours, expected in zip(gradients, goursat.sigkernel_gram_backprop(1.0, ragged)):
        np.testing.assert_array_equal(ours, expected)
    for name in ("time_augment", "lead_lag"):
        for ours, expected in zip(getattr(gj, name)(ragged), getattr(goursat, name)(ragged)):
            np.testing.assert_allclose(ours, expected, rtol=1e-15)


PATH = np.zeros((3, 4, 2))


@pytest.mark.parametrize(
    ("error", "call", "sentence"),
    [
        (
            ValueError,
            lambda: gj.signature(np.zeros(4), 2),
            r"path has shape \(4,\); expected \(\.\.\., length, channels",
        ),
        (ValueError, lambda: gj.signature(PATH, 0), "degree is 0"),
        (ValueError, lambda: gj.signature(PATH, 2, lead_lag="lead"), "lead_lag is 'lead'"),
        (ValueError, lambda: gj.signature(PATH, 2, lengths=[4, 1]), r"path_lengths has shape \(2,\); expected \(3,\)"),
        (ValueError, lambda: gj.signature([PATH[0], PATH[0, :, :1]], 2), r"path\[1\] has shape \(4, 1\)"),
        (ValueError, lambda: gj.signature([PATH[0]], 2, lengths=[4]), "path is a list"),
        (ValueError, lambda: gj.sigkernel(PATH, PATH[..., :1]), "y has 1 channels and x has 2"),
        (ValueError, lambda: gj.sigkernel(PATH, PATH[:2]), "do not broadcast"),
        (ValueError, lambda: gj.sigkernel(PATH, PATH, dyadic_order=17), "x_order is 17"),
        (ValueError, lambda: gj.sigkernel_gram(PATH[0]), r"x has shape \(4, 2\); expected \(batch"),
        (ValueError, lambda: gj.sigkernel_gram(PATH, dyadic_order=(1, 2)), "expected equal orders"),
        (ValueError, lambda: gj.sigkernel_gram(PATH, y_lengths=[1, 1, 1]), "y_lengths are given without y"),
        (TypeError, lambda: gj.signature(PATH.astype(complex), 2), "path has dtype complex128; expected real numbers"),
        (TypeError, lambda: gj.signature(PATH, 2, lengths=[1.0, 1.0, 1.0]), "path_lengths has dtype float"),
    ],
)
def test_errors(error, call, sentence):
    with pytest.raises(error, match=sentence):
        call()
