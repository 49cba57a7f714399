"""The kernels of a convolution: how they meet the channels, and where their results lie.

The words follow the documentation of `firbank.convolve`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import _arguments as arguments
from ._kernels import kernel_array

Region = tuple[slice, ...]


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
    array, _, _ = kernel_array(h, routing)
    arguments.require_kernel_shape(array.shape, shape, axis, routing)
    return Kernels(array, routing, axis, len(shape))


def is_ragged(h: object, routing: str) -> bool:
    """Tell whether `h` is a list of 1-D kernels of different sizes."""
    if routing != "bank" or not isinstance(h, Sequence) or isinstance(h, (str, bytes)):
        return False
    return len({np.size(kernel) for kernel in h}) > 1


def each_kernel(h: Sequence[object]) -> list[np.ndarray]:
    """Return kernels of different sizes, checked, as arrays of one dtype, that of all together."""
    joined, sizes, starts = kernel_array(h, "bank")
    return [joined[start : start + size] for start, size in zip(starts, sizes, strict=True)]
