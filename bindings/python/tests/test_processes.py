"""Processes and threads that others start: fork within fork, fork during a call, joblib, pools of threads."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest

import goursat

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")


def work(x):
    """Something of everything, on two threads."""
    return np.concatenate(
        [
            goursat.sigkernel_gram(x, n_threads=2).ravel(),
            goursat.signature(x, 3, n_threads=2).ravel(),
            goursat.sig_backprop(1.0, x, 3, n_threads=2).ravel(),
            goursat.sigkernel_backprop(1.0, x, x[::-1], wrt="x", n_threads=2).ravel(),
        ]
    )


def in_child(x, expected, depth):
    """Fork, work in the child, and fork again there; how it ended."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of fork with threads
        child = os.fork()
    if child == 0:
        signal.alarm(60)
        code = 1
        try:
            if np.array_equal(work(x), expected) and (depth == 0 or in_child(x, expected, depth - 1) == 0):
                code = 0
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1]


@pytest.fixture
def x(walks):
    return walks(12, 30, 2)


@pytest.fixture
def expected(x):
    return work(x)


def test_nested_forks(x, expected):
    assert in_child(x, expected, 2) == 0
    np.testing.assert_array_equal(work(x), expected)


def test_forks_from_threads(x, expected):
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: in_child(x, expected, 1), range(8))) == [0] * 8


def test_forks_during_calls(x, expected):
    """Other threads are in the library, its threads at work for them."""
    stop = threading.Event()

    def busy():
        while not stop.is_set():
            work(x)

    threads = [threading.Thread(target=busy) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            assert in_child(x, expected, 0) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_fork_from_the_callback(walks, x, expected):
    ended = []

    def fork(done, total):
        if not ended:
            ended.append(in_child(x, expected, 0))

    large = walks(64, 100, 2)
    result = goursat.sigkernel_gram(large, dyadic_order=4, n_threads=2, progress=fork)
    assert ended == [0]
    np.testing.assert_array_equal(result, goursat.sigkernel_gram(large, dyadic_order=4, n_threads=1))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(x, expected, method):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with multiprocessing.get_context(method).Pool(2) as pool:
            for result in pool.map_async(work, [x] * 6).get(timeout=120):
                np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
def test_joblib(x, expected, backend):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        results = joblib.Parallel(n_jobs=2, backend=backend, timeout=120)(joblib.delayed(work)(x) for _ in range(6))
    for result in results:
        np.testing.assert_array_equal(result, expected)


def test_pool_of_threads(walks):
    """Sizes, precisions and functions at once, each as if alone."""
    jobs = []
    for i in range(24):
        y = walks(3 + i, 5 + 7 * (i % 5), 1 + i % 3, dtype=[np.float64, np.float32][i % 2])
        jobs += [
            lambda n, y=y: goursat.sigkernel_gram(y, n_threads=n),
            lambda n, y=y: goursat.signature(y, 4, n_threads=n),
            lambda n, y=y: goursat.sig_backprop(1, y, 4, n_threads=n),
            lambda n, y=y: goursat.sigkernel_backprop(1, y, y[::-1], wrt="y", n_threads=n),
            lambda n, y=y: goursat.lead_lag(y),
        ]
    alone = [job(1) for job in jobs]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda i: jobs[i](i % 4), range(len(jobs))))
    for result, one in zip(together, alone):
        assert result.dtype == one.dtype
        np.testing.assert_array_equal(result, one)


@pytest.mark.parametrize("said", ["", "0", "-2", "many", "1e3", "99999999999999999999"])
def test_numbers_of_threads_that_are_none(said):
    code = "import goursat; print(goursat.default_threads())"
    asked = {**os.environ, "GOURSAT_NUM_THREADS": said}
    unset = {name: value for name, value in os.environ.items() if name != "GOURSAT_NUM_THREADS"}
    answers = {
        subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
        for env in (asked, unset)
    }
    assert len(answers) == 1
