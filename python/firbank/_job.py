"""A convolution of arrays as the engine wants it: units, planes, edges and strides.

A unit is what shares inputs and outputs: a channel in routing 'rows' and 'bank', all channels in
'matrix'. A complex array is two real planes side by side; a product of two complex numbers is four
edges between them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from . import _core

_TYPES = {
    "f4": 0, "f8": 1, "f2": 2, "i1": 3, "i2": 4, "i4": 5, "i8": 6,
    "u1": 7, "u2": 8, "u4": 9, "u8": 10, "b1": 11, "c8": 0, "c16": 1,
}  # fmt: skip

View = tuple[int, int, list[int], list[int], int]

# (part of x, part of h, part of the result): what of a complex product goes where, and its sign.
_PRODUCTS = ((0, 0, 0, 1.0), (1, 0, 1, 1.0), (0, 1, 1, 1.0), (1, 1, 0, -1.0))


def _parts(array: np.ndarray) -> int:
    return 2 if array.dtype.kind == "c" else 1


def view(array: np.ndarray, units: Sequence[int], time: int, planes: Sequence[int] = ()) -> View:
    """Units run along the axes ``units``, frames along ``time``; a unit's planes along ``planes``,
    in C order, and then its real and imaginary parts."""
    size = array.dtype.itemsize // _parts(array)
    strides = [stride // size for stride in array.strides]
    offsets = [0]
    for axis in planes:
        offsets = [at + i * strides[axis] for at in offsets for i in range(array.shape[axis])]
    offsets = [at + part for at in offsets for part in range(_parts(array))]
    kind = _TYPES[f"{array.dtype.kind}{array.dtype.itemsize}"]
    address = array.__array_interface__["data"][0]
    return address, kind, [strides[axis] for axis in units], offsets, strides[time]


@dataclass
class Job:
    """Everything that ``_core.Convolver`` is told of the arrays; they must outlive it."""

    is_double: bool
    units: list[int]
    inputs: int
    taps: list[int]
    edges: list[tuple[int, int, int, float]]
    windows: list[tuple[int, int]]
    own_kernels: bool
    frames: int
    input: View
    kernels: View
    outputs: list[View]
    arrays: list[np.ndarray] = field(default_factory=list)

    def convolver(self, **options: object) -> _core.Convolver:
        return _core.Convolver(
            self.is_double, self.units, self.inputs, self.taps, self.edges, self.windows,
            self.own_kernels, self.frames, self.input, self.kernels, self.outputs, **options,
        )  # fmt: skip

    def run(
        self,
        convolver: _core.Convolver,
        progress: Callable[[int, int], object] | None = None,
        keeps_kernels: bool = False,
    ) -> None:
        convolver.run(self.input, self.kernels, self.outputs, progress, keeps_kernels)


def _edges(x: np.ndarray, h: np.ndarray, result: np.ndarray, triples) -> list:
    """Edges between planes, of edges between channels, kernels and outputs."""
    inputs, kernels, outputs = _parts(x), _parts(h), _parts(result)
    return [
        (i * inputs + a, k * kernels + b, o * outputs + c, gain)
        for i, k, o in triples
        for a, b, c, gain in _PRODUCTS
        if a < inputs and b < kernels
    ]


def rows(x: np.ndarray, h: np.ndarray, axis: int, window: tuple[int, int], out: np.ndarray,
         is_double: bool) -> Job:  # fmt: skip
    """``h`` has one dimension, or as many as ``x``, to whose other axes it broadcasts."""
    others = [a for a in range(x.ndim) if a != axis]
    taps = h.shape[0] if h.ndim == 1 else h.shape[axis]
    own = h.ndim > 1 and any(h.shape[a] > 1 for a in others)
    if h.ndim == 1:
        kernels = view(h, [], 0)
        kernels = (*kernels[:2], [0] * len(others), *kernels[3:])
    else:
        shape = list(x.shape)
        shape[axis] = taps
        kernels = view(np.broadcast_to(h, shape), others, axis)
    return Job(
        is_double=is_double,
        units=[x.shape[a] for a in others],
        inputs=_parts(x),
        taps=[taps] * _parts(h),
        edges=_edges(x, h, out, [(0, 0, 0)]),
        windows=[window] * _parts(out),
        own_kernels=own,
        frames=x.shape[axis],
        input=view(x, others, axis),
        kernels=kernels,
        outputs=[view(out, others, axis)],
        arrays=[x, h, out],
    )


def bank(x: np.ndarray, h: np.ndarray, sizes: Sequence[int], axis: int,
         windows: Sequence[tuple[int, int]], outs: Sequence[np.ndarray],
         is_double: bool) -> Job:  # fmt: skip
    """``h`` is (kernels, taps); kernel k has the first ``sizes[k]`` of them. One array of ``outs``
    has all kernels on its last axis, or each has one kernel's."""
    others = [a for a in range(x.ndim) if a != axis]
    out = outs[0]
    if len(outs) == 1 and out.ndim == x.ndim + 1:
        outputs = [view(out, others, axis, [x.ndim])]
    else:
        outputs = []
        for each in outs:
            whole = view(each, others, axis)
            for part in range(_parts(out)):
                outputs.append((*whole[:3], [part], whole[4]))
    of_kernel = [part for part in range(len(sizes)) for _ in range(_parts(h))]
    of_output = [part for part in range(len(sizes)) for _ in range(_parts(out))]
    kernels = view(h, [], 1, [0])
    return Job(
        is_double=is_double,
        units=[x.shape[a] for a in others],
        inputs=_parts(x),
        taps=[sizes[k] for k in of_kernel],
        edges=_edges(x, h, out, [(0, k, k) for k in range(len(sizes))]),
        windows=[windows[k] for k in of_output],
        own_kernels=False,
        frames=x.shape[axis],
        input=view(x, others, axis),
        kernels=(*kernels[:2], [0] * len(others), *kernels[3:]),
        outputs=outputs,
        arrays=[x, h, *outs],
    )


def matrix(x: np.ndarray, h: np.ndarray, axis: int, window: tuple[int, int], out: np.ndarray,
           is_double: bool) -> Job:  # fmt: skip
    """``h`` is (outputs, ...) with x's other axes and taps along ``axis + 1``; ``out`` is (frames,
    outputs)."""
    others = [a for a in range(x.ndim) if a != axis]
    channels = int(np.prod([x.shape[a] for a in others], dtype=np.int64))
    outputs = h.shape[0]
    triples = [(i, o * channels + i, o) for o in range(outputs) for i in range(channels)]
    return Job(
        is_double=is_double,
        units=[],
        inputs=channels * _parts(x),
        taps=[h.shape[axis + 1]] * (outputs * channels * _parts(h)),
        edges=_edges(x, h, out, triples),
        windows=[window] * (outputs * _parts(out)),
        own_kernels=False,
        frames=x.shape[axis],
        input=view(x, [], axis, others),
        kernels=view(h, [], axis + 1, [0, *[a + 1 for a in others]]),
        outputs=[view(out, [], 0, [1])],
        arrays=[x, h, out],
    )
