"""Convolution over any axes of N-dimensional arrays, by convolutions along one.

Along one axis, the rows of an array meet their kernels as they are. Over several axes both arrays
are laid out flat, row after row, with zeros between the rows so that what runs over the end of a
row never reaches a frame of the next that is asked for. The one-dimensional convolution of the two
flat arrays is then the N-dimensional one, laid out flat: the index of a product is the sum of the
indices of its factors, in each dimension and in the flat array alike.

How many zeros depends on the mode. With n samples and L taps in a row, 'full' asks for all
n + L - 1 frames and needs L - 1 zeros. 'same' asks for n frames that reach L // 2 samples over
either end, so one gap of L // 2 serves both neighbours. 'valid' asks only for frames that stay
inside a row and needs none: the array is convolved where it lies, without a copy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._arguments import frames_of_mode
from .._convolve import convolve

Array = NDArray[Any]


def convolve_axes(x: Array, h: Array, axes: Sequence[int], mode: str) -> Array:
    """Convolve two floating-point arrays of one type over some of their axes.

    Parameters
    ----------
    x, h : ndarray
        Arrays of equally many dimensions and one type, float32, float64, complex64 or complex128;
        not empty. The axes that are not convolved broadcast against each other.
    axes : sequence of int
        The axes to convolve over, none of them negative; at least one.
    mode : {'full', 'same', 'valid', 'causal'}
        Which frames of each of these axes; 'same' and 'causal' have x's size. 'causal' is for one
        axis only. For 'valid', x must be at least as large as h.

    Returns
    -------
    ndarray
        The convolution. A NaN or an infinity in either array is a NaN in those frames whose window
        touches it, and leaves the others as they are.
    """
    if len(axes) == 1:
        try:
            return _convolve_finite(x, h, axes, mode)
        except ValueError:
            # The engine spoils what NaNs in x touch, and refuses them in the kernel, which either
            # of the two may be.
            if np.isfinite(h).all() and np.isfinite(x).all():
                raise
    elif np.isfinite(x).all() and np.isfinite(h).all():
        return _convolve_finite(x, h, axes, mode)
    return _convolve_not_finite(x, h, axes, mode)


def crop_to_same(x: Array, h: Array) -> Array:
    """Return the part of h that reaches any frame of mode 'same'.

    With n samples that is 2 n - 1 taps at most, and they have the same centre as all of h. Where x
    has one sample, it is the one tap in the middle.
    """
    if all(taps < 2 * samples for samples, taps in zip(x.shape, h.shape, strict=True)):
        return h
    parts = []
    for samples, taps in zip(x.shape, h.shape, strict=True):
        centre = (taps - 1) // 2
        parts.append(slice(max(centre - samples + 1, 0), centre + samples))
    return h[tuple(parts)]


def _convolve_finite(x: Array, h: Array, axes: Sequence[int], mode: str) -> Array:
    if mode == "full" and _size(h, axes) > _size(x, axes):
        x, h = h, x  # The shorter one is the kernel.
    if len(axes) == 1:
        return _convolve_axis(x, h, axes[0], mode)
    return _convolve_flat(x, h, _shortest_kernel_first(x, h, axes, mode), mode)


def _size(array: Array, axes: Sequence[int]) -> int:
    return math.prod([array.shape[axis] for axis in axes])


def _convolve_axis(x: Array, h: Array, axis: int, mode: str) -> Array:
    if h.size == h.shape[axis]:
        kernel = h if h.ndim == 1 else h.reshape(-1)
        return convolve(x, kernel, axis=axis, mode=mode)
    # The engine broadcasts kernels to x, not x to kernels.
    shape = [max(sizes) for sizes in zip(x.shape, h.shape, strict=True)]
    shape[axis] = x.shape[axis]
    return convolve(np.broadcast_to(x, shape), h, axis=axis, mode=mode)


def _shortest_kernel_first(x: Array, h: Array, axes: Sequence[int], mode: str) -> Sequence[int]:
    """Return the axes in the order in which they are laid out flat.

    The flat kernel is as long as its span of the first axis, as a share of that axis, times the
    whole array. Another order than the array's own costs a copy of it, so it must be worth it.
    """

    def span(axis: int) -> float:
        return (h.shape[axis] - 1) / _row_width(mode, x.shape[axis], h.shape[axis])

    first = min(axes, key=span)
    if 2 * span(first) >= span(axes[0]):
        return axes
    return [first, *(axis for axis in axes if axis != first)]


def _row_width(mode: str, samples: int, taps: int) -> int:
    """Return the samples of a row and the zeros that part it from the next."""
    return samples + {"full": taps - 1, "same": taps // 2, "valid": 0}[mode]


def _convolve_flat(x: Array, h: Array, axes: Sequence[int], mode: str) -> Array:
    sizes = [(x.shape[axis], h.shape[axis]) for axis in axes]
    widths = [_row_width(mode, samples, taps) for samples, taps in sizes]
    steps = [math.prod(widths[i + 1 :]) for i in range(len(widths))]

    others = [axis for axis in range(x.ndim) if axis not in axes]
    order = [*others, *axes]
    kernel = _lay_flat(h.transpose(order), widths)
    if mode == "same":
        # The centre of an even number of taps is half a tap early. In each such dimension of the
        # flat kernel that is a whole step, which zeros in front of it make good.
        early = sum(step for step, (_, taps) in zip(steps, sizes, strict=True) if taps % 2 == 0)
        if early:
            kernel = np.concatenate([np.zeros((*kernel.shape[:-1], early), h.dtype), kernel], -1)
    y = _convolve_axis(_lay_flat(x.transpose(order), widths), kernel, len(others), mode)

    # The flat result ends with the last frame asked for, so a view of its rows stays inside it.
    counts = [frames_of_mode(mode, samples, taps)[1] for samples, taps in sizes]
    y = np.lib.stride_tricks.as_strided(
        y,
        (*y.shape[:-1], *counts),
        (*y.strides[:-1], *(step * y.strides[-1] for step in steps)),
    )
    back = sorted(range(len(order)), key=order.__getitem__)
    return np.ascontiguousarray(y.transpose(back))


def _lay_flat(array: Array, widths: Sequence[int]) -> Array:
    """Return the last dimensions as one, in rows of the given widths, without zeros at the end.

    Shape of the result: (..., 1 + sum((size - 1) * step)), where the step of a dimension is the
    product of the widths after it.
    """
    inner = len(widths) - 1
    others, first, sizes = array.shape[: -inner - 1], array.shape[-inner - 1], array.shape[-inner:]
    if list(sizes) == list(widths[1:]):
        return array.reshape((*others, -1))
    padded = np.zeros((*others, first, *widths[1:]), array.dtype)
    padded[(..., *(slice(size) for size in sizes))] = array
    end = np.ravel_multi_index((first - 1, *(size - 1 for size in sizes)), (first, *widths[1:]))
    return padded.reshape((*others, -1))[..., : end + 1]


def _convolve_not_finite(x: Array, h: Array, axes: Sequence[int], mode: str) -> Array:
    """Convolve with zeros in place of what is not finite, then mark what that touches."""
    x_finite = np.isfinite(x)
    h_finite = np.isfinite(h)
    y = _convolve_finite(np.where(x_finite, x, 0), np.where(h_finite, h, 0), axes, mode)
    touched_by_x, touched_by_h = ~x_finite, ~h_finite
    for axis in axes:
        samples, taps = x.shape[axis], h.shape[axis]
        frames = frames_of_mode(mode, samples, taps)
        touched_by_x = _touched(touched_by_x, taps, axis, frames)
        touched_by_h = _touched(touched_by_h, samples, axis, frames)
    y[touched_by_x | touched_by_h] = np.nan
    return y


def _touched(marked: Array, window: int, axis: int, frames: tuple[int, int]) -> Array:
    """Return which frames have a marked sample among the last ``window`` ones up to themselves."""
    before = np.zeros([size + (a == axis) for a, size in enumerate(marked.shape)], np.int64)
    inner = (slice(None),) * axis + (slice(1, None),)
    np.cumsum(marked, axis=axis, out=before[inner])
    first, count = frames
    end = np.arange(first + 1, first + count + 1)
    samples = marked.shape[axis]
    return before.take(np.minimum(end, samples), axis) != before.take(
        np.clip(end - window, 0, samples), axis
    )
