"""FIR filters with a state, as SciPy's lfilter computes and keeps them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._arguments import axis_of
from ._axes import convolve_axes
from ._types import as_numeric, common_types


def lfilter(
    b: ArrayLike,
    a: ArrayLike,
    x: ArrayLike,
    axis: int = -1,
    zi: ArrayLike | None = None,
) -> NDArray[Any] | tuple[NDArray[Any], NDArray[Any]]:
    """Filter along one axis with a FIR filter.

    Parameters
    ----------
    b : array_like
        The coefficients, 1-D: output frame n is the sum over k of b[k] x[n - k], divided by a[0].
    a : array_like
        A scalar, or 1-D with zeros after the first element, which is not zero: there is no
        feedback in a FIR filter.
    x : array_like
        The input, at least 1-D.
    axis : int
        The axis of time.
    zi : array_like, optional
        The state before the first sample: K = max(len(a), len(b)) - 1 values along ``axis``, and
        in the other dimensions x's sizes or 1. Element k is what earlier samples add to output
        frame k (the state of the transposed direct form II).

    Returns
    -------
    y : ndarray
        The output, with x's shape, of the type to which NumPy promotes all arguments; float64 if
        they hold integers alone. float16 is computed in float32, long double in double and
        returned so.
    zf : ndarray
        Only if ``zi`` is given: the state after the last sample, with which the next part of a
        stream is filtered as if it had not been cut.

    Raises
    ------
    ValueError
        If ``a`` has feedback or begins with zero, or a shape is not allowed.
    numpy.exceptions.AxisError
        If x has no axis ``axis``: both a ValueError and an IndexError.
    TypeError
        If an argument does not hold numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from firbank.signal import lfilter
    >>> y, state = lfilter([1.0, 1.0], 1.0, [1.0, 2.0], zi=np.zeros(1))
    >>> lfilter([1.0, 1.0], 1.0, [3.0], zi=state)[0].tolist()
    [5.0]
    """
    b, a = _fir_coefficients(b, a)
    x = as_numeric("x", x)
    axis = axis_of(axis, x.ndim)
    dtypes = [b.dtype, a.dtype, x.dtype]
    state = None
    if zi is not None:
        zi = as_numeric("zi", zi)
        dtypes.append(zi.dtype)
        state = _broadcast_state(zi, x.shape, axis, max(a.size, b.size) - 1)
    types = common_types(*dtypes)
    result = types.arithmetic if types.result.kind in "biu" else types.result
    if x.size == 0:
        y = np.empty(x.shape, result)
        return y if state is None else (y, state.astype(result))

    kernel = b.astype(types.arithmetic) / a[0].astype(types.arithmetic)
    if state is not None and a.size > b.size:
        kernel = np.concatenate([kernel, np.zeros(a.size - b.size, kernel.dtype)])
    kernel = kernel.reshape([-1 if dimension == axis else 1 for dimension in range(x.ndim)])
    x = x.astype(types.arithmetic, copy=False)
    if state is None:
        return convolve_axes(x, kernel, [axis], "causal").astype(result, copy=False)

    # The full convolution goes on after the last sample with what is due to later frames.
    y = convolve_axes(x, kernel, [axis], "full")
    along = (slice(None),) * axis
    y[(*along, slice(state.shape[axis]))] += state
    y = y.astype(result, copy=False)
    frames = x.shape[axis]
    # A copy, so that a state that is kept does not keep the whole output with it.
    return y[(*along, slice(frames))], y[(*along, slice(frames, None))].copy()


def lfilter_zi(b: ArrayLike, a: ArrayLike) -> NDArray[Any]:
    """Return the state of a FIR filter after a long input of ones.

    Parameters
    ----------
    b, a : array_like
        The coefficients, as for :func:`lfilter`.

    Returns
    -------
    ndarray
        The K = max(len(a), len(b)) - 1 values of ``zi``: element k is the sum of b[k + 1:],
        divided by a[0]. Times x[0] it starts :func:`lfilter` as if x[0] had been there for long.

    Raises
    ------
    ValueError
        If ``a`` has feedback or begins with zero, or a shape is not allowed.
    TypeError
        If an argument does not hold numbers.

    Examples
    --------
    >>> from firbank.signal import lfilter, lfilter_zi
    >>> b = [0.25, 0.5, 0.25]
    >>> lfilter(b, 1.0, [2.0, 2.0], zi=2.0 * lfilter_zi(b, 1.0))[0].tolist()
    [2.0, 2.0]
    """
    b, a = _fir_coefficients(b, a)
    types = common_types(b.dtype, a.dtype)
    result = types.arithmetic if types.result.kind in "biu" else types.result
    wide = np.result_type(result, np.float64)
    state = np.zeros(max(a.size, b.size) - 1, wide)
    state[: b.size - 1] = np.cumsum(b[:0:-1], dtype=wide)[::-1] / a[0].astype(wide)
    return state.astype(result, copy=False)


def _fir_coefficients(b: ArrayLike, a: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    b, a = np.atleast_1d(as_numeric("b", b)), np.atleast_1d(as_numeric("a", a))
    for name, values in (("b", b), ("a", a)):
        if values.ndim != 1 or values.size == 0:
            raise ValueError(f"{name} has shape {values.shape}; allowed: 1-D, at least one element")
    if a[0] == 0:
        raise ValueError("a[0] is 0; allowed: any other value, by which b is divided")
    if a.size > 1 and a[1:].any():
        at = 1 + int(np.flatnonzero(a[1:])[0])
        raise ValueError(f"a[{at}] is {a[at]}, feedback; allowed: 0, for FIR filters only")
    return b, a


def _broadcast_state(
    zi: NDArray[Any], shape: tuple[int, ...], axis: int, count: int
) -> NDArray[Any]:
    expected = (*shape[:axis], count, *shape[axis + 1 :])
    fits = zi.ndim == len(expected) and all(
        size == wanted or (size == 1 and dimension != axis)
        for dimension, (size, wanted) in enumerate(zip(zi.shape, expected, strict=True))
    )
    if not fits:
        raise ValueError(
            f"zi has shape {zi.shape}; allowed: {expected}, or 1 but along axis {axis}"
        )
    return np.broadcast_to(zi, expected)
