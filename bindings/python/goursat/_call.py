"""Calls into the library: errors become exceptions, long calls report and can be interrupted."""

from __future__ import annotations

import ctypes
import sys
import threading
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Optional, Union

import numpy as np

from . import _native
from ._device import Home
from ._paths import F64

#: Multiplications from which on a call listens to Ctrl-C: some hundredths of a second.
LONG = 20_000_000

ProgressLike = Union[bool, Callable[[int, int], object]]

_OF_F64 = {name[:-4]: f for name, f in _native.FUNCTIONS.items() if name.endswith("_f64")}
_OF_F32 = {name[:-4]: f for name, f in _native.FUNCTIONS.items() if name.endswith("_f32")}

_BYTE = np.dtype(np.uint8)

_EXCEPTIONS = {
    _native.INVALID_ARGUMENT: ValueError,
    _native.LENGTH_MISMATCH: ValueError,
    _native.UNSUPPORTED: NotImplementedError,
    _native.OUT_OF_MEMORY: MemoryError,
}


def check(status: int) -> None:
    """Raise what a status means."""
    if status:
        raise _EXCEPTIONS.get(status, RuntimeError)(_native.last_error())


def call(
    name: str,
    dtype: np.dtype[Any],
    arguments: tuple[Any, ...],
    options: _native.Options,
    work: float,
    progress: ProgressLike,
    home: Optional[Home] = None,
) -> None:
    """Call ``goursat_<name>`` for numbers of type ``dtype``, which takes roughly ``work`` multiplications.

    On a CUDA device, `home`, the work is in its current stream when this returns, and there is no progress.
    """
    function = (_OF_F64 if dtype is F64 else _OF_F32)[name]
    if home is not None:
        launch(function, arguments, options, home)
        return
    if progress is False or progress is None:
        if work < LONG or threading.get_ident() != threading.main_thread().ident:  # signals come to the main thread
            status = function(*arguments, ctypes.addressof(options))
            if status:
                check(status)
            return
        report = None
    else:
        report = _bar() if progress is True else progress
        if not callable(report):
            raise TypeError(f"progress is {progress!r}; expected a bool or a callable (done, total)")
    _watched(function, arguments, options, report)


def launch(function: Any, arguments: tuple[Any, ...], options: _native.Options, home: Home) -> None:
    """Put a call into the current stream of a device, with a workspace from the library that the arrays are of."""
    options = _native.Options.from_buffer_copy(options)  # those of dense batches are shared
    options.memory, options.device, options.stream = _native.CUDA, home.index, home.stream()
    needed = ctypes.c_size_t()
    options.workspace_query = ctypes.addressof(needed)
    check(function(*arguments, ctypes.addressof(options)))
    options.workspace_query = None
    if needed.value:
        # Freed in the order of the same stream: whoever gets this memory next works after the call.
        workspace = home.empty((needed.value,), _BYTE)
        options.workspace, options.workspace_size = workspace.address, needed.value
    check(function(*arguments, ctypes.addressof(options)))


def _watched(
    function: Any, arguments: tuple[Any, ...], options: _native.Options, report: Optional[Callable[[int, int], object]]
) -> None:
    watch = _Watch(report)
    callback = _native.Progress(watch.called)
    options = _native.Options.from_buffer_copy(options)  # those of short calls are shared
    options.progress = callback
    try:
        with watch.catching():
            status = function(*arguments, ctypes.addressof(options))
        if watch.failure is not None:
            raise watch.failure
        check(status)
        if report is not None:
            report(watch.total, watch.total)
    finally:
        if isinstance(report, _Bar):
            report.close()


class _Watch:
    """The progress callback: every call of it lets Python run its signal handlers, Ctrl-C's among them."""

    def __init__(self, report: Optional[Callable[[int, int], object]]) -> None:
        self.report = report
        self.failure: Optional[BaseException] = None
        self.total = 1

    def called(self, data: object, done: int, total: int) -> int:
        try:
            self.total = total
            if self.failure is None and self.report is not None:
                self.report(done, total)
        except BaseException as failure:
            self.failure = failure
        return self.failure is not None

    @contextmanager
    def catching(self) -> Iterator[None]:
        """Catch what a signal handler raises on the way into `called`, before its ``try``.

        ctypes has nowhere to raise that and hands it to `sys.unraisablehook`.
        """
        code = type(self).called.__code__
        previous = sys.unraisablehook

        def hook(unraisable: Any) -> None:
            traceback = unraisable.exc_traceback
            if traceback is not None and traceback.tb_frame.f_code is code:
                self.failure = unraisable.exc_value
            else:
                previous(unraisable)

        sys.unraisablehook = hook
        try:
            yield
        finally:
            if sys.unraisablehook is hook:
                sys.unraisablehook = previous


class _Bar:
    """A tqdm bar in whatever units the library counts."""

    def __init__(self, tqdm: Any) -> None:
        self.bar = tqdm(total=None, bar_format="{l_bar}{bar}| {elapsed}<{remaining}", leave=True)

    def __call__(self, done: int, total: int) -> None:
        self.bar.total = total
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        self.bar.close()


def _bar() -> _Bar:
    try:
        from tqdm.auto import tqdm  # type: ignore[import-untyped]
    except ImportError:
        raise ImportError("progress=True needs tqdm: pip install tqdm, or pass a callable (done, total)") from None
    return _Bar(tqdm)
