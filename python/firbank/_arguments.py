"""What arguments may be, and one line for each that is something else."""

from __future__ import annotations

import math
import operator
from typing import Any, SupportsIndex

import numpy as np

from ._arrays import as_numpy
from ._mapping import in_memory
from ._memory import memory_bytes

MODES = ("full", "same", "valid", "causal")
ROUTINGS = ("rows", "bank", "matrix")
_FINITE_PART = 1 << 20  # elements
METHODS = ("auto", "direct", "fft")


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
    if not 1 <= number < 1 << 63:
        raise ValueError(f"{name} is {number}; allowed: whole numbers from 1 on, or None")
    return number


def memory(limit: int | float | str | None) -> int:
    """Bytes of a limit such as 1_000_000 or '1.5 GiB'; 0 for None."""
    return 0 if limit is None else memory_bytes(limit)


def axis_of(axis: SupportsIndex, ndim: int) -> int:
    try:
        number = operator.index(axis)
    except TypeError:
        raise TypeError(f"axis is {axis!r}; allowed: a whole number") from None
    if ndim == 0:
        raise ValueError("x has no dimension; allowed: 1 or more")
    if not -ndim <= number < ndim:
        raise np.exceptions.AxisError(
            f"axis is {number}; allowed for x of {ndim} dimensions: {-ndim} to {ndim - 1}"
        )
    return number % ndim


def array(name: str, value: Any) -> np.ndarray:
    """As NumPy takes it, of native byte order and with strides of whole elements."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array; allowed: arrays without a mask, as by .filled()"
        )
    if hasattr(value, "__dask_graph__"):
        raise TypeError(f"{name} is a Dask collection; allowed: arrays. See firbank.dask.convolve")
    result = in_memory(as_numpy(value, name), name)
    if result.dtype.kind not in "biufc":
        raise TypeError(
            f"{name} is of type {result.dtype}; allowed: bool, integers, real and complex numbers"
        )
    if result.dtype.itemsize > (16 if result.dtype.kind == "c" else 8):
        # Long double: there is no arithmetic for it here.
        result = result.astype(np.complex128 if result.dtype.kind == "c" else np.float64)
    if not result.dtype.isnative:
        result = result.astype(result.dtype.newbyteorder("="))
    return result if lies_whole(result) else result.copy()


def lies_whole(array: np.ndarray) -> bool:
    """Tell whether its elements are aligned and whole elements apart, as the engine wants them."""
    flags = array.flags
    return flags.aligned and (flags.forc or not any(s % array.itemsize for s in array.strides))


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


def require_out(name: str, out: Any, shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Raise unless `out` is an array that takes a result of this shape and dtype as it is.

    Rounding to a narrower one would be silent, and is better asked for by `precision`, which saves
    the arithmetic as well.
    """
    if not isinstance(out, np.ndarray):
        raise TypeError(f"{name} is of {type(out)}; allowed: a NumPy array")
    if out.dtype != dtype:
        raise TypeError(f"{name} has dtype {out.dtype}; allowed: {dtype}, that of the result")
    if out.shape != shape:
        raise ValueError(f"{name} has shape {out.shape}; allowed: {shape}")
    if not out.flags.writeable:
        raise ValueError(f"{name} is read-only; allowed: an array that can be written to")
    if not lies_whole(out):
        raise ValueError(f"{name} is not aligned to its dtype; allowed: an aligned array")
    if (
        0 in out.strides
        and math.prod(n for s, n in zip(out.strides, out.shape, strict=True) if not s) > 1
    ):
        raise ValueError(f"{name} has several elements in one place; allowed: one place each")


def require_finite(name: str, kernel: np.ndarray) -> None:
    """In parts, so that what looking takes is little beside a kernel."""
    if kernel.dtype.kind not in "fc":
        return
    rows = kernel.reshape(-1) if kernel.flags.c_contiguous else kernel
    step = max(1, _FINITE_PART // max(1, math.prod(rows.shape[1:])))
    for first in range(0, len(rows), step):
        finite = np.isfinite(rows[first : first + step])
        if finite.all():
            continue
        place = np.unravel_index(int(np.argmin(finite)), finite.shape)
        at = (first + int(place[0]), *(int(i) for i in place[1:]))
        if rows.ndim != kernel.ndim:
            at = tuple(int(i) for i in np.unravel_index(at[0], kernel.shape))
        raise ValueError(f"{name}[{', '.join(map(str, at))}] is {kernel[at]}; allowed: finite taps")


def require_float32(name: str, kernel: np.ndarray) -> None:
    """Taps of double precision that float32 cannot hold would be infinite."""
    if kernel.dtype.char not in "dDlLqQ":
        return
    largest = max(
        (abs(float(part.max(initial=0))) for part in (kernel.real, kernel.imag)), default=0
    )
    least = max((abs(float(part.min(initial=0))) for part in (kernel.real, kernel.imag)), default=0)
    if max(largest, least) > float(np.finfo(np.float32).max):
        raise ValueError(
            f"{name} has a tap of {max(largest, least):g}; allowed in float32: up to 3.4e38"
        )
