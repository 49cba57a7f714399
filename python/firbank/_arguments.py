"""What arguments may be, and one line for each that is something else."""

from __future__ import annotations

import math
import operator
from typing import Any, SupportsIndex

import numpy as np

from ._arrays import as_numpy, require_numbers
from ._mapping import in_memory
from ._memory import memory_bytes

MODES = ("full", "same", "valid", "causal")
ROUTINGS = ("rows", "bank", "matrix")
METHODS = ("auto", "direct", "fft")
MOST_THREADS = 64
_PRECISIONS = ("float32", "float64")
_FINITE_PART = 1 << 20  # elements
_LARGEST = (1 << 63) - 1


def one_of(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    if isinstance(value, str) and value in allowed:
        return value
    listed = ", ".join(repr(choice) for choice in allowed)
    raise ValueError(f"{name} is {value!r}; allowed: {listed}")


def whole(name: str, value: SupportsIndex, least: int, most: int = _LARGEST, also: str = "") -> int:
    """A whole number from ``least`` to ``most``; ``also`` says what else the caller allows."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is not None and least <= number <= most:
        return number
    end = "on" if most == _LARGEST else f"to {most}"
    error = TypeError if number is None else ValueError
    raise error(f"{name} is {value!r}; allowed: whole numbers from {least} {end}{also}")


def count(name: str, value: SupportsIndex | None, most: int = _LARGEST) -> int:
    """A whole number from 1 on; 0 where it is None."""
    return 0 if value is None else whole(name, value, 1, most, also=", or None")


def memory(limit: int | float | str | None) -> int:
    """Bytes of a limit such as 1_000_000 or '1.5 GiB'; 0 for None."""
    try:
        return 0 if limit is None else memory_bytes(limit)
    except OverflowError:  # text of more digits than a float has room for
        return _LARGEST


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
    if hasattr(value, "__dask_graph__"):
        raise TypeError(
            f"{name} is a Dask collection; allowed: arrays in memory, or x of firbank.dask.convolve"
        )
    result = in_memory(as_numpy(value, name), name)
    require_numbers(result, name)
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


def finite_taps(name: str, value: Any) -> np.ndarray:
    """Kernels as an array of finite numbers, one at least."""
    result = array(name, value)
    if result.ndim == 0 or result.size == 0:
        raise ValueError(f"{name} has shape {result.shape}; allowed: 1 tap or more")
    require_finite(name, result)
    return result


def precision_dtype(precision: str | None) -> np.dtype | None:
    """The dtype that a `precision` forces; None where it leaves the choice."""
    return None if precision is None else np.dtype(one_of("precision", precision, _PRECISIONS))


def result_type(x: np.dtype, h: np.dtype, precision: str | None) -> np.dtype:
    """Of the output: NumPy's promotion, integers alone becoming float64."""
    result = np.result_type(x, h)
    if result.kind not in "fc":
        result = np.dtype(np.float64)
    forced = precision_dtype(precision)
    if forced is None:
        return result
    return np.result_type(forced, np.complex64) if result.kind == "c" else forced


def frames_of_mode(mode: str, samples: int, taps: int) -> tuple[int, int]:
    """First frame and number of frames that a mode takes of the full convolution.

    Raises
    ------
    ValueError
        If mode 'valid' has no frame, since the kernel is longer than the signal.

    Examples
    --------
    >>> frames_of_mode("same", 10, 5)
    (2, 10)
    """
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


def require_kernel_shape(
    shape: tuple[int, ...], x_shape: tuple[int, ...], axis: int, routing: str
) -> None:
    """Raise ValueError unless kernels of this shape suit an x of that one, of any length."""
    if routing == "bank":
        if len(shape) not in (1, 2):
            raise ValueError(
                f"h has shape {shape}; allowed with routing 'bank': (kernels, taps), (taps,), or a "
                "list of kernels"
            )
        return

    def fits(shape: tuple[int, ...], broadcasts: bool) -> bool:
        return len(shape) == len(x_shape) and all(
            a == axis or size == wanted or (broadcasts and size == 1)
            for a, (size, wanted) in enumerate(zip(shape, x_shape, strict=True))
        )

    each = ("taps" if a == axis else str(size) for a, size in enumerate(x_shape))
    wanted = f"({', '.join(each)}{',' if len(x_shape) == 1 else ''})"
    if routing == "rows" and len(shape) != 1 and not fits(shape, broadcasts=True):
        raise ValueError(
            f"h has shape {shape}; allowed with x of shape {x_shape} and routing 'rows': (taps,) "
            f"or {wanted}, where each of the other axes may be of size 1"
        )
    if routing == "matrix" and not (fits(shape, False) or fits(shape[1:], False)):
        raise ValueError(
            f"h has shape {shape}; allowed with x of shape {x_shape} and routing 'matrix': "
            f"{wanted}, or that behind an axis of outputs"
        )


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
    if _overlaps_itself(out):
        raise ValueError(f"{name} has several elements in one place; allowed: one place each")


def _overlaps_itself(array: np.ndarray) -> bool:
    """Tell whether elements lie over each other; yes for strides that do not nest, too."""
    if array.size == 0 or array.flags.forc:
        return False
    axes = zip(array.strides, array.shape, strict=True)
    least = array.itemsize
    for stride, size in sorted((abs(stride), size) for stride, size in axes if size > 1):
        if stride < least:
            return True
        least = stride * size
    return False


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
    parts = (kernel.real, kernel.imag)
    largest = max(abs(float(end)) for part in parts for end in (part.min(), part.max()))
    if largest > float(np.finfo(np.float32).max):
        raise ValueError(f"{name} has a tap of {largest:g}; allowed in float32: up to 3.4e38")
