"""What arguments may be, and one line for each that is something else."""

from __future__ import annotations

import operator
import re
from typing import Any, SupportsIndex

import numpy as np

MODES = ("full", "same", "valid", "causal")
ROUTINGS = ("rows", "bank", "matrix")
METHODS = ("auto", "direct", "fft")

_UNITS = {
    "": 1, "b": 1,
    "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
}  # fmt: skip


def one_of(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    if isinstance(value, str) and value in allowed:
        return value
    listed = ", ".join(repr(choice) for choice in allowed)
    raise ValueError(f"{name} is {value!r}; allowed: {listed}")


def count(name: str, value: SupportsIndex | None, unset: int = 0) -> int:
    """A whole number from 1 on; ``unset`` where it is None."""
    if value is None:
        return unset
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}; allowed: whole numbers from 1 on, or None") from None
    if number < 1:
        raise ValueError(f"{name} is {number}; allowed: whole numbers from 1 on, or None")
    return number


def memory(value: int | float | str | None, name: str = "memory_limit") -> int:
    """Bytes of a limit such as 1_000_000 or '1.5 GiB'; 0 for None."""
    if value is None:
        return 0
    if isinstance(value, str):
        match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([a-zA-Z]*)\s*", value)
        if match is None or match[2].lower() not in _UNITS:
            raise ValueError(
                f"{name} is {value!r}; allowed: bytes, or a text such as '2GiB' or '500 MB'"
            )
        size = int(float(match[1]) * _UNITS[match[2].lower()])
    elif isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} is {value!r}; allowed: bytes, or a text such as '2GiB', or None")
    else:
        size = int(value) if np.isfinite(value) else 0
    if size < 1:
        raise ValueError(f"{name} is {value!r}; allowed: 1 byte or more")
    return size


def axis_of(axis: SupportsIndex, ndim: int) -> int:
    try:
        number = operator.index(axis)
    except TypeError:
        raise TypeError(f"axis is {axis!r}; allowed: a whole number") from None
    if not -ndim <= number < ndim:
        raise np.exceptions.AxisError(
            f"axis is {number}; allowed for x of {ndim} dimensions: {-ndim} to {ndim - 1}"
        )
    return number % ndim


def array(name: str, value: Any) -> np.ndarray:
    """As NumPy takes it, of native byte order and with strides of whole elements."""
    result = np.asarray(value)
    if result.dtype.kind not in "biufc":
        raise TypeError(
            f"{name} is of type {result.dtype}; allowed: bool, integers, real and complex numbers"
        )
    if result.dtype.itemsize > (16 if result.dtype.kind == "c" else 8):
        # Long double: there is no arithmetic for it here.
        result = result.astype(np.complex128 if result.dtype.kind == "c" else np.float64)
    if not result.dtype.isnative:
        result = result.astype(result.dtype.newbyteorder("="))
    if any(stride % result.dtype.itemsize for stride in result.strides) or not result.flags.aligned:
        result = result.copy()
    return result


def result_type(x: np.dtype, h: np.dtype, precision: str | None) -> np.dtype:
    """Of the output: NumPy's promotion, integers alone becoming float64."""
    result = np.result_type(x, h)
    if result.kind not in "fc":
        result = np.dtype(np.float64)
    if precision is None:
        return result
    one_of("precision", precision, ("float32", "float64"))
    if result.kind == "c":
        return np.dtype(np.complex64 if precision == "float32" else np.complex128)
    return np.dtype(precision)


def window(mode: str, samples: int, taps: int) -> tuple[int, int]:
    """First frame and number of frames that are wanted of the full convolution."""
    if mode == "valid":
        if taps > samples:
            raise ValueError(
                f"h has {taps} taps and x {samples} samples; allowed with mode 'valid': up to as "
                "many taps as samples"
            )
        return taps - 1, samples - taps + 1
    if mode == "full":
        return 0, samples + taps - 1 if samples else 0
    return ((taps - 1) // 2 if mode == "same" else 0), samples


def require_finite(name: str, kernel: np.ndarray) -> None:
    if kernel.dtype.kind in "fc" and not np.isfinite(kernel).all():
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(kernel))[0])
        raise ValueError(f"{name}[{', '.join(map(str, at))}] is {kernel[at]}; allowed: finite taps")
