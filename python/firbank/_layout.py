"""Which samples and kernels a part of a convolution's result needs: shapes, modes, routings.

The words follow the documentation of `firbank.convolve`. L is the number of taps, N the samples of
x and M those of the result along the axis of time. Frame m of mode 'full' is the sum over taps k
of ``h[k] * x[m - k]``; the other modes are `count` frames of it from `first` on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ._arguments import MODES, ROUTINGS, one_of, require_finite
from ._mapping import in_memory

Region = tuple[slice, ...]


def window_of_mode(mode: str, samples: int, taps: int) -> tuple[int, int]:
    """Return the first frame of mode 'full' that a mode gives, and how many it gives.

    Raises
    ------
    ValueError
        If mode 'valid' has no frame, since the kernel is longer than the signal.

    Examples
    --------
    >>> window_of_mode("same", 10, 5)
    (2, 10)
    """
    if mode == "full":
        return 0, samples + taps - 1
    if mode == "same":
        return (taps - 1) // 2, samples
    if mode == "causal":
        return 0, samples
    if taps > samples:
        raise ValueError(
            f"h has {taps} taps, x {samples} samples; mode 'valid' allows up to {samples} taps"
        )
    return taps - 1, samples - taps + 1


@dataclass(frozen=True)
class Kernels:
    """The kernels of a convolution and how they meet the channels.

    Attributes
    ----------
    h : numpy.ndarray
        As `firbank.convolve` takes it: of routing 'bank' (K, taps), of 'rows' (taps,) or with the
        dimensions of x, of 'matrix' with these or a leading axis of outputs more.
    routing : str
    axis : int
        The axis of time in x, not negative.
    dimensions : int
        Those of x.
    """

    h: np.ndarray
    routing: str
    axis: int
    dimensions: int

    @property
    def taps(self) -> int:
        """L."""
        if self.routing == "bank" or self.h.ndim == 1:
            return self.h.shape[-1]
        return self.h.shape[self.axis - self.dimensions]

    @property
    def outputs(self) -> int:
        """How many kernels or outputs the result has along its last axis; 1 if it has no such."""
        return self.h.shape[0] if self.has_output_axis else 1

    @property
    def has_output_axis(self) -> bool:
        """Whether the result has a last axis of kernels or outputs."""
        if self.routing == "bank":
            return True
        return self.routing == "matrix" and self.h.ndim > self.dimensions

    def part(self, tile: Region, outputs: slice) -> np.ndarray:
        """Return the kernels, a view, for a tile of channels (all axes of x but time)."""
        if self.routing == "bank":
            return self.h[outputs]
        if self.h.ndim == 1:
            return self.h
        index: list[slice] = list(tile)
        index.insert(self.axis, slice(None))
        if self.has_output_axis:
            return self.h[(outputs, *index)]
        return self.h[
            tuple(
                slice(None) if size == 1 else part
                for size, part in zip(self.h.shape, index, strict=True)
            )
        ]

    def result_shape(self, shape: tuple[int, ...], frames: int) -> tuple[int, ...]:
        """Return the result's shape for an x of this shape and so many frames of result."""
        last = (self.outputs,) if self.has_output_axis else ()
        if self.routing == "matrix":
            return (frames, *last)
        return (*shape[: self.axis], frames, *shape[self.axis + 1 :], *last)

    def result_axis(self) -> int:
        """Return the axis of time in the result."""
        return 0 if self.routing == "matrix" else self.axis

    def result_region(self, frames: slice, tile: Region, outputs: slice) -> Region:
        """Return where a part lies in the result."""
        last = (outputs,) if self.has_output_axis else ()
        if self.routing == "matrix":
            return (frames, *last)
        return (*tile[: self.axis], frames, *tile[self.axis :], *last)


def check_kernels(h: object, routing: str, axis: int, shape: tuple[int, ...]) -> Kernels:
    """Check `h` against the shape of x, of which the size along time does not matter.

    Raises
    ------
    TypeError
        If `h` holds no numbers.
    ValueError
        If its shape does not suit, it has no taps, or it is not finite.
    """
    array = check_numbers(h)
    dimensions = len(shape)
    channels = (*shape[:axis], *shape[axis + 1 :])
    if routing == "bank":
        if array.ndim not in (1, 2):
            raise ValueError(f"h has shape {array.shape}; routing 'bank' allows (K, taps), (taps,)")
        array = np.atleast_2d(array)
    elif routing == "rows":
        if array.ndim not in (1, dimensions):
            raise ValueError(
                f"h has {array.ndim} dimensions; routing 'rows' allows 1, or those of x: "
                f"{dimensions}"
            )
        if array.ndim > 1:
            own = (*array.shape[:axis], *array.shape[axis + 1 :])
            if any(size not in (1, most) for size, most in zip(own, channels, strict=True)):
                raise ValueError(
                    f"h has shape {array.shape}, which does not broadcast to the channels of x, "
                    f"{channels}"
                )
    else:
        if array.ndim not in (dimensions, dimensions + 1):
            raise ValueError(
                f"h has {array.ndim} dimensions; routing 'matrix' allows those of x, {dimensions}, "
                f"or one more in front"
            )
        behind = array.shape[array.ndim - dimensions :]
        if (*behind[:axis], *behind[axis + 1 :]) != channels:
            raise ValueError(
                f"h has shape {array.shape}; routing 'matrix' wants a kernel for each channel of "
                f"x: {channels}"
            )
    return Kernels(array, routing, axis, dimensions)


def check_numbers(h: object) -> np.ndarray:
    """Return kernels as an array.

    Raises
    ------
    TypeError
        If `h` holds no numbers.
    ValueError
        If there are none, or one that is not finite.
    """
    array = in_memory(np.asarray(h), "h")
    if array.dtype.kind not in "biufc":
        raise TypeError(
            f"h has dtype {array.dtype}; allowed: bool, integers, real and complex floating point"
        )
    if array.size == 0:
        raise ValueError(f"h has shape {array.shape}; allowed: at least one kernel with one tap")
    require_finite("h", array)
    return array


def check_words(mode: str, routing: str) -> None:
    """Raise ValueError unless mode and routing are known."""
    one_of("mode", mode, MODES)
    one_of("routing", routing, ROUTINGS)


def is_ragged(h: object, routing: str) -> bool:
    """Tell whether `h` is a list of 1-D kernels of different sizes."""
    if routing != "bank" or not isinstance(h, Sequence) or isinstance(h, (str, bytes)):
        return False
    return len({np.size(kernel) for kernel in h}) > 1
