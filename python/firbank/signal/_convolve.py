"""SciPy's convolutions: its rules for shapes, types, modes and axes."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._arguments import METHODS, one_of
from ._axes import convolve_axes, crop_to_same
from ._integers import convolve_integers
from ._types import as_numeric, common_types, transform_type

Mode = Literal["full", "same", "valid"]
Method = Literal["auto", "direct", "fft"]
_MODES = ("full", "same", "valid")


def convolve(
    in1: ArrayLike, in2: ArrayLike, mode: Mode = "full", method: Method = "auto"
) -> NDArray[Any]:
    """Convolve two N-dimensional arrays over all their dimensions.

    Parameters
    ----------
    in1, in2 : array_like
        Arrays of equally many dimensions, none of them empty, but that in1 may be in 'same'.
    mode : {'full', 'same', 'valid'}
        Which part of the result, in each dimension: 'full', all N1 + N2 - 1 frames; 'same', the N1
        frames about the centre; 'valid', the frames that need no zeros beyond the ends, for which
        one array must be at least as large as the other in every dimension.
    method : {'auto', 'direct', 'fft'}
        Accepted for SciPy's sake; whichever way costs least is taken.

    Returns
    -------
    ndarray
        Of the type to which NumPy promotes the two. Integers are exact, and wrap round where the
        type's range ends; float16 is computed in float32, long double in double and returned so.

    Raises
    ------
    ValueError
        If the numbers of dimensions differ, an array is empty, neither is the larger one in
        'valid', or ``mode`` or ``method`` is unknown.
    TypeError
        If an array does not hold numbers.

    Examples
    --------
    >>> from firbank.signal import convolve
    >>> convolve([[1, 2], [3, 4]], [[1, 1]]).tolist()
    [[1, 3, 2], [3, 7, 4]]
    """
    one_of("mode", mode, _MODES)
    one_of("method", method, METHODS)
    x, h = as_numeric("in1", in1), as_numeric("in2", in2)
    types = common_types(x.dtype, h.dtype)
    _check_dimensions(x, h)
    if x.ndim == 0:
        return np.multiply(x, h, dtype=types.result)
    if mode == "same" and x.size == 0 and h.size > 0:
        return np.empty(x.shape, types.result)
    if x.size == 0 or h.size == 0:
        empty, shape = ("in1", x.shape) if x.size == 0 else ("in2", h.shape)
        raise ValueError(f"{empty} has shape {shape}; allowed: at least one in each dimension")
    if mode == "valid":
        x, h = _larger_first(x, h, range(x.ndim))
    elif mode == "same":
        h = crop_to_same(x, h)
    axes = [0] if x.ndim == 1 else _axes_of_both(x, h, range(x.ndim))
    if types.result.kind in "biu":
        return convolve_integers(x, h, axes or [0], mode, types.result)
    x, h = x.astype(types.arithmetic, copy=False), h.astype(types.arithmetic, copy=False)
    return convolve_axes(x, h, axes or [0], mode).astype(types.result, copy=False)


def correlate(
    in1: ArrayLike, in2: ArrayLike, mode: Mode = "full", method: Method = "auto"
) -> NDArray[Any]:
    """Correlate two N-dimensional arrays: convolve in1 with in2 reversed and conjugated.

    Parameters, results and errors are those of :func:`convolve`.

    Examples
    --------
    >>> from firbank.signal import correlate
    >>> correlate([1, 2, 3], [0, 1, 1], mode="same").tolist()
    [3, 5, 3]
    """
    h = as_numeric("in2", in2)
    if h.dtype.kind == "c":
        h = h.conj()
    return convolve(in1, h[(slice(None, None, -1),) * h.ndim], mode, method)


def fftconvolve(
    in1: ArrayLike,
    in2: ArrayLike,
    mode: Mode = "full",
    axes: int | Iterable[int] | None = None,
) -> NDArray[Any]:
    """Convolve two N-dimensional arrays over some of their dimensions, in floating point.

    Parameters
    ----------
    in1, in2 : array_like
        Arrays of equally many dimensions. Those that are not convolved broadcast.
    mode : {'full', 'same', 'valid'}
        As for :func:`convolve`, in the convolved dimensions. As in SciPy, 'same' has in1's shape
        also where in1 has one element and in2 more: it is in2's middle one that is taken.
    axes : int or iterable of int, optional
        The dimensions to convolve over; all of them by default.

    Returns
    -------
    ndarray
        In floating point: integers count as float64, float16 as float32. As in SciPy, the result
        of an empty array is empty and 1-D, and where each dimension has one element in one of the
        two arrays, it is their product, in the product's type.

    Raises
    ------
    ValueError
        If the numbers of dimensions differ, shapes do not broadcast, neither array is the larger
        one in 'valid', or ``mode`` or ``axes`` is not allowed.
    TypeError
        If an array does not hold numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from firbank.signal import fftconvolve
    >>> fftconvolve(np.ones((2, 3)), np.ones((1, 2)), axes=1).tolist()
    [[1.0, 2.0, 2.0, 1.0], [1.0, 2.0, 2.0, 1.0]]
    """
    one_of("mode", mode, _MODES)
    x, h = as_numeric("in1", in1), as_numeric("in2", in2)
    _check_dimensions(x, h)
    product = common_types(x.dtype, h.dtype).result
    if x.ndim == 0:
        return np.multiply(x, h, dtype=product)
    if x.size == 0 or h.size == 0:
        return np.empty(0)
    convolved = _axes_of_both(x, h, _checked_axes(axes, x.ndim))
    for axis, sizes in enumerate(zip(x.shape, h.shape, strict=True)):
        if axis not in convolved and 1 not in sizes and sizes[0] != sizes[1]:
            raise ValueError(
                f"in1 has shape {x.shape} and in2 {h.shape}; allowed: sizes that are equal or 1 "
                f"in dimension {axis}, which is not convolved"
            )
    if mode == "valid":
        x, h = _larger_first(x, h, convolved)
    elif mode == "same":
        h = crop_to_same(x, h)
    if not convolved:
        return np.multiply(x, h, dtype=product)
    arithmetic = transform_type(x.dtype, h.dtype)
    x, h = x.astype(arithmetic, copy=False), h.astype(arithmetic, copy=False)
    return convolve_axes(x, h, _axes_of_both(x, h, convolved) or convolved[:1], mode)


def oaconvolve(
    in1: ArrayLike,
    in2: ArrayLike,
    mode: Mode = "full",
    axes: int | Iterable[int] | None = None,
) -> NDArray[Any]:
    """Convolve as :func:`fftconvolve` does; all of firbank is overlap-add.

    Parameters, results and errors are those of :func:`fftconvolve`.

    Examples
    --------
    >>> from firbank.signal import oaconvolve
    >>> oaconvolve([1.0, 2.0, 3.0], [1.0, -1.0]).tolist()
    [1.0, 1.0, 1.0, -3.0]
    """
    return fftconvolve(in1, in2, mode, axes)


def _check_dimensions(x: NDArray[Any], h: NDArray[Any]) -> None:
    if x.ndim != h.ndim:
        raise ValueError(f"in2 has {h.ndim} dimensions; allowed: {x.ndim}, as many as in1")


def _checked_axes(axes: int | Iterable[int] | None, dimensions: int) -> list[int]:
    if axes is None:
        return list(range(dimensions))
    try:
        given = [operator.index(axes)]  # type: ignore[arg-type]
    except TypeError:
        try:
            given = [operator.index(axis) for axis in axes]  # type: ignore[union-attr]
        except TypeError:
            raise ValueError(f"axes is {axes!r}; allowed: a whole number, or several") from None
    if not given:
        raise ValueError("axes is empty; allowed: at least one axis, or None for all")
    for axis in given:
        if not -dimensions <= axis < dimensions:
            raise ValueError(f"axes holds {axis}; allowed: {-dimensions} to {dimensions - 1}")
    positive = [axis % dimensions for axis in given]
    if len(set(positive)) < len(positive):
        raise ValueError(f"axes is {given}; allowed: each axis once")
    return sorted(positive)


def _axes_of_both(x: NDArray[Any], h: NDArray[Any], axes: Iterable[int]) -> list[int]:
    """Return the axes along which both have more than one; along others, they multiply."""
    return [axis for axis in axes if x.shape[axis] != 1 and h.shape[axis] != 1]


def _larger_first(
    x: NDArray[Any], h: NDArray[Any], axes: Iterable[int]
) -> tuple[NDArray[Any], NDArray[Any]]:
    sizes = [(x.shape[axis], h.shape[axis]) for axis in axes]
    if all(samples >= taps for samples, taps in sizes):
        return x, h
    if all(samples <= taps for samples, taps in sizes):
        return h, x
    raise ValueError(
        f"in1 has shape {x.shape} and in2 {h.shape}; mode 'valid' allows those of which one is at "
        "least as large in every convolved dimension"
    )
