"""Exact convolution of integers and booleans."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._axes import convolve_axes, convolve_axes_with, frames_of_mode

# Sums below this are rounded to the right integer. A double has 53 bits; the 11 bits above this
# bound are room for the error of the transforms, which grows with the logarithm of their size
# and is relative to the largest values of a block, not to the value itself.
_EXACT_IN_DOUBLE = 2**42


def convolve_integers(
    x: NDArray[Any], h: NDArray[Any], axes: list[int], mode: str, result: np.dtype[Any]
) -> NDArray[Any]:
    """Convolve integers or booleans over axes, exactly.

    Parameters
    ----------
    x, h, axes, mode
        As for :func:`firbank.signal._axes.convolve_axes`, but of integers or booleans.
    result : dtype
        The type of the result. Sums beyond its range wrap round, as in NumPy's own arithmetic; a
        boolean one is whether any product is true.
    """
    overlap = 1
    for axis in axes:
        overlap *= min(x.shape[axis], h.shape[axis])
    if _largest(x) * _largest(h) * overlap >= _EXACT_IN_DOUBLE:
        return convolve_axes_with(
            _integer_rows, x.astype(result, copy=False), h.astype(result, copy=False), axes, mode
        )
    y = convolve_axes(x.astype(np.float64), h.astype(np.float64), axes, mode)
    if result.kind == "b":
        return y > 0.5
    # A conversion to int64 is exact here, and from there to a narrower type it wraps round.
    return np.rint(y, out=y).astype(np.int64).astype(result, copy=False)


def _largest(array: NDArray[Any]) -> int:
    """Return the largest absolute value; in Python's integers, where -128 has an opposite."""
    return max(int(array.max()), -int(array.min()))


def _integer_rows(x: NDArray[Any], h: NDArray[Any], axis: int, mode: str) -> NDArray[Any]:
    x = np.moveaxis(x, axis, -1)
    h = h if h.ndim == 1 else np.moveaxis(h, axis, -1)
    first, count = frames_of_mode(mode, x.shape[-1], h.shape[-1])
    h = np.broadcast_to(h, (*x.shape[:-1], h.shape[-1]))
    y = np.empty((*x.shape[:-1], count), x.dtype)
    for row in np.ndindex(*x.shape[:-1]):
        y[row] = np.convolve(x[row], h[row])[first : first + count]
    return np.moveaxis(y, -1, axis)
