"""Gram matrices by Dask: those of one call, and the same when a worker is killed."""

import os
import signal
import time

import dask
import dask.array as da
import numpy as np
import pytest
from dask.distributed import Client, LocalCluster

import goursat
import goursat.dask as gd

OPTIONS = {"time_aug": True, "end_time": 2.0, "lead_lag": True}


@pytest.fixture(autouse=True)
def one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.mark.parametrize("options", [{}, OPTIONS, {"dyadic_order": 2, "n_threads": 2}])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_same_bits(walks, options, dtype):
    x, y = walks(7, 6, 2, dtype=dtype), walks(5, 4, 2, dtype=dtype)
    for first in (x, da.from_array(x, chunks=((3, 1, 3), 4, 1))):
        gram = gd.sigkernel_gram(first, y, block=2, **options)
        assert gram.dtype == dtype and gram.shape == (7, 5)
        np.testing.assert_array_equal(gram.compute(), goursat.sigkernel_gram(x, y, **options))
        symmetric = gd.sigkernel_gram(first, block=3, **options)
        assert symmetric.dtype == dtype
        np.testing.assert_array_equal(symmetric.compute(), goursat.sigkernel_gram(x, **options))
    assert gd.sigkernel_gram(x, y, block=2).chunks == ((2, 2, 2, 1), (2, 2, 1))
    unequal = {**options, "dyadic_order": (1, 0)}
    np.testing.assert_array_equal(gd.sigkernel_gram(x, y, block=3, **unequal), goursat.sigkernel_gram(x, y, **unequal))


@pytest.mark.parametrize("options", [{}, OPTIONS])
@pytest.mark.parametrize("block", [1, 2, 100])
def test_gradients(rng, walks, options, block):
    """Sums of blocks in another order than one call's: 1e-12 of the largest."""
    x, y, grad = walks(19, 5, 2), walks(3, 4, 2), rng.normal(size=(19, 3))
    both = gd.sigkernel_gram_backprop(da.from_array(grad, chunks=2), x, y, block=block, **options)
    for ours, expected in zip(both, goursat.sigkernel_gram_backprop(grad, x, y, **options)):
        assert ours.shape == expected.shape
        np.testing.assert_allclose(ours.compute(), expected, rtol=0, atol=1e-12 * abs(expected).max())
    for side, ours in zip("xy", both):
        alone = gd.sigkernel_gram_backprop(grad, x, y, wrt=side, block=block, **options)
        np.testing.assert_array_equal(alone.compute(), ours.compute())
    grad = rng.normal(size=(19, 19))  # not symmetric
    expected = goursat.sigkernel_gram_backprop(grad, x, **options)
    total = gd.sigkernel_gram_backprop(grad, x, block=block, **options)
    np.testing.assert_allclose(total.compute(), expected, rtol=0, atol=1e-12 * abs(expected).max())
    np.testing.assert_allclose(
        gd.sigkernel_gram_backprop(0.5, x, block=block).compute(), goursat.sigkernel_gram_backprop(0.5, x), atol=1e-12
    )


def test_half_of_the_blocks(walks, monkeypatch):
    """A symmetric matrix of 5 × 5 blocks takes 15, and its gradient as well."""
    calls = []
    for name in ("sigkernel_gram", "sigkernel_gram_backprop"):
        function = getattr(goursat, name)
        monkeypatch.setattr(goursat, name, lambda *a, function=function, **k: (calls.append(1), function(*a, **k))[1])
    x = walks(10, 5, 2)
    gd.sigkernel_gram(x, block=2).compute()
    assert len(calls) == 15
    gd.sigkernel_gram_backprop(1.0, x, block=2).compute()
    assert len(calls) == 30
    gd.sigkernel_gram(x, x, block=2).compute()
    assert len(calls) == 55


def test_ragged(walks):
    ragged, y = [walks(n, 2) for n in (4, 1, 7, 2, 5)], walks(3, 4, 2)
    np.testing.assert_array_equal(gd.sigkernel_gram(ragged, block=2), goursat.sigkernel_gram(ragged))
    np.testing.assert_array_equal(gd.sigkernel_gram(ragged, y, block=2), goursat.sigkernel_gram(ragged, y))
    lengths = [2, 4, 1]
    crossed = gd.sigkernel_gram(ragged, y, y_lengths=lengths, block=2)
    np.testing.assert_array_equal(crossed, goursat.sigkernel_gram(ragged, y, y_lengths=lengths))
    for given in ((), (y,)):
        expected = goursat.sigkernel_gram_backprop(1.0, ragged, *given, wrt="x" if given else "both")
        ours = gd.sigkernel_gram_backprop(1.0, ragged, *given, wrt="x" if given else "both", block=2).compute()
        assert ours.shape == (5, 7, 2)
        for row, gradient in zip(ours, expected):
            np.testing.assert_allclose(row[: len(gradient)], gradient, rtol=1e-12, atol=1e-13)
            assert not row[len(gradient) :].any()


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        yield cluster


def kill_one_at_work(client, name):
    """Kill the process of a worker that has results already and works on more. Return its number."""
    processes = client.run(os.getpid)
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        held, working = client.has_what(), client.processing()
        for worker, process in processes.items():
            if any(name in str(key) for key in held[worker]) and any(name in str(key) for key in working[worker]):
                os.kill(process, signal.SIGKILL)
                return process
        time.sleep(0.01)
    raise AssertionError("no worker was caught at work")


@pytest.mark.filterwarnings("ignore")  # Dask's, of the worker that is gone
@pytest.mark.parametrize("what", ["gram", "gradient"])
def test_a_worker_is_killed(walks, cluster, what):
    """The result has the bits that it has without the loss."""
    x = walks(48, 400, 2)
    if what == "gram":
        lazy, expected = gd.sigkernel_gram(x, block=6), goursat.sigkernel_gram(x)
    else:
        lazy = gd.sigkernel_gram_backprop(1.0, x[:, :160], block=6)
        expected = lazy.compute(scheduler="synchronous")
    with Client(cluster) as client:
        client.wait_for_workers(2)
        before = set(client.run(os.getpid).values())
        future = client.compute(lazy)
        killed = kill_one_at_work(client, lazy.name)
        assert killed in before and not future.done()
        np.testing.assert_array_equal(future.result(timeout=300), expected)
        client.wait_for_workers(2)
        assert killed not in client.run(os.getpid).values()


X = np.zeros((3, 4, 2))


@pytest.mark.parametrize(
    ("error", "call", "sentence"),
    [
        (ValueError, lambda: gd.sigkernel_gram(X[0]), r"x has shape \(4, 2\); expected \(batch, length, channels\)"),
        (ValueError, lambda: gd.sigkernel_gram(X, X[None]), r"y has shape \(1, 3, 4, 2\)"),
        (ValueError, lambda: gd.sigkernel_gram(X, X[..., :1]), "y has 1 channels and x has 2"),
        (ValueError, lambda: gd.sigkernel_gram(X, y_lengths=[1, 1, 1]), "y_lengths are given without y"),
        (ValueError, lambda: gd.sigkernel_gram(X, x_lengths=[1, 1]), r"x_lengths has shape \(2,\); expected \(3,\)"),
        (TypeError, lambda: gd.sigkernel_gram(X, x_lengths=[1.0, 1.0, 1.0]), "x_lengths has dtype float64"),
        (ValueError, lambda: gd.sigkernel_gram([X[0], X[0, :, :1]]), r"x\[1\] has shape \(4, 1\)"),
        (ValueError, lambda: gd.sigkernel_gram([X[0]], x_lengths=[1]), "x is a list"),
        (
            ValueError,
            lambda: gd.sigkernel_gram_backprop(np.ones((2, 3)), X),
            r"grad has shape \(2, 3\); expected \(3, 3",
        ),
        (ValueError, lambda: gd.sigkernel_gram_backprop(1.0, X, wrt="y"), 'wrt is "y" and y is None'),
        (ValueError, lambda: gd.sigkernel_gram_backprop(1.0, X, wrt="z"), "wrt is 'z'"),
        (ValueError, lambda: gd.sigkernel_gram(X, dyadic_order=(0, 1)).compute(), "expected equal orders"),
        (ValueError, lambda: gd.sigkernel_gram(da.ones((3, 4, 2))[da.ones(3) > 0]), "chunks of unknown sizes"),
    ],
)
def test_errors(error, call, sentence):
    with pytest.raises(error, match=sentence):
        call()
