"""Thousands of calls leave the resident memory flat: right ones, wrong ones, cancelled ones."""

import ctypes
import gc
import os
import sys

import numpy as np
import pytest

import goursat

#: Calls of each function; ten thousand in the soak.
CALLS = int(os.environ.get("GOURSAT_FLAT_CALLS", "500"))
#: Pages that come and go by themselves, Python's arenas among them.
SLACK = 512 << 10

X = np.random.default_rng(1).normal(size=(6, 20, 2)) / 5
Y = X[:, ::-1]
RAGGED = [X[0], X[1, :7], X[2, :12]]

#: Every public function: right calls of it, and a wrong one.
FUNCTIONS = {
    "default_threads": (lambda: goursat.default_threads(), None),
    "library_path": (lambda: goursat.library_path(), None),
    "cuda_available": (goursat.cuda_available, None),
    "cuda_devices": (goursat.cuda_devices, None),
    "cuda_status": (goursat.cuda_status, None),
    "CudaDevice": (lambda: goursat.CudaDevice(0, "name", 1, (9, 0), 1, 12080, True), None),
    "simd_level": (lambda: goursat.simd_level(), None),
    "signature_length": (lambda: goursat.signature_length(2, 3), lambda: goursat.signature_length(0, 3)),
    "signature": (lambda: (goursat.signature(X, 3), goursat.signature(RAGGED, 3)), lambda: goursat.signature(X, 0)),
    "sig_backprop": (lambda: goursat.sig_backprop(1.0, X, 3), lambda: goursat.sig_backprop(1.0, X, -1)),
    "sigkernel": (lambda: goursat.sigkernel(X, Y), lambda: goursat.sigkernel(X, Y[..., :1])),
    "sigkernel_backprop": (
        lambda: goursat.sigkernel_backprop(1.0, X, Y),
        lambda: goursat.sigkernel_backprop(1.0, X, Y, dyadic_order=17),
    ),
    "sigkernel_gram": (
        lambda: (goursat.sigkernel_gram(X, Y, n_threads=2), goursat.sigkernel_gram(RAGGED)),
        lambda: goursat.sigkernel_gram(X, dyadic_order=99),
    ),
    "sigkernel_gram_backprop": (
        lambda: goursat.sigkernel_gram_backprop(np.ones((6, 6)), X, Y, n_threads=2),
        lambda: goursat.sigkernel_gram_backprop(np.ones((5, 6)), X, Y),
    ),
    "lead_lag": (lambda: goursat.lead_lag(X), lambda: goursat.lead_lag(X[0, 0, 0])),
    "lead_lag_backprop": (
        lambda: goursat.lead_lag_backprop(np.ones((6, 39, 4))),
        lambda: goursat.lead_lag_backprop(np.ones((6, 38, 3))),
    ),
    "time_augment": (lambda: goursat.time_augment(X), lambda: goursat.time_augment(X, end_time=float("nan"))),
    "time_augment_backprop": (
        lambda: goursat.time_augment_backprop(np.ones((6, 20, 3))),
        lambda: goursat.time_augment_backprop(np.ones(3)),
    ),
}


def test_no_function_is_forgotten():
    assert set(FUNCTIONS) == set(goursat.__all__)


def resident():
    """Bytes in memory, after all that is free was given back: the C library keeps megabytes of it."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def fails(call):
    with pytest.raises((ValueError, TypeError)):
        call()


def grows(call, calls):
    for _ in range(calls // 10 + 1):
        call()
    before = resident()
    for _ in range(calls):
        call()
    return resident() - before


linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@linux
@pytest.mark.parametrize("name", goursat.__all__)
def test_right_calls(name):
    assert grows(FUNCTIONS[name][0], CALLS) < SLACK


@linux
@pytest.mark.parametrize("name", [name for name, (_, wrong) in FUNCTIONS.items() if wrong])
def test_wrong_calls(name):
    assert grows(lambda: fails(FUNCTIONS[name][1]), CALLS) < SLACK


class Enough(Exception):
    pass


def enough(done, total):
    raise Enough


LARGE = np.random.default_rng(2).normal(size=(64, 100, 2)) / 20


@linux
@pytest.mark.parametrize(
    "call",
    [
        lambda n: goursat.sigkernel_gram(LARGE, dyadic_order=4, n_threads=n, progress=enough),
        lambda n: goursat.sigkernel_gram_backprop(np.ones((64, 64)), LARGE, dyadic_order=3, n_threads=n, progress=enough),
        lambda n: goursat.sigkernel(LARGE, LARGE, dyadic_order=6, n_threads=n, progress=enough),
        lambda n: goursat.sig_backprop(1.0, np.tile(LARGE, (1, 10, 4)), 5, n_threads=n, progress=enough),
    ],
    ids=["gram", "gram backprop", "pairs", "signature backprop"],
)
@pytest.mark.parametrize("n_threads", [1, 2])
def test_cancelled_calls(call, n_threads):
    """Some 60 ms each. Scratch is megabytes: one call's that stayed would be seen."""

    def cancelled():
        with pytest.raises(Enough):
            call(n_threads)

    assert grows(cancelled, max(8, CALLS // 100)) < 4 * SLACK
