"""Calls that take long: progress, Ctrl-C, threads, fork."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings

import numpy as np
import pytest

import goursat


@pytest.fixture(scope="module")
def slow():
    """A call of about half a second, or 16 times as long, as a function of its keywords."""
    x = np.random.default_rng(0).normal(size=(64, 200, 2)) / 10
    order = 0
    while True:
        began = time.perf_counter()
        goursat.sigkernel_gram(x, dyadic_order=order, n_threads=1)
        if time.perf_counter() - began > 0.3:
            return lambda *, longer=False, **options: goursat.sigkernel_gram(
                x, dyadic_order=order + 2 * longer, **options
            )
        order += 1


@pytest.mark.parametrize("n_threads", [1, 2])
def test_progress(slow, n_threads):
    seen = []
    result = slow(n_threads=n_threads, progress=lambda done, total: seen.append((done, total, threading.get_ident())))
    assert len(seen) > 2
    done = [entry[0] for entry in seen]
    assert done == sorted(done)
    assert {entry[2] for entry in seen} == {threading.get_ident()}
    totals = {entry[1] for entry in seen}
    assert len(totals) == 1 and done[-1] == totals.pop()
    np.testing.assert_array_equal(result, slow())


def test_progress_of_a_short_call():
    seen = []
    goursat.signature(np.zeros((3, 2)), 2, progress=lambda done, total: seen.append((done, total)))
    assert seen and seen[-1][0] == seen[-1][1] > 0


def test_progress_elsewhere(slow):
    """Also on a thread that is not the main one."""
    seen = []
    thread = threading.Thread(target=lambda: slow(progress=lambda *now: seen.append(threading.get_ident())))
    thread.start()
    thread.join()
    assert len(seen) > 2 and set(seen) == {thread.ident}


@pytest.mark.parametrize("n_threads", [1, 2])
def test_exceptions_of_the_callable(slow, n_threads):
    class Enough(BaseException):
        pass

    def enough(done, total):
        raise Enough

    began = time.perf_counter()
    with pytest.raises(Enough):
        slow(longer=True, n_threads=n_threads, progress=enough)
    assert time.perf_counter() - began < 1.0


def test_calls_within_the_callable(slow):
    """The library may be called from its own callback."""
    inner = []
    result = slow(progress=lambda done, total: inner.append(slow(n_threads=1) if not inner else None))
    np.testing.assert_array_equal(inner[0], result)


def test_bar(slow, capfd):
    slow(progress=True)
    text = capfd.readouterr().err
    assert "100%" in text and "nan" not in text


def test_bar_without_tqdm(slow, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "tqdm"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(ImportError, match=r"progress=True needs tqdm: pip install tqdm"):
        slow(progress=True)


def test_a_signal_handler_that_raises(slow):
    """Whatever a handler raises gets out, wherever it strikes, and nothing of it is lost in ctypes."""

    class Alarm(Exception):
        pass

    def ring(number, frame):
        raise Alarm

    previous = signal.signal(signal.SIGALRM, ring)
    hook = sys.unraisablehook
    try:
        for delay in np.linspace(0.03, 0.2, 15):
            signal.setitimer(signal.ITIMER_REAL, delay)
            began = time.perf_counter()
            with pytest.raises(Alarm):
                slow(longer=True)
            assert time.perf_counter() - began < delay + 1.0
            assert sys.unraisablehook is hook
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def test_a_signal_handler_that_returns(slow):
    """The call goes on."""
    rung = []
    previous = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(time.perf_counter()))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        result = slow(n_threads=1)
        ended = time.perf_counter()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert rung and ended - rung[0] > 0.1  # not only after the call
    np.testing.assert_array_equal(result, slow())


# Calls of many seconds, with x of shape (256, 400, 2) and wide of shape (64, 4000, 8).
@pytest.mark.parametrize(
    "call",
    [
        "goursat.sigkernel_gram(x, dyadic_order=4)",
        "goursat.sigkernel_gram(x, dyadic_order=4, n_threads=1)",
        "goursat.sigkernel_gram(x, dyadic_order=4, progress=True)",
        "goursat.sigkernel_backprop(1.0, x, x, dyadic_order=5)",
        "goursat.signature(wide, 6)",
        "goursat.signature(wide, 6, n_threads=1)",
        "goursat.sig_backprop(1.0, wide, 6)",
    ],
)
def test_ctrl_c(call):
    # What runs in the background inherits that SIGINT is ignored.
    code = textwrap.dedent(f"""
        import signal
        import time
        import numpy as np
        import goursat

        signal.signal(signal.SIGINT, signal.default_int_handler)
        x = np.random.default_rng(0).normal(size=(256, 400, 2)) / 20
        wide = np.tile(x[:64], (1, 10, 4))
        print("ready", flush=True)
        try:
            {call}
        except KeyboardInterrupt:
            print("interrupted", time.monotonic(), flush=True)
            assert goursat.sigkernel(x[:2, :9], x[:2, :9]).shape == (2,)
    """)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    assert out.startswith("interrupted"), (out, errors)
    assert float(out.split()[1]) - sent < 1.0
    assert "Exception ignored" not in errors


def test_the_interpreter_is_free(slow):
    """Another thread runs Python during a call."""
    ticks = []
    done = threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    began = time.perf_counter()
    slow()
    ended = time.perf_counter()
    done.set()
    thread.join()
    assert sum(began < at < ended for at in ticks) > 5


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_bits_do_not_depend_on_threads(rng, walks, dtype):
    a, b, c = walks(37, 20, 3, dtype=dtype), walks(37, 23, 3, dtype=dtype), walks(3, 1500, 2, dtype=dtype)
    grad = rng.normal(size=(37, 37)).astype(dtype)
    for call in (
        lambda n: goursat.signature(a, 4, n_threads=n),
        lambda n: goursat.sig_backprop(dtype(1), a, 4, n_threads=n),
        lambda n: goursat.signature(c, 6, n_threads=n),
        lambda n: goursat.sigkernel(a, b, n_threads=n),
        lambda n: goursat.sigkernel(c, c, n_threads=n),
        lambda n: goursat.sigkernel_gram(a, n_threads=n),
        lambda n: goursat.sigkernel_backprop(1, a, b, wrt="x", n_threads=n),
        lambda n: goursat.sigkernel_backprop(1, c, c[::-1], wrt="y", n_threads=n),
        lambda n: goursat.sigkernel_gram_backprop(grad, a, b, wrt="y", n_threads=n),
        lambda n: goursat.sigkernel_gram_backprop(grad, a, n_threads=n),
    ):
        single = call(1)
        assert single.dtype == dtype
        for n in (2, 3, 0):
            np.testing.assert_array_equal(call(n), single)


def test_many_threads_at_once(walks):
    x = walks(20, 30, 2)
    expected = goursat.sigkernel_gram(x), goursat.signature(x, 4)
    failures = []

    def work(turn):
        try:
            for _ in range(20):
                np.testing.assert_array_equal(goursat.sigkernel_gram(x), expected[0])
                np.testing.assert_array_equal(goursat.signature(x, 4), expected[1])
                with pytest.raises(ValueError, match=f"expected at most 16|is {turn + 17}"):
                    goursat.sigkernel(x, x, dyadic_order=turn + 17)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(turn,)) for turn in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def in_child(x):
    return os.getpid(), goursat.sigkernel_gram(x, n_threads=2)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes(walks, method):
    """A child of fork has none of its parent's threads, and works all the same."""
    x = walks(30, 40, 2)
    expected = goursat.sigkernel_gram(x, n_threads=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of fork with threads
        with multiprocessing.get_context(method).Pool(2) as pool:
            results = pool.map_async(in_child, [x] * 4).get(timeout=60)
    for process, gram in results:
        assert process != os.getpid()
        np.testing.assert_array_equal(gram, expected)
    np.testing.assert_array_equal(goursat.sigkernel_gram(x, n_threads=2), expected)


def test_numbers_of_threads():
    code = "import goursat; print(goursat.default_threads())"
    environment = {**os.environ, "GOURSAT_NUM_THREADS": "3"}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout == "3\n"
    assert goursat.default_threads() >= 1


def test_lower_levels():
    code = "import goursat; print(goursat.simd_level())"
    environment = {**os.environ, "GOURSAT_SIMD": "portable"}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout == "portable\n"
