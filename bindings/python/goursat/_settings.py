"""Keyword arguments as the library's options."""

from __future__ import annotations

import ctypes
import operator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, Optional, Union

from . import _native

if TYPE_CHECKING:
    from ._paths import Paths

LeadLag = Union[bool, Literal["lead_first", "lag_first"]]
DyadicOrder = Union[int, tuple[int, int]]

_LEAD_LAG = {
    False: 0,
    True: _native.LEAD_LAG,
    "lead_first": _native.LEAD_LAG,
    "lag_first": _native.LEAD_LAG | _native.LAG_FIRST,
}


def count(value: Any, name: str, most: int) -> int:
    """Return an integer argument that the C interface can carry; what it means is the library's to say."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}; expected an integer") from None
    if not 0 <= number <= most:
        raise ValueError(f"{name} is {number}; expected 0 or more" + (f", at most {most}" if number > most else ""))
    return number


def size(value: Any, name: str) -> int:
    """Return a size_t."""
    return count(value, name, 2**63 - 1)


def orders(dyadic_order: DyadicOrder) -> tuple[int, int]:
    """Return the dyadic orders of x and of y."""
    if type(dyadic_order) is int and 0 <= dyadic_order < 2**31:
        return dyadic_order, dyadic_order
    if isinstance(dyadic_order, (tuple, list)):
        if len(dyadic_order) != 2:
            raise ValueError(f"dyadic_order is {dyadic_order!r}; expected an integer or a pair of them")
        return (
            count(dyadic_order[0], "dyadic_order[0]", 2**31 - 1),
            count(dyadic_order[1], "dyadic_order[1]", 2**31 - 1),
        )
    order = count(dyadic_order, "dyadic_order", 2**31 - 1)
    return order, order


def flags(time_aug: bool, lead_lag: LeadLag, extra: int = 0) -> int:
    """Return the flags of the transforms together with others."""
    try:
        lead_lag_flags = _LEAD_LAG[lead_lag]
    except (KeyError, TypeError):
        raise ValueError(f'lead_lag is {lead_lag!r}; expected False, True or "lag_first"') from None
    return (_native.TIME_AUG if time_aug else 0) | lead_lag_flags | extra


def end(end_time: float) -> float:
    """Return an end time that does not stand for the default."""
    try:
        number = float(end_time)
    except (TypeError, ValueError):
        raise TypeError(f"end_time is {end_time!r}; expected a number") from None
    if number == 0.0:
        raise ValueError("end_time is 0; expected time that runs")
    return number


def options(flags: int, end_time: float, x_order: int, y_order: int, threads: int) -> _native.Options:
    """Return options for dense batches. They are shared: copy them to change them."""
    try:
        return _made(flags, end_time, x_order, y_order, threads)
    except TypeError:  # not hashable: then not a number either
        return _make(flags, end_time, x_order, y_order, threads)


def _make(flags: int, end_time: float, x_order: int, y_order: int, threads: int) -> _native.Options:
    return _native.Options(
        size=ctypes.sizeof(_native.Options),
        flags=flags,
        end_time=end(end_time),
        x_order=x_order,
        y_order=y_order,
        threads=count(threads, "n_threads", 2**31 - 1),
    )


_made = lru_cache(maxsize=256)(_make)


def with_paths(base: _native.Options, x: Paths, y: Optional[Paths] = None) -> _native.Options:
    """Return options that say where the paths lie."""
    if x.plain and (y is None or y.plain):
        return base
    copy = _native.Options.from_buffer_copy(base)
    for side, paths in (("x", x), ("y", y)):
        if paths is None:
            continue
        if paths.lengths is not None:
            setattr(copy, f"{side}_lengths", paths.lengths.ctypes.data)
        if paths.starts is not None:
            setattr(copy, f"{side}_starts", paths.starts.ctypes.data)
        if paths.strides is not None:
            setattr(copy, f"{side}_strides", paths.strides)
        setattr(copy, f"{side}_size", paths.size)
    return copy
