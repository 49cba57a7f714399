"""A convolution of arrays as the engine wants it: units, planes, edges and strides.

A unit is what shares inputs and outputs: a channel in routing 'rows' and 'bank', all channels in
'matrix'. A complex array is two real planes side by side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from . import _core

_KINDS = {
    "f4": 0, "f8": 1, "f2": 2, "i1": 3, "i2": 4, "i4": 5, "i8": 6,
    "u1": 7, "u2": 8, "u4": 9, "u8": 10, "b1": 11, "c8": 0, "c16": 1,
}  # fmt: skip
# By NumPy's character of a type, of which several may mean the same one.
_TYPES = {
    char: _KINDS[name] for char in np.typecodes["All"] if (name := np.dtype(char).str[1:]) in _KINDS
}

View = tuple[int, int, list[int], list[int], list[int], int, int, int, list[int]]


def _hashable(value: int | list[int]) -> Hashable:
    return tuple(value) if isinstance(value, list) else value


def _parts(array: np.ndarray) -> int:
    return 2 if array.dtype.kind == "c" else 1


def view(
    array: np.ndarray,
    units: Sequence[int | None],
    time: int,
    planes: Sequence[int] = (),
    part: int | None = None,
    starts: Sequence[int] = (),
) -> View:
    """Units run along the axes ``units``, None for an axis that the array does not have; frames
    along ``time``; a unit's planes along ``planes``, in C order, and then its real and imaginary
    parts, or ``part`` alone. Planes that follow no axis begin at ``starts``, in elements."""
    dtype = array.dtype
    parts = _parts(array)
    size = dtype.itemsize // parts
    strides = [stride // size for stride in array.strides]
    return (
        array.__array_interface__["data"][0],
        _TYPES[dtype.char],
        [0 if axis is None else strides[axis] for axis in units],
        [array.shape[axis] for axis in planes],
        [strides[axis] for axis in planes],
        part or 0,
        parts if part is None else 1,
        strides[time],
        [start * parts for start in starts],
    )


@dataclass
class Job:
    """Everything that ``_core.Convolver`` is told of the arrays; they must outlive it."""

    is_double: bool
    is_matrix: bool
    units: list[int]
    channels: int
    parts: tuple[int, int, int]
    taps: list[int]
    windows: list[tuple[int, int]]
    own_kernels: bool
    frames: int
    input: View
    kernels: View
    outputs: list[View]
    arrays: tuple[np.ndarray, ...]

    def convolver(self, **options: object) -> _core.Convolver:
        return _core.Convolver(
            self.is_double, self.is_matrix, self.units, self.channels, self.parts, self.taps,
            self.windows, self.own_kernels, self.frames, self.input, self.kernels, self.outputs,
            **options,
        )  # fmt: skip

    def shape(self) -> Hashable:
        """What jobs have in common that one convolver can run: all but where arrays lie."""
        views = (self.input, self.kernels, *self.outputs)
        return (
            self.is_double, self.is_matrix, tuple(self.units), self.channels, self.parts,
            tuple(self.taps), tuple(self.windows), self.own_kernels, self.frames,
            tuple(tuple(map(_hashable, view[1:])) for view in views),
        )  # fmt: skip

    def run(
        self,
        convolver: _core.Convolver,
        progress: Callable[[int, int], object] | None = None,
        keeps_kernels: bool = False,
    ) -> None:
        convolver.run(self.input, self.kernels, self.outputs, progress, keeps_kernels)


def rows(
    x: np.ndarray,
    h: np.ndarray,
    axis: int,
    window: tuple[int, int],
    out: np.ndarray,
    is_double: bool,
) -> Job:
    """``h`` has one dimension, or as many as ``x``, to whose other axes it broadcasts."""
    others = [a for a in range(x.ndim) if a != axis]
    if h.ndim == 1:
        taps = h.shape[0]
        kernels = view(h, [None] * len(others), 0)
    else:
        taps = h.shape[axis]
        shape = [*x.shape[:axis], taps, *x.shape[axis + 1 :]]
        kernels = view(np.broadcast_to(h, shape), others, axis)
    return Job(
        is_double=is_double,
        is_matrix=False,
        units=[x.shape[a] for a in others],
        channels=1,
        parts=(_parts(x), _parts(h), _parts(out)),
        taps=[taps],
        windows=[window],
        own_kernels=h.ndim > 1 and any(h.shape[a] > 1 for a in others),
        frames=x.shape[axis],
        input=view(x, others, axis),
        kernels=kernels,
        outputs=[view(out, others, axis)],
        arrays=(x, h, out),
    )


def bank(
    x: np.ndarray,
    h: np.ndarray,
    sizes: Sequence[int],
    starts: Sequence[int],
    axis: int,
    windows: Sequence[tuple[int, int]],
    outs: Sequence[np.ndarray],
    is_double: bool,
) -> Job:
    """``h`` is (kernels, taps), or one kernel after another, kernel k beginning at ``starts[k]``
    with ``sizes[k]`` taps. One array of ``outs``
    has all kernels on its last axis, or each has one kernel's."""
    others = [a for a in range(x.ndim) if a != axis]
    if outs[0].ndim > x.ndim:
        outputs = [view(outs[0], others, axis, [x.ndim])]
    else:
        outputs = [view(out, others, axis, (), part) for out in outs for part in range(_parts(out))]
    return Job(
        is_double=is_double,
        is_matrix=False,
        units=[x.shape[a] for a in others],
        channels=1,
        parts=(_parts(x), _parts(h), _parts(outs[0])),
        taps=list(sizes),
        windows=list(windows),
        own_kernels=False,
        frames=x.shape[axis],
        input=view(x, others, axis),
        kernels=(
            view(h, [None] * len(others), 0, starts=starts)
            if starts
            else view(h, [None] * len(others), 1, [0])
        ),
        outputs=outputs,
        arrays=(x, h, *outs),
    )


def matrix(
    x: np.ndarray,
    h: np.ndarray,
    axis: int,
    window: tuple[int, int],
    out: np.ndarray,
    is_double: bool,
) -> Job:
    """``h`` is (outputs, ...) with x's other axes and taps along ``axis + 1``; ``out`` is (frames,
    outputs)."""
    others = [a for a in range(x.ndim) if a != axis]
    return Job(
        is_double=is_double,
        is_matrix=True,
        units=[],
        channels=math.prod(x.shape[a] for a in others),
        parts=(_parts(x), _parts(h), _parts(out)),
        taps=[h.shape[axis + 1]],
        windows=[window] * h.shape[0],
        own_kernels=False,
        frames=x.shape[axis],
        input=view(x, [], axis, others),
        kernels=view(h, [], axis + 1, [0, *[a + 1 for a in others]]),
        outputs=[view(out, [], 0, [1])],
        arrays=(x, h, out),
    )
