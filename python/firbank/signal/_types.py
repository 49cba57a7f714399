"""In which type a function computes, and in which it answers."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._arrays import require_no_mask, require_numbers
from .._mapping import in_memory


class Types(NamedTuple):
    """The type of the arithmetic and the one of the result."""

    arithmetic: np.dtype[Any]
    result: np.dtype[Any]


def as_numeric(name: str, values: ArrayLike) -> NDArray[Any]:
    """Return an argument as an array in memory; a TypeError names it if it holds no numbers, or
    has a mask."""
    require_no_mask(values, name)
    array = in_memory(np.asarray(values), name)
    require_numbers(array, name)
    return array


@lru_cache(maxsize=256)
def common_types(*dtypes: np.dtype[Any]) -> Types:
    """Return the types for some arguments by NumPy's promotion.

    float16 is computed in float32, long double in double. Booleans and integers alone have
    themselves as result and float64 as arithmetic, which the caller must see to be exact.
    """
    result = np.result_type(*dtypes)
    if result.kind in "biu":
        return Types(np.dtype(np.float64), result)
    if result.char == "e":
        return Types(np.dtype(np.float32), result)
    result = {"g": np.dtype(np.float64), "G": np.dtype(np.complex128)}.get(result.char, result)
    return Types(result, result)


@lru_cache(maxsize=256)
def transform_type(first: np.dtype[Any], second: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type of both's convolution by FFT in SciPy, where integers become float64."""
    return np.result_type(common_types(first).arithmetic, common_types(second).arithmetic)
