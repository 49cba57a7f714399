"""Exact convolution of integers and booleans."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._axes import convolve_axes

# Sums below this are computed in double precision and rounded to the right integer. A double has
# 53 bits; those above are room for the error of the transforms, which is relative to the largest
# values of a block. One whole FFT of 2^17 samples errs by up to 0.01 at this bound; at 2^50 it
# errs by 2.4, which rounds to a wrong integer.
_EXACT_IN_DOUBLE = 2**42


def convolve_integers(
    x: NDArray[Any], h: NDArray[Any], axes: Sequence[int], mode: str, result: np.dtype[Any]
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
    return _convolve_modulo(x, h, axes, mode).astype(result, copy=False)


def _convolve_modulo(
    x: NDArray[Any], h: NDArray[Any], axes: Sequence[int], mode: str
) -> NDArray[np.int64]:
    """Convolve modulo 2^64, in double precision and as many parts of the values as that takes.

    Modulo 2^64 it does not matter that int64 shows the upper half of uint64 as negative.
    """
    largest_x, largest_h = _largest(x), _largest(h)
    overlap = math.prod([min(x.shape[axis], h.shape[axis]) for axis in axes])
    if largest_x * largest_h * overlap < _EXACT_IN_DOUBLE:
        y = convolve_axes(x.astype(np.float64), h.astype(np.float64), axes, mode)
        return np.rint(y, out=y).astype(np.int64)
    if largest_x < largest_h:
        bits = largest_h.bit_length() // 2
        low, high = _split(h.astype(np.int64, copy=False), bits)
        y = _convolve_modulo(x, high, axes, mode) << bits
        return np.add(y, _convolve_modulo(x, low, axes, mode), out=y)
    bits = largest_x.bit_length() // 2
    low, high = _split(x.astype(np.int64, copy=False), bits)
    y = _convolve_modulo(high, h, axes, mode) << bits
    return np.add(y, _convolve_modulo(low, h, axes, mode), out=y)


def _largest(array: NDArray[Any]) -> int:
    """Return the largest absolute value; in Python's integers, where -128 has an opposite."""
    return max(int(array.max()), -int(array.min()))


def _split(array: NDArray[Any], bits: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the low bits, which are not negative, and the rest, shifted down."""
    return array & ((1 << bits) - 1), array >> bits
